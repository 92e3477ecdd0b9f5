"""`python -m bot keys rotate`."""

from __future__ import annotations

import asyncio
from pathlib import Path

from click.testing import CliRunner

from bot.__main__ import main
from storage.database import open_engine
from storage.inbox import Event, SqlInbox
from storage.keys import Keys, keys_beside, new_key
from tests.databases import KEY
from tests.storage.conftest import NOW


async def waits(database: str, keys: Keys) -> None:
    engine = open_engine(database, keys)
    await SqlInbox(engine, "one").add(Event("T1", "Ev1", '{"text": "private"}'), NOW)
    await engine.dispose()


def run(environment: dict[str, str], database: str, *keys: str) -> tuple[int, str]:
    given = environment | {"DATABASE_URL": database} | ({"ENCRYPTION_KEYS": ",".join(keys)} if keys else {})
    result = CliRunner().invoke(main, ["keys", "rotate"], env=given)
    return result.exit_code, result.output


def test_the_old_key_is_not_needed_any_more(environment: dict[str, str], database: str) -> None:
    asyncio.run(waits(database, Keys([KEY])))
    newer = new_key()
    for count in (1, 0):
        said = f"Encrypted with the newest key: {count}. Keys before it are not needed any more.\n"
        assert run(environment, database, newer, KEY) == (0, said)
    code, said = run(environment, database, new_key())
    assert code == 2 and "No key opens 1 more" in said and len(said.splitlines()) == 1


def test_a_key_file_takes_several(environment: dict[str, str], database: str, tmp_path: Path) -> None:
    file = tmp_path / "bot.sqlite3"
    asyncio.run(waits(database, keys_beside(file)))
    beside = file.with_name("bot.sqlite3.key")
    beside.write_text(f"{new_key()},{beside.read_text()}")
    assert run(environment, database)[1].startswith("Encrypted with the newest key: 1.")


def test_without_a_schema_it_says_what_to_do(environment: dict[str, str]) -> None:
    code, said = run(environment, environment["DATABASE_URL"])
    assert (code, said) == (2, "The database's schema is not current. Run: python -m bot migrate\n")
