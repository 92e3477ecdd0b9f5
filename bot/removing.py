"""What is done when Slack says that the app was removed."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime

from slack_sdk.errors import SlackApiError

from bot.installed import InstalledAuthorize
from handlers.errors import VOID, code_of, out_of_reach
from handlers.installing import Why
from storage.installations import SqlInstallations
from storage.people import SqlPeople
from storage.removals import AGAIN, Became, SqlRemovals

logger = logging.getLogger(__name__)
RUN_SECONDS = 60.0
GONE = frozenset({"account_inactive", "token_revoked"})
"""What Slack answers to the token of an app that was removed; one that ran out is renewed, for instance."""


class Deleting:
    """Delete the rest of a workspace that the app was removed from, when it is due."""

    def __init__(self, removals: SqlRemovals, people: SqlPeople, now: Callable[[], datetime]) -> None:
        self._removals = removals
        self._people = people
        self._now = now

    async def run(self) -> None:
        """Delete what is due.

        That is two weeks after a token was revoked, five minutes after a removal, for what was under way then, and what
        a process that ended has left.
        """
        failed: list[str] = []
        for workspace in await self._removals.due(self._now()):
            try:
                await self._finish(workspace)
            except Exception:
                # The others do not wait for it, today or tomorrow.
                logger.exception("%s: its rows could not be deleted; it is tried again", workspace)
                failed.append(workspace)
        if failed:
            await self._removals.put_off(failed, self._now())

    async def _finish(self, workspace: str) -> None:
        await self._delete(workspace)

    async def _delete(self, workspace: str) -> None:
        rows = await self._people.forget_removed(workspace, self._now())
        if rows is not None:
            logger.info("%s: %s rows of the workspace deleted", workspace, rows)


class Removing(Deleting):
    """Take tokens away at once, and delete the rest when it is due."""

    def __init__(
        self,
        removals: SqlRemovals,
        installations: SqlInstallations,
        installed: InstalledAuthorize,
        people: SqlPeople,
        now: Callable[[], datetime],
    ) -> None:
        super().__init__(removals, people, now)
        self._installations = installations
        self._installed = installed

    async def removed(self, workspaces: Sequence[str], why: Why, at: datetime | None) -> None:
        """Note what happened at that time, in the first of the workspaces that has the app."""
        at, workspace = at or self._now(), workspaces[0]
        if await self._removals.was_removed_lately(workspace, at):
            # The second event about a team comes when its installation is gone: it is about the organisation's only
            # where Slack does not take that token either.
            for other in workspaces[1:]:
                workspace = other if await self._is_refused(other) else workspace
        else:
            workspace = await self._installations.first_of(workspaces) or workspace
        gone = [workspace]
        if why == "app_uninstalled":
            # Slack takes the app out of every workspace of an organisation with it, also where it was there before.
            # The organisation's comes last: by it the teams are found when the event is worked off again.
            gone = [*await self._installations.teams_of(workspace), workspace]
        due = [one for one in gone if await self._note(one, why, at) == "due"]
        for one in due:
            await self._delete(one)

    async def _is_refused(self, workspace: str) -> bool:
        """Tell whether Slack says that an installation there has gone.

        Raises what kept it from being asked: then the event is tried again, as nothing else would tell of the removal.
        """
        client = await self._installed.client_of(workspace)
        if client is None:
            return False
        try:
            await client.auth_test()
        except SlackApiError as error:
            code = code_of(error)
            if code not in VOID and out_of_reach(error):
                raise
            return code in GONE
        return False

    async def _note(self, workspace: str, why: Why, at: datetime) -> Became:
        became = await self._removals.note(workspace, why, at, self._now())
        self._installed.drop(workspace)
        logger.info("%s in %s: %s", why, workspace, became)
        return became


class RemovingOne(Deleting):
    """The same, where the one token stands in the environment: nobody saves it, so Slack is asked whether it works."""

    def __init__(
        self,
        removals: SqlRemovals,
        people: SqlPeople,
        is_installed: Callable[[str], Awaitable[bool]],
        now: Callable[[], datetime],
    ) -> None:
        super().__init__(removals, people, now)
        self._is_installed = is_installed

    async def removed(self, workspaces: Sequence[str], why: Why, at: datetime | None) -> None:
        """Delete everything about the workspace, or say that its token is void."""
        workspace, now = workspaces[0], self._now()
        if why == "tokens_revoked":
            logger.error("tokens_revoked: the bot token is void. Reinstall the app and set the new SLACK_BOT_TOKEN.")
        elif await self._removals.note(workspace, why, at or now, now) == "due":
            # What comes late may come after the app is back; what comes at once, before Slack has taken the token away.
            is_late = at is not None and at < now - AGAIN
            await (self._finish(workspace) if is_late else self._delete(workspace))

    async def _finish(self, workspace: str) -> None:
        if await self._is_installed(workspace):
            await self._removals.came_back(workspace)
        else:
            await self._delete(workspace)
