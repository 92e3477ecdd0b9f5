"""Load the content files, check them as a whole, and give access by id."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from importlib.resources.abc import Traversable
from types import MappingProxyType
from typing import Annotated, TypeVar

from pydantic import AfterValidator

from knowledge.content_files import bundled, each_once, read_file, twice
from knowledge.errors import ContentError
from knowledge.models import Entry, Id, Role, RoleNote, Tool, Topic
from knowledge.text import key_of

AnyEntry = Role | Topic | Tool
E = TypeVar("E", Role, Topic, Tool)


@dataclass(frozen=True)
class Catalog:
    """Hold every entry of the knowledge base by id, in file order (roles: the guide's order)."""

    roles: Mapping[str, Role]
    topics: Mapping[str, Topic]
    tools: Mapping[str, Tool]

    def __iter__(self) -> Iterator[AnyEntry]:
        yield from self.roles.values()
        yield from self.topics.values()
        yield from self.tools.values()

    def entry(self, entry_id: str) -> AnyEntry | None:
        """Return the entry with this id, of whichever kind, or None."""
        return self.roles.get(entry_id) or self.topics.get(entry_id) or self.tools.get(entry_id)

    @cached_property
    def tools_of(self) -> Mapping[str, tuple[tuple[Tool, RoleNote], ...]]:
        """Map each role id to the tools it uses with what for; those where it stands first come first."""
        found: dict[str, list[tuple[int, Tool, RoleNote]]] = {role_id: [] for role_id in self.roles}
        for tool in self.tools.values():
            for place, note in enumerate(tool.used_by):
                found[note.role].append((place, tool, note))
        return {
            role_id: tuple((tool, note) for _, tool, note in sorted(rows, key=lambda row: (row[0], row[1].id)))
            for role_id, rows in found.items()
        }


def load_catalog(content: Traversable | None = None) -> Catalog:
    """Read and check all content files.

    Raises ContentError with every problem found, not only the first.
    """
    root = content or bundled()
    problems: list[str] = []
    roles = _read(root / "roles", Role, problems)
    topics = _read(root / "topics", Topic, problems)
    tools = _read(root / "tools", Tool, problems)
    problems += _cross_check(roles, topics, tools)
    order = _order(root, roles, problems)
    if problems:
        raise ContentError(problems)
    return Catalog(
        MappingProxyType({role_id: roles[role_id] for role_id in order}),
        MappingProxyType(topics),
        MappingProxyType(tools),
    )


class Order(Entry):
    """Hold what content/order.yaml says: the roles, in the order of the guide."""

    roles: Annotated[tuple[Id, ...], AfterValidator(each_once)]


def _order(root: Traversable, roles: Mapping[str, Role], problems: list[str]) -> list[str]:
    order = read_file(root / "order.yaml", "order.yaml", Order, problems)
    if order is None:
        return []
    problems.extend(f"order.yaml: there is no role {role_id!r}" for role_id in order.roles if role_id not in roles)
    problems.extend(f"order.yaml: {role_id!r} is missing" for role_id in roles if role_id not in order.roles)
    return [role_id for role_id in order.roles if role_id in roles]


def _read(folder: Traversable, model: type[E], problems: list[str]) -> dict[str, E]:
    entries: dict[str, E] = {}
    for file in sorted(folder.iterdir(), key=lambda file: file.name):
        if not file.name.endswith(".yaml"):
            continue
        where = f"{folder.name}/{file.name}"
        entry = read_file(file, where, model, problems)
        if entry is not None:
            if f"{entry.id}.yaml" != file.name:
                problems.append(f"{where}: id is {entry.id!r}: the file should be called {entry.id}.yaml")
            entries[entry.id] = entry
    return entries


def _cross_check(roles: Mapping[str, Role], topics: Mapping[str, Topic], tools: Mapping[str, Tool]) -> list[str]:
    problems: list[str] = []
    known: dict[str, Mapping[str, Entry]] = {"role": roles, "topic": topics, "tool": tools}

    def refer(where: str, kind: str, ids: list[str]) -> None:
        problems.extend(f"{where}: there is no {kind} {entry_id!r}" for entry_id in ids if entry_id not in known[kind])
        problems.extend(f"{where}: {entry_id!r} is listed twice" for entry_id in twice(ids))

    for role in roles.values():
        where = f"roles/{role.id}.yaml"
        for field in ("works_with", "confused_with", "grows_from"):
            others = [note.role for note in getattr(role, field)]
            refer(f"{where}: {field}", "role", others)
            if role.id in others:
                problems.append(f"{where}: {field}: the role refers to itself")
    for topic in topics.values():
        where = f"topics/{topic.id}.yaml"
        refer(f"{where}: roles", "role", list(topic.roles))
        refer(f"{where}: tools", "tool", list(topic.tools))
        refer(f"{where}: related", "topic", list(topic.related))
    for tool in tools.values():
        refer(f"tools/{tool.id}.yaml: used_by", "role", [note.role for note in tool.used_by])

    ids = [*roles, *topics, *tools]
    problems.extend(f"the id {entry_id!r} is used twice" for entry_id in twice(ids))
    owners: dict[str, str] = {}
    for folder, entries in (("roles", roles), ("topics", topics), ("tools", tools)):
        for entry in entries.values():
            where = f"{folder}/{entry.id}.yaml"
            titles = entry.titles if isinstance(entry, Role) else ()
            for name in {key_of(name) for name in (entry.name, *entry.names, *titles)}:
                if name in owners:
                    problems.append(f"{where}: the name {name!r} leads to {owners[name]} already")
                owners[name] = where
    return problems
