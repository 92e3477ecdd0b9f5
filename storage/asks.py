"""Questions that are put to people; implements the ``Asks`` port.

A transition is one transaction: it is made only if the state and version are those that it was decided by, so that of
two clicks at once one counts. What is to be written stands in ``ask_deliveries`` from the same transaction on.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, replace
from datetime import datetime, timedelta
from typing import cast

from sqlalchemy import func, select, tuple_, union_all, update
from sqlalchemy.engine import CursorResult
from sqlalchemy.ext.asyncio import AsyncEngine

from knowledge.asking import OPEN, TIMERS, Applied, Ask, Change, State, Unanswered, opening
from storage import ask_rows
from storage.ask_rows import a, add_person, admitted, among, erase, opened, p, read, subject_in, texts_of, want
from storage.database import insert_into, only_writer_for
from storage.keys import KeysError, UnknownKey
from storage.marks import asker_mark, known_key, workspace_key
from storage.moments import NEVER
from storage.tables import asks, keys_of
from storage.underway import refuse_forgotten

LEASE = timedelta(minutes=1)
"""From then on another process does what was due."""
UNREADABLE = timedelta(hours=1)
MOST_LISTED = 20
MOST_COUNTED = 1_000


class SqlAsks:
    """Keep questions, who was asked, and what is to be written."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    def seal(self, workspace: str, ask_id: str) -> str:
        """Return a token for the asker's buttons: who holds it may withdraw, though nobody knows who it is."""
        return keys_of(self._engine.dialect).encrypt(json.dumps(["asker", workspace, ask_id]))

    def opened(self, workspace: str, sealed: str) -> str | None:
        """Return the id that was sealed for the workspace; None for what is no such token."""
        try:
            kind, theirs, ask_id = json.loads(keys_of(self._engine.dialect).decrypt(sealed))
        except (KeysError, ValueError):
            return None
        return ask_id if (kind, theirs) == ("asker", workspace) and isinstance(ask_id, str) else None

    async def create(self, ask: Ask, now: datetime) -> Applied:
        """Write a new question, with the person whom it names, if it names one and their cap allows it.

        Raises ForgottenSince where that is whoever asks.
        """
        assert ask.asker is not None
        async with self._engine.begin() as connection:
            await only_writer_for(connection, ask.workspace, ask.asker.user, *(one.user for one in ask.people))
            await refuse_forgotten(connection, ask.workspace, ask.asker.user)
            people = [await admitted(connection, ask.workspace, one, now) for one in ask.people]
            if None in people:
                return "full"
            mark = asker_mark(
                await workspace_key(self._engine, connection, ask.workspace), ask.workspace, ask.asker.user
            )
            made = await connection.execute(
                insert_into(self._engine, asks)
                .values(
                    workspace=ask.workspace,
                    id=ask.id,
                    state=ask.state,
                    version=0,
                    asker_mark=mark,
                    anonymous=ask.anonymous,
                    urgent=ask.urgent,
                    to_curators=ask.to_curators,
                    **texts_of(
                        self._engine.dialect,
                        ask.workspace,
                        ask.id,
                        asker=json.dumps(asdict(ask.asker)),
                        question=ask.question,
                        further="",
                        note="",
                        answer="",
                    ),
                    subject=[ask.subject.roles, ask.subject.topics, ask.subject.tools],
                    about=ask.about[:120],
                    created_at=ask.created,
                    ends_at=ask.ends,
                    due_at=ask.due,
                    lease_until=NEVER,
                )
                .on_conflict_do_nothing()
            )
            if not cast("CursorResult[object]", made).rowcount:
                return "repeat"
            for place, one in enumerate(filter(None, people)):
                await add_person(connection, ask, one, place, now)
            await want(self._engine, connection, ask, opening(ask), now, mark)
        return "done"

    async def get(self, workspace: str, ask_id: str) -> Ask | None:
        """Return a question as it is now."""
        async with self._engine.connect() as connection:
            found = await read(connection, [(workspace, ask_id)])
        return found[0] if found else None

    async def apply(self, ask: Ask, change: Change, now: datetime) -> Applied:
        """Make a transition, wholly or not at all. Raises ForgottenSince where that is whoever asks."""
        about = [one.user for one in (change.new, change.asker) if one is not None]
        async with self._engine.begin() as connection:
            await only_writer_for(connection, ask.workspace, *about)
            if change.asker is not None:
                await refuse_forgotten(connection, ask.workspace, change.asker.user)
            return await ask_rows.apply(self._engine, connection, ask, change, now)

    async def due(self, now: datetime, most: int) -> Sequence[Ask]:
        """Claim questions in which something happens by itself; of several processes one gets each."""
        first = (
            select(a.workspace, a.id)
            .where(a.due_at <= now, a.lease_until <= now)
            .order_by(a.due_at)
            .limit(most)
            .with_for_update(skip_locked=True)
            .cte("first")
        )
        claim = (
            update(asks)
            .where(tuple_(a.workspace, a.id).in_(select(first.c.workspace, first.c.id)))
            .values(lease_until=now + LEASE)
            .returning(a.workspace, a.id)
        )
        if self._engine.dialect.name == "sqlite" and not await self._is_anything_due(now):
            # SQLite has one writer: it is not taken for looking.
            return ()
        async with self._engine.begin() as connection:
            if connection.dialect.name == "sqlite":
                await connection.exec_driver_sql("BEGIN IMMEDIATE")
            ids = [(row.workspace, row.id) for row in (await connection.execute(claim)).all()]
            found = await read(connection, ids)
            if unreadable := set(ids) - {(ask.workspace, ask.id) for ask in found}:
                await connection.execute(
                    update(asks).where(among(a.workspace, a.id, unreadable)).values(lease_until=now + UNREADABLE)
                )
        return sorted(found, key=lambda ask: ask.due)

    async def _is_anything_due(self, now: datetime) -> bool:
        async with self._engine.connect() as connection:
            query = select(a.id).where(a.due_at <= now, a.lease_until <= now).limit(1)
            return await connection.scalar(query) is not None

    async def erase(self, ask: Ask) -> None:
        """Delete a question with everything about it, if nothing happened to it meanwhile."""
        async with self._engine.begin() as connection:
            await erase(connection, ask)

    async def at_message(self, workspace: str, channel: str, ts: str) -> tuple[str, str] | None:
        """Return the question that the bot's message puts to somebody, and to whom."""
        query = select(p.ask_id, p.user_id).where(p.workspace == workspace, p.channel == channel, p.ts == ts)
        async with self._engine.connect() as connection:
            row = (await connection.execute(query)).first()
        return (row.ask_id, row.user_id) if row else None

    async def of_asker(self, workspace: str, user: str, states: Collection[State] = OPEN) -> Sequence[Ask]:
        """Return the newest questions in these states that a person put, if it is still known that it was they."""
        async with self._engine.connect() as connection:
            key = await known_key(connection, workspace)
            if key is None:
                return ()
            ids = await connection.scalars(
                select(a.id)
                .where(a.workspace == workspace, a.asker_mark == asker_mark(key, workspace, user), a.state.in_(states))
                .order_by(a.created_at.desc(), a.id)
                .limit(MOST_LISTED)
            )
            return await read(connection, [(workspace, ask_id) for ask_id in ids.all()])

    async def of_person(self, workspace: str, user: str) -> Sequence[Ask]:
        """Return the questions that are with a person now."""
        query = select(p.ask_id).where(p.workspace == workspace, p.user_id == user, p.outcome == "has")
        async with self._engine.connect() as connection:
            ids = (await connection.scalars(query.order_by(p.asked_at).limit(MOST_LISTED))).all()
            return await read(connection, [(workspace, ask_id) for ask_id in ids])

    async def counts(self) -> Mapping[State, int]:
        """Count the questions of all workspaces by state."""
        query = select(a.state, func.count()).group_by(a.state)
        async with self._engine.connect() as connection:
            found = {row[0]: row[1] for row in (await connection.execute(query)).all()}
        return {state: found.get(state, 0) for state in TIMERS}

    def _readable(self, workspace: str, ask_id: str, question: str) -> str:
        try:
            return opened(self._engine, a.question, question, workspace, ask_id)
        except UnknownKey:
            return ""

    async def unanswered(self, workspace: str) -> Sequence[Unanswered]:
        """Count the questions without an answer by what they are about; with the text where the asker consents."""
        each = [
            select(a.id, a.about, a.subject, a.to_curators, a.question, a.created_at)
            .where(a.workspace == workspace, a.state == state)
            .order_by(a.created_at.desc())
            .limit(MOST_COUNTED)
            .subquery()
            for state in ("nobody", "expired")
        ]
        query = union_all(*(select(part) for part in each))
        async with self._engine.connect() as connection:
            rows = (await connection.execute(query)).all()
        found: dict[str, Unanswered] = {}
        for row in rows:
            one = found.setdefault(row.about, Unanswered(row.about, subject_in(row.subject), 0, ()))
            texts = (self._readable(workspace, row.id, row.question),) if row.to_curators else ()
            found[row.about] = replace(one, count=one.count + 1, texts=one.texts + tuple(filter(None, texts)))
        return sorted(found.values(), key=lambda one: (-one.count, one.about))
