"""The settings of workspaces, their curators, and the audit log; implements the ``Workspaces`` port."""

from __future__ import annotations

import secrets
from collections import OrderedDict
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any, cast

from sqlalchemy import and_, bindparam, delete, insert, or_, select, update
from sqlalchemy.engine import CursorResult
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from knowledge.people import Visibility
from knowledge.workspaces import KEEP_RECORDS, Recorded, Settings, changed
from storage.database import insert_into, only_writer_for
from storage.forgotten import mark_in
from storage.tables import asked, audit, curators
from storage.tables import settings as settings_table
from storage.underway import forgotten_since

SETTINGS_SECONDS = 5.0
"""How old settings may be that another process changed."""
MOST_WORKSPACES = 5_000
"""Workspaces whose settings are kept in memory; the one not asked for longest makes room."""
MOST_AT_ONCE = 500
"""Entries of the audit log that are read at once."""
ALL_OF_IT = "settings"
"""Stands for the person where the lock is not about one: ids of people are in capitals."""


class SqlWorkspaces:
    """Keep settings in the database; ``now`` is the clock that the cache goes by."""

    def __init__(self, engine: AsyncEngine, now: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self._engine = engine
        self._now = now
        self._changes = 0
        self._kept: OrderedDict[str, tuple[datetime, Settings]] = OrderedDict()

    async def settings(self, workspace: str) -> Settings:
        """Return the settings, at most five seconds old: every answer asks for them."""
        now, kept = self._now(), self._kept.get(workspace)
        # A clock that is put back must not keep old settings alive.
        if kept is not None and abs((now - kept[0]).total_seconds()) < SETTINGS_SECONDS:
            return kept[1]
        changes = self._changes
        async with self._engine.connect() as connection:
            found = await _read(connection, workspace)
        if changes == self._changes:
            self._kept[workspace] = (now, found)
            self._kept.move_to_end(workspace)
            if len(self._kept) > MOST_WORKSPACES:
                self._kept.popitem(last=False)
        return found

    async def save(self, workspace: str, settings: Settings, by: str, now: datetime) -> None:
        """Replace the settings and record what changed, in one transaction; the questions obey at once."""
        values = {column.name: getattr(settings, column.name) for column in settings_table.c if not column.primary_key}
        async with self._engine.begin() as connection:
            await only_writer_for(connection, workspace, ALL_OF_IT, by, *settings.curators)
            before = await _read(connection, workspace)
            # Whoever was forgotten since the form was sent is not named again by it.
            gone = await forgotten_since(connection, workspace, settings.curators)
            named = tuple(user for user in settings.curators if user not in gone)
            await connection.execute(
                insert_into(self._engine, settings_table)
                .values(workspace=workspace, **values)
                .on_conflict_do_update(index_elements=["workspace"], set_=values)
            )
            old, new = changed(before, settings)
            entries = [Recorded(by, "settings changed", now, old, new)] if new else []
            entries += await _name_curators(connection, workspace, before.curators, named, by, now)
            if entries:
                await add_records(self._engine, connection, workspace, entries)
            if "question_days" in new:
                await _keep_questions_for(connection, workspace, settings.question_days, now)
        self.changed(workspace)

    def changed(self, workspace: str) -> None:
        """Note that what is kept in memory of a workspace is old."""
        self._changes += 1
        self._kept.pop(workspace, None)

    async def record(self, workspace: str, entry: Recorded) -> None:
        """Add the entry."""
        async with self._engine.begin() as connection:
            await only_writer_for(connection, workspace, *filter(None, {entry.who, entry.about}))
            await add_records(self._engine, connection, workspace, [entry])

    async def record_hashed(self, workspace: str, entry: Recorded) -> None:
        """Add the entry with the mark of the person in the place of their id."""
        async with self._engine.begin() as connection:
            await only_writer_for(connection, workspace, *{entry.who, entry.about})
            mark = await mark_in(self._engine, connection, workspace, entry.about)
            # Whoever erased themself is nowhere to be named again.
            who = mark if entry.who == entry.about else entry.who
            await add_records(self._engine, connection, workspace, [replace(entry, who=who, about=mark)])

    async def recorded(self, workspace: str, most: int, skip: int = 0) -> Sequence[Recorded]:
        """Return the last entries, newest first; ``skip`` are the newest that are passed over."""
        a = audit.c
        query = select(audit).where(a.workspace == workspace).order_by(a.at.desc(), a.id).limit(most).offset(skip)
        async with self._engine.connect() as connection:
            rows = (await connection.execute(query)).all()
        return [Recorded(row.user_id, row.action, row.at, row.before, row.after, row.about) for row in rows]

    async def all_recorded(self, workspace: str) -> AsyncIterator[Recorded]:
        """Give every entry, oldest first, some hundred at a time."""
        a = audit.c
        at, last = datetime(1970, 1, 1, tzinfo=UTC), ""
        while True:
            after = or_(a.at > at, and_(a.at == at, a.id > last))
            query = select(audit).where(a.workspace == workspace, a.at >= at, after).order_by(a.at, a.id)
            async with self._engine.connect() as connection:
                rows = (await connection.execute(query.limit(MOST_AT_ONCE))).all()
            if not rows:
                return
            for row in rows:
                yield Recorded(row.user_id, row.action, row.at, row.before, row.after, row.about)
            at, last = rows[-1].at, rows[-1].id

    async def prune(self, now: datetime) -> int:
        """Delete entries of the audit log that were kept for a year."""
        async with self._engine.begin() as connection:
            result = await connection.execute(delete(audit).where(audit.c.at < now - KEEP_RECORDS))
        return cast("CursorResult[object]", result).rowcount


async def question_days(connection: AsyncConnection, workspace: str) -> int:
    """Return how long questions are kept in a workspace; the first statement of a transaction.

    Nobody changes it before that ends, so that no question is kept for longer than the last word on it.
    """
    await only_writer_for(connection, workspace, ALL_OF_IT)
    s = settings_table.c
    days = await connection.scalar(select(s.question_days).where(s.workspace == workspace))
    return Settings().question_days if days is None else days


async def default_visibility(connection: AsyncConnection, workspace: str) -> Visibility:
    """Return who sees what somebody declares for the first time, unless they say otherwise."""
    s = settings_table.c
    found = await connection.scalar(select(s.default_visibility).where(s.workspace == workspace))
    return cast(Visibility, found or Settings().default_visibility)


def gone_on(noted: datetime, days: int) -> date:
    """Return the day on which a question of now is deleted."""
    return noted.astimezone(UTC).date() + timedelta(days=days)


async def _read(connection: AsyncConnection, workspace: str) -> Settings:
    s, c = settings_table.c, curators.c
    row = (await connection.execute(select(settings_table).where(s.workspace == workspace))).first()
    named = await connection.scalars(select(c.user_id).where(c.workspace == workspace).order_by(c.user_id))
    if row is None:
        return Settings(curators=tuple(named))
    return Settings(
        cast(Visibility, row.default_visibility),
        row.starts_messages,
        row.question_days,
        row.names_in_shared,
        row.names_to_guests,
        row.other_languages,
        tuple(named),
    )


async def _name_curators(
    connection: AsyncConnection, workspace: str, before: Sequence[str], after: Sequence[str], by: str, now: datetime
) -> list[Recorded]:
    """Write who came and who went; who stays keeps what they were told. Returns an entry for each."""
    came, went = sorted({*after} - {*before}), sorted({*before} - {*after})
    c = curators.c
    if went:
        await connection.execute(delete(curators).where(c.workspace == workspace, c.user_id.in_(went)))
    if came:
        rows = [{"workspace": workspace, "user_id": user, "named_at": now} for user in came]
        await connection.execute(insert(curators), rows)
    entries = [Recorded(by, "curator named", now, about=user) for user in came]
    return entries + [Recorded(by, "curator removed", now, about=user) for user in went]


async def _keep_questions_for(connection: AsyncConnection, workspace: str, days: int, now: datetime) -> None:
    """Give the questions that are kept their new last day; those whose day is over go at once."""
    a = asked.c
    today = now.astimezone(UTC).date()
    await connection.execute(delete(asked).where(a.workspace == workspace, a.noted_on <= today - timedelta(days=days)))
    if days:
        # One day after the other: no two databases agree on how days are added to a day.
        b = bindparam
        statement = update(asked).where(a.workspace == b("of"), a.noted_on == b("noted")).values(gone_on=b("gone"))
        kept = [today - timedelta(days=age) for age in range(days)]
        values = [{"of": workspace, "noted": day, "gone": day + timedelta(days=days)} for day in kept]
        await connection.execute(statement, values)


async def add_records(
    engine: AsyncEngine, connection: AsyncConnection, workspace: str, entries: Sequence[Recorded]
) -> None:
    """Add entries to the audit log, in a transaction that holds the locks of whoever stands in them.

    Of whoever was forgotten since what is under way began stands the mark alone, as in the entries from before.
    """
    people = {user for entry in entries for user in (entry.who, entry.about)}
    gone = await forgotten_since(connection, workspace, sorted(people))
    marks = {user: await mark_in(engine, connection, workspace, user) for user in sorted(gone)}
    marked = [
        replace(entry, who=marks.get(entry.who, entry.who), about=marks.get(entry.about, entry.about))
        for entry in entries
    ]
    await connection.execute(insert(audit), [_record_row(workspace, entry) for entry in marked])


def _record_row(workspace: str, entry: Recorded) -> dict[str, Any]:
    return {
        "workspace": workspace,
        "id": secrets.token_hex(16),
        "at": entry.when,
        "user_id": entry.who,
        "action": entry.what,
        "about": entry.about,
        "before": dict(entry.before),
        "after": dict(entry.after),
    }
