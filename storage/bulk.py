"""Many declarations at once: written from a file, and read for one."""

from __future__ import annotations

import random
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from itertools import islice
from typing import Any, cast

from sqlalchemy import delete, func, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from knowledge.people import LEVELS, Availability, Level, Listed, Member, Terms, Visibility
from knowledge.people_rows import MOST_TOPICS
from storage.database import only_writer_for_many
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

    async def forgotten(self, workspace: str, users: Sequence[str]) -> frozenset[str]:
        """Return those of the users who asked to be forgotten."""
        async with self._engine.connect() as connection:
            return await forgotten_among(connection, workspace, users)

    async def declare_many(self, workspace: str, listed: Sequence[Listed], now: datetime) -> frozenset[str]:
        """Write the declarations of these people in one transaction, and return who is left out as forgotten.

        What a person declared themself stays, and a file only adds to it; what a file declared before is replaced.
        What Slack said of a person counts more than the file, and so do terms that the person set. Nor does a file
        confirm anything: whoever declared something before keeps the date, and stays faded if the declaration has.
        Whoever did not is asked about it at their next turn.
        """
        async with self._engine.begin() as connection:
            await only_writer_for_many(connection, workspace, [one.member.user for one in listed])
            gone = await forgotten_among(connection, workspace, [one.member.user for one in listed])
            writing = [one for one in listed if one.member.user not in gone and (one.roles or one.topics)]
            if writing:
                await self._write(connection, workspace, writing, now)
        return gone

    async def _write(
        self, connection: AsyncConnection, workspace: str, listed: Sequence[Listed], now: datetime
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
        own = await _by_user(connection, select(terms_table).where(t.workspace == workspace, t.user_id.in_(users)))
        themselves = [user for user, row in own.items() if row.imported_at is None]
        stood = await _declared(connection, workspace, themselves)
        await connection.execute(
            delete(declarations).where(d.workspace == workspace, d.user_id.in_(users), d.kind != "not")
        )
        unsaid = Terms(await default_visibility(connection, workspace))
        new_rows: list[dict[str, Any]] = []
        new_terms: list[dict[str, Any]] = []
        new_members: list[dict[str, Any]] = []
        new_listings: list[dict[str, Any]] = []
        for given in listed:
            user = given.member.user
            one = _added(stood[user], given) if user in stood else given
            member = _member(profiles[user]) if user in profiles else one.member
            not_about: Mapping[str, str] = {}
            if user in own:
                kept = dict(own[user]._mapping)
            else:
                kept = _first_terms(one.terms or unsaid, now)
                not_about = one.terms.not_about if one.terms else {}
                new_terms.append({"workspace": workspace, "user_id": user, **kept})
            own_rows = self._rows(workspace, one, not_about, member, kept, turns.get(user, NEVER))
            new_rows += own_rows
            if own_rows[0]["suggestible"]:
                declared = [(row["kind"], row["key"]) for row in own_rows]
                new_listings += rows_for(workspace, user, member.name, declared)
            if user not in profiles:
                new_members.append(_profile(workspace, member, now))
        await connection.execute(insert(declarations), new_rows)
        await connection.execute(delete(listings).where(li.workspace == workspace, li.user_id.in_(users)))
        for table, new in ((terms_table, new_terms), (members, new_members), (listings, new_listings)):
            if new:
                await connection.execute(insert(table), new)
        await note_left(connection, workspace, before, now)

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
                )
            after = last


async def _declared(connection: AsyncConnection, workspace: str, users: Sequence[str]) -> dict[str, list[Any]]:
    """Return the roles and topics that people have, as rows by person."""
    d = declarations.c
    query = select(d.user_id, d.kind, d.key, d.label, d.level).where(
        d.workspace == workspace, d.user_id.in_(users), d.kind.in_(("role", "topic"))
    )
    found: dict[str, list[Any]] = {}
    if users:
        for row in await connection.execute(query.order_by(d.user_id, d.kind, d.level, d.key)):
            found.setdefault(row.user_id, []).append(row)
    return found


def _added(declared: Sequence[Any], given: Listed) -> Listed:
    """Return what a person declared themself, and after it what a file adds, up to as many topics as people have."""
    roles: dict[str, Level] = {row.key: LEVELS[row.level] for row in declared if row.kind == "role"}
    own = {row.key: row.label for row in declared if row.kind == "topic"}
    topics = dict(islice((own | {**given.topics, **own}).items(), max(len(own), MOST_TOPICS)))
    return replace(given, roles={**given.roles, **roles}, topics=topics)


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
