"""Who may do what: one table, asked by every listener itself, on every action."""

from __future__ import annotations

import asyncio
import logging
from collections import OrderedDict, deque
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Literal

from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from handlers import payloads
from handlers.members import FRESH, UNREACHABLE
from handlers.payloads import Actor
from handlers.replies import Clock
from knowledge.ports import People, Workspaces

Standing = Literal["guest", "member", "curator", "administrator"]
EVERYBODY: frozenset[Standing] = frozenset({"guest", "member", "curator", "administrator"})
MEMBERS: frozenset[Standing] = frozenset({"member", "curator", "administrator"})
CURATORS: frozenset[Standing] = frozenset({"curator", "administrator"})
ADMINISTRATORS: frozenset[Standing] = frozenset({"administrator"})
MAY: Mapping[str, frozenset[Standing]] = MappingProxyType(
    {
        "declare": EVERYBODY,
        "see the directory": MEMBERS,
        "ask a person": MEMBERS,
        "propose entries": MEMBERS,
        "curate entries": CURATORS,
        "import people": CURATORS,
        "export people": CURATORS,
        "change settings": ADMINISTRATORS,
        "see the audit log": ADMINISTRATORS,
        "export a person": ADMINISTRATORS,
        "erase a person": ADMINISTRATORS,
    }
)
"""Who may do what; nothing that does not stand here is anybody's right."""
FRESH_ADMINISTRATOR = timedelta(minutes=5)
"""So long an administrator is taken for one without asking Slack again: who is none any more must not act for long."""
LOOK_UP_SECONDS = 1.0
"""How long an answer waits for Slack to say who asks; Slack itself waits three."""
MOST_LOOK_UPS = 50
"""Look-ups a minute of a workspace: Slack allows users.info a hundred, and profiles need it too."""
MOST_KEPT = 20_000
logger = logging.getLogger(__name__)


def may(standing: Standing, action: str) -> bool:
    """Tell whether people of this standing may do it; raises KeyError for an action that nobody thought of."""
    return standing in MAY[action]


@dataclass(frozen=True)
class _Known:
    at: datetime
    member: bool
    administrator: bool


class Standings:
    """Say what somebody is in a workspace, as Slack says it; kept for an hour, of administrators for five minutes.

    People of other workspaces and restricted accounts are guests. Where Slack does not say, or the look-ups of this
    minute are used up, what was known before counts, but of an administrator no more than that they are a member;
    who was never known as a member is a guest.
    """

    def __init__(self, people: People, workspaces: Workspaces, now: Clock) -> None:
        self._people = people
        self._workspaces = workspaces
        self._now = now
        self._known: OrderedDict[tuple[str, str], _Known] = OrderedDict()
        self._asked: dict[str, deque[datetime]] = {}

    async def of(self, client: AsyncWebClient, actor: Actor) -> Standing:
        """Return the standing of whoever acts; outside of the workspace everybody is a guest."""
        if actor.outside:
            return "guest"
        known = await self._looked_up(client, actor)
        if known is None or not known.member:
            return "guest"
        if known.administrator:
            return "administrator"
        settings = await self._workspaces.settings(actor.workspace)
        return "curator" if actor.user in settings.curators else "member"

    async def _looked_up(self, client: AsyncWebClient, actor: Actor) -> _Known | None:
        now, key = self._now(), (actor.workspace, actor.user)
        kept = self._known.get(key)
        if kept is not None and now - kept.at < (FRESH_ADMINISTRATOR if kept.administrator else FRESH):
            return kept
        found = None
        if self._within_budget(actor.workspace, now):
            found = await _asked_of_slack(client, actor, now)
        else:
            logger.warning("who asks was not looked up: too many look-ups in this minute")
        if found is None:
            member = kept.member if kept is not None else await self._was_member(actor)
            return _Known(now, member, administrator=False)
        self._known[key] = found
        self._known.move_to_end(key)
        if len(self._known) > MOST_KEPT:
            self._known.popitem(last=False)
        return found

    async def _was_member(self, actor: Actor) -> bool:
        profile = await self._people.profile(actor.workspace, actor.user)
        return profile is not None and profile.suggestible

    def _within_budget(self, workspace: str, now: datetime) -> bool:
        asked = self._asked.setdefault(workspace, deque())
        while asked and now - asked[0] >= timedelta(minutes=1):
            asked.popleft()
        if len(asked) >= MOST_LOOK_UPS:
            return False
        asked.append(now)
        return True


async def _asked_of_slack(client: AsyncWebClient, actor: Actor, now: datetime) -> _Known | None:
    """Ask Slack what a person is in this workspace; None where it does not say in time."""
    try:
        async with asyncio.timeout(LOOK_UP_SECONDS):
            found = await client.users_info(user=actor.user)
    except UNREACHABLE as error:
        logger.warning("who asks could not be looked up: %s", type(error).__name__)
        return None
    except SlackApiError:
        logger.warning("who asks could not be looked up: users.info was refused")
        return None
    user = found.get("user")
    if not isinstance(user, dict):
        return None
    member = payloads.member(user).suggestible
    return _Known(now, member, member and payloads.administers(user, actor.workspace))
