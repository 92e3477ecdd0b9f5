"""Members and what they declared, as rows of a file: read, checked, and written."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Literal

from pydantic import BaseModel, Field, ValidationError

from knowledge.matching import Matcher
from knowledge.people import LONGEST_TOPIC, MOST_A_WEEK, MOST_TOPICS, Level, Listed, Member, Terms, Visibility
from knowledge.rows import Row, cell_of, parts_of

PRIVATE = ("visibility", "weekly_cap", "not_about")
COLUMNS = (
    *("id", "name", "title", "tz", "roles", "topics", "status", "bot", "guest"),
    *PRIVATE,
)
SHOWN = tuple(column for column in COLUMNS if column not in PRIVATE)
"""What colleagues may see of whoever lets them; the terms are between a person and the bot."""
LISTS = ("topics", "not_about")
ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,31}")


class DeclaredRole(BaseModel):
    """Hold one declared role of a team file."""

    role: str
    level: Level


class TeamMember(BaseModel):
    """Hold one member of a team file."""

    id: str
    name: str
    title: str = ""
    tz: str = ""
    declared: list[DeclaredRole] = []
    topics: list[str] = []
    status: Literal["active", "away", "ooo", "deactivated"] = "active"
    bot: bool = False
    guest: bool = False


class PersonRow(TeamMember):
    """Hold one member of a file, with terms."""

    name: str = Field("", max_length=200)
    title: str = Field("", max_length=300)
    tz: str = Field("", max_length=64)
    visibility: Visibility | None = None
    weekly_cap: int | None = Field(None, ge=0, le=MOST_A_WEEK)
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


Became = Literal["added", "changed", "same", "own", "forgotten", "empty", "meanwhile"]
WORDS: Mapping[Became, str] = {
    "added": "added",
    "changed": "changed: what a file said before, and this person has not confirmed, is replaced",
    "same": "kept: it stands there already",
    "own": "kept: this person declared or decided that themself, and a file changes nothing of it",
    "forgotten": "refused: this person asked to be forgotten",
    "empty": "refused: no role and no topic is declared in it",
    "meanwhile": "changed meanwhile: what a file said of this person is not what it was; look and import again",
}
"""What becomes of a line that can be read, as it is reported; without an id, which is not to stand in any log."""
WRITTEN: tuple[Became, ...] = ("added", "changed")


@dataclass(frozen=True)
class Planned:
    """Hold what an import would do about a person."""

    became: Became
    saw: str = ""
    """A mark of what it would replace, drawn when that was written: it says nothing of it."""


def refused(problems: Sequence[str]) -> str:
    """Say why a line can't be used."""
    return f"refused: {'; '.join(problems)}"


def names_of(matcher: Matcher) -> Names:
    """Return the ids of roles, and what gives topics their key."""
    return Names(frozenset(matcher.catalog.roles), lru_cache(maxsize=50_000)(matcher.topic_key))


def person_of_cells(cells: Mapping[str, str]) -> Row:
    """Make a row of the cells of a table."""
    found: Row = {}
    for name, cell in cells.items():
        parts = parts_of(cell)
        if name == "roles":
            pairs = [map(str.strip, part.split(":", 1)) for part in parts]
            found["declared"] = [dict(zip(("role", "level"), pair, strict=False)) for pair in pairs]
        else:
            found[name] = parts if name in LISTS else cell
    return found


def read_people(rows: Iterable[tuple[int, Row | str]], names: Names) -> Iterable[Read]:
    """Check each row, and that nobody stands there twice."""
    seen: set[str] = set()
    for line, found in rows:
        if isinstance(found, str):
            yield Read(line, None, (found,))
            continue
        one = _checked(line, found, names)
        user = one.listed.member.user if one.listed is not None else ""
        yield Read(line, None, ("id: it stands in the file twice",)) if user in seen else one
        if user:
            seen.add(user)


def _checked(line: int, found: dict[str, Any], names: Names) -> Read:
    try:
        row = PersonRow.model_validate(found)
    except ValidationError as error:
        return Read(line, None, tuple(told(problem) for problem in error.errors(include_url=False)))
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
    said = set(PRIVATE) & row.model_fields_set
    terms = Terms(row.visibility or "open", row.weekly_cap, not_about) if said else None
    member = Member(row.id, row.name, row.title, row.tz, row.status, row.bot, row.guest)
    return Read(line, Listed(member, roles, topics, terms, row.visibility is not None))


def _topics(name: str, given: Iterable[str], names: Names, problems: list[str]) -> dict[str, str]:
    found: dict[str, str] = {}
    for words in given:
        topic = " ".join(words.split())
        if len(topic) > LONGEST_TOPIC:
            problems.append(f"{name}: “{topic[:30]}…” is too long: at most {LONGEST_TOPIC} letters")
        elif "," in topic:
            # The form takes commas between topics: it would become two at its person's next save.
            problems.append(f"{name}: “{topic}” has a comma in it; write each topic by itself")
        elif "\0" in topic or not (key := names.topic_key(topic)):
            problems.append(f"{name}: one has no letters in it")
        else:
            found.setdefault(key, topic)
    if len(found) > MOST_TOPICS:
        problems.append(f"{name}: these are {len(found)}; at most {MOST_TOPICS} fit")
    return found


def told(problem: Any) -> str:
    """Say what pydantic found wrong, with where."""
    where = ".".join(str(part) for part in problem["loc"])
    if problem["type"] == "missing":
        return f"{where}: missing"
    return f"{where}: {problem['msg']}"


def row_of(one: Listed) -> Row:
    """Write a person as a row of JSON."""
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


def cells_of(row: Mapping[str, Any], columns: Sequence[str] = COLUMNS) -> list[str]:
    """Write a row as the cells of a table."""
    declared = [f"{one['role']}:{one['level']}" for one in row["declared"]]
    return [cell_of(declared if column == "roles" else row[column]) for column in columns]
