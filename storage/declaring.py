"""What one person declared, and on which terms."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import cast

from sqlalchemy import case, delete, func, insert, null, select
from sqlalchemy.ext.asyncio import AsyncConnection

from knowledge.freshness import CHECK_AFTER
from knowledge.people import LEVELS, Declaration, Level, Terms, Visibility
from storage.ask_forgetting import unname_in_asks
from storage.changing import Changing
from storage.database import insert_into, only_writer_for
from storage.forgotten import lift
from storage.moments import NEVER, monday_of
from storage.standing import NO_LEVEL, copy_standing
from storage.tables import declarations, listings, members, namings
from storage.tables import terms as terms_table
from storage.underway import refuse_forgotten
from storage.vacated import held_roles, note_left
from storage.workspaces import default_visibility


class SqlDeclarations(Changing):
    """Read and replace declarations."""

    async def declaration(self, workspace: str, user: str) -> Declaration:
        """Return what the person declared, topics in the order of their words."""
        d = declarations
        query = (
            select(d.c.kind, d.c.key, d.c.label, d.c.level, d.c.confirmed_at)
            .where(d.c.workspace == workspace, d.c.user_id == user)
            .order_by(d.c.kind, d.c.level, d.c.key)
        )
        t = terms_table.c
        own = select(t.visibility, t.weekly_cap, t.check_at, t.unanswered, t.faded, t.imported_at).where(
            t.workspace == workspace, t.user_id == user
        )
        async with self._engine.connect() as connection:
            rows = (await connection.execute(query)).all()
            set_terms = (await connection.execute(own)).first()
            unsaid = "open" if set_terms else await default_visibility(connection, workspace)
        return Declaration(
            roles={row.key: LEVELS[row.level] for row in rows if row.kind == "role"},
            topics={row.key: row.label for row in rows if row.kind == "topic"},
            confirmed=max((row.confirmed_at for row in rows), default=None),
            terms=Terms(
                cast(Visibility, set_terms.visibility if set_terms else unsaid),
                set_terms.weekly_cap if set_terms else None,
                {row.key: row.label for row in rows if row.kind == "not"},
            ),
            check_at=set_terms.check_at if set_terms else None,
            unanswered=set_terms.unanswered if set_terms else 0,
            faded=bool(set_terms and set_terms.faded),
            imported=bool(set_terms and set_terms.imported_at),
        )

    async def declare(
        self,
        workspace: str,
        user: str,
        roles: Mapping[str, Level],
        topics: Mapping[str, str],
        now: datetime,
        terms: Terms | None = None,
    ) -> None:
        """Replace the person's declaration in one transaction. Raises ForgottenSince."""
        d = declarations
        best = min((LEVELS.index(level) for level in roles.values()), default=NO_LEVEL)
        async with self._changing(workspace) as connection:
            await only_writer_for(connection, workspace, user)
            await refuse_forgotten(connection, workspace, user)
            before = await held_roles(connection, workspace, user)
            t = terms_table.c
            visibility = select(t.visibility).where(t.workspace == workspace, t.user_id == user)
            was = await connection.scalar(visibility)
            # The turn that a person has had is kept, or declaring again would jump the queue.
            turn = await connection.scalar(
                select(func.max(d.c.suggested_at)).where(d.c.workspace == workspace, d.c.user_id == user)
            )
            gone = delete(d).where(d.c.workspace == workspace, d.c.user_id == user)
            if terms is None:
                gone = gone.where(d.c.kind != "not")
            await connection.execute(gone)
            common = {
                "workspace": workspace,
                "user_id": user,
                "confirmed_at": now,
                "suggestible": True,
                "out_of_office": False,
                "away": False,
                "suggested_at": turn or NEVER,
                "lot": self._rng.getrandbits(31),
                "free_from": NEVER,
            }
            rows = [
                {**common, "kind": "role", "key": role, "label": "", "level": LEVELS.index(level)}
                for role, level in roles.items()
            ] + [
                {**common, "kind": "topic", "key": key, "label": label, "level": best} for key, label in topics.items()
            ]
            if rows:
                # Who declares something themself may be imported again.
                await lift(connection, workspace, user)
                rows += [
                    {**common, "kind": "not", "key": key, "label": label, "level": NO_LEVEL}
                    for key, label in (terms.not_about if terms else {}).items()
                ]
                await connection.execute(insert(d), rows)
                await self._set_terms(connection, workspace, user, terms, now)
                await copy_standing(connection, workspace, user)
            else:
                # Nothing is kept of somebody who declares nothing.
                for table in (declarations, members, terms_table, listings, namings):
                    await connection.execute(
                        delete(table).where(table.c.workspace == workspace, table.c.user_id == user)
                    )
            await note_left(connection, workspace, before, now)
            # Not for whoever was hidden before: the name that they ticked with an answer is still to be read.
            if not rows or (was == "open" and await connection.scalar(visibility) != "open"):
                await unname_in_asks(self._engine, connection, workspace, user)

    async def _set_terms(
        self, connection: AsyncConnection, workspace: str, user: str, given: Terms | None, now: datetime
    ) -> None:
        """Set the terms, where some are given, and note that all was confirmed."""
        confirmed = {"confirmed_at": now, "check_at": now + CHECK_AFTER, "unanswered": 0, "faded": False}
        confirmed |= {"imported_at": None}
        chosen = {"visibility": given.visibility, "weekly_cap": given.weekly_cap} if given else {}
        unsaid = await default_visibility(connection, workspace)
        first = {"visibility": unsaid, "weekly_cap": None, "week": monday_of(now), "suggested": 0, "look_up_at": now}
        upsert = insert_into(self._engine, terms_table).values(
            workspace=workspace, user_id=user, **(first | chosen | confirmed)
        )
        # Whoever asked never to be asked whether it is still right is not asked again for having changed something.
        kept = case((terms_table.c.check_at.is_(None), null()), else_=confirmed["check_at"])
        await connection.execute(
            upsert.on_conflict_do_update(
                index_elements=["workspace", "user_id"], set_=chosen | confirmed | {"check_at": kept}
            )
        )

    async def declares(self, workspace: str, user: str) -> bool:
        """Tell whether the person declared anything, by one look-up of the primary key."""
        t = terms_table.c
        query = select(t.user_id).where(t.workspace == workspace, t.user_id == user)
        async with self._engine.connect() as connection:
            return await connection.scalar(query) is not None

    async def count(self, workspace: str) -> int:
        """Return how many declarations the workspace holds."""
        query = select(func.count()).select_from(declarations).where(declarations.c.workspace == workspace)
        async with self._engine.connect() as connection:
            return await connection.scalar(query) or 0
