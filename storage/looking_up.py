"""Whose profile is to be looked up unasked; implements the ``ToLookUp`` port.

``look_up_at`` says when; whatever looks a profile up moves it on. Of several processes one works on a workspace in a
minute.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import bindparam, select, update
from sqlalchemy.ext.asyncio import AsyncEngine

from storage.freshness import take_minute
from storage.tables import terms

PACE = "look-ups"
"""Of these, among the paces of a workspace."""
t = terms.c


class SqlToLookUp:
    """Keep in ``terms`` when each person is looked up next."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def due(self, now: datetime, most: int) -> Sequence[tuple[str, str]]:
        """Return who waits longest first."""
        query = select(t.workspace, t.user_id).where(t.look_up_at <= now).order_by(t.look_up_at).limit(most)
        async with self._engine.connect() as connection:
            return [(row.workspace, row.user_id) for row in await connection.execute(query)]

    async def put_off(self, later: Sequence[tuple[str, str, datetime]], now: datetime) -> None:
        """Move those on who are still due."""
        if not later:
            return
        b = bindparam
        statement = (
            update(terms)
            .where(t.workspace == b("in_workspace"), t.user_id == b("of_user"), t.look_up_at <= b("by"))
            .values(look_up_at=b("until"))
        )
        # In one order, or two processes could hold each other up.
        values = [
            {"in_workspace": workspace, "of_user": user, "by": now, "until": until}
            for workspace, user, until in sorted(later)
        ]
        async with self._engine.begin() as connection:
            await connection.execute(statement, values)

    async def take_minute(self, workspace: str, now: datetime) -> datetime | None:
        """Move the workspace's pace on by a minute; of several processes one does."""
        return await take_minute(self._engine, workspace, PACE, now)
