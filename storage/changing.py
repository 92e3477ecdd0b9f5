"""What the parts of the people port share: the database, the lots, and word of every change."""

from __future__ import annotations

import random
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine


class Changing:
    """Read and write; ``rng`` draws the lots that decide between equals, ``now`` is the clock."""

    def __init__(self, engine: AsyncEngine, rng: random.Random, now: Callable[[], datetime]) -> None:
        self._engine = engine
        self._rng = rng
        self._now = now

    @asynccontextmanager
    async def _changing(self, workspace: str) -> AsyncIterator[AsyncConnection]:
        async with self._engine.begin() as connection:
            yield connection
        self._changed(workspace)

    def _changed(self, workspace: str) -> None:
        """Take note that something of the workspace was written."""
