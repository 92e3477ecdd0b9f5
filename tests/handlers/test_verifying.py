"""What a team knows stays right: its author is asked after half a year, reminded once, then the curators decide."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from bot.app import Bot
from bot.local import LocalSlack, Message
from handlers.verifying import NOT_YOURS
from knowledge.team import VERIFY_AFTER, TeamEntry, published
from knowledge.verifying import WAIT
from knowledge.workspaces import BY_ITSELF, Settings
from tests.conftest import ANN, BEN, CAI, DEE, TEAM, Clock, settled, words
from tests.databases import BOTH
from tests.handlers.test_asks import told

BEGIN = datetime(2026, 3, 2, 14, 30, tzinfo=UTC)
"""A Monday at work; 180 days later it is a Saturday."""
ENTRY = TeamEntry(
    *("team-1", "Rollback", (), "How do we roll back a model?", "With the alias."),
    roles=("mlops-engineer",),
    source="kept",
    written_by=DEE,
    shown_author="Dee Dorsey",
)
AT_WORK = BEGIN + VERIFY_AFTER + timedelta(days=2)


@pytest.fixture(params=BOTH)
def database(database: str) -> str:
    """Every test here runs on each."""
    return database


@pytest.fixture(autouse=True)
def begin(clock: Clock) -> None:
    clock.at = BEGIN


async def entry(bot: Bot, entry_id: str = "team-1") -> TeamEntry:
    found = (await bot.team.known(TEAM, now=True)).entry(entry_id)
    assert found is not None
    return found


async def due(bot: Bot, clock: Clock, one: TeamEntry = ENTRY) -> None:
    await bot.team.save(TEAM, [published(one, clock.at)])
    clock.at = AT_WORK


async def runs(bot: Bot, clock: Clock) -> None:
    """Let two processes look what is due, twice."""
    for _ in range(2):
        await asyncio.gather(bot.verifier.run(), bot.verifier.run())
        clock.move(minutes=1)
    await settled(bot)


async def asked(slack: LocalSlack, bot: Bot, clock: Clock) -> Message:
    await due(bot, clock)
    await runs(bot, clock)
    [question] = told(slack, DEE)
    return question


async def test_the_author_is_asked_once_in_working_hours_and_not_before(
    slack: LocalSlack, bot: Bot, clock: Clock
) -> None:
    await bot.team.save(TEAM, [published(ENTRY, clock.at)])
    clock.at = BEGIN + VERIFY_AFTER - timedelta(days=1)
    await runs(bot, clock)
    assert told(slack, DEE) == []
    clock.at = BEGIN + VERIFY_AFTER
    assert clock.at.weekday() == 5
    await runs(bot, clock)
    assert told(slack, DEE) == []
    clock.at = AT_WORK
    await runs(bot, clock)
    [question] = told(slack, DEE)
    assert "Is this still right?" in question.text and "With the alias." in question.text
    assert told(slack, BEN) == told(slack, ANN) == []


@pytest.mark.usefixtures("faults")
@pytest.mark.parametrize(("fails", "times"), [({"lost": True}, 1), ({"error": "internal_error"}, 0)])
async def test_an_author_is_not_asked_again_where_slack_may_have_taken_it(
    slack: LocalSlack, bot: Bot, clock: Clock, fails: dict[str, Any], times: int
) -> None:
    await due(bot, clock)
    slack.fail("chat.postMessage", **fails, times=100)
    for _ in range(96):
        clock.move(minutes=15)
        await bot.verifier.run()
    assert len(told(slack, DEE)) == times
    assert len(slack.called("chat.postMessage")) == 1


@pytest.mark.usefixtures("faults")
async def test_an_author_is_asked_again_where_slack_surely_did_not_take_it(
    slack: LocalSlack, bot: Bot, clock: Clock
) -> None:
    await due(bot, clock)
    slack.fail("chat.postMessage", error="service_unavailable")
    await bot.verifier.run()
    clock.move(minutes=15)
    await bot.verifier.run()
    assert len(told(slack, DEE)) == 1


async def test_still_right_with_one_click(slack: LocalSlack, bot: Bot, clock: Clock) -> None:
    question = await asked(slack, bot, clock)
    await slack.press(DEE, question, "verify:right")
    assert "verified today" in question.text
    found = await entry(bot)
    assert (found.verified_at, found.verify_by) == (clock.at, clock.at + VERIFY_AFTER)
    clock.move(days=30)
    await runs(bot, clock)
    assert len(told(slack, DEE)) == 1
    clock.at = found.verify_by + timedelta(days=2) if found.verify_by else clock.at
    await runs(bot, clock)
    assert len(told(slack, DEE)) == 2, "after the next half year"


async def test_changed_by_its_author(slack: LocalSlack, bot: Bot, clock: Clock) -> None:
    question = await asked(slack, bot, clock)
    opened = await slack.press(DEE, question, "verify:change")
    assert opened.view is not None
    done = await slack.submit(DEE, opened.view, {"answer": "With the new alias."})
    assert done.view is not None and "verified today" in words(done.view)
    found = await entry(bot)
    assert (found.answer, found.verified_at, found.shown_author) == ("With the new alias.", clock.at, "Dee Dorsey")


async def test_the_author_is_told_that_a_curator_changed_the_answer(slack: LocalSlack, bot: Bot, clock: Clock) -> None:
    question = await asked(slack, bot, clock)
    opened = await slack.press(DEE, question, "verify:change")
    assert opened.view is not None
    await bot.team.save(TEAM, [published(replace(await entry(bot), answer="With <its> name."), clock.now())])
    again = (await slack.submit(DEE, opened.view, {"answer": "With the new alias."})).view
    assert again is not None
    assert "Somebody changed the answer" in words(again) and "With &lt;its&gt; name." in words(again)
    assert "With the new alias." in str(again.blocks)
    assert (await entry(bot)).answer == "With <its> name."
    done = await slack.submit(DEE, again)
    assert done.view is not None and "verified today" in words(done.view)
    assert (await entry(bot)).answer == "With the new alias."


async def test_retired_by_its_author_and_brought_back_by_a_curator(slack: LocalSlack, bot: Bot, clock: Clock) -> None:
    await bot.workspaces.save(TEAM, Settings(curators=(BEN,)), ANN, clock.now())
    question = await asked(slack, bot, clock)
    await slack.press(DEE, question, "verify:retire")
    assert (await entry(bot)).state == "retired"
    clock.move(seconds=5)
    assert "From your team" not in (await slack.command(CAI, "/genai-role rollback")).text
    shown = await slack.open_home(BEN)
    await slack.press(BEN, shown, "home_section:team")
    opened = await slack.press(BEN, slack.workspace.homes[BEN], "team_edit:o0")
    assert opened.view is not None
    await slack.submit(BEN, opened.view, {})
    await settled(bot)
    assert (await entry(bot)).state == "published"


async def test_without_an_answer_reminded_once_then_the_curators_then_retired(
    slack: LocalSlack, bot: Bot, clock: Clock
) -> None:
    await bot.workspaces.save(TEAM, Settings(curators=(BEN,)), ANN, clock.now())
    await asked(slack, bot, clock)
    clock.at = AT_WORK + WAIT + timedelta(minutes=5)
    await runs(bot, clock)
    assert [("A reminder" in one.text) for one in told(slack, DEE)] == [False, True]
    clock.at = AT_WORK + 2 * WAIT + timedelta(minutes=10)
    await runs(bot, clock)
    assert (await entry(bot)).state == "published"
    assert len(told(slack, DEE)) == 2
    shown = await slack.open_home(BEN)
    await slack.press(BEN, shown, "home_section:team")
    assert "Due to be verified again" in words(slack.workspace.homes[BEN])
    clock.at = AT_WORK + 3 * WAIT + timedelta(minutes=15)
    await runs(bot, clock)
    assert (await entry(bot)).state == "retired"
    assert len(told(slack, DEE)) == 2
    await slack.press(BEN, shown, "home_section:team")
    assert "Retired, as nobody verified them again" in words(slack.workspace.homes[BEN])
    log = [(one.what, one.who) for one in await bot.workspaces.recorded(TEAM, 9) if one.what.startswith("entry")]
    assert log == [("entry retired", BY_ITSELF)]
    # The old question says so.
    pressed = await slack.press(DEE, told(slack, DEE)[0], "verify:right")
    assert pressed.message is not None and "settled by now" in pressed.message.text
    assert (await entry(bot)).state == "retired"


@pytest.mark.parametrize("why", ["left", "nobody known", "starts no messages"])
async def test_where_the_author_cannot_be_asked_it_is_left_to_the_curators(
    slack: LocalSlack, bot: Bot, clock: Clock, why: str
) -> None:
    one = ENTRY
    if why == "left":
        await slack.change_member(DEE, deleted=True)
    elif why == "nobody known":
        one = TeamEntry("team-1", "Rollback", (), ENTRY.question, ENTRY.answer, source="imported")
    else:
        await bot.workspaces.save(TEAM, Settings(starts_messages=False), ANN, clock.now())
    await due(bot, clock, one)
    await runs(bot, clock)
    assert told(slack, DEE) == []
    assert (await entry(bot)).state == "published"
    clock.move(days=15)
    await runs(bot, clock)
    assert (await entry(bot)).state == "retired"
    assert told(slack, DEE) == []


async def test_an_author_of_many_gets_one_message_a_day(slack: LocalSlack, bot: Bot, clock: Clock) -> None:
    many = [TeamEntry(f"team-{at}", f"Bird {at}", answer="x", written_by=DEE) for at in range(4)]
    await bot.team.save(TEAM, [published(one, clock.at) for one in many])
    clock.at = AT_WORK
    for day in range(4):
        await runs(bot, clock)
        assert len(told(slack, DEE)) == day + 1
        clock.move(days=1)


async def test_nobody_else_can_say_it(slack: LocalSlack, bot: Bot, clock: Clock) -> None:
    question = await asked(slack, bot, clock)
    for action in ("verify:right", "verify:retire"):
        pressed = await slack.press(CAI, question, action)
        assert pressed.message is not None and pressed.message.text == NOT_YOURS
    found = await entry(bot)
    assert (found.state, found.verified_at) == ("published", BEGIN)


async def test_what_a_curator_says_is_right_is_not_said_by_its_author(
    slack: LocalSlack, bot: Bot, clock: Clock
) -> None:
    await bot.workspaces.save(TEAM, Settings(curators=(BEN,)), ANN, clock.now())
    question = await asked(slack, bot, clock)
    await slack.press(BEN, question, "verify:right")
    served = await slack.command(CAI, "/genai-role how do we roll back a model?")
    assert "From your team, verified today by a curator." in served.text
    assert "Dee" not in served.text and "Ben" not in served.text


async def test_what_a_curator_verifies_on_the_home_tab_is_not_said_by_its_author(
    slack: LocalSlack, bot: Bot, clock: Clock
) -> None:
    await bot.workspaces.save(TEAM, Settings(curators=(BEN,)), ANN, clock.now())
    await due(bot, clock)
    shown = await slack.open_home(BEN)
    await slack.press(BEN, shown, "home_section:team")
    await settled(bot)
    opened = await slack.press(BEN, slack.workspace.homes[BEN], "team_edit:d0")
    assert opened.view is not None
    await slack.submit(BEN, opened.view, {})
    assert (await entry(bot)).by_curator
    clock.move(seconds=5)
    assert "verified today by a curator." in (await slack.command(CAI, "/genai-role rollback")).text


async def test_words_of_a_curator_stand_under_no_other_name(slack: LocalSlack, bot: Bot, clock: Clock) -> None:
    await bot.workspaces.save(TEAM, Settings(curators=(BEN,)), ANN, clock.now())
    question = await asked(slack, bot, clock)
    opened = await slack.press(BEN, question, "verify:change")
    assert opened.view is not None
    await slack.submit(BEN, opened.view, {"answer": "Other words."})
    found = await entry(bot)
    assert (found.answer, found.written_by, found.shown_author) == ("Other words.", "", "")


@pytest.mark.parametrize("became", [{"guest": True}, {"home": "T0OTHER0001"}, {"deleted": True}], ids=str)
@pytest.mark.parametrize("what", ["right", "retire", "change"])
async def test_whoever_was_asked_and_is_no_member_any_more_changes_nothing(
    slack: LocalSlack, bot: Bot, clock: Clock, became: dict[str, Any], what: str
) -> None:
    question = await asked(slack, bot, clock)
    opened = await slack.press(DEE, question, "verify:change") if what == "change" else None
    clock.move(hours=2)
    for name, value in became.items():
        setattr(slack.workspace.members[DEE], name, value)
    before = await entry(bot)
    if opened is not None:
        assert opened.view is not None
        done = await slack.submit(DEE, opened.view, {"answer": "Something else."})
        assert done.view is not None and NOT_YOURS in words(done.view)
    else:
        pressed = await slack.press(DEE, question, f"verify:{what}")
        assert pressed.message is not None and pressed.message.text == NOT_YOURS
    assert await entry(bot) == before
