"""Whose profile is to be looked up unasked; implements the ``ToLookUp`` port.

``look_up_at`` says when; whoever takes a turn moves it on first, and so does whatever looks a profile up: of several
processes one looks a person up.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import func, select, update
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

    async def workspaces(self, now: datetime) -> Sequence[str]:
        """Go from workspace to workspace along the index: as quick where a hundred thousand wait in one of them."""
        found = select(func.min(t.workspace).label("workspace")).cte("found", recursive=True)
        after = select(func.min(t.workspace)).where(t.workspace > found.c.workspace).scalar_subquery()
        found = found.union_all(select(after).where(found.c.workspace.is_not(None)))
        # Compared as a value: of an EXISTS PostgreSQL may make a join, for which it reads the whole table.
        first = select(func.min(t.look_up_at)).where(t.workspace == found.c.workspace).scalar_subquery()
        async with self._engine.connect() as connection:
            return (await connection.scalars(select(found.c.workspace).where(first <= now))).all()

    async def take_minute(self, workspace: str, now: datetime) -> datetime | None:
        """Move the workspace's pace on by a minute; of several processes one does."""
        return await take_minute(self._engine, workspace, PACE, now)

    async def claim(self, workspace: str, now: datetime, until: datetime) -> str | None:
        """Move the turn of who waits longest on; whom another process takes at this moment is passed over."""
        first = (
            select(t.user_id)
            .where(t.workspace == workspace, t.look_up_at <= now)
            .order_by(t.look_up_at)
            .limit(1)
            .with_for_update(skip_locked=True)
            .scalar_subquery()
        )
        claim = update(terms).where(t.workspace == workspace, t.user_id == first).values(look_up_at=until)
        async with self._engine.begin() as connection:
            user: str | None = await connection.scalar(claim.returning(t.user_id))
            return user
