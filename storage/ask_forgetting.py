"""A person taken out of every question, when they are forgotten."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, cast

from sqlalchemy import delete, select, update
from sqlalchemy.engine import CursorResult
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from knowledge.asking import Ask, change
from storage.ask_rows import a, apply, asker_mark, d, erase, p, read
from storage.forgotten import workspace_key
from storage.moments import NEVER
from storage.tables import ask_deliveries, ask_people, asks


async def forget_in_asks(engine: AsyncEngine, connection: AsyncConnection, workspace: str, user: str) -> int:
    """Take a person out of every question, in the transaction that forgets them; return how many rows are gone.

    What they have goes to the next person, what they answered is erased, and what they asked is withdrawn and gone.
    """
    key = await workspace_key(engine, connection, workspace)
    mark = asker_mark(key, workspace, user)
    own = await connection.scalars(select(a.id).where(a.workspace == workspace, a.asker_mark == mark))
    count = 0
    for ask in await read(connection, [(workspace, ask_id) for ask_id in own.all()]):
        count += await _forget_asker(engine, connection, ask)
    asked = await connection.scalars(select(p.ask_id).where(p.workspace == workspace, p.user_id == user))
    for ask in await read(connection, [(workspace, ask_id) for ask_id in asked.all()]):
        if ask.holder and ask.holder.user == user and (left := change(ask, "left", NEVER, timedelta())):
            await apply(engine, connection, ask, left, NEVER)
        outcome = (askee := ask.askee(user)) and askee.outcome
        erased = {"answer": ""} if outcome == "answered" else {"note": ""} if outcome == "handed_over" else None
        if erased:
            await connection.execute(update(asks).where(a.workspace == workspace, a.id == ask.id).values(**erased))
    for table in (ask_people, ask_deliveries):
        result = await connection.execute(delete(table).where(table.c.workspace == workspace, table.c.user_id == user))
        count += cast("CursorResult[object]", result).rowcount
    return count


async def _forget_asker(engine: AsyncEngine, connection: AsyncConnection, ask: Ask) -> int:
    withdrawn = change(ask, "withdraw", NEVER, timedelta())
    if withdrawn is None or ask.holder is None:
        return await erase(connection, ask)
    await apply(engine, connection, ask, withdrawn, NEVER)
    # The row stays for as long as it takes to tell whoever has the question, without a word of it.
    emptied: dict[str, Any] = {
        "asker": None,
        "asker_mark": None,
        "about": "",
        "subject": [[], [], []],
        "due_at": ask.ends,
    }
    texts = dict.fromkeys(("question", "further", "note", "answer"), "")
    await connection.execute(
        update(asks).where(a.workspace == ask.workspace, a.id == ask.id).values(**emptied, **texts)
    )
    await connection.execute(
        delete(ask_deliveries).where(d.workspace == ask.workspace, d.ask_id == ask.id, d.user_id.is_(None))
    )
    return 1
