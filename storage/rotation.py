"""`python -m bot keys rotate`: encrypt again, with the newest key, what older ones encrypted.

Row by row, each only if it still holds what was read: it can run beside the bot, and be broken off and run again. What
the newest key encrypted is opened too, so that damage is found.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from sqlalchemy import Column, Table, Text, and_, bindparam, func, select, tuple_, type_coerce, update
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from storage.keys import Keys, KeysError
from storage.tables import SealedText, keys_of, metadata, place_of

AT_ONCE = 200
Step = Callable[[int], None]


class Lost(NamedTuple):
    """Name a row that holds a text which no key opens."""

    table: str
    key: tuple[str, ...]


@dataclass
class Rotated:
    """Count the texts that were encrypted anew, and name the rows in which no key opens one."""

    renewed: int = 0
    lost: set[Lost] = field(default_factory=set)


def encrypted_columns() -> Sequence[Column[Any]]:
    """Return every column that holds encrypted text."""
    return [column for table in metadata.tables.values() for column in table.c if isinstance(column.type, SealedText)]


async def encrypted_texts(engine: AsyncEngine) -> int:
    """Return how many texts there are to look at."""
    count = 0
    async with engine.connect() as connection:
        for column in encrypted_columns():
            query = select(func.count()).select_from(column.table).where(_holds_text(column))
            count += await connection.scalar(query) or 0
    return count


async def rotate(engine: AsyncEngine, step: Step = lambda _count: None) -> Rotated:
    """Encrypt everything with the newest key; ``step`` is told how many texts were looked at."""
    done = Rotated()
    for column in encrypted_columns():
        await _rotate(engine, column, done, step)
    return done


async def _rotate(engine: AsyncEngine, column: Column[Any], done: Rotated, step: Step) -> None:
    keys, table = keys_of(engine.dialect), column.table
    assert isinstance(table, Table)
    key, raw = list(table.primary_key.columns), type_coerce(column, Text)
    batch = select(*key, raw.label("stored")).where(_holds_text(column)).order_by(*key).limit(AT_ONCE)
    mine = and_(*(part == bindparam(f"key_{at}") for at, part in enumerate(key)), raw == bindparam("stored"))
    change = update(table).where(mine).values({column: type_coerce(bindparam("renewed"), Text)})
    last: Sequence[Any] | None = None
    while True:
        found = batch if last is None else batch.where(tuple_(*key) > tuple_(*last))
        async with engine.begin() as connection:
            rows = (await connection.execute(found)).all()
            if not rows:
                return
            last = list(rows[-1][: len(key)])
            await _change(connection, change, keys, column, rows, done)
        step(len(rows))


async def _change(
    connection: AsyncConnection, change: Any, keys: Keys, column: Column[Any], rows: Sequence[Any], done: Rotated
) -> None:
    changes: list[dict[str, Any]] = []
    for row in rows:
        *key, stored = row
        try:
            renewed = _renewed(keys, column, key, stored)
        except KeysError:
            done.lost.add(Lost(column.table.name, tuple(key)))
            continue
        if renewed != stored:
            changes.append({**{f"key_{at}": part for at, part in enumerate(key)}, "stored": stored, "renewed": renewed})
    if changes:
        await connection.execute(change, changes)
        done.renewed += len(changes)


def _renewed(keys: Keys, column: Column[Any], key: Sequence[str], stored: str) -> str:
    place = place_of(column, *key)
    if stored.startswith(keys.newest):
        keys.unseal(stored, place)
        return stored
    return keys.seal(keys.unseal(stored, place, unbound=True), place)


def _holds_text(column: Column[Any]) -> Any:
    raw = type_coerce(column, Text)
    return and_(raw.is_not(None), raw != "")
