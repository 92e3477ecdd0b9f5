"""`python -m bot people …`: members and declarations from a file and into one; one person exported or erased."""

from __future__ import annotations

import csv
import json
import logging
import random
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field
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
    WORDS,
    WRITTEN,
    Became,
    Names,
    Read,
    cells_of,
    names_of,
    person_of_cells,
    read_people,
    refused,
    row_of,
)
from knowledge.rows import BadLine, csv_rows, json_rows
from knowledge.workspaces import COMMAND_LINE, Recorded
from storage.bulk import MOST_AT_ONCE, SqlPeopleInBulk
from storage.people import SqlPeople
from storage.workspaces import SqlWorkspaces

logger = logging.getLogger(__name__)
TOTALS: Mapping[Became, str] = {
    "same": "kept, as they stand there already",
    "own": "kept, who declared themselves",
    "forgotten": "left out who asked to be forgotten",
    "empty": "left out who declare nothing",
}


@dataclass
class Counted:
    """Count what an import did: what became of lines that can be read, and lines that can't."""

    became: Counter[Became] = field(default_factory=Counter)
    bad: int = 0

    @property
    def written(self) -> int:
        """Return how many people were added or changed."""
        return sum(self.became[one] for one in WRITTEN)

    @property
    def kept(self) -> int:
        """Return how many people stay as they are."""
        return self.became["same"] + self.became["own"]


class Report:
    """Say line by line what became of it; neighbours of the same kind are said at once: a file may be long."""

    def __init__(self, say: Say) -> None:
        self._say = say
        self._first = self._last = 0
        self._said = ""

    def add(self, line: int, said: str) -> None:
        """Take the next line."""
        if said != self._said:
            self.end()
            self._first, self._said = line, said
        self._last = line

    def end(self) -> None:
        """Say what was not said yet."""
        if self._said:
            one = self._first == self._last
            self._say(f"line{'' if one else 's'} {self._first:,}{'' if one else f' to {self._last:,}'}: {self._said}")
        self._said = ""


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
            if one.listed is None:
                say(f"line {one.line}: {refused(one.problems)}")
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
        report = Report(say)
        with progress("Checking" if dry_run else "Writing", lines) as step:
            at = 0
            for batch in _batches(read_file(file, names)):
                whole = [(one.line, one.listed) for one in batch if one.listed is not None]
                everybody = [listed for _, listed in whole]
                if bulk is None:
                    became: Sequence[Became] = ["added" if one.roles or one.topics else "empty" for one in everybody]
                elif dry_run:
                    became = [one.became for one in await bulk.planned(workspace, everybody)]
                else:
                    became = await bulk.declare_many(workspace, everybody, now or datetime.now(UTC))
                for (line, _), what in zip(whole, became, strict=True):
                    # Without the id: that of whoever is forgotten is not to stand in any log again.
                    report.add(line, WORDS[what])
                counted.became.update(became)
                step(batch[-1].line - at)
                at = batch[-1].line
        report.end()
        if engine is not None and not dry_run:
            left_out = counted.became["forgotten"] + counted.became["empty"] + counted.bad
            done = {"people": counted.written, "left out": left_out}
            done |= {"kept as they are": counted.kept} if counted.kept else {}
            await _record(engine, workspace, "people imported", done, now)
    return counted


def told(counted: Counted, *, dry_run: bool) -> str:
    """Say in a line what an import did."""
    verb = "would be" if dry_run else "was" if counted.written == 1 else "were"
    parts = [f"{number(counted.written, 'person', 'people')} {verb} imported"]
    for became, words in TOTALS.items():
        if counted.became[became]:
            parts.append(f"{counted.became[became]:,} {words}")
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
        record = Recorded(COMMAND_LINE, "person erased", datetime.now(UTC))
        count = await SqlPeople(engine, random.SystemRandom()).forget(workspace, user, record=record)
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
