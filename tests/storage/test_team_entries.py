"""What workspaces know: kept apart, noticed by other processes, without the people who asked to be forgotten."""

from __future__ import annotations

import asyncio
from dataclasses import replace

from sqlalchemy import event
from sqlalchemy.ext.asyncio import AsyncEngine

from knowledge.team import Alias, TeamEntry, published
from storage.people import SqlPeople
from storage.team_entries import CHECK_SECONDS, SqlTeamEntries
from tests.storage.conftest import NOW

FALCON = published(
    TeamEntry(
        *("team-1", "Falcon", ("The bird",), "What is Falcon?", "A feature store.", ("data-engineer",), ("Feast",)),
        written_by="UANN",
        shown_author="Ann",
    ),
    NOW,
)
ORAKEL = Alias("Orakel", "mlops-engineer", "UANN", NOW)


class Seconds:
    at = 100.0

    def __call__(self) -> float:
        return self.at


async def test_what_is_saved_is_read_again_and_every_workspace_has_its_own(engine: AsyncEngine) -> None:
    team = SqlTeamEntries(engine)
    heron = TeamEntry("team-2", "Heron")
    await team.save("T1", [FALCON, heron], [ORAKEL])
    await team.save("T2", [replace(FALCON, answer="Something else.")])
    known = await team.known("T1")
    assert (known.entries, known.aliases) == ((FALCON, heron), (ORAKEL,))
    assert [one.answer for one in (await team.known("T2")).entries] == ["Something else."]
    assert (await team.known("T3")).entries == ()
    await team.save("T1", [replace(FALCON, name="Eagle")], [replace(ORAKEL, name="ORAKEL", entry_id="data-engineer")])
    known = await team.known("T1")
    assert [one.name for one in known.entries] == ["Eagle", "Heron"]
    assert [(one.name, one.entry_id) for one in known.aliases] == [("ORAKEL", "data-engineer")]
    assert await team.remove_alias("T1", "orakel")
    assert not await team.remove_alias("T1", "orakel")
    assert (await team.known("T1")).aliases == ()


async def test_another_process_notices_within_seconds_and_reads_no_more_than_that(engine: AsyncEngine) -> None:
    seconds = Seconds()
    here, there = SqlTeamEntries(engine), SqlTeamEntries(engine, seconds)
    statements: list[str] = []
    event.listen(engine.sync_engine, "before_cursor_execute", lambda *given: statements.append(given[2]))
    for _ in range(3):
        assert (await there.known("T1")).entries == ()
    assert len(statements) == 1
    await here.save("T1", [FALCON])
    assert (await there.known("T1")).entries == ()
    seconds.at += CHECK_SECONDS
    first = await there.known("T1")
    assert first.entries == (FALCON,)
    statements.clear()
    seconds.at += CHECK_SECONDS
    assert await there.known("T1") is first
    assert len(statements) == 1
    await here.save("T1", [replace(FALCON, answer="Newer.")])
    # Whoever curates sees it at once.
    assert [one.answer for one in (await there.known("T1", now=True)).entries] == ["Newer."]


async def test_whoever_is_forgotten_leaves_entries_without_a_name(engine: AsyncEngine, people: SqlPeople) -> None:
    team, other = SqlTeamEntries(engine), SqlTeamEntries(engine)
    bens = replace(FALCON, id="team-2", written_by="UBEN", shown_author="Ben")
    await team.save("T1", [FALCON, bens], [ORAKEL])
    await team.save("T2", [FALCON])
    assert len((await people.kept("T1", "UANN"))["team_entries"]) == 1
    await people.forget("T1", "UANN")
    known = await other.known("T1")
    assert known.entries == (replace(FALCON, written_by="", shown_author=""), bens)
    assert known.aliases == (replace(ORAKEL, written_by=""),)
    assert (await other.known("T2")).entries == (FALCON,)


async def test_a_workspace_that_uninstalls_leaves_nothing(engine: AsyncEngine, people: SqlPeople) -> None:
    seconds = Seconds()
    team = SqlTeamEntries(engine, seconds)
    await team.save("T1", [FALCON], [ORAKEL])
    await team.known("T1")
    await people.forget_workspace("T1")
    seconds.at += CHECK_SECONDS
    assert await team.known("T1") == await SqlTeamEntries(engine).known("T3")


async def test_of_two_who_write_on_the_same_version_one_does(engine: AsyncEngine) -> None:
    here, there = SqlTeamEntries(engine), SqlTeamEntries(engine)
    others = FALCON, replace(FALCON, id="team-2", name="Heron")
    for _ in range(2):
        # First where the workspace has no version yet, then where it has one.
        on = (await here.known("T1", now=True)).version
        before = (await here.known("T1", now=True)).entries
        saved = await asyncio.gather(
            *(team.save("T1", [one], on=on) for team, one in zip((here, there), others, strict=True))
        )
        assert sorted(saved) == [False, True]
        [other] = [one for one, written in zip(others, saved, strict=True) if written]
        after = await here.known("T1", now=True)
        assert after.version != on and {*after.entries} == {*before, other}


async def test_nothing_is_written_on_what_a_workspace_knew_before_it_was_removed(
    engine: AsyncEngine, people: SqlPeople
) -> None:
    team = SqlTeamEntries(engine)
    await team.save("T1", [FALCON])
    on = (await team.known("T1")).version
    await people.forget_workspace("T1")
    assert not await team.save("T1", [FALCON], on=on)
    assert (await team.known("T1", now=True)).entries == ()
