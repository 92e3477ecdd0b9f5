"""How far it is with asking whether entries are still right; implements the ``Verifications`` port.

An entry has a row from its first turn on. A row with another ``verify_by`` than the entry's is of the time before it
was verified last, and counts for nothing: so whoever verifies an entry need not know of this table.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, cast

from sqlalchemy import and_, func, or_, select
from sqlalchemy.engine import CursorResult
from sqlalchemy.ext.asyncio import AsyncEngine

from knowledge.verifying import ToVerify, Turn
from storage.database import insert_into, only_writer_for
from storage.tables import keepings, members, team_entries, verifications
from storage.underway import forgotten_since

e, k, m, v = team_entries.c, keepings.c, members.c, verifications.c

DAY = timedelta(hours=20)
"""Somewhat less than one: whoever is written to at nine may be written to at nine the day after."""
WRITTEN: tuple[Turn, ...] = (1, 2)
"""Turns that a message to the author began."""


class SqlVerifications:
    """Keep whose turn it is."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def due(self, now: datetime, most: int) -> Sequence[ToVerify]:
        """Return the published entries whose next turn has come, the oldest first; of all workspaces."""
        # Who answered is asked also where no name is shown: it stands with what was agreed, not in the entry.
        user = func.coalesce(k.user_id, e.user_id)
        query = (
            select(
                e.workspace,
                e.id,
                e.verify_by,
                user.label("user_id"),
                m.tz,
                v.verify_by.label("seen_by"),
                v.turn,
                (v.verify_by == e.verify_by).label("same"),
            )
            .select_from(team_entries)
            .outerjoin(keepings, and_(k.workspace == e.workspace, k.entry_id == e.id))
            .outerjoin(verifications, and_(v.workspace == e.workspace, v.entry_id == e.id))
            .outerjoin(members, and_(m.workspace == e.workspace, m.user_id == user))
            .where(
                e.verify_by <= now,
                e.state == "published",
                or_(v.turn.is_(None), v.due_at <= now, v.verify_by != e.verify_by),
            )
            .order_by(func.coalesce(v.due_at, e.verify_by), e.workspace, e.id)
            .limit(most)
        )
        async with self._engine.connect() as connection:
            rows = (await connection.execute(query)).all()
        return [
            ToVerify(
                row.workspace,
                row.id,
                row.verify_by,
                row.user_id or "",
                row.tz or "",
                row.turn if row.same else 0,
                None if row.turn is None else (row.seen_by, row.turn),
            )
            for row in rows
        ]

    async def move(self, one: ToVerify, turn: Turn, due: datetime, *, writes: bool = False) -> bool:
        """Take the turn, or put it off, if the row is still as it was read."""
        # Whoever is written to is waited for from then on: so late is due only what was written within the last day.
        today = select(v.entry_id).where(
            *(v.workspace == one.workspace, v.user_id == one.user, v.entry_id != one.entry_id),
            *(v.turn.in_(WRITTEN), v.due_at > due - DAY),
        )
        row = insert_into(self._engine, verifications).values(
            workspace=one.workspace,
            entry_id=one.entry_id,
            user_id=one.user or None,
            verify_by=one.verify_by,
            turn=turn,
            due_at=due,
        )
        changed = {name: row.excluded[name] for name in ("user_id", "verify_by", "turn", "due_at")}
        key = ["workspace", "entry_id"]
        if one.seen is None:
            row = row.on_conflict_do_nothing()
        else:
            as_read = (v.verify_by == one.seen[0]) & (v.turn == one.seen[1])
            row = row.on_conflict_do_update(index_elements=key, set_=changed, where=as_read)
        async with self._engine.begin() as connection:
            await only_writer_for(connection, one.workspace, *filter(None, [one.user]))
            if await forgotten_since(connection, one.workspace, [one.user]):
                # It was read before that whose turn it is.
                return False
            if writes and await connection.scalar(today.limit(1)) is not None:
                return False
            moved = await connection.execute(row)
        return cast("CursorResult[Any]", moved).rowcount > 0

    async def asked_of(self, workspace: str, entry_id: str) -> str | None:
        """Return who was asked about an entry."""
        query = select(v.user_id).where(v.workspace == workspace, v.entry_id == entry_id, v.turn > 0)
        async with self._engine.connect() as connection:
            return await connection.scalar(query)
