"""To whom people were named in a week, who asked being a keyed hash.

Whoever asks again takes no further place of a colleague's weekly cap; nor does an answer that is tried again, which
names the same people as before: those whom it counted may have been told already, where Slack lost only its answer.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import cast

from sqlalchemy import delete, select, tuple_
from sqlalchemy.engine import CursorResult
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from storage.database import insert_into
from storage.marks import known_key, mark_of
from storage.moments import monday_of
from storage.tables import namings
from storage.underway import EVENT

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


async def note_named(
    engine: AsyncEngine,
    connection: AsyncConnection,
    key: bytes,
    workspace: str,
    asker: str,
    users: Sequence[str],
    week: date,
) -> None:
    """Note that people were named to who asked, in the transaction that counts it."""
    common = {
        "workspace": workspace,
        "mark": asker_of_week(key, workspace, asker),
        "event": event_under_way(key, workspace),
        "week": week,
    }
    rows = insert_into(engine, namings).values(
        [{**common, "user_id": user, "place": place} for place, user in enumerate(users)]
    )
    await connection.execute(
        rows.on_conflict_do_update(index_elements=[*namings.primary_key.columns], set_={"week": rows.excluded.week})
    )


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
