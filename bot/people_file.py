"""`python -m bot people …`: members and declarations from a file and into one; one person exported or erased."""

from __future__ import annotations

import csv
import json
import logging
import os
import random
import re
import tempfile
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from contextlib import AbstractContextManager, asynccontextmanager, nullcontext
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal

from pydantic import Field, ValidationError
from slack_sdk.errors import SlackApiError
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncEngine

from bot.app import open_database
from bot.ask import BadLine, TeamMember
from bot.doctor import UNREACHABLE
from bot.logs import about
from bot.migrations import UNUSABLE, unusable
from bot.settings import Settings, SettingsError, check_certificates
from bot.slack import open_session, slack_client
from knowledge.catalog import load_catalog
from knowledge.index import load_index
from knowledge.people import Level, Listed, Member, Terms, Visibility
from storage.bulk import MOST_AT_ONCE, SqlPeopleInBulk
from storage.database import head_version, migrate, schema_version, sqlite_file
from storage.keys import KeysError
from storage.people import SqlPeople

logger = logging.getLogger(__name__)
COLUMNS = (
    *("id", "name", "title", "tz", "roles", "topics", "status", "bot", "guest"),
    *("visibility", "weekly_cap", "not_about"),
)
MOST_TOPICS, LONGEST_TOPIC = 20, 60
"""As many as the form takes in which people declare."""
LISTS = ("topics", "not_about")
FORMULA = ("=", "+", "-", "@")
"""What a spreadsheet takes for a formula: written with an apostrophe before it, and read without."""
ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,31}")
Say = Callable[[str], None]
Progress = Callable[[str, int], AbstractContextManager[Callable[[int], None]]]
"""Shows how far something with so many steps is; gives what is told the steps that were made."""


class Row(TeamMember):
    """Hold one member of a file, with terms."""

    name: str = Field("", max_length=200)
    title: str = Field("", max_length=300)
    tz: str = Field("", max_length=64)
    visibility: Visibility | None = None
    weekly_cap: int | None = Field(None, ge=0, le=1000)
    not_about: list[str] = Field(default_factory=list)


@dataclass(frozen=True)
class Names:
    """Hold what rows are checked against."""

    roles: frozenset[str]
    topic_key: Callable[[str], str]


@dataclass(frozen=True)
class Read:
    """Hold what one line gave: a person, or what is wrong with it."""

    line: int
    listed: Listed | None
    problems: tuple[str, ...] = ()


@dataclass
class Counted:
    """Count what an import did."""

    written: int = 0
    forgotten: int = 0
    empty: int = 0
    bad: int = 0


def load_names() -> Names:
    """Read the ids of roles, and what gives topics their key."""
    catalog = load_catalog()
    matcher = load_index(catalog).matcher
    return Names(frozenset(catalog.roles), lru_cache(maxsize=50_000)(matcher.topic_key))


# Reading


def read_file(file: Path, names: Names) -> Iterator[Read]:
    """Read a file line by line, CSV or JSON by its name. Raises BadLine where the file as a whole can't be read."""
    seen: set[str] = set()
    form = form_of(file)
    try:
        for line, found in read_csv(file) if form == "csv" else read_json(file):
            if isinstance(found, str):
                yield Read(line, None, (found,))
                continue
            one = _checked(line, found, names)
            user = one.listed.member.user if one.listed is not None else ""
            yield Read(line, None, ("id: it stands in the file twice",)) if user in seen else one
            if user:
                seen.add(user)
    except UnicodeDecodeError as error:
        raise BadLine(f"{file.name} is not UTF-8: save it as UTF-8.") from error
    except OSError as error:
        raise BadLine(f"{file.name}: {error.strerror}") from error


def form_of(file: Path) -> Literal["csv", "json"]:
    """Tell the form by the end of the name. Raises BadLine for any other."""
    match file.suffix.lower():
        case ".csv":
            return "csv"
        case ".json":
            return "json"
    raise BadLine(f"{file.name}: the name has to end in .json or .csv, to tell the form.")


def read_csv(file: Path) -> Iterator[tuple[int, dict[str, Any] | str]]:
    """Give each row with its line; a text says what is wrong with one."""
    with file.open(encoding="utf-8-sig", newline="") as opened:
        reader = csv.reader(opened, strict=True)
        try:
            heads = [head.strip().lower() for head in next(reader, [])]
            unknown = [head for head in heads if head not in COLUMNS]
            if unknown or "id" not in heads or len({*heads}) < len(heads):
                wrong = f"there is no column {unknown[0]!r}" if unknown else "a column “id” is needed, each once"
                raise BadLine(f"line 1: {wrong}. The columns are: {', '.join(COLUMNS)}, with commas between them.")
            line = reader.line_num + 1
            for row in reader:
                if any(cell.strip() for cell in row):
                    more = len(row) > len(heads)
                    yield line, "more cells than columns" if more else _from_cells(dict(zip(heads, row, strict=False)))
                line = reader.line_num + 1
        except csv.Error as error:
            raise BadLine(f"line {reader.line_num}: {error}.") from error


def _from_cells(cells: dict[str, str]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, cell in cells.items():
        cell = cell.strip()
        if cell[:1] == "'" and cell[1:2] in FORMULA:
            cell = cell[1:]
        if not cell:
            continue
        parts = [part.strip() for part in cell.split(";") if part.strip()]
        if name == "roles":
            pairs = [map(str.strip, part.split(":", 1)) for part in parts]
            found["declared"] = [dict(zip(("role", "level"), pair, strict=False)) for pair in pairs]
        else:
            found[name] = parts if name in LISTS else cell
    return found


def read_json(file: Path) -> Iterator[tuple[int, dict[str, Any] | str]]:
    """Give each member of a list with its line; only one of them is in memory beside the text."""
    text = file.read_text(encoding="utf-8-sig")
    decoder, space = json.JSONDecoder(), re.compile(r"\s*")
    at, line, counted = space.match(text).end(), 1, 0  # type: ignore[union-attr]  # it matches everywhere

    def wrong(what: str) -> BadLine:
        return BadLine(f"line {text.count(chr(10), 0, at) + 1}: {what}.")

    def step(sign: str = "") -> None:
        nonlocal at
        at = space.match(text, at + len(sign)).end()  # type: ignore[union-attr]

    if text[at : at + 1] != "[":
        raise wrong("a list of members is needed, as in bot/local/demo_team.json")
    step("[")
    while text[at : at + 1] != "]":
        line, counted = line + text.count("\n", counted, at), at
        try:
            found, at = decoder.raw_decode(text, at)
        except json.JSONDecodeError as error:
            raise BadLine(f"line {error.lineno}: {error.msg}.") from error
        except RecursionError as error:
            raise wrong("too much in one another") from error
        yield line, found if isinstance(found, dict) else "not a member"
        step()
        if text[at : at + 1] == ",":
            step(",")
        elif text[at : at + 1] != "]":
            raise wrong("a comma or the end of the list is missing")
    step("]")
    if at < len(text):
        raise wrong("there is more after the end of the list")


def _checked(line: int, found: dict[str, Any], names: Names) -> Read:
    try:
        row = Row.model_validate(found)
    except ValidationError as error:
        return Read(line, None, tuple(_told(problem) for problem in error.errors(include_url=False)))
    problems: list[str] = []
    if not ID.fullmatch(row.id):
        problems.append("id: missing" if not row.id else "id: not an id of Slack's")
    roles: dict[str, Level] = {}
    for declared in row.declared:
        if declared.role not in names.roles:
            problems.append(f"roles: there is no role {declared.role[:60]!r}")
        elif declared.role in roles:
            problems.append(f"roles: {declared.role} stands there twice")
        roles[declared.role] = declared.level
    topics = _topics("topics", row.topics, names, problems)
    not_about = _topics("not_about", row.not_about, names, problems)
    if any("\0" in text for text in (row.name, row.title, row.tz)):
        problems.append("a sign in it is no text")
    if problems:
        return Read(line, None, tuple(problems))
    said = {"visibility", "weekly_cap", "not_about"} & row.model_fields_set
    terms = Terms(row.visibility or "open", row.weekly_cap, not_about) if said else None
    member = Member(row.id, row.name, row.title, row.tz, row.status, row.bot, row.guest)
    return Read(line, Listed(member, roles, topics, terms))


def _topics(name: str, given: Iterable[str], names: Names, problems: list[str]) -> dict[str, str]:
    found: dict[str, str] = {}
    for words in given:
        topic = " ".join(words.split())
        if len(topic) > LONGEST_TOPIC:
            problems.append(f"{name}: “{topic[:30]}…” is too long: at most {LONGEST_TOPIC} letters")
        elif "\0" in topic or not (key := names.topic_key(topic)):
            problems.append(f"{name}: one has no letters in it")
        else:
            found.setdefault(key, topic)
    if len(found) > MOST_TOPICS:
        problems.append(f"{name}: these are {len(found)}; at most {MOST_TOPICS} fit")
    return found


def _told(problem: Any) -> str:
    where = ".".join(str(part) for part in problem["loc"])
    if problem["type"] == "missing":
        return f"{where}: missing"
    return f"{where}: {problem['msg']}"


# Importing


async def import_people(
    settings: Settings,
    file: Path,
    *,
    workspace: str | None,
    dry_run: bool,
    skip_bad: bool,
    say: Say,
    progress: Progress,
    now: datetime | None = None,
) -> Counted:
    """Check the whole file first, and then write it in batches; every problem is said with its line.

    Raises BadLine, with nothing written, where there is any and bad lines are not to be skipped; SettingsError where
    the workspace or the database can't be used.
    """
    form_of(file)
    workspace = await _workspace(settings, workspace)
    names = load_names()
    counted = Counted()
    lines = _lines_in(file)
    with progress("Reading", lines) as step:
        at = 0
        for one in read_file(file, names):
            for problem in one.problems:
                say(f"line {one.line}: {problem}")
            counted.bad += one.listed is None
            step(one.line - at)
            at = one.line
    if counted.bad and not skip_bad:
        raise BadLine(
            f"{_number(counted.bad, 'line')} can't be used, and nothing was written. Mend the file, or leave "
            "such lines out with --skip-bad."
        )
    database = None if dry_run and _is_new(settings) else _database(settings, make=not dry_run)
    async with database or nullcontext() as engine:
        bulk = SqlPeopleInBulk(engine, random.SystemRandom()) if engine is not None else None
        with progress("Checking" if dry_run else "Writing", lines) as step:
            at = 0
            for batch in _batches(read_file(file, names)):
                everybody = [one.listed for one in batch if one.listed is not None]
                if bulk is None:
                    gone = frozenset[str]()
                elif dry_run:
                    gone = await bulk.forgotten(workspace, [one.member.user for one in everybody])
                else:
                    gone = await bulk.declare_many(workspace, everybody, now or datetime.now(UTC))
                for one in batch:
                    if one.listed is None:
                        continue
                    if one.listed.member.user in gone:
                        # Without the id: it is not to stand in any log again.
                        say(f"line {one.line}: left out, as this person asked to be forgotten")
                        counted.forgotten += 1
                    elif one.listed.roles or one.listed.topics:
                        counted.written += 1
                    else:
                        counted.empty += 1
                step(batch[-1].line - at)
                at = batch[-1].line
    return counted


def told(counted: Counted, *, dry_run: bool) -> str:
    """Say in a line what an import did."""
    verb = "would be" if dry_run else "was" if counted.written == 1 else "were"
    parts = [f"{_number(counted.written, 'person', 'people')} {verb} imported"]
    if counted.forgotten:
        parts.append(f"{counted.forgotten:,} left out who asked to be forgotten")
    if counted.empty:
        parts.append(f"{counted.empty:,} left out who declare nothing")
    if counted.bad:
        parts.append(f"{_number(counted.bad, 'bad line')} skipped")
    return "; ".join(parts) + "."


def _number(count: int, one: str, many: str = "") -> str:
    return f"{count:,} {one if count == 1 else many or one + 's'}"


def _lines_in(file: Path) -> int:
    with file.open("rb") as opened:
        return sum(chunk.count(b"\n") for chunk in iter(lambda: opened.read(1 << 20), b"")) + 1


def _batches(found: Iterable[Read]) -> Iterator[list[Read]]:
    batch: list[Read] = []
    for one in found:
        batch.append(one)
        if len(batch) == MOST_AT_ONCE:
            yield batch
            batch = []
    if batch:
        yield batch


# Exporting


async def export_people(settings: Settings, file: Path, *, workspace: str | None, progress: Progress) -> int:
    """Write everybody who declared something into a file that only its owner reads; return how many."""
    form = form_of(file)
    workspace = await _workspace(settings, workspace)
    count = 0
    async with _database(settings) as engine:
        with _new_file(file) as opened, progress("Writing", 0) as step:
            writer = csv.writer(opened, lineterminator="\n")
            if form == "csv":
                writer.writerow(COLUMNS)
            async for one in SqlPeopleInBulk(engine, random.SystemRandom()).everybody(workspace):
                if form == "csv":
                    writer.writerow(_cells(_row(one)))
                else:
                    opened.write("[\n" if not count else ",\n")
                    opened.write(json.dumps(_row(one), ensure_ascii=False))
                count += 1
                step(1)
            if form == "json":
                opened.write("\n]\n" if count else "[]\n")
    return count


async def export_person(settings: Settings, file: Path, user: str, *, workspace: str | None) -> int:
    """Write all that is kept about one person, as JSON; return how many rows that is."""
    if form_of(file) != "json":
        raise BadLine("What is kept about one person is written as JSON: the name has to end in .json.")
    workspace = await _workspace(settings, workspace)
    async with _database(settings) as engine:
        kept = await SqlPeople(engine, random.SystemRandom()).kept(workspace, user)
        with _new_file(file) as opened:
            json.dump({"person": user, "workspace": workspace, **kept}, opened, ensure_ascii=False, indent=1)
            opened.write("\n")
    return sum(map(len, kept.values()))


async def forget_person(settings: Settings, user: str, *, workspace: str | None) -> int:
    """Delete all that is kept about one person, note that in the log, and return how many rows it was."""
    if not ID.fullmatch(user):
        raise BadLine("That is not an id of Slack's: it looks like U012AB3CD.")
    workspace = await _workspace(settings, workspace)
    async with _database(settings) as engine:
        count = await SqlPeople(engine, random.SystemRandom()).forget(workspace, user)
    with about(workspace=workspace):
        # Without the id: the log is not to keep what was just erased.
        logger.warning("people forget: an administrator erased one person, %s rows", count)
    return count


def _row(one: Listed) -> dict[str, Any]:
    member, terms = one.member, one.terms or Terms()
    return {
        "id": member.user,
        "name": member.name,
        "title": member.title,
        "tz": member.tz,
        "declared": [{"role": role, "level": level} for role, level in one.roles.items()],
        "topics": list(one.topics.values()),
        "status": member.availability,
        "bot": member.is_bot,
        "guest": member.is_guest,
        "visibility": terms.visibility,
        "weekly_cap": terms.weekly_cap,
        "not_about": list(terms.not_about.values()),
    }


def _cells(row: dict[str, Any]) -> list[str]:
    cells: list[str] = []
    for column in COLUMNS:
        match row["declared" if column == "roles" else column]:
            case None:
                cell = ""
            case bool(value):
                cell = "true" if value else "false"
            case list(values) if column == "roles":
                cell = ";".join(f"{value['role']}:{value['level']}" for value in values)
            case list(values):
                cell = ";".join(value.replace(";", ",") for value in values)
            case value:
                cell = str(value)
        cells.append(f"'{cell}" if cell.startswith(FORMULA) else cell)
    return cells


class _new_file:
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


# What all of them need


async def _workspace(settings: Settings, given: str | None) -> str:
    """Return the workspace that is meant: the given one, or that of the bot token."""
    if given is not None:
        if not ID.fullmatch(given):
            raise BadLine("--workspace: that is not an id of Slack's: it looks like T012AB3CD.")
        return given
    if settings.slack_bot_token is None:
        raise SettingsError("Which workspace? Set SLACK_BOT_TOKEN, or give its id: --workspace T012AB3CD")
    check_certificates(settings)
    client = slack_client(settings, settings.slack_bot_token.get_secret_value())
    client.session = open_session()
    try:
        found = await client.auth_test()
    except SlackApiError as error:
        raise SettingsError(f"Slack refuses SLACK_BOT_TOKEN ({error.response.get('error')}).") from error
    except UNREACHABLE as error:
        raise SettingsError("Slack can't be reached to ask for the workspace. Give its id: --workspace ID") from error
    finally:
        await client.session.close()
    org_wide = found.get("is_enterprise_install") and found.get("enterprise_id")
    return str(found["enterprise_id"] if org_wide else found["team_id"])


def _is_new(settings: Settings) -> bool:
    """Tell whether the database is a file that is not there yet."""
    try:
        file = sqlite_file(settings.database)
    except ValueError as error:
        raise SettingsError(str(error)) from error
    return file is not None and not file.exists()


@asynccontextmanager
async def _database(settings: Settings, *, make: bool = False) -> AsyncIterator[AsyncEngine]:
    """Open the database at its current schema; ``make`` lets an SQLite file be made, or brought up to date."""
    if _is_new(settings) and not make:
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
