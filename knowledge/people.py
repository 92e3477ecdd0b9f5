"""Who to ask: choose at most three people from those who declared the topic or a fitting role, with reasons.

The policy: people who declared the topic itself come first, then those of the best-fitting role, then those of the
other fitting roles. Only within one of these groups: available before out of office, then by level, then active before
away, then whoever was suggested longest ago.
"""

from __future__ import annotations

import re
from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Literal, Protocol

Level = Literal["learning", "practitioner", "lead"]
Availability = Literal["active", "away", "ooo", "deactivated"]
Visibility = Literal["open", "ask_first", "hidden"]
"""Who declared something is named to whoever asks; is only said to be there; is not spoken of at all."""
LEVELS: tuple[Level, ...] = ("lead", "practitioner", "learning")
"""The levels of a declaration, first to ask first."""
MOST_PEOPLE = 3
MOST_TOPICS, LONGEST_TOPIC = 20, 60
"""So many topics one person declares at most, of so many letters each, wherever they are written."""
MOST_A_WEEK = 1000
"""The highest weekly cap, wherever it is set; the lowest is 0, for whoever is not to be suggested."""
MOST_COUNTED = 100
"""So many people are counted at most where they are only counted."""


@dataclass(frozen=True)
class Member:
    """Hold what Slack says of a person, as far as choosing people needs it."""

    user: str
    name: str
    title: str = ""
    tz: str = ""
    availability: Availability = "active"
    is_bot: bool = False
    is_guest: bool = False

    @property
    def suggestible(self) -> bool:
        """Tell whether the person may be suggested at all."""
        return self.availability != "deactivated" and not self.is_bot and not self.is_guest


@dataclass(frozen=True)
class Terms:
    """Hold the terms on which a person is suggested, as the person set them."""

    visibility: Visibility = "open"
    weekly_cap: int | None = None
    """So many suggestions a week at most (Monday to Sunday, UTC); None for any number."""
    not_about: Mapping[str, str] = field(default_factory=dict)
    """Topics that the person is not to be asked about, in the person's own words by key."""


@dataclass(frozen=True)
class Declaration:
    """Hold what a person declared: roles with a level, and topics in the person's own words by key."""

    roles: dict[str, Level]
    topics: dict[str, str]
    confirmed: datetime | None = None
    terms: Terms = field(default_factory=Terms)
    check_at: datetime | None = field(default=None, compare=False)
    """When the person is asked next whether it is still right; None for never."""
    unanswered: int = field(default=0, compare=False)
    """So many such questions in a row had no answer."""
    faded: bool = field(default=False, compare=False)
    """Whether it is not suggested any more until it is confirmed again."""
    imported: bool = field(default=False, compare=False)
    """Whether a file declared it, on the day it bears, and the person has not confirmed it yet."""

    @property
    def is_open(self) -> bool:
        """Tell whether others may read the name: whoever declares nothing, or was forgotten, never said so."""
        return bool(self.roles or self.topics) and self.terms.visibility == "open"

    def without(self, gone: Container[str | None]) -> Declaration:
        """Return what is left of it once these roles and topics are taken out."""
        return replace(
            self,
            roles={role: level for role, level in self.roles.items() if role not in gone},
            topics={key: label for key, label in self.topics.items() if key not in gone},
        )


@dataclass(frozen=True)
class Listed:
    """Hold a person of a file: profile, roles, topics by key, and terms; None where the file says nothing of them."""

    member: Member
    roles: Mapping[str, Level]
    topics: Mapping[str, str]
    terms: Terms | None = None
    says_visibility: bool = True
    """Whether the visibility in the terms is the file's; else it is for the workspace to decide."""
    faded: bool = field(default=False, compare=False)
    """Whether the person is not suggested any more until they confirm it; no file says it."""

    @property
    def is_open(self) -> bool:
        """Tell whether colleagues may see who this is: as where they ask, and in the directory."""
        open_to_all = self.terms is not None and self.terms.visibility == "open"
        return open_to_all and not self.faded and self.member.suggestible


@dataclass(frozen=True)
class PassedOver:
    """Count who declared what was asked for, and is not named, or later, by why; each at most ``MOST_COUNTED``.

    It is true where somebody is not named.
    """

    capped: int = 0
    """Their weekly cap is reached."""
    not_about: int = 0
    """They asked not to be asked about it."""
    ask_first: int = 0
    """They want to be asked before they are named."""
    faded: int = 0
    """They did not confirm it for long."""
    away: int = 0
    """They are away, and so come after their equals; they may be named all the same."""
    out_of_office: int = 0
    """They are out of office, and so come after everybody else whom the same suggests; they may be named too."""

    def __bool__(self) -> bool:
        return bool(self.capped or self.not_about or self.ask_first or self.faded)


class MayName(Protocol):
    """Tell whether colleagues may be named in one answer; asked only where somebody would be."""

    async def __call__(self) -> bool:
        """Tell whether they may."""
        ...

    async def look_up(self, users: Sequence[str]) -> bool:
        """Look up those who are about to be named, and of whom nothing new is known; True where something was said.

        Whoever chose them chooses again then, by what is known now. Nobody is looked up twice for one answer.
        """
        ...


class _NamedFreely:
    async def __call__(self) -> bool:
        return True

    async def look_up(self, users: Sequence[str]) -> bool:
        return False


named_freely: MayName = _NamedFreely()
"""Names colleagues as they are known: what holds where nobody from outside reads along, and nobody can be looked up."""


@dataclass(frozen=True)
class Candidate:
    """Hold one declared topic or role of a person, as the database returns it."""

    user: str
    name: str
    kind: Literal["topic", "role"]
    key: str
    """A role id, or the key of a topic."""
    label: str
    """The topic as the person typed it; empty for a role."""
    level: Level | None
    """The level in the role; for a topic the person's highest level in any role, None without one."""
    availability: Availability
    confirmed: datetime
    tz: str = ""
    this_week: int = 0
    """How often the person was suggested this week already."""
    weekly_cap: int | None = None
    imported: bool = False
    """A file declared it, and the person has not confirmed it yet."""
    again: bool = False
    """The answer that is tried once more has named the person already, and counted that."""


SHORTEST_NAME = 3
WORDS_THAT_ARE_NAMES = frozenset(
    "art bill can chase chip christian dale dawn drew faith frank gene grace grant guy hope jack joy lance "
    "mark may max merit miles page pat ray rich rob rose skip sue summer van ware will".split()
)
"""First names that are words too: these, and shorter ones, don't stand for a person alone."""
_TURNED_DOWN = (
    r"\b(?:not|(?:is|are|was)n't|other than|except(?: for)?|besides|apart from|rather than|instead of"
    r"|any(?:one|body) but)\s+"
    r"(?:@?[\w'-]+\s*(?:,|\bn?or\b|\band\b)\s*){0,3}@?"
)
"""What stands before the name of somebody who is not wanted, with up to three names between."""


def turned_down(text: str, name: str) -> bool:
    """Tell whether a text says that it is not about a person: "someone who isn't Amara", "anyone but Amara Okafor"."""
    text, name = text.casefold(), name.casefold()
    first = (name.split() or [""])[0]
    is_word = len(first) < SHORTEST_NAME or first in WORDS_THAT_ARE_NAMES
    # Nearly nobody's name stands in the text, and a pattern with a name in it takes longer to build than to search.
    called = [one for one in {first, name} - {""} if one in text]
    # "isn't an expert" is not about An Nguyen: texts come in small letters, so only the whole name tells, or an "@".
    marks = {one: "(?<=@)" if is_word and one == first else "" for one in called}
    names = "|".join(mark + re.escape(one) for one, mark in marks.items())
    return bool(names and re.search(rf"{_TURNED_DOWN}(?:{names})(?!\w)", text))


@dataclass(frozen=True)
class Reason:
    """Say why a person is suggested."""

    kind: Literal["topic", "role"]
    key: str
    label: str
    level: Level | None
    confirmed: datetime


@dataclass(frozen=True)
class Person:
    """Hold a person to suggest, with the reasons, strongest first."""

    user: str
    name: str
    availability: Availability
    reasons: tuple[Reason, ...]
    tz: str = ""
    this_week: int = 0
    weekly_cap: int | None = None
    imported: bool = False
    """A file declared it, and the person has not confirmed it yet."""


def choose(
    candidates: Sequence[Candidate], topics: Sequence[str], roles: Sequence[str], most: int = MOST_PEOPLE
) -> tuple[Person, ...]:
    """Return at most ``most`` people, best first by the policy; ``topics`` and ``roles`` are those asked for.

    Rows of equal rank keep their order, which is the database's fair rotation.
    """
    # All topics asked for make one group; each role makes its own.
    group = {("topic", key): 0 for key in topics} | {("role", key): 1 + place for place, key in enumerate(roles)}

    def rank(row: Candidate) -> tuple[int, bool, int, bool]:
        level = LEVELS.index(row.level) if row.level else len(LEVELS)
        # Beyond the best-fitting role the policy knows one group more, not one a role.
        return (
            min(group.get((row.kind, row.key), 2), 2),
            row.availability == "ooo",
            level,
            row.availability == "away",
        )

    ordered = sorted((row for row in candidates if (row.kind, row.key) in group), key=rank)
    rows_of: dict[str, list[Candidate]] = {}
    for row in ordered:
        rows_of.setdefault(row.user, []).append(row)
    return tuple(
        Person(
            user,
            rows[0].name,
            rows[0].availability,
            tuple(
                Reason(row.kind, row.key, row.label, row.level if row.kind == "role" else None, row.confirmed)
                for row in rows
            ),
            rows[0].tz,
            rows[0].this_week,
            rows[0].weekly_cap,
            rows[0].imported,
        )
        for user, rows in list(rows_of.items())[:most]
    )
