"""Profiles, as Slack gave them, of people who declared something."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import cast

from sqlalchemy import delete, func, insert, select, update

from knowledge.people import Availability, Member
from storage.changing import Changing
from storage.database import only_writer_for
from storage.moments import NEVER
from storage.standing import copy_standing
from storage.tables import declarations, members, terms
from storage.vacated import held_roles, note_left

LOOK_UP_AGAIN = timedelta(days=1)
"""So old a profile is looked up though nobody asks: whoever is about to be named is looked up anyway."""


class SqlProfiles(Changing):
    """Keep profiles, and mark the declarations by them."""

    async def remember(self, workspace: str, member: Member, now: datetime, *, looked_up: bool = True) -> None:
        """Keep the profile, if the person declared something, and mark the declarations by it.

        What was not looked up does not say who is away: that, and when it was looked up, stay as they were.
        """
        d, m, t = declarations, members, terms
        async with self._changing(workspace) as connection:
            await only_writer_for(connection, workspace, member.user)
            held = await held_roles(connection, workspace, member.user)
            # Written first: from here on nobody else writes, so that a person who is forgotten meanwhile stays so.
            gone = delete(m).where(m.c.workspace == workspace, m.c.user_id == member.user)
            before = (await connection.execute(gone.returning(m.c.left_at, m.c.availability, m.c.checked_at))).first()
            left_at, availability, checked_at = before or (None, member.availability, NEVER)
            declared = await connection.scalar(
                select(func.count()).select_from(d).where(d.c.workspace == workspace, d.c.user_id == member.user)
            )
            if not declared:
                return
            if looked_up:
                availability, checked_at = member.availability, now
                await connection.execute(
                    update(t)
                    .where(t.c.workspace == workspace, t.c.user_id == member.user)
                    .values(look_up_at=now + LOOK_UP_AGAIN)
                )
            elif not (member.availability == "active" and availability == "away"):
                availability = member.availability
            await connection.execute(
                insert(m).values(
                    workspace=workspace,
                    user_id=member.user,
                    name=member.name[:200],
                    title=member.title[:300],
                    tz=member.tz[:64],
                    availability=availability,
                    is_bot=member.is_bot,
                    is_guest=member.is_guest,
                    checked_at=checked_at,
                    left_at=(left_at or now) if member.availability == "deactivated" else None,
                )
            )
            await copy_standing(connection, workspace, member.user)
            await note_left(connection, workspace, held, now)

    async def profile(self, workspace: str, user: str) -> Member | None:
        """Return the kept profile of a person, if there is one."""
        query = select(members).where(members.c.workspace == workspace, members.c.user_id == user)
        async with self._engine.connect() as connection:
            row = (await connection.execute(query)).first()
        if row is None:
            return None
        return Member(user, row.name, row.title, row.tz, cast(Availability, row.availability), row.is_bot, row.is_guest)

    async def _checked(self, workspace: str, users: Sequence[str]) -> dict[str, datetime]:
        """Return when the profiles that are kept of these people were looked up."""
        query = select(members.c.user_id, members.c.checked_at).where(
            members.c.workspace == workspace, members.c.user_id.in_(users)
        )
        async with self._engine.connect() as connection:
            return {row.user_id: row.checked_at for row in await connection.execute(query)}
