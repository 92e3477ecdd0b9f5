"""The schema, its migrations and the engine."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection, insert, inspect, text
from sqlalchemy.exc import OperationalError
from sqlalchemy.ext.asyncio import AsyncEngine

from storage import database
from storage.database import engine_url, head_version, migrate, open_engine, schema_version
from storage.inbox import Event, SqlInbox
from storage.tables import inbox, metadata
from tests.storage.conftest import NOW, url

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


@pytest_asyncio.fixture
async def empty(tmp_path: Path) -> AsyncIterator[AsyncEngine]:
    engine = open_engine(url(tmp_path / "empty.sqlite3"))
    yield engine
    await engine.dispose()


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


async def test_migrating_twice_changes_nothing(engine: AsyncEngine) -> None:
    await SqlInbox(engine).add(Event("T1", "Ev1", "{}"), NOW)
    await migrate(engine)
    assert len(await SqlInbox(engine).waiting()) == 1


async def test_the_models_and_the_migrated_schema_agree(engine: AsyncEngine) -> None:
    def differences(connection: Connection) -> list[Any]:
        context = MigrationContext.configure(connection, opts={"compare_type": True, "compare_server_default": True})
        return list(compare_metadata(context, metadata))

    async with engine.connect() as connection:
        assert await connection.run_sync(differences) == []


def test_every_primary_key_begins_with_the_workspace() -> None:
    assert {name: table.primary_key.columns.keys()[0] for name, table in metadata.tables.items()} == dict.fromkeys(
        metadata.tables, "workspace"
    )


async def test_a_migration_that_fails_leaves_nothing_behind(
    engine: AsyncEngine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "migrations"
    shutil.copytree(database.MIGRATIONS, folder, ignore=shutil.ignore_patterns("__pycache__"))
    (folder / "versions" / "9999_broken.py").write_text(BROKEN.format(head=head_version()), "utf-8")
    before = await tables(engine), await version(engine)
    monkeypatch.setattr(database, "MIGRATIONS", folder)
    with pytest.raises(OperationalError):
        await migrate(engine)
    assert (await tables(engine), await version(engine)) == before


async def test_two_processes_that_migrate_at_once_both_succeed(tmp_path: Path) -> None:
    engines = [open_engine(url(tmp_path / "shared.sqlite3")) for _ in range(2)]
    # WAL is switched on by whoever connects first; that switch itself does not wait for a lock.
    await version(engines[0])
    await asyncio.gather(*(migrate(engine) for engine in engines))
    assert [await version(engine) for engine in engines] == [head_version()] * 2
    for engine in engines:
        await engine.dispose()


async def test_an_acknowledged_row_survives_a_power_cut(engine: AsyncEngine) -> None:
    async with engine.connect() as connection:
        assert await connection.scalar(text("PRAGMA journal_mode")) == "wal"
        assert await connection.scalar(text("PRAGMA synchronous")) == 2  # FULL


async def test_errors_do_not_show_what_people_wrote(engine: AsyncEngine) -> None:
    row = {"workspace": "T1", "event_id": "Ev1", "body": "what somebody wrote", "state": "waiting", "attempts": 0}
    with pytest.raises(Exception, match="received_at") as raised:
        async with engine.begin() as connection:
            await connection.execute(insert(inbox).values(**row, received_at=None))
    assert "what somebody wrote" not in str(raised.value)
    assert "hidden" in str(raised.value)


async def test_the_folder_of_the_file_is_made(tmp_path: Path) -> None:
    engine = open_engine(url(tmp_path / "a" / "b" / "bot.sqlite3"))
    await migrate(engine)
    await engine.dispose()
    assert (tmp_path / "a" / "b" / "bot.sqlite3").exists()


async def test_many_writers_at_once_wait_in_line(engine: AsyncEngine) -> None:
    box = SqlInbox(engine)
    events = [Event("T1", f"Ev{number}", "{}", "C1", str(number)) for number in range(100)]
    assert all(await asyncio.gather(*(box.add(event, NOW) for event in events)))
    assert len(await box.waiting()) == 100


async def test_a_database_in_memory_can_be_opened() -> None:
    engine = open_engine("sqlite+aiosqlite:///:memory:")
    async with engine.connect() as connection:
        assert await connection.scalar(text("SELECT 1")) == 1
    await engine.dispose()


def test_an_sqlite_address_gets_the_asynchronous_driver() -> None:
    assert engine_url("sqlite:///bot.db").drivername == "sqlite+aiosqlite"


@pytest.mark.parametrize("address", ["", "nonsense", "mysql://u:p@h/d"])
def test_an_address_that_can_not_work_is_refused_with_a_sentence(address: str) -> None:
    with pytest.raises(ValueError, match="DATABASE_URL"):
        engine_url(address)


def test_a_refused_address_does_not_show_its_password() -> None:
    with pytest.raises(ValueError, match="DATABASE_URL") as raised:
        engine_url("mysql://user:a-secret@host/name")
    assert "a-secret" not in str(raised.value)
