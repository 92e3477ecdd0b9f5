"""The runs: each returns what became of its messages."""

from __future__ import annotations

import asyncio
import json
import random
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import aiohttp
from cryptography.fernet import Fernet
from sqlalchemy import make_url
from sqlalchemy.ext.asyncio import AsyncEngine

from storage.database import migrate, open_engine
from storage.inbox import LEASE, SqlInbox

from .processes import POSTGRES, Kill, Process, kill_at_random, postgres_database
from .proxy import Proxy
from .standin import FAULTS, Fault, StandIn
from .tally import Tally, count
from .traffic import Mention, Sender, make_mentions, plan

LATENCY = (0.02, 0.2)
"""Seconds that Slack thinks about a post."""
OUTAGE = 10.0
LONGEST = 4.0
"""Seconds that a process works, at most, before it is killed."""


@dataclass
class Result:
    """What a run came to."""

    name: str
    tally: Tally
    sender: Sender
    seconds: float
    kills: int = 0
    dead: int = 0
    faults: int = 0
    problems: list[str] = field(default_factory=list)

    @property
    def good(self) -> bool:
        """Tell whether the run kept what is promised."""
        return self.tally.good and not self.problems


@dataclass
class World:
    """A stand-in for Slack, a database, and processes of the bot."""

    slack: StandIn
    engine: AsyncEngine
    processes: list[Process]

    @property
    def kills(self) -> list[Kill]:
        """Return every kill."""
        return [kill for process in self.processes for kill in process.kills]

    async def start(self) -> None:
        """Start every process, and wait until all can work."""
        await asyncio.gather(*(process.start() for process in self.processes))
        await asyncio.gather(*(process.ready() for process in self.processes))

    async def settle(self, seconds: float = LEASE.total_seconds() + 45.0) -> int:
        """Wait until the inbox is empty; return how many events were given up."""
        inbox = SqlInbox(self.engine, "chaos")
        async with asyncio.timeout(seconds):
            while (depth := await inbox.depth(datetime.now(UTC))).waiting:  # noqa: ASYNC110
                await asyncio.sleep(0.1)  # it is other processes that empty it
        return depth.dead

    async def result(self, name: str, mentions: Sequence[Mention], sender: Sender, started: float) -> Result:
        """Wait until nothing is left to do, and count; what ends badly is kept with the reason."""
        problems = []
        dead = 0
        try:
            dead = await self.settle()
        except TimeoutError:
            problems.append("the inbox did not become empty")
        seconds = time.monotonic() - started
        for process in self.processes:
            status = await process.end()
            if status != 0:
                problems.append(f"{process.name} ended with {status} after SIGTERM")
        tally = count(mentions, self.slack.posts, self.kills)
        return Result(name, tally, sender, seconds, len(self.kills), dead, len(self.slack.faults), problems)


@asynccontextmanager
async def sqlite_world(rng: random.Random, folder: Path) -> AsyncIterator[World]:
    """Open a world with one process over a new SQLite file."""
    async with AsyncExitStack() as stack:
        slack = await stack.enter_async_context(StandIn(random.Random(rng.random()), LATENCY))
        url = f"sqlite+aiosqlite:///{folder / 'bot.sqlite3'}"
        engine = open_engine(url)
        stack.push_async_callback(engine.dispose)
        world = World(slack, engine, [Process("one", slack, folder, {"DATABASE_URL": url})])
        stack.push_async_callback(_end_all, world)
        await world.start()
        yield world


@asynccontextmanager
async def postgres_world(rng: random.Random, folder: Path, through: Callable[[str], str] = str) -> AsyncIterator[World]:
    """Open a world with two processes over a new PostgreSQL database, which they reach by the address ``through``."""
    async with AsyncExitStack() as stack:
        slack = await stack.enter_async_context(StandIn(random.Random(rng.random()), LATENCY))
        url = await stack.enter_async_context(postgres_database())
        engine = open_engine(url)
        stack.push_async_callback(engine.dispose)
        await migrate(engine)
        settings = {"DATABASE_URL": through(url), "ENCRYPTION_KEYS": Fernet.generate_key().decode()}
        world = World(slack, engine, [Process(name, slack, folder, settings) for name in ("one", "two")])
        stack.push_async_callback(_end_all, world)
        await world.start()
        yield world


async def _end_all(world: World) -> None:
    for process in world.processes:
        await process.end()


async def killed(
    world: World,
    rng: random.Random,
    name: str,
    messages: int,
    seconds: float,
    kills: int,
    longest: float = LONGEST,
) -> Result:
    """Send messages while processes are killed and started again."""
    mentions = make_mentions(rng, messages)
    sender = Sender([process.url for process in world.processes])
    # Planned before anything happens, so that a seed means the same messages whatever the machine does.
    sendings, killer = plan(rng, mentions, seconds), random.Random(rng.random())
    started = time.monotonic()
    await asyncio.gather(sender.send(sendings), kill_at_random(killer, world.processes, kills, longest))
    await asyncio.gather(*(process.ready() for process in world.processes))
    result = await world.result(name, mentions, sender, started)
    # A process that is killed says nothing, and its next life has nothing to complain about.
    logs = [process.log.read_text() for process in world.processes]
    result.problems += [log[log.index("Traceback") :][:2000] for log in logs if "Traceback" in log]
    return result


async def sqlite_killed(
    rng: random.Random, messages: int, seconds: float, kills: int, longest: float = LONGEST
) -> Result:
    """One process on SQLite."""
    with tempfile.TemporaryDirectory() as name:
        async with sqlite_world(rng, Path(name)) as world:
            return await killed(world, rng, "SQLite, one process, killed", messages, seconds, kills, longest)


async def postgres_killed(rng: random.Random, messages: int, seconds: float, kills: int) -> Result:
    """Two processes on PostgreSQL, with the lease that they have everywhere."""
    with tempfile.TemporaryDirectory() as name:
        async with postgres_world(rng, Path(name)) as world:
            return await killed(world, rng, "PostgreSQL, two processes, killed", messages, seconds, kills)


async def postgres_stopped(rng: random.Random, messages: int, seconds: float) -> Result:
    """PostgreSQL out of reach for ten seconds in the middle."""
    proxy = Proxy(make_url(POSTGRES).port or 5432)
    await proxy.start()
    try:
        with tempfile.TemporaryDirectory() as name:

            def through(url: str) -> str:
                return make_url(url).set(port=proxy.port).render_as_string(hide_password=False)

            async with postgres_world(rng, Path(name), through) as world:
                mentions = make_mentions(rng, messages)
                sender = Sender([process.url for process in world.processes])
                started = time.monotonic()

                async def outage() -> None:
                    await asyncio.sleep(seconds / 3)
                    await proxy.cut()
                    await asyncio.sleep(OUTAGE)
                    await proxy.start()

                await asyncio.gather(sender.send(plan(rng, mentions, seconds)), outage())
                return await world.result("PostgreSQL gone for 10 s", mentions, sender, started)
    finally:
        await proxy.cut()


def faulty(rng: random.Random, share: float, outage: Callable[[], bool] = lambda: False) -> Callable[[], Fault | None]:
    """Return what goes wrong with each post: ``share`` of them in one way or another, all of them in an outage."""

    def next_fault() -> Fault | None:
        if outage():
            return "cut before"
        return rng.choice(FAULTS) if rng.random() < share else None

    return next_fault


async def slack_faulty(rng: random.Random, messages: int, seconds: float) -> Result:
    """Slack refuses, breaks, falls silent and hangs up, one post in five; for ten seconds it is gone altogether."""
    with tempfile.TemporaryDirectory() as name:
        async with sqlite_world(rng, Path(name)) as world:
            mentions = make_mentions(rng, messages)
            sender = Sender([process.url for process in world.processes])
            started = time.monotonic()
            begins = started + seconds / 2

            def outage() -> bool:
                return begins < time.monotonic() < begins + OUTAGE

            world.slack.next_fault = faulty(random.Random(rng.random()), 0.2, outage)
            await sender.send(plan(rng, mentions, seconds))
            return await world.result("Slack failing, and gone for 10 s", mentions, sender, started)


async def at_once(rng: random.Random, messages: int, times: int) -> Result:
    """Send the same event many times at once to two processes."""
    with tempfile.TemporaryDirectory() as name:
        async with postgres_world(rng, Path(name)) as world:
            mentions = make_mentions(rng, messages)
            sender = Sender([process.url for process in world.processes])
            started = time.monotonic()
            limit = aiohttp.TCPConnector(limit=0)
            async with aiohttp.ClientSession(connector=limit) as session:
                for number, mention in enumerate(mentions):
                    body = json.dumps(mention.envelope(f"Ev{number:06}", edited=False)).encode()
                    await asyncio.gather(*(sender.post(session, body) for _ in range(times)))
            return await world.result(f"One event {times} times at once, two processes", mentions, sender, started)
