"""Forget me, while something of the person is under way: whatever it is, it leaves no row about them."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Any

import pytest

from bot.app import Bot
from bot.local import GENERAL, LocalSlack
from bot.local.slack_api import Fault
from bot.worker import RETRY_SECONDS
from storage.inbox import LEASE
from storage.tables import metadata
from tests.conftest import ANN, BEN, BUSY_SECONDS, CAI, Clock, Start, declares, rows, settled
from tests.databases import BOTH, ON_POSTGRES
from tests.handlers.test_asks import form as question_form
from tests.handlers.test_declaring import form

FORGOTTEN = "You asked me to forget you while this was under way"


@pytest.fixture(params=BOTH)
def database(database: str) -> str:
    """Every test here runs on each."""
    return database


class Faults(deque[Fault]):
    """Tell when Slack was asked what it is to hold."""

    def __init__(self) -> None:
        super().__init__()
        self.met = asyncio.Event()

    def remove(self, fault: Fault) -> None:
        super().remove(fault)
        self.met.set()


@asynccontextmanager
async def held(slack: LocalSlack, clock: Clock) -> AsyncIterator[Callable[[], Awaitable[None]]]:
    """Hold the next answer of users.info until the end of the block; gives what waits until it was asked for."""
    slack.api.faults = faults = Faults()

    async def reached() -> None:
        await asyncio.wait_for(faults.met.wait(), BUSY_SECONDS)
        faults.met.clear()
        clock.move(seconds=1)

    slack.fail("users.info", hang=BUSY_SECONDS)
    yield reached
    slack.api.closing.set()
    clock.move(seconds=1)


async def about(bot: Bot, *said: str) -> dict[str, list[Mapping[str, Any]]]:
    """Return the rows that hold any of this, by table."""
    found = {
        name: [row for row in await rows(bot, name) if any(one in str(row) for one in said)] for name in metadata.tables
    }
    return {name: some for name, some in found.items() if some}


async def forgets(slack: LocalSlack, user: str = ANN) -> None:
    assert (await slack.command(user, "/genai-role forget me")).text.startswith("Done:")


@pytest.mark.parametrize("channel", [GENERAL, None])
async def test_a_question_that_is_being_answered(
    slack: LocalSlack, bot: Bot, clock: Clock, channel: str | None
) -> None:
    await declares(bot, slack, BEN, {"mlops-engineer": "lead"}, ("Airflow",))
    async with held(slack, clock) as reached:
        asked = "<@BOT> who knows airflow" if channel else "who knows airflow"
        await slack.say(ANN, asked, *([channel] if channel else []))
        await reached()
        await forgets(slack)
    await settled(bot)
    where = slack.messages(channel or slack.dm(ANN))
    assert any("Ben Book" in message.text for message in where if message.from_bot), "it is answered all the same"
    assert await about(bot, ANN, slack.dm(ANN)) == {}
    # What they ask from then on is a new conversation, and can be followed up.
    clock.move(seconds=1)
    await slack.say(ANN, "<@BOT> what is mlops", GENERAL)
    await settled(bot)
    assert [row["user_id"] for row in await rows(bot, "threads")] == [ANN]


async def test_a_question_that_waits_behind_another_one(slack: LocalSlack, bot: Bot, clock: Clock) -> None:
    await declares(bot, slack, BEN, {"mlops-engineer": "lead"}, ("Airflow",))
    async with held(slack, clock) as reached:
        await slack.say(ANN, "who knows airflow")
        await slack.say(ANN, "what is a data engineer")
        await reached()
        await forgets(slack)
    await settled(bot)
    assert await about(bot, ANN, slack.dm(ANN)) == {}


@pytest.mark.usefixtures("faults")
async def test_a_question_that_fails_is_no_dead_letter_and_not_counted_as_one(
    slack: LocalSlack, bot: Bot, clock: Clock
) -> None:
    await declares(bot, slack, BEN, {"mlops-engineer": "lead"}, ("Airflow",))
    async with held(slack, clock) as reached:
        slack.fail("chat.postMessage", error="fatal_error", times=1 + len(RETRY_SECONDS))
        await slack.say(ANN, "who knows airflow")
        await reached()
        await forgets(slack)
    await settled(bot)
    assert "this reference" in slack.messages(slack.dm(ANN))[-1].text
    assert await about(bot, ANN, slack.dm(ANN)) == {}
    count = bot.metrics.registry.get_sample_value
    outcomes = ("done", "retried", "dead", "forgotten")
    found = [count("genai_roles_events_total", {"outcome": outcome}) or 0 for outcome in outcomes]
    assert found == [0, len(RETRY_SECONDS), 0, 1]


async def test_the_message_that_asks_for_it(slack: LocalSlack, start: Start, clock: Clock) -> None:
    async with start() as bot:
        await bot.worker.stop(1)
        await slack.say(ANN, "what is mlops")
        clock.move(seconds=1)
        await slack.say(ANN, "forget me")
    clock.at += 2 * LEASE
    async with start() as bot:
        await settled(bot)
        assert slack.messages(slack.dm(ANN))[-1].text.startswith("Done:")
        assert await about(bot, ANN, slack.dm(ANN)) == {}


async def test_a_declaration_that_is_being_saved(slack: LocalSlack, bot: Bot, clock: Clock) -> None:
    view = await form(slack, bot)
    async with held(slack, clock) as reached:
        saving = asyncio.ensure_future(slack.submit(ANN, view, {"roles_lead": ["data-engineer"]}))
        await reached()
        await forgets(slack)
    refused = await saving
    await settled(bot)
    assert FORGOTTEN in str(refused.errors)
    assert await about(bot, ANN) == {}
    assert len(await rows(bot, "forgotten")) == 1
    # Once more, and it is what they want now.
    slack.api.closing.clear()
    assert (await slack.submit(ANN, view, {"roles_lead": ["data-engineer"]})).errors == {}
    assert [row["user_id"] for row in await rows(bot, "declarations")] == [ANN]
    assert await rows(bot, "forgotten") == []


async def test_a_press_that_declares(slack: LocalSlack, bot: Bot, clock: Clock) -> None:
    await slack.say(ANN, "I'm the MLOps lead and know MLflow")
    await settled(bot)
    offer = slack.messages(slack.dm(ANN))[-1]
    async with held(slack, clock) as reached:
        pressing = asyncio.ensure_future(slack.press(ANN, offer, "declare_this:0"))
        await reached()
        await forgets(slack)
    await pressing
    await settled(bot)
    assert await about(bot, ANN, slack.dm(ANN)) == {}
    assert any(FORGOTTEN in message.text for message in slack.messages(slack.dm(ANN), ANN))


async def test_what_slack_says_of_them_afterwards(slack: LocalSlack, bot: Bot, clock: Clock) -> None:
    await declares(bot, slack, ANN, {"mlops-engineer": "lead"})
    clock.move(hours=2)
    # That Ben is a member is known from here on; that Ann is there still has to be asked.
    await declares(bot, slack, CAI, {"prompt-engineer": "lead"})
    await slack.command(BEN, "/genai-role prompt engineer")
    async with held(slack, clock) as reached:
        asking = asyncio.ensure_future(slack.command(BEN, "/genai-role who mlops"))
        await reached()
        await forgets(slack)
    await asking
    await settled(bot)
    assert await about(bot, ANN) == {}


async def test_a_question_that_is_being_put(slack: LocalSlack, bot: Bot, clock: Clock) -> None:
    await declares(bot, slack, BEN, {"mlops-engineer": "lead"})
    view = await question_form(slack, bot)
    # So long is known that Ann is a member.
    clock.move(hours=2)
    async with held(slack, clock) as reached:
        putting = asyncio.ensure_future(slack.submit(ANN, view, {"question": "How?", "whom": "best", "how": []}))
        await reached()
        await forgets(slack)
    refused = await putting
    await settled(bot)
    assert FORGOTTEN in str(refused.errors)
    assert await rows(bot, "asks") == []
    assert await about(bot, ANN) == {}


@ON_POSTGRES
async def test_in_another_process(slack: LocalSlack, start: Start, clock: Clock) -> None:
    async with start() as one:
        first = slack.bot_url
        async with start() as other:
            second = slack.bot_url
            await declares(one, slack, BEN, {"mlops-engineer": "lead"}, ("Airflow",))
            view = await form(slack, other)
            async with held(slack, clock) as reached:
                slack.bot_url = first
                await slack.say(ANN, "who knows airflow")
                await reached()
                slack.fail("users.info", hang=BUSY_SECONDS)
                saving = asyncio.ensure_future(slack.submit(ANN, view, {"roles_lead": ["data-engineer"]}))
                await reached()
                slack.bot_url = second
                await forgets(slack)
            refused = await saving
            await settled(one)
            assert FORGOTTEN in str(refused.errors)
            assert await about(other, ANN, slack.dm(ANN)) == {}
