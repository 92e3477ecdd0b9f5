"""`python -m bot keys rotate`."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from click.testing import CliRunner
from sqlalchemy import select

from bot.__main__ import main
from bot.local import GENERAL, LocalSlack
from bot.scopes import SCOPES
from storage import rotation
from storage.database import open_engine
from storage.inbox import Event, SqlInbox
from storage.installations import Installation, SqlInstallations
from storage.keys import Keys, keys_beside, new_key
from storage.rotation import encrypted_columns, rotate
from storage.tables import SealedText, place_of
from tests.asks import Asks, new_ask
from tests.conftest import ANN, BEN, CAI, DEE, TEAM, Clock, Start, declares, rows, settled
from tests.databases import KEY, ON_BOTH
from tests.storage.conftest import NOW


async def waits(database: str, keys: Keys) -> None:
    engine = open_engine(database, keys)
    await SqlInbox(engine, "one").add(Event("T1", "Ev1", '{"text": "private"}'), NOW)
    await engine.dispose()


def run(environment: dict[str, str], database: str, *keys: str, lost: bool = False) -> tuple[int, str]:
    given = environment | {"DATABASE_URL": database} | ({"ENCRYPTION_KEYS": ",".join(keys)} if keys else {})
    result = CliRunner().invoke(main, ["keys", "rotate", *(["--lost"] if lost else [])], env=given)
    return result.exit_code, result.output


def test_the_old_key_is_not_needed_any_more(environment: dict[str, str], database: str) -> None:
    asyncio.run(waits(database, Keys([KEY])))
    newer = new_key()
    for count in (1, 0):
        said = (
            f"Encrypted with the newest key: {count}. Keys before it are needed for the buttons of questions that are "
            "open now, and for nothing else.\n"
        )
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


@pytest.mark.usefixtures("faults")
@ON_BOTH
async def test_forgetting_works_again_once_what_a_lost_key_sealed_is_dropped(
    slack: LocalSlack, start: Start, database: str, environment: dict[str, str]
) -> None:
    async with start(encryption_keys=KEY) as bot:
        await declares(bot, slack, BEN, {"mlops-engineer": "lead"})
        await slack.command(ANN, "/genai-role forget me")
        await bot.worker.stop(0)
        await slack.say(CAI, "<@BOT> what is mlops", GENERAL)
    key = new_key()
    async with start(encryption_keys=key):
        assert (await slack.command(BEN, "/genai-role forget me")).text.startswith("Sorry, something went wrong")
    code, said = await asyncio.to_thread(run, environment, database, key)
    what = "1 key of the marks of forgotten people, 1 event that waits, or was given up"
    assert (code, said) == (
        2,
        f"Encrypted with the newest key: 0. No key opens 2 more: {what}. Put the missing key back behind the others in "
        "ENCRYPTION_KEYS, and run this again. If no process has it, and it is gone for good, or if they are damaged, "
        "drop them: python -m bot keys rotate --lost\n",
    )
    code, said = await asyncio.to_thread(run, environment, database, key, lost=True)
    assert code == 0 and f"Dropped, as no key opens them: {what}. An import brings back who was forgotten" in said
    async with start(encryption_keys=key) as bot:
        assert (await slack.command(BEN, "/genai-role forget me")).text.startswith("Done: I deleted everything")
        assert len(await rows(bot, "forgotten")) == 1
        assert [row["action"] for row in await rows(bot, "audit")] == ["unreadable texts dropped"]
    assert (await asyncio.to_thread(run, environment, database, key))[0] == 0


async def opened(database: str, key: str) -> dict[str, list[str]]:
    """Return what one key alone opens, by column; raises KeysError where it does not open something."""
    keys = Keys([key])
    engine = open_engine(database, keys)
    found: dict[str, list[str]] = {}
    async with engine.connect() as connection:
        for column in encrypted_columns():
            place = list(column.table.primary_key.columns)
            rows = (await connection.execute(select(column, *place).where(column.is_not(None)))).all()
            texts = [
                keys.unseal(text, place_of(column, *at)) if isinstance(column.type, SealedText) else str(text)
                for text, *at in rows
                if text
            ]
            found[str(column)] = sorted(texts)
    await engine.dispose()
    return found


@ON_BOTH
async def test_keys_are_rotated_beside_a_bot_that_serves(
    slack: LocalSlack, start: Start, database: str, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    old, new = KEY, new_key()
    # Many small steps, with requests between them.
    monkeypatch.setattr(rotation, "AT_ONCE", 2)
    async with start(encryption_keys=old) as bot:
        installed = Installation(TEAM, "xoxb-of-the-team", SCOPES, "A1", "B1", "U0BOT", ANN)
        await SqlInstallations(bot.engine).save(installed, SCOPES, clock.now())
        for number in range(20):
            ask = new_ask(f"a{number}", ANN, TEAM, asked=DEE, question=f"Zebra {number}?", now=clock.now())
            await Asks(bot.engine).create(ask, clock.now())
            await slack.command(BEN, f"/genai-role what about zebra {number} on the moon")
    before = await opened(database, old)
    assert sum(bool(texts) for texts in before.values()) >= 3

    async with start(encryption_keys=f"{new},{old}") as bot:
        engine = open_engine(database, Keys([new, old]))
        rotating = asyncio.create_task(rotate(engine))
        said = []
        number = 20
        while not rotating.done() or number < 25:
            said.append(await slack.say(CAI, f"<@BOT> what about zebra {number} on the moon", GENERAL))
            ask = new_ask(f"a{number}", ANN, TEAM, asked=DEE, question=f"Zebra {number}?", now=clock.now())
            await Asks(bot.engine).create(ask, clock.now())
            found = await bot.courier._asks.get(TEAM, f"a{number - 20}")
            assert found is not None
            assert found.question == f"Zebra {number - 20}?"
            token = await SqlInstallations(bot.engine).find(TEAM)
            assert token is not None
            assert token.token == "xoxb-of-the-team"
            clock.move(seconds=10)
            number += 1
        done = await rotating
        assert done.renewed >= 20
        assert not done.lost
        await settled(bot)
        assert all(slack.replies(posted) for posted in said)
        await engine.dispose()

    # The old key is gone; nothing is, but for what was answered and erased meanwhile.
    after = await opened(database, new)
    for column, texts in before.items():
        assert set(texts) <= set(after[column]), column
    async with start(encryption_keys=new) as bot:
        kept = await bot.courier._asks.get(TEAM, "a0")
        assert kept is not None
        assert kept.question == "Zebra 0?"
        reply = await slack.say(CAI, "<@BOT> mlops", GENERAL)
        await settled(bot)
        assert slack.replies(reply)
