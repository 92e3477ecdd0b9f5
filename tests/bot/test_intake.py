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
from tests.conftest import ANN, LATE_SECONDS, TEAM, Clock, rows, settled

pytestmark = pytest.mark.usefixtures("faults")


@pytest.fixture
def late(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever is written down takes too long."""
    monkeypatch.setattr("bot.intake.WRITING_SECONDS", LATE_SECONDS)


async def test_a_database_that_hangs_does_not_leave_slack_without_an_answer(
    bot: Bot, clock: Clock, caplog: pytest.LogCaptureFixture, late: None
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
    """Hang until it is cancelled, and write down all the same, however long that takes."""

    async def add(self, event: Event, now: datetime, *, free: bool = False, unasked: bool = False) -> bool:
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.Event().wait()
        return await super().add(event, now, free=free, unasked=unasked)


async def test_an_event_that_is_written_down_too_late_is_taken_over(bot: Bot, clock: Clock, late: None) -> None:
    inbox = LateInbox(bot.engine, "late")
    intake = Intake(
        *(bot.intake._bolt, inbox, bot.worker, bot.tasks),
        *(bot.clients[0], bot.authorize.client_of, clock.now, bot.metrics),
        people=bot.people,
    )
    event = {"type": "app_mention", "user": ANN, "channel": GENERAL, "ts": "1700000000.000100", "text": "mlops"}
    envelope = {"type": "event_callback", "team_id": TEAM, "event_id": "Ev0LATE", "event": event}
    assert (await intake.take(envelope)).status == 503
    await settled(bot)
    clock.move(seconds=20)
    await inbox.renew(clock.now())
    clock.move(seconds=11)
    await bot.worker.poll()
    await settled(bot)
    assert [row["state"] for row in await rows(bot, "inbox")] == ["done"]
