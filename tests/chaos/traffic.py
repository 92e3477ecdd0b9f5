"""Mentions as Slack sends them: some more than once, out of order, edited, and again where nobody took them."""

from __future__ import annotations

import asyncio
import json
import random
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import aiohttp

from bot.local.delivery import sign
from knowledge.catalog import load_catalog

from .standin import BOT, SECRET, Key

TEAM = "T0CHAOS"
DEADLINE = 3.0
RETRIES = (0.0, 1.0, 3.0)
"""Slack's pauses before it sends an event again (at once, a minute, five minutes), made short."""
RESEND = 3.0
"""Slack gives up after its retries; here an event is sent on until somebody takes it, so that all can be counted."""


@dataclass
class Mention:
    """One message that asks for one role."""

    channel: str
    ts: str
    thread_ts: str | None
    user: str
    title: str
    taken: float | None = None
    """When a request with it was first answered by 200."""

    @property
    def key(self) -> Key:
        """Return what its answer is known by."""
        return self.channel, self.thread_ts or self.ts, self.title

    def envelope(self, event_id: str, edited: bool) -> dict[str, Any]:
        """Return the event as Slack sends it."""
        event = {
            "type": "app_mention",
            "user": self.user,
            "text": f"<@{BOT}> {self.title}{'?' * edited}",
            "ts": self.ts,
            "event_ts": self.ts,
            "channel": self.channel,
        }
        if self.thread_ts:
            event["thread_ts"] = self.thread_ts
        if edited:
            event["edited"] = {"user": self.user, "ts": self.ts}  # type: ignore[assignment]  # Slack's shape
        return {
            "type": "event_callback",
            "team_id": TEAM,
            "api_app_id": "A0CHAOS",
            "event_id": event_id,
            "event_time": 1_800_000_000,
            "event": event,
            "authorizations": [{"team_id": TEAM, "user_id": BOT, "is_bot": True}],
        }


@dataclass(frozen=True)
class Sending:
    """One envelope, and how many seconds after the start it is first sent."""

    at: float
    mention: Mention
    event_id: str
    edited: bool = False


def make_mentions(rng: random.Random, count: int) -> list[Mention]:
    """Make messages in threads of up to eight; in each thread every message asks for another role."""
    titles = [role.name for role in load_catalog().roles.values()]
    made: list[Mention] = []
    while len(made) < count:
        channel, root = f"C0CHAOS{rng.randrange(10)}", f"18000{len(made):05}.000100"
        asked = rng.sample(titles, min(rng.choice((1, 1, 1, 2, 3, 5, 8)), count - len(made)))
        for place, title in enumerate(asked):
            ts = root if place == 0 else f"18000{len(made):05}.000100"
            # Many people: nobody asks more than a person would.
            made.append(Mention(channel, ts, None if place == 0 else root, f"U0P{len(made) % 400:04}", title))
    return made


def plan(rng: random.Random, mentions: Sequence[Mention], seconds: float) -> list[Sending]:
    """Spread the messages over some seconds: 30 % come again 1 to 3 times, 15 % are edited, many out of order."""
    found: list[Sending] = []
    spread = min(5.0, seconds / 3)
    for number, mention in enumerate(mentions):
        at = seconds * number / len(mentions) + rng.uniform(0.0, 0.1) * spread
        found.append(Sending(at, mention, f"Ev{number:06}"))
        if rng.random() < 0.30:
            for _ in range(rng.randint(1, 3)):
                found.append(Sending(max(0.0, at + rng.uniform(-0.2, 1.0) * spread), mention, f"Ev{number:06}"))
        if rng.random() < 0.15:
            found.append(
                Sending(max(0.0, at + rng.uniform(-0.1, 1.0) * spread), mention, f"Ev{number:06}E", edited=True)
            )
    return sorted(found, key=lambda sending: sending.at)


@dataclass
class Sender:
    """Send a plan to the bot, to its addresses in turn."""

    addresses: Sequence[str]
    requests: int = 0
    refused: int = 0
    """Requests that were not answered by 200 in time."""
    given_up: int = 0
    """Events that Slack would have given up after its third retry."""

    async def send(self, sendings: Sequence[Sending]) -> None:
        """Send everything; return when every message was taken."""
        started = time.monotonic()
        async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=DEADLINE)) as session:

            async def one(sending: Sending) -> None:
                await asyncio.sleep(max(0.0, started + sending.at - time.monotonic()))
                await self._deliver(session, sending)

            async with asyncio.TaskGroup() as group:
                for sending in sendings:
                    group.create_task(one(sending))

    async def _deliver(self, session: aiohttp.ClientSession, sending: Sending) -> None:
        body = json.dumps(sending.mention.envelope(sending.event_id, sending.edited)).encode()
        attempt = 0
        while not await self.post(session, body, attempt):
            if attempt == len(RETRIES):
                self.given_up += 1
            await asyncio.sleep(RETRIES[attempt] if attempt < len(RETRIES) else RESEND)
            attempt += 1
        if sending.mention.taken is None:
            sending.mention.taken = time.monotonic()

    async def post(self, session: aiohttp.ClientSession, body: bytes, attempt: int = 0) -> bool:
        """Post once, signed; tell whether it was answered by 200."""
        address = self.addresses[self.requests % len(self.addresses)]
        self.requests += 1
        headers = {"Content-Type": "application/json", **sign(SECRET, body, time.time())}
        if attempt:
            headers |= {"X-Slack-Retry-Num": str(min(attempt, 3)), "X-Slack-Retry-Reason": "http_error"}
        try:
            async with session.post(address, data=body, headers=headers) as response:
                await response.read()
                if response.status == 200:
                    return True
        except (aiohttp.ClientError, TimeoutError, ConnectionError):
            pass
        self.refused += 1
        return False
