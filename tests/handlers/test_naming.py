"""For whom colleagues are named: members of this workspace, where nobody from another company reads along."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import event

from bot.app import Bot
from bot.local import GENERAL, LocalSlack
from handlers.permissions import MOST_LOOK_UPS
from tests.conftest import ANN, BEN, BUSY_SECONDS, CAI, GUS, TEAM, Clock, declares, interact, rows, settled, words

NOBODY = "I name colleagues only to members of this workspace"
STRANGER = "U0STR000001"


async def ben_leads(slack: LocalSlack, bot: Bot) -> None:
    await declares(bot, slack, BEN, {"mlops-engineer": "lead"})


@pytest.mark.parametrize("asked", ["mlops", "what does an mlops engineer do?", "what does an mlops engineer deliver?"])
async def test_a_guest_reads_the_card_without_who_does_it(slack: LocalSlack, bot: Bot, asked: str) -> None:
    await ben_leads(slack, bot)
    shown = (await slack.command(GUS, f"/genai-role {asked}")).text
    assert "MLOps Engineer" in shown
    assert "Ben" not in shown
    assert "Who does it here" not in shown
    assert "Ben Book" in (await slack.command(ANN, f"/genai-role {asked}")).text


@pytest.mark.parametrize("via", ["command", "channel", "dm", "shortcut", "button"])
async def test_a_guest_who_searches_reads_a_sentence_and_nobodys_turn_is_used_up(
    slack: LocalSlack, bot: Bot, via: str
) -> None:
    await ben_leads(slack, bot)
    match via:
        case "command":
            shown = words((await slack.command(GUS, "/genai-role who mlops")).message)  # type: ignore[arg-type]
        case "channel":
            shown = words(await slack.wait_for_reply(await slack.say(GUS, "<@BOT> who covers mlops?", GENERAL)))
        case "dm":
            shown = words(await slack.wait_for_reply(await slack.say(GUS, "who covers mlops?")))
        case "shortcut":
            posted = await slack.say(CAI, "our mlops pipeline", GENERAL)
            shown = words((await slack.message_shortcut(GUS, "find_who_can_help", posted)).view)  # type: ignore[arg-type]
        case _:
            card = await slack.command(GUS, "/genai-role mlops")
            shown = words((await slack.press(GUS, card, "ask_someone")).message)  # type: ignore[arg-type]
    await settled(bot)
    assert NOBODY in shown
    assert "Ben" not in shown
    [terms] = await rows(bot, "terms", "user_id = :user", user=BEN)
    assert terms["suggested"] == 0


async def test_nobody_is_named_in_a_channel_shared_with_another_company(slack: LocalSlack, bot: Bot) -> None:
    await ben_leads(slack, bot)
    slack.workspace.channels[slack.channel("general")].ext_shared = True
    found = await slack.wait_for_reply(await slack.say(ANN, "<@BOT> who covers mlops?", GENERAL))
    assert NOBODY in words(found)
    card = await slack.wait_for_reply(await slack.say(ANN, "<@BOT> what is mlops", GENERAL))
    assert "Who does it here" not in card.text + words(card)
    # The same person, alone with the bot.
    alone = await slack.wait_for_reply(await slack.say(ANN, "who covers mlops?"))
    assert "Ben Book" in words(alone)
    await settled(bot)


@pytest.mark.parametrize("home", ["user_team", "source_team", "team"])
async def test_nobody_is_named_to_somebody_of_another_workspace(slack: LocalSlack, bot: Bot, home: str) -> None:
    await ben_leads(slack, bot)
    event = {"type": "app_mention", "channel": slack.channel("general"), "ts": "1772443800.000900", "user": ANN}
    await slack.send_event({**event, "text": f"<@{slack.bot_user}> who covers mlops?", home: "T0OTHER0001"})
    await settled(bot)
    [call] = slack.called("chat.postMessage")
    assert NOBODY in call.arguments["text"]


async def test_a_press_by_somebody_of_another_workspace_names_nobody(slack: LocalSlack, bot: Bot) -> None:
    await ben_leads(slack, bot)
    press: dict[str, Any] = {
        "type": "block_actions",
        "user": {"id": ANN, "name": "ann", "team_id": "T0OTHER0001"},
        "team": {"id": TEAM},
        "actions": [{"type": "button", "action_id": "ask_someone", "block_id": "b", "value": "mlops-engineer"}],
        "trigger_id": "1.1",
    }
    assert await interact(slack, press) == 200
    [call] = slack.called("chat.postMessage")
    assert NOBODY in call.arguments["text"]


async def test_a_stranger_is_no_member(slack: LocalSlack, bot: Bot) -> None:
    slack.workspace.add_members([replace(slack.workspace.members[ANN], id=STRANGER, stranger=True)])
    await ben_leads(slack, bot)
    assert NOBODY in (await slack.command(STRANGER, "/genai-role who mlops")).text


async def test_who_asks_is_looked_up_once_an_hour(slack: LocalSlack, bot: Bot, clock: Clock) -> None:
    await ben_leads(slack, bot)
    for _ in range(3):
        assert "Ben Book" in (await slack.command(ANN, "/genai-role mlops")).text
        assert "Ben" not in (await slack.command(GUS, "/genai-role mlops")).text
    assert len(slack.called("users.info")) == 2
    slack.workspace.members[ANN].guest = True
    clock.move(minutes=61)
    assert "Ben" not in (await slack.command(ANN, "/genai-role mlops")).text
    assert len(slack.called("users.info")) == 3


@pytest.mark.parametrize("look_ups", [MOST_LOOK_UPS, 0])
async def test_a_card_asked_for_again_reads_nothing(
    slack: LocalSlack,
    bot: Bot,
    clock: Clock,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    look_ups: int,
) -> None:
    monkeypatch.setattr("handlers.permissions.MOST_LOOK_UPS", look_ups)
    # However busy the machine is.
    for kept in ("storage.people.HOLDERS_SECONDS", "storage.team_entries.CHECK_SECONDS"):
        monkeypatch.setattr(kept, BUSY_SECONDS)
    await ben_leads(slack, bot)
    statements = list[str]()
    event.listen(bot.engine.sync_engine, "before_cursor_execute", lambda *given: statements.append(given[2]))

    async def reads() -> int:
        before = len(statements)
        shown = await slack.command(CAI, "/genai-role mlops")
        assert ("Ben Book" in shown.text) is bool(look_ups)
        return len(statements) - before

    assert await reads()
    assert [await reads() for _ in range(3)] == [0, 0, 0]
    clock.move(seconds=5)
    # The settings, and of whom Slack says nothing, whether they were a member.
    assert any("FROM members" in one for one in statements[-await reads() :]) is not bool(look_ups)
    refused = [line for line in caplog.messages if "who asks is not looked up" in line]
    assert len(refused) == (0 if look_ups else 1), "said once in a minute, not at each command"
    clock.move(minutes=1)
    await reads()
    assert caplog.text.count("who asks is not looked up") == 2 * len(refused)


async def test_an_answer_that_would_name_nobody_asks_slack_nothing(slack: LocalSlack, bot: Bot) -> None:
    for asked in ("mlops", "compare mlops and data engineer", "help", "docker"):
        await slack.command(ANN, f"/genai-role {asked}")
    assert slack.called("users.info") == []


async def test_while_slack_does_not_say_what_was_known_before_counts(slack: LocalSlack, bot: Bot, clock: Clock) -> None:
    await ben_leads(slack, bot)
    assert "Ben Book" in (await slack.command(ANN, "/genai-role mlops")).text
    clock.move(hours=2)
    slack.fail("users.info", error="ratelimited", times=100)
    assert "Ben Book" in (await slack.command(ANN, "/genai-role mlops")).text
    # Never seen before: a card without names.
    assert "Ben" not in (await slack.command(CAI, "/genai-role mlops")).text


async def test_look_ups_have_a_budget(slack: LocalSlack, bot: Bot, clock: Clock) -> None:
    await ben_leads(slack, bot)
    users = [f"U0M{number:08}" for number in range(MOST_LOOK_UPS + 1)]
    slack.workspace.add_members(replace(slack.workspace.members[CAI], id=user) for user in users)
    named = ["Ben Book" in (await slack.command(user, "/genai-role mlops")).text for user in users]
    assert named == [True] * MOST_LOOK_UPS + [False]
    clock.move(minutes=1)
    assert "Ben Book" in (await slack.command(users[-1], "/genai-role mlops")).text
