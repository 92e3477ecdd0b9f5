"""`python -m bot entries …`: what a workspace knows beyond the bundled knowledge, from a file and into one."""

from __future__ import annotations

import csv
import json
import secrets
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path

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
from knowledge.rows import BadLine, Row, csv_rows, json_rows
from knowledge.team import NOTHING, Alias, Known, TeamEntry
from knowledge.team_checks import Checker
from knowledge.team_rows import (
    COLUMNS,
    Planned,
    cells_of,
    changed_meanwhile,
    entry_of_cells,
    in_words,
    new_entry_id,
    plan,
    rows_of,
)
from knowledge.workspaces import COMMAND_LINE, Recorded
from storage.team_entries import SqlTeamEntries
from storage.workspaces import SqlWorkspaces

EXAMPLE = "docs/curating.md"
MARK = 16
"""Letters of the mark of a dry run: it is typed, and guards against nobody."""


@dataclass(frozen=True)
class Imported:
    """Hold what an import did, or would do: how many lines are what, and a mark of what was read and is replaced."""

    counted: Counter[str]
    mark: str


def read_rows(file: Path) -> Iterator[tuple[int, Row | str]]:
    """Read a file row by row, CSV or JSON by its name. Raises BadLine where the file as a whole can't be read."""
    form = form_of(file)
    with in_a_sentence(file):
        if form == "csv":
            with file.open(encoding="utf-8-sig", newline="") as opened:
                yield from csv_rows(opened, COLUMNS, "name", entry_of_cells)
        else:
            yield from json_rows(file.read_text(encoding="utf-8-sig"), "entry", EXAMPLE, "entries")


async def import_entries(
    settings: Settings,
    file: Path,
    *,
    workspace: str | None,
    dry_run: bool,
    checked: str | None,
    say: Say,
    progress: Progress,
    now: datetime | None = None,
) -> Imported:
    """Check every line, and then write all of them or none; what each does, or what is wrong, is said with its line.

    Raises BadLine, with nothing written, where any line can't be used, or would write over what somebody changed since
    it was read, or since the dry run whose mark is ``checked``; SettingsError where the workspace or the database can't
    be used.
    """
    form_of(file)
    workspace = await workspace_of(settings, workspace)
    matcher = load_matcher(load_catalog())
    at = now or datetime.now(UTC)
    database = None if dry_run and is_new(settings) else database_of(settings, make=not dry_run)
    async with database or nullcontext() as engine:
        team = SqlTeamEntries(engine) if engine is not None else None
        rows = list(read_rows(file))

        def planned_on(known: Known) -> Iterator[Planned]:
            return plan(rows, known, Checker(known, matcher), lambda: new_entry_id(secrets.token_hex(6)), "", at)

        known = await team.known(workspace) if team is not None else NOTHING
        planned: list[Planned] = []
        with progress("Reading", lines_in(file)) as step:
            line = 0
            for one in planned_on(known):
                say(f"line {one.line}: {in_words(one)}")
                planned.append(one)
                step(one.line - line)
                line = one.line
        _refuse(planned)
        mark = _mark(workspace, rows, planned)
        if checked not in (None, mark):
            raise BadLine(
                "That is not what the dry run said: the file or the workspace is another one, or somebody changed what "
                "it would replace. Nothing was written; look at a dry run again."
            )
        if team is not None and engine is not None and not dry_run:
            while not await _written(team, workspace, planned, known.version):
                # Somebody else wrote something meanwhile: where that is nothing that this would write over, it goes on.
                known = await team.known(workspace, now=True)
                planned = changed_meanwhile(planned_on(known), [one.saw for one in planned])
                for one in planned:
                    if one.problems or one.meanwhile:
                        say(f"line {one.line}: {in_words(one)}")
                _refuse(planned)
            lines = sum(one.writes for one in planned)
            record = Recorded(COMMAND_LINE, "entries imported", at, after={"lines": lines})
            await SqlWorkspaces(engine).record(workspace, record)
    return Imported(Counter(str(one.change) for one in planned), mark)


def _mark(workspace: str, rows: Sequence[tuple[int, Row | str]], planned: Sequence[Planned]) -> str:
    """Return a mark of the workspace, of what a file says, and of what stands in its place."""
    said = [workspace, *map(repr, rows), *(f"{one.change} {one.saw}" for one in planned)]
    return sha256("\n".join(said).encode("utf-8", "surrogatepass")).hexdigest()[:MARK]


def _refuse(planned: Sequence[Planned]) -> None:
    bad, meanwhile = sum(bool(one.problems) for one in planned), sum(one.meanwhile for one in planned)
    if bad:
        raise BadLine(f"{number(bad, 'line')} can't be used, and nothing was written. Mend the file.")
    if meanwhile:
        raise BadLine(f"What {number(meanwhile, 'line')} would replace changed meanwhile, and nothing was written.")


async def _written(team: SqlTeamEntries, workspace: str, planned: Sequence[Planned], on: str) -> bool:
    made = [one.made for one in planned if one.writes]
    entries, aliases = (
        [one for one in made if isinstance(one, TeamEntry)],
        [one for one in made if isinstance(one, Alias)],
    )
    return await team.save(workspace, entries, aliases, on=on)


def told(done: Imported, *, dry_run: bool) -> str:
    """Say in a line what an import did, and after a dry run in another how to be held to it."""
    new, changed, same = (done.counted[change] for change in ("new", "changed", "same"))
    verb = "would be" if dry_run else "were"
    said = f"{new:,} {verb} added, {changed:,} {verb} changed; {same:,} stay as they are."
    return f"{said}\nTo write that and nothing else: --checked {done.mark}" if dry_run and new + changed else said


async def export_entries(settings: Settings, file: Path, *, workspace: str | None) -> int:
    """Write entries and words into a file that only its owner reads; return how many."""
    form = form_of(file)
    workspace = await workspace_of(settings, workspace)
    async with database_of(settings) as engine:
        rows = list(rows_of(await SqlTeamEntries(engine).known(workspace)))
        await SqlWorkspaces(engine).record(workspace, Recorded(COMMAND_LINE, "entries exported", datetime.now(UTC)))
    with new_file(file) as opened:
        if form == "csv":
            writer = csv.writer(opened, lineterminator="\n")
            writer.writerow(COLUMNS)
            writer.writerows(map(cells_of, rows))
        else:
            json.dump(rows, opened, ensure_ascii=False, indent=1)
            opened.write("\n")
    return len(rows)
