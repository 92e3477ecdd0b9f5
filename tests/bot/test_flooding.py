"""Nobody is kept waiting by what one person sends: searches, commands, presses and shortcuts are limited."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Sequence
from urllib.parse import urlencode

import pytest

from bot.app import Bot
from bot.local import GENERAL, LocalSlack
from handlers import ids
from handlers.pace import AT_ONCE, MOST_PRESSES, MOST_SEARCHES, TOO_MUCH_AT_ONCE
from tests.bot.test_hardening import FORM
from tests.conftest import ANN, BEN, LATE_SECONDS, TEAM, Clock, declares, settled
from tests.routing import named

# Searches in menus


async def search(slack: LocalSlack, user: str, action_id: str, typed: str) -> list[object]:
    payload = {
        "type": "block_suggestion",
        "user": {"id": user, "team_id": TEAM},
        "team": {"id": TEAM},
        "action_id": action_id,
        "block_id": "b",
        "value": typed,
    }
    body = urlencode({"payload": json.dumps(payload)}).encode()
    status, said = await slack.post_raw(body, FORM, signed=True)
    assert status == 200
    return list(json.loads(said)["options"])


def menus() -> list[str]:
    """Return an id for each listener that fills a menu."""
    return [re.sub(r"[\^$()]|\|.*", "", what.pattern) if isinstance(what, re.Pattern) else what
            for what in named("options")]  # fmt: skip


@pytest.mark.parametrize("action_id", menus())
async def test_searches_of_one_person_are_limited_and_others_find_what_they_look_for(
    slack: LocalSlack, bot: Bot, clock: Clock, action_id: str
) -> None:
    await declares(bot, slack, BEN, {}, ("MLOps",))
    slack_calls = len(slack.calls)
    found = [await search(slack, ANN, action_id, "mlops") for _ in range(500)]
    assert [bool(options) for options in found[:MOST_SEARCHES]] == [bool(found[0])] * MOST_SEARCHES
    assert found[MOST_SEARCHES:] == [[]] * (500 - MOST_SEARCHES)
    assert len(slack.calls) - slack_calls <= 1
    # How it is spelled depends on who asks.
    assert bool(await search(slack, BEN, action_id, "mlops")) == bool(found[0])
    clock.move(seconds=AT_ONCE)
    assert await search(slack, ANN, action_id, "mlops") == found[0]


async def test_what_is_limited_would_have_found_something(slack: LocalSlack, bot: Bot) -> None:
    assert await search(slack, ANN, "roles_lead", "mlops")
    assert await search(slack, ANN, "topics_found", "mlops")


async def test_searches_of_one_person_take_turns_and_nobody_else_waits_for_them(
    slack: LocalSlack, bot: Bot, monkeypatch: pytest.MonkeyPatch
) -> None:
    inside: list[str] = []
    most = 0
    entered, opened = asyncio.Event(), asyncio.Event()
    read = bot.people.topics_from

    async def topics_from(workspace: str, start: str) -> Sequence[str]:
        nonlocal most
        if start == "slow":
            inside.append(start)
            most = max(most, len(inside))
            entered.set()
            await opened.wait()
            inside.remove(start)
        return await read(workspace, start)

    monkeypatch.setattr(bot.people, "topics_from", topics_from)
    slow = [asyncio.create_task(search(slack, ANN, "topics_found", "slow")) for _ in range(5)]
    await entered.wait()
    assert await search(slack, BEN, "topics_found", "mlops")
    assert not any(task.done() for task in slow)
    opened.set()
    assert all(await asyncio.gather(*slow))
    assert most == 1


async def test_a_search_that_is_late_ends_and_the_next_is_answered(
    slack: LocalSlack, bot: Bot, monkeypatch: pytest.MonkeyPatch
) -> None:
    never: asyncio.Future[Sequence[str]] = asyncio.get_running_loop().create_future()
    read = bot.people.topics_from

    async def topics_from(workspace: str, start: str) -> Sequence[str]:
        return await (never if start == "slow" else read(workspace, start))

    monkeypatch.setattr(bot.people, "topics_from", topics_from)
    with monkeypatch.context() as patch:
        patch.setattr("bot.intake.PATIENCE", LATE_SECONDS)
        assert await search(slack, ANN, "topics_found", "slow") == []
    assert await search(slack, ANN, "topics_found", "mlops")


async def test_a_search_that_is_late_before_its_turn_never_begins(
    slack: LocalSlack, bot: Bot, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun: list[str] = []
    entered, opened = asyncio.Event(), asyncio.Event()

    async def topics_from(_workspace: str, start: str) -> Sequence[str]:
        begun.append(start)
        entered.set()
        await opened.wait()
        return ()

    monkeypatch.setattr(bot.people, "topics_from", topics_from)
    first = asyncio.create_task(search(slack, ANN, "topics_found", "slow"))
    await entered.wait()
    monkeypatch.setattr("bot.intake.PATIENCE", 0)
    assert await search(slack, ANN, "topics_found", "slower") == []
    opened.set()
    assert await first
    await settled(bot)
    assert begun == ["slow"]


# Commands, presses and shortcuts


async def test_commands_of_one_person_are_limited_and_others_are_answered(
    slack: LocalSlack, bot: Bot, clock: Clock
) -> None:
    said = [(await slack.command(ANN, "/genai-role mlops")).text for _ in range(MOST_PRESSES + 5)]
    assert said == [said[0]] * MOST_PRESSES + [TOO_MUCH_AT_ONCE] * 5
    assert [m.ephemeral_to for m in slack.workspace.messages if m.text == TOO_MUCH_AT_ONCE] == [ANN] * 5
    assert (await slack.command(BEN, "/genai-role mlops")).text == said[0] != TOO_MUCH_AT_ONCE
    # What was refused does not count.
    clock.move(seconds=AT_ONCE)
    assert (await slack.command(ANN, "/genai-role mlops")).text == said[0]


async def test_presses_and_shortcuts_are_limited_and_a_form_that_is_open_is_taken(
    slack: LocalSlack, bot: Bot, clock: Clock
) -> None:
    card = await slack.command(ANN, "/genai-role mlops")
    asked = await slack.say(BEN, "who does mlops", GENERAL)
    opened = [(await slack.press(ANN, card, ids.DECLARE)).view for _ in range(MOST_PRESSES - 1)]
    assert None not in opened
    slack_calls = len(slack.calls)
    for refused in (
        await slack.press(ANN, card, ids.COMPARE),
        await slack.shortcut(ANN, ids.SHORTCUT_DECLARE),
        await slack.message_shortcut(ANN, ids.SHORTCUT_FIND, asked),
    ):
        assert (refused.status, refused.error, refused.message) == (200, None, None)
    assert len(slack.calls) == slack_calls
    saved = await slack.submit(ANN, opened[-1], {"roles_lead": ["data-engineer"]})
    assert (saved.errors, saved.error) == ({}, None)
    assert (await bot.people.declaration(TEAM, ANN)).roles
    assert (await slack.shortcut(BEN, ids.SHORTCUT_DECLARE)).view
    clock.move(seconds=AT_ONCE)
    assert (await slack.shortcut(ANN, ids.SHORTCUT_DECLARE)).view


@pytest.mark.parametrize("back", [{"seconds": -20}, {"hours": -1}])
async def test_a_clock_that_is_set_back_locks_nobody_out(
    slack: LocalSlack, bot: Bot, clock: Clock, back: dict[str, float]
) -> None:
    for _ in range(MOST_PRESSES):
        await slack.command(ANN, "/genai-role mlops")
    assert (await slack.command(ANN, "/genai-role mlops")).text == TOO_MUCH_AT_ONCE
    clock.move(**back)
    assert (await slack.command(ANN, "/genai-role mlops")).text == TOO_MUCH_AT_ONCE
    clock.move(seconds=AT_ONCE)
    assert (await slack.command(ANN, "/genai-role mlops")).text != TOO_MUCH_AT_ONCE
