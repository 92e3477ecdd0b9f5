"""The schema, its migrations and the engine."""

from __future__ import annotations

import asyncio
import shutil
import traceback
from contextlib import AsyncExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection, Date, bindparam, func, insert, inspect, select, text
from sqlalchemy.exc import DBAPIError, OperationalError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine
from sqlalchemy.pool import NullPool

from storage import database
from storage.database import engine_url, head_version, migrate, only_writer_for, open_engine, schema_version
from storage.inbox import Event, SqlInbox
from storage.tables import UtcTime, inbox, metadata
from tests.conftest import BUSY_SECONDS
from tests.storage.conftest import NOW, url

AS_SHIPPED = database.SQLITE_SYNCHRONOUS
"""Read before any fixture changes it.
"""
BROKEN = """
import sqlalchemy as sa
from alembic import op

revision = "9999"
down_revision = "{head}"


def upgrade() -> None:
    op.create_table("half_done", sa.Column("workspace", sa.String(length=32), primary_key=True))
    op.execute("SELECT nothing FROM nowhere")


def downgrade() -> None:
    op.drop_table("half_done")
"""


async def tables(engine: AsyncEngine) -> set[str]:
    async with engine.connect() as connection:
        return set(await connection.run_sync(lambda sync: inspect(sync).get_table_names()))


async def version(engine: AsyncEngine) -> str | None:
    async with engine.connect() as connection:
        return await schema_version(connection)


async def test_migrations_go_forward_and_back_and_forward_again(empty: AsyncEngine) -> None:
    assert await version(empty) is None
    await migrate(empty)
    assert await version(empty) == head_version()
    assert await tables(empty) == {*metadata.tables, "alembic_version"}

    await migrate(empty, "base")
    assert await version(empty) is None
    assert await tables(empty) == {"alembic_version"}

    await migrate(empty)
    assert await version(empty) == head_version()
    assert await tables(empty) == {*metadata.tables, "alembic_version"}


async def test_every_version_can_be_gone_to_from_its_neighbours(empty: AsyncEngine) -> None:
    versions = sorted(file.name.split("_")[0] for file in (database.MIGRATIONS / "versions").glob("[0-9]*.py"))
    assert versions[-1] == head_version()
    # Every longer way is made of these steps; up once more from what the way down left behind.
    for goal in (*versions, *reversed(versions[:-1]), *versions[1:]):
        await migrate(empty, goal)
        assert await version(empty) == goal


async def test_what_waited_in_version_0001_is_worked_off(empty: AsyncEngine) -> None:
    await migrate(empty, "0001")
    old = """INSERT INTO inbox (workspace, event_id, channel, message_ts, user_id, body, state, attempts, received_at)
        VALUES ('T1', :id, 'C1', :id, 'U1', :body, :state, 1, '2026-05-04 09:00:00+00:00')"""
    body = '{"text": "private"}'
    async with empty.begin() as connection:
        for state in ("waiting", "dead", "done"):
            await connection.execute(
                text(old), {"id": f"Ev-{state}", "state": state, "body": body if state != "done" else ""}
            )
    await migrate(empty)
    box = SqlInbox(empty, "one")
    assert await box.take_over(NOW) == [Event("T1", "Ev-waiting", body, "C1", "Ev-waiting", "U1", attempts=1)]
    assert not await box.add(Event("T1", "Ev-done", body), NOW)
    assert [(letter.event_id, letter.received) for letter in await box.dead_letters()] == [("Ev-dead", NOW)]

    await migrate(empty, "0001")
    async with empty.connect() as connection:
        states = await connection.execute(text("SELECT event_id, state FROM inbox"))
        assert {row.event_id: row.state for row in states} == {
            "Ev-waiting": "waiting",
            "Ev-dead": "dead",
            "Ev-done": "done",
        }


async def test_who_was_asked_this_week_is_counted_and_a_no_to_keeping_tells_nobody(empty: AsyncEngine) -> None:
    await migrate(empty, "0015")
    now = datetime.now(UTC)
    async with empty.begin() as connection:
        await connection.execute(
            text(
                "INSERT INTO terms (workspace, user_id, visibility, weekly_cap, week, suggested, confirmed_at, "
                "unanswered, faded) VALUES ('T1', 'U1', 'open', 2, :day, 0, :now, 0, false)"
            ).bindparams(bindparam("day", type_=Date()), bindparam("now", type_=UtcTime())),
            {"day": now.date(), "now": now},
        )
        asked = text(
            "INSERT INTO ask_people (workspace, ask_id, user_id, place, outcome, via, shown, asked_at, channel, "
            "ts) VALUES ('T1', :id, 'U1', 0, 'has', 'best', true, :at, '', '')"
        ).bindparams(bindparam("at", type_=UtcTime()))
        for ask_id, at in (("1", now), ("2", now), ("old", now - timedelta(days=8))):
            await connection.execute(asked, {"id": ask_id, "at": at})
        await connection.execute(
            text(
                "INSERT INTO keepings (workspace, id, entry_id, outcome, asker_says, answerer_says, shown_author, "
                "answer, gone_at) VALUES ('T1', '1', 'team-1', 'withdrawn', 'no', 'yes', '', '', :now)"
            ).bindparams(bindparam("now", type_=UtcTime())),
            {"now": now},
        )
    await migrate(empty)
    async with empty.connect() as connection:
        assert await connection.scalar(text("SELECT asked FROM terms")) == 2
        assert await connection.scalar(text("SELECT outcome FROM keepings")) == "open"


async def test_migrating_twice_changes_nothing(engine: AsyncEngine) -> None:
    await SqlInbox(engine, "one").add(Event("T1", "Ev1", "{}"), NOW)
    await migrate(engine)
    assert (await SqlInbox(engine, "one").depth(NOW)).waiting == 1


async def test_the_models_and_the_migrated_schema_agree(engine: AsyncEngine) -> None:
    def differences(connection: Connection) -> list[Any]:
        context = MigrationContext.configure(connection, opts={"compare_type": True, "compare_server_default": True})
        return list(compare_metadata(context, metadata))

    async with engine.connect() as connection:
        assert await connection.run_sync(differences) == []


def test_every_primary_key_begins_with_the_workspace() -> None:
    first = {name: table.primary_key.columns.keys()[0] for name, table in metadata.tables.items()}
    # A state is of no workspace yet.
    assert first == dict.fromkeys(metadata.tables, "workspace") | {"used_states": "mark"}


async def test_a_migration_that_fails_leaves_nothing_behind(
    engine: AsyncEngine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "migrations"
    shutil.copytree(database.MIGRATIONS, folder, ignore=shutil.ignore_patterns("__pycache__"))
    (folder / "versions" / "9999_broken.py").write_text(BROKEN.format(head=head_version()), "utf-8")
    before = await tables(engine), await version(engine)
    monkeypatch.setattr(database, "MIGRATIONS", folder)
    with pytest.raises(DBAPIError):
        await migrate(engine)
    assert (await tables(engine), await version(engine)) == before


async def test_processes_that_migrate_at_once_all_succeed(empty: AsyncEngine, blank: str) -> None:
    # WAL is switched on by whoever connects first; that switch itself does not wait for a lock.
    await version(empty)
    engines = [open_engine(blank) for _ in range(3)]
    await asyncio.gather(*(migrate(engine) for engine in engines))
    assert [await version(engine) for engine in engines] == [head_version()] * 3
    for engine in engines:
        await engine.dispose()


@pytest.mark.parametrize("blank", ["postgresql"], indirect=True)
async def test_a_migration_may_take_longer_than_a_statement_of_the_bot(
    empty: AsyncEngine, monkeypatch: pytest.MonkeyPatch, blank: str
) -> None:
    monkeypatch.setattr(database, "POSTGRES_SECONDS", 0.2)
    impatient = open_engine(blank)
    async with empty.begin() as connection:
        # Another process migrates meanwhile.
        await connection.execute(select(func.pg_advisory_xact_lock(database.MIGRATION_LOCK)))
        waiting = asyncio.create_task(migrate(impatient))
        await asyncio.wait({waiting}, timeout=0.5)
        assert not waiting.done()
    await waiting
    assert await version(empty) == head_version()
    await impatient.dispose()


async def test_an_acknowledged_row_survives_a_power_cut(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(database, "SQLITE_SYNCHRONOUS", AS_SHIPPED)
    engine = open_engine(url(tmp_path / "bot.sqlite3"))
    async with engine.connect() as connection:
        assert await connection.scalar(text("PRAGMA journal_mode")) == "wal"
        assert await connection.scalar(text("PRAGMA synchronous")) == 2  # FULL
    await engine.dispose()


async def synchronous(connection: AsyncConnection) -> str:
    """Return whether a commit waits for the disk, in the database's own word."""
    on_postgres = connection.dialect.name == "postgresql"
    return str(await connection.scalar(text("SHOW synchronous_commit" if on_postgres else "PRAGMA synchronous")))


async def test_only_what_need_not_last_does_not_wait_for_the_disk(
    address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database, "SQLITE_SYNCHRONOUS", AS_SHIPPED)
    engine = open_engine(address)
    waits, waits_not = ("on", "off") if engine.dialect.name == "postgresql" else ("2", "1")

    async def begun(connection: AsyncConnection, *, lasting: bool) -> None:
        if engine.dialect.name == "postgresql":
            # The databases of tests have it off.
            await connection.execute(text("SET LOCAL synchronous_commit = on"))
        await only_writer_for(connection, "T1", "ann", lasting=lasting)

    async def breaks_off(why: type[BaseException]) -> None:
        async with engine.begin() as connection:
            await begun(connection, lasting=False)
            raise why

    async with engine.begin() as connection:
        await begun(connection, lasting=False)
        assert await synchronous(connection) == waits_not
    for why in (RuntimeError, asyncio.CancelledError):
        with pytest.raises(why):
            await breaks_off(why)
    async with AsyncExitStack() as stack:
        for _ in range(database.SQLITE_CONNECTIONS):
            connection = await stack.enter_async_context(engine.connect())
            if engine.dialect.name == "sqlite":
                assert await synchronous(connection) == waits
    async with engine.begin() as connection:
        await begun(connection, lasting=True)
        assert await synchronous(connection) == waits
    await engine.dispose()


async def test_whoever_cannot_become_the_only_writer_is_told_so_as_of_any_statement(tmp_path: Path) -> None:
    one, other = (open_engine(url(tmp_path / "bot.sqlite3")) for _ in range(2))
    async with one.begin() as writing, other.connect() as waiting:
        await only_writer_for(writing, "T1", "ann")
        await waiting.execute(text("PRAGMA busy_timeout = 0"))
        for lasting in (True, False):
            with pytest.raises(OperationalError, match="database is locked"):
                await only_writer_for(waiting, "T1", "ben", lasting=lasting)
    await one.dispose()
    await other.dispose()


async def test_the_connection_that_was_used_last_is_used_next(engine: AsyncEngine) -> None:
    async with AsyncExitStack() as stack:
        for _ in range(database.SQLITE_CONNECTIONS):
            await stack.enter_async_context(engine.connect())
    used = set[int]()
    for _ in range(database.SQLITE_CONNECTIONS):
        async with engine.connect() as connection:
            used.add(id((await connection.get_raw_connection()).driver_connection))
    assert len(used) == 1


async def test_who_is_cancelled_while_waiting_to_become_the_only_writer_holds_up_nobody(engine: AsyncEngine) -> None:
    begins = asyncio.Event()

    async def waits() -> None:
        async with engine.begin() as connection:
            begins.set()
            await only_writer_for(connection, "T1", "ann")

    async with engine.begin() as first:
        await only_writer_for(first, "T1", "ann")
        waiting = asyncio.create_task(waits())
        await begins.wait()
        waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    async with AsyncExitStack() as stack:
        all_of_the_pool = [
            await stack.enter_async_context(engine.connect()) for _ in range(database.SQLITE_CONNECTIONS)
        ]
        # The one that was given back first comes last: it would not find itself locked.
        for connection in reversed(all_of_the_pool):
            async with connection.begin():
                await only_writer_for(connection, "T1", "ann")


async def test_the_thread_of_sqlite_is_waited_for_once_a_statement(tmp_path: Path) -> None:
    engine, waited = open_engine(url(tmp_path / "bot.sqlite3")), list[str]()
    async with engine.begin() as connection:
        await connection.execute(text("CREATE TABLE numbers (n)"))
        driver: Any = (await connection.get_raw_connection()).driver_connection
    hand_over = driver._execute

    def counted(function: Any, *given: Any) -> Any:
        waited.append(function.__name__)
        return hand_over(function, *given)

    driver._execute = counted
    async with engine.begin() as connection:
        many = [{"n": n} for n in range(10)]
        assert (await connection.execute(text("INSERT INTO numbers VALUES (:n)"), many)).rowcount == 10
        found = await connection.execute(text("UPDATE numbers SET n = n + 1 WHERE n > 7 RETURNING n"))
        assert [row.n for row in found] == [9, 10]
    assert len(waited) == 3, "two statements and the commit"
    waited.clear()
    async with engine.connect() as connection:
        assert await connection.scalar(text("SELECT count(*) FROM numbers")) == 10
    assert len(waited) == 1
    async with engine.connect() as connection:
        assert (await connection.execute(text("DELETE FROM numbers"))).rowcount == 10
    async with engine.connect() as connection:
        assert await connection.scalar(text("SELECT count(*) FROM numbers")) == 10, "it was rolled back"
    await engine.dispose()


@pytest.mark.parametrize("blank", ["postgresql"], indirect=True)
async def test_a_connection_is_tried_where_it_was_not_used_for_a_while_and_a_closed_one_not_used(
    empty: AsyncEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked, closed = list[str](), asyncio.Event()

    async def used() -> Any:
        """Return the driver's connection after a use."""
        async with empty.connect() as connection:
            await connection.execute(text("SELECT 1"))
            return (await connection.get_raw_connection()).driver_connection

    first = await used()
    first.add_query_logger(lambda record: asked.append(record.query))
    assert await used() is first
    assert asked == ["BEGIN;", "ROLLBACK;"], "what is prepared is not told of"
    monkeypatch.setattr(database, "POSTGRES_IDLE_SECONDS", -1.0)
    asked.clear()
    assert await used() is first
    assert asked == ["BEGIN;", ";", "ROLLBACK;", "BEGIN;", "ROLLBACK;"]
    monkeypatch.undo()
    # As by a server that is restarted.
    first.add_termination_listener(lambda _: closed.set())
    other = create_async_engine(empty.url, poolclass=NullPool)
    async with other.connect() as connection:
        await connection.execute(text("SELECT pg_terminate_backend(:pid)"), {"pid": first.get_server_pid()})
    async with asyncio.timeout(BUSY_SECONDS):
        await closed.wait()
    assert await used() is not first


@pytest.mark.parametrize(
    "broken",
    [
        {"received_at": None},
        {"event_id": "Ev0"},
        {"user_id": "what somebody wrote \ud800"},
        {"attempts": "what somebody wrote"},
    ],
    ids=["missing", "there already", "not to be written", "of another type"],
)
async def test_errors_do_not_show_what_people_wrote(engine: AsyncEngine, broken: dict[str, object]) -> None:
    row = {
        "workspace": "T1",
        "event_id": "Ev1",
        "channel": "what somebody wrote",
        "message_ts": "1",
        "body": "what somebody wrote",
        "state": "claimed",
        "claimed_by": "one",
        "lease_until": NOW,
        "attempts": 0,
        "received_at": NOW,
    }
    async with engine.begin() as connection:
        await connection.execute(insert(inbox).values(**row | {"event_id": "Ev0"}))
    try:
        async with engine.begin() as connection:
            await connection.execute(insert(inbox).values(**row | broken))
    except Exception as error:  # of whichever kind
        shown = "".join(traceback.format_exception(error))
        assert "what somebody wrote" not in shown
    else:
        assert engine.dialect.name == "sqlite", "which takes anything"


async def test_the_folder_of_the_file_is_made(tmp_path: Path) -> None:
    engine = open_engine(url(tmp_path / "a" / "b" / "bot.sqlite3"))
    await migrate(engine)
    await engine.dispose()
    assert (tmp_path / "a" / "b" / "bot.sqlite3").exists()


async def test_a_new_file_is_its_owners_alone_and_one_that_is_there_keeps_its_mode(tmp_path: Path) -> None:
    file, log = tmp_path / "bot.sqlite3", tmp_path / "bot.sqlite3-wal"
    engine = open_engine(url(file))
    await migrate(engine)
    async with engine.connect() as connection:
        await connection.execute(text("SELECT * FROM alembic_version"))
        assert [found.stat().st_mode & 0o777 for found in (file, log)] == [0o600, 0o600]
    await engine.dispose()
    file.chmod(0o640)
    engine = open_engine(url(file))
    async with engine.connect() as connection:
        await connection.execute(text("SELECT * FROM alembic_version"))
    await engine.dispose()
    assert file.stat().st_mode & 0o777 == 0o640


async def test_many_writers_at_once_wait_in_line(engine: AsyncEngine) -> None:
    box = SqlInbox(engine, "one")
    events = [Event("T1", f"Ev{number}", "{}", "C1", str(number)) for number in range(100)]
    assert all(await asyncio.gather(*(box.add(event, NOW) for event in events)))
    assert (await box.depth(NOW)).waiting == 100


async def test_a_database_in_memory_can_be_opened() -> None:
    engine = open_engine("sqlite+aiosqlite:///:memory:")
    async with engine.connect() as connection:
        assert await connection.scalar(text("SELECT 1")) == 1
    await engine.dispose()


@pytest.mark.parametrize(
    ("given", "used"),
    [
        ("sqlite:///bot.db", "sqlite+aiosqlite:///bot.db"),
        ("sqlite+aiosqlite:///bot.db", "sqlite+aiosqlite:///bot.db"),
        ("postgres://u:p@h/d", "postgresql+asyncpg://u:p@h/d"),
        ("postgresql://u@h:5433/d", "postgresql+asyncpg://u@h:5433/d"),
        ("postgresql+psycopg://u@h/d", "postgresql+asyncpg://u@h/d"),
        ("postgresql+asyncpg://u@h/d", "postgresql+asyncpg://u@h/d"),
        ("postgresql://u@h/d?sslmode=require", "postgresql+asyncpg://u@h/d?ssl=require"),
    ],
)
def test_an_address_gets_the_asynchronous_driver(given: str, used: str) -> None:
    assert engine_url(given).render_as_string(hide_password=False) == used


@pytest.mark.parametrize("address", ["", "nonsense", "mysql://u:p@h/d"])
def test_an_address_that_can_not_work_is_refused_with_a_sentence(address: str) -> None:
    with pytest.raises(ValueError, match="DATABASE_URL"):
        engine_url(address)


def test_a_refused_address_does_not_show_its_password() -> None:
    with pytest.raises(ValueError, match="DATABASE_URL") as raised:
        engine_url("mysql://user:a-secret@host/name")
    assert "a-secret" not in str(raised.value)
