"""The indexes of workspaces: built when what is known changes, large ones beside the questions that go on meanwhile."""

from __future__ import annotations

import asyncio

import pytest

from knowledge.matching import Matcher
from knowledge.team import NOTHING, Known, TeamEntry
from knowledge.teams import LARGE, Teams
from tests.bundled import index


class Held:
    """Knows what it is told."""

    def __init__(self) -> None:
        self.now: dict[str, Known] = {}

    async def known(self, workspace: str, *, now: bool = False) -> Known:
        return self.now.get(workspace, NOTHING)


@pytest.fixture(scope="module")
def matcher() -> Matcher:
    return index().matcher


def birds(count: int, version: str) -> Known:
    named = (TeamEntry(f"team-{at}", f"{version} bird{at}", answer="x", state="published") for at in range(count))
    return Known(version, tuple(named))


async def test_an_index_is_built_once_for_each_version(matcher: Matcher) -> None:
    held = Held()
    teams = Teams(held, matcher)
    assert await teams.of("T1") is await teams.of("T2")
    held.now["T1"] = birds(3, "red")
    first = await teams.of("T1")
    assert first.named("red bird2") is not None
    assert await teams.of("T1") is first
    assert (await teams.of("T2")).named("red bird2") is None
    held.now["T1"] = birds(3, "blue")
    assert (await teams.of("T1")).named("red bird2") is None
    held.now["T1"] = NOTHING
    assert not await teams.of("T1")


async def test_while_a_large_index_is_built_anew_the_one_before_answers(matcher: Matcher) -> None:
    held = Held()
    teams = Teams(held, matcher)
    held.now["T1"] = birds(LARGE, "red")
    first, same = await asyncio.gather(teams.of("T1"), teams.of("T1"))
    assert first is same
    assert first.named("red bird2") is not None
    held.now["T1"] = birds(LARGE, "blue")
    assert await teams.of("T1") is first
    await asyncio.gather(*teams._building.values())
    assert (await teams.of("T1")).named("blue bird2") is not None
