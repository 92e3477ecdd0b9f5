"""The directory, page by page along the primary key of ``listings``; implements the ``Directory`` port."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, cast

from sqlalchemy import Select, and_, exists, func, literal, select, true, tuple_, union_all
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from knowledge.directory import MOST_COUNTED, MOST_FOUND, At, Entry, Page, Shown, Wanted, name_parts
from knowledge.people import LEVELS, Availability
from storage.tables import declarations, listings, members
from storage.tables import terms as terms_table

MOST_LOOKED_THROUGH = 2_000
"""So many whom a word fits are looked through for those of a role or topic that many declared."""
LAST = "\U0010ffff"
"""Sorts after every sign that a name has."""
ll = listings.c


class SqlDirectory:
    """Read the directory; who stands in it is written elsewhere, by whatever changes it."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def page(
        self, workspace: str, wanted: Wanted, size: int, at: At | None = None, *, back: bool = False
    ) -> Page:
        """Return the entries after ``at``, or those right before it; from the start where nobody is left there."""
        async with self._engine.connect() as connection:
            found, all_found = await (_searched if wanted.searches else _in_range)(
                connection, workspace, wanted, size + 1, at, back
            )
            if not found and at is not None:
                at, back = None, False
                found, all_found = await (_searched if wanted.searches else _in_range)(
                    connection, workspace, wanted, size + 1, at, back
                )
            more, found = len(found) > size, found[:size]
            if back:
                found.reverse()
            entries = await _entries(connection, workspace, found)
        return Page(entries, more if back else at is not None, at is not None if back else more, all_found)

    async def counts(self, workspace: str, roles: Sequence[str]) -> Mapping[str, int]:
        """Count who stands in the directory for each role, and under "" in all; each at most ``MOST_COUNTED`` + 1."""
        ranges = [("all", ""), *(("role", role) for role in roles)]
        parts = [
            select(literal(key).label("key"), func.count().label("number")).select_from(
                select(ll.user_id)
                .where(ll.workspace == workspace, ll.kind == kind, ll.key == key)
                .limit(MOST_COUNTED + 1)
                .subquery()
            )
            for kind, key in ranges
        ]
        async with self._engine.connect() as connection:
            rows = (await connection.execute(union_all(*parts))).all()
        return {row.key: row.number for row in rows}

    async def shown(self, workspace: str, user: str) -> Shown:
        """Return what others see of a person."""
        t = terms_table.c
        where = select(ll.name, ll.user_id).where(ll.workspace == workspace, ll.user_id == user, ll.kind == "all")
        own = select(t.faded).where(t.workspace == workspace, t.user_id == user)
        async with self._engine.connect() as connection:
            entries = await _entries(connection, workspace, (await connection.execute(where)).all())
            faded = await connection.scalar(own)
        return Shown(entries[0] if entries else None, bool(faded))


async def _in_range(
    connection: AsyncConnection, workspace: str, wanted: Wanted, size: int, at: At | None, back: bool
) -> tuple[list[Any], bool]:
    kind, key = ("topic", wanted.topic) if wanted.topic else ("role", wanted.role) if wanted.role else ("all", "")
    if wanted.role and wanted.topic and await _is_rare(connection, workspace, "role", wanted.role):
        # By the few of the role, or a topic that everybody has would be read through for them.
        query = _under(workspace, "role", "", wanted.topic).where(ll.key == wanted.role)
    else:
        query = _under(workspace, kind, wanted.role if kind == "topic" else "", "").where(ll.key == key)
    if at is not None:
        here, there = tuple_(ll.name, ll.user_id), tuple_(literal(at.name), literal(at.user))
        query = query.where(here < there if back else here > there)
    order = (ll.name.desc(), ll.user_id.desc()) if back else (ll.name, ll.user_id)
    return list((await connection.execute(query.order_by(*order).limit(size))).all()), True


async def _is_rare(connection: AsyncConnection, workspace: str, kind: str, key: str) -> bool:
    part = _range(workspace, kind, key).limit(MOST_COUNTED + 1).subquery()
    return (await connection.scalar(select(func.count()).select_from(part)) or 0) <= MOST_COUNTED


async def _searched(
    connection: AsyncConnection, workspace: str, wanted: Wanted, size: int, at: At | None, back: bool
) -> tuple[list[Any], bool]:
    """Find a bounded number by each word, and sort these: a word may begin names anywhere in the order."""
    filters = [(kind, key) for kind, key in (("role", wanted.role), ("topic", wanted.topic)) if key]
    rare = [one for one in filters if await _is_rare(connection, workspace, *one)][:1]
    words = [("name", wanted.name)] if wanted.name else []
    words += [("topic", topic) for topic in wanted.topics]
    all_found = True
    rows: dict[tuple[str, str], Any] = {}
    for kind, key in words:
        if rare:
            # By the few of it, or everybody whom the word fits would be read through for them.
            under = [one for one in filters if one not in rare] + [(kind, key)] * (kind == "topic")
            query = _range(workspace, *rare[0])
            part, ended = await _looked_through(connection, workspace, query, MOST_COUNTED, under)
            if kind == "name":
                part = [row for row in part if any(one.startswith(key) for one in name_parts(row.name))]
        else:
            query = _range(workspace, kind, key)
            part, ended = await _looked_through(
                connection, workspace, query, MOST_LOOKED_THROUGH if filters else MOST_FOUND, filters
            )
        part.sort(key=lambda row: (row.name, row.user_id))
        all_found = all_found and ended and len(part) <= MOST_FOUND
        rows |= {(row.name, row.user_id): row for row in part[:MOST_FOUND]}
    found = set(rows)
    if at is not None:
        here = (at.name, at.user)
        found = {one for one in found if (one < here if back else one > here)}
    return [rows[one] for one in sorted(found, reverse=back)[:size]], all_found


async def _looked_through(
    connection: AsyncConnection, workspace: str, query: Select[Any], most: int, under: Sequence[tuple[str, str]]
) -> tuple[list[Any], bool]:
    """Look through the first of a range for those who stand under all of these; False where it goes on."""
    part = query.limit(most + 1).subquery().c
    stands = [_stands(workspace, kind, key, part) for kind, key in under]
    rows = (await connection.execute(select(part.name, part.user_id, and_(true(), *stands).label("fits")))).all()
    return [row for row in rows[:most] if row.fits], len(rows) <= most


def _range(workspace: str, kind: str, key: str) -> Select[Any]:
    """Select who stands under a key, or under one that begins so where it is a part of a name; in order."""
    query = select(ll.name, ll.user_id).where(ll.workspace == workspace, ll.kind == kind)
    if kind == "name":
        return query.where(ll.key >= key, ll.key < key + LAST).order_by(ll.key, ll.name, ll.user_id)
    return query.where(ll.key == key).order_by(ll.name, ll.user_id)


def _stands(workspace: str, kind: str, key: str, who: Any) -> Any:
    o = listings.alias().c
    return exists().where(
        *(o.workspace == workspace, o.kind == kind, o.key == key, o.name == who.name, o.user_id == who.user_id)
    )


def _under(workspace: str, kind: str, role: str, topic: str) -> Select[Any]:
    """Select who stands under a kind, and under this role and this topic too where they are given."""
    query = select(ll.name, ll.user_id).where(ll.workspace == workspace, ll.kind == kind)
    for other, key in (("role", role), ("topic", topic)):
        if key:
            query = query.where(_stands(workspace, other, key, ll))
    return query


async def _entries(connection: AsyncConnection, workspace: str, found: Sequence[Any]) -> tuple[Entry, ...]:
    """Read what is shown of some people, in their order."""
    users = [row.user_id for row in found]
    if not users:
        return ()
    d, m, t = declarations.c, members.c, terms_table.c
    declared = (
        select(d.user_id, d.kind, d.key, d.label, d.level)
        .where(d.workspace == workspace, d.user_id.in_(users), d.kind.in_(("role", "topic")))
        .order_by(d.user_id, d.kind, d.level, d.key)
    )
    profiles = select(m.user_id, m.name, m.tz, m.availability).where(m.workspace == workspace, m.user_id.in_(users))
    confirmed = select(t.user_id, t.confirmed_at, t.imported_at).where(t.workspace == workspace, t.user_id.in_(users))
    rows = (await connection.execute(declared)).all()
    profile = {row.user_id: row for row in await connection.execute(profiles)}
    times = {row.user_id: row for row in await connection.execute(confirmed)}
    return tuple(
        Entry(
            At(one.name, one.user_id),
            known.name if (known := profile.get(one.user_id)) else "",
            {row.key: LEVELS[row.level] for row in rows if row.user_id == one.user_id and row.kind == "role"},
            tuple(row.label for row in rows if row.user_id == one.user_id and row.kind == "topic"),
            times[one.user_id].confirmed_at,
            known.tz if known else "",
            cast(Availability, known.availability) if known else "active",
            times[one.user_id].imported_at is not None,
        )
        for one in found
        # In the moment since, somebody may have gone.
        if one.user_id in times
    )
