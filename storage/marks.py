"""The key of a workspace's marks, which are keyed hashes of people: its own secret, drawn once and kept encrypted.

It stays the same when ENCRYPTION_KEYS changes. Without it the marks say nothing: ids of people are short, and a plain
hash could be guessed. Where it is damaged, or lost for good, another one is drawn, and whatever can be marked anew is.
"""

from __future__ import annotations

import hmac
import json
import logging
import secrets
from collections.abc import Collection
from dataclasses import dataclass
from hashlib import sha256
from typing import cast

from sqlalchemy import ColumnElement, bindparam, delete, exists, func, insert, select, update
from sqlalchemy.engine import CursorResult
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from storage.database import insert_into
from storage.keys import KeysError, UnknownKey
from storage.tables import (
    ask_deliveries,
    ask_people,
    asks,
    forgettings,
    forgotten,
    keepings,
    keys_of,
    place_of,
    team_entries,
    unsealed,
)
from storage.tables import secrets as secrets_table
from storage.team_versions import renew_version

logger = logging.getLogger(__name__)
NAME = "forgotten"
ANYBODY = ""
"""Stands beside a moment in the place of a mark, where nobody knows any more who was forgotten up to then."""
a, d, e, k, p, s = asks.c, ask_deliveries.c, team_entries.c, keepings.c, ask_people.c, secrets_table.c


@dataclass(frozen=True)
class KeptKey:
    """Hold the key of a workspace's marks: as it is stored, and opened."""

    stored: str
    opened: bytes


def mark_of(key: bytes, workspace: str, user: str) -> str:
    """Return the mark of a person in a workspace."""
    return hmac.new(key, f"{workspace}\0{user}".encode(), sha256).hexdigest()


def asker_mark(key: bytes, workspace: str, user: str) -> str:
    """Return the mark of an asker; not that of a forgotten person, so that the two can't be compared."""
    return mark_of(key, workspace, f"ask/{user}")


async def workspace_key(engine: AsyncEngine, connection: AsyncConnection, workspace: str) -> bytes:
    """Return the key of a workspace's marks; drawn where there is none yet, or where what stands there is damaged.

    It never stands in a row unencrypted. Bytes, so that it is not taken for a mark, which does.
    Raises UnknownKey where another process may be able to read it: its marks must hold, and no other key may be drawn.
    """
    stored = await _stored(connection, workspace)
    try:
        return _opened(connection, workspace, stored) or await _draw(engine, connection, workspace)
    except UnknownKey:
        raise
    except KeysError:
        # Nobody can compare with the old marks any more, and forgetting must never fail.
        logger.error("the key of forgotten people is damaged: marks made before now are void, and deleted")
        return await draw_anew(engine, connection, workspace, stored)


async def kept_key(engine: AsyncEngine, connection: AsyncConnection, workspace: str) -> KeptKey:
    """Return the same, to be remembered: whoever uses it sees by how it is stored whether it is still the one."""
    key = await workspace_key(engine, connection, workspace)
    stored = await _stored(connection, workspace)
    return KeptKey(stored, _opened(connection, workspace, stored) or key)


def key_stands(workspace: str, stored: str) -> ColumnElement[bool]:
    """Return the condition that a workspace's key is stored as it was; both are the names of values."""
    return exists().where(s.workspace == bindparam(workspace), s.name == NAME, s.value == bindparam(stored))


async def known_key(connection: AsyncConnection, workspace: str) -> bytes | None:
    """Return the key of a workspace's marks; None where there is none, or none that can be read."""
    known = await known_to_keep(connection, workspace)
    return known.opened if known else None


async def known_to_keep(connection: AsyncConnection, workspace: str) -> KeptKey | None:
    """Return the same, to be remembered."""
    stored = await _stored(connection, workspace)
    try:
        opened = _opened(connection, workspace, stored)
    except KeysError:
        return None
    return KeptKey(stored, opened) if opened else None


async def own_key(connection: AsyncConnection, workspace: str) -> bytes | None:
    """Return the key of a workspace's marks; None where there is none. Raises KeysError where it can't be read."""
    return _opened(connection, workspace, await _stored(connection, workspace))


async def draw_anew(engine: AsyncEngine, connection: AsyncConnection, workspace: str, stored: str) -> bytes:
    """Draw another key in the place of what is stored, and mark anew by it who asked what; return it.

    Marks of forgotten people are deleted, as nobody can be compared with them any more. Without new ones of askers
    nobody could be forgotten with what they asked. A question that another process may be able to read stays as it is.
    What was under way when somebody was forgotten lately leaves nothing about anybody.
    """
    mine = (s.workspace == workspace) & (s.name == NAME) & (s.value == stored)
    gone = await connection.execute(delete(secrets_table).where(mine))
    if not cast("CursorResult[object]", gone).rowcount:
        # Another transaction has done it all.
        return await _draw(engine, connection, workspace)
    await connection.execute(delete(forgotten).where(forgotten.c.workspace == workspace))
    await _forget_who_it_was(connection, workspace)
    key = await _draw(engine, connection, workspace)
    query = select(a.id, a.asker_mark, a.asker).where(a.workspace == workspace, a.asker_mark.is_not(None))
    marks: dict[str, str] = {}
    left = set[str]()
    for row in (await connection.execute(query.order_by(a.id).with_for_update())).all():
        try:
            user = json.loads(unsealed(connection.dialect, a.asker, row.asker, workspace, row.id))["user"]
        except UnknownKey:
            left.add(row.asker_mark)
        except (KeysError, ValueError):
            # It is damaged, and nobody could find it who asked it.
            await delete_ask(connection, workspace, row.id)
        else:
            marks[row.asker_mark] = asker_mark(key, workspace, user)
    for before, mark in marks.items():
        for column in (a.asker_mark, k.asker_mark, d.recipient):
            theirs = (column.table.c.workspace == workspace) & (column == before)
            await connection.execute(update(column.table).where(theirs).values({column: mark}))
    await _drop_keepings(engine, connection, workspace, left.union(marks.values()))
    return key


async def _forget_who_it_was(connection: AsyncConnection, workspace: str) -> None:
    """Keep of the moments at which people were forgotten the last one, for everybody."""
    here = forgettings.c.workspace == workspace
    last = await connection.scalar(select(func.max(forgettings.c.at)).where(here))
    if last is not None:
        await connection.execute(delete(forgettings).where(here))
        await connection.execute(insert(forgettings).values(workspace=workspace, mark=ANYBODY, at=last))


async def delete_ask(connection: AsyncConnection, workspace: str, ask_id: str) -> None:
    """Delete a question that nobody can read, with everything about it."""
    for table, key_of in ((asks, a.id), (ask_people, p.ask_id), (ask_deliveries, d.ask_id)):
        await connection.execute(delete(table).where(table.c.workspace == workspace, key_of == ask_id))


async def _drop_keepings(
    engine: AsyncEngine, connection: AsyncConnection, workspace: str, marks: Collection[str]
) -> None:
    """Delete what has none of these marks of askers, but had one: who asked could not have it deleted any more."""
    query = select(k.id, k.entry_id, k.asker_mark).where(k.workspace == workspace, k.asker_mark.is_not(None))
    rows = [row for row in (await connection.execute(query)).all() if row.asker_mark not in marks]
    if rows:
        await renew_version(engine, connection, workspace)
    for row in rows:
        proposed = (e.workspace == workspace) & (e.id == row.entry_id) & (e.state == "proposed")
        await connection.execute(delete(team_entries).where(proposed))
        await connection.execute(delete(keepings).where(k.workspace == workspace, k.id == row.id))


async def _draw(engine: AsyncEngine, connection: AsyncConnection, workspace: str) -> bytes:
    drawn = keys_of(connection.dialect).seal(secrets.token_hex(32), _place(workspace))
    # Of two people who are forgotten at once, the first draws the key for both.
    await connection.execute(
        insert_into(engine, secrets_table).values(workspace=workspace, name=NAME, value=drawn).on_conflict_do_nothing()
    )
    key = await own_key(connection, workspace)
    assert key is not None
    return key


async def _stored(connection: AsyncConnection, workspace: str) -> str:
    return await connection.scalar(select(s.value).where(s.workspace == workspace, s.name == NAME)) or ""


def _opened(connection: AsyncConnection, workspace: str, stored: str) -> bytes | None:
    if not stored:
        return None
    return bytes.fromhex(keys_of(connection.dialect).unseal(stored, _place(workspace), unbound=True))


def _place(workspace: str) -> str:
    return place_of(s.value, workspace, NAME)
