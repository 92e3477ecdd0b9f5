"""Events, written down before they are acknowledged."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select, update
from sqlalchemy.dialects.sqlite import insert
from sqlalchemy.ext.asyncio import AsyncEngine

from storage.tables import inbox


@dataclass(frozen=True)
class Event:
    """Hold one event of Slack; ``channel`` and ``message_ts`` name the message that it asks to answer, if any."""

    workspace: str
    event_id: str
    body: str
    channel: str | None = None
    message_ts: str | None = None
    user: str | None = None
    attempts: int = 0


class SqlInbox:
    """Keep each event once, until it has been worked off."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def add(self, event: Event, now: datetime) -> bool:
        """Write the event down; return False where it, or another event for the same message, is there already."""
        row = (
            insert(inbox)
            .values(
                workspace=event.workspace,
                event_id=event.event_id,
                channel=event.channel,
                message_ts=event.message_ts,
                user_id=event.user,
                body=event.body,
                state="waiting",
                attempts=0,
                received_at=now,
            )
            .on_conflict_do_nothing()
        )
        async with self._engine.begin() as connection:
            result = await connection.execute(row)
        return result.rowcount > 0

    async def waiting(self) -> Sequence[Event]:
        """Return the events that still wait to be worked off, oldest first."""
        query = select(inbox).where(inbox.c.state == "waiting").order_by(inbox.c.received_at)
        async with self._engine.connect() as connection:
            rows = (await connection.execute(query)).all()
        return [
            Event(row.workspace, row.event_id, row.body, row.channel, row.message_ts, row.user_id, row.attempts)
            for row in rows
        ]

    async def failed(self, event: Event) -> None:
        """Count one more attempt."""
        await self._set(event, attempts=inbox.c.attempts + 1)

    async def done(self, event: Event) -> None:
        """Mark the event as worked off and erase what it said; its id stays, to know a repeat by."""
        await self._set(event, state="done", body="")

    async def dead(self, event: Event) -> None:
        """Give the event up; it stays for the operator to look at."""
        await self._set(event, state="dead")

    async def _set(self, event: Event, **values: object) -> None:
        query = (
            update(inbox)
            .where(inbox.c.workspace == event.workspace, inbox.c.event_id == event.event_id)
            .values(**values)
        )
        async with self._engine.begin() as connection:
            await connection.execute(query)
