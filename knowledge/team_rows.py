"""A workspace's entries and words as rows of a file: what each would change, and what is wrong with it."""

from __future__ import annotations

from base64 import urlsafe_b64encode
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from hashlib import sha256
from itertools import chain, repeat
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from knowledge.people_rows import refused, told
from knowledge.rows import Row, cell_of, parts_of
from knowledge.team import TEAM_ID, Alias, Known, State, TeamEntry, published, retired
from knowledge.team_checks import Checker
from knowledge.text import key_of

COLUMNS = ("id", "name", "names", "question", "answer", "roles", "topics", "state", "alias_of")
LISTS = ("names", "roles", "topics")
SAID = tuple(column for column in COLUMNS if column not in ("id", "alias_of"))
"""What a row says of an entry."""
Change = Literal["new", "changed", "same"]


class EntryRow(BaseModel):
    """Hold one row of a file: an entry, or with ``alias_of`` a word for a bundled entry."""

    model_config = ConfigDict(extra="forbid")

    id: str = Field("", max_length=32)
    name: str
    names: list[str] = []
    question: str = ""
    answer: str = ""
    roles: list[str] = []
    topics: list[str] = []
    state: State = "published"
    alias_of: str = ""


@dataclass(frozen=True)
class Planned:
    """Hold what one line would do, or what is wrong with it."""

    line: int
    name: str = ""
    change: Change = "new"
    made: TeamEntry | Alias | None = None
    problems: tuple[str, ...] = ()
    before: TeamEntry | Alias | None = None
    """What stands in the place of what is made, as it was when this was planned."""
    meanwhile: bool = False
    """Whether something else stood there when this was planned first."""

    @property
    def writes(self) -> bool:
        """Tell whether it would write anything."""
        return self.made is not None and self.change != "same"

    @property
    def saw(self) -> str:
        """Return a mark of what stands there: of all that a row says, not of when somebody said that it is right."""
        one = self.before
        said = [getattr(one, name) for name in SAID] if isinstance(one, TeamEntry) else one and [one.name, one.entry_id]
        return urlsafe_b64encode(sha256(repr(said).encode("utf-8", "surrogatepass")).digest()).decode()


def entry_of_cells(cells: Mapping[str, str]) -> Row:
    """Make a row of the cells of a table."""
    return {name: parts_of(cell) if name in LISTS else cell for name, cell in cells.items()}


def changed_meanwhile(planned: Iterable[Planned], saw: Iterable[str]) -> list[Planned]:
    """Note which lines would write over something else than when they were planned first.

    ``saw`` are the marks of then, or how they begin.
    """
    pairs = zip(planned, chain(saw, repeat("")), strict=False)
    return [replace(one, meanwhile=one.writes and not one.saw.startswith(mark)) for one, mark in pairs]


def plan(
    rows: Iterable[tuple[int, Row | str]],
    known: Known,
    checker: Checker,
    new_id: Callable[[], str],
    by: str,
    now: datetime,
) -> Iterator[Planned]:
    """Say for each row what it would do; a row is about the entry of its id, or else about the one of its name."""
    entries = {entry.id: entry for entry in known.entries}
    aliases = {key_of(alias.name): alias for alias in known.aliases}
    # Of retired ones several may have one name; each of them stands for one row.
    retired_as: dict[str, list[TeamEntry]] = {}
    for entry in known.entries:
        if entry.state == "retired":
            retired_as.setdefault(entry.name, []).append(entry)
    seen: set[str] = set()
    for line, found in rows:
        if isinstance(found, str):
            yield Planned(line, problems=(found,))
            continue
        try:
            row = EntryRow.model_validate(found)
        except ValidationError as error:
            yield Planned(line, problems=tuple(map(told, error.errors(include_url=False))))
            continue
        row = row.model_copy(update={"name": " ".join(row.name.split())})
        alike = [entry for entry in retired_as.get(row.name, ()) if entry.id not in seen]
        one = (
            _alias(line, row, aliases, checker, by, now)
            if row.alias_of
            else _entry(line, row, entries, alike, checker, new_id, by, now)
        )
        key = one.made.id if isinstance(one.made, TeamEntry) else f"alias {key_of(row.name)}"
        if one.made is not None and key in seen:
            one = Planned(line, row.name, problems=("it stands in the file twice",))
        seen.add(key)
        yield one


def _alias(line: int, row: EntryRow, aliases: Mapping[str, Alias], checker: Checker, by: str, now: datetime) -> Planned:
    if row.names or row.question or row.answer or row.roles or row.topics:
        return Planned(line, row.name, problems=("alias_of: a word has nothing but its name beside it",))
    alias = Alias(row.name, row.alias_of, by, now)
    problems = checker.alias(alias)
    if problems:
        return Planned(line, row.name, problems=_listed(problems, {"entry_id": "alias_of"}))
    before = aliases.get(key_of(row.name))
    same = before is not None and (before.name, before.entry_id) == (alias.name, alias.entry_id)
    return Planned(line, row.name, "same" if same else "changed" if before else "new", alias, before=before)


def _entry(
    line: int,
    row: EntryRow,
    entries: Mapping[str, TeamEntry],
    alike: Sequence[TeamEntry],
    checker: Checker,
    new_id: Callable[[], str],
    by: str,
    now: datetime,
) -> Planned:
    given = {
        "name": row.name,
        "names": _words(row.names),
        "question": " ".join(row.question.split()),
        "answer": row.answer.strip(),
        "roles": tuple(dict.fromkeys(row.roles)),
        "topics": _words(row.topics),
        "state": row.state,
    }
    before = entries.get(row.id) or _named(row, alike, checker, given)
    if before is not None and _says(before, given):
        return Planned(line, row.name, "same", before, before=before)
    if before is not None and _is_proposal(before):
        return Planned(line, row.name, problems=("it is proposed: look at it on the Home tab, and publish it there",))
    # An id that is not known here comes from another workspace: it would say nothing, and may be anything.
    start = before or TeamEntry(new_id(), row.name, source="imported")
    entry = replace(start, **given, written_by=by, shown_author="", changed_at=now)  # type: ignore[arg-type]
    if entry.state == "published":
        entry = published(entry, now)
    elif entry.state == "retired":
        entry = retired(entry, now)
    problems = checker.entry(entry)
    if problems:
        return Planned(line, row.name, problems=_listed(problems, {}))
    return Planned(line, row.name, "changed" if before else "new", entry, before=before)


def _named(
    row: EntryRow, alike: Sequence[TeamEntry], checker: Checker, given: Mapping[str, object]
) -> TeamEntry | None:
    """Return the entry that a row without an id known here is about; what is imported once more is not added again.

    ``alike`` are the retired ones of that name: it is the one that says the same, or the only one.
    """
    retired_one = next((entry for entry in alike if _says(entry, given)), alike[0] if len(alike) == 1 else None)
    found = checker.entry_named(row.name)
    if row.state != "retired":
        return found if found is not None and (not row.id or found.name == row.name) else None
    if row.id or (retired_one is not None and _says(retired_one, given)):
        # What is retired elsewhere retires nothing that answers here.
        return retired_one
    return found or retired_one


def _says(entry: TeamEntry, given: Mapping[str, object]) -> bool:
    return all(getattr(entry, name) == value for name, value in given.items())


def _is_proposal(entry: TeamEntry) -> bool:
    return entry.state == "proposed" and entry.source == "kept"


def _words(given: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(filter(None, (" ".join(one.split()) for one in given))))


def _listed(problems: Mapping[str, str], names: Mapping[str, str]) -> tuple[str, ...]:
    return tuple(f"{names.get(field, field)}: {problem}" for field, problem in problems.items())


def rows_of(known: Known) -> Iterator[Row]:
    """Write everything as rows, entries first; without the people who wrote them.

    What is proposed of a question and its answer is left out: either side may still take it back.
    """
    for entry in known.entries:
        if _is_proposal(entry):
            continue
        row = {name: getattr(entry, name) for name in COLUMNS if name != "alias_of"}
        yield {name: list(value) if isinstance(value, tuple) else value for name, value in row.items()}
    for alias in known.aliases:
        yield {"name": alias.name, "alias_of": alias.entry_id}


def cells_of(row: Mapping[str, object]) -> list[str]:
    """Write a row as the cells of a table."""
    return [cell_of(row.get(column)) for column in COLUMNS]


def in_words(one: Planned, mention: Callable[[str], str] = str) -> str:
    """Say what a line would do, as a line of a report; ``mention`` writes the id of a person."""
    if one.problems:
        return refused(one.problems)
    what = "word" if isinstance(one.made, Alias) else "entry"
    if one.meanwhile:
        return _who_and_when(one, what, mention)
    return {
        "new": f"added: new {what} “{one.name}”",
        "changed": f"changed: the {what} “{one.name}”",
        "same": f"kept: nothing changes in the {what} “{one.name}”",
    }[one.change]


def _who_and_when(one: Planned, what: str, mention: Callable[[str], str]) -> str:
    there = one.before
    if there is None:
        gone = "taken away" if isinstance(one.made, Alias) else "retired or taken away"
        return f"changed meanwhile: the {what} “{one.name}” was {gone}; look and import again"
    if isinstance(there, Alias):
        by, at = there.written_by, there.written_at
    else:
        # Whoever retires an entry, or adds a wording to it, does not become its author.
        by, at = there.written_by if there.verified_at == there.changed_at else "", there.changed_at
    who = f" by {mention(by)}" if by else ""
    when = f" at {at.astimezone(UTC):%Y-%m-%d %H:%M} UTC" if at else ""
    return f"changed meanwhile{who}{when}: look at the {what} “{one.name}” and import again"


def new_entry_id(drawn: str) -> str:
    """Return the id of an entry, made of what was drawn by chance."""
    return f"{TEAM_ID}{drawn}"
