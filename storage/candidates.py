"""Who may be suggested, in the order of the policy; who was passed over; and that somebody was suggested."""

from __future__ import annotations

import random
from collections import Counter, OrderedDict
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from datetime import time as time_of_day
from functools import cache, lru_cache
from itertools import pairwise
from typing import Any, cast

from sqlalchemy import (
    BindParameter,
    ColumnElement,
    CompoundSelect,
    Executable,
    Integer,
    Select,
    Table,
    Update,
    bindparam,
    case,
    exists,
    false,
    func,
    literal,
    literal_column,
    or_,
    select,
    true,
    union_all,
    update,
)
from sqlalchemy.engine import Row
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine
from sqlalchemy.sql.dml import ReturningUpdate
from sqlalchemy.sql.elements import Label

from knowledge.people import LEVELS, MOST_COUNTED, Availability, Candidate, PassedOver
from storage.changing import Changing
from storage.database import only_writer_for, plan_once
from storage.keys import UnknownKey
from storage.marks import KeptKey, kept_key, key_stands, known_to_keep
from storage.moments import FAR, NEVER, monday_of
from storage.namings import asker_of_week, event_under_way, noted, noting
from storage.standing import NO_LEVEL
from storage.tables import CAPPED, UtcTime, declarations, members, namings
from storage.tables import terms as terms_table
from storage.underway import EVENT

MOST_CANDIDATES = 20
MOST_KEYS = 5_000
"""Workspaces whose key of marks is kept in memory; the one that was read longest ago makes room."""
MOST_RANGES = 20
"""Topics and roles that one suggestion goes by."""
WEEK = timedelta(days=7)


class SqlCandidates(Changing):
    """Read candidates by the index of the order, and count suggestions."""

    def __init__(self, engine: AsyncEngine, rng: random.Random, now: Callable[[], datetime]) -> None:
        super().__init__(engine, rng, now)
        # By workspace: whether it is still the one is seen where it is used, so that none has to be read for a call.
        self._keys: OrderedDict[str, KeptKey] = OrderedDict()

    async def candidates(
        self,
        workspace: str,
        *,
        topics: Sequence[str],
        roles: Sequence[str],
        without: str | None,
        now: datetime,
        about: Sequence[str] = (),
    ) -> Sequence[Candidate]:
        """Return the rows of at most 20 suggestible people in policy order; one index range a topic and role."""
        return await self._rows(workspace, topics, roles, without, now, about, named=True)

    async def unnamed(
        self,
        workspace: str,
        *,
        topics: Sequence[str],
        roles: Sequence[str],
        without: str | None,
        now: datetime,
        about: Sequence[str] = (),
    ) -> Sequence[Candidate]:
        """Return the same of those who are not to be named: hidden, or to be asked first."""
        return await self._rows(workspace, topics, roles, without, now, about, named=False)

    async def _rows(
        self,
        workspace: str,
        topics: Sequence[str],
        roles: Sequence[str],
        without: str | None,
        now: datetime,
        about: Sequence[str],
        *,
        named: bool,
    ) -> Sequence[Candidate]:
        # Groups of the policy: the topics, the best-fitting role, the other roles. Within one only a person's standing
        # counts, so that a lead in the third role comes before a learner in the second.
        wanted = [("topic", key, 0) for key in topics] + [("role", key, min(1 + at, 2)) for at, key in enumerate(roles)]
        if not wanted:
            return ()
        wanted = wanted[:MOST_RANGES]
        moments = self._moments(now)
        avoided = list(dict.fromkeys([*topics, *about]))[:MOST_RANGES]
        query = _candidates_query(tuple(group for _, _, group in wanted), len(avoided), named, len(moments))
        week = monday_of(now)
        values: dict[str, Any] = {
            "workspace": workspace,
            "without": without or "",
            "week": week,
            **{f"moment_{at}": moment for at, moment in enumerate(moments)},
            **{f"avoided_{at}": key for at, key in enumerate(avoided)},
        }
        for place, (kind, key, _) in enumerate(wanted):
            values |= {f"wanted_kind_{place}": kind, f"wanted_key_{place}": key}
        async with self._engine.connect() as connection:
            await plan_once(connection)
            again = await self._named_again(connection, workspace, without, week, avoided) if named else ()
            found = [row for row in again if any((row.kind, row.key) == (kind, key) for kind, key, _ in wanted)]
            is_again = bool(found)
            if not found:
                found = list((await connection.execute(query, values)).all())
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
                imported=row.imported_at is not None,
                again=is_again,
            )
            for row in found
        ]

    async def _named_again(
        self, connection: AsyncConnection, workspace: str, asker: str | None, week: date, avoided: Sequence[str]
    ) -> Sequence[Row[Any]]:
        """Return the rows of those whom an earlier try to answer the event has named to who asks, and who still may be.

        Whoever reached their cap by that is among them.
        """
        if not asker or not EVENT.get():
            return ()
        found: Sequence[Row[Any]] = ()
        if known := self._keys.get(workspace):
            found = await _named_with(connection, known, workspace, asker, week, avoided)
        if not found and (key := await known_to_keep(connection, workspace)):
            found = await _named_with(connection, key, workspace, asker, week, avoided)
        return [row for row in found if row.user_id is not None]

    def _moments(self, now: datetime) -> list[datetime]:
        """Return the moments from which nearly everybody who is free by now is free, in their order; the last is now.

        Whoever reached a cap is free on the Monday after, or at the end of time: one range of the index each. Between
        them stand those who were capped weeks ago, until ``begin_week`` has come to them.
        """
        if now < FAR:
            return [NEVER, _midnight(monday_of(now)), now]
        this_week = monday_of(self._now())
        return [NEVER, _midnight(this_week), _midnight(this_week + WEEK), FAR, FAR + WEEK]

    async def passed_over(
        self,
        workspace: str,
        *,
        topics: Sequence[str],
        roles: Sequence[str],
        without: str | None,
        now: datetime,
        also_later: bool = False,
    ) -> PassedOver:
        """Count them from the rows that are not suggestible, not free, or not there; what is hidden is not counted."""
        wanted = ([("topic", key) for key in topics] + [("role", key) for key in roles])[:MOST_RANGES]
        moments = self._moments(now)
        values: dict[str, Any] = {"workspace": workspace, "without": without or "", "now": now}
        values |= {f"moment_{at}": moment for at, moment in enumerate(moments)}
        found: dict[str, str] = {}
        async with self._engine.connect() as connection:
            await plan_once(connection)
            for kind, key in wanted:
                of = values | {"kind": kind, "key": key}
                for capped in (False, True):
                    for row in (await connection.execute(_passed_over_query(capped=capped), of)).all():
                        if row.availability != "deactivated" and not row.is_bot and not row.is_guest:
                            found.setdefault(row.user_id, _why_not(row))
                if also_later:
                    for why, user in await connection.execute(_not_there_query(len(moments)), of):
                        found.setdefault(user, why)
            if topics:
                of = values | {"topics": topics[:MOST_RANGES]}
                avoiders = (await connection.scalars(_avoiders_query(), of)).all()
                # By the primary key of these few, and sorted out here: asked for the topics and roles as well, a
                # database may choose to read everybody who declared one.
                of = values | {"users": avoiders}
                for one in (await connection.execute(_declared_query(), of)).all() if avoiders else ():
                    if (one.kind, one.key) in wanted and one.user_id != without:
                        found[one.user_id] = "not_about"
        counts = Counter(found.values())
        whys = ("capped", "not_about", "ask_first", "faded", "away", "out_of_office")
        # Those of each availability and level are counted by themselves.
        return PassedOver(*(min(counts[why], MOST_COUNTED) for why in whys))

    async def begin_week(self, now: datetime, most: int = 500) -> int:
        """Set those free for good who reached their cap in a week that is over; return how many it was.

        They may be suggested without that; but those whose week is long over would be read and sorted by every
        suggestion, and become more with each week.
        """
        t, week = terms_table.c, monday_of(now)
        over = (t.week < week) & CAPPED
        query = select(t.workspace, t.user_id).where(over).order_by(t.week).limit(most)
        async with self._engine.connect() as connection:
            found = (await connection.execute(query)).all()
        for workspace in sorted({row.workspace for row in found}):
            users = [row.user_id for row in found if row.workspace == workspace]
            async with self._changing(workspace) as connection:
                # Or somebody who is suggested at this moment could lose it.
                await only_writer_for(connection, workspace, *users)
                begin = (
                    update(terms_table)
                    .where(t.workspace == workspace, t.user_id.in_(users), over)
                    .values(week=week, suggested=0)
                    .returning(t.user_id)
                )
                begun = (await connection.scalars(begin)).all()
                free = update(declarations).where(
                    declarations.c.workspace == workspace, declarations.c.user_id.in_(begun)
                )
                await connection.execute(free.values(free_from=NEVER))
        return len(found)

    async def suggested(
        self,
        workspace: str,
        users: Sequence[str],
        now: datetime,
        *,
        about: Sequence[str] = (),
        named: bool = True,
        asker: str | None = None,
    ) -> Mapping[str, int]:
        """Count the suggestion where the terms allow it at this moment, and put the first behind their equals."""
        week = monday_of(now)
        if not users:
            return {}
        async with self._engine.begin() as connection:
            # Or a declaration that is replaced at this moment would keep the old turn.
            await only_writer_for(connection, workspace, *{*users, *([asker] if asker else [])}, lasting=False)
            known = self._keys.get(workspace) if asker else None
            key = known or (await self._key_of_askers(connection, workspace) if asker else None)
            # All at once: whoever names some of the same people waits above.
            given = {"of": workspace, "users": users, "this": week, "about": about[:MOST_RANGES]}
            counted = await _count(connection, named, given, asker, key)
            if known and not counted:
                # None of them may be named any more; or the key that was remembered is not the workspace's any more.
                key = await self._key_of_askers(connection, workspace)
                counted = await _count(connection, named, given, asker, key)
            chosen = [user for user in users if user in counted]
            if chosen:
                full = [
                    user
                    for user, row in counted.items()
                    if row.weekly_cap is not None and row.suggested >= row.weekly_cap
                ]
                values: dict[str, Any] = {"of": workspace, "users": [chosen[0], *full], "full": full}
                values |= {"first": chosen[0], "at": now, "next": _midnight(week + WEEK)}
                if asker and key:
                    values |= noted(key.opened, workspace, asker, chosen, week)
                for statement in _noting(self._engine.dialect.name, len(chosen) if asker and key else 0):
                    await connection.execute(statement, values)
        return {user: row.suggested for user, row in counted.items()}

    async def _key_of_askers(self, connection: AsyncConnection, workspace: str) -> KeptKey | None:
        """Return the key of the marks; None where only another process can read it: then each time counts."""
        try:
            key = await kept_key(self._engine, connection, workspace)
        except UnknownKey:
            return None
        self._keys[workspace] = key
        self._keys.move_to_end(workspace)
        if len(self._keys) > MOST_KEYS:
            self._keys.popitem(last=False)
        return key


async def _count(
    connection: AsyncConnection, named: bool, given: Mapping[str, Any], asker: str | None, key: KeptKey | None
) -> Mapping[str, Row[Any]]:
    """Count a suggestion, and return whose it was; of nobody where the key of the marks is another by now."""
    values = dict(given)
    if asker and key:
        values |= {"asker": asker_of_week(key.opened, values["of"], asker), "stored": key.stored}
    found = await connection.execute(_counting(named, asked=bool(asker and key)), values)
    return {row.user_id: row for row in found}


@cache
def _counting(named: bool, *, asked: bool) -> ReturningUpdate[Any]:
    """Build what counts a suggestion of some people where their terms allow it; building it takes time each call.

    They were chosen up to a second ago: whoever has left since, or said something else, is not counted. Where somebody
    ``asked``, whoever was named to them this week is not either: that is nobody new, who might turn to them.
    """
    d, t, this_week = declarations.c, terms_table.c, terms_table.c.week == bindparam("this")
    users: BindParameter[str] = bindparam("users", expanding=True)
    n = namings.c
    # Counted, as in ``_avoids``: PostgreSQL may read all that were named to anybody in the week.
    named_before = (
        select(func.count().filter(n.week == bindparam("this")))
        .where(n.workspace == bindparam("of"), n.mark == bindparam("asker"), n.user_id == t.user_id)
        .correlate(terms_table)
        .scalar_subquery()
    ) > literal_column("0")
    # Not past a cap that was lowered since.
    known = this_week & (t.suggested > 0) & (t.suggested <= t.weekly_cap) & named_before
    free = or_(t.weekly_cap.is_(None), ~this_week & (t.weekly_cap > 0), t.suggested < t.weekly_cap)
    again = [(known, t.suggested)] if asked else []
    # Of these few by the primary key: left to itself, a database may read the declarations of the whole workspace.
    theirs = select(d.user_id).where(d.workspace == bindparam("of"), d.user_id.in_(users))
    willing = theirs.where(d.suggestible == true() if named else or_(d.suggestible == true(), d.unnamed == true()))
    avoids = _avoids(terms_table, bindparam("about", expanding=True))
    return (
        update(terms_table)
        .where(t.workspace == bindparam("of"), t.user_id.in_(users), free | known if asked else free)
        .where(t.user_id.in_(willing), ~avoids, *([key_stands("of", "stored")] if asked else []))
        .values(week=bindparam("this"), suggested=case(*again, (this_week, t.suggested + 1), else_=1))
        .returning(t.user_id, t.suggested, t.weekly_cap)
    )


@cache
def _marking() -> Update:
    """Build what puts the first behind their equals, and those whose cap is reached until the next week."""
    d = declarations.c
    full: BindParameter[str] = bindparam("full", expanding=True)
    return (
        update(declarations)
        .where(d.workspace == bindparam("of"), d.user_id.in_(bindparam("users", expanding=True)))
        .values(
            suggested_at=case(
                (d.user_id == bindparam("first"), bindparam("at", type_=UtcTime())), else_=d.suggested_at
            ),
            free_from=case((d.user_id.in_(full), bindparam("next", type_=UtcTime())), else_=d.free_from),
        )
    )


@lru_cache(maxsize=16)
def _noting(dialect: str, people: int) -> Sequence[Executable]:
    """Return what marks those who were counted and notes that so many were named; for PostgreSQL it is one."""
    marking = _marking()
    if not people:
        return [marking]
    if dialect == "postgresql":
        return [noting(dialect, people).add_cte(marking.cte("marked"))]
    return [marking, noting(dialect, people)]


@lru_cache(maxsize=64)
def _candidates_query(groups: tuple[int, ...], avoided: int, named: bool, moments: int) -> Select[Any]:
    """Build the query for ranges of these groups, without whoever is not to be asked about so many topics.

    Building it takes longer than running it.
    """
    d = declarations
    avoids = _avoids(d, [bindparam(f"avoided_{at}") for at in range(avoided)])
    most = literal_column(str(MOST_CANDIDATES), Integer)
    free = _free_by(_moment_values(moments))
    ranges = [
        select(
            *(d.c.user_id, d.c.kind, d.c.key, d.c.label, d.c.level, d.c.confirmed_at),
            *(d.c.out_of_office, d.c.away, d.c.suggested_at, d.c.lot),
            # As they stand: each value of a statement takes time at each call.
            literal_column(str(group)).label("group"),
            literal_column(str(place)).label("place"),
        )
        .where(
            d.c.workspace == bindparam("workspace"),
            d.c.kind == bindparam(f"wanted_kind_{place}"),
            d.c.key == bindparam(f"wanted_key_{place}"),
            d.c.suggestible == (true() if named else false()),
            d.c.unnamed == (false() if named else true()),
            by_now,
            d.c.user_id != bindparam("without"),
            *([~avoids] if avoided else []),
        )
        .order_by(d.c.out_of_office, d.c.level, d.c.away, d.c.suggested_at, d.c.lot)
        .limit(most)
        .subquery()
        for place, group in enumerate(groups)
        for by_now in free
    ]
    r = union_all(*(select(part) for part in ranges)).subquery().c
    order = (r.group, r.out_of_office, r.level, r.away, r.suggested_at, r.lot, r.user_id, r.place)
    declared = (r.user_id, r.kind, r.key, r.label, r.level, r.confirmed_at)
    ranked = select(*declared, func.row_number().over(order_by=order).label("rank")).cte("ranked").c
    # People are counted, not rows: three who declared the same ten topics would leave no row for a fourth.
    first = select(ranked.user_id).group_by(ranked.user_id).order_by(func.min(ranked.rank)).limit(most)
    theirs = (ranked.user_id, ranked.kind, ranked.key, ranked.label, ranked.level, ranked.confirmed_at)
    return select(*theirs, *_of_person(ranked.user_id)).where(ranked.user_id.in_(first)).order_by(ranked.rank)


def _avoids(table: Table, topics: Any) -> ColumnElement[bool]:
    """Return what holds for the person of a row who is not to be asked about one of the topics.

    What they avoid is counted, by the primary key: an EXISTS becomes a join in PostgreSQL, for which it may read
    everybody in the workspace who avoids the topic, and so it may where the topic is a condition of the rows.
    """
    a, of = declarations.alias("not_about").c, table.c
    theirs = (a.workspace == of.workspace) & (a.user_id == of.user_id) & (a.kind == literal_column("'not'"))
    avoided = select(func.count().filter(a.key.in_(topics))).where(theirs)
    return avoided.correlate(table).scalar_subquery() > literal_column("0")


def _of_person(user: ColumnElement[str]) -> list[Label[Any]]:
    """Return what a row of a person needs beside the declaration."""
    # Not a join, for which PostgreSQL reads the whole of a table of some thousand members.
    m, t = members.c, terms_table.c
    profile = (m.name, m.availability, m.tz)
    this_week = case((t.week == bindparam("week"), t.suggested), else_=0).label("this_week")
    return [
        select(column)
        .where(of.workspace == bindparam("workspace"), of.user_id == user)
        .scalar_subquery()
        .label(column.name)
        for of, columns in ((m, profile), (t, (this_week, t.weekly_cap, t.imported_at)))
        for column in columns
    ]


async def _named_with(
    connection: AsyncConnection, key: KeptKey, workspace: str, asker: str, week: date, avoided: Sequence[str]
) -> Sequence[Row[Any]]:
    """Return the rows of those whom the event has named, by this key; none at all where it is another by now."""
    marks = {"asker": asker_of_week(key.opened, workspace, asker), "event": event_under_way(key.opened, workspace)}
    values = {"workspace": workspace, "week": week, "avoided": avoided, "stored": key.stored, **marks}
    found: Sequence[Row[Any]] = (await connection.execute(_again_query(), values)).all()
    return found


@cache
def _again_query() -> Select[Any]:
    """Build the query for the declarations of those whom an event named already."""
    d, n = declarations.c, namings.c
    avoids = _avoids(namings, bindparam("avoided", expanding=True))
    t = terms_table.c
    lowered = exists().where(
        t.workspace == bindparam("workspace"),
        t.user_id == n.user_id,
        or_(t.weekly_cap == 0, t.suggested > t.weekly_cap),
    )
    theirs = namings.join(declarations, (d.workspace == n.workspace) & (d.user_id == n.user_id))
    named = (
        select(*(d.user_id, d.kind, d.key, d.label, d.level, d.confirmed_at), *_of_person(d.user_id), n.place)
        .select_from(theirs)
        .where(n.workspace == bindparam("workspace"), n.mark == bindparam("asker"), n.event == bindparam("event"))
        .where(d.suggestible == true(), d.unnamed == false(), ~avoids, ~lowered)
        .subquery()
    )
    r = named.c
    # An empty row where nobody was named: none at all says that the key is another one.
    stands = select(literal_column("1")).where(key_stands("workspace", "stored")).subquery()
    return select(named).select_from(stands.outerjoin(named, true())).order_by(r.place, r.user_id, r.kind, r.key)


def _moment_values(moments: int) -> list[BindParameter[datetime]]:
    return [bindparam(f"moment_{at}", type_=UtcTime()) for at in range(moments)]


def _free_by(moments: Sequence[Any]) -> list[ColumnElement[bool]]:
    """Return what holds for whoever is free by the last of these moments: one range of the index each."""
    free_from = declarations.c.free_from
    free = [free_from == one for one in moments[:-1]]
    free += [(free_from > one) & (free_from < after) for one, after in pairwise(moments[:-1])]
    return [*free, (free_from > moments[-2]) & (free_from <= moments[-1])]


def _of_wanted() -> ColumnElement[bool]:
    """Return what holds for whoever declared a topic or role, and does not ask."""
    d = declarations.c
    wanted = (d.workspace == bindparam("workspace")) & (d.kind == bindparam("kind")) & (d.key == bindparam("key"))
    return wanted & (d.user_id != bindparam("without"))


@cache
def _passed_over_query(*, capped: bool) -> Select[Any]:
    """Build the query for those who are not suggestible, or for those who are but not now; by the index of the order.

    Building it takes time at each call, and so does what is built below.
    """
    d, t, m = declarations.c, terms_table.c, members.c
    now_not = (d.suggestible == true()) & (d.unnamed == false()) & (d.free_from > bindparam("now", type_=UtcTime()))
    which = now_not if capped else d.suggestible == false()
    part = select(d.user_id).where(_of_wanted(), which).limit(MOST_COUNTED).subquery()
    own = part.join(terms_table, (t.workspace == bindparam("workspace")) & (t.user_id == part.c.user_id))
    both = own.outerjoin(members, (m.workspace == bindparam("workspace")) & (m.user_id == part.c.user_id))
    return select(*(t.user_id, t.visibility, t.faded, m.availability, m.is_bot, m.is_guest)).select_from(both)


@cache
def _not_there_query(moments: int) -> CompoundSelect[Any]:
    """Build the query for who of those who may be named is out of office, or away; a range of that index each."""
    d = declarations.c
    named = _of_wanted() & (d.suggestible == true()) & (d.unnamed == false())
    not_there = [("out_of_office", d.out_of_office == true())]
    for level in range(NO_LEVEL + 1):
        not_there.append(("away", (d.out_of_office == false()) & (d.level == level) & (d.away == true())))
    parts = [
        select(literal(why).label("why"), d.user_id).where(named, by_now, which).limit(MOST_COUNTED).subquery()
        for by_now in _free_by(_moment_values(moments))
        for why, which in not_there
    ]
    return union_all(*(select(part) for part in parts))


@cache
def _avoiders_query() -> Select[Any]:
    """Build the query for people who are not to be asked about some topics."""
    d = declarations.c
    avoiding = (d.workspace == bindparam("workspace")) & (d.kind == "not")
    of_topics = avoiding & d.key.in_(bindparam("topics", expanding=True))
    # Said here, or SQLite goes by the primary key through the whole workspace.
    named = (d.suggestible == true()) & (d.unnamed == false())
    return select(d.user_id).where(of_topics, named).limit(MOST_COUNTED)


@cache
def _declared_query() -> Select[Any]:
    """Build the query for what some people declared."""
    d = declarations.c
    theirs = (d.workspace == bindparam("workspace")) & d.user_id.in_(bindparam("users", expanding=True))
    return select(d.user_id, d.kind, d.key).where(theirs, d.suggestible == true())


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time_of_day(), UTC)


def _why_not(row: Any) -> str:
    if row.faded:
        return "faded"
    return {"ask_first": "ask_first", "open": "capped"}.get(row.visibility, "hidden")
