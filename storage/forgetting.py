"""Everything about one person, shown and deleted; everything about a workspace, deleted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, cast

from sqlalchemy import case, delete, null, select, tuple_, update
from sqlalchemy.engine import CursorResult
from sqlalchemy.ext.asyncio import AsyncConnection

from knowledge.workspaces import Recorded
from storage.ask_forgetting import forget_in_asks, unname_in_asks
from storage.changing import Changing
from storage.database import only_writer_for
from storage.forgotten import remember_forgotten
from storage.installations import only_one_for
from storage.keeping import forget_in_keepings
from storage.kept import everything_about, named_alone
from storage.namings import forget_namings
from storage.removals import is_due, note_deleted
from storage.tables import (
    KEPT_APART,
    audit,
    curators,
    declarations,
    inbox,
    installations,
    listings,
    members,
    metadata,
    namings,
    threads,
)
from storage.tables import terms as terms_table
from storage.team_entries import leave_author_out
from storage.underway import note_forgotten
from storage.vacated import held_roles, note_left
from storage.workspaces import add_records

KEEP_LEFT = timedelta(days=30)
"""So long what somebody declared stays after they left: whoever comes back within it finds it as it was."""
_PERSONAL = (declarations, members, terms_table, threads, curators, namings)
"""Tables whose rows are one person's own."""


class SqlForgetting(Changing):
    """Show and delete every row of a person."""

    async def kept(
        self, workspace: str, user: str, *, for_another: bool = False
    ) -> Mapping[str, Sequence[Mapping[str, Any]]]:
        """Return every row that names the person, by table; ``for_another``: without what they did unnamed."""
        found = await everything_about(self._engine, workspace, user)
        return named_alone(found) if for_another else found

    async def forget(
        self,
        workspace: str,
        user: str,
        *,
        answering: tuple[str, str] | None = None,
        record: Recorded | None = None,
    ) -> int:
        """Delete the person's declarations, profile and conversations, and the person from the inbox.

        A keyed hash stays, so that no import brings the person back; whoever declares something again lifts it.
        Ids of events stay, without the person and what was said: they keep an answer from being given twice. What
        waits is not taken up again after a restart; what a running worker holds already is still answered. Nothing that
        began before now writes about the person any more: see storage/underway.py.
        ``record`` is written in the same transaction: there is no erasing by others without an entry in the log.
        ``answering``, the channel and time of the message that asks for it, is worked on until that is confirmed.
        """
        async with self._changing(workspace) as connection:
            by = record.who if record is not None else user
            await only_writer_for(connection, workspace, *{user, by})
            before = await held_roles(connection, workspace, user)
            count = await forget_in_asks(self._engine, connection, workspace, user)
            for table in _PERSONAL:
                result = await connection.execute(
                    delete(table).where(table.c.workspace == workspace, table.c.user_id == user)
                )
                count += cast("CursorResult[object]", result).rowcount
            count += await forget_namings(connection, workspace, user)
            # Copies of what was counted above.
            copied = delete(listings).where(listings.c.workspace == workspace, listings.c.user_id == user)
            await connection.execute(copied)
            key = (inbox.c.workspace, inbox.c.event_id)
            theirs = (inbox.c.workspace == workspace) & (inbox.c.user_id == user)
            # In the order in which the inbox marks events as done, or the two could hold each other up.
            found = select(*key).where(theirs).order_by(*key).with_for_update().cte("found")
            state: Any = "done"
            body: Any = ""
            # A direct message with the bot is one person's: its id would name them as well as theirs does.
            direct = inbox.c.channel.startswith("D", autoescape=True)
            where = {name: case((direct, null()), else_=inbox.c[name]) for name in ("channel", "message_ts")}
            if answering is not None:
                # Its body, which is erased once it is done, is needed to try again where Slack is out of reach.
                asked = (inbox.c.channel == answering[0]) & (inbox.c.message_ts == answering[1])
                asked &= inbox.c.state == "claimed"
                state, body = case((asked, inbox.c.state), else_=state), case((asked, inbox.c.body), else_=body)
                where = {name: case((asked, inbox.c[name]), else_=gone) for name, gone in where.items()}
            await connection.execute(
                update(inbox)
                .where(tuple_(*key).in_(select(*found.c)))
                .values(state=state, user_id=None, body=body, **where)
            )
            installed = (installations.c.workspace == workspace) & (installations.c.user_id == user)
            await connection.execute(update(installations).where(installed).values(user_id=None))
            await note_left(connection, workspace, before, self._now())
            mark = await remember_forgotten(self._engine, connection, workspace, user)
            # What they did in office stays on record, and so does what was done to them; who it was does not.
            for column in (audit.c.user_id, audit.c.about):
                await connection.execute(
                    update(audit).where(audit.c.workspace == workspace, column == user).values({column: mark})
                )
            count += await forget_in_keepings(self._engine, connection, workspace, user)
            # What they wrote for their team stays the team's, without them.
            count += await leave_author_out(self._engine, connection, workspace, user)
            if record is not None:
                # Whoever erased themself is nowhere to be named again.
                who = mark if record.who == user else record.who
                done = replace(record, who=who, about=mark, after={**record.after, "rows": count})
                await add_records(self._engine, connection, workspace, [done])
            # Last, so that it stands as late as can be known here.
            await note_forgotten(self._engine, connection, workspace, user, self._now())
        return count

    async def erase_left(self, now: datetime, most: int = 500) -> int:
        """Delete what is kept of people who left 30 days ago; return how many. Whoever is back by then stays.

        No hash is left: nobody asked to be forgotten. Several processes at once delete each person once.
        """
        m = members.c
        gone = select(m.workspace, m.user_id).where(m.left_at <= now - KEEP_LEFT).order_by(m.left_at).limit(most)
        async with self._engine.connect() as connection:
            found = (await connection.execute(gone)).all()
        count = 0
        for workspace, user in found:
            async with self._changing(workspace) as connection:
                await only_writer_for(connection, workspace, user)
                own = (m.workspace == workspace) & (m.user_id == user) & (m.left_at <= now - KEEP_LEFT)
                erased = await connection.execute(delete(members).where(own))
                if cast("CursorResult[object]", erased).rowcount:
                    count += 1
                    for table in (declarations, terms_table, listings, namings):
                        theirs = (table.c.workspace == workspace) & (table.c.user_id == user)
                        await connection.execute(delete(table).where(theirs))
                    await unname_in_asks(self._engine, connection, workspace, user)
        return count

    async def forget_workspace(self, workspace: str) -> int:
        """Delete every row of the workspace, events and marks of forgotten people included; in every table."""
        async with self._changing(workspace) as connection:
            return await _delete_all(connection, workspace)

    async def forget_removed(self, workspace: str, now: datetime) -> int | None:
        """Do so where the app was removed; None where nothing is to be deleted by now, as where the app is back.

        Nobody installs it meanwhile: what comes with a new installation stays.
        """
        async with self._changing(workspace) as connection:
            await only_one_for(connection, workspace)
            if not await is_due(connection, workspace, now):
                return None
            count = await _delete_all(connection, workspace)
            await note_deleted(connection, workspace, count, now)
        return count


async def _delete_all(connection: AsyncConnection, workspace: str) -> int:
    count = 0
    for table in metadata.tables.values():
        if table not in KEPT_APART:
            result = await connection.execute(delete(table).where(table.c.workspace == workspace))
            count += cast("CursorResult[object]", result).rowcount
    return count
