"""Who may be suggested, in the order of the policy; who was passed over; and that somebody was suggested."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
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
    exists,
    false,
    literal,
    or_,
    select,
    true,
    tuple_,
    union_all,
    update,
)

from knowledge.people import LEVELS, MOST_COUNTED, Availability, Candidate, PassedOver
from storage.changing import Changing
from storage.database import only_writer_for
from storage.moments import monday_of
from storage.standing import NO_LEVEL
from storage.tables import declarations, members
from storage.tables import terms as terms_table

MOST_CANDIDATES = 20
MOST_RANGES = 20
"""Topics and roles that one suggestion goes by."""


class SqlCandidates(Changing):
    """Read candidates by the index of the order, and count suggestions."""

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
                imported=row.imported_at is not None,
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
    this_week, weekly_cap, imported_at = (
        select(column).where(t.workspace == bindparam("workspace"), t.user_id == r.user_id).scalar_subquery()
        for column in (case((t.week == bindparam("week"), t.suggested), else_=0), t.weekly_cap, t.imported_at)
    )
    return select(
        *(r.user_id, r.kind, r.key, r.label, r.level, r.confirmed_at),
        name.label("name"),
        availability.label("availability"),
        tz.label("tz"),
        this_week.label("this_week"),
        weekly_cap.label("weekly_cap"),
        imported_at.label("imported_at"),
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


def _why_not(row: Any) -> str:
    if row.faded:
        return "faded"
    return {"ask_first": "ask_first", "open": "capped"}.get(row.visibility, "hidden")
