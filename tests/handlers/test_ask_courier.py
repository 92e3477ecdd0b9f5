"""Messages about questions when Slack is slow or refuses, and when something happens while they are written."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

import handlers.courier as courier
from bot.app import Bot
from bot.local import LocalSlack
from tests.conftest import CAI, DEE, TEAM, Clock, declares
from tests.handlers.test_asks import AT_WORK, LEARNING, MLOPS, carried, put, told


@pytest.fixture(autouse=True)
def at_work(clock: Clock) -> None:
    clock.at = AT_WORK


async def test_a_slow_slack_makes_nothing_come_twice(
    slack: LocalSlack, bot: Bot, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    await declares(bot, slack, DEE, MLOPS)
    await declares(bot, slack, CAI, LEARNING)
    clock.at = datetime(2026, 3, 2, 4, 0, tzinfo=UTC)
    for whom in (DEE, CAI):
        await put(slack, bot, clock, whom=whom)
    post, slow = courier._post, list[int]()

    async def slowly(*said: object) -> tuple[str, str]:
        posted = await post(*said)  # type: ignore[arg-type]
        if slow:
            clock.move(seconds=slow.pop())
            # Meanwhile another process looks what is due.
            await bot.courier.deliver(TEAM)
        return posted

    clock.at = AT_WORK
    slow[:] = [61]
    monkeypatch.setattr(courier, "_post", slowly)
    await carried(bot, clock)
    assert (len(told(slack, DEE)), len(told(slack, CAI))) == (1, 1)
