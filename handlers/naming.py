"""For whom colleagues are named: members of this workspace, where nobody from another company reads along."""

from __future__ import annotations

from slack_sdk.web.async_client import AsyncWebClient

from handlers.payloads import Actor
from handlers.permissions import Standings
from knowledge.people import MayName
from knowledge.ports import Workspaces


class Naming:
    """Decide whether an answer may name colleagues; the only place that does.

    Not for guests, and not for people of other workspaces or in channels that are shared with other companies, unless
    the settings of the workspace say otherwise.
    """

    def __init__(self, standings: Standings, workspaces: Workspaces) -> None:
        self._standings = standings
        self._workspaces = workspaces

    def to(self, client: AsyncWebClient, actor: Actor) -> MayName:
        """Return what tells whether colleagues may be named in an answer to this person."""

        async def may_name() -> bool:
            settings = await self._workspaces.settings(actor.workspace)
            if actor.outside:
                return settings.names_in_shared
            return settings.names_to_guests or await self._standings.may(client, actor, "see names")

        return may_name


async def named_to_nobody() -> bool:
    """Name nobody: what holds where it is not known who reads it."""
    return False
