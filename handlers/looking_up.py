"""Looking up unasked who declared something, little by little: whoever has left drops out, asked for or not."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable
from datetime import datetime, timedelta

from slack_sdk.web.async_client import AsyncWebClient

from handlers.members import Left, profile_of, take_over
from handlers.replies import ClientOf, Clock
from knowledge.ports import People, ToLookUp

RUN_SECONDS = 60.0
"""How often those are looked for whose turn has come."""
MOST_A_RUN = 10
"""Look-ups of one workspace in a minute: answers need their share of what Slack allows."""
MOST_READ = 500
TRY_AGAIN = timedelta(minutes=15)
NOT_OURS_FOR = timedelta(days=1)
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
        """Look up at most ten people a workspace; the others are moved on, so that no large one stands before all."""
        now = self._now()
        if not self._is_known():
            # Slack has not said yet whose token this is.
            return
        turns: Counter[str] = Counter()
        minutes: dict[str, datetime | None] = {}
        clients: dict[str, AsyncWebClient | None] = {}
        mine: list[tuple[str, str]] = []
        later: list[tuple[str, str, datetime]] = []
        for workspace, user in await self._to_look_up.due(now, MOST_READ):
            if workspace not in clients:
                clients[workspace] = await self._client_of(workspace)
            if clients[workspace] is None:
                later.append((workspace, user, now + NOT_OURS_FOR))
                continue
            if workspace not in minutes:
                minutes[workspace] = await self._to_look_up.take_minute(workspace, now)
            runs = turns[workspace] // MOST_A_RUN
            turns[workspace] += 1
            if runs:
                later.append((workspace, user, now + runs * timedelta(seconds=RUN_SECONDS)))
            elif minutes[workspace]:
                mine.append((workspace, user))
            # Else another process works on the workspace in this minute, and these may be its people.
        await self._to_look_up.put_off(later, now)
        silent: set[str] = set()
        for workspace, user in mine:
            client, ends = clients[workspace], minutes[workspace]
            if client is None or ends is None or self._now() >= ends or workspace in silent:
                continue
            member = await profile_of(client, user, self._now())
            if member is None:
                # Slack says nothing of this person, or at all: the next one is asked for in the next minute.
                silent.add(workspace)
                await self._to_look_up.put_off([(workspace, user, now + TRY_AGAIN)], self._now())
                continue
            try:
                await take_over(self._people, self._left, workspace, member, self._now())
            except Exception as error:
                # What goes wrong for one person holds up nobody after them.
                logger.warning("a profile could not be taken over: %s", type(error).__name__)
                await self._to_look_up.put_off([(workspace, user, now + TRY_AGAIN)], self._now())
