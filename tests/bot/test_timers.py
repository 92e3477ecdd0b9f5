"""Jobs by the clock: started with the worker, stopped with the bot, and none where there is no worker."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from bot.app import Bot
from bot.timers import Timers
from bot.worker import every
from handlers.freshness import RUN_SECONDS
from handlers.looking_up import RUN_SECONDS as LOOK_UP_SECONDS
from tests.conftest import BUSY_SECONDS, Clock


async def test_jobs_run_regularly_until_stopped() -> None:
    ran: list[str] = []
    begun: list[float] = []
    both = asyncio.Event()

    async def twice(seconds: float, do: Callable[[], Awaitable[None]]) -> None:
        begun.append(seconds)
        await do()
        await do()
        if len(begun) == 2:
            both.set()
        await asyncio.Event().wait()

    async def job() -> None:
        ran.append("job")

    timers = Timers([(60.0, job), (5.0, job)], twice, Clock().now)
    await timers.stop()
    timers.start()
    await both.wait()
    await timers.stop()
    assert ran == ["job"] * 4
    assert begun == [60.0, 5.0]
    assert timers._tasks == []


async def test_a_job_that_fails_is_run_again(caplog: pytest.LogCaptureFixture) -> None:
    runs = 0
    again = asyncio.Event()

    async def job() -> None:
        nonlocal runs
        runs += 1
        if runs == 1:
            raise ValueError("broken")
        again.set()

    running = asyncio.create_task(every(0.0, job))
    await asyncio.wait_for(again.wait(), BUSY_SECONDS)
    running.cancel()
    await asyncio.wait({running})
    assert "a regular job failed; it is tried again" in caplog.text


async def test_a_bot_with_a_worker_asks_and_looks_up_every_minute(bot: Bot) -> None:
    assert (LOOK_UP_SECONDS, bot.patrol.run) in bot.timers._jobs
    assert (RUN_SECONDS, bot.rounds.run) in bot.timers._jobs
    assert len(bot.timers._tasks) == len(bot.timers._jobs)
