"""A thousand workspaces on one process: what a request's token costs, whether memory stays flat, and no cross-talk.

First the look-up of tokens alone; then signed requests over HTTP to the bot in a process of its own. Every id and name
there holds the workspace that it belongs to, so that whatever strays is seen in any reply and any call to Slack.
"""

from __future__ import annotations

import asyncio
import gc
import random
import re
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from aiohttp import web
from slack_bolt.context.async_context import AsyncBoltContext
from slack_sdk.web.async_client import AsyncWebClient

from bot.installed import InstalledAuthorize
from bot.renewal import Renewal
from bot.scopes import SCOPES
from bot.settings import OAuth
from knowledge.people import Member
from storage.database import migrate, open_engine
from storage.installations import Installation, SqlInstallations
from storage.keys import Keys, new_key
from storage.people import SqlPeople
from storage.removals import SqlRemovals
from tests.benchmarks.served import bot_settings, serving
from tests.benchmarks.traffic import FORM, JSON, MOST_SECONDS, Load, SlackStandIn, command, load_each, mention

WORKSPACES = 1_000
ROUNDS = 20
SERVED_ROUNDS = 6


def installed_in(name: str) -> Installation:
    return Installation(name, f"xoxb-{name}", SCOPES, "A0BENCH", f"B{name}", "U0BOT", None)


@dataclass(frozen=True)
class Taken:
    """Hold milliseconds of a cold and of warm look-ups, megabytes after the first and the last round, mistakes."""

    cold: list[float]
    warm: list[float]
    before: float
    after: float
    mistakes: int


def resident_megabytes() -> float:
    pages = int(Path("/proc/self/statm").read_text("utf-8").split()[1])
    return pages * 4096 / 2**20


async def figures(folder: Path, rounds: int = ROUNDS) -> Taken:
    """Authorize for each of a thousand workspaces in turn and all at once, again and again."""
    engine = open_engine(f"sqlite+aiosqlite:///{folder / 'many.sqlite3'}", Keys([new_key()]))
    await migrate(engine)
    installations = SqlInstallations(engine)

    def now() -> datetime:
        return datetime.now(UTC)

    names = [f"T0MANY{number:05}" for number in range(WORKSPACES)]
    for name in names:
        await installations.save(installed_in(name), SCOPES, now())
    client = AsyncWebClient(base_url="http://127.0.0.1:9/api/")
    renewal = Renewal(installations, client, OAuth("1.2", "none"), now, asyncio.sleep)
    installed = InstalledAuthorize(installations, SqlRemovals(engine), renewal, client, now, "")
    mistakes = 0

    async def one(name: str) -> float:
        nonlocal mistakes
        context = AsyncBoltContext({"is_enterprise_install": False})
        started = time.perf_counter()
        result = await installed.authorize(context, None, name)
        taken = (time.perf_counter() - started) * 1000
        mistakes += result.bot_token != f"xoxb-{name}" or result.bot_id != f"B{name}"
        return taken

    rng = random.Random(8)
    cold = [await one(name) for name in names]
    warm: list[float] = []
    gc.collect()
    before = resident_megabytes()
    for _ in range(rounds):
        rng.shuffle(names)
        warm += [await one(name) for name in names]
        await asyncio.gather(*(one(name) for name in names))
        await installed.follow()
    gc.collect()
    after = resident_megabytes()
    await engine.dispose()
    return Taken(cold, warm, before, after, mistakes)


# Over HTTP

NAMED = re.compile(rb"T0MANY\d{5}")


class Watcher(SlackStandIn):
    """Stand in for Slack, and note every call in which more is named than the workspace of its token."""

    def __init__(self) -> None:
        super().__init__()
        self.strays: list[str] = []

    def look_at(self, request: web.Request, sent: bytes) -> None:
        """Hold what is sent against the token that it is sent with."""
        token = NAMED.findall(request.headers.get("Authorization", "").encode())
        if {*token} != {*NAMED.findall(request.query_string.encode() + b" " + sent)}:
            self.strays.append(f"{request.match_info['method']}: {token} {sent[:300]!r}")

    def team_of(self, request: web.Request) -> str:
        return b"".join(NAMED.findall(request.headers.get("Authorization", "").encode())[:1]).decode()


@dataclass(frozen=True)
class Served:
    """Hold milliseconds of commands, megabytes after the first and the last round, and what strayed to others."""

    commands: Load
    mentions: int
    before: float
    after: float
    strays: list[str]


async def served(folder: Path, rounds: int) -> Served:
    """Send a command from each workspace in each round, and a mention in each but the first, all to one process."""
    database, key = folder / "served.sqlite3", new_key()
    names = [f"T0MANY{number:05}" for number in range(WORKSPACES)]
    await fill(database, key, names)
    slack = Watcher()
    await slack.start()
    settings = {
        **bot_settings(slack.url, database),
        "ENCRYPTION_KEYS": key,
        "SLACK_CLIENT_ID": "1.2",
        "SLACK_CLIENT_SECRET": "none",
        "PUBLIC_URL": "https://bot.example",
    }
    del settings["SLACK_BOT_TOKEN"]
    rng, number = random.Random(8), 0
    strays: list[str] = []

    def own(name: str) -> Callable[[bytes], bool]:
        def check(answer: bytes) -> bool:
            if {*NAMED.findall(answer)} != {name.encode()}:
                strays.append(f"{name}: {answer[:300]!r}")
            return b"MLOps Engineer" in answer

        return check

    before, taken = 0.0, Load([], 0.0)
    try:
        async with serving(["bot", "serve"], folder, settings) as server:
            for turn in range(rounds):
                rng.shuffle(names)
                sent = [(command("mlops", name, f"U1{name}"), FORM, own(name)) for name in names]
                found = await load_each(server.events, sent, 16, MOST_SECONDS * 10)
                if turn == 0:
                    before = server.resident_megabytes()
                    continue
                taken = Load(taken.milliseconds + found.milliseconds, taken.seconds + found.seconds)
                asked = []
                for name in names:
                    number += 1
                    body = mention(number, "who does mlops?", name, f"C0{name}", f"U1{name}")
                    asked.append((body, JSON, lambda _answer: True))
                await load_each(server.events, asked, 4, MOST_SECONDS * 10)
                async with asyncio.timeout(MOST_SECONDS * 10):
                    await slack.posted(number)
            after = server.resident_megabytes()
    finally:
        await slack.stop()
    return Served(taken, number, before, after, strays + slack.strays)


async def fill(database: Path, key: str, names: list[str]) -> None:
    """Install the app in each workspace, with somebody in it to be named."""
    engine = open_engine(f"sqlite+aiosqlite:///{database}", Keys([key]))
    await migrate(engine)
    installations, people, now = SqlInstallations(engine), SqlPeople(engine, random.Random(0)), datetime.now(UTC)
    for name in names:
        await installations.save(installed_in(name), SCOPES, now)
        await people.declare(name, f"U0{name}", {"mlops-engineer": "lead"}, {}, now)
        await people.remember(name, Member(f"U0{name}", f"Ann of {name}"), now)
    await engine.dispose()
