"""Open the database and bring its schema up to date."""

from __future__ import annotations

import asyncio
import re
import sqlite3
import time
from functools import partial
from pathlib import Path
from typing import Any

from sqlalchemy import Table, event, func, make_url, select, text
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import URL, Dialect, ExceptionContext
from sqlalchemy.exc import InvalidatePoolError, OperationalError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine
from sqlalchemy.pool import ConnectionPoolEntry, NullPool

from storage import at_once
from storage.keys import Keys

MIGRATIONS = Path(__file__).with_name("migrations")
SQLITE_CONNECTIONS = 3
SQLITE_BUSY_SECONDS = 5.0
"""How long a connection waits for another that writes."""
SQLITE_SYNCHRONOUS = "FULL"
"""What is committed survives a power cut: an event acknowledged to Slack is not lost. See ``only_writer_for``, too."""
SQLITE_CHECKPOINT_PAGES = 4_000
"""So many pages wait in the log beside the file, 16 MB, until a commit copies them into it. SQLite's own number is
1,000: a suggestion of whom to ask writes ten, and one in a hundred had to wait for the copying."""
SQLITE_MAPPED_BYTES = 2**30
"""So much of the file is read where the system keeps it in memory, and not copied from there page by page: each
connection keeps 2 MB of copies, and in a large workspace hardly a page is needed twice in a row."""
POSTGRES_CONNECTIONS = 10
POSTGRES_SECONDS = 10.0
"""Seconds until connecting to PostgreSQL, or one statement, is given up."""
POSTGRES_IDLE_SECONDS = 5.0
"""So long unused, a connection is tried before it is used."""
MIGRATION_LOCK = 7_230_114
"""Any number that nothing else in the database takes an advisory lock by."""


def engine_url(database_url: str) -> URL:
    """Return the URL with the asynchronous driver that this project uses.

    Raises ValueError, with a sentence, for a URL that is malformed or names another database.
    """
    try:
        # Hosting services still hand out postgres://, which SQLAlchemy does not know.
        url = make_url(database_url.replace("postgres://", "postgresql://", 1))
    except Exception as error:
        raise ValueError("DATABASE_URL is not a database address; an example: sqlite+aiosqlite:///bot.db") from error
    if url.get_backend_name() == "sqlite":
        return url.set(drivername="sqlite+aiosqlite")
    if url.get_backend_name() == "postgresql":
        query = dict(url.query)
        if "sslmode" in query:
            # libpq's name for it; asyncpg says ssl.
            query["ssl"] = query.pop("sslmode")
        return url.set(drivername="postgresql+asyncpg", query=query)
    raise ValueError(
        f"DATABASE_URL begins with {url.drivername}; SQLite (sqlite+aiosqlite:///path/to/file) and "
        "PostgreSQL (postgresql://user@host/name) are known"
    )


def sqlite_file(database_url: str) -> Path | None:
    """Return the file of an SQLite URL; None for one in memory and for PostgreSQL."""
    url = engine_url(database_url)
    in_file = url.get_backend_name() == "sqlite" and url.database and url.database != ":memory:"
    return Path(str(url.database)).expanduser() if in_file else None


def open_engine(database_url: str, keys: Keys | None = None, *, mapped: bool = True) -> AsyncEngine:
    """Make the engine; the folder of an SQLite file is made where it is missing.

    ``keys`` open and close encrypted columns; without them those columns can't be used. What is ``mapped`` of an SQLite
    file counts as memory of the process, which is much for one that goes through the whole file.
    """
    url = engine_url(database_url)
    if url.get_backend_name() == "postgresql":
        engine = create_async_engine(
            url,
            hide_parameters=True,  # parameters are what people wrote
            pool_size=POSTGRES_CONNECTIONS,
            max_overflow=0,
            pool_use_lifo=True,  # each connection plans for itself
            pool_timeout=POSTGRES_SECONDS,
            connect_args={"timeout": POSTGRES_SECONDS, "command_timeout": POSTGRES_SECONDS},
        )
        event.listen(engine.sync_engine, "handle_error", _hide_values)
        event.listen(engine.sync_engine, "checkout", partial(_see_that_it_is_there, engine.dialect))
        event.listen(engine.sync_engine, "checkin", _note_use)
    else:
        file = sqlite_file(database_url)
        pool: dict[str, int] = {}
        if file is not None:
            file.parent.mkdir(parents=True, exist_ok=True)
            # Few connections, and none beyond: whoever has to wait waits in line here. SQLite's own wait for its one
            # writer is a lottery, in which with fifteen connections somebody loses for a second. The one that was used
            # last is used next: whatever the others have read is thrown away when they see that it wrote.
            pool = {"pool_size": SQLITE_CONNECTIONS, "max_overflow": 0, "pool_use_lifo": True}
        engine = create_async_engine(url, hide_parameters=True, **pool)
        event.listen(engine.sync_engine, "do_connect", at_once.connect)
        event.listen(engine.sync_engine, "connect", _prepare_sqlite)
        if mapped:
            event.listen(engine.sync_engine, "connect", _map_sqlite)
        event.listen(engine.sync_engine, "reset", _wait_for_the_disk_again)
    engine.dialect.keys = keys  # type: ignore[attr-defined]  # read by tables.keys_of
    return engine


def _prepare_sqlite(connection: Any, _record: Any) -> None:
    cursor = connection.cursor()
    # A new file is its owner's alone, and so is the log beside it, which SQLite makes with the same mode.
    cursor.execute("PRAGMA database_list")
    name = cursor.fetchone()[2]
    if name and (file := Path(name)).stat().st_size == 0:
        file.chmod(0o600)
    # WAL: readers do not wait for the writer.
    cursor.execute("PRAGMA journal_mode = WAL")
    cursor.execute(f"PRAGMA synchronous = {SQLITE_SYNCHRONOUS}")
    cursor.execute(f"PRAGMA wal_autocheckpoint = {SQLITE_CHECKPOINT_PAGES}")
    cursor.execute(f"PRAGMA busy_timeout = {SQLITE_BUSY_SECONDS * 1_000:.0f}")
    cursor.execute("PRAGMA foreign_keys = ON")
    cursor.close()


def _map_sqlite(connection: Any, _record: Any) -> None:
    """Read the file where the system has it in memory.

    Whoever cuts the file short meanwhile, or copies another over it, ends the process by SIGBUS, and nothing is logged.
    """
    cursor = connection.cursor()
    cursor.execute(f"PRAGMA mmap_size = {SQLITE_MAPPED_BYTES}")
    cursor.close()


def _see_that_it_is_there(dialect: Dialect, connection: Any, record: ConnectionPoolEntry, _taken: Any) -> None:
    """Take none of the pool's connections that a restarted server or a firewall left dead.

    The pool's own ``pool_pre_ping`` asks the server three times before each use. Where the server ended a connection,
    the driver knows that by itself; where something between dropped it silently, it was not used for a while.
    """
    used = record.info.get(_USED)
    if connection.driver_connection.is_closed():
        raise InvalidatePoolError
    if used is not None and time.monotonic() - used > POSTGRES_IDLE_SECONDS:
        try:
            dialect.do_ping(connection)
        except Exception as error:
            raise InvalidatePoolError from error


def _note_use(_connection: Any, record: ConnectionPoolEntry) -> None:
    record.info[_USED] = time.monotonic()


_USED = "used"
"""When a connection was given back last."""


def _hide_values(context: ExceptionContext) -> None:
    """Take out of an error what hide_parameters leaves in it: the server and the driver quote rows and values."""
    for outer in (context.sqlalchemy_exception, context.original_exception):
        error: BaseException | None = outer
        while error is not None:
            error.args = tuple(_VALUES.sub(r"\1", arg) if isinstance(arg, str) else arg for arg in error.args)
            if isinstance(getattr(error, "detail", None), str):
                error.detail = None  # type: ignore[attr-defined]  # asyncpg's: the row that failed
            error = error.__cause__ or error.__context__


_VALUES = re.compile(r"(invalid input for query argument \$\d+): .*|\nDETAIL: .*", re.DOTALL)


def insert_into(engine: AsyncEngine | AsyncConnection, table: Table) -> Any:
    """Return an INSERT that knows ON CONFLICT, in the dialect of the engine."""
    return insert_for(engine.dialect.name, table)


def insert_for(dialect: str, table: Table) -> Any:
    """Return the same for a dialect by its name."""
    return postgresql.insert(table) if dialect == "postgresql" else sqlite.insert(table)


def for_single_statements(engine: AsyncEngine) -> AsyncEngine:
    """Return the engine for transactions of one statement: PostgreSQL begins and ends those by itself.

    That spares two of three round trips. SQLite's driver would have to be told in its thread, before and after.
    """
    return engine.execution_options(isolation_level="AUTOCOMMIT") if engine.dialect.name == "postgresql" else engine


async def only_writer_for(connection: AsyncConnection, workspace: str, *users: str, lasting: bool = True) -> None:
    """Let no other transaction write about these people until this one ends; its first statement.

    Where it need not be ``lasting``, its commit does not wait for the disk: a power cut right after may take it back,
    and nothing else. Any other transaction is on the disk once it is committed, with all that was written before it.
    Such a transaction is about a few rows: PostgreSQL finds them by an index, also where it planned that while the
    tables were empty.
    """
    if connection.dialect.name == "postgresql":
        # Always in the same order, or two transactions about the same people could hold each other up.
        keys = [f"{workspace}/{user}" for user in sorted(users)]
        if keys:
            await connection.execute(_LOCK if lasting else _LOCK_LIGHTLY, {"keys": keys})
        return
    # SQLite has one writer, but by itself only from the first write on: what was read before may be old by then.
    script, raw = "BEGIN IMMEDIATE", await connection.get_raw_connection()
    if not lasting:
        script, raw.info[_LIGHT] = f"PRAGMA synchronous = NORMAL; {script}", True
    driver: Any = raw.driver_connection
    try:
        # At once: statement by statement the driver's thread would be waited for three times each.
        await driver.executescript(script)
    except sqlite3.Error as error:
        raise OperationalError(script, None, error) from error
    except asyncio.CancelledError:
        # The driver's thread goes on, and may become the writer all the same: nobody is to be given such a connection.
        await connection.invalidate()
        raise


def _wait_for_the_disk_again(connection: Any, record: ConnectionPoolEntry, _state: Any) -> None:
    """Give no connection back to the pool that does not wait for the disk; where this fails, it is closed."""
    if _LIGHT in record.info:
        connection.run_async(lambda driver: driver.execute(f"PRAGMA synchronous = {SQLITE_SYNCHRONOUS}"))
        del record.info[_LIGHT]


_LIGHT = "does not wait for the disk"
_KEYS = "FROM unnest(CAST(:keys AS text[])) AS all_of(key)"
_LOCK = text(f"SELECT pg_advisory_xact_lock(hashtextextended(key, 0)) {_KEYS}")
_LOCK_LIGHTLY = text(
    "SELECT set_config('synchronous_commit', 'off', true), set_config('enable_seqscan', 'off', true),"
    f" pg_advisory_xact_lock(hashtextextended(key, 0)) {_KEYS}"
)


async def plan_once(connection: AsyncConnection) -> None:
    """Let PostgreSQL plan what this transaction reads once, whatever the values, and not at every call; before it.

    For what has many ranges planning takes longer than reading. Left to itself PostgreSQL plans such a thing for its
    values again and again, as it expects fewer rows then. By an index in any case: the tables may have been small then.
    Not compiled: in large workspaces the cost that it estimates passes ``jit_above_cost``, and compiling so many ranges
    takes 130 ms, reading them 5. https://www.postgresql.org/docs/current/jit-decision.html
    """
    if connection.dialect.name == "postgresql":
        await connection.exec_driver_sql(_PLAN_ONCE)


_PLAN_ONCE = (
    "SELECT set_config('plan_cache_mode', 'force_generic_plan', true), set_config('enable_seqscan', 'off', true),"
    " set_config('jit', 'off', true)"
)


async def migrate(engine: AsyncEngine, revision: str = "head") -> None:
    """Bring the schema to a revision, forward or back; ``base`` empties it."""
    if engine.dialect.name == "postgresql":
        # Without the limit of time that the bot's own statements have: an index over many rows takes its time, and so
        # does waiting for another process that builds it.
        alone = create_async_engine(engine.url, hide_parameters=True, poolclass=NullPool)
        try:
            await _migrate(alone, revision)
        finally:
            await alone.dispose()
    else:
        await _migrate(engine, revision)


async def _migrate(engine: AsyncEngine, revision: str) -> None:
    # Imported here: Alembic takes a quarter of a second that a server at its current schema need not pay.
    from alembic import command
    from alembic.config import Config

    async with engine.begin() as connection:
        # Of two processes that start together the second waits and finds the work done.
        if engine.dialect.name == "postgresql":
            await connection.execute(select(func.pg_advisory_xact_lock(MIGRATION_LOCK)))
        else:
            # Python's sqlite3 opens no transaction for DDL by itself; with one a migration is done wholly or not.
            await connection.exec_driver_sql("BEGIN IMMEDIATE")
        current = await schema_version(connection)

        def run(sync: Any) -> None:
            config = Config()
            config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
            config.attributes["connection"] = sync
            if revision == "head" or (revision in versions() and (current or "") <= revision):
                command.upgrade(config, revision)
            else:
                command.downgrade(config, revision)

        await connection.run_sync(run)


def versions() -> list[str]:
    """Return every schema version, oldest first, read from the names of the migration files."""
    return sorted(entry.name.split("_")[0] for entry in (MIGRATIONS / "versions").glob("[0-9]*.py"))


def head_version() -> str:
    """Return the newest schema version."""
    return versions()[-1]


async def schema_version(connection: AsyncConnection) -> str | None:
    """Return the database's schema version, or None where there is none yet."""
    exists = await connection.run_sync(lambda sync: sync.dialect.has_table(sync, "alembic_version"))
    if not exists:
        return None
    found = await connection.scalar(text("SELECT version_num FROM alembic_version"))
    return str(found) if found else None
