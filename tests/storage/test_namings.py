"""By which key it is noted to whom people were named, and what becomes of it."""

from __future__ import annotations

import random

import pytest
from sqlalchemy import delete, func, select
from sqlalchemy.ext.asyncio import AsyncEngine

from knowledge.people import Terms
from storage.marks import workspace_key
from storage.namings import asker_of_week
from storage.people import SqlPeople
from storage.tables import namings, secrets
from storage.underway import underway_since
from tests.storage.conftest import NOW


@pytest.mark.parametrize("drawn", ["at once", "later"])
async def test_a_key_that_another_process_drew_meanwhile_is_the_one_that_marks(
    engine: AsyncEngine, people: SqlPeople, drawn: str
) -> None:
    await people.declare("T1", "ben", {"mlops-engineer": "lead"}, {}, NOW, Terms(weekly_cap=2))
    assert await people.suggested("T1", ["ben"], NOW, asker="ann") == {"ben": 1}
    async with engine.begin() as connection:
        # As where the app was removed, and is back.
        await connection.execute(delete(namings))
        await connection.execute(delete(secrets))
        if drawn == "at once":
            await workspace_key(engine, connection, "T1")
    assert await people.suggested("T1", ["ben"], NOW, asker="cai") == {"ben": 2}
    async with engine.connect() as connection:
        key = await workspace_key(engine, connection, "T1")
        marks = list(await connection.scalars(select(namings.c.mark)))
    assert marks == [asker_of_week(key, "T1", "cai")]
    await SqlPeople(engine, random.Random(1)).forget("T1", "cai")
    async with engine.connect() as connection:
        assert await connection.scalar(select(func.count()).select_from(namings)) == 0


async def test_a_second_try_names_the_same_also_by_a_key_that_was_drawn_meanwhile(
    engine: AsyncEngine, people: SqlPeople
) -> None:
    for user in ("ben", "cai"):
        await people.declare("T1", user, {"mlops-engineer": "lead"}, {}, NOW, Terms(weekly_cap=2))
    await people.suggested("T1", ["ben"], NOW, asker="dee")
    async with engine.begin() as connection:
        await connection.execute(delete(namings))
        await connection.execute(delete(secrets))
    with underway_since(NOW, "Ev1"):
        await SqlPeople(engine, random.Random(1)).suggested("T1", ["cai"], NOW, asker="ann")
        found = await people.candidates("T1", topics=(), roles=["mlops-engineer"], without="ann", now=NOW)
    assert [(row.user, row.again) for row in found] == [("cai", True)]
    with underway_since(NOW, "Ev2"):
        found = await people.candidates("T1", topics=(), roles=["mlops-engineer"], without="ann", now=NOW)
    assert sorted((row.user, row.again) for row in found) == [("ben", False), ("cai", False)]


async def test_nobody_is_counted_twice_where_nobody_could_be_counted_at_first(people: SqlPeople) -> None:
    await people.declare("T1", "ben", {"mlops-engineer": "lead"}, {}, NOW, Terms(weekly_cap=1))
    assert await people.suggested("T1", ["ben"], NOW, asker="ann") == {"ben": 1}
    assert await people.suggested("T1", ["ben"], NOW, asker="cai") == {}
    assert await people.suggested("T1", ["ben"], NOW, asker="ann") == {"ben": 1}
