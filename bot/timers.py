"""Jobs that run by the clock, beside the worker; each takes care itself that it happens once in all processes."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime

from bot.worker import Every
from storage.underway import underway_since

Job = tuple[float, Callable[[], Awaitable[None]]]
"""How often in seconds, and what."""


class Timers:
    """Run jobs regularly, until stopped."""

    def __init__(self, jobs: Sequence[Job], regularly: Every, now: Callable[[], datetime]) -> None:
        self._jobs = jobs
        self._regularly = regularly
        self._now = now
        self._tasks: list[asyncio.Task[None]] = []

    def start(self) -> None:
        """Start every job."""
        self._tasks = [asyncio.create_task(self._regularly(seconds, self._begun(job))) for seconds, job in self._jobs]

    def _begun(self, job: Callable[[], Awaitable[None]]) -> Callable[[], Awaitable[None]]:
        """Have a run write nothing about whom it read of before they were forgotten."""

        async def run() -> None:
            with underway_since(self._now()):
                await job()

        return run

    async def stop(self) -> None:
        """Break off what runs: a job goes on where it was in the next run, here or elsewhere."""
        for task in self._tasks:
            task.cancel()
        if self._tasks:
            await asyncio.wait(self._tasks)
        self._tasks = []
