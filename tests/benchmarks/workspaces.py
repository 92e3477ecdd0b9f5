"""A thousand workspaces on one process: what a request's token costs, whether memory stays flat, and no cross-talk."""

from __future__ import annotations

import asyncio
import gc
import random
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from slack_bolt.context.async_context import AsyncBoltContext
from slack_sdk.web.async_client import AsyncWebClient

from bot.installed import InstalledAuthorize
from bot.renewal import Renewal
from bot.settings import OAuth
from storage.database import migrate, open_engine
from storage.installations import Installation, SqlInstallations
from storage.keys import Keys, new_key
from storage.removals import SqlRemovals

WORKSPACES = 1_000
ROUNDS = 20


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
        found = Installation(name, f"xoxb-{name}", ("chat:write",), "A0", f"B{name}", "U0BOT", "U0ANN")
        await installations.save(found, (), now())
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
