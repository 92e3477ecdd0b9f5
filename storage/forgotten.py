"""What is left of a person who is forgotten: a keyed hash, so that an import cannot bring them back.

The key of the hashes is drawn once for each workspace and kept encrypted, so that it stays the same when
ENCRYPTION_KEYS changes. Without it the hashes say nothing: ids of people are short, and a plain hash could be guessed.
"""

from __future__ import annotations

import hmac
import logging
import secrets
from collections.abc import Sequence
from hashlib import sha256

from sqlalchemy import delete, select
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from storage.database import insert_into
from storage.keys import KeysError, UnknownKey
from storage.tables import forgotten, keys_of, place_of
from storage.tables import secrets as secrets_table

logger = logging.getLogger(__name__)
NAME = "forgotten"
MOST_MARKS = 5_000
"""Marks looked for at once: SQLite bounds the variables of a query."""


def mark_of(key: bytes, workspace: str, user: str) -> str:
    """Return the mark of a person in a workspace."""
    return hmac.new(key, f"{workspace}\0{user}".encode(), sha256).hexdigest()


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


async def workspace_key(engine: AsyncEngine, connection: AsyncConnection, workspace: str) -> bytes:
    """Return the key of a workspace's marks; drawn where there is none yet, or where what stands there is damaged.

    It never stands in a row unencrypted. Bytes, so that it is not taken for a mark, which does.
    Raises UnknownKey where another process may be able to read it: its marks must hold, and no other key may be drawn.
    """
    try:
        key = await _key(connection, workspace)
    except UnknownKey:
        raise
    except KeysError:
        # Nobody can compare with the old marks any more, and forgetting must never fail.
        logger.error("the key of forgotten people is damaged: marks made before now are void, and deleted")
        await connection.execute(delete(forgotten).where(forgotten.c.workspace == workspace))
        await connection.execute(delete(secrets_table).where(secrets_table.c.workspace == workspace))
        key = None
    if key is None:
        drawn = keys_of(connection.dialect).seal(secrets.token_hex(32), _place(workspace, NAME))
        # Of two people who are forgotten at once, the first draws the key for both.
        await connection.execute(
            insert_into(engine, secrets_table)
            .values(workspace=workspace, name=NAME, value=drawn)
            .on_conflict_do_nothing()
        )
        key = await _key(connection, workspace)
    assert key is not None
    return key


async def known_key(connection: AsyncConnection, workspace: str) -> bytes | None:
    """Return the key of a workspace's marks; None where there is none, or none that can be read."""
    try:
        return await _key(connection, workspace)
    except KeysError:
        return None


async def lift(connection: AsyncConnection, workspace: str, user: str) -> None:
    """Delete the mark of a person who declares something themself."""
    try:
        key = await _key(connection, workspace)
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
    key = await _key(connection, workspace)
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


async def _key(connection: AsyncConnection, workspace: str) -> bytes | None:
    s = secrets_table.c
    value = await connection.scalar(select(s.value).where(s.workspace == workspace, s.name == NAME))
    if not value:
        return None
    return bytes.fromhex(keys_of(connection.dialect).unseal(value, _place(workspace, NAME), unbound=True))


def _place(workspace: str, name: str) -> str:
    return place_of(secrets_table.c.value, workspace, name)
