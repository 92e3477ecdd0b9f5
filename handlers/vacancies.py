"""Curators are told when nobody is left for a role: in their working hours, once, and all of a day in one message."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from datetime import timedelta

from slack_sdk.web.async_client import AsyncWebClient

from handlers import ids
from handlers.blocks.message import Message, actions, button, escape, message, section
from handlers.blocks.message import context as small_print
from handlers.errors import may_begin_again
from handlers.freshness import NOT_OURS_FOR, OUT_FOR, SILENT_FOR, TRY_AGAIN, LookUp, WriteTo
from handlers.members import person_of
from handlers.replies import ClientOf, Clock, write_to
from knowledge.freshness import is_working_time, next_working_time
from knowledge.models import Role
from knowledge.ports import Vacancies, Workspaces
from knowledge.workspaces import ToTell

logger = logging.getLogger(__name__)
MOST_A_RUN = 50
AT_MOST_EVERY = timedelta(days=1)
"""How often a curator is told, at most."""


class Notices:
    """Tell curators of roles that have nobody left, each once."""

    def __init__(
        self,
        vacancies: Vacancies,
        workspaces: Workspaces,
        roles: Mapping[str, Role],
        client_of: ClientOf,
        now: Clock,
        *,
        look_up: LookUp = person_of,
        write: WriteTo = write_to,
    ) -> None:
        self._vacancies = vacancies
        self._workspaces = workspaces
        self._roles = roles
        self._client_of = client_of
        self._now = now
        self._look_up = look_up
        self._write = write

    async def run(self) -> None:
        """See which roles lost their last, and tell those whose time has come."""
        now = self._now()
        await self._vacancies.notice(now, MOST_A_RUN)
        for one in await self._vacancies.to_tell(now, MOST_A_RUN):
            claimed = await self._vacancies.claim(one, now)
            if claimed is None:
                continue
            wait = await self._tell(one)
            if wait is None:
                await self._vacancies.told(one, claimed, now)
            else:
                await self._vacancies.put_off(one, claimed, now + wait)

    async def _tell(self, one: ToTell) -> timedelta | None:
        """Tell one curator; returns how long it has to wait, or None where it is settled."""
        now = self._now()
        client = await self._client_of(one.workspace)
        if client is None:
            return NOT_OURS_FOR
        if not (await self._workspaces.settings(one.workspace)).starts_messages:
            return SILENT_FOR
        if one.told is not None and now - one.told < AT_MOST_EVERY:
            return one.told + AT_MOST_EVERY - now
        found = await self._vacancies.orphaned(one.workspace, one.since)
        orphaned = [role for role in found if role in self._roles]
        if not orphaned:
            # Somebody has taken it on meanwhile.
            return None
        member = await self._look_up(client, one.workspace, one.user, now)
        if member is None:
            return TRY_AGAIN
        if not member.suggestible:
            # A curator who has left, or is a guest by now, is told nothing.
            return None
        if member.availability == "ooo":
            return next_working_time(now + OUT_FOR, member.tz) - now
        if not is_working_time(now, member.tz):
            return next_working_time(now, member.tz) - now
        return await self._write_to(client, one.user, orphaned)

    async def _write_to(self, client: AsyncWebClient, user: str, orphaned: Sequence[str]) -> timedelta | None:
        try:
            await self._write(client, user, nobody_left(orphaned, self._roles))
        except Exception as error:
            logger.warning("a curator could not be told of roles without people: %s", type(error).__name__)
            if may_begin_again(error):
                return TRY_AGAIN
        return None


def nobody_left(orphaned: Sequence[str], roles: Mapping[str, Role]) -> Message:
    """Say which roles nobody holds any more; not who it was."""
    lines = [f"• {name}" for name in names_of(orphaned, roles)]
    begin = "Nobody here declares any more:"
    why = "Whoever declared it last has left, withdrawn it, or not confirmed it for long."
    what = "Do you know somebody who does it? Ask them to type /genai-role me."
    return message(
        [begin, *lines, why, what],
        [
            section(f"*{begin}*\n" + escape("\n".join(lines))),
            section(escape(f"{why} {what}")),
            actions(button("I do this", ids.DECLARE, "-", label="Declare what I do")),
            small_print("You are told as a curator of this workspace, once, at most one message a day."),
        ],
    )


def names_of(orphaned: Sequence[str], roles: Mapping[str, Role]) -> list[str]:
    """Return the names of roles; those that are not in the knowledge any more are left out."""
    return [roles[role].name for role in orphaned if role in roles]
