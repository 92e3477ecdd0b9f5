"""`python -m bot people …`: members and declarations from a file and into one; one person exported or erased."""

from __future__ import annotations

import csv
import json
import logging
import random
from collections.abc import Iterable, Iterator
from contextlib import nullcontext
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sqlalchemy.ext.asyncio import AsyncEngine

from bot.logs import about
from bot.offline import (
    Progress,
    Say,
    database_of,
    form_of,
    in_a_sentence,
    is_new,
    lines_in,
    new_file,
    number,
    workspace_of,
)
from bot.settings import Settings
from knowledge.catalog import load_catalog
from knowledge.index import load_matcher
from knowledge.people_rows import (
    COLUMNS,
    ID,
    Names,
    Read,
    cells_of,
    names_of,
    person_of_cells,
    read_people,
    row_of,
)
from knowledge.rows import BadLine, csv_rows, json_rows
from knowledge.workspaces import COMMAND_LINE, Recorded
from storage.bulk import MOST_AT_ONCE, SqlPeopleInBulk
from storage.people import SqlPeople
from storage.workspaces import SqlWorkspaces

logger = logging.getLogger(__name__)


@dataclass
class Counted:
    """Count what an import did."""

    written: int = 0
    forgotten: int = 0
    empty: int = 0
    bad: int = 0


def read_file(file: Path, names: Names) -> Iterator[Read]:
    """Read a file line by line, CSV or JSON by its name. Raises BadLine where the file as a whole can't be read."""
    form = form_of(file)
    with in_a_sentence(file):
        if form == "csv":
            with file.open(encoding="utf-8-sig", newline="") as opened:
                yield from read_people(csv_rows(opened, COLUMNS, "id", person_of_cells), names)
        else:
            text = file.read_text(encoding="utf-8-sig")
            yield from read_people(json_rows(text, "member", "bot/local/demo_team.json"), names)


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
    workspace = await workspace_of(settings, workspace)
    names = names_of(load_matcher(load_catalog()))
    counted = Counted()
    lines = lines_in(file)
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
            f"{number(counted.bad, 'line')} can't be used, and nothing was written. Mend the file, or leave "
            "such lines out with --skip-bad."
        )
    database = None if dry_run and is_new(settings) else database_of(settings, make=not dry_run)
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
        if engine is not None and not dry_run:
            done = {"people": counted.written, "left out": counted.forgotten + counted.empty + counted.bad}
            await _record(engine, workspace, "people imported", done, now)
    return counted


def told(counted: Counted, *, dry_run: bool) -> str:
    """Say in a line what an import did."""
    verb = "would be" if dry_run else "was" if counted.written == 1 else "were"
    parts = [f"{number(counted.written, 'person', 'people')} {verb} imported"]
    if counted.forgotten:
        parts.append(f"{counted.forgotten:,} left out who asked to be forgotten")
    if counted.empty:
        parts.append(f"{counted.empty:,} left out who declare nothing")
    if counted.bad:
        parts.append(f"{number(counted.bad, 'bad line')} skipped")
    return "; ".join(parts) + "."


def _batches(found: Iterable[Read]) -> Iterator[list[Read]]:
    batch: list[Read] = []
    for one in found:
        batch.append(one)
        if len(batch) == MOST_AT_ONCE:
            yield batch
            batch = []
    if batch:
        yield batch


async def export_people(settings: Settings, file: Path, *, workspace: str | None, progress: Progress) -> int:
    """Write everybody who declared something into a file that only its owner reads; return how many."""
    form = form_of(file)
    workspace = await workspace_of(settings, workspace)
    count = 0
    async with database_of(settings) as engine:
        with new_file(file) as opened, progress("Writing", 0) as step:
            writer = csv.writer(opened, lineterminator="\n")
            if form == "csv":
                writer.writerow(COLUMNS)
            async for one in SqlPeopleInBulk(engine, random.SystemRandom()).everybody(workspace):
                if form == "csv":
                    writer.writerow(cells_of(row_of(one)))
                else:
                    opened.write("[\n" if not count else ",\n")
                    opened.write(json.dumps(row_of(one), ensure_ascii=False))
                count += 1
                step(1)
            if form == "json":
                opened.write("\n]\n" if count else "[]\n")
        await _record(engine, workspace, "people exported", {"people": count})
    return count


async def export_person(settings: Settings, file: Path, user: str, *, workspace: str | None) -> int:
    """Write all that is kept about one person, as JSON; return how many rows that is."""
    if form_of(file) != "json":
        raise BadLine("What is kept about one person is written as JSON: the name has to end in .json.")
    workspace = await workspace_of(settings, workspace)
    async with database_of(settings) as engine:
        kept = await SqlPeople(engine, random.SystemRandom()).kept(workspace, user)
        with new_file(file) as opened:
            json.dump({"person": user, "workspace": workspace, **kept}, opened, ensure_ascii=False, indent=1)
            opened.write("\n")
        rows = sum(map(len, kept.values()))
        await _record(engine, workspace, "person exported", {"rows": rows}, user=user)
    return rows


async def forget_person(settings: Settings, user: str, *, workspace: str | None) -> int:
    """Delete all that is kept about one person, note that in the log, and return how many rows it was."""
    if not ID.fullmatch(user):
        raise BadLine("That is not an id of Slack's: it looks like U012AB3CD.")
    workspace = await workspace_of(settings, workspace)
    async with database_of(settings) as engine:
        count = await SqlPeople(engine, random.SystemRandom()).forget(workspace, user)
        await _record(engine, workspace, "person erased", {"rows": count}, user=user)
    with about(workspace=workspace):
        # Without the id: the log is not to keep what was just erased.
        logger.warning("people forget: an administrator erased one person, %s rows", count)
    return count


async def _record(
    engine: AsyncEngine,
    workspace: str,
    what: str,
    after: dict[str, Any],
    now: datetime | None = None,
    user: str = "",
) -> None:
    """Add to the audit log what was done here; of a person only the keyed hash."""
    workspaces = SqlWorkspaces(engine)
    entry = Recorded(COMMAND_LINE, what, now or datetime.now(UTC), after=after, about=user)
    await (workspaces.record_hashed(workspace, entry) if user else workspaces.record(workspace, entry))
