"""Declarations and profiles of members; implements the guide's ``People`` port."""

from __future__ import annotations

import random
import time
from collections import OrderedDict
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from functools import lru_cache
from itertools import islice
from typing import Any, cast

from sqlalchemy import Select, bindparam, case, delete, func, insert, literal, select, true, tuple_, union_all, update
from sqlalchemy.engine import CursorResult
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from knowledge.people import LEVELS, Availability, Candidate, Declaration, Level, Member
from storage.database import only_writer_for
from storage.tables import asked, declarations, inbox, members, threads

MOST_CANDIDATES = 20
HOLDERS_SECONDS = 5.0
HOLDERS_WORKSPACES = 5_000
"""Workspaces whose holders are kept in memory; the one not asked for longest makes room."""
MOST_KEYS = 5_000
"""Topics looked for at once: a message may hold forty thousand signs, and SQLite bounds the variables of a query."""
MOST_RANGES = 20
"""Topics and roles that one suggestion goes by."""
NEVER = datetime(1970, 1, 1, tzinfo=UTC)
NO_LEVEL = len(LEVELS)


class SqlPeople:
    """Keep declarations in the database.

    ``rng`` draws the lots that decide between equals; ``seconds`` is a clock for the cache of a role's holders.
    """

    def __init__(self, engine: AsyncEngine, rng: random.Random, seconds: Callable[[], float] = time.monotonic) -> None:
        self._engine = engine
        self._rng = rng
        self._seconds = seconds
        # By workspace, then role: when it was read, and what.
        self._changes = 0
        self._holders: OrderedDict[str, dict[str, tuple[float, Sequence[Candidate]]]] = OrderedDict()

    async def holders(self, workspace: str, role: str) -> Sequence[Candidate]:
        """Return who holds a role, at most five seconds old, as every card of the role shows it."""
        kept = self._holders.get(workspace, {}).get(role)
        if kept is not None and self._seconds() - kept[0] < HOLDERS_SECONDS:
            return kept[1]
        at, changes = self._seconds(), self._changes
        found = await self.candidates(workspace, topics=(), roles=(role,), without=None)
        if changes != self._changes:
            # Something was written meanwhile: what was read may be old already.
            return found
        self._holders.setdefault(workspace, {})[role] = (at, found)
        self._holders.move_to_end(workspace)
        if len(self._holders) > HOLDERS_WORKSPACES:
            self._holders.popitem(last=False)
        return found

    @asynccontextmanager
    async def _changing(self, workspace: str) -> AsyncIterator[AsyncConnection]:
        async with self._engine.begin() as connection:
            yield connection
        self._changes += 1
        self._holders.pop(workspace, None)

    async def candidates(
        self, workspace: str, *, topics: Sequence[str], roles: Sequence[str], without: str | None
    ) -> Sequence[Candidate]:
        """Return the rows of at most 20 suggestible people in policy order; one index range a topic and role."""
        # Groups of the policy: the topics, the best-fitting role, the other roles. Within one only a person's standing
        # counts, so that a lead in the third role comes before a learner in the second.
        wanted = [("topic", key, 0) for key in topics] + [("role", key, min(1 + at, 2)) for at, key in enumerate(roles)]
        if not wanted:
            return ()
        wanted = wanted[:MOST_RANGES]
        query = _candidates_query(tuple(group for _, _, group in wanted))
        values = {"workspace": workspace, "without": without or ""}
        for place, (kind, key, _) in enumerate(wanted):
            values |= {f"kind_{place}": kind, f"key_{place}": key}
        async with self._engine.connect() as connection:
            found = (await connection.execute(query, values)).all()
        # People are counted, not rows: three who declared the same ten topics would leave no row for a fourth.
        first = set(islice(dict.fromkeys(row.user_id for row in found), MOST_CANDIDATES))
        return [
            Candidate(
                user=row.user_id,
                name=row.name or "",
                kind=row.kind,
                key=row.key,
                label=row.label,
                level=LEVELS[row.level] if row.level < NO_LEVEL else None,
                availability=cast(Availability, row.availability or "active"),
                confirmed=row.confirmed_at,
            )
            for row in found
            if row.user_id in first
        ]

    async def declared_topics(self, workspace: str, keys: Sequence[str]) -> Sequence[str]:
        """Return those of the first 5,000 topic keys that somebody declared, in the given order."""
        keys = keys[:MOST_KEYS]
        d = declarations
        query = (
            select(d.c.key)
            .distinct()
            .where(d.c.workspace == workspace, d.c.kind == "topic", d.c.key.in_(keys), d.c.suggestible == true())
        )
        async with self._engine.connect() as connection:
            found = set((await connection.scalars(query)).all())
        return [key for key in keys if key in found]

    async def declaration(self, workspace: str, user: str) -> Declaration:
        """Return what the person declared, topics in the order of their words."""
        d = declarations
        query = (
            select(d.c.kind, d.c.key, d.c.label, d.c.level, d.c.confirmed_at)
            .where(d.c.workspace == workspace, d.c.user_id == user)
            .order_by(d.c.kind, d.c.level, d.c.key)
        )
        async with self._engine.connect() as connection:
            rows = (await connection.execute(query)).all()
        return Declaration(
            roles={row.key: LEVELS[row.level] for row in rows if row.kind == "role"},
            topics={row.key: row.label for row in rows if row.kind == "topic"},
            confirmed=max((row.confirmed_at for row in rows), default=None),
        )

    async def declare(
        self, workspace: str, user: str, roles: Mapping[str, Level], topics: Mapping[str, str], now: datetime
    ) -> None:
        """Replace the person's declaration in one transaction."""
        d = declarations
        best = min((LEVELS.index(level) for level in roles.values()), default=NO_LEVEL)
        async with self._changing(workspace) as connection:
            await only_writer_for(connection, workspace, user)
            # The turn that a person has had is kept, or declaring again would jump the queue.
            turn = await connection.scalar(
                select(func.max(d.c.suggested_at)).where(d.c.workspace == workspace, d.c.user_id == user)
            )
            await connection.execute(delete(d).where(d.c.workspace == workspace, d.c.user_id == user))
            common = {
                "workspace": workspace,
                "user_id": user,
                "confirmed_at": now,
                "suggestible": True,
                "out_of_office": False,
                "away": False,
                "suggested_at": turn or NEVER,
                "lot": self._rng.getrandbits(31),
            }
            rows = [
                {**common, "kind": "role", "key": role, "label": "", "level": LEVELS.index(level)}
                for role, level in roles.items()
            ] + [
                {**common, "kind": "topic", "key": key, "label": label, "level": best} for key, label in topics.items()
            ]
            if rows:
                await connection.execute(insert(d), rows)
                await _copy_availability(connection, workspace, user)
            else:
                # Nothing is kept of somebody who declares nothing.
                await connection.execute(
                    delete(members).where(members.c.workspace == workspace, members.c.user_id == user)
                )

    async def remember(self, workspace: str, member: Member, now: datetime) -> None:
        """Keep the profile, if the person declared something, and mark the declarations by it."""
        d, m = declarations, members
        async with self._changing(workspace) as connection:
            await only_writer_for(connection, workspace, member.user)
            # Written first: from here on nobody else writes, so that a person who is forgotten meanwhile stays so.
            await connection.execute(delete(m).where(m.c.workspace == workspace, m.c.user_id == member.user))
            declared = await connection.scalar(
                select(func.count()).select_from(d).where(d.c.workspace == workspace, d.c.user_id == member.user)
            )
            if not declared:
                return
            await connection.execute(
                insert(m).values(
                    workspace=workspace,
                    user_id=member.user,
                    name=member.name[:200],
                    title=member.title[:300],
                    tz=member.tz[:64],
                    availability=member.availability,
                    is_bot=member.is_bot,
                    is_guest=member.is_guest,
                    checked_at=now,
                )
            )
            await _copy_availability(connection, workspace, member.user)

    async def profile(self, workspace: str, user: str) -> Member | None:
        """Return the kept profile of a person, if there is one."""
        query = select(members).where(members.c.workspace == workspace, members.c.user_id == user)
        async with self._engine.connect() as connection:
            row = (await connection.execute(query)).first()
        if row is None:
            return None
        return Member(user, row.name, row.title, row.tz, cast(Availability, row.availability), row.is_bot, row.is_guest)

    async def unchecked(self, workspace: str, users: Sequence[str], since: datetime) -> Sequence[str]:
        """Return the users without a profile looked up since then, in the given order."""
        query = select(members.c.user_id).where(
            members.c.workspace == workspace, members.c.user_id.in_(users), members.c.checked_at >= since
        )
        async with self._engine.connect() as connection:
            fresh = set((await connection.scalars(query)).all())
        return [user for user in users if user not in fresh]

    async def suggested(self, workspace: str, user: str, now: datetime) -> None:
        """Put the person behind their equals."""
        d = declarations
        async with self._engine.begin() as connection:
            # Or a declaration that is replaced at this moment would keep the old turn.
            await only_writer_for(connection, workspace, user)
            await connection.execute(
                update(d).where(d.c.workspace == workspace, d.c.user_id == user).values(suggested_at=now)
            )

    async def count(self, workspace: str) -> int:
        """Return how many declarations the workspace holds."""
        query = select(func.count()).select_from(declarations).where(declarations.c.workspace == workspace)
        async with self._engine.connect() as connection:
            return await connection.scalar(query) or 0

    async def forget(self, workspace: str, user: str, *, answering: tuple[str, str] | None = None) -> int:
        """Delete the person's declarations, profile and conversations, and the person from the inbox.

        Ids of events stay, without the person and what was said: they keep an answer from being given twice. What
        waits is not taken up again after a restart; what a running worker holds already is still answered.
        ``answering``, the channel and time of the message that asks for it, is worked on until that is confirmed.
        """
        count = 0
        async with self._changing(workspace) as connection:
            await only_writer_for(connection, workspace, user)
            for table in (declarations, members, threads):
                result = await connection.execute(
                    delete(table).where(table.c.workspace == workspace, table.c.user_id == user)
                )
                count += cast("CursorResult[object]", result).rowcount
            key = (inbox.c.workspace, inbox.c.event_id)
            theirs = (inbox.c.workspace == workspace) & (inbox.c.user_id == user)
            # In the order in which the inbox marks events as done, or the two could hold each other up.
            found = select(*key).where(theirs).order_by(*key).with_for_update().cte("found")
            state: Any = "done"
            body: Any = ""
            if answering is not None:
                # Its body, which is erased once it is done, is needed to try again where Slack is out of reach.
                asked = (inbox.c.channel == answering[0]) & (inbox.c.message_ts == answering[1])
                asked &= inbox.c.state == "claimed"
                state, body = case((asked, inbox.c.state), else_=state), case((asked, inbox.c.body), else_=body)
            await connection.execute(
                update(inbox).where(tuple_(*key).in_(select(*found.c))).values(state=state, user_id=None, body=body)
            )
        return count

    async def forget_workspace(self, workspace: str) -> int:
        """Delete every row of the workspace, events included."""
        count = 0
        async with self._changing(workspace) as connection:
            for table in (declarations, members, threads, inbox, asked):
                result = await connection.execute(delete(table).where(table.c.workspace == workspace))
                count += cast("CursorResult[object]", result).rowcount
        return count


@lru_cache(maxsize=64)
def _candidates_query(groups: tuple[int, ...]) -> Select[Any]:
    """Build the query for ranges of these groups; building it takes longer than running it."""
    d = declarations
    ranges = [
        select(
            *(d.c.user_id, d.c.kind, d.c.key, d.c.label, d.c.level, d.c.confirmed_at),
            *(d.c.out_of_office, d.c.away, d.c.suggested_at, d.c.lot),
            literal(group).label("group"),
            literal(place).label("place"),
        )
        .where(
            d.c.workspace == bindparam("workspace"),
            d.c.kind == bindparam(f"kind_{place}"),
            d.c.key == bindparam(f"key_{place}"),
            d.c.suggestible == true(),
            d.c.user_id != bindparam("without"),
        )
        .order_by(d.c.out_of_office, d.c.level, d.c.away, d.c.suggested_at, d.c.lot)
        .limit(MOST_CANDIDATES)
        .subquery()
        for place, group in enumerate(groups)
    ]
    r = union_all(*(select(part) for part in ranges)).subquery().c
    m = members.c
    # Not a join, for which PostgreSQL reads the whole of a table of some thousand members.
    name, availability = (
        select(column).where(m.workspace == bindparam("workspace"), m.user_id == r.user_id).scalar_subquery()
        for column in (m.name, m.availability)
    )
    return select(
        *(r.user_id, r.kind, r.key, r.label, r.level, r.confirmed_at),
        name.label("name"),
        availability.label("availability"),
    ).order_by(r.group, r.out_of_office, r.level, r.away, r.suggested_at, r.lot, r.user_id, r.place)


async def _copy_availability(connection: AsyncConnection, workspace: str, user: str) -> None:
    d, m = declarations, members
    row = (await connection.execute(select(m).where(m.c.workspace == workspace, m.c.user_id == user))).first()
    if row is not None:
        await connection.execute(
            update(d)
            .where(d.c.workspace == workspace, d.c.user_id == user)
            .values(
                suggestible=row.availability != "deactivated" and not row.is_bot and not row.is_guest,
                out_of_office=row.availability == "ooo",
                away=row.availability == "away",
            )
        )
