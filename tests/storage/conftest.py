"""Both databases, at the current schema; every test that uses one runs on each."""

from __future__ import annotations

import random
import shutil
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from sqlalchemy import event
from sqlalchemy.ext.asyncio import AsyncEngine

from storage.database import open_engine, sqlite_file
from storage.feedback import SqlFeedback
from storage.inbox import SqlInbox
from storage.people import SqlPeople
from storage.threads import SqlThreads
from storage.workspaces import SqlWorkspaces
from tests.databases import BOTH, KEYS, drop_everything, postgres_database

NOW = datetime(2026, 5, 4, 9, tzinfo=UTC)


def url(file: Path) -> str:
    return f"sqlite+aiosqlite:///{file}"


def database_files(address: str) -> list[Path]:
    """Return the files of an SQLite database: what is in it may still stand in the log beside it."""
    file = sqlite_file(address)
    assert file is not None
    return [found for found in file.parent.glob(f"{file.name}*") if found.suffix != ".key"]


@pytest.fixture(params=BOTH)
def address(request: pytest.FixtureRequest, empty_database: Path, tmp_path: Path) -> str:
    """The address of a database at head, without a row."""
    if request.param == "postgresql":
        return str(request.getfixturevalue("postgres"))
    return url(Path(shutil.copy(empty_database, tmp_path / "bot.sqlite3")))


@pytest_asyncio.fixture
async def engine(address: str) -> AsyncIterator[AsyncEngine]:
    engine = open_engine(address, KEYS)
    yield engine
    await engine.dispose()


@pytest_asyncio.fixture
async def impatient(address: str, engine: AsyncEngine) -> AsyncIterator[AsyncEngine]:
    """Another process, which is refused at once where it would have to wait."""
    other = open_engine(address, KEYS)
    setting = "SET lock_timeout = 50" if other.dialect.name == "postgresql" else "PRAGMA busy_timeout = 0"

    @event.listens_for(other.sync_engine, "connect")
    def at_once(connection: Any, _record: Any) -> None:
        connection.cursor().execute(setting)

    yield other
    await other.dispose()


@pytest.fixture(scope="session")
def blank_postgres() -> Iterator[str]:
    """A database on the server whose schema comes and goes."""
    with postgres_database(at_head=False) as address:
        yield address


@pytest.fixture(params=BOTH)
def blank(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The address of a database without a schema, once ``empty`` has opened it."""
    if request.param == "postgresql":
        return str(request.getfixturevalue("blank_postgres"))
    return url(tmp_path / "empty.sqlite3")


@pytest_asyncio.fixture
async def empty(blank: str) -> AsyncIterator[AsyncEngine]:
    engine = open_engine(blank, KEYS)
    if engine.dialect.name == "postgresql":
        await drop_everything(engine)
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
    return SqlInbox(engine, "one")


@pytest.fixture
def feedback(engine: AsyncEngine) -> SqlFeedback:
    return SqlFeedback(engine)


@pytest.fixture
def workspaces(engine: AsyncEngine) -> SqlWorkspaces:
    return SqlWorkspaces(engine, lambda: NOW)
