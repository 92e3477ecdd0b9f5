"""`python -m bot keys rotate --lost`: drop what no key opens any more, so that a workspace works without it.

Nothing else deletes a text for want of a key: another process may have it. Only whoever runs the bot knows that it is
gone for good.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from itertools import groupby
from typing import Any

from sqlalchemy import Table, Text, and_, delete, select, type_coerce, update
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from knowledge.workspaces import COMMAND_LINE, Recorded
from storage.database import only_writer_for
from storage.keys import KeysError
from storage.marks import delete_ask, draw_anew
from storage.rotation import Lost, encrypted_columns
from storage.tables import (
    ask_deliveries,
    asks,
    inbox,
    metadata,
    secrets,
    unsealed,
)
from storage.workspaces import add_records

DROPPED = "unreadable texts dropped"
"""What the audit log says was done."""


async def drop(engine: AsyncEngine, lost: Collection[Lost], now: datetime) -> Counter[str]:
    """Drop what no key opens among these rows, with an entry in the audit log of each workspace.

    Returns how many rows of each table that were; what is to be read by now is left alone.
    """
    dropped = Counter[str]()
    for workspace, some in groupby(sorted(lost, key=_order), key=lambda one: one.key[0]):
        async with engine.begin() as connection:
            await only_writer_for(connection, workspace)
            counted = await _drop_in(engine, connection, workspace, some)
            if counted:
                entry = Recorded(COMMAND_LINE, DROPPED, now, after=dict(counted))
                await add_records(engine, connection, workspace, [entry])
        dropped += counted
    return dropped


def _order(one: Lost) -> tuple[Any, ...]:
    """Workspace by workspace; secrets last, as the questions that are left get their marks anew with them."""
    return one.key[0], one.table == secrets.name, one


async def _drop_in(
    engine: AsyncEngine, connection: AsyncConnection, workspace: str, lost: Iterable[Lost]
) -> Counter[str]:
    counted = Counter[str]()
    for one in lost:
        if await _opens(connection, one):
            continue
        counted[one.table] += 1
        table = metadata.tables[one.table]
        this = _row(table, one.key)
        if table is inbox:
            # Its id stays, to know a repeat by.
            await connection.execute(update(inbox).where(this).values(state="done", body=""))
        elif table is asks:
            await delete_ask(connection, workspace, one.key[1])
        elif table is ask_deliveries:
            # The row stays, so that the same message is not wanted again.
            await connection.execute(update(ask_deliveries).where(this).values(text="", due_at=None))
        elif table is secrets:
            stored = await connection.scalar(select(secrets.c.value).where(this))
            await draw_anew(engine, connection, workspace, stored or "")
        else:
            await connection.execute(delete(table).where(this))
    return counted


async def _opens(connection: AsyncConnection, one: Lost) -> bool:
    """Tell whether the row is gone, or can be read by now."""
    table = metadata.tables[one.table]
    columns = [column for column in encrypted_columns() if column.table is table]
    raw = select(*(type_coerce(column, Text) for column in columns)).where(_row(table, one.key)).with_for_update()
    row = (await connection.execute(raw)).first()
    try:
        for column, stored in zip(columns, row or (), strict=False):
            unsealed(connection.dialect, column, stored, *one.key)
    except KeysError:
        return False
    return True


def _row(table: Table, key: Sequence[str]) -> Any:
    return and_(*(column == part for column, part in zip(table.primary_key.columns, key, strict=True)))
