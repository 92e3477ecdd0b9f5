"""Which token answers for a request, where many workspaces have installed the app: looked up once, then known.

Another process that installs, renews or removes is noticed within two seconds: what changed is asked for that often,
all workspaces in one statement. No request waits for Slack, but for a token that has run out.
"""

from __future__ import annotations

import asyncio
import logging
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from slack_bolt.authorization import AuthorizeResult
from slack_bolt.context.async_context import AsyncBoltContext
from slack_sdk.web.async_client import AsyncWebClient

from bot.renewal import LEAST, Renewal
from bot.slack import with_token
from bot.timers import Job
from handlers.errors import NotInstalled
from storage.installations import Installation, SqlInstallations
from storage.keys import KeysError
from storage.removals import SqlRemovals

KNOWN_FOR = timedelta(minutes=1)
UNKNOWN_FOR = timedelta(seconds=2)
"""How long it is believed that the app is not installed."""
LEAST_KNOWN = timedelta(seconds=10)
"""How long a token is used at least, even if it could not be renewed."""
MOST_KNOWN = 10_000
FOLLOW_SECONDS = 2.0
OVERLAP = timedelta(seconds=30)
"""By how much the clocks of processes may differ, and a transaction may come late."""
logger = logging.getLogger(__name__)


class Known(NamedTuple):
    """Hold what is known of a workspace, and until when."""

    found: Installation | None
    until: datetime


class InstalledAuthorize:
    """Authorize each request with the token of its workspace."""

    state = "many workspaces"

    def __init__(
        self,
        installations: SqlInstallations,
        removals: SqlRemovals,
        renewal: Renewal,
        client: AsyncWebClient,
        now: Callable[[], datetime],
        link: str,
    ) -> None:
        self._installations = installations
        self._removals = removals
        self._renewal = renewal
        self._client = client
        self._now = now
        self._link = link
        self._known: OrderedDict[str, Known] = OrderedDict()
        self._loading: dict[str, asyncio.Task[Installation | None]] = {}
        self._drops = 0
        self._told_of_keys = False
        self._followed = now()

    @property
    def is_known(self) -> bool:
        """Tell that it is known whose tokens these are."""
        return True

    @property
    def authorize(self) -> Callable[..., Awaitable[AuthorizeResult]]:
        """Return the function for Bolt. It raises NotInstalled: at None Bolt would say 200, and run no listener."""

        async def authorize(
            context: AsyncBoltContext, enterprise_id: str | None, team_id: str | None
        ) -> AuthorizeResult:
            org_wide = enterprise_id if context.is_enterprise_install else None
            found = await self.find(org_wide or team_id or enterprise_id or "")
            if found is None:
                raise NotInstalled(self._link)
            return AuthorizeResult(
                enterprise_id=enterprise_id,
                team_id=team_id,
                url=found.url or None,
                bot_id=found.bot_id,
                bot_user_id=found.bot_user,
                bot_token=found.token,
                bot_scopes=found.scopes,
            )

        return authorize

    async def client_of(self, workspace: str) -> AsyncWebClient | None:
        """Return a client with the token of the workspace; None where the app is not installed, or no key opens it.

        Jobs serve many workspaces one after the other: one that can't be read is put off, and the others go on.
        """
        try:
            found = await self.find(workspace)
        except KeysError:
            if not self._told_of_keys:
                self._told_of_keys = True
                logger.warning("No key opens the token of some workspace. Set ENCRYPTION_KEYS with the key it had.")
            return None
        return with_token(self._client, found.token) if found is not None else None

    async def find(self, workspace: str) -> Installation | None:
        """Return the installation; of many that ask at once for one that is not known, one asks the database."""
        known = self._known.get(workspace)
        if known is not None and self._now() < known.until:
            self._known.move_to_end(workspace)
            return known.found
        loading = self._loading.get(workspace)
        if loading is None:
            loading = self._loading[workspace] = asyncio.create_task(self._load(workspace))
            loading.add_done_callback(lambda done: self._loaded(workspace, done))
        return await asyncio.shield(loading)

    async def _load(self, workspace: str) -> Installation | None:
        drops = self._drops
        found = await self._installations.find(workspace)
        if found is not None:
            found = await self._renewal.fresh(found)
        now = self._now()
        until = now + (KNOWN_FOR if found is not None else UNKNOWN_FOR)
        if found is not None and found.expires_at is not None:
            until = max(min(until, found.expires_at - LEAST), now + LEAST_KNOWN)
        # What was dropped while it was read may be old.
        if drops == self._drops:
            self._known[workspace] = Known(found, until)
            if len(self._known) > MOST_KNOWN:
                self._known.popitem(last=False)
        return found

    def _loaded(self, workspace: str, done: asyncio.Task[Installation | None]) -> None:
        if self._loading.get(workspace) is done:
            del self._loading[workspace]
        if not done.cancelled():
            # Taken note of, even where nobody waits for it any more.
            done.exception()

    def drop(self, workspace: str) -> None:
        """Forget what is known: it has changed."""
        self._drops += 1
        self._known.pop(workspace, None)
        self._loading.pop(workspace, None)

    async def follow(self) -> None:
        """Drop what other processes have changed."""
        now = self._now()
        for workspace, stamp in (await self._installations.changed(self._followed - OVERLAP)).items():
            known = self._known.get(workspace)
            if known is None or (known.found.stamp if known.found is not None else None) != stamp:
                self.drop(workspace)
        self._followed = now

    async def is_gone(self, workspace: str) -> bool:
        """Tell of a workspace without a valid token whether the app was removed there, so that nothing is missed."""
        self.drop(workspace)
        return await self.find(workspace) is None and await self._removals.is_removed(workspace)

    async def identify(self, sleep: Callable[[float], Awaitable[None]] = asyncio.sleep) -> None:
        """Do nothing: who the bot is stands with each installation."""

    @property
    def jobs(self) -> Sequence[Job]:
        """Return what every process does regularly."""
        return [(FOLLOW_SECONDS, self.follow)]
