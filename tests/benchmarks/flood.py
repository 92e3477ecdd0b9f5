"""Five hundred searches in menus a second from one person, and what others notice of it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path

from tests.benchmarks.served import bot_settings, serving
from tests.benchmarks.traffic import FORM, Connection, SlackStandIn, search

FLOODER = "U0FLOOD"
A_SECOND = 500
OTHERS = 25
"""Searches a second that others make, each of them one in four seconds."""
CONNECTIONS = 16
TYPED = ("mlops", "data", "prompt", "ethics", "kubernetes")


@dataclass
class Flood:
    """Hold the milliseconds of others, without the flood and beside it, and what became of the flood."""

    quiet: list[float] = field(default_factory=list)
    beside: list[float] = field(default_factory=list)
    sent: int = 0
    answered: int = 0
    seconds: float = 0.0


async def figures(folder: Path, seconds: float, turns: int) -> Flood:
    """Let others search for so long, now alone and now beside the flood, in turns: the machine slows both alike."""
    slack = SlackStandIn()
    await slack.start()
    found = Flood()
    settings = bot_settings(slack.url, folder / "flood.sqlite3")
    try:
        async with serving(["bot", "serve"], folder, settings) as server:
            await others(server.events, 2.0)
            for _ in range(turns):
                found.quiet += await others(server.events, seconds)
                flooding = asyncio.create_task(flood(server.events, seconds, found))
                found.beside += await others(server.events, seconds)
                await flooding
    finally:
        await slack.stop()
    return found


async def others(url: str, seconds: float) -> list[float]:
    """Search at an even pace, everybody with something to find."""
    taken: list[float] = []

    async def one(connection: Connection, number: int) -> None:
        started = time.perf_counter()
        status, answer = await connection.post(
            search(TYPED[number % len(TYPED)], f"U0ASK{number % (OTHERS * 4):03}"), FORM
        )
        taken.append((time.perf_counter() - started) * 1000)
        if status != 200 or b'"value"' not in answer:
            raise RuntimeError(f"answered {status}: {answer[:200]!r}")

    await paced(url, int(seconds * OTHERS), OTHERS, one)
    return taken


async def flood(url: str, seconds: float, found: Flood) -> None:
    """Search as fast as is said, all from one person; count what is answered with something."""
    body = search("mlops", FLOODER)

    async def one(connection: Connection, _: int) -> None:
        status, answer = await connection.post(body, FORM)
        if status != 200:
            raise RuntimeError(f"answered {status}: {answer[:200]!r}")
        found.sent += 1
        found.answered += b'"value"' in answer

    started = time.perf_counter()
    await paced(url, int(seconds * A_SECOND), A_SECOND, one)
    found.seconds += time.perf_counter() - started


async def paced(url: str, count: int, a_second: float, one: Callable[[Connection, int], Awaitable[None]]) -> None:
    """Do so many, at an even pace, over a few connections."""
    free: asyncio.Queue[Connection] = asyncio.Queue()
    for _ in range(CONNECTIONS):
        free.put_nowait(await Connection.open(url))

    async def next_one(number: int) -> None:
        connection = await free.get()
        await one(connection, number)
        free.put_nowait(connection)

    started = time.perf_counter()
    async with asyncio.TaskGroup() as group:
        for number in range(count):
            await asyncio.sleep(max(0.0, started + number / a_second - time.perf_counter()))
            group.create_task(next_one(number))
    while not free.empty():
        await free.get_nowait().close()
