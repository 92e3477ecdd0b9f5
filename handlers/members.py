"""What Slack says of the people who declared something: looked up in the background, kept for an hour."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from aiohttp import ClientError
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from handlers import payloads, user_objects
from handlers.errors import code_of
from handlers.pace import Budget, Monotonic
from handlers.replies import Clock, Later
from knowledge.people import Member
from knowledge.ports import People

FRESH = timedelta(hours=1)
PROFILE_SECONDS = 1.0
MOST_LOOK_UPS = 30
"""Profiles a minute of a workspace: Slack allows users.getPresence and dnd.info some fifty each."""
UNREACHABLE = (ClientError, TimeoutError, OSError)
GONE = frozenset({"user_not_found", "user_not_visible"})
"""What Slack answers for a person who is not there (any more)."""
logger = logging.getLogger(__name__)

Left = Callable[[str, str], Coroutine[Any, Any, None]]
"""Told the workspace and the person when somebody left."""


class Profiles:
    """Look profiles up: of those who are about to be named within a second, of whoever is left after the answer."""

    def __init__(self, people: People, left: Left, later: Later, now: Clock, monotonic: Monotonic) -> None:
        self._people = people
        self._left = left
        self._later = later
        self._now = now
        self._budget = Budget(monotonic)
        self._asking: dict[tuple[str, str], asyncio.Future[bool]] = {}

    def for_answer(self, client: AsyncWebClient, workspace: str, *, leaving: int = 0) -> LookUps:
        """Return what looks up people for one answer, and leaves some of this minute's look-ups to others."""
        return LookUps(self, client, workspace, MOST_LOOK_UPS - leaving)

    async def look_up(
        self, client: AsyncWebClient, workspace: str, users: Sequence[str], seconds: float, most: int
    ) -> bool:
        """Look up those whose profile is older than an hour, as far as time and the look-ups of this minute reach.

        Of many answers at once that are about to name a person one asks Slack, and the others wait for the same.
        Returns whether Slack said something. What it says later counts from the next answer on.
        """
        # Read before the profiles: what ends meanwhile may be missing in them.
        asked = {user: one for user in users if (one := self._asking.get((workspace, user))) is not None}
        stale = await self._people.unchecked(workspace, users, self._now() - FRESH)
        asking = []
        for user in stale:
            one = asked.get(user) or self._asking.get((workspace, user))
            if one is None and self._budget.spend(workspace, most):
                one = self._asking[workspace, user] = asyncio.ensure_future(self._ask(client, workspace, user))
            if one is not None:
                asking.append(one)
        if len(asking) < len(stale) and self._budget.is_news(workspace):
            logger.warning("some people are named by what was known of them: too many look-ups in this minute")
        if not asking:
            return False
        done, waiting = await asyncio.wait(asking, timeout=seconds)
        for late in waiting:
            self._later(_end(late))
        said = [one.result() for one in done]
        return any(said)

    async def _ask(self, client: AsyncWebClient, workspace: str, user: str) -> bool:
        try:
            return await self._keep(workspace, profile_of(client, workspace, user, self._now()))
        finally:
            del self._asking[workspace, user]

    async def declared(self, client: AsyncWebClient, workspace: str, user: str, write: Awaitable[None]) -> None:
        """Write a declaration once Slack has said who declares: bots and guests are not suggested, not even at first.

        Slack is given a second. After that the declaration counts, and what Slack says is taken over when it comes.
        """
        asking = asyncio.ensure_future(profile_of(client, workspace, user, self._now()))
        done, _ = await asyncio.wait({asking}, timeout=PROFILE_SECONDS)
        await write
        if done:
            await self._keep(workspace, asking)
        else:
            self._later(_end(self._keep(workspace, asking)))

    async def _keep(self, workspace: str, asking: Awaitable[Member | None]) -> bool:
        """Keep what Slack says; returns whether it said something."""
        member = await asking
        if member is None:
            return False
        await take_over(self._people, self._left_later, workspace, member, self._now())
        return True

    async def _left_later(self, workspace: str, user: str) -> None:
        """Answer whoever asked first: a leaver may have had many questions, which all go on to others."""
        self._later(self._left(workspace, user))


async def _end(asking: Awaitable[bool]) -> None:
    await asking


class LookUps:
    """Look people up for one answer: nobody twice, and all of them within a second."""

    def __init__(self, profiles: Profiles, client: AsyncWebClient, workspace: str, most: int) -> None:
        self._profiles = profiles
        self._client = client
        self._workspace = workspace
        self._most = most
        self._tried: set[str] = set()
        self._ends: float | None = None

    async def __call__(self, users: Sequence[str]) -> bool:
        """Return whether Slack said something of them; see ``MayName``."""
        new = [user for user in users if user not in self._tried]
        self._tried.update(new)
        now = asyncio.get_running_loop().time()
        self._ends = self._ends or now + PROFILE_SECONDS
        if not new or now >= self._ends:
            return False
        return await self._profiles.look_up(self._client, self._workspace, new, self._ends - now, self._most)


async def take_over(
    people: People, left: Left, workspace: str, member: Member, now: datetime, *, looked_up: bool = True
) -> None:
    """Keep what Slack said of a person; where they have left, what they had goes on to others."""
    await people.remember(workspace, member, now, looked_up=looked_up)
    if member.availability == "deactivated":
        await left(workspace, member.user)


async def profile_of(client: AsyncWebClient, workspace: str, user: str, now: datetime) -> Member | None:
    """Ask Slack for a profile, presence and do-not-disturb; None where Slack does not say."""
    member = await person_of(client, workspace, user, now)
    if member is not None and member.availability == "active" and member.suggestible:
        return replace(member, availability="away") if await _is_away(client, user, now) else member
    return member


async def person_of(client: AsyncWebClient, workspace: str, user: str, now: datetime) -> Member | None:
    """Ask Slack for a profile alone, where it does not matter who is away; None where Slack does not say."""
    try:
        found = await client.users_info(user=user)
    except UNREACHABLE as error:
        logger.warning("users.info could not be asked: %s", type(error).__name__)
        return None
    except SlackApiError as error:
        code = code_of(error)
        logger.warning("users.info answered %s", code)
        return Member(user, "", availability="deactivated") if code in GONE else None
    if not isinstance(found.get("user"), dict):
        logger.warning("users.info answered without a user")
        return None
    return user_objects.member(found["user"], workspace, now)


async def _is_away(client: AsyncWebClient, user: str, now: datetime) -> bool:
    try:
        if (await client.users_getPresence(user=user)).get("presence") == "away":
            return True
        # An optional scope: without it, do-not-disturb is simply not known.
        dnd = await client.dnd_info(user=user)
    except UNREACHABLE as error:
        logger.info("presence or do-not-disturb not known: %s", type(error).__name__)
        return False
    except SlackApiError as error:
        logger.info("presence or do-not-disturb not known: %s", code_of(error))
        return False
    return bool(dnd.get("snooze_enabled")) or user_objects.is_within_dnd(
        {name: dnd.get(name) for name in user_objects.DND}, now
    )


async def profile_changed(body: dict[str, Any], *, people: People, left: Left, now: Clock) -> None:
    """Take over a changed profile of a person who declared something; a leaver drops out at once."""
    actor = payloads.event_actor(body)
    at = now()
    member = user_objects.member(body["event"]["user"], actor.workspace, at)
    # The event says nothing of presence and do-not-disturb.
    await take_over(people, left, actor.workspace, member, at, looked_up=False)
