"""Which scopes the bot needs, and telling those who installed it where some were not granted."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime

from slack_sdk.errors import SlackApiError

from handlers.errors import may_begin_again
from handlers.installing import more_scopes
from handlers.members import UNREACHABLE, person_of
from handlers.replies import ClientOf, write_to
from knowledge.freshness import is_working_time
from storage.installations import Asking, SqlInstallations

logger = logging.getLogger(__name__)
SCOPES = ("app_mentions:read", "chat:write", "commands", "im:history", "users:read")
OPTIONAL_SCOPES = ("dnd:read",)
"""What the manifests ask for; a test compares."""
RUN_SECONDS = 600.0


def missing_scopes(granted: Iterable[str]) -> Sequence[str]:
    """Return the scopes that the bot can't do without and was not granted."""
    return [scope for scope in SCOPES if scope not in set(granted)]


class ScopeRounds:
    """After an update that needs more scopes: tell each installer once, in their working hours, with the link."""

    def __init__(
        self, installations: SqlInstallations, client_of: ClientOf, link: str, now: Callable[[], datetime]
    ) -> None:
        self._installations = installations
        self._client_of = client_of
        self._link = link
        self._now = now

    async def run(self) -> None:
        """Look for installations whose installer was not told of the scopes of this version."""
        for found in await self._installations.without(SCOPES):
            missing = missing_scopes(found.scopes)
            if not missing:
                await self._installations.asked_for(found.workspace, SCOPES)
            elif await self._may_be_written_to(found) and await self._installations.asked_for(found.workspace, SCOPES):
                logger.warning("%s: not granted: %s; install again", found.workspace, ", ".join(missing))
                await self._tell(found, missing)

    async def _may_be_written_to(self, found: Asking) -> bool:
        client = await self._client_of(found.workspace)
        if client is None:
            return False
        if found.installer is None:
            return True
        now = self._now()
        # Without users:read it is not known what time it is there.
        member = await person_of(client, found.workspace, found.installer, now)
        return member is None or is_working_time(now, member.tz)

    async def _tell(self, found: Asking, missing: Sequence[str]) -> None:
        client = await self._client_of(found.workspace)
        if client is None or found.installer is None:
            return
        try:
            await write_to(client, found.installer, more_scopes(missing, self._link))
        except (SlackApiError, *UNREACHABLE) as error:
            logger.warning("%s: the installer could not be told: %s", found.workspace, type(error).__name__)
            if may_begin_again(error):
                await self._installations.asked_for(found.workspace, ())
