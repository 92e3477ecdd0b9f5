"""Declarations and profiles of members; implements the guide's ``People`` port."""

from __future__ import annotations

import random
import time
from collections import Counter, OrderedDict
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from datetime import time as time_of_day
from functools import lru_cache
from itertools import islice
from typing import Any, cast

from sqlalchemy import (
    ColumnElement,
    Select,
    bindparam,
    case,
    delete,
    exists,
    false,
    func,
    insert,
    literal,
    null,
    or_,
    select,
    true,
    tuple_,
    union_all,
    update,
)
from sqlalchemy.engine import CursorResult
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from knowledge.freshness import CHECK_AFTER
from knowledge.people import (
    LEVELS,
    MOST_COUNTED,
    Availability,
    Candidate,
    Declaration,
    Level,
    Member,
    PassedOver,
    Terms,
    Visibility,
)
from storage.ask_forgetting import forget_in_asks
from storage.database import insert_into, only_writer_for
from storage.forgotten import lift, remember_forgotten
from storage.kept import everything_about
from storage.moments import FAR as FAR
from storage.moments import NEVER as NEVER
from storage.moments import monday_of as monday_of
from storage.tables import (
    ask_deliveries,
    ask_paces,
    ask_people,
    asked,
    asks,
    audit,
    curators,
    declarations,
    forgotten,
    inbox,
    members,
    secrets,
    settings,
    threads,
    vacated,
)
from storage.tables import terms as terms_table

MOST_CANDIDATES = 20
HOLDERS_SECONDS = 5.0
HOLDERS_WORKSPACES = 5_000
"""Workspaces whose holders are kept in memory; the one not asked for longest makes room."""
MOST_KEYS = 5_000
"""Topics looked for at once: a message may hold forty thousand signs, and SQLite bounds the variables of a query."""
MOST_RANGES = 20
"""Topics and roles that one suggestion goes by."""
MOST_SPELLINGS = 40
MOST_TOPICS_FOUND = 20
"""Topics of colleagues that are offered at once."""
NO_LEVEL = len(LEVELS)
_PERSONAL = (declarations, members, terms_table, threads, curators)
"""Tables whose rows are one person's own."""
_ASKING = (asks, ask_people, ask_deliveries, ask_paces)


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
        # Whoever is at the weekly cap still holds the role: a card says who does it, it sends nobody to them.
        found = await self.candidates(workspace, topics=(), roles=(role,), without=None, now=FAR)
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
        self, workspace: str, *, topics: Sequence[str], roles: Sequence[str], without: str | None, now: datetime
    ) -> Sequence[Candidate]:
        """Return the rows of at most 20 suggestible people in policy order; one index range a topic and role."""
        return await self._rows(workspace, topics, roles, without, now, named=True)

    async def unnamed(
        self, workspace: str, *, topics: Sequence[str], roles: Sequence[str], without: str | None, now: datetime
    ) -> Sequence[Candidate]:
        """Return the same of those who are not to be named: hidden, or to be asked first."""
        return await self._rows(workspace, topics, roles, without, now, named=False)

    async def _rows(
        self,
        workspace: str,
        topics: Sequence[str],
        roles: Sequence[str],
        without: str | None,
        now: datetime,
        *,
        named: bool,
    ) -> Sequence[Candidate]:
        # Groups of the policy: the topics, the best-fitting role, the other roles. Within one only a person's standing
        # counts, so that a lead in the third role comes before a learner in the second.
        wanted = [("topic", key, 0) for key in topics] + [("role", key, min(1 + at, 2)) for at, key in enumerate(roles)]
        if not wanted:
            return ()
        wanted = wanted[:MOST_RANGES]
        query = _candidates_query(tuple(group for _, _, group in wanted), named)
        week = monday_of(now)
        values: dict[str, Any] = {
            "workspace": workspace,
            "without": without or "",
            "now": now,
            "week": week,
            "avoided": list(topics[:MOST_RANGES]),
        }
        for place, (kind, key, _) in enumerate(wanted):
            values |= {f"wanted_kind_{place}": kind, f"wanted_key_{place}": key}
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
                tz=row.tz or "",
                this_week=row.this_week or 0,
                weekly_cap=row.weekly_cap,
            )
            for row in found
            if row.user_id in first
        ]

    async def passed_over(
        self, workspace: str, *, topics: Sequence[str], roles: Sequence[str], without: str | None, now: datetime
    ) -> PassedOver:
        """Count them from the rows that are not suggestible or not free; what is hidden is not counted."""
        wanted = [("topic", key) for key in topics] + [("role", key) for key in roles]
        d, t, m = declarations.c, terms_table.c, members.c
        found: dict[str, str] = {}
        async with self._engine.connect() as connection:
            for kind, key in wanted[:MOST_RANGES]:
                here = (d.workspace == workspace) & (d.kind == kind) & (d.key == key) & (d.user_id != (without or ""))
                # By the index: those who are not suggestible, then those who are but not now.
                for more in (d.suggestible == false(), (d.suggestible == true()) & (d.free_from > now)):
                    part = select(d.user_id).where(here, more).limit(MOST_COUNTED).subquery()
                    own = part.join(terms_table, (t.workspace == workspace) & (t.user_id == part.c.user_id))
                    both = own.outerjoin(members, (m.workspace == workspace) & (m.user_id == part.c.user_id))
                    query = select(
                        *(t.user_id, t.visibility, t.faded, m.availability, m.is_bot, m.is_guest)
                    ).select_from(both)
                    for row in (await connection.execute(query)).all():
                        if row.availability != "deactivated" and not row.is_bot and not row.is_guest:
                            found.setdefault(row.user_id, _why_not(row))
            if topics:
                avoiding = (
                    select(d.user_id)
                    .where(d.workspace == workspace, d.kind == "not", d.key.in_(list(topics)[:MOST_RANGES]))
                    .limit(MOST_COUNTED)
                )
                held = (
                    select(d.user_id)
                    .distinct()
                    .where(
                        d.workspace == workspace,
                        d.user_id.in_(avoiding),
                        d.suggestible == true(),
                        d.user_id != (without or ""),
                        tuple_(d.kind, d.key).in_(wanted[:MOST_RANGES]),
                    )
                )
                found |= dict.fromkeys((await connection.scalars(held)).all(), "not_about")
        counts = Counter(found.values())
        return PassedOver(counts["capped"], counts["not_about"], counts["ask_first"], counts["faded"])

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

    async def spellings(self, workspace: str, keys: Sequence[str], without: str) -> Mapping[str, str]:
        """Return one label for each key, from the first row of its index range."""
        d = declarations.c
        keys = list(dict.fromkeys(keys))[:MOST_SPELLINGS]
        if not keys:
            return {}
        firsts = [
            select(d.key, d.label)
            .where(d.workspace == workspace, d.kind == "topic", d.key == key, d.suggestible == true())
            .where(d.user_id != without)
            .order_by(d.out_of_office, d.level, d.away, d.suggested_at, d.lot)
            .limit(1)
            .subquery()
            for key in keys
        ]
        async with self._engine.connect() as connection:
            rows = (await connection.execute(union_all(*(select(first) for first in firsts)))).all()
        return {row.key: row.label for row in rows}

    async def topics_from(self, workspace: str, start: str) -> Sequence[str]:
        """Go from key to key along the index: as quick where a thousand people declared each of them."""
        d = declarations.c
        declared = (d.workspace == workspace) & (d.kind == "topic") & (d.suggestible == true())
        least = select(func.min(d.key)).where(declared, d.key >= start).scalar_subquery()
        found = select(least.label("key"), literal(1).label("place")).cte("found", recursive=True)
        after = select(func.min(d.key)).where(declared, d.key > found.c.key).scalar_subquery()
        # No upper end to the range: which sign comes last depends on how the database sorts.
        found = found.union_all(
            select(after, found.c.place + 1).where(found.c.key.is_not(None), found.c.place < MOST_TOPICS_FOUND)
        )
        async with self._engine.connect() as connection:
            keys = (await connection.scalars(select(found.c.key).where(found.c.key.is_not(None)))).all()
        return [key for key in keys if key.startswith(start)]

    async def declaration(self, workspace: str, user: str) -> Declaration:
        """Return what the person declared, topics in the order of their words."""
        d = declarations
        query = (
            select(d.c.kind, d.c.key, d.c.label, d.c.level, d.c.confirmed_at)
            .where(d.c.workspace == workspace, d.c.user_id == user)
            .order_by(d.c.kind, d.c.level, d.c.key)
        )
        t = terms_table.c
        own = select(t.visibility, t.weekly_cap).where(t.workspace == workspace, t.user_id == user)
        async with self._engine.connect() as connection:
            rows = (await connection.execute(query)).all()
            set_terms = (await connection.execute(own)).first()
        return Declaration(
            roles={row.key: LEVELS[row.level] for row in rows if row.kind == "role"},
            topics={row.key: row.label for row in rows if row.kind == "topic"},
            confirmed=max((row.confirmed_at for row in rows), default=None),
            terms=Terms(
                cast(Visibility, set_terms.visibility) if set_terms else "open",
                set_terms.weekly_cap if set_terms else None,
                {row.key: row.label for row in rows if row.kind == "not"},
            ),
        )

    async def declare(
        self,
        workspace: str,
        user: str,
        roles: Mapping[str, Level],
        topics: Mapping[str, str],
        now: datetime,
        terms: Terms | None = None,
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
            gone = delete(d).where(d.c.workspace == workspace, d.c.user_id == user)
            if terms is None:
                gone = gone.where(d.c.kind != "not")
            await connection.execute(gone)
            common = {
                "workspace": workspace,
                "user_id": user,
                "confirmed_at": now,
                "suggestible": True,
                "out_of_office": False,
                "away": False,
                "suggested_at": turn or NEVER,
                "lot": self._rng.getrandbits(31),
                "free_from": NEVER,
            }
            rows = [
                {**common, "kind": "role", "key": role, "label": "", "level": LEVELS.index(level)}
                for role, level in roles.items()
            ] + [
                {**common, "kind": "topic", "key": key, "label": label, "level": best} for key, label in topics.items()
            ]
            if rows:
                # Who declares something themself may be imported again.
                await lift(connection, workspace, user)
                rows += [
                    {**common, "kind": "not", "key": key, "label": label, "level": NO_LEVEL}
                    for key, label in (terms.not_about if terms else {}).items()
                ]
                await connection.execute(insert(d), rows)
                await self._set_terms(connection, workspace, user, terms, now)
                await copy_standing(connection, workspace, user)
            else:
                # Nothing is kept of somebody who declares nothing.
                for table in (declarations, members, terms_table):
                    await connection.execute(
                        delete(table).where(table.c.workspace == workspace, table.c.user_id == user)
                    )

    async def _set_terms(
        self, connection: AsyncConnection, workspace: str, user: str, given: Terms | None, now: datetime
    ) -> None:
        """Set the terms, where some are given, and note that all was confirmed."""
        confirmed = {"confirmed_at": now, "check_at": now + CHECK_AFTER, "unanswered": 0, "faded": False}
        chosen = {"visibility": given.visibility, "weekly_cap": given.weekly_cap} if given else {}
        first = {"visibility": "open", "weekly_cap": None, "week": monday_of(now), "suggested": 0}
        upsert = insert_into(self._engine, terms_table).values(
            workspace=workspace, user_id=user, **(first | chosen | confirmed)
        )
        # Whoever asked never to be asked whether it is still right is not asked again for having changed something.
        kept = case((terms_table.c.check_at.is_(None), null()), else_=confirmed["check_at"])
        await connection.execute(
            upsert.on_conflict_do_update(
                index_elements=["workspace", "user_id"], set_=chosen | confirmed | {"check_at": kept}
            )
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
            await copy_standing(connection, workspace, member.user)

    async def profile(self, workspace: str, user: str) -> Member | None:
        """Return the kept profile of a person, if there is one."""
        query = select(members).where(members.c.workspace == workspace, members.c.user_id == user)
        async with self._engine.connect() as connection:
            row = (await connection.execute(query)).first()
        if row is None:
            return None
        return Member(user, row.name, row.title, row.tz, cast(Availability, row.availability), row.is_bot, row.is_guest)

    async def declares(self, workspace: str, user: str) -> bool:
        """Tell whether the person declared anything, by one look-up of the primary key."""
        t = terms_table.c
        query = select(t.user_id).where(t.workspace == workspace, t.user_id == user)
        async with self._engine.connect() as connection:
            return await connection.scalar(query) is not None

    async def unchecked(self, workspace: str, users: Sequence[str], since: datetime) -> Sequence[str]:
        """Return the users without a profile looked up since then, in the given order."""
        query = select(members.c.user_id).where(
            members.c.workspace == workspace, members.c.user_id.in_(users), members.c.checked_at >= since
        )
        async with self._engine.connect() as connection:
            fresh = set((await connection.scalars(query)).all())
        return [user for user in users if user not in fresh]

    async def suggested(self, workspace: str, users: Sequence[str], now: datetime) -> Mapping[str, int]:
        """Count the suggestion where the weekly cap allows it, and put the first behind their equals."""
        d, t = declarations, terms_table.c
        week = monday_of(now)
        this_week = t.week == week
        counted: dict[str, int] = {}
        if not users:
            return counted
        async with self._engine.begin() as connection:
            # Or a declaration that is replaced at this moment would keep the old turn.
            await only_writer_for(connection, workspace, *users)
            # All at once: whoever names some of the same people waits above.
            counting = (
                update(terms_table)
                .where(
                    *(t.workspace == workspace, t.user_id.in_(users)),
                    or_(t.weekly_cap.is_(None), ~this_week & (t.weekly_cap > 0), t.suggested < t.weekly_cap),
                )
                .values(week=week, suggested=case((this_week, t.suggested + 1), else_=1))
                .returning(t.user_id, t.suggested, t.weekly_cap)
            )
            full = []
            for row in (await connection.execute(counting)).all():
                counted[row.user_id] = row.suggested
                if row.weekly_cap is not None and row.suggested >= row.weekly_cap:
                    full.append(row.user_id)
            if full:
                await connection.execute(
                    update(d)
                    .where(d.c.workspace == workspace, d.c.user_id.in_(full))
                    .values(free_from=datetime.combine(week + timedelta(days=7), time_of_day(), UTC))
                )
            first = next((user for user in users if user in counted), None)
            if first is not None:
                await connection.execute(
                    update(d).where(d.c.workspace == workspace, d.c.user_id == first).values(suggested_at=now)
                )
        return counted

    async def count(self, workspace: str) -> int:
        """Return how many declarations the workspace holds."""
        query = select(func.count()).select_from(declarations).where(declarations.c.workspace == workspace)
        async with self._engine.connect() as connection:
            return await connection.scalar(query) or 0

    async def kept(self, workspace: str, user: str) -> Mapping[str, Sequence[Mapping[str, Any]]]:
        """Return every row that names the person, by table."""
        return await everything_about(self._engine, workspace, user)

    async def forget(self, workspace: str, user: str, *, answering: tuple[str, str] | None = None) -> int:
        """Delete the person's declarations, profile and conversations, and the person from the inbox.

        A keyed hash stays, so that no import brings the person back; whoever declares something again lifts it.
        Ids of events stay, without the person and what was said: they keep an answer from being given twice. What
        waits is not taken up again after a restart; what a running worker holds already is still answered.
        ``answering``, the channel and time of the message that asks for it, is worked on until that is confirmed.
        """
        async with self._changing(workspace) as connection:
            await only_writer_for(connection, workspace, user)
            count = await forget_in_asks(self._engine, connection, workspace, user)
            for table in _PERSONAL:
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
            # A direct message with the bot is one person's: its id would name them as well as theirs does.
            direct = inbox.c.channel.startswith("D", autoescape=True)
            where = {name: case((direct, null()), else_=inbox.c[name]) for name in ("channel", "message_ts")}
            if answering is not None:
                # Its body, which is erased once it is done, is needed to try again where Slack is out of reach.
                asked = (inbox.c.channel == answering[0]) & (inbox.c.message_ts == answering[1])
                asked &= inbox.c.state == "claimed"
                state, body = case((asked, inbox.c.state), else_=state), case((asked, inbox.c.body), else_=body)
                where = {name: case((asked, inbox.c[name]), else_=gone) for name, gone in where.items()}
            await connection.execute(
                update(inbox)
                .where(tuple_(*key).in_(select(*found.c)))
                .values(state=state, user_id=None, body=body, **where)
            )
            mark = await remember_forgotten(self._engine, connection, workspace, user)
            # What they did in office stays on record, and so does what was done to them; who it was does not.
            for column in (audit.c.user_id, audit.c.about):
                await connection.execute(
                    update(audit).where(audit.c.workspace == workspace, column == user).values({column: mark})
                )
        return count

    async def forget_workspace(self, workspace: str) -> int:
        """Delete every row of the workspace, events and marks of forgotten people included."""
        count = 0
        async with self._changing(workspace) as connection:
            for table in (*_PERSONAL, inbox, asked, forgotten, secrets, settings, vacated, audit, *_ASKING):
                result = await connection.execute(delete(table).where(table.c.workspace == workspace))
                count += cast("CursorResult[object]", result).rowcount
        return count


@lru_cache(maxsize=64)
def _candidates_query(groups: tuple[int, ...], named: bool) -> Select[Any]:
    """Build the query for ranges of these groups; building it takes longer than running it."""
    d, n = declarations, declarations.alias("not_about")
    may_be_asked = [d.c.suggestible == true()] if named else [d.c.suggestible == false(), *_present_but_not_open()]
    ranges = [
        select(
            *(d.c.user_id, d.c.kind, d.c.key, d.c.label, d.c.level, d.c.confirmed_at),
            *(d.c.out_of_office, d.c.away, d.c.suggested_at, d.c.lot),
            literal(group).label("group"),
            literal(place).label("place"),
        )
        .where(
            d.c.workspace == bindparam("workspace"),
            d.c.kind == bindparam(f"wanted_kind_{place}"),
            d.c.key == bindparam(f"wanted_key_{place}"),
            *may_be_asked,
            d.c.user_id != bindparam("without"),
            d.c.free_from <= bindparam("now"),
            ~exists().where(
                n.c.workspace == bindparam("workspace"),
                n.c.user_id == d.c.user_id,
                n.c.kind == "not",
                n.c.key.in_(bindparam("avoided", expanding=True)),
            ),
        )
        .order_by(d.c.out_of_office, d.c.level, d.c.away, d.c.suggested_at, d.c.lot)
        .limit(MOST_CANDIDATES)
        .subquery()
        for place, group in enumerate(groups)
    ]
    r = union_all(*(select(part) for part in ranges)).subquery().c
    m = members.c
    # Not a join, for which PostgreSQL reads the whole of a table of some thousand members.
    t = terms_table.c
    name, availability, tz = (
        select(column).where(m.workspace == bindparam("workspace"), m.user_id == r.user_id).scalar_subquery()
        for column in (m.name, m.availability, m.tz)
    )
    this_week, weekly_cap = (
        select(column).where(t.workspace == bindparam("workspace"), t.user_id == r.user_id).scalar_subquery()
        for column in (case((t.week == bindparam("week"), t.suggested), else_=0), t.weekly_cap)
    )
    return select(
        *(r.user_id, r.kind, r.key, r.label, r.level, r.confirmed_at),
        name.label("name"),
        availability.label("availability"),
        tz.label("tz"),
        this_week.label("this_week"),
        weekly_cap.label("weekly_cap"),
    ).order_by(r.group, r.out_of_office, r.level, r.away, r.suggested_at, r.lot, r.user_id, r.place)


def _present_but_not_open() -> list[ColumnElement[bool]]:
    """Return what holds for a person who may be asked though not named."""
    d, m, t = declarations.c, members.c, terms_table.c
    own = (t.workspace == d.workspace) & (t.user_id == d.user_id)
    gone = (m.availability == "deactivated") | m.is_bot | m.is_guest
    return [
        exists().where(own, t.visibility != "open", t.faded == false()),
        ~exists().where(m.workspace == d.workspace, m.user_id == d.user_id, gone),
    ]


async def copy_standing(connection: AsyncConnection, workspace: str, user: str) -> None:
    """Copy into the declarations what suggestions go by: the profile, the terms, and whether the cap is reached."""
    d, m, t = declarations, members, terms_table
    profile = (await connection.execute(select(m).where(m.c.workspace == workspace, m.c.user_id == user))).first()
    own = (await connection.execute(select(t).where(t.c.workspace == workspace, t.c.user_id == user))).first()
    known = profile is None or (profile.availability != "deactivated" and not profile.is_bot and not profile.is_guest)
    values: dict[str, Any] = {"suggestible": known}
    if profile is not None:
        values |= {"out_of_office": profile.availability == "ooo", "away": profile.availability == "away"}
    if own is not None:
        values["suggestible"] = known and own.visibility == "open" and not own.faded
        if own.weekly_cap is None or own.suggested < own.weekly_cap:
            values["free_from"] = NEVER
        else:
            # A cap of none does not end with the week.
            next_week = datetime.combine(own.week + timedelta(days=7), time_of_day(), UTC)
            values["free_from"] = next_week if own.weekly_cap else FAR
    await connection.execute(update(d).where(d.c.workspace == workspace, d.c.user_id == user).values(**values))


def _why_not(row: Any) -> str:
    if row.faded:
        return "faded"
    return {"ask_first": "ask_first", "open": "capped"}.get(row.visibility, "hidden")
