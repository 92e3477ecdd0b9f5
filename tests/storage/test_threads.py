"""What conversations are about."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from sqlalchemy.exc import StatementError

from knowledge.answers import Subject
from storage.threads import SqlThreads
from tests.storage.conftest import NOW

MLOPS = Subject(roles=("mlops-engineer", "data-engineer"), topics=("faq-rag",), tools=("mlflow",))


async def test_a_subject_comes_back_as_it_was(threads: SqlThreads) -> None:
    await threads.remember("T1", "C1", "1.1", "U1", MLOPS, NOW)
    assert await threads.subject("T1", "C1", "1.1", NOW - timedelta(hours=1)) == MLOPS


async def test_the_newest_subject_counts(threads: SqlThreads) -> None:
    await threads.remember("T1", "C1", "1.1", "U1", MLOPS, NOW)
    await threads.remember("T1", "C1", "1.1", "U2", Subject(tools=("jax",)), NOW + timedelta(minutes=1))
    assert await threads.subject("T1", "C1", "1.1", NOW) == Subject(tools=("jax",))


async def test_a_subject_lives_from_when_it_was_touched(threads: SqlThreads) -> None:
    await threads.remember("T1", "C1", "1.1", "U1", MLOPS, NOW)
    assert await threads.subject("T1", "C1", "1.1", NOW) == MLOPS
    assert await threads.subject("T1", "C1", "1.1", NOW + timedelta(seconds=1)) is None


@pytest.mark.parametrize("where", [("T2", "C1", "1.1"), ("T1", "C2", "1.1"), ("T1", "C1", "1.2")])
async def test_conversations_are_kept_apart(threads: SqlThreads, where: tuple[str, str, str]) -> None:
    await threads.remember("T1", "C1", "1.1", "U1", MLOPS, NOW)
    assert await threads.subject(*where, NOW) is None


async def test_times_without_a_zone_are_refused(threads: SqlThreads) -> None:
    naive = datetime(2026, 5, 4)  # noqa: DTZ001 - that is the point
    with pytest.raises(StatementError, match="with their zone"):
        await threads.subject("T1", "C1", "1.1", naive)
