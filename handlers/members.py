"""What Slack says of the people who declared something: looked up in the background, kept for an hour."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from aiohttp import ClientError
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from handlers import payloads
from handlers.errors import code_of
from handlers.replies import Clock, Later
from knowledge.answers import Answer, Suggestion, TeamCard
from knowledge.people import Member
from knowledge.ports import People

FRESH = timedelta(hours=1)
PROFILE_SECONDS = 1.0
UNREACHABLE = (ClientError, TimeoutError, OSError)
GONE = frozenset({"user_not_found", "user_not_visible"})
"""What Slack answers for a person who is not there (any more)."""
logger = logging.getLogger(__name__)

Left = Callable[[str, str], Awaitable[None]]
"""Told the workspace and the person when somebody left."""


class Profiles:
    """Look profiles up: of those who are about to be suggested within a second, of whoever is left after the answer."""

    def __init__(self, people: People, later: Later, now: Clock) -> None:
        self._people = people
        self._later = later
        self._now = now

    async def checked(self, client: AsyncWebClient, workspace: str, answer: Answer) -> Answer:
        """Return an answer without those whom it would suggest though they have left."""
        match answer:
            case Suggestion():
                return await self.present(client, workspace, answer)
            case TeamCard(whom=Suggestion() as whom):
                return replace(answer, whom=await self.present(client, workspace, whom))
            case _:
                return answer

    async def present(self, client: AsyncWebClient, workspace: str, suggestion: Suggestion) -> Suggestion:
        """Look up whose profile is older than an hour, and leave out who turns out to have left or to be a guest.

        Slack is given a second for all of them together; what it says later counts from the next answer on.
        """
        users = [person.user for person in (*suggestion.people, *suggestion.nearest)]
        stale = await self._people.unchecked(workspace, users, self._now() - FRESH) if users else ()
        if not stale:
            return suggestion
        asking = [asyncio.ensure_future(profile_of(client, user, self._now())) for user in stale]
        done, waiting = await asyncio.wait(asking, timeout=PROFILE_SECONDS)
        for late in waiting:
            self._later(self._keep(workspace, late))
        found = [one.result() for one in done]
        for member in found:
            if member is not None:
                await self._people.remember(workspace, member, self._now())
        gone = {member.user for member in found if member is not None and not member.suggestible}
        return replace(
            suggestion,
            people=tuple(person for person in suggestion.people if person.user not in gone),
            nearest=tuple(person for person in suggestion.nearest if person.user not in gone),
        )

    async def declared(self, client: AsyncWebClient, workspace: str, user: str, write: Awaitable[None]) -> None:
        """Write a declaration once Slack has said who declares: bots and guests are not suggested, not even at first.

        Slack is given a second. After that the declaration counts, and what Slack says is taken over when it comes.
        """
        asking = asyncio.ensure_future(profile_of(client, user, self._now()))
        done, _ = await asyncio.wait({asking}, timeout=PROFILE_SECONDS)
        await write
        if done:
            await self._keep(workspace, asking)
        else:
            self._later(self._keep(workspace, asking))

    async def _keep(self, workspace: str, asking: asyncio.Future[Member | None]) -> None:
        member = await asking
        if member is not None:
            await self._people.remember(workspace, member, self._now())


async def profile_of(client: AsyncWebClient, user: str, now: datetime | None = None) -> Member | None:
    """Ask Slack for a profile, presence and do-not-disturb; None where Slack does not say.

    Without the time only do-not-disturb that was turned on by hand is seen, not that of somebody's schedule.
    """
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
    member = payloads.member(found["user"])
    if member.availability == "active" and member.suggestible and await _is_away(client, user, now):
        member = replace(member, availability="away")
    return member


async def _is_away(client: AsyncWebClient, user: str, now: datetime | None) -> bool:
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
    return bool(dnd.get("snooze_enabled")) or (
        now is not None and payloads.is_within_dnd({name: dnd.get(name) for name in payloads.DND}, now)
    )


async def profile_changed(body: dict[str, Any], *, people: People, left: Left, now: Clock) -> None:
    """Take over a changed profile of a person who declared something; a leaver drops out at once."""
    actor = payloads.event_actor(body)
    member = payloads.member(body["event"]["user"])
    await people.remember(actor.workspace, member, now())
    if member.availability == "deactivated":
        await left(actor.workspace, member.user)
