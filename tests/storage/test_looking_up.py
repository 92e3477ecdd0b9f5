"""Whose profile is looked up unasked, and what becomes of those who left, on both databases."""

from __future__ import annotations

import asyncio
import random
from datetime import timedelta

import pytest
from sqlalchemy import select, update
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
    later = NOW + LOOK_UP_AGAIN
    assert await to_look_up.claim("T1", NOW + MINUTE, NOW + 9 * MINUTE) == "ben"
    assert await to_look_up.claim("T1", NOW + 8 * MINUTE, later) is None
    # Nothing was kept of him meanwhile.
    assert await to_look_up.claim("T1", NOW + 9 * MINUTE, later - MINUTE) == "ben"
    assert await to_look_up.claim("T1", later, later + MINUTE) == "ben"
    assert await to_look_up.claim("T1", later, later + MINUTE) == "ann"
    assert await to_look_up.claim("T1", later, later + MINUTE) is None


async def test_what_was_not_looked_up_leaves_who_is_away_and_how_fresh_that_is(
    people: SqlPeople, to_look_up: SqlToLookUp
) -> None:
    await people.declare("T1", "ann", {MLOPS: "lead"}, {}, NOW)
    await people.remember("T1", Member("ann", "Ann"), NOW, looked_up=False)
    assert await people.profile("T1", "ann") == Member("ann", "Ann")
    assert await people.unchecked("T1", ["ann"], NOW) == ["ann"], "never looked up"
    await people.remember("T1", Member("ann", "Ann", availability="away"), NOW)
    later = NOW + LOOK_UP_AGAIN
    await people.remember("T1", Member("ann", "Ann", "Weaver"), later - MINUTE, looked_up=False)
    assert await people.profile("T1", "ann") == Member("ann", "Ann", "Weaver", availability="away")
    assert await people.unchecked("T1", ["ann"], NOW) == []
    assert await people.unchecked("T1", ["ann"], NOW + MINUTE) == ["ann"]
    assert await to_look_up.claim("T1", later, later + MINUTE) == "ann"
    # What a profile does say counts at once.
    for said in ("ooo", "active", "deactivated"):
        member = Member("ann", "Ann", availability=said)
        await people.remember("T1", member, later, looked_up=False)
        assert await people.profile("T1", "ann") == member
    assert await people.erase_left(later + KEEP_LEFT) == 1


async def test_workspaces_are_found_in_which_somebody_waits_however_many_wait_in_one(
    engine: AsyncEngine, people: SqlPeople, to_look_up: SqlToLookUp
) -> None:
    assert await to_look_up.workspaces(NOW) == []
    many = [Listed(Member(f"u{at}", ""), {MLOPS: "lead"}, {}) for at in range(30)]
    bulk = SqlPeopleInBulk(engine, random.Random(1))
    for workspace, listed in {"T1": many, "T2": many[:1], "T3": many[:1], "T4": many[1:2]}.items():
        await bulk.declare_many(workspace, listed, NOW)
    await people.remember("T2", Member("u0", ""), NOW)
    # Kept for other reasons, and never looked up.
    async with engine.begin() as connection:
        await connection.execute(update(terms).where(terms.c.workspace == "T3").values(look_up_at=None))
    assert list(await to_look_up.workspaces(NOW - MINUTE)) == []
    assert list(await to_look_up.workspaces(NOW)) == ["T1", "T4"]
    assert list(await to_look_up.workspaces(NOW + LOOK_UP_AGAIN)) == ["T1", "T2", "T4"]


async def test_of_two_processes_one_takes_each_turn(address: str, engine: AsyncEngine, to_look_up: SqlToLookUp) -> None:
    second = open_engine(address, KEYS)
    listed = [Listed(Member(f"u{at}", ""), {MLOPS: "lead"}, {}) for at in range(9)]
    await SqlPeopleInBulk(engine, random.Random(1)).declare_many("T1", listed, NOW)
    both = [to_look_up, SqlToLookUp(second)]
    taken = await asyncio.gather(*(one.claim("T1", NOW, NOW + MINUTE) for _ in range(6) for one in both))
    found = [user for user in taken if user is not None]
    # Of two who reach for the last ones at once, one may find nobody.
    assert len(found) == len(set(found))
    while (user := await to_look_up.claim("T1", NOW, NOW + MINUTE)) is not None:
        found.append(user)
    assert sorted(found) == [one.member.user for one in listed]
    await second.dispose()


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
