"""The tables spread by workspace, as docs/scaling.md shows it."""

from __future__ import annotations

import random
import re
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlalchemy.pool import NullPool

from knowledge.answers import Subject
from knowledge.people import Member
from storage.database import migrate
from storage.inbox import KEEP, LEASE, Event, SqlInbox
from storage.people import SqlPeople
from storage.tables import metadata
from storage.threads import SqlThreads
from tests.storage.conftest import NOW

PAGE = Path(__file__).parents[2] / "docs" / "scaling.md"
WORKSPACES = [f"T{number}" for number in range(20)]


@pytest.mark.parametrize("blank", ["postgresql"], indirect=True)
async def test_everything_works_on_tables_that_are_partitioned_by_workspace(empty: AsyncEngine) -> None:
    await migrate(empty)
    one, two = SqlInbox(empty, "one"), SqlInbox(empty, "two")
    assert await one.add(Event("T1", "Ev-before", "{}"), NOW)
    [sql] = re.findall(r"```sql\n(.*?)```", PAGE.read_text("utf-8"), re.DOTALL)
    # As an operator's psql would: the bot's own engine gives up on a statement after some seconds, and this one may
    # take longer.
    patient = create_async_engine(empty.url, poolclass=NullPool)
    async with patient.begin() as connection:
        await connection.exec_driver_sql(sql)
        spread = text("SELECT count(*) FROM pg_partitioned_table")
        assert await connection.scalar(spread) == len(
            [table for table in metadata.tables.values() if "workspace" in table.c]
        )
    await patient.dispose()

    assert not await two.add(Event("T1", "Ev-before", "{}"), NOW), "what was there is there"
    await one.done([Event("T1", "Ev-before", "")])
    people, threads = SqlPeople(empty, random.Random(7)), SqlThreads(empty)
    sent = [Event(workspace, "Ev1", "{}", "C1", "1.1", "U1") for workspace in WORKSPACES]
    for event in sent:
        assert await one.add(event, NOW)
        assert not await two.add(event, NOW)
        assert not await two.add(Event(event.workspace, "Ev2", "{}", "C1", "1.1", "U1"), NOW), "an edit of it"
        for _ in range(2):
            await people.declare(event.workspace, "U1", {"mlops-engineer": "lead"}, {"gdpr": "GDPR"}, NOW)
            await people.remember(event.workspace, Member("U1", "Ann"), NOW)
            await threads.remember(event.workspace, "C1", "1.1", "U1", Subject(tools=("jax",)), NOW)
        assert await people.count(event.workspace) == 2
    await one.renew(NOW)
    taken = await two.take_over(NOW + LEASE + timedelta(seconds=1))
    assert sorted(event.workspace for event in taken) == sorted(WORKSPACES)
    await two.done(taken)
    assert await people.forget("T3", "U1") == 5
    [candidate] = await people.candidates("T4", topics=["gdpr"], roles=[], without=None, now=NOW)
    assert candidate.name == "Ann"
    assert await two.prune(NOW + KEEP + timedelta(seconds=1)) == len(WORKSPACES) + 1
