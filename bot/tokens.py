"""Build what holds tokens: the one of the environment, or those of every workspace that installed the app."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from slack_sdk.web.async_client import AsyncWebClient
from sqlalchemy.ext.asyncio import AsyncEngine

from bot import removing, renewal, scopes
from bot.authorize import Authorizing, TokenAuthorize
from bot.install import Install
from bot.installed import InstalledAuthorize
from bot.removing import Removing, RemovingOne
from bot.renewal import Renewal
from bot.scopes import ScopeRounds
from bot.settings import Credentials
from bot.slack import Sleep, with_token
from bot.timers import Job
from handlers.installing import Removed
from handlers.pace import Monotonic
from handlers.replies import Later
from storage.installations import SqlInstallations
from storage.people import SqlPeople
from storage.removals import SqlRemovals


@dataclass(frozen=True)
class Tokens:
    """Hold the parts that differ between one workspace and many."""

    authorize: Authorizing
    removed: Removed
    install: Install | None = None
    clients: Sequence[AsyncWebClient] = ()
    jobs: Sequence[Job] = ()
    """What one process is enough for."""


def tokens_for(
    given: Credentials,
    engine: AsyncEngine,
    people: SqlPeople,
    client: AsyncWebClient,
    later: Later,
    now: Callable[[], datetime],
    sleep: Sleep,
    monotonic: Monotonic,
) -> Tokens:
    """Make them for these credentials; ``client`` has no token."""
    removals = SqlRemovals(engine)
    if given.oauth is None:
        assert given.bot_token is not None, "credentials_for gives one or the other"
        own = with_token(client, given.bot_token)
        one = TokenAuthorize(own, given.bot_token)
        removing_one = RemovingOne(removals, people, one.is_installed, now)
        jobs = [(removing.RUN_SECONDS, removing_one.run)]
        return Tokens(one, removing_one.removed, clients=(own,), jobs=jobs)
    installations = SqlInstallations(engine)
    renew = Renewal(installations, client, given.oauth, now, sleep)
    authorize = InstalledAuthorize(installations, removals, renew, client, now, given.oauth.link)
    removed = Removing(removals, installations, authorize, people, now)
    rounds = ScopeRounds(installations, authorize.client_of, given.oauth.link, now)
    return Tokens(
        authorize,
        removed.removed,
        Install(installations, client, given.oauth, authorize.drop, later, now, monotonic),
        jobs=[
            (renewal.RUN_SECONDS, renew.run),
            (removing.RUN_SECONDS, removed.run),
            (scopes.RUN_SECONDS, rounds.run),
        ],
    )
