"""For whom colleagues are named: members of this workspace, where nobody from another company reads along."""

from __future__ import annotations

import asyncio
import logging
from collections import OrderedDict, deque
from datetime import datetime, timedelta

from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from handlers import payloads
from handlers.members import FRESH, UNREACHABLE
from handlers.payloads import Actor
from handlers.replies import Clock
from knowledge.people import MayName
from knowledge.ports import People

LOOK_UP_SECONDS = 1.0
"""How long an answer waits for Slack to say who asks; Slack itself waits three."""
MOST_LOOK_UPS = 50
"""Look-ups a minute of a workspace: Slack allows users.info a hundred, and profiles need it too."""
MOST_KEPT = 20_000
logger = logging.getLogger(__name__)


class Naming:
    """Decide whether an answer may name colleagues; the only place that does.

    Not for guests, not for people of other workspaces, and not in channels that are shared with other companies. Where
    Slack does not say who asks, or the look-ups of this minute are used up, what was known before counts; to whom was
    never known as a member nobody is named.
    """

    def __init__(self, people: People, now: Clock) -> None:
        self._people = people
        self._now = now
        self._members: OrderedDict[tuple[str, str], tuple[datetime, bool]] = OrderedDict()
        self._asked: dict[str, deque[datetime]] = {}

    def to(self, client: AsyncWebClient, actor: Actor) -> MayName:
        """Return what tells whether colleagues may be named in an answer to this person."""

        async def may_name() -> bool:
            return not actor.outside and await self._is_member(client, actor)

        return may_name

    async def _is_member(self, client: AsyncWebClient, actor: Actor) -> bool:
        now, key = self._now(), (actor.workspace, actor.user)
        kept = self._members.get(key)
        if kept is not None and now - kept[0] < FRESH:
            return kept[1]
        member = None
        if self._within_budget(actor.workspace, now):
            member = await _looked_up(client, actor.user)
        else:
            logger.warning("who asks was not looked up: too many look-ups in this minute")
        if member is None:
            return kept[1] if kept is not None else await self._was_member(actor)
        self._members[key] = (now, member)
        self._members.move_to_end(key)
        if len(self._members) > MOST_KEPT:
            self._members.popitem(last=False)
        return member

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


async def named_to_nobody() -> bool:
    """Name nobody: what holds where it is not known who reads it."""
    return False


async def _looked_up(client: AsyncWebClient, user: str) -> bool | None:
    """Ask Slack whether a person is a full member of this workspace; None where it does not say in time."""
    try:
        async with asyncio.timeout(LOOK_UP_SECONDS):
            found = await client.users_info(user=user)
    except UNREACHABLE as error:
        logger.warning("who asks could not be looked up: %s", type(error).__name__)
        return None
    except SlackApiError:
        logger.warning("who asks could not be looked up: users.info was refused")
        return None
    if not isinstance(found.get("user"), dict):
        return None
    return payloads.member(found["user"]).suggestible
