"""What both sides said about keeping an answer, and the entry made of it; implements the ``Keepings`` port.

Whatever changes a row here first locks the question, then renews the workspace's version, as whoever forgets a person
does it: so of two consents at once one comes second and makes the entry, and of two curators one is late.
"""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import asdict, replace
from datetime import datetime
from typing import Any, cast

from sqlalchemy import delete, insert, select, update
from sqlalchemy.engine import CursorResult
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from knowledge.asking import Ask, Asker, Delivery
from knowledge.keeping import Consent, Keeping, Outcome, Settled, Side, entry_id_of, proposal, with_consent
from knowledge.team import TeamEntry
from storage.ask_rows import a, opened, read, texts_of, want
from storage.database import only_writer_for
from storage.marks import asker_mark, workspace_key
from storage.tables import asks, keepings, sealed, team_entries, verifications
from storage.team_entries import SqlTeamEntries, change_entry, row_of
from storage.team_versions import renew_version
from storage.underway import refuse_forgotten

k, e = keepings.c, team_entries.c


class SqlKeepings:
    """Keep a row a question once one side has said something."""

    def __init__(self, engine: AsyncEngine, team: SqlTeamEntries) -> None:
        self._engine = engine
        self._team = team

    async def of(self, workspace: str, ask_id: str) -> Keeping | None:
        """Return what was said about a question."""
        async with self._engine.connect() as connection:
            return await self._read(connection, workspace, ask_id)

    async def says(
        self, workspace: str, ask_id: str, consent: Consent, topics: Sequence[str], now: datetime
    ) -> Keeping | None:
        """Note what one side says, and make the entry, or delete it again. Raises ForgottenSince."""
        async with self._engine.begin() as connection:
            there = await self._lock(connection, workspace, ask_id, consent.asker)
            before = await self._read(connection, workspace, ask_id)
            if before is None:
                if there is None or there.state != "solved" or there.answerer is None:
                    return None
                before = Keeping(entry_id_of(ask_id), user=there.answerer.user)
                await connection.execute(
                    insert(keepings).values(
                        workspace=workspace,
                        id=ask_id,
                        entry_id=before.entry_id,
                        outcome="open",
                        asker_says="",
                        answerer_says="",
                        asker_mark=None if there.anonymous else await self._mark(connection, there.asker, workspace),
                        user_id=before.user,
                        shown_author="",
                        answer="",
                        gone_at=there.due,
                    )
                )
            after = with_consent(before, consent)
            if after == before or (there is None and consent.yes):
                return before
            if after.outcome == "proposed" and before.outcome == "open" and there is not None:
                entry = proposal(there, after, topics, now)
                await connection.execute(insert(team_entries).values(row_of(workspace, entry)))
                after = replace(after, answer="")
            if after.outcome == "rejected":
                await _deleted(connection, workspace, before.entry_id)
            values = _values(after, sealed(connection.dialect, k.answer, after.answer, workspace, ask_id))
            await connection.execute(update(keepings).where(_this(workspace, ask_id)).values(values))
            if there is not None:
                if consent.asker is not None and there.asker is None:
                    # As a click on "Solved" does it: known until the message is drawn anew.
                    mark = await self._mark(connection, consent.asker, workspace)
                    there = replace(there, asker=consent.asker, mark=mark)
                    asker = json.dumps(asdict(consent.asker))
                    values = {"asker_mark": mark} | texts_of(connection.dialect, workspace, ask_id, asker=asker)
                    await connection.execute(
                        update(asks).where(a.workspace == workspace, a.id == ask_id).values(**values)
                    )
                # A message that is changed says that something was said, though it says the same.
                only = consent.side if after.outcome == before.outcome else None
                await self._draw_anew(connection, there, now, only)
        self._team.changed(workspace)
        return after

    async def publish(self, workspace: str, entry: TeamEntry, now: datetime) -> Settled:
        """Write a proposed entry as it is to be published."""

        async def write(connection: AsyncConnection) -> bool:
            return await change_entry(connection, workspace, entry.id, "proposed", lambda _: entry) is not None

        return await self._settle(workspace, entry.id, "published", write, now)

    async def reject(self, workspace: str, entry_id: str, now: datetime) -> Settled:
        """Delete a proposed entry."""

        async def write(connection: AsyncConnection) -> bool:
            return await _deleted(connection, workspace, entry_id)

        return await self._settle(workspace, entry_id, "rejected", write, now)

    async def merge(self, workspace: str, entry_id: str, into: str, wording: str, now: datetime) -> Settled:
        """Delete a proposed entry, and add a wording to another one that is published."""

        def worded(entry: TeamEntry) -> TeamEntry:
            return replace(entry, names=tuple(dict.fromkeys((*entry.names, wording))), changed_at=now)

        async def write(connection: AsyncConnection) -> bool:
            gone = await _deleted(connection, workspace, entry_id)
            return gone and await change_entry(connection, workspace, into, "published", worded) is not None

        return await self._settle(workspace, entry_id, "merged", write, now)

    async def prune(self, now: datetime) -> int:
        """Delete what came to nothing, once its question is gone."""
        over = (k.gone_at <= now) & k.outcome.not_in(("proposed", "published"))
        async with self._engine.begin() as connection:
            result = await connection.execute(delete(keepings).where(over))
        return cast("CursorResult[object]", result).rowcount

    async def _settle(
        self,
        workspace: str,
        entry_id: str,
        outcome: Outcome,
        write: Callable[[AsyncConnection], Awaitable[bool]],
        now: datetime,
    ) -> Settled:
        kept = (k.workspace == workspace) & (k.entry_id == entry_id)
        async with self._engine.connect() as connection:
            ask_id = await connection.scalar(select(k.id).where(kept))
        async with self._engine.begin() as connection:
            there = await self._lock(connection, workspace, ask_id or "")
            if not await write(connection):
                await connection.rollback()
                return "late"
            # Who asked is not needed any more: from here on the words are the team's.
            settled = {"outcome": outcome, "asker_mark": None, "answer": ""}
            await connection.execute(update(keepings).where(kept).values(settled))
            if there is not None:
                await self._draw_anew(connection, there, now)
        self._team.changed(workspace)
        return "done"

    async def _lock(
        self, connection: AsyncConnection, workspace: str, ask_id: str, asker: Asker | None = None
    ) -> Ask | None:
        """Lock whoever asks, the question, then the workspace's knowledge; return the question as it is now."""
        await only_writer_for(connection, workspace, *([asker.user] if asker is not None else []))
        if asker is not None:
            await refuse_forgotten(connection, workspace, asker.user)
        await connection.execute(select(a.id).where(a.workspace == workspace, a.id == ask_id).with_for_update())
        await renew_version(self._engine, connection, workspace)
        found = await read(connection, [(workspace, ask_id)])
        return found[0] if found else None

    async def _mark(self, connection: AsyncConnection, asker: Asker | None, workspace: str) -> str | None:
        if asker is None:
            return None
        return asker_mark(await workspace_key(self._engine, connection, workspace), workspace, asker.user)

    async def _read(self, connection: AsyncConnection, workspace: str, ask_id: str) -> Keeping | None:
        columns = (k.entry_id, k.outcome, k.asker_says, k.answerer_says, k.user_id, k.shown_author, k.answer)
        row = (await connection.execute(select(*columns).where(_this(workspace, ask_id)))).first()
        if row is None:
            return None
        said = (row.entry_id, row.outcome, row.asker_says, row.answerer_says, row.user_id or "", row.shown_author)
        return Keeping(*said, opened(self._engine, k.answer, row.answer, workspace, ask_id))

    async def _draw_anew(self, connection: AsyncConnection, ask: Ask, now: datetime, only: Side | None = None) -> None:
        """Want the messages of both sides drawn anew, which say what came of it; or that of one."""
        wanted = [Delivery("asker", "draw asker")] if ask.asker is not None and only != "answerer" else []
        if ask.answerer is not None and only != "asker":
            wanted.append(Delivery(f"person:{ask.answerer.user}", "draw person", ask.answerer.user))
        await want(self._engine, connection, ask, wanted, now, ask.mark)


async def forget_in_keepings(engine: AsyncEngine, connection: AsyncConnection, workspace: str, user: str) -> int:
    """Take a person out of what is kept, in the transaction that forgets them; proposed words of theirs go with it.

    It comes after the questions, as whoever writes here locks these first.
    """
    await connection.execute(
        update(verifications)
        .where(verifications.c.workspace == workspace, verifications.c.user_id == user)
        .values(user_id=None)
    )
    mark = asker_mark(await workspace_key(engine, connection, workspace), workspace, user)
    theirs = (k.workspace == workspace) & ((k.user_id == user) | (k.asker_mark == mark))
    rows = (await connection.execute(select(k.entry_id).where(theirs))).all()
    if rows:
        await renew_version(engine, connection, workspace)
        for row in rows:
            await _deleted(connection, workspace, row.entry_id)
        await connection.execute(delete(keepings).where(theirs))
    return len(rows)


async def _deleted(connection: AsyncConnection, workspace: str, entry_id: str) -> bool:
    gone = await connection.execute(delete(team_entries).where(_entry(workspace, entry_id), e.state == "proposed"))
    return cast("CursorResult[object]", gone).rowcount > 0


def _entry(workspace: str, entry_id: str) -> Any:
    return (e.workspace == workspace) & (e.id == entry_id)


def _this(workspace: str, ask_id: str) -> Any:
    return (k.workspace == workspace) & (k.id == ask_id)


def _values(keeping: Keeping, answer: str) -> dict[str, Any]:
    return {
        "outcome": keeping.outcome,
        "asker_says": keeping.asker_says,
        "answerer_says": keeping.answerer_says,
        "shown_author": keeping.shown_author,
        "answer": answer,
    }
