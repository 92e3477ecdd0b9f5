"""What is done when Slack says that the app was removed."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from datetime import datetime

from bot.installed import InstalledAuthorize
from handlers.installing import Why
from knowledge.ports import People
from storage.installations import SqlInstallations
from storage.removals import Became, SqlRemovals

logger = logging.getLogger(__name__)
RUN_SECONDS = 60.0


class Removing:
    """Take tokens away at once, and delete the rest when it is due."""

    def __init__(
        self,
        removals: SqlRemovals,
        installations: SqlInstallations,
        installed: InstalledAuthorize,
        people: People,
        now: Callable[[], datetime],
    ) -> None:
        self._removals = removals
        self._installations = installations
        self._installed = installed
        self._people = people
        self._now = now

    async def removed(self, workspaces: Sequence[str], why: Why, at: datetime | None) -> None:
        """Note what happened at that time, in the first of the workspaces that has the app."""
        at, workspace = at or self._now(), workspaces[0]
        # The second event about a team comes when its installation is gone: it is not about the organisation's.
        if not await self._removals.was_removed_lately(workspace, at):
            workspace = await self._installations.first_of(workspaces) or workspace
        gone = [workspace]
        if why == "app_uninstalled":
            # Slack takes the app out of every workspace of an organisation with it, also where it was there before.
            # The organisation's comes last: by it the teams are found when the event is worked off again.
            gone = [*await self._installations.teams_of(workspace), workspace]
        due = [one for one in gone if await self._note(one, why, at) == "due"]
        for one in due:
            await self._delete(one)

    async def run(self) -> None:
        """Delete what is due.

        That is two weeks after a token was revoked, five minutes after a removal, for what was under way then, and what
        a process that ended has left.
        """
        for workspace in await self._removals.due(self._now()):
            try:
                # Those before it may have taken long.
                if await self._removals.is_due(workspace, self._now()):
                    await self._delete(workspace)
            except Exception:
                # It stays due, and the others do not wait for it.
                logger.exception("%s: its rows could not be deleted; it is tried again", workspace)

    async def _note(self, workspace: str, why: Why, at: datetime) -> Became:
        became = await self._removals.note(workspace, why, at, self._now())
        self._installed.drop(workspace)
        logger.info("%s in %s: %s", why, workspace, became)
        return became

    async def _delete(self, workspace: str) -> None:
        rows = await self._people.forget_workspace(workspace)
        await self._removals.deleted(workspace, rows, self._now())
        logger.info("%s: %s rows of the workspace deleted", workspace, rows)


class RemovingOne:
    """The same, where the one token stands in the environment."""

    def __init__(self, people: People) -> None:
        self._people = people

    async def removed(self, workspaces: Sequence[str], why: Why, at: datetime | None) -> None:
        """Delete everything about the workspace, or say that its token is void."""
        if why == "tokens_revoked":
            logger.error("tokens_revoked: the bot token is void. Reinstall the app and set the new SLACK_BOT_TOKEN.")
        else:
            count = await self._people.forget_workspace(workspaces[0])
            logger.info("%s: %s rows of the workspace deleted", why, count)
