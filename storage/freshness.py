"""Who is to be asked whether what they declared is still right; implements the ``Freshness`` port.

``check_at`` says when a person is written to next, and who takes a turn moves it on first: of several processes one
does. It moves by two weeks, so that even a process that ends in the middle writes to nobody twice within them.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, cast

from sqlalchemy import and_, bindparam, case, null, select, update
from sqlalchemy.engine import CursorResult
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from knowledge.freshness import ASK_AGAIN, CHECK_AFTER, Due
from storage.database import insert_into, only_writer_for
from storage.moments import FAR, NEVER
from storage.standing import copy_standing
from storage.tables import ask_paces, declarations, members
from storage.tables import terms as terms_table
from storage.vacated import held_roles, note_left

PACE = "still right?"
"""Of these messages, among the paces of a workspace."""
t = terms_table.c


class SqlFreshness:
    """Keep in ``terms`` when each person is asked next, and what came of it."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def due(self, now: datetime, most: int) -> Sequence[Due]:
        """Return who is to be written to by now, whose turn came first; of all workspaces."""
        m = members.c
        first = select(terms_table).where(t.check_at <= now).order_by(t.check_at).limit(most).subquery().c
        tz = select(m.tz).where(m.workspace == first.workspace, m.user_id == first.user_id).scalar_subquery()
        query = select(
            *(first.workspace, first.user_id, first.confirmed_at, first.unanswered, first.imported_at), tz.label("tz")
        ).order_by(first.check_at)
        async with self._engine.connect() as connection:
            found = (await connection.execute(query)).all()
        return [
            Due(
                *(row.workspace, row.user_id, row.tz or "", row.confirmed_at, row.unanswered),
                imported=row.imported_at is not None,
            )
            for row in found
        ]

    async def put_off(self, later: Sequence[tuple[Due, datetime]], now: datetime) -> None:
        """Move turns that have come to other times, where nobody has taken them meanwhile."""
        if not later:
            return
        b = bindparam
        statement = (
            update(terms_table)
            .where(t.workspace == b("in_workspace"), t.user_id == b("of_user"), t.check_at <= b("by"))
            .values(check_at=b("until"))
        )
        # In one order, or two processes could hold each other up.
        ordered = sorted(later, key=lambda one: (one[0].workspace, one[0].user))
        values = [
            {"in_workspace": due.workspace, "of_user": due.user, "by": now, "until": until} for due, until in ordered
        ]
        async with self._engine.begin() as connection:
            await connection.execute(statement, values)

    async def take_minute(self, workspace: str, now: datetime, mine: datetime | None = None) -> datetime | None:
        """Move the workspace's pace on by a minute; of several processes one does."""
        return await take_minute(self._engine, workspace, PACE, now, mine)

    async def claim(self, due: Due, now: datetime) -> datetime | None:
        """Take a person's turn; returns when the next one is, or None where another process took it."""
        after = now + ASK_AGAIN
        taken = await self._change(due.workspace, due.user, {"check_at": after}, t.check_at <= now)
        return after if taken else None

    async def asked(self, due: Due, claimed: datetime) -> None:
        """Count the question, unless it was answered in the moment since."""
        await self._change(due.workspace, due.user, {"unanswered": t.unanswered + 1}, t.check_at == claimed)

    async def not_asked(self, due: Due, claimed: datetime, until: datetime) -> None:
        """Give a turn back that came to nothing, until then."""
        await self._change(due.workspace, due.user, {"check_at": until}, t.check_at == claimed)

    async def fade(self, due: Due, claimed: datetime) -> bool:
        """Take the declaration out of suggestions; False where the person answered in the moment since."""
        # A turn is claimed by moving it on from now.
        now = claimed - ASK_AGAIN
        return await self._change(due.workspace, due.user, {"faded": True}, t.check_at == claimed, now)

    async def told(self, due: Due, claimed: datetime) -> None:
        """Note that the person knows that it has faded: there is nothing more to ask until they come back."""
        await self._change(due.workspace, due.user, {"check_at": FAR}, t.check_at == claimed)

    async def confirm(self, workspace: str, user: str, now: datetime) -> bool:
        """Note that all is still right, which brings what had faded back; False where nothing is declared."""
        d = declarations
        # Whoever asked not to be asked is not asked again for having confirmed something.
        check_at = case((t.check_at.is_(None), null()), else_=now + CHECK_AFTER)
        values = {"confirmed_at": now, "check_at": check_at, "unanswered": 0, "faded": False, "imported_at": None}
        async with self._engine.begin() as connection:
            await only_writer_for(connection, workspace, user)
            there = await _update(connection, workspace, user, values)
            if there:
                own = and_(d.c.workspace == workspace, d.c.user_id == user)
                await connection.execute(update(d).where(own).values(confirmed_at=now))
                await copy_standing(connection, workspace, user)
        return there

    async def responded(self, workspace: str, user: str) -> bool:
        """Note that the person is there, though nothing is confirmed yet; False where nothing is declared."""
        return await self._change(workspace, user, {"unanswered": 0})

    async def stop(self, workspace: str, user: str) -> bool:
        """Never ask the person again; False where nothing is declared."""
        return await self._change(workspace, user, {"check_at": None, "unanswered": 0})

    async def _change(
        self, workspace: str, user: str, values: dict[str, Any], condition: Any = True, now: datetime | None = None
    ) -> bool:
        """Change the terms; ``now`` where the person may drop out of suggestions by it."""
        async with self._engine.begin() as connection:
            await only_writer_for(connection, workspace, user)
            before = await held_roles(connection, workspace, user) if now is not None else frozenset()
            changed = await _update(connection, workspace, user, values, condition)
            if changed and "faded" in values:
                await copy_standing(connection, workspace, user)
            if changed and now is not None:
                await note_left(connection, workspace, before, now)
        return changed


async def take_minute(
    engine: AsyncEngine, workspace: str, method: str, now: datetime, mine: datetime | None = None
) -> datetime | None:
    """Move a pace of the workspace on by a minute; returns when that ends, None where it is another process's."""
    pace, ends = ask_paces.c, now + timedelta(minutes=1)
    free = pace.next_at <= now if mine is None else pace.next_at == mine
    first = {"workspace": workspace, "method": method, "next_at": NEVER}
    taken = (
        update(ask_paces)
        .where(pace.workspace == workspace, pace.method == method, free)
        .values(next_at=ends)
        .returning(pace.next_at)
    )
    async with engine.begin() as connection:
        await connection.execute(insert_into(engine, ask_paces).values(first).on_conflict_do_nothing())
        return ends if (await connection.execute(taken)).first() else None


async def _update(
    connection: AsyncConnection, workspace: str, user: str, values: dict[str, Any], condition: Any = True
) -> bool:
    own = and_(t.workspace == workspace, t.user_id == user, condition)
    result = await connection.execute(update(terms_table).where(own).values(**values))
    return cast("CursorResult[object]", result).rowcount > 0
