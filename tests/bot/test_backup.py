"""What docs/operations.md says of backup and restore, done as it says, on both databases."""

from __future__ import annotations

import asyncio
import os
import re
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy.engine import make_url

from bot.app import Bot
from bot.doctor import examine
from bot.insights import gather
from bot.local import GENERAL, LocalSlack, Message
from bot.settings import Settings
from storage.inbox import LEASE
from tests.conftest import ANN, BEN, Clock, Start, declares, rows, settled
from tests.databases import KEY, postgres_database
from tests.docs.pages import ROOT, blocks, section

PAGE = ROOT / "docs" / "operations.md"
QUESTION = "what is the weather in Lisbon"


def steps(title: str) -> list[str]:
    """The shell blocks under a heading of the page."""
    return blocks(section(PAGE, title), "sh")


async def run(block: str, **variables: str) -> None:
    """Run a block of the page; services and owners are the operator's, and there are none here."""
    lines = [line for line in block.splitlines() if not line.startswith(("systemctl", "chown"))]
    script = "set -e\n" + "\n".join(lines).replace(".venv/bin/python", sys.executable)
    running = await asyncio.create_subprocess_exec(
        *("bash", "-c", script),
        env={"PATH": os.environ["PATH"], **variables},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    said, _ = await running.communicate()
    assert running.returncode == 0, said.decode()


async def lived_in(slack: LocalSlack, bot: Bot, clock: Clock) -> Message:
    """Leave what a backup must hold: a declaration, a question kept encrypted, and one that waits for its answer."""
    await declares(bot, slack, BEN, {"mlops-engineer": "lead"})
    await slack.command(ANN, f"/genai-role {QUESTION}")
    await settled(bot)
    await bot.worker.stop(0)
    return await slack.say(ANN, "<@BOT> what does a data engineer do?", GENERAL)


async def is_whole(slack: LocalSlack, bot: Bot, clock: Clock, waiting: Message, settings: Settings) -> None:
    """The restored bot knows who declared what, opens what is encrypted, and answers what waited."""
    await settled(bot)
    (reply,) = slack.replies(waiting)
    assert "Data Engineer" in reply.text
    assert "Ben Book" in (await slack.command(ANN, "/genai-role who mlops")).text
    learned = await gather(settings, 30, clock.now())
    assert (learned.unreadable, [one.examples for one in learned.unanswered]) == (0, [(QUESTION,)])
    assert {row["state"] for row in await rows(bot, "inbox")} == {"done"}


def settings_of(slack: LocalSlack, address: str, keys: str | None) -> Settings:
    values = {"database_url": address, "encryption_keys": keys, "slack_api_url": slack.api_url}
    return Settings(_env_file=None, **values)  # type: ignore[arg-type,call-arg]  # read by pydantic


@pytest.fixture
def places(tmp_path: Path) -> dict[str, Path]:
    made = {"DATA": tmp_path / "data", "BACKUP": tmp_path / "backup", "KEYS": tmp_path / "elsewhere"}
    for folder in made.values():
        folder.mkdir()
    return made


async def test_an_sqlite_file_is_backed_up_while_the_bot_runs_and_restored(
    slack: LocalSlack, start: Start, clock: Clock, places: dict[str, Path], empty_database: Path
) -> None:
    file = Path(shutil.copy(empty_database, places["DATA"] / "bot.sqlite3"))
    start.database = f"sqlite+aiosqlite:///{file}"
    variables = {name: str(folder) for name, folder in places.items()}
    backup, restore = steps("SQLite")
    async with start(encryption_keys=None) as bot:
        waiting = await lived_in(slack, bot, clock)
        await asyncio.gather(run(backup, **variables), *(slack.command(ANN, "/genai-role mlops") for _ in range(5)))
    assert [copy.name for copy in places["BACKUP"].iterdir()] == ["bot.sqlite3"], "the key is kept apart"
    assert QUESTION.encode() not in (places["BACKUP"] / "bot.sqlite3").read_bytes()

    # The machine is gone; of another database a log was left, which must not be taken for this one's.
    shutil.rmtree(places["DATA"])
    places["DATA"].mkdir()
    file.with_name("bot.sqlite3-wal").write_bytes(b"of another time")
    await run(restore, **variables)
    assert file.with_name("bot.sqlite3.key").stat().st_mode & 0o777 == 0o600
    clock.move(seconds=LEASE.total_seconds() + 1)
    async with start(encryption_keys=None) as bot:
        await is_whole(slack, bot, clock, waiting, settings_of(slack, start.database, None))


async def test_without_its_key_a_restored_file_says_so(
    slack: LocalSlack, start: Start, clock: Clock, places: dict[str, Path], empty_database: Path
) -> None:
    file = Path(shutil.copy(empty_database, places["DATA"] / "bot.sqlite3"))
    start.database = f"sqlite+aiosqlite:///{file}"
    async with start(encryption_keys=None) as bot:
        await lived_in(slack, bot, clock)
    file.with_name("bot.sqlite3.key").unlink()
    report = await examine(settings_of(slack, start.database, KEY), clock.now)
    (keys,) = [finding for finding in report.findings if finding.name == "keys"]
    assert (keys.status, keys.message) == ("wrong", "stored text can't be opened")


@pytest.fixture
def restored() -> Iterator[str]:
    """A database without a table."""
    with postgres_database(at_head=False) as address:
        yield address


@pytest.fixture
def lost() -> Iterator[str]:
    with postgres_database(at_head=True) as address:
        yield address


def libpq(address: str) -> str:
    return make_url(address).set(drivername="postgresql").render_as_string(hide_password=False)


async def test_a_postgresql_database_is_backed_up_while_the_bot_runs_and_restored(
    slack: LocalSlack, start: Start, clock: Clock, places: dict[str, Path], lost: str, restored: str
) -> None:
    if not shutil.which("pg_dump"):
        why = "pg_dump is not there"
        assert os.environ.get("CI") != "true", why
        pytest.skip(why)
    backup, restore = steps("PostgreSQL")
    folder = {"BACKUP": str(places["BACKUP"])}
    start.database = lost
    async with start() as bot:
        waiting = await lived_in(slack, bot, clock)
        await asyncio.gather(
            run(backup, DATABASE_URL=libpq(lost), **folder),
            *(slack.command(ANN, "/genai-role mlops") for _ in range(5)),
        )
    (dump,) = places["BACKUP"].iterdir()
    assert not re.search(QUESTION.encode(), dump.read_bytes())

    await run(restore, DATABASE_URL=libpq(restored), **folder)
    start.database = restored
    clock.move(seconds=LEASE.total_seconds() + 1)
    async with start() as bot:
        await is_whole(slack, bot, clock, waiting, settings_of(slack, restored, KEY))
