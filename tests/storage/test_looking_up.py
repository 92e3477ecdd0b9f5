"""Whose profile is looked up unasked, and what becomes of those who left, on both databases."""

from __future__ import annotations

import asyncio
import random
from datetime import timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncEngine

from knowledge.people import Listed, Member, Terms
from storage.bulk import SqlPeopleInBulk
from storage.database import open_engine
from storage.forgetting import KEEP_LEFT
from storage.looking_up import SqlToLookUp
from storage.people import SqlPeople
from storage.profiles import LOOK_UP_AGAIN
from storage.tables import declarations, listings, members, metadata, terms
from tests.databases import KEYS
from tests.storage.conftest import NOW

MLOPS = "mlops-engineer"
MINUTE = timedelta(minutes=1)
GONE = Member("ann", "Ann", availability="deactivated")


@pytest.fixture
def to_look_up(engine: AsyncEngine) -> SqlToLookUp:
    return SqlToLookUp(engine)


async def traces(engine: AsyncEngine, user: str) -> set[str]:
    """Return the tables in which a person stands."""
    async with engine.connect() as connection:
        return {
            name
            for name, table in metadata.tables.items()
            if "user_id" in table.c and (await connection.execute(select(table).where(table.c.user_id == user))).first()
        }


async def named(people: SqlPeople) -> list[str]:
    return [row.user for row in await people.candidates("T1", topics=(), roles=[MLOPS], without=None, now=NOW)]


async def test_who_was_never_looked_up_comes_first_and_the_others_a_day_later(
    engine: AsyncEngine, people: SqlPeople, to_look_up: SqlToLookUp
) -> None:
    await people.declare("T1", "ann", {MLOPS: "lead"}, {}, NOW)
    await people.remember("T1", Member("ann", "Ann"), NOW)
    who = Listed(Member("ben", "Ben", availability="deactivated"), {MLOPS: "lead"}, {})
    await SqlPeopleInBulk(engine, random.Random(1)).declare_many("T1", [who], NOW + MINUTE)
    assert await to_look_up.due(NOW + MINUTE, 10) == [("T1", "ben")]
    assert await to_look_up.due(NOW + LOOK_UP_AGAIN, 10) == [("T1", "ben"), ("T1", "ann")]
    assert await to_look_up.due(NOW + LOOK_UP_AGAIN, 1) == [("T1", "ben")]
    await to_look_up.put_off([("T1", "ben", NOW + 9 * MINUTE), ("T1", "ann", NOW)], NOW + MINUTE)
    assert await to_look_up.due(NOW + 8 * MINUTE, 10) == []
    assert await to_look_up.due(NOW + 9 * MINUTE, 10) == [("T1", "ben")]


async def test_of_two_processes_one_has_the_minute(address: str, to_look_up: SqlToLookUp) -> None:
    second = open_engine(address, KEYS)
    other = SqlToLookUp(second)
    for now in (NOW, NOW + MINUTE):
        taken = await asyncio.gather(*(one.take_minute("T1", now) for one in (to_look_up, other)))
        assert sorted(taken, key=str) == [now + MINUTE, None]
        # The pace of one workspace says nothing of another's.
        assert await other.take_minute("T2", now) == now + MINUTE
    await second.dispose()


async def test_what_a_leaver_declared_is_deleted_after_thirty_days(engine: AsyncEngine, people: SqlPeople) -> None:
    for user in ("ann", "ben"):
        terms_ = Terms(weekly_cap=3, not_about={"lora": "LoRA"})
        await people.declare("T1", user, {MLOPS: "lead"}, {"gdpr": "GDPR"}, NOW, terms_)
        await people.remember("T1", Member(user, user), NOW)
    assert await traces(engine, "ann") == {"declarations", "terms", "members", "listings"}
    await people.remember("T1", GONE, NOW)
    # Looked up again and again, it is still the first time that counts.
    await people.remember("T1", GONE, NOW + KEEP_LEFT - MINUTE)
    assert await people.erase_left(NOW + KEEP_LEFT - MINUTE) == 0
    assert await traces(engine, "ann") == {"declarations", "terms", "members"}
    assert await people.erase_left(NOW + KEEP_LEFT) == 1
    assert await traces(engine, "ann") == set()
    assert await traces(engine, "ben") == {"declarations", "terms", "members", "listings"}
    assert await people.erase_left(NOW + KEEP_LEFT) == 0


async def test_whoever_comes_back_in_time_stands_where_they_stood(engine: AsyncEngine, people: SqlPeople) -> None:
    await people.declare("T1", "ann", {MLOPS: "lead"}, {"gdpr": "GDPR"}, NOW)
    await people.remember("T1", GONE, NOW)
    assert await named(people) == []
    before = await people.declaration("T1", "ann")
    await people.remember("T1", Member("ann", "Ann"), NOW + KEEP_LEFT - MINUTE)
    assert await people.erase_left(NOW + 2 * KEEP_LEFT) == 0
    assert await named(people) == ["ann"]
    assert await people.declaration("T1", "ann") == before
    # Whoever leaves once more has thirty days once more.
    await people.remember("T1", GONE, NOW + KEEP_LEFT)
    assert await people.erase_left(NOW + 2 * KEEP_LEFT - MINUTE) == 0
    assert await people.erase_left(NOW + 2 * KEEP_LEFT) == 1


async def test_a_file_may_name_people_who_have_left(engine: AsyncEngine, people: SqlPeople) -> None:
    who = Listed(GONE, {MLOPS: "lead"}, {})
    await SqlPeopleInBulk(engine, random.Random(1)).declare_many("T1", [who], NOW)
    assert await people.erase_left(NOW + KEEP_LEFT) == 1
    assert await traces(engine, "ann") == set()


async def test_two_processes_delete_each_leaver_once_and_nobody_who_is_back(
    address: str, engine: AsyncEngine, people: SqlPeople
) -> None:
    second = open_engine(address, KEYS)
    other = SqlPeople(second, random.Random(8))
    users = [f"u{at}" for at in range(9)]
    for user in users:
        await people.declare("T1", user, {MLOPS: "lead"}, {}, NOW)
        await people.remember("T1", Member(user, "", availability="deactivated"), NOW)
    later = NOW + KEEP_LEFT
    erased = await asyncio.gather(
        people.erase_left(later), other.erase_left(later), other.remember("T1", Member("u4", "Back"), later)
    )
    left = await named(people)
    # Back before the job came to them, or deleted: never half of it.
    assert left in ([], ["u4"])
    assert sum(count for count in erased if count is not None) == len(users) - len(left)
    async with engine.connect() as connection:
        for table in (declarations, terms, members, listings):
            found = {row.user_id for row in await connection.execute(select(table.c.user_id))}
            assert found == set(left)
    await second.dispose()
