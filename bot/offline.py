"""What commands need that work on a file and the database, without serving: which workspace, its rows, a new file."""

from __future__ import annotations

import os
import tempfile
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractContextManager, asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any, Literal

from slack_sdk.errors import SlackApiError
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncEngine

from bot.app import open_database
from bot.doctor import UNREACHABLE
from bot.migrations import UNUSABLE, unusable
from bot.settings import Settings, SettingsError, check_certificates
from bot.slack import single_client
from handlers.errors import code_of
from knowledge.people_rows import ID
from knowledge.rows import BadLine
from storage.database import head_version, migrate, schema_version, sqlite_file
from storage.keys import KeysError

Say = Callable[[str], None]
Progress = Callable[[str, int], AbstractContextManager[Callable[[int], None]]]
"""Shows how far something with so many steps is; gives what is told the steps that were made."""


def form_of(file: Path) -> Literal["csv", "json"]:
    """Tell the form by the end of the name. Raises BadLine for any other."""
    match file.suffix.lower():
        case ".csv":
            return "csv"
        case ".json":
            return "json"
    raise BadLine(f"{file.name}: the name has to end in .json or .csv, to tell the form.")


def lines_in(file: Path) -> int:
    """Count the lines of a file, for a bar that shows how far its reading is."""
    with file.open("rb") as opened:
        return sum(chunk.count(b"\n") for chunk in iter(lambda: opened.read(1 << 20), b"")) + 1


@contextmanager
def in_a_sentence(file: Path) -> Iterator[None]:
    """Raise BadLine where a file can't be read."""
    try:
        yield
    except UnicodeDecodeError as error:
        raise BadLine(f"{file.name} is not UTF-8: save it as UTF-8.") from error
    except OSError as error:
        raise BadLine(f"{file.name}: {error.strerror}") from error


def number(count: int, one: str, many: str = "") -> str:
    """Say how many: "1 line", "2 lines"."""
    return f"{count:,} {one if count == 1 else many or one + 's'}"


class new_file:
    """Open a file beside the target, which takes its place once it is whole."""

    def __init__(self, file: Path) -> None:
        self._file = file

    def __enter__(self) -> Any:
        try:
            handle, made = tempfile.mkstemp(dir=self._file.parent, prefix=f".{self._file.name}")  # mode 0600
        except OSError as error:
            raise BadLine(f"{self._file}: {error.strerror}") from error
        self._made = Path(made)
        self._opened = os.fdopen(handle, "w", encoding="utf-8", newline="")
        return self._opened

    def __exit__(self, kind: object, *_: object) -> None:
        self._opened.close()
        if kind is None:
            self._made.replace(self._file)
        else:
            self._made.unlink()


async def workspace_of(settings: Settings, given: str | None) -> str:
    """Return the workspace that is meant: the given one, or that of the bot token."""
    if given is not None:
        if not ID.fullmatch(given):
            raise BadLine("--workspace: that is not an id of Slack's: it looks like T012AB3CD.")
        return given
    if settings.slack_bot_token is None:
        raise SettingsError("Which workspace? Set SLACK_BOT_TOKEN, or give its id: --workspace T012AB3CD")
    check_certificates(settings)
    try:
        async with single_client(settings, settings.slack_bot_token.get_secret_value()) as client:
            found = await client.auth_test()
    except SlackApiError as error:
        raise SettingsError(f"Slack refuses SLACK_BOT_TOKEN ({code_of(error)}).") from error
    except UNREACHABLE as error:
        raise SettingsError("Slack can't be reached to ask for the workspace. Give its id: --workspace ID") from error
    org_wide = found.get("is_enterprise_install") and found.get("enterprise_id")
    return str(found["enterprise_id"] if org_wide else found["team_id"])


def is_new(settings: Settings) -> bool:
    """Tell whether the database is a file that is not there yet."""
    try:
        file = sqlite_file(settings.database)
    except ValueError as error:
        raise SettingsError(str(error)) from error
    return file is not None and not file.exists()


@asynccontextmanager
async def database_of(settings: Settings, *, make: bool = False) -> AsyncIterator[AsyncEngine]:
    """Open the database at its current schema; ``make`` lets an SQLite file be made, or brought up to date."""
    if is_new(settings) and not make:
        raise SettingsError(f"There is no database at {sqlite_file(settings.database)}.")
    engine = open_database(settings)
    try:
        try:
            async with engine.connect() as connection:
                current = await schema_version(connection)
            if current != head_version():
                if not make or engine.dialect.name != "sqlite":
                    raise SettingsError("The database's schema is not current. Run: python -m bot migrate")
                await migrate(engine)
        except UNUSABLE as error:
            raise unusable(settings.database, error) from error
        yield engine
    except KeysError as error:
        raise SettingsError(str(error)) from error
    except SQLAlchemyError as error:
        raise unusable(settings.database, error) from error
    finally:
        await engine.dispose()
