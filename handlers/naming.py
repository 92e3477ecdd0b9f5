"""For whom colleagues are named: members of this workspace, where nobody from another company reads along."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from slack_sdk.web.async_client import AsyncWebClient

from handlers.members import LookUps, Profiles
from handlers.payloads import Actor
from handlers.permissions import Standings, may
from knowledge.people import MayName
from knowledge.ports import Workspaces


class Naming:
    """Decide whether an answer may name colleagues; the only place that does.

    Not for guests, and not for people of other workspaces or in channels that are shared with other companies, unless
    the settings of the workspace say otherwise.
    """

    def __init__(self, standings: Standings, workspaces: Workspaces, profiles: Profiles) -> None:
        self._standings = standings
        self._workspaces = workspaces
        self._profiles = profiles

    def to(self, client: AsyncWebClient, actor: Actor) -> MayName:
        """Return what tells whether colleagues may be named in an answer to this person, and looks these up."""

        async def may_name() -> bool:
            settings = await self._workspaces.settings(actor.workspace)
            if actor.outside:
                return settings.names_in_shared
            standing = await self._standings.of(client, actor)
            if standing == "outsider":
                return settings.names_in_shared
            return settings.names_to_guests or may(standing, "see names")

        return _ToPerson(may_name, self._profiles.for_answer(client, actor.workspace))


@dataclass(frozen=True)
class _ToPerson:
    may: Callable[[], Awaitable[bool]]
    look_ups: LookUps

    async def __call__(self) -> bool:
        return await self.may()

    async def look_up(self, users: Sequence[str]) -> bool:
        return await self.look_ups(users)


class _ToNobody:
    async def __call__(self) -> bool:
        return False

    async def look_up(self, users: Sequence[str]) -> bool:
        return False


named_to_nobody: MayName = _ToNobody()
"""Names nobody: what holds where it is not known who reads it."""
