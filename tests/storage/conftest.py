"""A real SQLite file, at the current schema."""

from __future__ import annotations

import asyncio
import random
import shutil
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
import pytest_asyncio
from sqlalchemy.ext.asyncio import AsyncEngine

from storage.database import migrate, open_engine
from storage.inbox import SqlInbox
from storage.people import SqlPeople
from storage.threads import SqlThreads

NOW = datetime(2026, 5, 4, 9, tzinfo=UTC)


def url(file: Path) -> str:
    return f"sqlite+aiosqlite:///{file}"


@pytest.fixture(scope="session")
def migrated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An empty database at head, made once: every test takes a copy."""
    file = tmp_path_factory.mktemp("schema") / "head.sqlite3"

    async def make() -> None:
        engine = open_engine(url(file))
        await migrate(engine)
        await engine.dispose()

    asyncio.run(make())
    return file


@pytest_asyncio.fixture
async def engine(migrated: Path, tmp_path: Path) -> AsyncIterator[AsyncEngine]:
    file = tmp_path / "bot.sqlite3"
    shutil.copy(migrated, file)
    engine = open_engine(url(file))
    yield engine
    await engine.dispose()


@pytest.fixture
def people(engine: AsyncEngine) -> SqlPeople:
    return SqlPeople(engine, random.Random(7))


@pytest.fixture
def threads(engine: AsyncEngine) -> SqlThreads:
    return SqlThreads(engine)


@pytest.fixture
def inbox(engine: AsyncEngine) -> SqlInbox:
    return SqlInbox(engine)
