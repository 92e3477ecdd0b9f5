"""Open the database and bring its schema up to date."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from sqlalchemy import event, make_url, text
from sqlalchemy.engine import URL
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

MIGRATIONS = Path(__file__).with_name("migrations")
CONNECTIONS = 3


def engine_url(database_url: str) -> URL:
    """Return the URL with the asynchronous driver that this project uses.

    Raises ValueError, with a sentence, for a URL that is malformed or names another database.
    """
    try:
        url = make_url(database_url)
    except Exception as error:
        raise ValueError("DATABASE_URL is not a database address; an example: sqlite+aiosqlite:///bot.db") from error
    if url.get_backend_name() == "sqlite":
        return url.set(drivername="sqlite+aiosqlite")
    raise ValueError(
        f"DATABASE_URL begins with {url.drivername}; this version knows SQLite (sqlite+aiosqlite:///path/to/file)"
    )


def open_engine(database_url: str) -> AsyncEngine:
    """Make the engine; the folder of an SQLite file is made where it is missing."""
    url = engine_url(database_url)
    pool: dict[str, int] = {}
    if url.database and url.database != ":memory:":
        Path(url.database).expanduser().parent.mkdir(parents=True, exist_ok=True)
        # Few connections, and none beyond: whoever has to wait waits in line here. SQLite's own wait for its one writer
        # is a lottery, in which with fifteen connections somebody loses for a second.
        pool = {"pool_size": CONNECTIONS, "max_overflow": 0}
    engine = create_async_engine(url, hide_parameters=True, **pool)  # parameters are what people wrote

    @event.listens_for(engine.sync_engine, "connect")
    def prepare(connection: Any, _record: Any) -> None:
        cursor = connection.cursor()
        # WAL: readers do not wait for the writer. FULL: an event acknowledged to Slack survives a power cut.
        cursor.execute("PRAGMA journal_mode = WAL")
        cursor.execute("PRAGMA synchronous = FULL")
        cursor.execute("PRAGMA busy_timeout = 5000")
        cursor.execute("PRAGMA foreign_keys = ON")
        cursor.close()

    return engine


async def migrate(engine: AsyncEngine, revision: str = "head") -> None:
    """Bring the schema to a revision, forward or back; ``base`` empties it."""
    # Imported here: Alembic takes a quarter of a second that a server at its current schema need not pay.
    from alembic import command
    from alembic.config import Config

    async with engine.begin() as connection:
        # Python's sqlite3 opens no transaction for DDL by itself. With one a migration is done wholly or not at all,
        # and of two processes that start together the second waits and finds the work done.
        await connection.exec_driver_sql("BEGIN IMMEDIATE")
        current = await schema_version(connection)

        def run(sync: Any) -> None:
            config = Config()
            config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
            config.attributes["connection"] = sync
            known = [entry.name.split("_")[0] for entry in sorted((MIGRATIONS / "versions").glob("[0-9]*.py"))]
            if revision == "head" or (revision in known and (current or "") <= revision):
                command.upgrade(config, revision)
            else:
                command.downgrade(config, revision)

        await connection.run_sync(run)


def head_version() -> str:
    """Return the newest schema version, read from the names of the migration files."""
    return max(entry.name.split("_")[0] for entry in (MIGRATIONS / "versions").glob("[0-9]*.py"))


async def schema_version(connection: AsyncConnection) -> str | None:
    """Return the database's schema version, or None where there is none yet."""
    exists = await connection.run_sync(lambda sync: sync.dialect.has_table(sync, "alembic_version"))
    if not exists:
        return None
    found = await connection.scalar(text("SELECT version_num FROM alembic_version"))
    return str(found) if found else None
