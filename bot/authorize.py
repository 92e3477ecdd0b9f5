"""Which token answers for a request: here the one of the environment."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from typing import Protocol

from aiohttp import ClientError
from slack_bolt.authorization import AuthorizeResult
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from bot.scopes import missing_scopes
from bot.timers import Job
from handlers.errors import VOID, code_of

logger = logging.getLogger(__name__)
RETRY_SECONDS = (1.0, 5.0, 30.0, 60.0)


class Authorizing(Protocol):
    """What Bolt, the worker and jobs by the clock need of whoever holds tokens."""

    @property
    def state(self) -> str:
        """Return what is known of Slack, in a word or two."""

    @property
    def is_known(self) -> bool:
        """Tell whether it is known yet whose tokens these are."""

    @property
    def authorize(self) -> Callable[..., Awaitable[AuthorizeResult]]:
        """Return the function for Bolt."""

    @property
    def jobs(self) -> Sequence[Job]:
        """Return what every process does regularly."""

    async def client_of(self, workspace: str) -> AsyncWebClient | None:
        """Return the client for a workspace; None where the app is not installed, or its token can't be read."""

    async def is_gone(self, workspace: str) -> bool:
        """Tell of a workspace without a valid token whether the app was removed there."""

    async def identify(self, sleep: Callable[[float], Awaitable[None]] = asyncio.sleep) -> None:
        """Find out who the bot is, at the start."""


class TokenAuthorize:
    """Authorize every request with the one bot token; no request waits for Slack.

    ``state`` is what is known of Slack: "unknown", "connected", or why not; ``workspaces`` are those that the token is
    for, none while that is not known.
    """

    def __init__(self, client: AsyncWebClient, token: str) -> None:
        self._client = client
        self._token = token
        self._bot_id: str | None = None
        self._bot_user: str | None = None
        self._url: str | None = None
        self.workspaces: frozenset[str] = frozenset()
        self.state = "unknown"

    @property
    def is_known(self) -> bool:
        """Tell whether Slack has said whose token it is."""
        return bool(self.workspaces)

    @property
    def jobs(self) -> Sequence[Job]:
        """Return nothing: there is one token, and it stays."""
        return ()

    async def is_gone(self, workspace: str) -> bool:
        """Tell that the workspace is still to be served: somebody has to set a new token."""
        return False

    @property
    def authorize(self) -> Callable[[str | None, str | None], Awaitable[AuthorizeResult]]:
        """Return the function for Bolt, which takes ``self`` of a bound method for an argument to fill."""

        async def authorize(enterprise_id: str | None, team_id: str | None) -> AuthorizeResult:
            return AuthorizeResult(
                enterprise_id=enterprise_id,
                team_id=team_id,
                url=self._url,
                bot_id=self._bot_id,
                bot_user_id=self._bot_user,
                bot_token=self._token,
            )

        return authorize

    async def client_of(self, workspace: str) -> AsyncWebClient | None:
        """Return the one client; None for a workspace that the token is known not to be for."""
        return self._client if not self.workspaces or workspace in self.workspaces else None

    async def is_installed(self, workspace: str) -> bool:
        """Ask Slack whether the token works there now."""
        try:
            found = await self._client.auth_test()
        except SlackApiError as error:
            if code_of(error) in VOID:
                return False
            raise
        return workspace in (found.get("team_id"), found.get("enterprise_id"))

    async def identify(self, sleep: Callable[[float], Awaitable[None]] = asyncio.sleep) -> None:
        """Ask Slack once who the bot is; again, ever more slowly, while Slack does not answer."""
        attempt = 0
        while True:
            try:
                found = await self._client.auth_test()
            except SlackApiError as error:
                self.state = code_of(error)
                if self.state in VOID:
                    logger.error(
                        "Slack refuses SLACK_BOT_TOKEN (%s). Install the app again and set its token.", self.state
                    )
                    return
            except (ClientError, TimeoutError, OSError) as error:
                self.state = "unreachable"
                logger.warning("Slack can't be reached (%s); trying again", type(error).__name__)
            else:
                self._bot_id, self._bot_user, self._url = found.get("bot_id"), found.get("user_id"), found.get("url")
                self.workspaces = frozenset(filter(None, (found.get("team_id"), found.get("enterprise_id"))))
                self.state = "connected"
                granted = str(found.headers.get("x-oauth-scopes") or "").replace(" ", "")
                if granted and (missing := missing_scopes(granted.split(","))):
                    logger.warning("not granted: %s. Install the app again: python -m bot doctor", ", ".join(missing))
                return
            await sleep(RETRY_SECONDS[min(attempt, len(RETRY_SECONDS) - 1)])
            attempt += 1
