"""Declarations and profiles of members; implements the guide's ``People`` port out of its parts."""

from __future__ import annotations

import random
import time
from collections import OrderedDict
from collections.abc import Callable, Sequence
from datetime import UTC, datetime

from sqlalchemy.ext.asyncio import AsyncEngine

from knowledge.people import Candidate
from storage.candidates import SqlCandidates
from storage.declaring import SqlDeclarations
from storage.forgetting import SqlForgetting
from storage.moments import FAR
from storage.profiles import SqlProfiles
from storage.topics import SqlTopics

HOLDERS_SECONDS = 5.0
HOLDERS_WORKSPACES = 5_000
"""Workspaces whose holders are kept in memory; the one not asked for longest makes room."""
HOLDERS_CHECKED = 500
"""People of a workspace of whom is kept in memory when they were looked up; of one more, all are read again."""


class SqlPeople(SqlCandidates, SqlTopics, SqlDeclarations, SqlProfiles, SqlForgetting):
    """Keep declarations in the database.

    ``rng`` draws the lots that decide between equals; ``seconds`` is a clock for what cards show of a role's holders.
    """

    def __init__(
        self,
        engine: AsyncEngine,
        rng: random.Random,
        seconds: Callable[[], float] = time.monotonic,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        super().__init__(engine, rng, now)
        self._seconds = seconds
        # By workspace, then role: when it was read, and what.
        self._changes = 0
        self._holders: OrderedDict[str, dict[str, tuple[float, Sequence[Candidate]]]] = OrderedDict()
        # By workspace, then person: when it was read, and when they were looked up.
        self._looked_up: OrderedDict[str, dict[str, tuple[float, datetime]]] = OrderedDict()

    async def holders(self, workspace: str, role: str) -> Sequence[Candidate]:
        """Return who holds a role, at most five seconds old, as every card of the role shows it."""
        kept = self._holders.get(workspace, {}).get(role)
        if kept is not None and self._seconds() - kept[0] < HOLDERS_SECONDS:
            return kept[1]
        at, changes = self._seconds(), self._changes
        # Whoever is at the weekly cap still holds the role: a card says who does it, it sends nobody to them.
        found = await self.candidates(workspace, topics=(), roles=(role,), without=None, now=FAR)
        if changes != self._changes:
            # Something was written meanwhile: what was read may be old already.
            return found
        self._holders.setdefault(workspace, {})[role] = (at, found)
        self._holders.move_to_end(workspace)
        if len(self._holders) > HOLDERS_WORKSPACES:
            self._holders.popitem(last=False)
        return found

    async def unchecked(self, workspace: str, users: Sequence[str], since: datetime) -> Sequence[str]:
        """Return the users without a profile looked up since then; who has one is read at most once in five seconds.

        Every card asks it of those whom it is about to name.
        """
        kept, at = self._looked_up.get(workspace, {}), self._seconds()
        fresh = {
            user for user in users if (one := kept.get(user)) and at - one[0] < HOLDERS_SECONDS and one[1] >= since
        }
        missing = [user for user in users if user not in fresh]
        if not missing:
            return []
        changes, found = self._changes, await self._checked(workspace, missing)
        if changes == self._changes:
            kept = self._looked_up.setdefault(workspace, {})
            if len(kept) + len(found) > HOLDERS_CHECKED:
                kept.clear()
            kept.update((user, (at, checked)) for user, checked in found.items())
            self._looked_up.move_to_end(workspace)
            if len(self._looked_up) > HOLDERS_WORKSPACES:
                self._looked_up.popitem(last=False)
        return [user for user in missing if user not in found or found[user] < since]

    def _changed(self, workspace: str) -> None:
        self._changes += 1
        self._holders.pop(workspace, None)
        self._looked_up.pop(workspace, None)
