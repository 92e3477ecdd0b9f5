"""Where the app was removed: the token goes at once, the rest when its time has come, and a note of it stays.

Events of Slack about it come in either order, more than once, and after the app was installed again: what counts is
when they happened, against when the app was installed.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Literal

from sqlalchemy import case, delete, func, literal, select, update
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from storage.database import insert_into
from storage.installations import keep_rest, only_one_for
from storage.tables import UtcTime, installations, removals

DELETE_WITHIN = timedelta(days=14)
"""How long the rest stays where only the token was revoked: the app may be installed again."""
AGAIN = timedelta(minutes=5)
"""So long after a removal the rest is deleted once more: what was under way, in any process, has ended by then."""
CLOCKS_DIFFER = timedelta(seconds=5)
"""By so much our clock may differ from Slack's, whole seconds included: both are kept right, and nobody removes the app
and installs it again so fast."""
SAME_REMOVAL = timedelta(minutes=10)
"""By so much an event about a removal may have happened later than the removal was noted, and still be about it."""
WAITS = ((timedelta(minutes=10), timedelta(minutes=1)), (timedelta(days=1), timedelta(minutes=10)))
"""How soon a deletion that failed is tried again, up to how long after the removal."""
LONGEST_WAIT = timedelta(hours=1)
MOST_READ = 100
Why = Literal["app_uninstalled", "tokens_revoked", "team_access_revoked"]
Became = Literal["ignored", "noted", "due"]
"""The event is older than the installation; the rest is deleted later; the rest is to be deleted now."""
i, r = installations.c, removals.c


class SqlRemovals:
    """Keep one row a removal, without a person."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def note(self, workspace: str, why: Why, at: datetime, now: datetime) -> Became:
        """Take the token away and note the removal, which happened ``at`` that time."""
        due = why != "tokens_revoked"
        delete_at = now if due else now + DELETE_WITHIN
        async with self._engine.begin() as connection:
            await only_one_for(connection, workspace)
            installed_at = await connection.scalar(select(i.installed_at).where(i.workspace == workspace))
            if installed_at is not None and at < installed_at - CLOCKS_DIFFER:
                return "ignored"
            await connection.execute(delete(installations).where(i.workspace == workspace))
            open_ones = (r.workspace == workspace) & r.delete_at.is_not(None)
            if installed_at is None and await connection.scalar(select(r.removed_at).where(open_ones).limit(1)):
                if due:
                    await connection.execute(update(removals).where(open_ones).values(why=why, delete_at=delete_at))
            elif installed_at is not None or not await _was_removed(connection, workspace, at):
                note = insert_into(self._engine, removals).values(
                    workspace=workspace, removed_at=now, why=why, delete_at=delete_at
                )
                await connection.execute(note.on_conflict_do_nothing())
            else:
                return "ignored"
        return "due" if due else "noted"

    async def is_removed(self, workspace: str) -> bool:
        """Tell whether the app was there once."""
        async with self._engine.connect() as connection:
            return await connection.scalar(select(r.workspace).where(r.workspace == workspace).limit(1)) is not None

    async def was_removed_lately(self, workspace: str, at: datetime) -> bool:
        """Tell whether an event of that time is about a removal that is noted already.

        That its organisation took the app away from a team is none of the app.
        """
        noted = (r.workspace == workspace) & (r.removed_at > at - SAME_REMOVAL) & (r.why != "team_access_revoked")
        async with self._engine.connect() as connection:
            return await connection.scalar(select(r.workspace).where(noted).limit(1)) is not None

    async def due(self, now: datetime) -> Sequence[str]:
        """Return the workspaces whose rest is to be deleted by now."""
        query = select(r.workspace).where(r.delete_at <= now).order_by(r.delete_at).limit(MOST_READ)
        async with self._engine.connect() as connection:
            return list(dict.fromkeys(await connection.scalars(query)))

    async def put_off(self, workspaces: Sequence[str], now: datetime) -> None:
        """Have those that failed tried again later, the longer after the removal the more slowly: others come first."""
        waits = [(r.removed_at > now - since, literal(now + wait, UtcTime())) for since, wait in WAITS]
        values = {"delete_at": case(*waits, else_=literal(now + LONGEST_WAIT, UtcTime()))}
        async with self._engine.begin() as connection:
            # In one order, or two processes could hold each other up.
            for workspace in sorted(workspaces):
                due = (r.workspace == workspace) & (r.delete_at <= now)
                await connection.execute(update(removals).where(due).values(values))

    async def came_back(self, workspace: str) -> None:
        """Delete nothing more: the app is there again."""
        async with self._engine.begin() as connection:
            await only_one_for(connection, workspace)
            await keep_rest(connection, workspace)


async def is_due(connection: AsyncConnection, workspace: str, now: datetime) -> bool:
    """Tell whether the rest of a workspace is still to be deleted: the app may be back since."""
    query = select(r.workspace).where(r.workspace == workspace, r.delete_at <= now).limit(1)
    return await connection.scalar(query) is not None


async def note_deleted(connection: AsyncConnection, workspace: str, rows: int, now: datetime) -> None:
    """Note that so many rows are gone. Right after a removal it is done once more, ``AGAIN`` later."""
    pending = (r.workspace == workspace) & r.delete_at.is_not(None)
    once_more = case((r.removed_at > now - AGAIN, now + AGAIN), else_=None)
    gone = {"delete_at": once_more, "deleted_rows": func.coalesce(r.deleted_rows, 0) + rows}
    await connection.execute(update(removals).where(pending).values(gone))


async def _was_removed(connection: AsyncConnection, workspace: str, at: datetime) -> bool:
    """Tell whether a removal is noted that happened then or later: the event is its other half, or comes again."""
    later = (r.workspace == workspace) & (r.removed_at >= at - CLOCKS_DIFFER)
    return await connection.scalar(select(r.workspace).where(later).limit(1)) is not None
