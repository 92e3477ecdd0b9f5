"""Work that goes on after an answer: held, logged when it fails, finished before the process ends."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Coroutine
from typing import Any

logger = logging.getLogger(__name__)


class Tasks:
    """Hold running tasks; a bare asyncio task may be collected before it has run, and fails unseen."""

    def __init__(self) -> None:
        self._running: set[asyncio.Task[None]] = set()
        self._needless: set[asyncio.Task[None]] = set()

    def start(self, work: Coroutine[Any, Any, None], *, needless_at_end: bool = False) -> None:
        """Run the work, supervised; nobody misses what is needless at the end when the process ends."""
        task = asyncio.get_running_loop().create_task(work)
        self._running.add(task)
        if needless_at_end:
            self._needless.add(task)
        task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._running.discard(task)
        self._needless.discard(task)
        if not task.cancelled() and (error := task.exception()):
            logger.error("work after an answer failed", exc_info=error)

    def drop_needless(self) -> None:
        """Cancel what is needless at the end."""
        for task in self._needless:
            task.cancel()

    async def finish(self, seconds: float) -> None:
        """Wait for what runs, at most that long, then cancel the rest; what is cancelled may say a last word."""
        if self._running:
            _, late = await asyncio.wait(self._running, timeout=seconds)
            for task in late:
                task.cancel()
            if late:
                await asyncio.gather(*late, return_exceptions=True)
