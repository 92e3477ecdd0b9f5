"""Many declarations at once: written from a file, and read for one."""

from __future__ import annotations

import random
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import lru_cache
from typing import Any, cast

from sqlalchemy import ARRAY, Dialect, Table, bindparam, delete, func, insert, select, text, update
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine
from sqlalchemy.types import TypeEngine

from knowledge.people import LEVELS, Availability, Level, Listed, Member, Terms, Visibility
from knowledge.people_rows import WRITTEN, Became, Planned
from storage.ask_forgetting import unname_in_asks
from storage.database import only_writer_for
from storage.forgotten import forgotten_among
from storage.listings import rows_for
from storage.moments import NEVER, monday_of
from storage.standing import NO_LEVEL, free_from
from storage.tables import declarations, listings, members
from storage.tables import terms as terms_table
from storage.vacated import held_roles, note_left
from storage.workspaces import default_visibility

MOST_AT_ONCE = 500
"""People in one transaction: a bot that runs meanwhile waits that long for its turn."""


class SqlPeopleInBulk:
    """Write and read the declarations of a whole workspace; ``rng`` draws the lots that decide between equals."""

    def __init__(self, engine: AsyncEngine, rng: random.Random) -> None:
        self._engine = engine
        self._rng = rng
        self._written, self._analyzed = 0, MOST_AT_ONCE // 2

    async def planned(self, workspace: str, listed: Sequence[Listed]) -> Sequence[Planned]:
        """Say for each of these people what ``declare_many`` would do, and do nothing."""
        async with self._engine.connect() as connection:
            there = await _read(connection, workspace, listed)
        pairs = zip(listed, there.became, strict=True)
        return [Planned(became, there.mark(one.member.user) if became in WRITTEN else "") for one, became in pairs]

    async def declare_many(
        self, workspace: str, listed: Sequence[Listed], now: datetime, *, saw: Sequence[str] | None = None
    ) -> Sequence[Became]:
        """Write the declarations of these people in one transaction, and return what became of each.

        Of whoever declared something themself nothing is changed, nor of whoever asked not to be asked any more: they
        would not learn of it. What a file declared before, and nobody confirmed, is replaced, terms included where the
        file says some. What Slack said of a person counts more than the file. Nor does a file confirm anything: the
        date stays, and so does it that a declaration has faded. Whoever is new is asked about it at their next turn.
        Where ``saw`` has the marks of what ``planned`` saw, and another file was written since, nothing is written.
        """
        async with self._engine.begin() as connection:
            await only_writer_for(connection, workspace, *(one.member.user for one in listed))
            there = await _read(connection, workspace, listed)
            if saw is not None and (meanwhile := _meanwhile(there, listed, saw)):
                return meanwhile
            writing = [one for one, became in zip(listed, there.became, strict=True) if became in WRITTEN]
            if writing:
                await self._write(connection, workspace, writing, there, now)
        self._written += len(writing)
        if self._written >= 2 * self._analyzed:
            await self._count_rows()
            self._analyzed = self._written
        return there.became

    async def _count_rows(self) -> None:
        """Let PostgreSQL see how many rows there are by now.

        By itself it does so once a minute. Until then it reads the whole workspace for each of these statements, as was
        best while hardly anybody was there; and so do the bots that run meanwhile for theirs. A table that is being
        cleaned up at this moment is left out: the people are written, and nobody waits for that.
        """
        if self._engine.dialect.name == "postgresql":
            async with self._engine.begin() as connection:
                for table in (declarations, listings, members, terms_table):
                    await connection.execute(text(f"ANALYZE (SKIP_LOCKED) {table.name}"))

    async def _write(
        self, connection: AsyncConnection, workspace: str, listed: Sequence[Listed], there: _There, now: datetime
    ) -> None:
        d, m, t, li = declarations.c, members.c, terms_table.c, listings.c
        users = [one.member.user for one in listed]
        before = await held_roles(connection, workspace, *users)
        turns: dict[str, datetime] = {
            row.user_id: row.turn
            for row in await connection.execute(
                select(d.user_id, func.max(d.suggested_at).label("turn"))
                .where(d.workspace == workspace, d.user_id.in_(users))
                .group_by(d.user_id)
            )
        }
        profiles = await _by_user(connection, select(members).where(m.workspace == workspace, m.user_id.in_(users)))
        await connection.execute(delete(declarations).where(d.workspace == workspace, d.user_id.in_(users)))
        unsaid = await default_visibility(connection, workspace)
        new_rows: list[dict[str, Any]] = []
        new_terms: list[dict[str, Any]] = []
        new_members: list[dict[str, Any]] = []
        new_listings: list[dict[str, Any]] = []
        hid: list[str] = []
        for one in listed:
            user = one.member.user
            member = _member(profiles[user]) if user in profiles else one.member
            row = there.terms.get(user)
            said = one.terms
            if said is not None and not one.says_visibility:
                said = replace(said, visibility=cast(Visibility, row.visibility) if row else unsaid)
            if row is None:
                kept = _first_terms(said or Terms(unsaid), now)
                new_terms.append({"workspace": workspace, "user_id": user, **kept})
            else:
                kept = dict(row._mapping)
                if said is not None:
                    if row.visibility == "open" and said.visibility != "open":
                        hid.append(user)
                    changed = {"visibility": said.visibility, "weekly_cap": said.weekly_cap}
                    kept |= changed
                    mine = (t.workspace == workspace) & (t.user_id == user)
                    await connection.execute(update(terms_table).where(mine).values(changed))
            not_about = said.not_about if said is not None else there.not_about(user)
            own_rows = self._rows(workspace, one, not_about, member, kept, turns.get(user, NEVER))
            new_rows += own_rows
            if own_rows[0]["suggestible"]:
                declared = [(row["kind"], row["key"]) for row in own_rows]
                new_listings += rows_for(workspace, user, member.name, declared)
            if user not in profiles:
                new_members.append(_profile(workspace, member, now))
        await _insert(connection, declarations, new_rows)
        await connection.execute(delete(listings).where(li.workspace == workspace, li.user_id.in_(users)))
        for table, new in ((terms_table, new_terms), (members, new_members), (listings, new_listings)):
            if new:
                await _insert(connection, table, new)
        await note_left(connection, workspace, before, now)
        await unname_in_asks(self._engine, connection, workspace, *hid)

    def _rows(
        self,
        workspace: str,
        one: Listed,
        not_about: Mapping[str, str],
        member: Member,
        kept: Mapping[str, Any],
        turn: datetime,
    ) -> list[dict[str, Any]]:
        common = {
            "workspace": workspace,
            "user_id": member.user,
            "confirmed_at": kept["confirmed_at"],
            "suggestible": member.suggestible and kept["visibility"] == "open" and not kept["faded"],
            "unnamed": member.suggestible and kept["visibility"] != "open" and not kept["faded"],
            "out_of_office": member.availability == "ooo",
            "away": member.availability == "away",
            "suggested_at": turn,
            "lot": self._rng.getrandbits(31),
            "free_from": free_from(kept["weekly_cap"], kept["suggested"], kept["week"]),
        }
        best = min((LEVELS.index(level) for level in one.roles.values()), default=NO_LEVEL)
        return [
            *(
                {**common, "kind": "role", "key": role, "label": "", "level": LEVELS.index(level)}
                for role, level in one.roles.items()
            ),
            *(
                {**common, "kind": "topic", "key": key, "label": label, "level": best}
                for key, label in one.topics.items()
            ),
            *(
                {**common, "kind": "not", "key": key, "label": label, "level": NO_LEVEL}
                for key, label in not_about.items()
            ),
        ]

    async def everybody(self, workspace: str) -> AsyncIterator[Listed]:
        """Give everybody who declared something, in the order of their ids, some hundred at a time."""
        d, m, t = declarations.c, members.c, terms_table.c
        after = ""
        while True:
            page = select(d.user_id).distinct().where(d.workspace == workspace, d.user_id > after)
            async with self._engine.connect() as connection:
                users = list(await connection.scalars(page.order_by(d.user_id).limit(MOST_AT_ONCE)))
                if not users:
                    return
                # By ranges of the keys: a list of some hundred ids may well be looked for in the whole of a table.
                last = users[-1]
                rows = (
                    await connection.execute(
                        select(d.user_id, d.kind, d.key, d.label, d.level)
                        .where(d.workspace == workspace, d.user_id > after, d.user_id <= last)
                        .order_by(d.user_id, d.kind, d.level, d.key)
                    )
                ).all()
                profiles = await _by_user(
                    connection, select(members).where(m.workspace == workspace, m.user_id > after, m.user_id <= last)
                )
                own = await _by_user(
                    connection,
                    select(terms_table).where(t.workspace == workspace, t.user_id > after, t.user_id <= last),
                )
            rows_of: dict[str, list[Any]] = {user: [] for user in users}
            for row in rows:
                rows_of[row.user_id].append(row)
            for user, found in rows_of.items():
                set_terms = own.get(user)
                roles: dict[str, Level] = {row.key: LEVELS[row.level] for row in found if row.kind == "role"}
                yield Listed(
                    _member(profiles[user]) if user in profiles else Member(user, ""),
                    roles,
                    {row.key: row.label for row in found if row.kind == "topic"},
                    Terms(
                        cast(Visibility, set_terms.visibility) if set_terms else "open",
                        set_terms.weekly_cap if set_terms else None,
                        {row.key: row.label for row in found if row.kind == "not"},
                    ),
                    faded=bool(set_terms and set_terms.faded),
                )
            after = last


async def _insert(connection: AsyncConnection, table: Table, rows: Sequence[Mapping[str, Any]]) -> None:
    """Write rows that all have the same columns.

    Into PostgreSQL by one statement, column by column. For SQLite each value is made ready here: most moments stand in
    many rows, and SQLAlchemy takes a third of the whole time to make them ready row by row.
    """
    columns = [column for column in table.columns if column.name in rows[0]]
    names, dialect = [column.name for column in columns], connection.dialect
    if dialect.name == "postgresql":
        values = {f"all_{name}": [row[name] for row in rows] for name in names}
        each = (func.unnest(bindparam(f"all_{column.name}", type_=ARRAY(column.type))) for column in columns)
        await connection.execute(insert(table).from_select(names, select(*each)), values)
    else:
        ready = [(column.name, _made_ready(column.type, dialect)) for column in columns]
        statement = str(insert(table).compile(dialect=dialect, column_keys=names))
        await connection.exec_driver_sql(statement, [tuple(make(row[name]) for name, make in ready) for row in rows])


def _made_ready(kind: TypeEngine[Any], dialect: Dialect) -> Callable[[Any], Any]:
    """Return what makes values of a type ready for the driver, each once."""
    make = kind.dialect_impl(dialect).bind_processor(dialect)
    return lru_cache(maxsize=1_000)(make) if make else lambda value: value


@dataclass(frozen=True)
class _There:
    """Hold what stands of some people before an import, and what the import makes of each."""

    became: Sequence[Became]
    terms: Mapping[str, Any]
    """The row of terms by person."""
    declared: Mapping[str, Sequence[Any]]
    """The rows of declarations by person."""

    def not_about(self, user: str) -> dict[str, str]:
        """Return what a person is not to be asked about."""
        return {row.key: row.label for row in self.declared.get(user, ()) if row.kind == "not"}

    def mark(self, user: str) -> str:
        """Return a mark of what stands of a person; each import draws other lots."""
        return " ".join(map(str, sorted({row.lot for row in self.declared.get(user, ())})))


def _meanwhile(there: _There, listed: Sequence[Listed], saw: Sequence[str]) -> Sequence[Became]:
    """Return what becomes of each where something else than was seen would be replaced; nothing where that is none."""
    found: list[Became] = [
        "meanwhile" if became in WRITTEN and there.mark(one.member.user) != mark else became
        for one, became, mark in zip(listed, there.became, saw, strict=True)
    ]
    return found if "meanwhile" in found else ()


async def _read(connection: AsyncConnection, workspace: str, listed: Sequence[Listed]) -> _There:
    d, t = declarations.c, terms_table.c
    users = [one.member.user for one in listed]
    gone = await forgotten_among(connection, workspace, users)
    own = await _by_user(connection, select(terms_table).where(t.workspace == workspace, t.user_id.in_(users)))
    declared: dict[str, list[Any]] = {}
    columns = (d.user_id, d.kind, d.key, d.label, d.level, d.lot)
    query = select(*columns).where(d.workspace == workspace, d.user_id.in_(users))
    for row in await connection.execute(query):
        declared.setdefault(row.user_id, []).append(row)

    def becomes(one: Listed) -> Became:
        user = one.member.user
        row, rows = own.get(user), declared.get(user, [])
        if user in gone:
            return "forgotten"
        if not one.roles and not one.topics:
            return "empty"
        if row is None:
            # Older than terms are: somebody said it.
            return "own" if rows else "added"
        if row.imported_at is None or row.check_at is None:
            return "own"
        return "same" if _says_the_same(one, row, rows) else "changed"

    return _There([becomes(one) for one in listed], own, declared)


def _says_the_same(one: Listed, terms: Any, rows: Sequence[Any]) -> bool:
    given: set[tuple[str, str, int | str]] = {("role", role, LEVELS.index(level)) for role, level in one.roles.items()}
    given |= {("topic", key, label) for key, label in one.topics.items()}
    stands: set[tuple[str, str, int | str]] = {("role", row.key, row.level) for row in rows if row.kind == "role"}
    stands |= {("topic", row.key, row.label) for row in rows if row.kind == "topic"}
    if one.terms is None or given != stands:
        return given == stands
    not_about = {row.key: row.label for row in rows if row.kind == "not"}
    seen = not one.says_visibility or one.terms.visibility == terms.visibility
    return seen and (one.terms.weekly_cap, dict(one.terms.not_about)) == (terms.weekly_cap, not_about)


async def _by_user(connection: AsyncConnection, query: Any) -> dict[str, Any]:
    return {row.user_id: row for row in await connection.execute(query)}


def _member(row: Any) -> Member:
    availability = cast(Availability, row.availability)
    return Member(row.user_id, row.name, row.title, row.tz, availability, row.is_bot, row.is_guest)


def _profile(workspace: str, member: Member, now: datetime) -> dict[str, Any]:
    return {
        "workspace": workspace,
        "user_id": member.user,
        "name": member.name[:200],
        "title": member.title[:300],
        "tz": member.tz[:64],
        "availability": member.availability,
        "is_bot": member.is_bot,
        "is_guest": member.is_guest,
        # Slack is asked as soon as the person is suggested, and when it is their turn.
        "checked_at": NEVER,
        "left_at": now if member.availability == "deactivated" else None,
    }


def _first_terms(given: Terms, now: datetime) -> dict[str, Any]:
    return {
        "visibility": given.visibility,
        "weekly_cap": given.weekly_cap,
        "week": monday_of(now),
        "suggested": 0,
        "confirmed_at": now,
        # Told what others entered about them, in their working hours, as soon as it is their turn.
        "check_at": now,
        "unanswered": 0,
        "faded": False,
        "imported_at": now,
        "look_up_at": now,
    }
