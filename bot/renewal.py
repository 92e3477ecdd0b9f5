"""Tokens that rotate: each renewed by one process, in time."""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from aiohttp import ClientError
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from bot.settings import OAuth
from bot.slack import LONGEST_WAIT, Sleep, limited_for, oauth_access
from handlers.errors import code_of
from storage.installations import Installation, SqlInstallations
from storage.keys import KeysError

logger = logging.getLogger(__name__)
AHEAD = timedelta(hours=2)
"""How long before its end a token is renewed by the clock; Slack gives twelve hours."""
LEAST = timedelta(minutes=5)
"""What a token must still be good for to be used as it is."""
RUN_SECONDS = 60.0
WAIT_SECONDS = 0.2


class Renewal:
    """Renew tokens by their refresh tokens, which are good for once.

    Where Slack asks to wait, tokens are used as they are and nobody waits: it is tried again after that time. A call
    that waited would outlast the lease, and another process would use the same refresh token.
    """

    def __init__(
        self,
        installations: SqlInstallations,
        client: AsyncWebClient,
        oauth: OAuth,
        now: Callable[[], datetime],
        sleep: Sleep,
    ) -> None:
        self._installations = installations
        self._client = client
        self._oauth = oauth
        self._now = now
        self._sleep = sleep
        self._not_before = datetime.min.replace(tzinfo=UTC)
        # What was said of these is not said again every minute.
        self._closed: set[str] = set()

    async def run(self) -> None:
        """Renew what ends within two hours; a workspace whose token no key opens is passed over."""
        for workspace in await self._installations.expiring(self._now() + AHEAD):
            try:
                found = await self._installations.find(workspace)
            except KeysError as error:
                if workspace not in self._closed:
                    self._closed.add(workspace)
                    logger.error("%s: the token could not be renewed: %s", workspace, error)
                continue
            if self._is_to_wait:
                return
            if found is not None and await self._installations.claim_refresh(found, self._now()):
                await self._refresh(found)

    async def fresh(self, found: Installation) -> Installation | None:
        """Return the installation with a token that is good for a while; renewed here, or by another process."""
        while found.refresh_token and found.expires_at is not None and found.expires_at - self._now() <= LEAST:
            if self._is_to_wait:
                return found
            if await self._installations.claim_refresh(found, self._now()):
                return await self._refresh(found)
            if found.expires_at > self._now():
                # Somebody is at it, and it is good until then.
                return found
            await self._sleep(WAIT_SECONDS)
            newer = await self._installations.find(found.workspace)
            if newer is None or newer.stamp != found.stamp:
                return newer
        return found

    @property
    def _is_to_wait(self) -> bool:
        return self._now() < self._not_before

    async def _refresh(self, found: Installation) -> Installation | None:
        try:
            answer = await oauth_access(
                *(self._client, self._oauth.client_id, self._oauth.client_secret),
                grant_type="refresh_token",
                refresh_token=found.refresh_token,
            )
            token, refresh_token = str(answer["access_token"]), str(answer["refresh_token"])
            expires_at = self._now() + timedelta(seconds=int(answer["expires_in"]))
        except (SlackApiError, ClientError, TimeoutError, OSError, KeyError, ValueError) as error:
            if isinstance(error, SlackApiError) and (seconds := limited_for(error)) is not None:
                self._not_before = self._now() + timedelta(seconds=min(seconds, LONGEST_WAIT))
            logger.error("%s: the token could not be renewed: %s", found.workspace, _said(error))
            await self._installations.release_refresh(found)
            return found
        await self._installations.refreshed(found, token, refresh_token, expires_at, self._now())
        return await self._installations.find(found.workspace)


def _said(error: Exception) -> str:
    # Never the answer itself: it may hold tokens.
    return code_of(error) if isinstance(error, SlackApiError) else type(error).__name__
