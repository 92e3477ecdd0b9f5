"""Slack's rate limits: what one post was told to wait for, the next one to the same place waits for as well."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextvars import ContextVar

from slack_sdk.web.async_client import AsyncWebClient

Place = tuple[str, str]
"""A method, and the channel that it posts to: that is what Slack limits."""
APART_SECONDS = 1.0
"""Slack takes about one message a second in a channel; all at once they would only be refused again."""
posting: ContextVar[Place | None] = ContextVar("posting", default=None)
"""What is being posted: a retry handler sees neither the channel nor the body of a call."""


class RateLimits:
    """Know until when Slack wants no more posts to a place."""

    def __init__(self, sleep: Callable[[float], Awaitable[None]]) -> None:
        self._sleep = sleep
        self._until: dict[Place, float] = {}

    def told(self, place: Place, seconds: float) -> None:
        """Note how long Slack wants no more posts to the place."""
        now = _now()
        self._until = {known: until for known, until in self._until.items() if until > now or known == place}
        self._until[place] = max(self._until.get(place, 0.0), now + seconds)

    async def wait(self, place: Place, least: float = 0.0) -> None:
        """Wait until the place may be posted to, as far as is known; of those that wait, one goes on each second."""
        while (until := self._until.get(place)) is not None:
            seconds = max(until - _now(), least)
            least = 0.0
            if seconds > 0:
                await self._sleep(seconds)
            if self._until.get(place) != until:
                continue
            if seconds > 0:
                self._until[place] = max(until, _now()) + APART_SECONDS
            else:
                del self._until[place]
            return


async def wait_to_post(client: AsyncWebClient, method: str, channel: str) -> None:
    """Wait until Slack's limit allows the post that follows; the wait is left out where the client knows no limits."""
    posting.set((method, channel))
    for handler in client.retry_handlers:
        limits = getattr(handler, "limits", None)
        if isinstance(limits, RateLimits):
            await limits.wait((method, channel))


def _now() -> float:
    return asyncio.get_running_loop().time()
