"""Everything that is kept about one person, whichever table it stands in."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from datetime import date
from typing import Any

from sqlalchemy import Column, ColumnElement, Dialect, Table, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from knowledge.asking import Ask
from knowledge.keeping import wrote_alone
from knowledge.people import LEVELS
from storage.ask_rows import read
from storage.keys import KeysError
from storage.marks import asker_mark, known_key, mark_of
from storage.namings import asker_of_week
from storage.tables import (
    SealedText,
    ask_deliveries,
    ask_people,
    asks,
    audit,
    forgettings,
    forgotten,
    inbox,
    installations,
    keepings,
    keys_of,
    metadata,
    namings,
    place_of,
    team_entries,
    unsealed,
)
from storage.underway import passing_mark

LEFT_OUT: Mapping[str, str] = {
    "ask_paces": "no person in it: when the next message may be written",
    "asked": "without a person on purpose: neither who asked nor who voted is kept",
    "removals": "no person in it: that the app was removed",
    "secrets": "no person in it: keys",
    "settings": "no person in it: what administrators decided, who decided it stands in the audit log",
    "team_versions": "no person in it: a number by which changes are noticed",
    "used_states": "no person in it: that a link for installing was used",
    "vacated": "no person in it: that somebody dropped out of a role, not who",
}
"""Tables that hold nothing of a person, each with what it holds; every other table is told, row by row.

Of conversations those are told in which the person asked last. Whom an answer named stands there as a hash that is
another one in each conversation, for a day at most, so that nobody can be looked for by it.
"""
AT_ONCE = 500
"""Questions that are read in one statement."""
UNREADABLE = "(can't be read any more: its key is gone)"
NOT_ONE_HAND = "(several people wrote in it: what is yours can't be told apart)"
_OURS = (
    "workspace",
    "user_id",
    "about",
    "claimed_by",
    "lease_until",
    "asker_says",
    "asker_mark",
    "recipient",
    "mark",
    "event",
)
"""Columns that say nothing of the person, only who it is, or who somebody else is."""
Row = dict[str, Any]
Found = Mapping[str, Sequence[Mapping[str, Any]]]


async def everything_about(engine: AsyncEngine, workspace: str, user: str) -> Found:
    """Return every row that is about the person, by table: one with a column for people is in it by itself."""
    async with engine.connect() as connection:
        key = await known_key(connection, workspace)
        # Where a person stands as a hash, it can be worked out only forwards.
        hashed = mark_of(key, workspace, user) if key else ""
        asks_as = asker_mark(key, workspace, user) if key else ""
        found: dict[str, list[Row]] = {}
        for name, table in metadata.tables.items():
            if "user_id" in table.c:
                theirs = (table.c.workspace == workspace) & (table.c.user_id == user)
                found[name] = await _rows(connection, table, theirs)
        found["audit"] = await _recorded(connection, workspace, (user, hashed))
        found["team_entries"] = await _entries(connection, workspace, user)
        found["ask_people"] = await _asked(connection, workspace, user)
        found["asks"] = await _questions(connection, workspace, asks_as)
        found["keepings"] += await _consents(connection, workspace, asks_as)
        to_asker = (ask_deliveries.c.workspace == workspace) & (ask_deliveries.c.recipient == asks_as)
        found["ask_deliveries"] += await _rows(connection, ask_deliveries, to_asker, without=("text",)) if key else []
        for row in found["namings"]:
            row["part"] = "named"
        as_asker = asker_of_week(key, workspace, user) if key else ""
        asked = (namings.c.workspace == workspace) & (namings.c.mark == as_asker)
        found["namings"] += await _rows(connection, namings, asked, more=lambda row: {"part": "asked"}) if key else []
        left = (forgotten.c.workspace == workspace) & (forgotten.c.mark == hashed)
        is_left = bool(key) and await connection.scalar(select(forgotten.c.workspace).where(left)) is not None
        passing = passing_mark(key, workspace, user) if key else ""
        since = (forgettings.c.workspace == workspace) & (forgettings.c.mark == passing)
        found["forgettings"] = await _rows(connection, forgettings, since) if key else []
        found["forgotten"] = [{"is": "a keyed hash: no import brings this person back"}] if is_left else []
    return found


def named_alone(found: Found) -> Found:
    """Leave out what would tell somebody else, an administrator too, who stands behind a question or an answer.

    That is what the person asked without their name, or answered and agreed to without being named. Of conversations
    and events, which may hold either, and of namings there is only how many; an answer that waits for a consent is
    nobody else's yet.
    """
    unnamed = {row["ask_id"] for row in found["ask_people"] if not row["shown"]}
    asked = [row for row in found["asks"] if row.get("anonymous") is False]
    unnamed |= {row["ask_id"] for row in found["asks"]} - {row["ask_id"] for row in asked}
    entries = [row for row in found["team_entries"] if row["written_by_you"]]
    ids = {row["id"] for row in entries}
    return {
        **found,
        "asks": asked,
        "ask_people": [row for row in found["ask_people"] if row["shown"]],
        "ask_deliveries": [row for row in found["ask_deliveries"] if row["ask_id"] not in unnamed],
        # Who asked stands there as one who asked with their name; who answered only if they want to be shown.
        "keepings": [
            {name: value for name, value in row.items() if name != "answer" or row["outcome"] != "open"}
            for row in found["keepings"]
            if row.get("shown_author", "asked")
        ],
        "team_entries": entries,
        "verifications": [row for row in found["verifications"] if row["entry_id"] in ids],
        **{name: [{"rows": len(found[name])}] if found[name] else [] for name in ("threads", "inbox", "namings")},
    }


async def _rows(
    connection: AsyncConnection,
    table: Table,
    which: ColumnElement[bool],
    *,
    without: Sequence[str] = (),
    more: Callable[[Mapping[str, Any]], Row] = lambda row: {},
) -> list[Row]:
    """Read rows as they are told; ``more`` adds to one what it makes of the columns that are not told."""
    # As it stands, opened one by one: one text that no key opens must not hide all others. No tokens.
    columns = [column for column in table.c if table is not installations or not isinstance(column.type, SealedText)]
    query = select(*columns).where(which).order_by(*table.primary_key.columns)
    rows: list[Row] = [dict(row) for row in (await connection.execute(query)).mappings()]
    hidden = {*_OURS, *without}
    return [
        _told(table, {name: row[name] for name in row if name not in hidden}, row["workspace"], connection.dialect)
        | more(row)
        for row in rows
    ]


async def _recorded(connection: AsyncConnection, workspace: str, theirs: Sequence[str]) -> list[Row]:
    """Tell the entries of the audit log in which they acted, and those that are about them, also as a hash."""
    names = [one for one in theirs if one]
    a = audit.c

    def part(row: Mapping[str, Any]) -> Row:
        parts = {"by you": row["user_id"] in names, "about you": row["about"] in names}
        return {"part": [name for name, is_so in parts.items() if is_so]}

    which = (a.workspace == workspace) & or_(a.user_id.in_(names), a.about.in_(names))
    return await _rows(connection, audit, which, more=part)


async def _entries(connection: AsyncConnection, workspace: str, user: str) -> list[Row]:
    """Tell the entries that they wrote, and those that were made of their answers, with their name or without it."""
    k, e = keepings.c, team_entries.c
    made = select(k.entry_id).where(k.workspace == workspace, k.user_id == user)
    which = (e.workspace == workspace) & or_(e.user_id == user, e.id.in_(made))
    return await _rows(connection, team_entries, which, more=lambda row: {"written_by_you": row["user_id"] == user})


async def _asked(connection: AsyncConnection, workspace: str, user: str) -> list[Row]:
    """Tell what they were asked, and what they wrote into it: their answer, and their note to a colleague."""
    p = ask_people.c
    rows = await _rows(connection, ask_people, (p.workspace == workspace) & (p.user_id == user))
    there = await _those(connection, workspace, [row["ask_id"] for row in rows])
    return [row | (_wrote(there[row["ask_id"]], user) if row["ask_id"] in there else _UNREAD) for row in rows]


_UNREAD = {"your_answer": UNREADABLE, "your_note": UNREADABLE}


def _wrote(ask: Ask, user: str) -> Row:
    askee = ask.askee(user)
    outcome = askee.outcome if askee else ""
    passed_on = [one.user for one in ask.people if one.outcome == "handed_over"]
    answer = ask.answer if askee is not None and askee.wrote else ""
    alone = wrote_alone(ask, user)
    note = ask.note if outcome in ("answered", "handed_over") and passed_on[-1:] in ([], [user]) else ""
    return {
        "your_answer": answer if not answer or alone else NOT_ONE_HAND,
        "your_note": note if not note or outcome == "handed_over" else NOT_ONE_HAND,
    }


async def _questions(connection: AsyncConnection, workspace: str, mark: str) -> list[Row]:
    """Tell what they asked, as far as it is still known that it was they: who asks is encrypted, and has a mark."""
    a = asks.c
    query = select(a.id).where(a.workspace == workspace, a.asker_mark == mark).order_by(a.id)
    ids = (await connection.scalars(query)).all() if mark else []
    there = await _those(connection, workspace, ids)
    return [
        _question(there[ask_id]) if ask_id in there else {"ask_id": ask_id, "question": UNREADABLE} for ask_id in ids
    ]


async def _those(connection: AsyncConnection, workspace: str, ids: Sequence[str]) -> dict[str, Ask]:
    """Read questions some hundred at a time: a database bounds the variables of a statement."""
    found: dict[str, Ask] = {}
    for start in range(0, len(ids), AT_ONCE):
        some = [(workspace, ask_id) for ask_id in ids[start : start + AT_ONCE]]
        found |= {ask.id: ask for ask in await read(connection, some)}
    return found


def _question(ask: Ask) -> Row:
    return {
        "ask_id": ask.id,
        "question": ask.question,
        "further": ask.further,
        "answer": ask.answer,
        "about": ask.about,
        "anonymous": ask.anonymous,
        "state": ask.state,
        "created_at": ask.created.isoformat(),
    }


async def _consents(connection: AsyncConnection, workspace: str, mark: str) -> list[Row]:
    """Tell what they said to a question of theirs being kept; nothing of whoever answered."""
    k = keepings.c
    if not mark:
        return []
    query = select(k.id, k.entry_id, k.outcome, k.asker_says, k.gone_at)
    found = await connection.execute(query.where(k.workspace == workspace, k.asker_mark == mark).order_by(k.id))
    return [{name: _plain(value) for name, value in row.items()} for row in found.mappings()]


def _told(table: Table, row: Mapping[str, Any], workspace: str, dialect: Dialect) -> Row:
    told: Row = {}
    for key, value in row.items():
        match key:
            case "body":
                # Of an event as Slack sent it only the person's own words: the rest is Slack's, and stands beside it.
                told["message"] = _words(value, place_of(inbox.c.body, workspace, row["event_id"]), dialect)
            case "level":
                told[key] = LEVELS[value] if value < len(LEVELS) else None
            case _ if isinstance(table.c[key].type, SealedText):
                told[key] = _opened(table.c[key], value, [workspace, *_key(table, row)], dialect)
            case _:
                told[key] = _plain(value)
    return told


def _plain(value: Any) -> Any:
    return value.isoformat() if isinstance(value, date) else value


def _key(table: Table, row: Mapping[str, Any]) -> list[str]:
    return [row[part.name] for part in table.primary_key.columns if part.name != "workspace"]


def _opened(column: Column[str], stored: str | None, key: Sequence[str], dialect: Dialect) -> str:
    try:
        return unsealed(dialect, column, stored, *key)
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
