"""One person with forms of two workspaces open at once: whatever is swapped between them, nothing crosses."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Literal

import pytest
import pytest_asyncio

from bot.app import Bot
from bot.local import LocalSlack, View
from handlers.verifying import NOT_YOURS
from knowledge.team import VERIFY_AFTER, TeamEntry, published
from knowledge.workspaces import Settings
from storage.tables import metadata
from tests.bot.installing import Many
from tests.conftest import ANN, BEN, CAI, TEAM, Clock, declares, rows, settled, words
from tests.databases import ON_BOTH
from tests.handlers.test_asks import AT_WORK, carried, told

OTHER = "T0OTHER0001"
Swapped = Literal["nothing", "ids", "metadata", "both"]
SWAPPED = pytest.mark.parametrize("swapped", ["nothing", "ids", "metadata", "both"])


@pytest_asyncio.fixture
async def bot(slack: LocalSlack, clock: Clock, many: Many) -> AsyncIterator[Bot]:
    """A bot that is installed in both workspaces, on a Monday at work."""
    clock.at = AT_WORK
    async with many() as (bot, browser):
        for workspace in (TEAM, OTHER):
            with within(slack, workspace):
                await browser.install()
                await settled(bot)
        yield bot


@contextmanager
def within(slack: LocalSlack, workspace: str) -> Iterator[None]:
    """Let everything that people do meanwhile happen in a workspace."""
    slack.workspace.team_id, before = workspace, slack.workspace.team_id
    yield
    slack.workspace.team_id = before


def swap(one: View, other: View, swapped: Swapped) -> None:
    """Have two forms exchange what a submission carries of them."""
    if swapped in ("ids", "both"):
        one.id, other.id = other.id, one.id
    if swapped in ("metadata", "both"):
        theirs = [form.private_metadata for form in (other, one)]
        for form, carried_along in zip((one, other), theirs, strict=True):
            form.body["private_metadata"] = carried_along


@dataclass
class Heard:
    """Hold what the bot answered and called from a moment on."""

    slack: LocalSlack
    calls: int = field(init=False)
    answers: int = field(init=False)

    def __post_init__(self) -> None:
        self.calls, self.answers = len(self.slack.calls), len(self.slack.deliveries)

    def __str__(self) -> str:
        calls = [call.arguments for call in self.slack.calls[self.calls :]]
        return json.dumps([*calls, *(one.text for one in self.slack.deliveries[self.answers :])], default=str)


async def of(bot: Bot, workspace: str) -> dict[str, list[Any]]:
    """Return every row of a workspace, by table."""
    found = {
        name: await rows(bot, name, "workspace = :it", it=workspace)
        for name, table in metadata.tables.items()
        if "workspace" in table.c
    }
    return {name: some for name, some in found.items() if some}


async def opens(slack: LocalSlack, workspace: str, typed: str, action: str = "") -> View:
    with within(slack, workspace):
        outcome = await slack.command(ANN, f"/genai-role {typed}")
        outcome = await slack.press(ANN, outcome, action) if action else outcome
    assert outcome.view is not None
    return outcome.view


@ON_BOTH
@SWAPPED
@pytest.mark.parametrize("first", [TEAM, OTHER])
async def test_a_declaration_here_and_a_question_there(
    slack: LocalSlack, bot: Bot, clock: Clock, swapped: Swapped, first: str
) -> None:
    await declares(bot, slack, BEN, {"mlops-engineer": "lead"}, ("zebra herds",))
    await declares(bot, slack, CAI, {"mlops-engineer": "lead"}, ("okapi herds",), workspace=OTHER)
    home = await slack.open_home(ANN)
    declaring = (await slack.press(ANN, home, "declare_role")).view
    asking = await opens(slack, OTHER, "who mlops", "ask_put")
    assert declaring is not None
    assert "Cai Chen" in str(asking.blocks) and "Ben Book" not in str(asking.blocks)
    swap(declaring, asking, swapped)
    heard: dict[str, str] = {}
    for workspace in (first, TEAM if first == OTHER else OTHER):
        since = Heard(slack)
        with within(slack, workspace):
            if workspace == TEAM:
                done = await slack.submit(ANN, declaring, {"roles_lead": ["mlops-engineer"], "topics": "Zebra Herds"})
            else:
                done = await slack.submit(ANN, asking, {"question": "Where do okapis live?", "whom": CAI})
            assert not done.errors and not done.error
            await settled(bot)
            await carried(bot, clock)
        heard[workspace] = str(since)
    assert "Where do okapis live?" in heard[OTHER] and "zebra" not in heard[OTHER].casefold()
    assert "zebra herds" in heard[TEAM] and "okapi" not in heard[TEAM].casefold()
    here, there = await of(bot, TEAM), await of(bot, OTHER)
    assert {row["user_id"] for row in here["declarations"]} == {ANN, BEN} and "asks" not in here
    assert {row["user_id"] for row in there["declarations"]} == {CAI}
    assert [(row["user_id"], row["outcome"]) for row in there["ask_people"]] == [(CAI, "has")]
    assert told(slack, BEN) == [] and "Where do okapis live?" in told(slack, CAI)[0].text


@ON_BOTH
@SWAPPED
async def test_a_declaration_here_and_settings_there(
    slack: LocalSlack, bot: Bot, clock: Clock, swapped: Swapped
) -> None:
    slack.workspace.members[ANN].admin = True
    await bot.workspaces.save(TEAM, Settings(curators=(BEN,), question_days=11), BEN, clock.now())
    home = await slack.open_home(ANN)
    declaring = (await slack.press(ANN, home, "declare_role")).view
    assert declaring is not None
    setting = await opens(slack, OTHER, "settings")
    before = await bot.workspaces.settings(TEAM)
    swap(declaring, setting, swapped)
    with within(slack, OTHER):
        await slack.submit(ANN, setting, {"question_days": "22", "curators": [CAI]})
    await slack.submit(ANN, declaring, {"roles_lead": ["data-engineer"]})
    await settled(bot)
    assert await bot.workspaces.settings(TEAM) == before
    after = await bot.workspaces.settings(OTHER)
    assert (after.question_days, after.curators) == (22, (CAI,))
    assert [row["user_id"] for row in (await of(bot, TEAM))["declarations"]] == [ANN]
    assert "declarations" not in await of(bot, OTHER)
    assert {row["workspace"] for row in await rows(bot, "audit", "about = ''")} == {TEAM, OTHER}


@ON_BOTH
@pytest.mark.parametrize("theirs", ["team-1", "team-2"])
async def test_a_form_about_an_entry_here_changes_none_there(
    slack: LocalSlack, bot: Bot, clock: Clock, theirs: str
) -> None:
    """Whoever is asked here whether it is still right has no say there, though an entry has the same id."""
    begun = clock.at - VERIFY_AFTER
    for workspace, entry_id, who in ((TEAM, "team-1", ANN), (OTHER, theirs, CAI)):
        entry = TeamEntry(entry_id, "Rollback", (), "How do we roll back?", "With the alias.", written_by=who)
        await bot.team.save(workspace, [published(entry, begun)])
        with within(slack, workspace):
            await bot.verifier.run()
            await settled(bot)
    question = told(slack, ANN)[-1]
    assert len(told(slack, CAI)) == 1
    form = (await slack.press(ANN, question, "verify:change")).view
    assert form is not None
    before = [(await of(bot, workspace))["team_entries"] for workspace in (TEAM, OTHER)]
    with within(slack, OTHER):
        done = await slack.submit(ANN, form, {"answer": "With a zebra."})
    assert done.view is not None and NOT_YOURS in words(done.view)
    assert [(await of(bot, workspace))["team_entries"] for workspace in (TEAM, OTHER)] == before
