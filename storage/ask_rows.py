"""Rows of questions that are put to people: read, moved on, and deleted, within a transaction of whoever calls."""

from __future__ import annotations

import json
import logging
from collections.abc import Collection, Sequence
from dataclasses import asdict, replace
from datetime import datetime
from typing import Any, cast

from sqlalchemy import Column, ColumnElement, Dialect, case, delete, exists, insert, literal, or_, select, update
from sqlalchemy.engine import CursorResult
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from knowledge.answers import Subject
from knowledge.asking import Applied, Ask, Askee, Asker, Change, Delivery, Effect
from storage.database import insert_into
from storage.keys import KeysError, UnknownKey
from storage.marks import asker_mark, known_key, mark_of, workspace_key
from storage.moments import NEVER, monday_of
from storage.tables import UtcTime, ask_deliveries, ask_people, asks, curators, forgotten, sealed, unsealed
from storage.tables import terms as terms_table

ENCRYPTED = ("asker", "question", "further", "note", "answer")
REDRAWN = ("draw person", "draw asker")
"""Deliveries that may be wanted again under the same key."""
WORDED = ("deliver answer", "deliver question")
"""Deliveries beside the cards in which words of a person stand: blanked where these are to be read no more."""
a, p, d, t = asks.c, ask_people.c, ask_deliveries.c, terms_table.c
logger = logging.getLogger(__name__)


def subject_in(parts: Sequence[Sequence[str]]) -> Subject:
    """Read a subject as a row holds it."""
    roles, topics, tools = (tuple(part) for part in parts)
    return Subject(roles, topics, tools)


def opened(engine: AsyncEngine, column: Column[str], stored: str, *key: str) -> str:
    """Decrypt a text of a row; empty where it is damaged. Raises UnknownKey where its key is not ours."""
    try:
        return unsealed(engine.dialect, column, stored, *key)
    except UnknownKey:
        raise
    except KeysError:
        return ""


def texts_of(dialect: Dialect, workspace: str, ask_id: str, **texts: str) -> dict[str, str]:
    """Return texts of a question, and who asks, as its row holds them."""
    return {name: sealed(dialect, a[name], text, workspace, ask_id) for name, text in texts.items()}


async def read(connection: AsyncConnection, ids: Collection[tuple[str, str]], *, words: bool = True) -> list[Ask]:
    """Read questions with the people who were asked; what no key opens is left out, and the log says so.

    Without ``words``, which takes no key, every text is empty and the asker is not told; their mark is there.
    """
    if not ids:
        return []
    rows = (await connection.execute(select(asks).where(among(a.workspace, a.id, ids)))).all()
    asked = await connection.execute(
        select(ask_people).where(among(p.workspace, p.ask_id, ids)).order_by(p.place, p.user_id)
    )
    people: dict[tuple[str, str], list[Askee]] = {}
    for one in asked.all():
        people.setdefault((one.workspace, one.ask_id), []).append(
            Askee(
                one.user_id,
                one.via,
                one.shown,
                one.outcome,
                one.channel,
                one.ts,
                one.asked_at,
                one.says_name,
                one.wrote,
            )
        )
    found: dict[tuple[str, str], Ask] = {}
    for row in rows:
        which = (row.workspace, row.id)
        try:
            opened = {
                name: unsealed(connection.dialect, a[name], getattr(row, name) if words else "", *which)
                for name in ENCRYPTED
            }
        except KeysError:
            logger.error("a question can't be read: is an old key missing in ENCRYPTION_KEYS?")
            continue
        asker = Asker(**json.loads(opened.pop("asker"))) if opened["asker"] else opened.pop("asker") or None
        found[which] = Ask(
            workspace=row.workspace,
            id=row.id,
            state=row.state,
            subject=subject_in(row.subject),
            about=row.about,
            anonymous=row.anonymous,
            urgent=row.urgent,
            to_curators=row.to_curators,
            created=row.created_at,
            ends=row.ends_at,
            due=row.due_at,
            version=row.version,
            asker=cast("Asker | None", asker),
            mark=row.asker_mark,
            people=tuple(people.get(which, ())),
            **opened,
        )
    return [found[which] for which in ids if which in found]


def among(workspace: Any, ask_id: Any, ids: Collection[tuple[str, str]]) -> ColumnElement[bool]:
    """Return what holds for the rows of some questions; a list of pairs SQLite would not look up by an index."""
    by_workspace: dict[str, list[str]] = {}
    for one, ask in ids:
        by_workspace.setdefault(one, []).append(ask)
    return or_(*((workspace == one) & ask_id.in_(some) for one, some in by_workspace.items()))


async def admitted(connection: AsyncConnection, workspace: str, one: Askee, now: datetime) -> Askee | None:
    """Return whoever is to be asked as they may be shown now; None where they may not be asked, or not this week.

    Whoever writes holds their lock, and so reads what was decided while it waited for that.
    """
    query = select(t.weekly_cap, t.asked_week, t.asked, t.visibility).where(
        t.workspace == workspace, t.user_id == one.user
    )
    row = (await connection.execute(query)).first()
    if row is None:
        # Whoever is found by what they declare is found no more; a colleague or curator need not declare anything.
        gone = one.via in ("named", "best") or await _is_forgotten(connection, workspace, one)
        return None if gone else replace(one, shown=False)
    if row.weekly_cap is not None and (row.asked if row.asked_week == monday_of(now) else 0) >= row.weekly_cap:
        return None
    return replace(one, shown=one.shown and row.visibility == "open")


async def _is_forgotten(connection: AsyncConnection, workspace: str, one: Askee) -> bool:
    """Tell whether somebody without a declaration was forgotten; not who was made a curator since."""
    key = await known_key(connection, workspace)
    marked = forgotten.c.workspace == workspace
    if key is not None:
        # Where it can't be read, nobody knows whose the marks are: then everybody counts as marked.
        marked &= forgotten.c.mark == mark_of(key, workspace, one.user)
    if await connection.scalar(select(forgotten.c.workspace).where(marked).limit(1)) is None:
        return False
    named = (curators.c.workspace == workspace) & (curators.c.user_id == one.user)
    return one.via != "curator" or await connection.scalar(select(curators.c.user_id).where(named)) is None


async def add_person(connection: AsyncConnection, ask: Ask, one: Askee, place: int, now: datetime) -> None:
    """Write down who is asked, and count it: the number stays when the question is erased."""
    week = monday_of(now)
    counted = case((t.asked_week == week, t.asked + 1), else_=1)
    theirs = (t.workspace == ask.workspace) & (t.user_id == one.user)
    await connection.execute(update(terms_table).where(theirs).values(asked_week=week, asked=counted))
    await connection.execute(
        insert(ask_people).values(
            workspace=ask.workspace,
            ask_id=ask.id,
            user_id=one.user,
            place=place,
            outcome=one.outcome,
            via=one.via,
            shown=one.shown,
            says_name=False,
            wrote=False,
            asked_at=now,
            channel="",
            ts="",
        )
    )


async def apply(engine: AsyncEngine, connection: AsyncConnection, ask: Ask, made: Change, now: datetime) -> Applied:
    """Make a transition in a transaction that holds the lock of whoever is asked newly."""
    new = made.new and await admitted(connection, ask.workspace, made.new, now)
    if made.new and new is None:
        return "full"
    values: dict[str, Any] = {
        "state": made.state,
        "version": ask.version + 1,
        "due_at": made.due,
        "ends_at": made.ends,
        "lease_until": NEVER,
    }
    if made.answer:
        values |= texts_of(connection.dialect, ask.workspace, ask.id, answer=f"{ask.answer}\n\n{made.answer}".strip())
    if made.further:
        values |= texts_of(connection.dialect, ask.workspace, ask.id, further=made.further)
    if made.new:
        # A note is for the person whom it came with.
        values |= texts_of(connection.dialect, ask.workspace, ask.id, note=made.note)
    if made.to_curators is not None:
        values["to_curators"] = made.to_curators
    mark = ask.mark
    if made.asker:
        key = await workspace_key(engine, connection, ask.workspace)
        values |= texts_of(connection.dialect, ask.workspace, ask.id, asker=json.dumps(asdict(made.asker)))
        values["asker_mark"] = mark = asker_mark(key, ask.workspace, made.asker.user)
    mine = (a.workspace == ask.workspace) & (a.id == ask.id)
    if made.once:
        # Before the state is looked at: what was done is done, whatever happened since.
        done = exists().where(d.workspace == ask.workspace, d.ask_id == ask.id, d.key == made.once)
        if await connection.scalar(select(done)):
            return "repeat"
    moved = await connection.execute(
        update(asks).where(mine, a.state == ask.state, a.version == ask.version).values(**values)
    )
    if not cast("CursorResult[object]", moved).rowcount:
        return "lost"
    theirs = (p.workspace == ask.workspace) & (p.ask_id == ask.id)
    for user, outcome in made.outcomes.items():
        # Whoever answers comes last: people stand in the order in which they were asked, or answered.
        moved_to = {"place": ask.version + 1, "wrote": True} if outcome == "answered" else {}
        await connection.execute(
            update(ask_people).where(theirs, p.user_id == user).values(outcome=outcome, **moved_to)
        )
    if made.show:
        await connection.execute(update(ask_people).where(theirs, p.user_id == made.show).values(says_name=True))
    if new:
        await add_person(connection, ask, new, ask.version + 1, now)
    await want(engine, connection, ask, made.deliveries, now, mark)
    return "done"


async def want(
    engine: AsyncEngine,
    connection: AsyncConnection,
    ask: Ask,
    deliveries: Sequence[Delivery],
    now: datetime,
    mark: str | None,
) -> None:
    """Note what is to be written; what is drawn anew is wanted once more, everything else once for ever.

    ``mark`` is the asker's.
    """
    if not deliveries:
        return
    rows = [
        {
            "workspace": ask.workspace,
            "ask_id": ask.id,
            "key": one.key,
            "kind": one.kind,
            "user_id": one.user,
            "recipient": None if one.user else mark,
            "text": sealed(connection.dialect, d.text, one.text, ask.workspace, ask.id, one.key),
            "turn": 0,
            "attempts": 0,
            "due_at": now,
            "lease_until": NEVER,
        }
        # In the order of their keys, or two who want the same could hold each other up.
        for _, one in sorted({one.key: one for one in deliveries}.items())
    ]
    insertion = insert_into(engine, ask_deliveries).values(rows)
    again = {"turn": d.turn + 1, "attempts": 0, "due_at": now, "recipient": insertion.excluded.recipient}
    await connection.execute(
        insertion.on_conflict_do_update(
            index_elements=["workspace", "ask_id", "key"], set_=again, where=d.kind.in_(REDRAWN)
        )
    )


async def blank(connection: AsyncConnection, ask: Ask, kind: Effect, *, unsent: bool) -> None:
    """Have blanked what was written of a kind; ``unsent``: what is still to be written is not written any more.

    What is being posted at this moment is blanked once it is noted where it stands: the turn tells.
    """
    these = (d.workspace == ask.workspace) & (d.ask_id == ask.id) & (d.kind == kind)
    standing = d.due_at.is_(None) & (d.ts != "")
    values: dict[str, Any] = {
        "turn": d.turn + 1,
        "due_at": case((standing, literal(NEVER, UtcTime())), else_=d.due_at),
        "attempts": 0,
    }
    if unsent:
        values["text"] = ""
    await connection.execute(update(ask_deliveries).where(these).values(**values))


async def erase(connection: AsyncConnection, ask: Ask) -> int:
    """Delete a question with everything about it, if nothing happened meanwhile; return how many rows."""
    gone = await connection.execute(
        delete(asks).where(a.workspace == ask.workspace, a.id == ask.id, a.version == ask.version)
    )
    if not cast("CursorResult[object]", gone).rowcount:
        return 0
    count = 1
    for table in (ask_people, ask_deliveries):
        result = await connection.execute(
            delete(table).where(table.c.workspace == ask.workspace, table.c.ask_id == ask.id)
        )
        count += cast("CursorResult[object]", result).rowcount
    return count
