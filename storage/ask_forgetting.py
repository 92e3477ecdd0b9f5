"""A person taken out of every question when they are forgotten, and out of what is read of it when they hide.

Nothing here reads a word of a question: it is done at once also where only another process has the key, and that one
then draws the messages anew.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any, cast

from sqlalchemy import ColumnElement, delete, select, union_all, update
from sqlalchemy.engine import CursorResult
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from knowledge.asking import Ask, Delivery, change
from storage.ask_rows import a, apply, blank, d, erase, opened, p, read, want
from storage.keys import UnknownKey
from storage.marks import asker_mark, workspace_key
from storage.moments import NEVER
from storage.tables import ask_deliveries, ask_people, asks


async def forget_in_asks(engine: AsyncEngine, connection: AsyncConnection, workspace: str, user: str) -> int:
    """Take a person out of every question, in the transaction that forgets them; return how many rows are gone.

    What they have goes to the next person, what they answered is erased, and what they asked is withdrawn and gone.
    """
    key = await workspace_key(engine, connection, workspace)
    mark = asker_mark(key, workspace, user)
    own = (a.workspace == workspace) & (a.asker_mark == mark)
    there = select(p.ask_id).where(p.workspace == workspace, p.user_id == user)
    # A union: with "or" PostgreSQL would read the whole table.
    theirs = union_all(select(a.id).where(own), there).subquery()
    these = (a.workspace == workspace) & a.id.in_(select(theirs.c.id))
    # Locked before they are read, always in the same order: what is decided below is still true when it is written.
    await connection.execute(select(a.id).where(these).order_by(a.id).with_for_update())
    count = 0
    # One after the other in the order of their ids, or two who are forgotten at once could hold each other up.
    for ask in await _those(connection, workspace, these):
        if ask.mark == mark:
            count += await _forget_asker(engine, connection, ask)
            continue
        ask = await _erase_words(engine, connection, ask, user)
        if ask.holder and ask.holder.user == user and (left := change(ask, "left", NEVER, timedelta())):
            _made(await apply(engine, connection, ask, left, NEVER) == "done")
    for table in (ask_people, ask_deliveries):
        result = await connection.execute(delete(table).where(table.c.workspace == workspace, table.c.user_id == user))
        count += cast("CursorResult[object]", result).rowcount
    return count


async def _those(connection: AsyncConnection, workspace: str, which: ColumnElement[bool]) -> list[Ask]:
    ids = (await connection.scalars(select(a.id).where(which).order_by(a.id))).all()
    return await read(connection, [(workspace, ask_id) for ask_id in ids], words=False)


def _made(made: bool) -> None:
    """Roll everything back where a question was not changed: nobody is told that they are forgotten and is not."""
    if not made:
        raise RuntimeError("a question changed while its lock was held")


async def unname_in_asks(engine: AsyncEngine, connection: AsyncConnection, workspace: str, *users: str) -> None:
    """Have people's names taken out of every message about a question, in the transaction in which they hide."""
    if not users:
        return
    named = (p.workspace == workspace) & p.user_id.in_(users) & (p.shown | p.says_name)
    ids = (await connection.scalars(select(p.ask_id).where(named))).all()
    if not ids:
        return
    these = (a.workspace == workspace) & a.id.in_(ids)
    await connection.execute(select(a.id).where(these).order_by(a.id).with_for_update())
    await connection.execute(update(ask_people).where(named).values(shown=False, says_name=False))
    for ask in await _those(connection, workspace, these):
        if any(_answered(ask, user) for user in users):
            await blank(connection, ask, "deliver answer", unsent=False)
        ask = await _raised(engine, connection, ask)
        await _draw_anew(engine, connection, ask)


async def _draw_anew(engine: AsyncEngine, connection: AsyncConnection, ask: Ask) -> None:
    """Have drawn anew what may name somebody, or hold their words: the asker's message, and that of who has it."""
    wanted = [Delivery("asker", "draw asker")] if ask.mark is not None else []
    if ask.holder is not None:
        wanted.append(Delivery(f"person:{ask.holder.user}", "draw person", ask.holder.user))
    await want(engine, connection, ask, wanted, NEVER, ask.mark)


def _answered(ask: Ask, user: str) -> bool:
    askee = ask.askee(user)
    return askee is not None and askee.wrote


async def _erase_words(engine: AsyncEngine, connection: AsyncConnection, ask: Ask, user: str) -> Ask:
    """Erase what a person wrote into a question, here and in the messages that brought it to others."""
    answered, askee = _answered(ask, user), ask.askee(user)
    erased = {"answer": ""} if answered else {}
    if answered or (askee is not None and askee.outcome == "handed_over"):
        erased["note"] = ""
    if answered:
        # The rows stay, so that the same message does not count twice; without a text nothing is posted.
        await blank(connection, ask, "deliver answer", unsent=True)
    raised = await _raised(engine, connection, ask, **erased)
    if erased:
        await _draw_anew(engine, connection, raised)
    return raised


async def _raised(engine: AsyncEngine, connection: AsyncConnection, ask: Ask, **values: str) -> Ask:
    """Have whoever read a question before this look again: or they would write back what is taken out of it."""
    raised = replace(ask, version=ask.version + 1)
    mine = (a.workspace == ask.workspace) & (a.id == ask.id)
    await connection.execute(update(asks).where(mine).values(version=raised.version, **values))
    if ask.holder is not None:
        # A reminder that waits is of the version before, and would be taken for one of a moment that is over.
        user, key = ask.holder.user, f"remind:{ask.version}"
        this = (d.workspace == ask.workspace) & (d.ask_id == ask.id) & (d.key == key)
        stored = await connection.scalar(select(d.text).where(this, d.user_id == user, d.due_at.is_not(None)))
        if stored is not None:
            try:
                text = opened(engine, d.text, stored, ask.workspace, ask.id, key)
            except UnknownKey:
                # It only says which wording the reminder has; there is one for every case.
                text = ""
            again = Delivery(f"remind:{raised.version}", "remind", user, text)
            await want(engine, connection, raised, [again], NEVER, None)
    return raised


async def _forget_asker(engine: AsyncEngine, connection: AsyncConnection, ask: Ask) -> int:
    stands = [one for one in ask.people if one.ts]
    if not stands and ask.holder is None:
        gone = await erase(connection, ask)
        _made(gone > 0)
        return gone
    # The row stays for as long as it takes to take the words out of the messages of others, without a word of it.
    emptied: dict[str, Any] = {"asker": None, "asker_mark": None, "about": "", "subject": [[], [], []]}
    to_asker = (d.workspace == ask.workspace) & (d.ask_id == ask.id) & d.user_id.is_(None)
    await connection.execute(delete(ask_deliveries).where(to_asker))
    over = change(ask, "withdraw", NEVER, timedelta()) or change(ask, "end", NEVER, timedelta())
    if over is not None:
        _made(await apply(engine, connection, ask, over, NEVER) == "done")
        emptied["due_at"] = ask.ends
    elif ask.state == "solved":
        # There is nothing left to be kept of it.
        emptied["state"] = "closed"
    texts = dict.fromkeys(("question", "further", "note", "answer"), "")
    await connection.execute(
        update(asks).where(a.workspace == ask.workspace, a.id == ask.id).values(**emptied, **texts)
    )
    # What the transition wanted.
    await connection.execute(delete(ask_deliveries).where(to_asker))
    drawn = [Delivery(f"person:{one.user}", "draw person", one.user) for one in stands]
    await want(engine, connection, ask, drawn, NEVER, None)
    await blank(connection, ask, "deliver question", unsent=True)
    return 1
