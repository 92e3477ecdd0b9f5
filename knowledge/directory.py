"""The directory: who declared what, by name; what a page of it holds, and how names are sorted and found."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from knowledge.people import Availability, Level

LONGEST_NAME = 80
MOST_COUNTED = 1_000
"""So many people are counted at most."""
MOST_FOUND = 200
"""So many people a search finds at most by one word."""
MOST_PARTS = 4


@dataclass(frozen=True)
class Wanted:
    """Hold whom a page of the directory is to show: empty for everybody; all that is given has to fit."""

    role: str = ""
    topic: str = ""
    """The key of a topic."""
    name: str = ""
    """How a name begins, or one of the words of a name; beside ``topics``: either fits."""
    topics: tuple[str, ...] = ()

    @property
    def searches(self) -> bool:
        """Tell whether words are searched for."""
        return bool(self.name or self.topics)


@dataclass(frozen=True)
class At:
    """Hold where in the directory a person stands; a page begins after or before it, whoever comes and goes."""

    name: str
    user: str


@dataclass(frozen=True)
class Entry:
    """Hold what the directory says of a person."""

    at: At
    name: str
    roles: Mapping[str, Level]
    topics: tuple[str, ...]
    """In the person's own words."""
    confirmed: datetime
    tz: str = ""
    availability: Availability = "active"
    imported: bool = False
    """A file declared it, and the person has not confirmed it yet."""


@dataclass(frozen=True)
class Page:
    """Hold some entries in the order of names, and whether there are others before and after them."""

    entries: tuple[Entry, ...] = ()
    before: bool = False
    after: bool = False
    all_found: bool = True
    """False where a search fits more people than are looked through."""


@dataclass(frozen=True)
class Shown:
    """Hold what others see of a person: the entry, or that there is none."""

    entry: Entry | None = None
    faded: bool = False
    """Not confirmed for long, and therefore not shown."""


def name_key(name: str, user: str = "") -> str:
    """Return a name as it is sorted and found: small letters without accents and signs; the id where there is none."""
    decomposed = unicodedata.normalize("NFKD", name.casefold())
    bare = "".join(sign for sign in decomposed if not unicodedata.combining(sign))
    return " ".join(re.findall(r"\w+", bare))[:LONGEST_NAME].strip() or user.casefold()


def name_parts(key: str) -> tuple[str, ...]:
    """Return under what a name is found: the whole of it, and the rest of it from each further word on."""
    words = key.split()
    return tuple(dict.fromkeys(" ".join(words[first:]) for first in range(min(len(words), MOST_PARTS))))
