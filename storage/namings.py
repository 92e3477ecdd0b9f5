"""To whom people were named in a week, who asked being a keyed hash.

Whoever asks again takes no further place of a colleague's weekly cap; nor does an answer that is tried again, which
names the same people as before: those whom it counted may have been told already, where Slack lost only its answer.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from functools import lru_cache
from typing import Any, cast

from sqlalchemy import Column, ColumnElement, bindparam, delete, exists, literal, or_, select, tuple_, union_all
from sqlalchemy.engine import CursorResult
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from storage.database import insert_for
from storage.marks import ANYBODY, known_key, mark_of
from storage.moments import FAR, monday_of
from storage.tables import UtcTime, forgettings, namings
from storage.underway import BEGUN, EVENT, passing_mark

MOST_PRUNED = 2_000
LATE = timedelta(days=1)
"""So long after the end of a week what it counted is still there: an event of its last minute may be tried again."""


def asker_of_week(key: bytes, workspace: str, asker: str) -> str:
    """Return the mark of who asked; not the one that stays, or that of another table."""
    return mark_of(key, workspace, f"asks/{asker}")


def event_under_way(key: bytes, workspace: str) -> str:
    """Return the mark of the event that is answered, whose id stands beside who caused it elsewhere; empty for none."""
    event = EVENT.get()
    return mark_of(key, workspace, f"event/{event}") if event else ""


@lru_cache(maxsize=16)
def noting(dialect: str, people: int) -> Any:
    """Build what notes that so many people were named to who asked, unless who asked was forgotten since they did.

    Building it takes longer than running it; with the people as rows of its values it would be built for each call.
    """
    n, f = namings.c, forgettings.c

    def given(column: Column[Any], name: str) -> ColumnElement[Any]:
        return bindparam(name, type_=column.type).label(column.name)

    rows = [
        select(
            given(n.workspace, "of"),
            given(n.mark, "asker"),
            given(n.user_id, f"user_{place}"),
            given(n.event, "answered"),
            given(n.week, "this"),
            literal(place).label(n.place.name),
        )
        for place in range(people)
    ]
    forgotten = exists().where(
        f.workspace == bindparam("of"),
        or_(f.mark == bindparam("passing"), f.mark == ANYBODY),
        f.at > bindparam("begun", type_=UtcTime()),
    )
    named = select(union_all(*rows).subquery()).where(~forgotten)
    insertion = insert_for(dialect, namings).from_select([*named.selected_columns.keys()], named)
    return insertion.on_conflict_do_update(
        index_elements=[*namings.primary_key.columns], set_={"week": insertion.excluded.week}
    )


def noted(key: bytes, workspace: str, asker: str, users: Sequence[str], week: date) -> Mapping[str, Any]:
    """Return the values of ``noting``: for who asks, and what is answered."""
    return {
        "of": workspace,
        "asker": asker_of_week(key, workspace, asker),
        "answered": event_under_way(key, workspace),
        "this": week,
        "passing": passing_mark(key, workspace, asker),
        # Nothing is forgotten since for what nobody asked for over Slack.
        "begun": BEGUN.get() or FAR,
        **{f"user_{place}": user for place, user in enumerate(users)},
    }


async def forget_namings(connection: AsyncConnection, workspace: str, asker: str) -> int:
    """Delete to whom somebody was named who asked, in the transaction that forgets them; return how many rows."""
    key = await known_key(connection, workspace)
    if key is None:
        return 0
    n = namings.c
    theirs = (n.workspace == workspace) & (n.mark == asker_of_week(key, workspace, asker))
    return cast("CursorResult[object]", await connection.execute(delete(namings).where(theirs))).rowcount


async def prune_namings(engine: AsyncEngine, now: datetime) -> int:
    """Delete those of weeks that are over; of a whole week so many at once that nobody waits long for the database."""
    key = [*namings.primary_key.columns]
    over = select(*key).where(namings.c.week < monday_of(now - LATE)).limit(MOST_PRUNED)
    count = 0
    while True:
        async with engine.begin() as connection:
            gone = await connection.execute(delete(namings).where(tuple_(*key).in_(over)))
        some = cast("CursorResult[object]", gone).rowcount
        count += some
        if some < MOST_PRUNED:
            return count
