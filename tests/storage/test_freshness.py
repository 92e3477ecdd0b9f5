"""Whose turn it is to be asked, on both databases: each turn taken once, and what becomes of it."""

from __future__ import annotations

import asyncio
import random
from datetime import datetime, timedelta

import pytest
from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncEngine

from knowledge.freshness import ASK_AGAIN, CHECK_AFTER, Due
from knowledge.people import Level, Member, Terms
from storage.database import open_engine
from storage.freshness import SqlFreshness
from storage.moments import FAR
from storage.people import SqlPeople
from storage.tables import terms
from tests.databases import KEYS
from tests.storage.conftest import NOW

MLOPS: dict[str, Level] = {"mlops-engineer": "lead"}
QUARTER = NOW + CHECK_AFTER
MINUTE = timedelta(minutes=1)


@pytest.fixture
def freshness(engine: AsyncEngine) -> SqlFreshness:
    return SqlFreshness(engine)


async def kept(engine: AsyncEngine, user: str = "ann") -> tuple[datetime | None, int, bool]:
    async with engine.connect() as connection:
        query = select(terms.c.check_at, terms.c.unanswered, terms.c.faded).where(terms.c.user_id == user)
        check_at, unanswered, faded = (await connection.execute(query)).one()
    return check_at, unanswered, faded


async def named(people: SqlPeople, now: datetime) -> list[str]:
    return [row.user for row in await people.candidates("T1", topics=(), roles=[*MLOPS], without=None, now=now)]


async def claimed(freshness: SqlFreshness, now: datetime = QUARTER) -> tuple[Due, datetime]:
    [due] = await freshness.due(now, 10)
    after = await freshness.claim(due, now)
    assert after == now + ASK_AGAIN
    return due, after


async def fades(freshness: SqlFreshness) -> datetime:
    """Ask three times in vain, and let it fade; return when that was."""
    now = QUARTER
    for _ in range(3):
        due, after = await claimed(freshness, now)
        assert not due.fades
        await freshness.asked(due, after)
        now = after
    due, after = await claimed(freshness, now)
    assert due.fades
    assert await freshness.fade(due, after)
    await freshness.told(due, after)
    return now


async def test_a_turn_comes_a_quarter_after_declaring(people: SqlPeople, freshness: SqlFreshness) -> None:
    await people.declare("T1", "ann", MLOPS, {}, NOW)
    await people.declare("T2", "ben", MLOPS, {}, NOW - MINUTE)
    await people.remember("T1", Member("ann", "Ann", tz="Asia/Tokyo"), NOW)
    assert await freshness.due(QUARTER - 2 * MINUTE, 10) == []
    ben, ann = Due("T2", "ben", "", NOW - MINUTE, 0), Due("T1", "ann", "Asia/Tokyo", NOW, 0)
    assert await freshness.due(QUARTER, 10) == [ben, ann]
    assert await freshness.due(QUARTER, 1) == [ben]


async def test_a_turn_is_taken_once(people: SqlPeople, freshness: SqlFreshness, engine: AsyncEngine) -> None:
    await people.declare("T1", "ann", MLOPS, {}, NOW)
    due, after = await claimed(freshness)
    assert await freshness.claim(due, QUARTER) is None
    assert await freshness.due(QUARTER + MINUTE, 10) == []
    assert await kept(engine) == (after, 0, False)
    await freshness.asked(due, after)
    assert await kept(engine) == (after, 1, False)


async def test_two_processes_at_once_take_each_turn_once(people: SqlPeople, address: str, engine: AsyncEngine) -> None:
    for number in range(30):
        await people.declare("T1", f"user {number}", MLOPS, {}, NOW)
    engines = [open_engine(address, KEYS), open_engine(address, KEYS)]
    taken: list[str] = []

    async def run(process: SqlFreshness, order: random.Random) -> None:
        found = list(await process.due(QUARTER, 100))
        order.shuffle(found)
        for due in found:
            if await process.claim(due, QUARTER) is not None:
                taken.append(due.user)

    await asyncio.gather(*(run(SqlFreshness(one), random.Random(at)) for at, one in enumerate(engines)))
    assert sorted(taken) == sorted(f"user {number}" for number in range(30))
    for one in engines:
        await one.dispose()


async def test_what_is_put_off_by_two_at_once_is_put_off(
    people: SqlPeople, address: str, freshness: SqlFreshness
) -> None:
    for number in range(30):
        await people.declare("T1", f"user {number}", MLOPS, {}, NOW)
    found = await freshness.due(QUARTER, 100)
    other = open_engine(address, KEYS)
    later = [(due, QUARTER + MINUTE) for due in found]
    await asyncio.gather(freshness.put_off(later, QUARTER), SqlFreshness(other).put_off(later[::-1], QUARTER))
    await other.dispose()
    assert await freshness.due(QUARTER, 100) == []
    assert len(await freshness.due(QUARTER + MINUTE, 100)) == 30
    # A turn that somebody took meanwhile is not moved.
    due = found[0]
    after = await freshness.claim(due, QUARTER + MINUTE)
    assert after is not None
    await freshness.put_off([(due, QUARTER + 2 * MINUTE)], QUARTER + MINUTE)
    assert len(await freshness.due(QUARTER + 2 * MINUTE, 100)) == 29
    await freshness.put_off([], QUARTER)


async def test_a_turn_that_came_to_nothing_comes_again_and_does_not_count(
    people: SqlPeople, freshness: SqlFreshness, engine: AsyncEngine
) -> None:
    await people.declare("T1", "ann", MLOPS, {}, NOW)
    due, after = await claimed(freshness)
    await freshness.not_asked(due, after, QUARTER + MINUTE)
    assert await freshness.due(QUARTER, 10) == []
    assert await freshness.due(QUARTER + MINUTE, 10) == [due]
    assert await kept(engine) == (QUARTER + MINUTE, 0, False)


async def test_a_process_that_ends_between_taking_and_asking_costs_two_weeks_and_nothing_else(
    people: SqlPeople, freshness: SqlFreshness
) -> None:
    await people.declare("T1", "ann", MLOPS, {}, NOW)
    due, after = await claimed(freshness)
    assert await freshness.due(after - MINUTE, 10) == []
    assert await freshness.due(after, 10) == [due]


async def test_an_answer_in_the_moment_of_asking_stands(
    people: SqlPeople, freshness: SqlFreshness, engine: AsyncEngine
) -> None:
    await people.declare("T1", "ann", MLOPS, {}, NOW)
    due, after = await claimed(freshness)
    assert await freshness.confirm("T1", "ann", QUARTER)
    await freshness.asked(due, after)
    await freshness.not_asked(due, after, QUARTER)
    assert not await freshness.fade(due, after)
    await freshness.told(due, after)
    assert await kept(engine) == (QUARTER + CHECK_AFTER, 0, False)


async def test_without_three_answers_it_fades_and_confirming_brings_it_back(
    people: SqlPeople, freshness: SqlFreshness, engine: AsyncEngine
) -> None:
    await people.declare("T1", "ann", MLOPS, {"gdpr": "GDPR"}, NOW)
    then = await fades(freshness)
    assert then == QUARTER + 3 * ASK_AGAIN
    assert await kept(engine) == (FAR, 3, True)
    assert await named(people, then) == []
    assert (await people.passed_over("T1", topics=(), roles=[*MLOPS], without=None, now=then)).faded == 1
    # Nothing is asked any more, and what Slack says of the person changes nothing.
    assert await freshness.due(then + timedelta(days=3650), 10) == []
    await people.remember("T1", Member("ann", "Ann"), then)
    assert await named(people, then) == []
    assert await freshness.confirm("T1", "ann", then)
    assert await named(people, then) == ["ann"]
    assert await kept(engine) == (then + CHECK_AFTER, 0, False)
    assert (await people.declaration("T1", "ann")).confirmed == then


async def test_declaring_again_brings_it_back_too(
    people: SqlPeople, freshness: SqlFreshness, engine: AsyncEngine
) -> None:
    await people.declare("T1", "ann", MLOPS, {}, NOW)
    then = await fades(freshness)
    await people.declare("T1", "ann", MLOPS, {}, then)
    assert await named(people, then) == ["ann"]
    assert await kept(engine) == (then + CHECK_AFTER, 0, False)


@pytest.mark.parametrize("reason", ["left", "hidden"])
async def test_confirming_does_not_bring_back_who_left_or_is_hidden(
    people: SqlPeople, freshness: SqlFreshness, reason: str
) -> None:
    await people.declare("T1", "ann", MLOPS, {}, NOW, Terms("hidden" if reason == "hidden" else "open"))
    await people.remember("T1", Member("ann", "", availability="deactivated" if reason == "left" else "active"), NOW)
    assert await freshness.confirm("T1", "ann", NOW)
    assert await named(people, NOW) == []


async def test_who_wants_no_questions_is_never_asked(
    people: SqlPeople, freshness: SqlFreshness, engine: AsyncEngine
) -> None:
    await people.declare("T1", "ann", MLOPS, {}, NOW)
    due, after = await claimed(freshness)
    await freshness.asked(due, after)
    assert await freshness.stop("T1", "ann")
    assert await kept(engine) == (None, 0, False)
    assert await named(people, FAR) == ["ann"]
    # Nor after confirming, from a question of before, or after changing something.
    assert await freshness.confirm("T1", "ann", QUARTER)
    await people.declare("T1", "ann", MLOPS, {"gdpr": "GDPR"}, QUARTER)
    assert await kept(engine) == (None, 0, False)
    assert await freshness.due(FAR - MINUTE, 10) == []


async def test_who_opens_the_form_has_answered(people: SqlPeople, freshness: SqlFreshness, engine: AsyncEngine) -> None:
    await people.declare("T1", "ann", MLOPS, {}, NOW)
    due, after = await claimed(freshness)
    await freshness.asked(due, after)
    assert await freshness.responded("T1", "ann")
    assert await kept(engine) == (after, 0, False)


async def test_of_who_declares_nothing_there_is_nothing_to_confirm(people: SqlPeople, freshness: SqlFreshness) -> None:
    await people.declare("T2", "ann", MLOPS, {}, NOW)
    assert await people.declares("T2", "ann")
    assert not await people.declares("T1", "ann")
    assert not await freshness.confirm("T1", "ann", NOW)
    assert not await freshness.stop("T1", "ann")
    assert not await freshness.responded("T1", "ann")


async def test_turns_that_the_migration_set_are_taken(
    people: SqlPeople, freshness: SqlFreshness, engine: AsyncEngine
) -> None:
    await people.declare("T1", "ann", MLOPS, {}, NOW)
    if engine.dialect.name == "sqlite":
        # As SQLite's own functions write a time: without a fraction of a second.
        async with engine.begin() as connection:
            await connection.execute(text("UPDATE terms SET check_at = datetime(check_at)"))
    await claimed(freshness)


async def test_a_workspaces_minute_goes_to_one_process(freshness: SqlFreshness, engine: AsyncEngine) -> None:
    others = [freshness, *(SqlFreshness(engine) for _ in range(3))]
    taken = await asyncio.gather(*(one.take_minute("T1", NOW) for one in others))
    assert [one for one in taken if one] == [NOW + MINUTE]
    # Nobody else has it until a minute after the last message; another workspace has its own.
    assert await freshness.take_minute("T1", NOW + MINUTE / 2, NOW) is None
    assert await freshness.take_minute("T1", NOW + MINUTE / 2, NOW + MINUTE) == NOW + 1.5 * MINUTE
    assert await freshness.take_minute("T1", NOW + MINUTE) is None
    assert await freshness.take_minute("T2", NOW + MINUTE) == NOW + 2 * MINUTE
    assert await freshness.take_minute("T1", NOW + 1.5 * MINUTE) == NOW + 2.5 * MINUTE
