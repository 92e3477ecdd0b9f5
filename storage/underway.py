"""Nothing that was under way for a person when they were forgotten leaves a row about them.

Whoever takes a request in notes in ``BEGUN`` when that was, and all that comes of it carries this along. Whoever
forgets a person notes the moment too, under a hash of its own, for a day. What writes about a person looks, while
nobody else can write about them, whether they were forgotten since it began. Processes agree about the time, as they
do for leases.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import datetime, timedelta
from typing import cast

from sqlalchemy import bindparam, delete, select
from sqlalchemy.engine import CursorResult
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from knowledge.errors import ForgottenSince
from storage.database import insert_into
from storage.marks import ANYBODY, known_key, mark_of, workspace_key
from storage.tables import forgettings

KEEP = timedelta(days=1)
"""Nothing is under way for so long: an event that can't be answered is given up after about an hour."""
BEGUN: ContextVar[datetime | None] = ContextVar("begun", default=None)
"""When what is under way began; None for what nobody asked for over Slack."""
EVENT: ContextVar[str] = ContextVar("event", default="")
"""The id of the event that is answered, the same each time that is tried; empty for what is no event."""
Began = tuple[str, str, datetime]
"""A workspace, a person in it, and when something about them began."""
f = forgettings.c


@contextmanager
def underway_since(moment: datetime | None, event: str = "") -> Iterator[None]:
    """Let what is done within, and all that it starts, count as begun at that moment, and as the event's."""
    begun, answered = BEGUN.set(moment), EVENT.set(event)
    try:
        yield
    finally:
        EVENT.reset(answered)
        BEGUN.reset(begun)


def passing_mark(key: bytes, workspace: str, user: str) -> str:
    """Return the mark beside the moment; not the one that stays, or the moment would tell whose that is."""
    return mark_of(key, workspace, f"since/{user}")


async def note_forgotten(
    engine: AsyncEngine, connection: AsyncConnection, workspace: str, user: str, now: datetime
) -> None:
    """Note that a person was forgotten now, in the transaction that forgets them, at its end."""
    mark = passing_mark(await workspace_key(engine, connection, workspace), workspace, user)
    row = insert_into(engine, forgettings).values(workspace=workspace, mark=mark, at=now)
    await connection.execute(row.on_conflict_do_update(index_elements=["workspace", "mark"], set_={"at": now}))


async def forgotten_since(connection: AsyncConnection, workspace: str, users: Sequence[str]) -> frozenset[str]:
    """Return those who were forgotten since what is under way began, in a transaction that holds their locks."""
    begun = BEGUN.get()
    if begun is None:
        return frozenset()
    found = await forgotten_after(connection, [(workspace, user, begun) for user in users if user])
    return frozenset(user for _, user, _ in found)


async def forgotten_after(connection: AsyncConnection, began: Collection[Began]) -> Collection[Began]:
    """Return for which of these the person was forgotten after the moment."""
    if not began:
        return ()
    since = min(moment for _, _, moment in began)
    these = sorted({workspace for workspace, _, _ in began})
    moments = await connection.execute(_MOMENTS, {"since": since, "these": these})
    found = {(row.workspace, row.mark): row.at for row in moments}
    # Nearly always there is none, and no key has to be read.
    keys = {workspace: await known_key(connection, workspace) for workspace in sorted({one for one, _ in found})}

    def is_forgotten(workspace: str, user: str, moment: datetime) -> bool:
        key = keys.get(workspace)
        if key is None:
            # None was forgotten there, or the key can't be read here: then it may be whoever this is about.
            return any(one == workspace and at > moment for (one, _), at in found.items())
        ats = (found.get((workspace, mark)) for mark in (passing_mark(key, workspace, user), ANYBODY))
        return any(at is not None and at > moment for at in ats)

    return [one for one in began if is_forgotten(*one)]


_MOMENTS = select(f.workspace, f.mark, f.at).where(
    f.at > bindparam("since"), f.workspace.in_(bindparam("these", expanding=True))
)


async def refuse_forgotten(connection: AsyncConnection, workspace: str, user: str) -> None:
    """Raise ForgottenSince where the person was forgotten since; in a transaction that holds their lock."""
    if await forgotten_since(connection, workspace, (user,)):
        raise ForgottenSince


async def prune_forgettings(engine: AsyncEngine, now: datetime) -> int:
    """Delete the moments from before which nothing can be under way any more."""
    async with engine.begin() as connection:
        result = await connection.execute(delete(forgettings).where(f.at <= now - KEEP))
    return cast("CursorResult[object]", result).rowcount
