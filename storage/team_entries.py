"""What workspaces know beyond the bundled entries; implements the ``TeamEntries`` port.

Every change draws the workspace a new version, so that a process sees by one row whether what it holds is still so.
"""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, cast

from sqlalchemy import delete, select, update
from sqlalchemy.engine import CursorResult, Row
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from knowledge.team import NOTHING, Alias, Known, State, TeamEntry
from knowledge.text import key_of
from storage.database import insert_into, only_writer_for
from storage.tables import team_aliases, team_entries, team_versions
from storage.team_versions import renew_version
from storage.underway import forgotten_since

CHECK_SECONDS = 3.0
"""How long what was read of a workspace is taken to be so, before its version is looked at again."""
MOST_WORKSPACES, MOST_ENTRIES = 5_000, 100_000
"""Workspaces, and entries of all of them, that are kept in memory; the one not asked for longest makes room."""
AT_ONCE = 500
"""Rows of one statement."""
NOT_READ = Known("-")


@dataclass
class _Kept:
    known: Known = NOT_READ
    checked: float = float("-inf")


class SqlTeamEntries:
    """Keep entries and aliases in the database, and in memory what was read; ``seconds`` is a clock for that."""

    def __init__(self, engine: AsyncEngine, seconds: Callable[[], float] = time.monotonic) -> None:
        self._engine = engine
        self._seconds = seconds
        self._kept: OrderedDict[str, _Kept] = OrderedDict()

    async def known(self, workspace: str, *, now: bool = False) -> Known:
        """Return what the workspace knows, by its version; the version is read every three seconds at most."""
        kept = self._kept.get(workspace, _Kept())
        at = self._seconds()
        if not now and at - kept.checked < CHECK_SECONDS:
            return kept.known
        async with self._engine.connect() as connection:
            version = await _version(connection, workspace)
            # Read after its version: what is written in between is read again with the next one.
            known = kept.known if version == kept.known.version else await _read(connection, workspace, version)
        self._keep(workspace, _Kept(known, at))
        return known

    def _keep(self, workspace: str, kept: _Kept) -> None:
        self._kept[workspace] = kept
        self._kept.move_to_end(workspace)
        held = sum(len(one.known.entries) for one in self._kept.values()) if kept.known.entries else 0
        while len(self._kept) > 1 and (len(self._kept) > MOST_WORKSPACES or held > MOST_ENTRIES):
            held -= len(self._kept.popitem(last=False)[1].known.entries)

    async def save(
        self, workspace: str, entries: Sequence[TeamEntry], aliases: Sequence[Alias] = (), *, on: str | None = None
    ) -> bool:
        """Write entries and aliases in one transaction; an alias that is there already leads to another entry then.

        Whoever was forgotten since they wrote them is left out. ``on``: the version that they were made on; False, with
        nothing written, where the workspace has another one by now.
        """
        authors = {entry.written_by for entry in entries} | {alias.written_by for alias in aliases}
        async with self._engine.begin() as connection:
            await only_writer_for(connection, workspace, *filter(None, authors))
            if not await renew_version(self._engine, connection, workspace, on):
                return False
            gone = await forgotten_since(connection, workspace, sorted(authors))
            entries = [_without_author(entry) if entry.written_by in gone else entry for entry in entries]
            aliases = [replace(alias, written_by="") if alias.written_by in gone else alias for alias in aliases]
            for start in range(0, len(entries), AT_ONCE):
                rows = [row_of(workspace, entry) for entry in entries[start : start + AT_ONCE]]
                await self._upsert(connection, team_entries, rows, ("workspace", "id"))
            for start in range(0, len(aliases), AT_ONCE):
                rows = [_alias_row(workspace, alias) for alias in aliases[start : start + AT_ONCE]]
                await self._upsert(connection, team_aliases, rows, ("workspace", "key"))
        self.changed(workspace)
        return True

    async def change(
        self, workspace: str, entry_id: str, was: State, become: Callable[[TeamEntry], TeamEntry], author: str = ""
    ) -> TeamEntry | None:
        """Change an entry as it stands now, if it is in that state; None where it is not, or not there.

        ``author``: who becomes its author by this; not whoever was forgotten since they wrote it.
        """
        async with self._engine.begin() as connection:
            await only_writer_for(connection, workspace, *filter(None, [author]))
            await renew_version(self._engine, connection, workspace)
            changed = await change_entry(connection, workspace, entry_id, was, become)
        self.changed(workspace)
        return changed

    def changed(self, workspace: str) -> None:
        """Note that what is kept in memory of a workspace is old."""
        self._kept.pop(workspace, None)

    async def _upsert(
        self, connection: AsyncConnection, table: Any, rows: Sequence[dict[str, Any]], key: Sequence[str]
    ) -> None:
        statement = insert_into(self._engine, table)
        changed = {name: statement.excluded[name] for name in rows[0] if name not in key}
        # As a list of parameters: SQLite bounds the variables of one statement.
        await connection.execute(statement.on_conflict_do_update(index_elements=list(key), set_=changed), list(rows))

    async def remove_alias(self, workspace: str, name: str) -> bool:
        """Delete an alias by its words."""
        a = team_aliases.c
        async with self._engine.begin() as connection:
            await renew_version(self._engine, connection, workspace)
            gone = await connection.execute(
                delete(team_aliases).where(a.workspace == workspace, a.key == key_of(name)[:120])
            )
        self.changed(workspace)
        return cast("CursorResult[object]", gone).rowcount > 0


async def change_entry(
    connection: AsyncConnection, workspace: str, entry_id: str, was: State, become: Callable[[TeamEntry], TeamEntry]
) -> TeamEntry | None:
    """Change an entry if it is in that state, in a transaction that has renewed the version."""
    e = team_entries.c
    mine = (e.workspace == workspace) & (e.id == entry_id)
    row = (await connection.execute(select(team_entries).where(mine, e.state == was))).first()
    if row is None:
        return None
    changed = become(_entry(row))
    gone = await forgotten_since(connection, workspace, [changed.written_by])
    kept = _without_author(changed) if gone else changed
    await connection.execute(update(team_entries).where(mine).values(row_of(workspace, kept)))
    return changed


def _without_author(entry: TeamEntry) -> TeamEntry:
    return replace(entry, written_by="", shown_author="")


async def leave_author_out(engine: AsyncEngine, connection: AsyncConnection, workspace: str, user: str) -> int:
    """Take a person out of the entries and aliases that they wrote, which stay; return how many there were."""
    both = (team_entries, team_aliases)
    theirs = {table: (table.c.workspace == workspace) & (table.c.user_id == user) for table in both}
    found = [await connection.scalar(select(table.c.workspace).where(theirs[table]).limit(1)) for table in both]
    if not any(found):
        return 0
    # First, as whoever saves does it, or the two could hold each other up.
    await renew_version(engine, connection, workspace)
    nobody = {"user_id": None, "shown_author": ""}
    entries = await connection.execute(update(team_entries).where(theirs[team_entries]).values(nobody))
    aliases = await connection.execute(update(team_aliases).where(theirs[team_aliases]).values(user_id=None))
    return sum(cast("CursorResult[object]", one).rowcount for one in (entries, aliases))


async def _version(connection: AsyncConnection, workspace: str) -> str:
    query = select(team_versions.c.version).where(team_versions.c.workspace == workspace)
    return await connection.scalar(query) or ""


async def _read(connection: AsyncConnection, workspace: str, version: str) -> Known:
    if not version:
        return NOTHING
    e, a = team_entries, team_aliases
    entries = await connection.execute(select(e).where(e.c.workspace == workspace).order_by(e.c.name, e.c.id))
    aliases = await connection.execute(select(a).where(a.c.workspace == workspace).order_by(a.c.key))
    return Known(version, tuple(map(_entry, entries)), tuple(map(_alias, aliases)))


def row_of(workspace: str, entry: TeamEntry) -> dict[str, Any]:
    """Return an entry as its row."""
    return {
        "workspace": workspace,
        "id": entry.id,
        "name": entry.name,
        "names": list(entry.names),
        "question": entry.question,
        "answer": entry.answer,
        "roles": list(entry.roles),
        "topics": list(entry.topics),
        "source": entry.source,
        "user_id": entry.written_by or None,
        "shown_author": entry.shown_author,
        "published_at": entry.published_at,
        "verified_at": entry.verified_at,
        "by_curator": entry.by_curator,
        "verify_by": entry.verify_by,
        "state": entry.state,
        "changed_at": entry.changed_at,
    }


def _entry(row: Row[Any]) -> TeamEntry:
    return TeamEntry(
        id=row.id,
        name=row.name,
        names=tuple(row.names),
        question=row.question,
        answer=row.answer,
        roles=tuple(row.roles),
        topics=tuple(row.topics),
        source=row.source,
        written_by=row.user_id or "",
        shown_author=row.shown_author,
        published_at=row.published_at,
        verified_at=row.verified_at,
        by_curator=row.by_curator,
        verify_by=row.verify_by,
        state=row.state,
        changed_at=row.changed_at,
    )


def _alias_row(workspace: str, alias: Alias) -> dict[str, Any]:
    return {
        "workspace": workspace,
        "key": key_of(alias.name)[:120],
        "name": alias.name,
        "entry_id": alias.entry_id,
        "user_id": alias.written_by or None,
        "written_at": alias.written_at,
    }


def _alias(row: Row[Any]) -> Alias:
    return Alias(row.name, row.entry_id, row.user_id or "", row.written_at)
