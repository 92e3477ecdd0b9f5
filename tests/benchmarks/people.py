"""Whom to ask, in workspaces of a thousand to a million members, over both databases."""

from __future__ import annotations

import random
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import BindParameter, Date, bindparam, text
from sqlalchemy.ext.asyncio import AsyncEngine
from sqlalchemy.types import TypeEngine

from knowledge.answers import Subject
from knowledge.guide import Guide, load_guide
from storage.database import migrate, open_engine
from storage.keys import Keys, new_key
from storage.moments import NEVER, monday_of
from storage.people import SqlPeople
from storage.tables import UtcTime
from storage.threads import SqlThreads

WORKSPACE = "T0BENCH"
SIZES = (1_000, 100_000, 1_000_000)
TOPICS = 200
AT_ONCE = 25_000
"""Members that one statement writes: the bot's connections to PostgreSQL give a statement up after ten seconds."""
CALLS, WARM = 500, 100
START = datetime(2026, 5, 4, 9, tzinfo=UTC)

NUMBERS = {
    "sqlite": "WITH RECURSIVE numbers(n) AS (SELECT :first UNION ALL SELECT n + 1 FROM numbers WHERE n < :last)",
    "postgresql": "WITH numbers AS (SELECT generate_series(CAST(:first AS bigint), CAST(:last AS bigint)) AS n)",
}
# One of ten wants to be asked first, one of ten is out of office, one of five has a cap, one of fifty avoids a topic.
MEMBERS = """
    INSERT INTO members (workspace, user_id, name, title, tz, availability, is_bot, is_guest, checked_at)
    {numbers} SELECT :workspace, 'U' || n, 'Member ' || n, '', 'Europe/Berlin',
        CASE n % 10 WHEN 3 THEN 'ooo' ELSE 'active' END, false, false, :now FROM numbers"""
TERMS = """
    INSERT INTO terms (workspace, user_id, visibility, weekly_cap, week, suggested, confirmed_at, unanswered, faded)
    {numbers} SELECT :workspace, 'U' || n, CASE n % 10 WHEN 7 THEN 'ask_first' ELSE 'open' END,
        CASE n % 5 WHEN 1 THEN 3 END, :week, 0, :now, 0, false FROM numbers"""
DECLARED = """
    INSERT INTO declarations (workspace, user_id, kind, key, label, level, confirmed_at, suggestible, out_of_office,
        away, suggested_at, lot, free_from)
    {numbers} SELECT :workspace, 'U' || n, '{kind}', {key}, '', n % 3, :now, n % 10 <> 7, n % 10 = 3,
        n % 4 = 2, :never, (n % 1000003) * 7919 % 1000003, :never FROM numbers WHERE {which}"""


async def fill(engine: AsyncEngine, members: int, roles: list[str]) -> None:
    """Write a profile, terms, a role and a topic for each member; the database counts them itself."""
    cases = " ".join(f"WHEN {at} THEN '{role}'" for at, role in enumerate(roles))
    kinds = {
        "role": (f"CASE (n / 7) % {len(roles)} {cases} END", "n > 0"),
        "topic": (f"'subject ' || ((n / 3) % {TOPICS})", "n > 0"),
        "not": (f"'subject ' || ((n / 3 + 1) % {TOPICS})", "n % 50 = 0"),
    }
    numbers = NUMBERS[engine.dialect.name]
    statements = [MEMBERS.format(numbers=numbers), TERMS.format(numbers=numbers)]
    for kind, (key, which) in kinds.items():
        statements.append(DECLARED.format(numbers=numbers, kind=kind, key=key, which=which))
    values: dict[str, Any] = {"workspace": WORKSPACE, "now": START, "week": monday_of(START), "never": NEVER}
    types: dict[str, TypeEngine[Any]] = {"now": UtcTime(), "never": UtcTime(), "week": Date()}
    for first in range(1, members + 1, AT_ONCE):
        own = values | {"first": first, "last": min(members, first + AT_ONCE - 1)}
        async with engine.begin() as connection:
            for statement in statements:
                named = {name: value for name, value in own.items() if f":{name}" in statement}
                typed: list[BindParameter[Any]] = [
                    bindparam(name, type_=types[name]) for name in named if name in types
                ]
                await connection.execute(text(statement).bindparams(*typed), named)
    async with engine.connect() as connection:
        # What a database does by itself after a while: without it, it guesses how many rows there are.
        await connection.execution_options(isolation_level="AUTOCOMMIT")
        await connection.execute(text("ANALYZE"))


@dataclass
class Workplace:
    """A workspace to ask in, with its own clock, chance and times taken."""

    engine: AsyncEngine
    guide: Guide
    members: int
    clock: list[datetime]
    rng: random.Random
    taken: list[float] = field(default_factory=list)

    async def ask(self) -> None:
        """Ask for two roles and a topic as one of the members, and note the milliseconds."""
        self.clock[0] += timedelta(seconds=1)
        roles = tuple(self.rng.sample(list(self.guide.catalog.roles), 2))
        subject = Subject(roles, (f"subject {self.rng.randrange(TOPICS)}",))
        asker = f"U{self.rng.randrange(1, self.members)}"
        started = time.perf_counter()
        suggestion = await self.guide.suggest(WORKSPACE, subject, asker)
        self.taken.append((time.perf_counter() - started) * 1000)
        if len(suggestion.people) != 3:
            raise RuntimeError(f"{len(suggestion.people)} people were named of {self.members}")


async def workplace(address: str, members: int) -> Workplace:
    """Fill the empty database at an address."""
    engine = open_engine(address, Keys([new_key()]))
    await migrate(engine)
    clock = [START]
    guide = load_guide(SqlPeople(engine, random.Random(0)), SqlThreads(engine), lambda: clock[0])
    await fill(engine, members, list(guide.catalog.roles))
    return Workplace(engine, guide, members, clock, random.Random(1))


async def figures(addresses: Mapping[int, str], calls: int = CALLS) -> dict[int, list[float]]:
    """Fill an empty database for each number of members, and ask in turn: what else runs here slows all alike."""
    places = [await workplace(address, members) for members, address in addresses.items()]
    try:
        for _ in range(WARM + calls):
            for place in places:
                await place.ask()
        return {place.members: place.taken[WARM:] for place in places}
    finally:
        for place in places:
            await place.engine.dispose()
