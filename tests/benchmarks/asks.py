"""Ten thousand open questions over a hundred workspaces, all due at once, and two processes over PostgreSQL."""

from __future__ import annotations

import asyncio
import json
import sys
from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

from slack_sdk.web.async_client import AsyncWebClient
from sqlalchemy import insert
from sqlalchemy.ext.asyncio import AsyncEngine

from handlers.courier import Courier
from knowledge.answers import Subject
from knowledge.asking import Ask
from knowledge.desk import Desk
from knowledge.suggesting import ToAsk
from knowledge.workspaces import Settings
from storage.ask_deliveries import SqlDeliveries
from storage.ask_rows import texts_of
from storage.asks import SqlAsks
from storage.database import open_engine
from storage.keeping import SqlKeepings
from storage.keys import Keys, new_key
from storage.moments import NEVER
from storage.people import SqlPeople
from storage.tables import ask_people, asks
from storage.team_entries import SqlTeamEntries

WORKSPACES, QUESTIONS, PEOPLE = 100, 10_000, 20
SECONDS = 60
MONDAY = datetime(2026, 6, 1, 10, tzinfo=UTC)
ROWS_AT_ONCE = 1_000


async def fill(engine: AsyncEngine, questions: int = QUESTIONS) -> None:
    """Write questions that somebody was asked a day ago: each is to be reminded of now."""
    then = MONDAY - timedelta(days=1)
    asked: list[dict[str, Any]] = []
    people: list[dict[str, Any]] = []
    for number in range(questions):
        key = {"workspace": f"T{number % WORKSPACES}"}
        asker = json.dumps({"user": f"U0ASKER{number}", "channel": f"D0ASKER{number}", "ts": "1.1"})
        texts = {"question": f"question {number}", "further": "", "note": "", "answer": "", "asker": asker}
        asked.append(
            {
                **key,
                **texts_of(engine.dialect, key["workspace"], f"ask{number}", **texts),
                "id": f"ask{number}",
                "state": "asked",
                "version": 0,
                "asker_mark": f"mark{number}",
                "anonymous": False,
                "urgent": False,
                "to_curators": False,
                "subject": [[], [], []],
                "about": "",
                "created_at": then,
                "ends_at": then + timedelta(days=30),
                "due_at": MONDAY,
                "lease_until": NEVER,
            }
        )
        user = f"{number % WORKSPACES}X{number // WORKSPACES % PEOPLE}"
        people.append(
            {
                **key,
                "ask_id": f"ask{number}",
                "user_id": f"U{user}",
                "place": 0,
                "outcome": "has",
                "via": "best",
                "shown": True,
                "asked_at": then,
                "channel": f"D{user}",
                "ts": f"{number}.1",
            }
        )
    async with engine.begin() as connection:
        for start in range(0, questions, ROWS_AT_ONCE):
            await connection.execute(insert(asks), asked[start : start + ROWS_AT_ONCE])
            await connection.execute(insert(ask_people), people[start : start + ROWS_AT_ONCE])


class Seen(SqlAsks):
    """Note which questions this process claimed, and when."""

    def __init__(self, engine: AsyncEngine) -> None:
        super().__init__(engine)
        self.claimed: list[tuple[float, str]] = []

    async def due(self, now: datetime, most: int) -> Sequence[Ask]:
        found = await super().due(now, most)
        self.claimed += [((now - MONDAY).total_seconds(), ask.id) for ask in found]
        return found


class Slack:
    """Note what is posted where."""

    retry_handlers: tuple[()] = ()

    def __init__(self, workspace: str, posts: list[tuple[float, str, str]], begun: datetime) -> None:
        self.workspace, self.posts, self.begun = workspace, posts, begun

    async def chat_postMessage(self, *, channel: str, **sent: Any) -> dict[str, str]:
        self.posts.append(((datetime.now(UTC) - self.begun).total_seconds(), self.workspace, channel))
        return {"channel": channel, "ts": f"{len(self.posts)}.2"}

    async def chat_update(self, **sent: Any) -> None:
        """Take a change."""

    async def users_info(self, *, user: str) -> dict[str, Any]:
        return {"user": {"id": user, "name": user, "tz": "UTC", "team_id": self.workspace}}

    async def users_getPresence(self, *, user: str) -> dict[str, str]:
        return {"presence": "active"}

    async def dnd_info(self, *, user: str) -> dict[str, bool]:
        return {"snooze_enabled": False}


async def work(address: str, key: str, begun: datetime, seconds: float) -> None:
    """Be one of the processes; print what it claimed and posted."""
    import random

    engine = open_engine(address, Keys([key]))
    people, seen = SqlPeople(engine, random.Random(7)), Seen(engine)
    posts: list[tuple[float, str, str]] = []

    def now() -> datetime:
        return MONDAY + (datetime.now(UTC) - begun)

    async def rules(workspace: str) -> Settings:
        return Settings()

    class Nobody:
        async def to_ask(self, workspace: str, subject: Subject, asker: str | None) -> Sequence[ToAsk]:
            return ()

        async def about(self, workspace: str, subject: Subject) -> Sequence[str]:
            return ()

    async def client_of(workspace: str) -> AsyncWebClient:
        return Slack(workspace, posts, begun)  # type: ignore[return-value]  # what a courier needs of one

    desk = Desk(seen, people, Nobody(), rules, now)
    keepings = SqlKeepings(engine, SqlTeamEntries(engine))
    courier = Courier(SqlDeliveries(engine), seen, desk, keepings, people, rules, {}, client_of, now, asyncio.sleep)
    while (datetime.now(UTC) - begun).total_seconds() < seconds:
        await courier.run()
        await asyncio.sleep(0.5)
    await engine.dispose()
    print(json.dumps({"claimed": seen.claimed, "posts": posts}))


@dataclass(frozen=True)
class Found:
    """Hold what two processes did together."""

    claimed: int
    twice: int
    """Questions that both claimed."""
    last_claim: float
    """Seconds until the last was claimed."""
    posts: int
    most_a_minute: int
    """Posts to one workspace within any minute."""
    least_apart: float
    """Seconds between two posts to one channel, at least."""
    first_quarter: float
    """Seconds until a quarter of the questions was written about."""


async def measure(address: str, key: str, seconds: float = SECONDS) -> Found:
    """Run two processes over the questions in a database."""
    # The interpreters need a while to be there; what is due waits for both.
    begun = datetime.now(UTC) + timedelta(seconds=5)
    command = [sys.executable, "-m", "tests.benchmarks.asks", address, key, begun.isoformat(), str(seconds)]
    both = [await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE) for _ in range(2)]
    outputs = [json.loads((await one.communicate())[0]) for one in both]
    claims = Counter(ask for output in outputs for _, ask in output["claimed"])
    posts = sorted((at, workspace, channel) for output in outputs for at, workspace, channel in output["posts"])
    by_workspace: dict[str, list[float]] = defaultdict(list)
    by_channel: dict[str, list[float]] = defaultdict(list)
    for at, workspace, channel in posts:
        by_workspace[workspace].append(at)
        by_channel[channel].append(at)
    gaps = [after - before for times in by_channel.values() for before, after in pairwise(times)]
    most = max(
        (bisect_left(times, at + 60) - place for times in by_workspace.values() for place, at in enumerate(times)),
        default=0,
    )
    return Found(
        claimed=len(claims),
        twice=sum(count > 1 for count in claims.values()),
        last_claim=max(at for output in outputs for at, _ in output["claimed"]),
        posts=len(posts),
        most_a_minute=most,
        least_apart=min(gaps, default=float("inf")),
        first_quarter=posts[len(posts) // 4][0],
    )


async def on_server(address: str, questions: int = QUESTIONS, seconds: float = SECONDS) -> Found:
    """Fill a database at head, and measure."""
    key = new_key()
    engine = open_engine(address, Keys([key]))
    await fill(engine, questions)
    await engine.dispose()
    return await measure(address, key, seconds)


if __name__ == "__main__":
    _, where, secret, start, lasting = sys.argv
    asyncio.run(work(where, secret, datetime.fromisoformat(start), float(lasting)))
