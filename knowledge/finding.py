"""Find entries by the beginnings of words, as somebody types them into a search box."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from knowledge.catalog import Catalog
from knowledge.models import Role
from knowledge.text import key_of, words

MOST_FOUND = 100
"""Slack takes so many options at most."""


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
        self._roles = [one for role in catalog.roles.values() for one in _names_of_role(catalog, role)]
        self._subjects = [
            _listed(entry.id, entry.name, name, int(name != entry.name))
            for entries in (catalog.tools, catalog.topics)
            for entry in entries.values()
            for name in (entry.name, *entry.names)
        ]

    def roles(self, typed: str) -> Sequence[Found]:
        """Return the roles that what was typed fits, own names first; all of them where nothing was typed."""
        return _search(self._roles, typed)

    def subjects(self, typed: str) -> Sequence[Found]:
        """Return the tools and subjects that what was typed fits; none where nothing was typed."""
        return _search(self._subjects, typed) if words(typed) else ()


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


def _search(listed: Sequence[_Listed], typed: str) -> Sequence[Found]:
    wanted = words(typed)
    fitting = [one for one in listed if all(any(word.startswith(start) for word in one.words) for start in wanted)]
    best: dict[str, Found] = {}
    for one in sorted(fitting, key=lambda one: one.rank):
        best.setdefault(one.found.id, one.found)
    return tuple(best.values())[:MOST_FOUND]
