"""Keys for private text at rest."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from storage.database import open_engine
from storage.inbox import Event, SqlInbox
from storage.keys import Keys, KeysError, keys_beside, new_key
from storage.tables import inbox, place_of
from tests.databases import KEYS
from tests.storage.conftest import NOW

OLD, NEW = new_key(), new_key()


def test_what_one_key_closes_it_opens() -> None:
    token = Keys([OLD]).encrypt("who knows gdpr? ü")
    assert "gdpr" not in token
    assert Keys([OLD]).decrypt(token) == "who knows gdpr? ü"
    assert Keys([OLD]).encrypt("the same") != Keys([OLD]).encrypt("the same")


def test_the_newest_key_closes_and_every_key_opens() -> None:
    both = Keys([NEW, f" {OLD}\n"])
    assert both.decrypt(Keys([OLD]).encrypt("old")) == "old"
    token = both.encrypt("new")
    assert Keys([NEW]).decrypt(token) == "new"
    with pytest.raises(KeysError):
        Keys([OLD]).decrypt(token)


@pytest.mark.parametrize("token", ["", "plain text", Keys([NEW]).encrypt("x")], ids=["nothing", "plain", "another key"])
def test_what_no_key_opens_is_said_in_a_sentence(token: str) -> None:
    with pytest.raises(KeysError, match=r"^None of ENCRYPTION_KEYS opens a stored text\. Is an old key missing\?$"):
        Keys([OLD]).decrypt(token)


@pytest.mark.parametrize("given", [[], [""], ["secret"], [OLD, "secret"], [OLD[:-4]], ["ä" * 44]])
def test_what_is_no_key_is_refused_in_a_sentence_that_does_not_show_it(given: list[str]) -> None:
    with pytest.raises(KeysError, match="ENCRYPTION_KEYS") as raised:
        Keys(given)
    assert "Fernet.generate_key" in str(raised.value)
    assert "secret" not in str(raised.value)


def test_what_is_sealed_opens_at_its_place_alone() -> None:
    sealed = Keys([OLD]).seal("who knows gdpr? ü", "here")
    assert "gdpr" not in sealed
    both = Keys([NEW, OLD])
    assert both.unseal(sealed, "here") == "who knows gdpr? ü"
    assert not sealed.startswith(both.newest) and sealed.startswith(Keys([OLD]).newest)
    changed = sealed[:-3] + ("AAA" if sealed[-3:] != "AAA" else "BBB")
    for keys, given, place in [
        (both, sealed, "there"),
        (Keys([NEW]), sealed, "here"),
        (both, changed, "here"),
        (both, "2.", "here"),
        (both, both.encrypt("x"), "here"),
        (both, "", "here"),
    ]:
        with pytest.raises(KeysError, match="Is an old key missing"):
            keys.unseal(given, place)


# The file beside an SQLite database


def test_the_key_is_made_once_and_for_its_owner_alone(tmp_path: Path) -> None:
    file = tmp_path / "new" / "bot.sqlite3"
    token = keys_beside(file).encrypt("private")
    made = file.with_name("bot.sqlite3.key")
    assert made.stat().st_mode & 0o777 == 0o600
    assert keys_beside(file).decrypt(token) == "private"
    assert list(file.parent.iterdir()) == [made], "nothing else is left beside it"


def test_processes_that_start_at_once_share_one_key(tmp_path: Path) -> None:
    program = (
        "import sys; from pathlib import Path; from storage.keys import keys_beside; sys.stdin.read(1);"
        "print(keys_beside(Path(sys.argv[1])).encrypt('private'))"
    )
    file = tmp_path / "bot.sqlite3"
    started = [
        subprocess.Popen(  # noqa: S603 - our own Python
            [sys.executable, "-c", program, str(file)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=Path(__file__).parents[2],
        )
        for _ in range(4)
    ]
    # All are made to wait at the start line, so that they run together.
    for process in started:
        assert process.stdin is not None
        process.stdin.write("!")
        process.stdin.flush()
    tokens = [process.communicate()[0].strip() for process in started]
    assert [keys_beside(file).decrypt(token) for token in tokens] == ["private"] * 4
    assert [found.name for found in tmp_path.iterdir()] == ["bot.sqlite3.key"]


# The encrypted column


async def raw_bodies(engine: AsyncEngine) -> list[str]:
    async with engine.connect() as connection:
        return list(await connection.scalars(text("SELECT body FROM inbox ORDER BY event_id")))


async def test_a_body_is_closed_with_the_newest_key(address: str, engine: AsyncEngine) -> None:
    rotated = open_engine(address, Keys([NEW, OLD]))
    await SqlInbox(rotated, "one").add(Event("T1", "Ev1", '{"text": "private"}'), NOW)
    [body] = await raw_bodies(rotated)
    await rotated.dispose()
    place = place_of(inbox.c.body, "T1", "Ev1")
    assert Keys([NEW]).unseal(body, place) == '{"text": "private"}'
    for elsewhere in (place_of(inbox.c.body, "T2", "Ev1"), place_of(inbox.c.body, "T1", "Ev2")):
        with pytest.raises(KeysError):
            Keys([NEW]).unseal(body, elsewhere)


async def test_an_emptied_body_is_empty(engine: AsyncEngine) -> None:
    box = SqlInbox(engine, "one")
    await box.add(Event("T1", "Ev1", '{"text": "private"}'), NOW)
    await box.done([Event("T1", "Ev1", "")])
    assert await raw_bodies(engine) == [""]


@pytest.mark.parametrize("plain", [True, False], ids=["plain", "for no place"])
async def test_a_body_of_the_versions_before_is_read(engine: AsyncEngine, plain: bool) -> None:
    said = '{"text": "private"}'
    await SqlInbox(engine, "one").add(Event("T1", "Ev1", said), NOW)
    async with engine.begin() as connection:
        old = said if plain else KEYS.encrypt(said)
        await connection.execute(text("UPDATE inbox SET body = :old"), {"old": old})
    [event] = await SqlInbox(engine, "two").take_over(NOW, alone=True)
    assert event.body == said


async def test_the_wrong_key_is_noticed(address: str, engine: AsyncEngine) -> None:
    await SqlInbox(engine, "one").add(Event("T1", "Ev1", '{"text": "private"}'), NOW)
    wrong = open_engine(address, Keys([new_key()]))
    assert await SqlInbox(engine, "one").opens()
    assert not await SqlInbox(wrong, "one").opens()
    await wrong.dispose()


async def test_a_body_that_was_moved_to_another_row_does_not_open(
    engine: AsyncEngine, caplog: pytest.LogCaptureFixture
) -> None:
    box = SqlInbox(engine, "one")
    for number in (1, 2):
        await box.add(Event(f"T{number}", f"Ev{number}", '{"text": "private"}'), NOW)
    async with engine.begin() as connection:
        await connection.execute(
            text("UPDATE inbox SET body = (SELECT body FROM inbox WHERE workspace = 'T1') WHERE workspace = 'T2'")
        )
    taken = await SqlInbox(engine, "two").take_over(NOW, alone=True)
    assert [event.event_id for event in taken] == ["Ev1"]
    assert "event Ev2 is given up" in caplog.text


async def test_without_keys_nothing_is_written_in_plain(address: str, engine: AsyncEngine) -> None:
    bare = open_engine(address)
    with pytest.raises(KeysError, match="without encryption keys"):
        await SqlInbox(bare, "one").add(Event("T1", "Ev1", '{"text": "private"}'), NOW)
    await bare.dispose()
    assert await raw_bodies(engine) == []
