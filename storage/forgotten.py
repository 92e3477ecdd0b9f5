"""What is left of a person who is forgotten: a keyed hash, so that an import cannot bring them back."""

from __future__ import annotations

import logging
from collections.abc import Sequence

from sqlalchemy import delete, select
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from storage.database import insert_into
from storage.keys import KeysError
from storage.marks import mark_of, own_key, workspace_key
from storage.tables import forgotten

logger = logging.getLogger(__name__)
MOST_MARKS = 5_000
"""Marks looked for at once: SQLite bounds the variables of a query."""


async def remember_forgotten(engine: AsyncEngine, connection: AsyncConnection, workspace: str, user: str) -> str:
    """Write the mark of a person, in the transaction that deletes the rest; returns it."""
    mark = await mark_in(engine, connection, workspace, user)
    await connection.execute(
        insert_into(engine, forgotten).values(workspace=workspace, mark=mark).on_conflict_do_nothing()
    )
    return mark


async def mark_in(engine: AsyncEngine, connection: AsyncConnection, workspace: str, user: str) -> str:
    """Return the mark of a person; the first of a workspace draws the key."""
    return mark_of(await workspace_key(engine, connection, workspace), workspace, user)


async def lift(connection: AsyncConnection, workspace: str, user: str) -> None:
    """Delete the mark of a person who declares something themself."""
    try:
        key = await own_key(connection, workspace)
    except KeysError:
        logger.error("the key of forgotten people can't be read: who declares something keeps their mark")
        return
    if key is not None:
        f = forgotten.c
        await connection.execute(
            delete(forgotten).where(f.workspace == workspace, f.mark == mark_of(key, workspace, user))
        )


async def forgotten_among(connection: AsyncConnection, workspace: str, users: Sequence[str]) -> frozenset[str]:
    """Return those of the users who asked to be forgotten. Raises KeysError where their key can't be read."""
    key = await own_key(connection, workspace)
    if key is None:
        return frozenset()
    users_of = {mark_of(key, workspace, user): user for user in users}
    marks, found = list(users_of), set[str]()
    f = forgotten.c
    for start in range(0, len(marks), MOST_MARKS):
        some = marks[start : start + MOST_MARKS]
        rows = await connection.scalars(select(f.mark).where(f.workspace == workspace, f.mark.in_(some)))
        found.update(users_of[mark] for mark in rows)
    return frozenset(found)
