"""Events, written down before they are acknowledged, each worked off by one process.

The receiver writes an event down as claimed by itself and works on it at once. A claim has a lease: the process renews
the leases of all it holds while it lives; once a lease has run out, another process may take the event over. What this
process holds, and until when surely, is known in memory, so that the way of an event is one insert and a share of one
update.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import Any, Literal, NamedTuple

from sqlalchemy import bindparam, delete, func, or_, select, tuple_, update
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from storage.database import for_single_statements, insert_into, only_writer_for
from storage.keys import KeysError, UnknownKey
from storage.tables import inbox, keys_of, place_of
from storage.underway import forgotten_after, forgotten_since

logger = logging.getLogger(__name__)
LEASE = timedelta(seconds=30)
MOST_TAKEN = 100
RENEWED_AT_ONCE = 500
"""Leases that one statement renews: databases bound the variables of a query."""
ADDING_SQLITE, ADDING_POSTGRES = 1, 6
"""Events that are written down at the same time, at most."""
KEEP = timedelta(days=7)
"""How long the id of an event is known, so that a repeat of it does nothing; and how long a dead letter is kept."""
SOONEST, LATEST = timedelta(seconds=1), timedelta(minutes=10)
"""How long an event waits that no key here opens, for a process that has its key: as long as it has waited before."""
SAID_EVERY = timedelta(minutes=10)


_Key = tuple[str, str]
GivenUp = Literal["dead", "forgotten", "not ours"]
"""What became of an event that was to be given up: kept to be looked at, erased, or left to whoever took it over."""


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
    received: datetime | None = field(default=None, compare=False)
    """When it was taken in; None where it is not written down yet."""


class Depth(NamedTuple):
    """Say how full the inbox is."""

    waiting: int
    oldest_seconds: float
    dead: int


@dataclass(frozen=True)
class DeadLetter:
    """Hold an event that was given up, without what it said."""

    workspace: str
    event_id: str
    kind: Literal["question", "other"]
    """What kind of event stands in its body, which is encrypted; a question is what people wait for."""
    attempts: int
    received: datetime


class SqlInbox:
    """Keep each event once, until it has been worked off; ``owner`` names this process and no other."""

    def __init__(self, engine: AsyncEngine, owner: str) -> None:
        self._engine = engine
        self._single = for_single_statements(engine)
        self._insert = insert_into(engine, inbox).on_conflict_do_nothing()
        self._owner = owner
        # Until when nobody else can have taken what is worked on here. What is claimed by this process and not in here,
        # since the answer to a commit was lost, is worked on by nobody: its lease is left to run out.
        self._held: dict[_Key, datetime] = {}
        self._said_at = datetime.min.replace(tzinfo=UTC)
        # New events come in bursts, after a restart above all. They must not use up all connections: what was answered
        # is to be marked as done at once, since until then a crash would answer it again.
        self._adding = asyncio.Semaphore(ADDING_SQLITE if engine.dialect.name == "sqlite" else ADDING_POSTGRES)

    async def add(self, event: Event, now: datetime, *, free: bool = False, unasked: bool = False) -> bool:
        """Write the event down as ours, or ``free`` for whoever comes first.

        Returns False where it, or another one for the same message, is there already; or where it is one that the
        person did nothing for (``unasked``), who was forgotten since it came.
        """
        row = {
            "workspace": event.workspace,
            "event_id": event.event_id,
            "channel": event.channel,
            "message_ts": event.message_ts,
            "user_id": event.user,
            "body": keys_of(self._engine.dialect).seal(event.body, _place(event.workspace, event.event_id)),
            "state": "claimed",
            "claimed_by": "" if free else self._owner,
            "lease_until": now - LEASE if free else now + LEASE,
            "attempts": 0,
            "received_at": now,
        }
        # Held only once that is sure. Where the answer to the commit is lost it may stand there all the same: Slack
        # sends it again, and it is known then. Nobody would ever work on it, were its lease renewed.
        async with self._adding:
            added = await (self._add_about(event, row) if unasked else self._write(self._insert, row)) == 1
        if added and not free:
            self._hold([_key(event)], now)
        return added

    def let_go(self, event: Event) -> None:
        """Stop renewing the lease of an event that nobody here works on: it is taken over when it has run out."""
        self._held.pop(_key(event), None)

    async def renew(self, now: datetime) -> None:
        """Renew the leases of everything that this process holds."""
        held = iter(list(self._held))
        while keys := list(islice(held, RENEWED_AT_ONCE)):
            # Rows that are being written are left out: to wait for them, holding others, could end in a deadlock.
            found = (
                select(*_KEY)
                .where(inbox.c.state == "claimed", inbox.c.claimed_by == self._owner, tuple_(*_KEY).in_(keys))
                .with_for_update(skip_locked=True)
                .cte("found")
            )
            renewed = (
                update(inbox)
                .where(tuple_(*_KEY).in_(select(*found.c)))
                .values(lease_until=now + LEASE)
                .returning(*_KEY)
            )
            async with self._engine.begin() as connection:
                rows = (await connection.execute(renewed)).all()
            # Only these: what was taken over or let go meanwhile is not ours again because of a late renewal.
            self._hold([key for row in rows if (key := (row.workspace, row.event_id)) in self._held], now)

    async def still_ours(self, event: Event, now: datetime) -> bool:
        """Return False where another process has taken the event over; asks the database only if that can be."""
        until = self._held.get(_key(event))
        if until is not None and until - now > LEASE / 2:
            return True
        renewed = await self._write(update(inbox).where(self._holds(event)).values(lease_until=now + LEASE))
        if renewed:
            self._hold([_key(event)], now)
        else:
            self._held.pop(_key(event), None)
        return renewed == 1

    async def take_over(self, now: datetime, *, alone: bool = False) -> Sequence[Event]:
        """Claim events whose lease has run out, oldest first; ``alone``: whatever the lease, as nobody else is there.

        At most 100 at a time. Two processes never get the same one.
        """
        free = or_(inbox.c.lease_until < now, inbox.c.claimed_by != self._owner) if alone else inbox.c.lease_until < now
        # A CTE, so that PostgreSQL runs it once: in a subquery it may run it for each row, past the limit.
        found = (
            select(*_KEY)
            .where(inbox.c.state == "claimed", free)
            .order_by(inbox.c.received_at)
            .limit(MOST_TAKEN)
            # SQLite has one writer at a time and ignores this.
            .with_for_update(skip_locked=True)
            .cte("found")
        )
        claim = (
            update(inbox)
            .where(tuple_(*_KEY).in_(select(*found.c)))
            .values(claimed_by=self._owner, lease_until=now + LEASE)
            .returning(*_UNOPENED, inbox.c.body)
        )
        async with self._engine.begin() as connection:
            rows = (await connection.execute(claim)).all()
        unopened = []
        for row in sorted(rows, key=lambda row: row.received_at):
            event = Event(
                *(row.workspace, row.event_id, "", row.channel, row.message_ts, row.user_id, row.attempts),
                received=row.received_at,
            )
            if _key(event) in self._held:
                # A process that stood still for longer than a lease finds its own again: it waits in a lane already.
                self._hold([_key(event)], now)
            else:
                unopened.append((event, row.body))
        taken, foreign = list[Event](), list[Event]()
        for event, sealed in unopened:
            try:
                taken.append(replace(event, body=self._open(event.workspace, event.event_id, sealed)))
            except UnknownKey:
                foreign.append(event)
            except KeysError as error:
                # One event that is damaged must not hold up all others.
                logger.error("event %s is given up: %s", event.event_id, error)
                await self.dead(event)
        await self.hand_back(foreign, now)
        # Held only now: what is not returned, since something failed on the way, is free again after its lease.
        self._hold([_key(event) for event in taken], now)
        return taken

    async def hand_back(self, events: Sequence[Event], now: datetime) -> None:
        """Leave events to a process that has their key; nothing is counted, and none is given up for it."""
        for event in events:
            waits = min(max(SOONEST, now - (event.received or now)), LATEST)
            await self._write(update(inbox).where(self._holds(event)).values(claimed_by="", lease_until=now + waits))
            self._held.pop(_key(event), None)
        if events and now - self._said_at >= SAID_EVERY:
            self._said_at = now
            logger.warning(
                "%s events wait for a process that has their key: this one has not. If none has, put the missing key "
                "back behind the others in ENCRYPTION_KEYS, and restart",
                len(events),
            )

    def _open(self, workspace: str, event_id: str, sealed: str) -> str:
        keys = keys_of(self._engine.dialect)
        return keys.unseal(sealed, _place(workspace, event_id), unbound=True) if sealed else ""

    async def release(self, now: datetime) -> int:
        """Hand back what this process holds: another one, or the next start, may take it over at once."""
        self._held.clear()
        return await self._write(
            update(inbox)
            .where(inbox.c.state == "claimed", inbox.c.claimed_by == self._owner)
            .values(claimed_by="", lease_until=now - LEASE)
        )

    async def failed(self, event: Event) -> None:
        """Count one more attempt."""
        await self._write(update(inbox).where(self._holds(event)).values(attempts=inbox.c.attempts + 1))

    async def put_back(self, event: Event, at: datetime) -> None:
        """Count one more attempt, and leave the next one to whichever process looks first from ``at`` on."""
        await self._write(
            update(inbox).where(self._holds(event)).values(claimed_by="", lease_until=at, attempts=inbox.c.attempts + 1)
        )
        self._held.pop(_key(event), None)

    async def done(self, events: Sequence[Event]) -> None:
        """Mark events as worked off and erase what they said; their ids stay, to know a repeat by."""
        # Row by row, in one order: each by its key (SQLite reads the whole table for a list of keys), and two that
        # write the same rows wait for each other instead of holding each other up.
        keys = sorted({_key(event) for event in events})
        if not keys:
            return
        async with self._engine.begin() as connection:
            await connection.execute(_DONE, [{"the_workspace": key[0], "the_event": key[1]} for key in keys])
            await _without_forgotten(connection, events)
        for key in keys:
            self._held.pop(key, None)

    async def dead(self, event: Event) -> GivenUp:
        """Give the event up; it stays for the operator to look at, and nothing of it where its person was forgotten.

        What is not ours any more is left alone.
        """
        async with self._engine.begin() as connection:
            if event.user:
                # Whoever is being forgotten in this moment is, when it is our turn.
                await only_writer_for(connection, event.workspace, event.user)
            given_up: dict[str, Any] = {"state": "dead"}
            # The message that asks to be forgotten is not known to be anybody's afterwards.
            forgotten = bool((event.message_ts and not event.user) or await _forgotten_among(connection, [event]))
            if forgotten:
                given_up = {"state": "done", "body": "", **_names_nobody(event)}
            ours = await connection.execute(update(inbox).where(self._holds(event)).values(given_up))
            others = select(inbox.c.claimed_by).where(_is(event), inbox.c.state == "claimed")
            taken_over = not ours.rowcount and (not forgotten or await connection.scalar(others) is not None)
        self._held.pop(_key(event), None)
        return "not ours" if taken_over else "forgotten" if forgotten else "dead"

    async def dead_letters(self) -> Sequence[DeadLetter]:
        """Return the events that were given up, oldest first."""
        query = select(inbox).where(inbox.c.state == "dead").order_by(inbox.c.received_at)
        async with self._engine.connect() as connection:
            rows = (await connection.execute(query.with_only_columns(*_WITHOUT_BODY))).all()
        return [
            DeadLetter(
                row.workspace,
                row.event_id,
                "question" if row.message_ts else "other",
                row.attempts,
                row.received_at,
            )
            for row in rows
        ]

    async def opens(self) -> bool:
        """Tell whether the keys open the newest event that is kept; True where none is."""
        query = select(*_KEY, inbox.c.body).where(inbox.c.state != "done")
        async with self._engine.connect() as connection:
            row = (await connection.execute(query.order_by(inbox.c.received_at.desc()).limit(1))).first()
        try:
            if row is not None:
                self._open(*row)
        except KeysError:
            return False
        return True

    async def replay(self, event_id: str | None, now: datetime) -> int:
        """Let one dead letter, or all, be worked off again by whichever process sees it first."""
        dead = inbox.c.state == "dead"
        return await self._write(
            update(inbox)
            .where(dead if event_id is None else dead & (inbox.c.event_id == event_id))
            .values(state="claimed", claimed_by="", lease_until=now - LEASE, attempts=0)
        )

    async def depth(self, now: datetime) -> Depth:
        """Return how many events wait, how long the oldest has waited, and how many are dead."""
        query = select(inbox.c.state, func.count().label("events"), func.min(inbox.c.received_at).label("oldest"))
        query = query.where(inbox.c.state.in_(("claimed", "dead"))).group_by(inbox.c.state)
        async with self._engine.connect() as connection:
            rows = {row.state: row for row in (await connection.execute(query)).all()}
        waiting, dead = rows.get("claimed"), rows.get("dead")
        return Depth(
            waiting.events if waiting else 0,
            max(0.0, (now - waiting.oldest).total_seconds()) if waiting else 0.0,
            dead.events if dead else 0,
        )

    async def prune(self, now: datetime) -> int:
        """Delete events of a week ago that were done or given up, or wait for a key still."""
        old = inbox.c.received_at < now - KEEP
        kept = inbox.c.state.in_(("done", "dead"))
        put_off = (inbox.c.state == "claimed") & (inbox.c.claimed_by == "") & (inbox.c.lease_until > now)
        gone = await self._write(delete(inbox).where(kept, old))
        return gone + await self._write(delete(inbox).where(put_off, old))

    def _hold(self, keys: Sequence[_Key], now: datetime) -> None:
        for key in keys:
            self._held[key] = now + LEASE

    def _holds(self, event: Event) -> Any:
        return _is(event) & (inbox.c.state == "claimed") & (inbox.c.claimed_by == self._owner)

    async def _write(self, statement: Any, row: dict[str, Any] | None = None) -> int:
        async with self._single.begin() as connection:
            result = await connection.execute(statement, row)
        return int(result.rowcount)

    async def _add_about(self, event: Event, row: dict[str, Any]) -> int:
        """Write down what is about somebody, unless they were forgotten since it came."""
        user = event.user or ""
        async with self._engine.begin() as connection:
            await only_writer_for(connection, event.workspace, user)
            if await forgotten_since(connection, event.workspace, [user]):
                return 0
            return int((await connection.execute(self._insert, row)).rowcount)


_KEY = (inbox.c.workspace, inbox.c.event_id)
_DONE = (
    update(inbox)
    .where(inbox.c.workspace == bindparam("the_workspace"), inbox.c.event_id == bindparam("the_event"))
    .values(state="done", body="")
)
_UNOPENED = tuple(column for column in inbox.c if column.name != "body")
_WITHOUT_BODY = (inbox.c.workspace, inbox.c.event_id, inbox.c.message_ts, inbox.c.attempts, inbox.c.received_at)


async def _without_forgotten(connection: AsyncConnection, events: Sequence[Event]) -> None:
    """Take out of events that are done whoever was forgotten since they came, as forgetting does for all others.

    There are such where a message came before that moment and was written down after it, and the one that asks for it.
    """
    for event in await _forgotten_among(connection, events):
        await connection.execute(update(inbox).where(_is(event)).values(_names_nobody(event)))


async def _forgotten_among(connection: AsyncConnection, events: Sequence[Event]) -> list[Event]:
    came = {(one.workspace, one.user, one.received) for one in events if one.user and one.received}
    forgotten = await forgotten_after(connection, came)
    return [one for one in events if (one.workspace, one.user, one.received) in forgotten] if forgotten else []


def _names_nobody(event: Event) -> dict[str, None]:
    # A direct message names them by its channel too.
    direct = bool(event.channel and event.channel.startswith("D"))
    return dict.fromkeys(("user_id", "channel", "message_ts") if direct else ("user_id",))


def _place(workspace: str, event_id: str) -> str:
    return place_of(inbox.c.body, workspace, event_id)


def _key(event: Event) -> _Key:
    return event.workspace, event.event_id


def _is(event: Event) -> Any:
    return (inbox.c.workspace == event.workspace) & (inbox.c.event_id == event.event_id)
