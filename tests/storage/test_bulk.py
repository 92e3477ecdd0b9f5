"""How many people are written at once, whatever there was before."""

from __future__ import annotations

import random
from typing import Any

import pytest
from sqlalchemy import event, text
from sqlalchemy.ext.asyncio import AsyncEngine

from knowledge.people import Listed, Member
from storage.bulk import MOST_AT_ONCE, SqlPeopleInBulk
from tests.storage.conftest import NOW

MLOPS = "mlops-engineer"


@pytest.mark.parametrize("address", ["postgresql"], indirect=True)
async def test_an_import_lets_the_database_see_how_many_people_there_are_whenever_they_have_doubled(
    engine: AsyncEngine,
) -> None:
    bulk = SqlPeopleInBulk(engine, random.Random(7))
    everybody = [Listed(Member(f"U{at:05}", "Ann"), {MLOPS: "lead"}, {}) for at in range(4 * MOST_AT_ONCE)]
    seen: list[float] = []
    async with engine.begin() as connection:
        # Or the server could do it by itself in between.
        await connection.execute(text("ALTER TABLE terms SET (autovacuum_enabled = off)"))
        await connection.execute(text("ANALYZE terms"))
    for start in range(0, len(everybody), MOST_AT_ONCE):
        await bulk.declare_many("T1", everybody[start : start + MOST_AT_ONCE], NOW)
        async with engine.connect() as connection:
            # As it plans by; of a table so small it counts every row.
            seen.append(await connection.scalar(text("SELECT reltuples FROM pg_class WHERE relname = 'terms'")) or 0)
    async with engine.begin() as connection:
        await connection.execute(text("ALTER TABLE terms RESET (autovacuum_enabled)"))
    assert seen == [500, 1000, 1000, 2000]


@pytest.mark.parametrize("address", ["postgresql"], indirect=True)
async def test_the_rows_of_a_table_are_one_statement(engine: AsyncEngine) -> None:
    wrote: list[str] = []

    @event.listens_for(engine.sync_engine, "before_cursor_execute")
    def note(_c: Any, _cursor: Any, statement: str, _given: Any, _context: Any, many: bool) -> None:
        if statement.startswith("INSERT"):
            wrote.append(f"{' '.join(statement.split()[:3])}{' row by row' if many else ''}")

    listed = [Listed(Member(f"U{at:05}", "Ann"), {MLOPS: "lead"}, {"gdpr": "GDPR"}) for at in range(20)]
    bulk = SqlPeopleInBulk(engine, random.Random(7))
    assert await bulk.declare_many("T1", listed, NOW) == ["added"] * 20
    assert wrote == [f"INSERT INTO {table}" for table in ("declarations", "terms", "members", "listings")]


@pytest.mark.parametrize("address", ["postgresql"], indirect=True)
async def test_an_import_waits_for_nobody_who_cleans_a_table_up(engine: AsyncEngine, impatient: AsyncEngine) -> None:
    listed = [Listed(Member(f"U{at:05}", "Ann"), {MLOPS: "lead"}, {}) for at in range(MOST_AT_ONCE)]
    async with engine.begin() as connection:
        # As VACUUM does.
        await connection.execute(text("LOCK TABLE listings IN SHARE UPDATE EXCLUSIVE MODE"))
        became = await SqlPeopleInBulk(impatient, random.Random(7)).declare_many("T1", listed, NOW)
    assert became == ["added"] * MOST_AT_ONCE
