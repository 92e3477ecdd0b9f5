"""Who may do what: one table, asked by every listener itself, on every action."""

from __future__ import annotations

import asyncio
import logging
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Literal

from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from handlers import user_objects
from handlers.errors import code_of
from handlers.members import FRESH, GONE, UNREACHABLE
from handlers.pace import Budget, Monotonic
from handlers.payloads import Actor
from handlers.replies import Clock
from knowledge.ports import People, Workspaces

Standing = Literal["unknown", "outsider", "guest", "member", "curator", "administrator"]
"""What somebody is; unknown until Slack has said it: they are shown no more than a guest, and not called one.

Outsiders belong to another company, or to another workspace where the bot is installed in one; guests are restricted.
"""
HERE: frozenset[Standing] = frozenset({"unknown", "guest", "member", "curator", "administrator"})
MEMBERS: frozenset[Standing] = frozenset({"member", "curator", "administrator"})
CURATORS: frozenset[Standing] = frozenset({"curator", "administrator"})
ADMINISTRATORS: frozenset[Standing] = frozenset({"administrator"})
MAY: Mapping[str, frozenset[Standing]] = MappingProxyType(
    {
        "declare": HERE,
        "see names": MEMBERS,
        "see the directory": MEMBERS,
        "ask a person": MEMBERS,
        "propose entries": MEMBERS,
        "verify own entries": MEMBERS,
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
RESERVED = 20
"""Look-ups a minute beside them, for whoever curates or administers: a crowd must not lock them out."""
GUESSED = timedelta(seconds=5)
"""How long it is kept what the database says of somebody whom Slack says nothing of."""
MOST_KEPT = 20_000
MOST_WAITING = 5_000
MOST_TRIES = 3
CATCH_UP_SECONDS = 5.0
"""How often those are looked up who were not in time."""
logger = logging.getLogger(__name__)


def may(standing: Standing, action: str) -> bool:
    """Tell whether people of this standing may do it; raises KeyError for an action that nobody thought of."""
    return standing in MAY[action]


@dataclass(frozen=True)
class _Known:
    at: datetime
    standing: Literal["outsider", "guest", "member", "administrator"]

    @property
    def administrator(self) -> bool:
        return self.standing == "administrator"

    def holds(self, now: datetime) -> bool:
        return now - self.at < (FRESH_ADMINISTRATOR if self.administrator else FRESH)


@dataclass(frozen=True)
class _Waiting:
    client: AsyncWebClient
    actor: Actor
    then: Callable[[], Awaitable[None]]
    tries: int = 0


class Standings:
    """Say what somebody is in a workspace, as Slack says it; kept for an hour, of administrators for five minutes.

    Where Slack does not say, or the look-ups of this
    minute are used up, what was known before counts, but of an administrator no more than that they are a member;
    who was never known is unknown.
    """

    def __init__(self, people: People, workspaces: Workspaces, now: Clock, monotonic: Monotonic) -> None:
        self._people = people
        self._workspaces = workspaces
        self._now = now
        self._known: OrderedDict[tuple[str, str], _Known] = OrderedDict()
        self._guesses: OrderedDict[tuple[str, str], tuple[datetime, bool]] = OrderedDict()
        self._look_ups = Budget(monotonic)
        self._waiting: OrderedDict[tuple[str, str], _Waiting] = OrderedDict()

    async def may(self, client: AsyncWebClient, actor: Actor, action: str) -> bool:
        """Tell whether whoever acts may do it; what is for curators and administrators has look-ups of its own."""
        return may(await self.of(client, actor, reserved=MAY[action] <= CURATORS), action)

    async def of(self, client: AsyncWebClient, actor: Actor, *, reserved: bool = False) -> Standing:
        """Return the standing of whoever acts; where another company reads along everybody counts as a guest."""
        if actor.outside:
            return "outsider" if actor.outsider else "guest"
        named = actor.user in (await self._workspaces.settings(actor.workspace)).curators
        known = await self._looked_up(client, actor, reserved=reserved or named)
        if known is None:
            return "unknown"
        return "curator" if named and known.standing == "member" else known.standing

    async def as_known(self, actor: Actor) -> Standing:
        """Return the standing as it was known last, without asking Slack, where an answer must not wait."""
        if actor.outside:
            return "outsider" if actor.outsider else "guest"
        kept = self._known.get((actor.workspace, actor.user))
        if kept is not None:
            return kept.standing
        return "member" if await self._was_member(actor) else "unknown"

    def once_known(self, client: AsyncWebClient, actor: Actor, then: Callable[[], Awaitable[None]]) -> None:
        """Do something when Slack says who this is, unless it just has; of two wishes of a person the later counts."""
        key, kept = (actor.workspace, actor.user), self._known.get((actor.workspace, actor.user))
        self._waiting.pop(key, None)
        if actor.outside or (kept is not None and kept.holds(self._now())):
            return
        self._waiting[key] = _Waiting(client, actor, then)
        if len(self._waiting) > MOST_WAITING:
            self._waiting.popitem(last=False)

    async def catch_up(self) -> None:
        """Look up who waits, as far as the look-ups of this minute reach."""
        for key, waiting in list(self._waiting.items()):
            if self._look_ups.spent(waiting.actor.workspace) >= MOST_LOOK_UPS:
                continue
            await self.of(waiting.client, waiting.actor)
            if self._waiting.get(key) is not waiting:
                continue
            kept = self._known.get(key)
            if kept is not None and kept.holds(self._now()):
                del self._waiting[key]
                await _whatever_comes(waiting.then)
            elif waiting.tries + 1 >= MOST_TRIES:
                del self._waiting[key]
            else:
                self._waiting[key] = replace(waiting, tries=waiting.tries + 1)

    async def _looked_up(self, client: AsyncWebClient, actor: Actor, *, reserved: bool) -> _Known | None:
        now, key = self._now(), (actor.workspace, actor.user)
        kept = self._known.get(key)
        if kept is not None and kept.holds(now):
            return kept
        found = None
        reserved = reserved or (kept is not None and kept.administrator)
        if self._look_ups.spend(actor.workspace, MOST_LOOK_UPS + RESERVED * reserved):
            found = await _asked_of_slack(client, actor, now)
        elif self._look_ups.is_news(actor.workspace):
            logger.warning("who asks is not looked up: too many look-ups in this minute")
        if found is None:
            if kept is not None:
                return replace(kept, standing="member") if kept.administrator else kept
            return _Known(now, "member") if await self._guessed(actor) else None
        self._known[key] = found
        self._known.move_to_end(key)
        if len(self._known) > MOST_KEPT:
            self._known.popitem(last=False)
        return found

    async def _guessed(self, actor: Actor) -> bool:
        """Tell whether somebody was a member, as it was read within the last seconds: a crowd asks again and again."""
        now, key = self._now(), (actor.workspace, actor.user)
        kept = self._guesses.get(key)
        if kept is not None and abs(now - kept[0]) < GUESSED:
            return kept[1]
        guess = await self._was_member(actor)
        self._guesses[key] = now, guess
        self._guesses.move_to_end(key)
        if len(self._guesses) > MOST_KEPT:
            self._guesses.popitem(last=False)
        return guess

    async def _was_member(self, actor: Actor) -> bool:
        profile = await self._people.profile(actor.workspace, actor.user)
        return profile is not None and profile.suggestible


async def _whatever_comes(then: Callable[[], Awaitable[None]]) -> None:
    """Do what somebody waited for; where that fails, the others who wait must not wait on."""
    try:
        await then()
    except Exception:
        logger.exception("what waited for a look-up failed")


async def _asked_of_slack(client: AsyncWebClient, actor: Actor, now: datetime) -> _Known | None:
    """Ask Slack what a person is in this workspace; None where it does not say in time."""
    try:
        async with asyncio.timeout(LOOK_UP_SECONDS):
            found = await client.users_info(user=actor.user)
    except UNREACHABLE as error:
        logger.warning("who asks could not be looked up: %s", type(error).__name__)
        return None
    except SlackApiError as error:
        code = code_of(error)
        if code in GONE:
            return _Known(now, "guest")
        logger.warning("who asks could not be looked up: users.info answered %s", code)
        return None
    user = found.get("user")
    if not isinstance(user, dict):
        return None
    if not user_objects.belongs(user, actor.workspace):
        return _Known(now, "outsider")
    if not user_objects.member(user, actor.workspace, now).suggestible:
        return _Known(now, "guest")
    return _Known(now, "administrator" if user_objects.administers(user, actor.workspace) else "member")
