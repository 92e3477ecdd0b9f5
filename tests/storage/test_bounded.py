"""How much of the database a suggestion goes through, however many people there are and whatever holds of them."""

from __future__ import annotations

import random
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import insert, text
from sqlalchemy.ext.asyncio import create_async_engine

from storage.database import migrate
from storage.moments import NEVER, monday_of
from storage.people import SqlPeople
from storage.tables import declarations, members, terms
from tests.storage.conftest import NOW

NEXT_WEEK = NOW.replace(hour=0) + timedelta(days=7 - NOW.weekday())
STEPS = 100
"""SQLite tells after so many instructions of its machine: each row that is read costs some."""


async def instructions(size: int, case: str) -> dict[str, int]:
    """Fill a database, and return how many instructions each statement of a suggestion takes."""
    engine = create_async_engine("sqlite+aiosqlite://")
    await migrate(engine)
    faded, capped, before = case == "faded", case == "capped", case == "capped weeks ago"
    users = [f"U{number:05}" for number in range(size)]
    declared: dict[str, Any] = {
        **{"workspace": "T1", "label": "", "level": 0, "confirmed_at": NOW, "suggestible": not faded},
        **{"out_of_office": False, "away": False, "suggested_at": NEVER},
        "free_from": NEXT_WEEK if capped else NEXT_WEEK - timedelta(weeks=3) if before else NEVER,
    }
    profile = {"title": "", "tz": "", "availability": "active", "is_bot": False, "is_guest": False, "checked_at": NOW}
    week = monday_of(NOW - timedelta(weeks=3 * before))
    own = {"visibility": "open", "weekly_cap": 1 if capped or before else None, "week": week}
    own["suggested"] = int(capped or before)
    async with engine.begin() as connection:
        for kind, key in (("role", "mlops-engineer"), ("topic", "gdpr")):
            rows = [{**declared, "user_id": user, "kind": kind, "key": key, "lot": at} for at, user in enumerate(users)]
            await connection.execute(insert(declarations), rows)
        await connection.execute(
            insert(members), [{"workspace": "T1", "user_id": user, "name": user, **profile} for user in users]
        )
        fresh = {"confirmed_at": NOW, "unanswered": 0, "faded": faded}
        await connection.execute(
            insert(terms), [{"workspace": "T1", "user_id": user, **own, **fresh} for user in users]
        )
        await connection.execute(text("ANALYZE"))
    people, counted = SqlPeople(engine, random.Random(1)), [0]
    while await people.begin_week(NOW):
        # As the job does, before anybody asks.
        pass

    def count() -> int:
        counted[0] += STEPS
        return 0

    async with engine.connect() as connection:
        raw: Any = (await connection.get_raw_connection()).driver_connection
        await raw.set_progress_handler(count, STEPS)
    found = {}
    for ask in (people.candidates, people.unnamed, people.passed_over):
        counted[0] = 0
        await ask("T1", topics=["gdpr"], roles=["mlops-engineer"], without="U00001", now=NOW)
        found[ask.__name__] = counted[0]
    await engine.dispose()
    return found


@pytest.mark.parametrize("case", ["plain", "capped", "capped weeks ago", "faded"])
async def test_ten_times_as_many_people_are_no_more_to_read(case: str) -> None:
    few, many = await instructions(400, case), await instructions(4_000, case)
    assert {name: taken for name, taken in many.items() if taken > 1.5 * few[name] + 1_000} == {}
