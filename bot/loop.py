"""What servers run on: uvloop where it is there, and a memory that is not looked through again and again.

With uvloop a mention over PostgreSQL at 300 events a second waited 25 ms in the middle instead of 171 (`make bench`).
"""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from typing import Any


def run(main: Coroutine[Any, Any, None]) -> None:
    """Run until done, as asyncio.run does."""
    try:
        import uvloop
    except ImportError:  # Windows, and Pythons that it does not know
        asyncio.run(main)
    else:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(main)


@contextmanager
def made_to_stay() -> Iterator[None]:
    """Spare what is made meanwhile the search for garbage, now and ever after: modules and the index stay to the end.

    While they are made, each search finds more to look through and nothing to free.
    """
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.enable()
