"""Everything that is kept about one person, whichever table it stands in."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from sqlalchemy import Dialect, Table, Text, select, type_coerce
from sqlalchemy.ext.asyncio import AsyncEngine

from knowledge.people import LEVELS
from storage.ask_rows import questions_of
from storage.keys import KeysError
from storage.tables import EncryptedText, SealedText, inbox, keys_of, metadata, place_of

MOST_ROWS = 1_000
"""Rows of one table: a week of answered messages may be many."""
UNREADABLE = "(can't be read any more: its key is gone)"
_OURS = ("workspace", "user_id", "about", "claimed_by", "lease_until", "asker_says", "asker_mark")
"""Columns that say nothing of the person, only who it is, or who somebody else is."""


async def everything_about(engine: AsyncEngine, workspace: str, user: str) -> Mapping[str, Sequence[Mapping[str, Any]]]:
    """Return every row that names the person, by table: a table that is added later is in it by itself."""
    found: dict[str, list[dict[str, Any]]] = {}
    async with engine.connect() as connection:
        for name, table in metadata.tables.items():
            if "user_id" not in table.c:
                continue
            # As it stands, opened one by one: one text that no key opens must not hide all others. No tokens.
            columns = [
                type_coerce(column, Text).label(column.name) if isinstance(column.type, EncryptedText) else column
                for column in table.c
                if column.name not in _OURS and (column.name == "body" or not isinstance(column.type, SealedText))
            ]
            theirs = table.c.user_id == user
            if "about" in table.c:
                theirs |= table.c.about == user
            query = (
                select(*columns)
                .where(table.c.workspace == workspace, theirs)
                .order_by(*table.primary_key.columns)
                .limit(MOST_ROWS)
            )
            rows = (await connection.execute(query)).mappings().all()
            found[name] = [_told(table, workspace, dict(row), engine.dialect) for row in rows]
        # Who asks is encrypted, and found by its mark.
        found["asks"] = await questions_of(connection, workspace, user)
    return found


def _told(table: Table, workspace: str, row: Mapping[str, Any], dialect: Dialect) -> dict[str, Any]:
    told: dict[str, Any] = {}
    for key, value in row.items():
        match key:
            case "body":
                # Of an event as Slack sent it only the person's own words: the rest is Slack's, and stands beside it.
                told["message"] = _words(value, place_of(inbox.c.body, workspace, row["event_id"]), dialect)
            case "level":
                told[key] = LEVELS[value] if value < len(LEVELS) else None
            case _ if isinstance(table.c[key].type, EncryptedText):
                told[key] = _opened(value, dialect)
            case _:
                told[key] = value.isoformat() if isinstance(value, date) else value
    return told


def _opened(sealed: str | None, dialect: Dialect) -> str | None:
    try:
        # JSON as it stands was written before its column was encrypted.
        return sealed if not sealed or sealed.startswith("{") else keys_of(dialect).decrypt(sealed)
    except KeysError:
        return UNREADABLE


def _words(body: str, place: str, dialect: Dialect) -> str:
    if not body:
        return ""
    try:
        event = json.loads(keys_of(dialect).unseal(body, place, unbound=True)).get("event")
    except KeysError:
        return UNREADABLE
    except (ValueError, AttributeError):
        return ""
    said = event.get("text") if isinstance(event, dict) else None
    return said if isinstance(said, str) else ""
