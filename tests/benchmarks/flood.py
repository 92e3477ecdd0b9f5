"""Five hundred searches in menus a second from one person, and what others notice of it."""

from __future__ import annotations

import asyncio
import json
import os
import sys
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path

from tests.benchmarks.served import ROOT, bot_settings, serving
from tests.benchmarks.traffic import FORM, Connection, SlackStandIn, search

FLOODER = "U0FLOOD"
A_SECOND = 500
OTHERS = 25
"""Searches a second that others make, each of them one in four seconds."""
CONNECTIONS = 16
BEFORE = 2.0
"""Seconds that the process of the flood has to start."""
TYPED = ("mlops", "data", "prompt", "ethics", "kubernetes")
MENUS = ("roles_lead", "topics_found")
"""One is filled from memory, the other reads the database."""


@dataclass
class Flood:
    """Hold the milliseconds of others, without the flood and beside it, and what became of the flood."""

    quiet: list[float] = field(default_factory=list)
    beside: list[float] = field(default_factory=list)
    sent: int = 0
    answered: int = 0
    seconds: float = 0.0
    processor: float = 0.0
    """Seconds of a processor that the bot took for the flood, which do not depend on what else runs here."""


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
                idle = processor_seconds(server.pid)
                found.quiet += await others(server.events, seconds)
                busy = processor_seconds(server.pid)
                # Longer than the others: it has to begin before them, and to go on until they are done.
                flooding = asyncio.create_task(flood(server.events, seconds + BEFORE + 1, found))
                await asyncio.sleep(BEFORE)
                found.beside += await others(server.events, seconds)
                await flooding
                found.processor += (processor_seconds(server.pid) - busy) - (busy - idle)
    finally:
        await slack.stop()
    return found


def processor_seconds(pid: int) -> float:
    """Return how long a process was on a processor."""
    after_name = Path(f"/proc/{pid}/stat").read_text("utf-8").rpartition(")")[2].split()
    return (int(after_name[11]) + int(after_name[12])) / os.sysconf("SC_CLK_TCK")


async def others(url: str, seconds: float) -> list[float]:
    """Search at an even pace, everybody with something to find."""
    taken: list[float] = []

    async def one(connection: Connection, number: int) -> None:
        started = time.perf_counter()
        body = search(TYPED[number % len(TYPED)], f"U0ASK{number % (OTHERS * 4):03}", MENUS[number % len(MENUS)])
        status, answer = await connection.post(body, FORM)
        taken.append((time.perf_counter() - started) * 1000)
        if status != 200 or b'"value"' not in answer:
            raise RuntimeError(f"answered {status}: {answer[:200]!r}")

    await paced(url, int(seconds * OTHERS), OTHERS, one)
    return taken


async def flood(url: str, seconds: float, found: Flood) -> None:
    """Have a process of its own search as fast as is said: what it waits for itself is not in the others' time."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.benchmarks.flood", url, str(seconds)), cwd=ROOT, stdout=asyncio.subprocess.PIPE
    )
    said, _ = await process.communicate()
    if process.returncode:
        raise RuntimeError("the flood ended early")
    sent, answered, took = json.loads(said)
    found.sent += sent
    found.answered += answered
    found.seconds += took


async def search_too_much(url: str, seconds: float) -> tuple[int, int, float]:
    """Search for so long, all from one person; return how many were sent and how many answered, and the seconds."""
    bodies = [search("mlops", FLOODER, menu) for menu in MENUS]
    sent = answered = 0

    async def one(connection: Connection, number: int) -> None:
        nonlocal sent, answered
        status, answer = await connection.post(bodies[number % len(bodies)], FORM)
        if status != 200:
            raise RuntimeError(f"answered {status}: {answer[:200]!r}")
        sent += 1
        answered += b'"value"' in answer

    started = time.perf_counter()
    await paced(url, int(seconds * A_SECOND), A_SECOND, one)
    return sent, answered, time.perf_counter() - started


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


if __name__ == "__main__":
    print(json.dumps(asyncio.run(search_too_much(sys.argv[1], float(sys.argv[2])))))
