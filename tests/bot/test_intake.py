"""A database that hangs: Slack gets its answer in time, and what is written down too late is worked on all the same."""

from __future__ import annotations

import asyncio
import contextlib
from datetime import datetime

import pytest

from bot.app import Bot
from bot.intake import Intake
from bot.local import GENERAL
from storage.inbox import Event, SqlInbox
from tests.conftest import ANN, TEAM, Clock, rows, settled

pytestmark = pytest.mark.usefixtures("faults")


async def test_a_database_that_hangs_does_not_leave_slack_without_an_answer(
    bot: Bot, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    intake = Intake(
        bot.intake._bolt,
        bot.inbox,
        bot.worker,
        bot.tasks,
        bot.clients[0],
        bot.authorize.client_of,
        clock.now,
        bot.metrics,
        people=bot.people,
        writing=0.01,
    )
    event = {"type": "app_mention", "user": ANN, "channel": GENERAL, "ts": "1700000000.000100", "text": "zebracorn"}
    envelope = {"type": "event_callback", "team_id": TEAM, "event_id": "Ev0HANGS", "event": event}
    async with bot.inbox._adding:
        assert (await intake.take(envelope)).status == 503
    assert "could not be written down" in caplog.text
    assert "zebracorn" not in caplog.text
    await settled(bot)
    assert await rows(bot, "inbox") == []


class LateInbox(SqlInbox):
    """Write down, then hang, whatever is cancelled."""

    async def add(self, event: Event, now: datetime, *, free: bool = False, unasked: bool = False) -> bool:
        added = await super().add(event, now, free=free, unasked=unasked)
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.Event().wait()
        return added


async def test_an_event_that_is_written_down_too_late_is_taken_over(bot: Bot, clock: Clock) -> None:
    late = LateInbox(bot.engine, "late")
    intake = Intake(
        *(bot.intake._bolt, late, bot.worker, bot.tasks),
        *(bot.clients[0], bot.authorize.client_of, clock.now, bot.metrics),
        people=bot.people,
        writing=0.5,
    )
    event = {"type": "app_mention", "user": ANN, "channel": GENERAL, "ts": "1700000000.000100", "text": "mlops"}
    envelope = {"type": "event_callback", "team_id": TEAM, "event_id": "Ev0LATE", "event": event}
    assert (await intake.take(envelope)).status == 503
    await settled(bot)
    clock.move(seconds=20)
    await late.renew(clock.now())
    clock.move(seconds=11)
    await bot.worker.poll()
    await settled(bot)
    assert [row["state"] for row in await rows(bot, "inbox")] == ["done"]
