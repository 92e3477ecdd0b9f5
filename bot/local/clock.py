"""A clock that tests move, and pauses that take no time."""

from __future__ import annotations

import asyncio
from datetime import timedelta


class ManualClock:
    """Stand still until a test moves it: `LocalSlack(clock=clock, sleep=clock.sleep)`.

    By it triggers and response urls end; `slept` is how long each repeat waited, and no pause lasts.
    """

    def __init__(self, now: float = 1_800_000_000.0) -> None:
        """Start at a time, in seconds since 1970."""
        self.now = now
        self.slept: list[float] = []

    def __call__(self) -> float:
        """Return the time."""
        return self.now

    def move(self, **by: float) -> None:
        """Move on: `move(minutes=30)`, as a timedelta takes it."""
        self.now += timedelta(**by).total_seconds()

    async def sleep(self, seconds: float) -> None:
        """Note the pause, and let everything else have its turn."""
        self.slept.append(seconds)
        await asyncio.sleep(0)
