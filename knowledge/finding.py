"""Find entries by the beginnings of words, as somebody types them into a search box."""

from __future__ import annotations

import sys
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from knowledge.catalog import Catalog
from knowledge.models import Role
from knowledge.text import key_of, words

MOST_FOUND = 100
"""Slack takes so many options at most."""

LAST_SIGN = chr(sys.maxunicode)


@dataclass(frozen=True)
class Found:
    """Hold an entry's id and name, and the other name or tool that it was found by, if it was not its own name."""

    id: str
    name: str
    by: str = ""


@dataclass(frozen=True)
class _Listed:
    found: Found
    rank: int
    words: tuple[str, ...]


class Finder:
    """Hold the catalog's names for searching; built once.

    A role is found by its name, its other names and titles, and the tools that it works with; tools and subjects by
    their names.
    """

    def __init__(self, catalog: Catalog) -> None:
        self._roles = _Names(one for role in catalog.roles.values() for one in _names_of_role(catalog, role))
        self._subjects = _Names(
            _listed(entry.id, entry.name, name, int(name != entry.name))
            for entries in (catalog.tools, catalog.topics)
            for entry in entries.values()
            for name in (entry.name, *entry.names)
        )

    def roles(self, typed: str) -> Sequence[Found]:
        """Return the roles that what was typed fits, own names first; all of them where nothing was typed."""
        return self._roles.search(typed)

    def subjects(self, typed: str) -> Sequence[Found]:
        """Return the tools and subjects that what was typed fits; none where nothing was typed."""
        return self._subjects.search(typed) if words(typed) else ()


class _Names:
    """Hold names by their words in order: what begins alike stands together, and no search reads all of them."""

    def __init__(self, listed: Iterable[_Listed]) -> None:
        # By rank, so that places among them are in the order in which they are found.
        self._listed = sorted(listed, key=lambda one: one.rank)
        holds = sorted((word, place) for place, one in enumerate(self._listed) for word in set(one.words))
        self._words = [word for word, _ in holds]
        self._places = [place for _, place in holds]

    def search(self, typed: str) -> Sequence[Found]:
        """Return what has a word for each that was typed, one that begins with it; the lowest rank first."""
        fitting = set(range(len(self._listed)))
        for start in dict.fromkeys(words(typed)):
            ends = bisect_right(self._words, start + LAST_SIGN)
            fitting.intersection_update(self._places[bisect_left(self._words, start) : ends])
        best: dict[str, Found] = {}
        for place in sorted(fitting):
            found = self._listed[place].found
            best.setdefault(found.id, found)
        return tuple(best.values())[:MOST_FOUND]


def _names_of_role(catalog: Catalog, role: Role) -> Iterator[_Listed]:
    yield _listed(role.id, role.name, role.name, 0)
    for name in (role.short, role.id, *role.names, *role.titles):
        yield _listed(role.id, role.name, name, 1)
    for tool, note in catalog.tools_of[role.id]:
        # The role that works with it most comes first.
        place = tool.used_by.index(note)
        for name in (tool.name, *tool.names):
            yield _listed(role.id, role.name, name, 2 + place)


def _listed(entry_id: str, name: str, by: str, rank: int) -> _Listed:
    shown = "" if by in (name, entry_id) else by
    return _Listed(Found(entry_id, name, shown), rank, tuple(key_of(by).split()))
