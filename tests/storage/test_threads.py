"""What conversations are about."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta

import pytest
from sqlalchemy import func, select
from sqlalchemy.exc import StatementError
from sqlalchemy.ext.asyncio import AsyncEngine

from knowledge.answers import Subject
from storage.people import SqlPeople
from storage.tables import threads as table
from storage.threads import SqlThreads
from tests.storage.conftest import NOW

MLOPS = Subject(roles=("mlops-engineer", "data-engineer"), topics=("faq-rag",), tools=("mlflow",))


async def count(engine: AsyncEngine) -> int:
    async with engine.connect() as connection:
        return await connection.scalar(select(func.count()).select_from(table)) or 0


async def test_a_subject_comes_back_as_it_was(threads: SqlThreads) -> None:
    await threads.remember("T1", "C1", "1.1", "U1", MLOPS, NOW)
    assert await threads.subject("T1", "C1", "1.1", NOW - timedelta(hours=1)) == MLOPS


async def test_what_was_asked_and_who_was_named_comes_back(threads: SqlThreads) -> None:
    subject = Subject(
        roles=("mlops-engineer",), listed=("jax", "pytorch"), named=("0a1b",), facet="skills", part="decides"
    )
    await threads.remember("T1", "C1", "1.1", "U1", subject, NOW)
    assert await threads.subject("T1", "C1", "1.1", NOW) == subject


async def test_the_newest_subject_counts(threads: SqlThreads) -> None:
    await threads.remember("T1", "C1", "1.1", "U1", MLOPS, NOW)
    await threads.remember("T1", "C1", "1.1", "U2", Subject(tools=("jax",)), NOW + timedelta(minutes=1))
    assert await threads.subject("T1", "C1", "1.1", NOW) == Subject(tools=("jax",))


async def test_the_secret_of_a_workspace_that_is_back_is_the_new_one_in_every_process(
    engine: AsyncEngine, people: SqlPeople, threads: SqlThreads
) -> None:
    other = SqlThreads(engine)
    before = await threads.secret("T1")
    assert await other.secret("T1") == before
    await people.forget_workspace("T1")
    after = await other.secret("T1")
    assert after != before
    assert await threads.secret("T1") == after


async def test_a_subject_lives_from_when_it_was_touched(threads: SqlThreads) -> None:
    await threads.remember("T1", "C1", "1.1", "U1", MLOPS, NOW)
    assert await threads.subject("T1", "C1", "1.1", NOW) == MLOPS
    assert await threads.subject("T1", "C1", "1.1", NOW + timedelta(seconds=1)) is None


@pytest.mark.parametrize("where", [("T2", "C1", "1.1"), ("T1", "C2", "1.1"), ("T1", "C1", "1.2")])
async def test_conversations_are_kept_apart(threads: SqlThreads, where: tuple[str, str, str]) -> None:
    await threads.remember("T1", "C1", "1.1", "U1", MLOPS, NOW)
    assert await threads.subject(*where, NOW) is None


async def test_of_many_subjects_at_once_one_is_left(engine: AsyncEngine, threads: SqlThreads) -> None:
    subjects = [Subject(tools=(f"tool-{at}",)) for at in range(20)]
    await asyncio.gather(*(threads.remember("T1", "C1", "1.1", "U1", subject, NOW) for subject in subjects))
    assert await threads.subject("T1", "C1", "1.1", NOW) in subjects
    assert await count(engine) == 1


async def test_conversations_that_nobody_touched_since_are_dropped(engine: AsyncEngine, threads: SqlThreads) -> None:
    for at, workspace in enumerate(("T1", "T1", "T2")):
        await threads.remember(workspace, "C1", f"1.{at}", "U1", MLOPS, NOW - timedelta(minutes=at))
    assert await threads.prune(NOW) == 2
    assert await threads.subject("T1", "C1", "1.0", NOW) == MLOPS
    assert await count(engine) == 1


async def test_times_without_a_zone_are_refused(threads: SqlThreads) -> None:
    naive = datetime(2026, 5, 4)  # noqa: DTZ001 - that is the point
    with pytest.raises(StatementError, match="with their zone"):
        await threads.subject("T1", "C1", "1.1", naive)
