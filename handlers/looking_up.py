"""Looking up unasked who declared something, little by little: whoever has left drops out, asked for or not."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterator
from datetime import timedelta

from handlers.members import Left, profile_of, take_over
from handlers.replies import ClientOf, Clock
from knowledge.ports import People, ToLookUp

RUN_SECONDS = 60.0
"""How often those are looked for whose turn has come."""
MOST_A_RUN = 10
"""Look-ups of one workspace in a minute: answers need their share of what Slack allows."""
AT_ONCE = 4
"""Workspaces beside each other: one in which Slack is slow does not hold up all others."""
TRY_AGAIN = timedelta(minutes=15)
logger = logging.getLogger(__name__)


class Patrol:
    """Look up the profiles that are missing or oldest."""

    def __init__(
        self,
        to_look_up: ToLookUp,
        people: People,
        left: Left,
        client_of: ClientOf,
        is_known: Callable[[], bool],
        now: Clock,
    ) -> None:
        self._to_look_up = to_look_up
        self._people = people
        self._left = left
        self._client_of = client_of
        self._is_known = is_known
        self._now = now

    async def run(self) -> None:
        """Look up at most ten people of each workspace in which somebody's turn has come."""
        if not self._is_known():
            # Slack has not said yet whose token this is.
            return
        workspaces = iter(await self._to_look_up.workspaces(self._now()))
        async with asyncio.TaskGroup() as group:
            for _ in range(AT_ONCE):
                group.create_task(self._work_off(workspaces))

    async def _work_off(self, workspaces: Iterator[str]) -> None:
        for workspace in workspaces:
            await self._look_up(workspace)

    async def _look_up(self, workspace: str) -> None:
        client = await self._client_of(workspace)
        if client is None:
            # The app is not installed there.
            return
        ends = await self._to_look_up.take_minute(workspace, self._now())
        for _ in range(MOST_A_RUN):
            now = self._now()
            if ends is None or now >= ends:
                # It is another process's minute.
                return
            # Taken before Slack is asked: should that take long, the next minute may be another process's.
            user = await self._to_look_up.claim(workspace, now, now + TRY_AGAIN)
            if user is None:
                return
            member = await profile_of(client, workspace, user, now)
            if member is None:
                # Slack says nothing of this person, or at all: the next one is asked for in the next minute.
                return
            try:
                await take_over(self._people, self._left, workspace, member, self._now())
            except Exception as error:
                # What goes wrong for one person holds up nobody after them.
                logger.warning("a profile could not be taken over: %s", type(error).__name__)
