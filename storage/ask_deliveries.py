"""Messages about questions that are to be written; implements the ``Deliveries`` port.

Each is claimed by one process with the moment at which it may go out: the calls of all processes together keep a
workspace's pace, and nobody is written to twice within a second.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, replace
from datetime import datetime, timedelta
from typing import Any, cast

from sqlalchemy import func, or_, select, tuple_, update
from sqlalchemy.engine import CursorResult
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from knowledge.asking import FINAL, Ask, Askee, Delivery, DueDelivery
from storage.ask_rows import REDRAWN, WORDED, a, d, opened, p, read, texts_of, want
from storage.database import insert_into
from storage.keys import UnknownKey
from storage.moments import NEVER
from storage.tables import ask_deliveries, ask_paces, ask_people, asks

LEASE = timedelta(minutes=3)
"""So long a delivery is one process's: the calls before it and its own, each with its waits, end within that."""
AHEAD = timedelta(seconds=2)
"""So far ahead calls are given out."""
APART: dict[str, timedelta] = {"chat.postMessage": timedelta(seconds=60 / 270), "chat.update": timedelta(seconds=1.5)}
AT_ONCE: dict[str, int] = {"chat.postMessage": 30, "chat.update": 10}
"""At most 300 posts and 50 changes in any minute of a workspace, some of them at once, as after a click
(https://docs.slack.dev/apis/web-api/rate-limits)."""
NOT_OURS = timedelta(seconds=20)
"""How long a text waits that no key here opens, for a process that has its key."""
SAME_CHANNEL = timedelta(seconds=1)
MOST_WORKSPACES = 500
MOST_READ = 100
PATIENT = ("asked", "handed_over", "reminded", "asked_back")
"""States in which somebody is waited for from the moment when they were written to."""


class SqlDeliveries:
    """Keep what is to be written until it is."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def waiting(self, now: datetime) -> Sequence[str]:
        """Return the workspaces in which something is to be written by now."""
        query = (
            select(d.workspace)
            .where(d.due_at <= now, d.lease_until <= now)
            .group_by(d.workspace)
            .limit(MOST_WORKSPACES)
        )
        async with self._engine.connect() as connection:
            return (await connection.scalars(query.order_by(func.min(d.due_at)))).all()

    async def claim(self, workspace: str, now: datetime, ask_id: str | None = None) -> Sequence[DueDelivery]:
        """Claim what may be written within the next seconds; of one question alone where it is named."""
        async with self._engine.begin() as connection:
            free = await self._free(connection, workspace, now)
            if not any(free.values()):
                return ()
            due = [d.workspace == workspace, d.due_at <= now, d.lease_until <= now]
            if ask_id is not None:
                due.append(d.ask_id == ask_id)
            query = select(
                d.ask_id, d.key, d.kind, d.user_id, d.recipient, d.text, d.ts, d.turn, d.attempts, d.due_at
            ).where(*due)
            # What somebody else is writing is left out: to wait for it, holding others, could end in a deadlock.
            query = query.order_by(d.due_at, d.key).limit(MOST_READ).with_for_update(skip_locked=True)
            rows = (await connection.execute(query)).all()
            texts, foreign = dict[tuple[str, str], str](), list[tuple[str, str]]()
            for row in rows:
                try:
                    texts[row.ask_id, row.key] = opened(self._engine, d.text, row.text, workspace, row.ask_id, row.key)
                except UnknownKey:
                    foreign.append((row.ask_id, row.key))
            # Left alone, so that a process that has their key writes them; others are not to wait behind them.
            rows = [row for row in rows if (row.ask_id, row.key) in texts]
            for ask_id_of, key in foreign:
                this = (d.workspace == workspace) & (d.ask_id == ask_id_of) & (d.key == key)
                await connection.execute(update(ask_deliveries).where(this).values(due_at=now + NOT_OURS))
            busy = await self._busy(connection, workspace, [(row.user_id, row.recipient) for row in rows], now)
            claimed: list[DueDelivery] = []
            used: dict[str, datetime] = {}
            for row in rows:
                # What was posted already is there to be blanked.
                method = "chat.update" if row.kind in REDRAWN or row.ts else "chat.postMessage"
                recipient = row.user_id or row.recipient
                if not free[method] or (method == "chat.postMessage" and recipient in busy):
                    continue
                if method == "chat.postMessage" and recipient:
                    busy.add(recipient)
                at = used[method] = free[method].pop(0)
                text = texts[row.ask_id, row.key]
                what = Delivery(row.key, row.kind, row.user_id, text, row.ts)
                claimed.append(
                    DueDelivery(workspace, row.ask_id, what, row.turn, row.attempts + 1, max(at, now), now + LEASE)
                )
            for one in claimed:
                await connection.execute(
                    update(ask_deliveries).where(_this(one)).values(lease_until=one.until, attempts=one.attempts)
                )
            pace = ask_paces.c
            for method, at in used.items():
                await connection.execute(
                    update(ask_paces)
                    .where(pace.workspace == workspace, pace.method == method)
                    .values(next_at=at + APART[method])
                )
        return claimed

    async def _free(self, connection: AsyncConnection, workspace: str, now: datetime) -> dict[str, list[datetime]]:
        """Return the moments that are free for calls of each method; whoever else claims here waits meanwhile."""
        if connection.dialect.name == "sqlite":
            await connection.exec_driver_sql("BEGIN IMMEDIATE")
        first = [{"workspace": workspace, "method": method, "next_at": NEVER} for method in sorted(APART)]
        await connection.execute(insert_into(self._engine, ask_paces).values(first).on_conflict_do_nothing())
        pace = ask_paces.c
        query = (
            select(ask_paces)
            .where(pace.workspace == workspace, pace.method.in_(APART))
            .order_by(pace.method)
            .with_for_update()
        )
        free: dict[str, list[datetime]] = {}
        for row in (await connection.execute(query)).all():
            # What was not used up to now may go out at once, up to a bound.
            at, free[row.method] = max(row.next_at, now - (AT_ONCE[row.method] - 1) * APART[row.method]), []
            while at < now + AHEAD:
                free[row.method].append(at)
                at += APART[row.method]
        return free

    async def _busy(
        self, connection: AsyncConnection, workspace: str, some: Sequence[tuple[str | None, str | None]], now: datetime
    ) -> set[str]:
        """Return those of the recipients who are being written to, or were within the last second."""
        users, marks = {user for user, _ in some if user}, {mark for user, mark in some if mark and not user}
        posting = (d.due_at.is_not(None)) & (d.lease_until > now)
        busy = set[str]()
        for column, values in ((d.user_id, users), (d.recipient, marks)):
            if values:
                query = select(column).where(
                    d.workspace == workspace,
                    column.in_(values),
                    d.kind.not_in(REDRAWN),
                    or_(posting & (d.ts == ""), d.sent_at > now - SAME_CHANNEL),
                )
                busy.update((await connection.scalars(query)).all())
        return busy

    async def sent(
        self,
        due: DueDelivery,
        now: datetime,
        *,
        place: tuple[str, str] | None = None,
        patience: datetime | None = None,
        version: int | None = None,
    ) -> None:
        """Note that it is written, and where.

        ``patience``: until when the person is waited for. ``version``: the question's as it was drawn; where it is
        another one by now, the message is wanted anew.
        """
        async with self._engine.begin() as connection:
            ask = await self._locked(connection, due)
            if ask is None:
                return
            ts = place[1] if place and due.what.kind in WORDED and not due.what.ts else ""
            done = {"due_at": None, "lease_until": NEVER, "text": "", "ts": ts, "sent_at": now}
            marked = await connection.execute(
                update(ask_deliveries).where(_this(due), d.turn == due.turn).values(**done)
            )
            if not cast("CursorResult[object]", marked).rowcount:
                # Wanted anew, or to be blanked, meanwhile: that is still to be done.
                left = {"lease_until": NEVER} | ({"ts": ts} if ts else {})
                await connection.execute(update(ask_deliveries).where(_this(due)).values(**left))
            values: dict[str, Any] = {}
            if place is not None and due.what.kind == "ask":
                theirs = (p.workspace == due.workspace) & (p.ask_id == due.ask_id) & (p.user_id == due.what.user)
                await connection.execute(update(ask_people).where(theirs).values(channel=place[0], ts=place[1]))
                if version not in (None, ask.version):
                    # Withdrawn or passed on while it was posted: what was wanted drawn then had no place yet.
                    user = due.what.user or ""
                    drawn = Delivery(f"person:{user}", "draw person", user)
                    await want(self._engine, connection, ask, [drawn], now, None)
            elif place is not None and due.what.kind == "draw asker" and ask.asker is not None:
                there = json.dumps(asdict(replace(ask.asker, channel=place[0], ts=place[1])))
                values |= texts_of(connection.dialect, ask.workspace, ask.id, asker=there)
            holder: Askee | None = ask.holder
            if patience and ask.state in PATIENT and holder and holder.user == due.what.user:
                values["due_at"] = min(patience, ask.ends)
            if await self._is_done_with_asker(connection, ask):
                values |= {"asker": None, "asker_mark": None}
                theirs = (d.workspace == due.workspace) & (d.ask_id == due.ask_id) & d.user_id.is_(None)
                await connection.execute(update(ask_deliveries).where(theirs).values(recipient=None, ts=""))
            if values:
                await connection.execute(
                    update(asks).where(a.workspace == ask.workspace, a.id == ask.id).values(**values)
                )

    async def rest(self, workspace: str, until: datetime) -> None:
        """Put off until then whatever is to be written in a workspace before, but what somebody else is writing now."""
        key = (d.workspace, d.ask_id, d.key)
        early = select(*key).where(d.workspace == workspace, d.due_at < until)
        found = early.with_for_update(skip_locked=True).cte("found")
        async with self._engine.begin() as connection:
            await connection.execute(
                update(ask_deliveries).where(tuple_(*key).in_(select(*found.c))).values(due_at=until)
            )

    async def put_off(self, due: DueDelivery, until: datetime, *, counted: bool) -> None:
        """Give a delivery back until then, if it is not another process's by now; ``counted``: as an attempt."""
        values: dict[str, Any] = {"lease_until": NEVER, "due_at": until}
        if not counted:
            values["attempts"] = due.attempts - 1
        async with self._engine.begin() as connection:
            mine = (_this(due)) & d.due_at.is_not(None) & (d.lease_until == due.until)
            await connection.execute(update(ask_deliveries).where(mine).values(**values))

    async def _locked(self, connection: AsyncConnection, due: DueDelivery) -> Ask | None:
        """Read the question, so that no transition comes in between; always before its deliveries are written."""
        if connection.dialect.name == "sqlite":
            await connection.exec_driver_sql("BEGIN IMMEDIATE")
        await connection.execute(select(a.id).where(a.workspace == due.workspace, a.id == due.ask_id).with_for_update())
        found = await read(connection, [(due.workspace, due.ask_id)])
        return found[0] if found else None

    async def _is_done_with_asker(self, connection: AsyncConnection, ask: Ask) -> bool:
        """Tell whether an anonymous asker is not needed any more: answered or over, and told so."""
        if not ask.anonymous or ask.asker is None or ask.state not in ("answered", *FINAL):
            return False
        left = select(func.count()).where(
            d.workspace == ask.workspace, d.ask_id == ask.id, d.user_id.is_(None), d.due_at.is_not(None)
        )
        return not await connection.scalar(left)


def _this(due: DueDelivery) -> Any:
    return (d.workspace == due.workspace) & (d.ask_id == due.ask_id) & (d.key == due.what.key)
