"""The whole bot on each database, and two of them over one PostgreSQL."""

from __future__ import annotations

import asyncio
import json

import pytest

from bot.app import Bot
from bot.intake import inbox_event
from bot.local import GENERAL, LocalSlack
from storage.inbox import LEASE
from tests.conftest import ANN, BEN, TABLES, TEAM, Clock, Start, declares, rows, settled, words
from tests.databases import BOTH, ON_POSTGRES

EVENT = {"type": "app_mention", "user": ANN, "channel": GENERAL, "ts": "1700000000.000100", "text": "<@BOT> mlops"}
ENVELOPE = {"type": "event_callback", "team_id": TEAM, "event_id": "Ev0SAME", "event": EVENT}


@pytest.fixture(params=BOTH)
def database(database: str) -> str:
    """Every test here runs on each."""
    return database


async def test_a_role_is_looked_up(slack: LocalSlack, bot: Bot) -> None:
    await declares(bot, slack, BEN, {"mlops-engineer": "lead"})
    reply = await slack.command(ANN, "/genai-role mlops")
    assert "MLOps Engineer" in reply.text
    assert "Ben Book" in reply.text


async def test_a_mention_and_its_follow_up_are_answered_in_the_thread(slack: LocalSlack, bot: Bot) -> None:
    posted = await slack.say(ANN, "<@BOT> what does a data engineer do?", GENERAL)
    await settled(bot)
    await slack.say(ANN, "<@BOT> and which skills?", GENERAL, posted.ts)
    await settled(bot)
    first, second = (message for message in slack.replies(posted) if message.from_bot)
    assert "*Responsibilities*" in words(first)
    assert "Data Engineer" in words(second)
    assert "*Skills*" in words(second)
    assert {(row["state"], row["body"]) for row in await rows(bot, "inbox")} == {("done", "")}


async def test_who_declares_is_suggested_and_forgotten_on_demand(slack: LocalSlack, bot: Bot) -> None:
    form = (await slack.command(BEN, "/genai-role me")).view
    await slack.submit(BEN, form, {"roles_lead": ["mlops-engineer"], "topics": "GDPR, Airflow"})
    await settled(bot)
    for asked in ("who mlops", "who airflow", "who covers GDPR"):
        assert "Ben Book" in (await slack.command(ANN, f"/genai-role {asked}")).text
    assert "Airflow" in (await slack.command(BEN, "/genai-role my data")).text
    await slack.command(BEN, "/genai-role forget me")
    await settled(bot)
    assert not [row for table in TABLES for row in await rows(bot, table) if BEN in str(row)]
    assert "Ben Book" not in (await slack.command(ANN, "/genai-role who mlops")).text


async def test_what_waits_is_answered_after_a_restart(slack: LocalSlack, start: Start, clock: Clock) -> None:
    async with start() as bot:
        await bot.worker.stop(0)
        posted = await slack.say(ANN, "<@BOT> what is mlops", GENERAL)
        [row] = await rows(bot, "inbox")
        assert row["state"] == "claimed"
        assert "mlops" not in row["body"], "what was said is kept encrypted"
    assert slack.replies(posted) == []
    # Nobody else may be at work on it until then.
    clock.move(seconds=LEASE.total_seconds() + 1)
    for _ in range(2):
        async with start() as bot:
            await settled(bot)
            assert len(slack.replies(posted)) == 1
            assert [row["state"] for row in await rows(bot, "inbox")] == ["done"]


# Two processes


async def send(slack: LocalSlack, address: str) -> int:
    slack.bot_url = address
    status, _ = await slack.post_raw(json.dumps(ENVELOPE).encode(), {"Content-Type": "application/json"}, signed=True)
    return status


@ON_POSTGRES
async def test_an_event_sent_fifty_times_to_two_bots_is_answered_once(slack: LocalSlack, start: Start) -> None:
    async with start() as one:
        first = slack.bot_url
        async with start() as two:
            second = slack.bot_url
            assert first != second
            statuses = await asyncio.gather(*(send(slack, (first, second)[at % 2]) for at in range(50)))
            assert statuses == [200] * 50
            await settled(one)
            await settled(two)
            assert len(slack.called("chat.postMessage")) == 1
            assert [row["state"] for row in await rows(one, "inbox")] == ["done"]


@ON_POSTGRES
async def test_what_a_killed_bot_had_taken_is_answered_by_the_other_after_the_lease(
    slack: LocalSlack, start: Start, clock: Clock
) -> None:
    async with start() as killed:
        for task in killed.worker._tasks:
            task.cancel()
        killed.worker._tasks = []  # it hands nothing back
        assert await send(slack, slack.bot_url) == 200
        async with start() as other:
            clock.move(seconds=LEASE.total_seconds())
            await other.worker.poll()
            await settled(other)
            assert slack.called("chat.postMessage") == [], "until its lease runs out it is the first one's"
            clock.move(seconds=1)
            await other.worker.poll()
            await settled(other)
            assert len(slack.called("chat.postMessage")) == 1
            [row] = await rows(other, "inbox")
            assert (row["state"], row["body"]) == ("done", "")


@ON_POSTGRES
async def test_a_bot_that_stood_still_leaves_to_the_other_what_it_took_over(
    slack: LocalSlack, start: Start, clock: Clock
) -> None:
    event = inbox_event(ENVELOPE)
    assert event is not None
    async with start() as slow, start() as other:
        assert await slow.inbox.add(event, clock.now())
        clock.move(seconds=LEASE.total_seconds() + 1)
        await other.worker.poll()
        await settled(other)
        # Now it comes to it.
        await slow.worker.sweep()
        slow.worker.take(event)
        await settled(slow)
        assert len(slack.called("chat.postMessage")) == 1
