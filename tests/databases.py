"""Databases for tests: a copy of an SQLite file at head, and databases of this run's own on a PostgreSQL server."""

from __future__ import annotations

import asyncio
import os
import secrets
from collections.abc import Awaitable, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from typing import Any

import pytest
from sqlalchemy import exists, select, text
from sqlalchemy.engine import URL, Compiled
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlalchemy.pool import NullPool

from storage.database import engine_url, migrate, open_engine
from storage.keys import Keys, new_key
from storage.tables import metadata

SERVER = os.environ.get("TEST_DATABASE_URL") or "postgresql://root@127.0.0.1:5432/test"
KEY = new_key()
KEYS = Keys([KEY])
BOTH = ("sqlite", "postgresql")
ON_BOTH = pytest.mark.parametrize("database", BOTH, indirect=True)
ON_POSTGRES = pytest.mark.parametrize("database", ["postgresql"], indirect=True)


class CompiledOnce(dict[Any, Compiled]):
    """Keep what SQLAlchemy makes of statements for all engines of a dialect: each test opens one, and asks the same.

    A key begins with the engine's own dialect; nothing in ours differs from engine to engine but the encryption keys,
    which no statement holds.
    """

    def get(self, key: Any, default: Any = None) -> Any:
        return super().get((key[0].name, *key[1:]), default)

    def __setitem__(self, key: Any, compiled: Compiled) -> None:
        super().__setitem__((key[0].name, *key[1:]), compiled)


make_engine = partial(create_async_engine, execution_options={"compiled_cache": CompiledOnce()})


@contextmanager
def postgres_database(*, at_head: bool) -> Iterator[str]:
    """Make a database, give its address, and drop it; without a server the test is skipped, and in CI it fails."""
    name = f"genai_roles_{os.getpid()}_{secrets.token_hex(4)}"
    address = engine_url(SERVER).set(database=name)

    async def make() -> None:
        await on_server(f'CREATE DATABASE "{name}"')
        # Nothing here has to survive a power cut.
        await on_server(f'ALTER DATABASE "{name}" SET synchronous_commit = off')
        if at_head:
            await with_engine(address, migrate)

    try:
        asyncio.run(make())
    except (OSError, TimeoutError) as error:
        why = f"No PostgreSQL answers at {engine_url(SERVER).render_as_string()}: {error}"
        if os.environ.get("CI") == "true":
            pytest.fail(why)
        pytest.skip(why)
    try:
        yield address.render_as_string(hide_password=False)
    finally:
        asyncio.run(on_server(f'DROP DATABASE "{name}" WITH (FORCE)'))


async def on_server(statement: str) -> None:
    """Run a statement that no transaction can hold."""
    engine = create_async_engine(
        engine_url(SERVER).set(database="postgres"), isolation_level="AUTOCOMMIT", poolclass=NullPool
    )
    async with engine.connect() as connection:
        await connection.execute(text(statement))
    await engine.dispose()


async def with_engine(address: URL, do: Callable[[AsyncEngine], Awaitable[None]]) -> None:
    engine = open_engine(address.render_as_string(hide_password=False))
    await do(engine)
    await engine.dispose()


HAS_ROWS = select(*(exists(table).label(table.name) for table in metadata.sorted_tables))


async def empty_tables(engine: AsyncEngine) -> None:
    """Delete every row; not by TRUNCATE, which makes a new file for every table and index, however few the rows."""
    async with engine.begin() as connection:
        [found] = (await connection.execute(HAS_ROWS)).mappings()
        for table in reversed(metadata.sorted_tables):
            if found[table.name]:
                await connection.execute(table.delete())


class Emptied:
    """A database that is emptied for each test, over a connection that stays: a new one would read the whole catalog.

    It has a loop of its own, in a thread of its own: those of tests come and go.
    """

    def __init__(self, address: str) -> None:
        self.address = address
        self._engine = create_async_engine(engine_url(address), pool_size=1, pool_pre_ping=True)
        self._thread = ThreadPoolExecutor(1)
        self._runner = asyncio.Runner()

    def __call__(self) -> str:
        """Delete every row before anything uses it; return the address."""
        self._thread.submit(lambda: self._runner.run(empty_tables(self._engine))).result()
        return self.address

    def close(self) -> None:
        self._thread.submit(lambda: self._runner.run(self._engine.dispose())).result()
        self._thread.submit(self._runner.close).result()
        self._thread.shutdown()


async def drop_everything(engine: AsyncEngine) -> None:
    """Leave a database as new."""
    async with engine.begin() as connection:
        await connection.execute(text("DROP SCHEMA public CASCADE"))
        await connection.execute(text("CREATE SCHEMA public"))
