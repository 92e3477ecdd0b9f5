"""Roles that nobody holds any more, and the curators who are told; implements the ``Vacancies`` port.

Whoever leaves, withdraws or lets it fade leaves a note for each of their roles. Whether anybody is left is looked at
some minutes later: of two who leave at the same moment neither would see that the other does.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, cast

from sqlalchemy import case, exists, false, null, or_, select, true, update
from sqlalchemy.engine import CursorResult
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from knowledge.workspaces import ToTell
from storage.database import insert_into
from storage.tables import curators, declarations, members, terms, vacated

SEE_AFTER = timedelta(minutes=10)
"""So long is waited for what goes together with it: several roles are one message."""
CLAIM = timedelta(hours=1)
"""From then on another process may tell a curator whom the one that claimed it did not get to tell."""
c, v, d = curators.c, vacated.c, declarations.c


Held = frozenset[tuple[str, str]]
"""People, each with a role that they hold."""


async def held_roles(connection: AsyncConnection, workspace: str, *users: str) -> Held:
    """Return who of these people holds which roles, whoever may see it."""
    query = select(d.user_id, d.key).where(d.workspace == workspace, d.user_id.in_(users), d.kind == "role", _holds())
    return frozenset((row.user_id, row.key) for row in await connection.execute(query))


async def note_left(connection: AsyncConnection, workspace: str, before: Held, now: datetime) -> None:
    """Note the roles that people held before and do not any more, in the transaction that changes it."""
    if not before:
        return
    left = before - await held_roles(connection, workspace, *sorted({user for user, _ in before}))
    for role in sorted({role for _, role in left}):
        when = {"since": now, "due_at": now + SEE_AFTER}
        await connection.execute(
            insert_into(connection, vacated)
            .values(workspace=workspace, role=role, **when)
            .on_conflict_do_update(index_elements=["workspace", "role"], set_=when)
        )


class SqlVacancies:
    """Keep it in the database."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def orphaned(self, workspace: str, since: datetime | None = None) -> Sequence[str]:
        """Return the roles, in the order in which they lost their last."""
        query = select(v.role).where(v.workspace == workspace, ~_held()).order_by(v.since, v.role)
        if since is not None:
            query = query.where(v.since >= since)
        async with self._engine.connect() as connection:
            return list(await connection.scalars(query))

    async def notice(self, now: datetime, most: int) -> None:
        """Put down every curator of a workspace in which a role has nobody left."""
        query = select(v.workspace, v.role, v.since, (~_held()).label("orphaned")).where(v.due_at <= now)
        async with self._engine.connect() as connection:
            rows = (await connection.execute(query.order_by(v.due_at).limit(most))).all()
        for workspace in sorted({row.workspace for row in rows}):
            theirs = [row for row in rows if row.workspace == workspace]
            async with self._engine.begin() as connection:
                if any(row.orphaned for row in theirs):
                    # In one order, or two processes could hold each other up.
                    named = select(c.user_id).where(c.workspace == workspace).order_by(c.user_id).with_for_update()
                    for user in (await connection.scalars(named)).all():
                        await connection.execute(
                            update(curators)
                            .where(c.workspace == workspace, c.user_id == user, c.tell_at.is_(None))
                            .values(tell_at=now)
                        )
                for row in sorted(theirs, key=lambda row: str(row.role)):
                    await connection.execute(
                        update(vacated)
                        .where(v.workspace == workspace, v.role == row.role, v.since == row.since)
                        .values(due_at=None)
                    )

    async def to_tell(self, now: datetime, most: int) -> Sequence[ToTell]:
        """Return who has waited longest first."""
        query = select(curators).where(c.tell_at <= now).order_by(c.tell_at).limit(most)
        async with self._engine.connect() as connection:
            rows = (await connection.execute(query)).all()
        return [
            ToTell(row.workspace, row.user_id, row.told_at or row.named_at, row.told_at, row.tell_at) for row in rows
        ]

    async def claim(self, one: ToTell, now: datetime) -> datetime | None:
        """Move the time on; who does that first has it."""
        claimed = now + CLAIM
        return claimed if await self._change(one, one.due, {"tell_at": claimed}) else None

    async def put_off(self, one: ToTell, claimed: datetime, until: datetime) -> None:
        """Move the time."""
        await self._change(one, claimed, {"tell_at": until})

    async def told(self, one: ToTell, claimed: datetime, now: datetime) -> None:
        """Take the curator off the list, unless something came up meanwhile."""
        newer = exists().where(v.workspace == one.workspace, v.since > now, v.due_at.is_(None))
        await self._change(one, claimed, {"told_at": now, "tell_at": case((newer, claimed), else_=null())})

    async def _change(self, one: ToTell, due: datetime, values: dict[str, Any]) -> bool:
        own = (c.workspace == one.workspace) & (c.user_id == one.user) & (c.tell_at == due)
        async with self._engine.begin() as connection:
            result = await connection.execute(update(curators).where(own).values(**values))
        return cast("CursorResult[object]", result).rowcount > 0


def _held() -> Any:
    """Tell whether anybody holds a role of ``vacated``."""
    return exists().where(d.workspace == v.workspace, d.kind == "role", d.key == v.role, _holds())


def _holds() -> Any:
    """Tell whether a declaration counts: whoever made it is there, and it has not faded.

    Whether colleagues may see it does not matter: that somebody hides is not to be told, by a notice or otherwise.
    """
    m, t = members.c, terms.c
    gone = exists().where(
        m.workspace == d.workspace,
        m.user_id == d.user_id,
        (m.availability == "deactivated") | m.is_bot | m.is_guest,
    )
    unfaded = exists().where(t.workspace == d.workspace, t.user_id == d.user_id, t.faded == false())
    return or_(d.suggestible == true(), unfaded & ~gone)
