"""Installation by OAuth: the page with the button, and what Slack sends people back with.

https://docs.slack.dev/authentication/installing-with-oauth
"""

from __future__ import annotations

import logging
import math
import re
from collections.abc import Callable
from datetime import datetime, timedelta
from ipaddress import ip_address, ip_network
from typing import Any
from urllib.parse import urlencode, urlsplit

from aiohttp import ClientError, web
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from bot.pages import page
from bot.scopes import OPTIONAL_SCOPES, SCOPES, missing_scopes
from bot.settings import OAuth
from bot.slack import LONGEST_WAIT, limited_for, oauth_access, with_token
from bot.states import COOKIE, States
from handlers.errors import code_of, new_reference, out_of_reach
from handlers.installing import welcome
from handlers.pace import MINUTE, Budget, Monotonic
from handlers.replies import Later, write_to
from storage.installations import STATES_LAST, Installation, SqlInstallations
from storage.underway import underway_since

logger = logging.getLogger(__name__)
PAGE, BACK = "/slack/install", "/slack/oauth_redirect"
AGAIN = ("Try again", PAGE)
LONGEST = 1024
MOST_A_MINUTE = 30
"""Installations that a process takes on in a minute, good or not: anybody may begin one, each asks Slack for a token,
and what Slack allows there is needed for renewing tokens too."""
MOST_OF_ONE = 10
"""So many of them from one address: whoever sends made-up codes without end keeps nobody else from installing."""


class Install:
    """Serve both addresses."""

    def __init__(
        self,
        installations: SqlInstallations,
        client: AsyncWebClient,
        oauth: OAuth,
        drop: Callable[[str], None],
        later: Later,
        now: Callable[[], datetime],
        monotonic: Monotonic,
    ) -> None:
        self._installations = installations
        self._client = client
        self._oauth = oauth
        self._drop = drop
        self._later = later
        self._now = now
        self._taken_back = Budget(monotonic)
        # Apart, lest very many addresses push out what all have spent.
        self._taken_back_of = Budget(monotonic)
        self._states = States(oauth.client_secret, now)
        # The authorize page stands at the origin of the Web API.
        api = urlsplit(client.base_url)
        self._origin = f"{api.scheme}://{api.netloc}"

    async def show(self, request: web.Request) -> web.Response:
        """Show the page with the button."""
        browser = self._states.browser(request.cookies.get(COOKIE))
        asked = {
            "client_id": self._oauth.client_id,
            "scope": ",".join((*SCOPES, *OPTIONAL_SCOPES)),
            "state": self._states.make(browser),
        }
        if self._oauth.public_url:
            asked["redirect_uri"] = self._redirect
        shown = page(
            "Install GenAI roles in Slack",
            "It explains the roles of generative-AI teams, and suggests whom to ask among colleagues who said that "
            "they may be asked. It reads messages only where it is mentioned or written to.",
            "Slack shows you next what it may do, and asks you to allow it.",
            button=("Add to Slack", f"{self._origin}/oauth/v2/authorize?{urlencode(asked)}"),
        )
        shown.set_cookie(
            COOKIE,
            browser,
            max_age=int(STATES_LAST.total_seconds()),
            path="/slack",
            httponly=True,
            # Lax: it comes along when Slack sends the browser back.
            samesite="Lax",
            secure=self._is_secure(request),
        )
        return shown

    async def back(self, request: web.Request) -> web.Response:
        """Take somebody back from Slack: install, or say why not."""
        state, error = request.query.get("state", "")[:LONGEST], request.query.get("error", "")
        code = request.query.get("code", "")[:LONGEST]
        match self._states.check(state, request.cookies.get(COOKIE)):
            case "another browser":
                return page(
                    "This did not start in this browser",
                    "Installing has to begin and end in the same browser, with cookies allowed. Nothing was installed.",
                    button=AGAIN,
                    status=400,
                )
            case "expired":
                return page(
                    "That took too long",
                    "For your safety this works for ten minutes. Nothing was installed.",
                    button=AGAIN,
                    status=400,
                )
        # Before the state is used up, so that opening the same address again does it.
        of_one = self._taken_back_of.spend(_sender(request), MOST_OF_ONE)
        if not of_one or not self._taken_back.spend("everybody", MOST_A_MINUTE):
            most = f"{MOST_A_MINUTE} in a minute" if of_one else f"{MOST_OF_ONE} in a minute from one address"
            logger.info("an installation is put off: more than %s", most)
            return _wait("Many people install this right now", MINUTE, again="reload this page")
        try:
            if not await self._installations.use_state(state, self._now()):
                return page(
                    "This was used already",
                    "If it said before that GenAI roles is installed, all is well. Else try again.",
                    button=AGAIN,
                    status=400,
                )
            if error == "access_denied":
                return page("You cancelled", "Nothing was installed, and nothing is kept.", button=AGAIN)
            if error or not code:
                return self._refused(error)
            with underway_since(self._now()):
                return await self._install(code)
        except Exception:
            reference = new_reference()
            logger.exception("reference %s: an installation failed", reference)
            return page(
                "Something went wrong on our side",
                "Please try again. If it stays, give whoever runs this app the reference "
                f"{reference}. Slack may list the app as installed already.",
                button=AGAIN,
                status=500,
            )

    async def _install(self, code: str) -> web.Response:
        try:
            more = {"redirect_uri": self._redirect} if self._oauth.public_url else {}
            answer = await oauth_access(
                self._client, self._oauth.client_id, self._oauth.client_secret, code=code, **more
            )
            found = await self._read(answer.data if isinstance(answer.data, dict) else {})
        except (SlackApiError, ClientError, TimeoutError, OSError) as error:
            return self._failed(error)
        settled = SCOPES if not missing_scopes(found.scopes) else ()
        is_new = await self._installations.save(found, settled, self._now())
        self._drop(found.workspace)
        logger.info("installed in %s%s", found.workspace, "" if is_new else " again")
        if is_new and found.installer:
            self._later(self._welcome(found, found.installer))
        where = "all workspaces of your organisation that it is given to" if found.org_wide else "your workspace"
        team = {} if found.org_wide else {"team": found.workspace}
        leads = f"{self._origin}/app_redirect?{urlencode({'app': found.app_id, **team})}"
        return page(
            "GenAI roles is installed" if is_new else "GenAI roles is installed again",
            f"It works in {where}. Type /genai-role mlops there, or open its Home tab.",
            "You can close this page.",
            button=("Open Slack", leads),
        )

    async def _read(self, answer: dict[str, Any]) -> Installation:
        """Read what oauth.v2.access answered, and ask with the new token who the bot is."""
        token = str(answer["access_token"])
        client = with_token(self._client, token)
        who = await client.auth_test()
        org_wide = bool(answer.get("is_enterprise_install"))
        enterprise = (answer.get("enterprise") or {}).get("id")
        seconds = answer.get("expires_in")
        return Installation(
            workspace=str(enterprise if org_wide else answer["team"]["id"]),
            token=token,
            scopes=tuple(filter(None, (scope.strip() for scope in str(answer.get("scope", "")).split(",")))),
            app_id=str(answer.get("app_id", "")),
            bot_id=str(who.get("bot_id") or ""),
            bot_user=str(answer.get("bot_user_id") or who.get("user_id") or ""),
            installer=(answer.get("authed_user") or {}).get("id"),
            enterprise=enterprise,
            org_wide=org_wide,
            url=str(who.get("url") or "")[:200],
            refresh_token=str(answer.get("refresh_token") or ""),
            expires_at=self._now() + timedelta(seconds=int(seconds)) if seconds else None,
        )

    async def _welcome(self, found: Installation, installer: str) -> None:
        try:
            await write_to(with_token(self._client, found.token), installer, welcome())
        except (SlackApiError, ClientError, TimeoutError, OSError) as error:
            logger.warning("%s: the installer could not be greeted: %s", found.workspace, type(error).__name__)

    def _failed(self, error: Exception) -> web.Response:
        if isinstance(error, SlackApiError):
            if (seconds := limited_for(error)) is not None:
                logger.warning("Slack asks to wait with installations, for %s s", seconds)
                return _wait("Slack asks us to wait a moment", seconds, button=AGAIN)
            if not out_of_reach(error):
                return self._refused(code_of(error))
        logger.warning("Slack can't be reached for an installation: %s", type(error).__name__)
        return page("Slack can't be reached", "Please try again in a minute.", button=AGAIN, status=502)

    def _refused(self, error: str) -> web.Response:
        named = error if re.fullmatch(r"[a-z_]{1,64}", error) else "no reason"
        logger.warning("an installation was refused by Slack: %s", named)
        return page(
            "Slack did not install it",
            f"Slack gave as its reason: {named}. If it says that again, show this to whoever runs this app.",
            button=AGAIN,
            status=400,
        )

    @property
    def _redirect(self) -> str:
        return f"{self._oauth.public_url}{BACK}"

    def _is_secure(self, request: web.Request) -> bool:
        if self._oauth.public_url:
            return self._oauth.public_url.startswith("https://")
        return request.secure or request.headers.get("X-Forwarded-Proto") == "https"


def _sender(request: web.Request) -> str:
    """Return the address that a request comes from, as the last proxy before the bot saw it; of IPv6 the network.

    Whoever sends can put anything into the header, but only before what the last proxy adds.
    """
    told = ",".join(request.headers.getall("X-Forwarded-For", [])).rpartition(",")[2].strip()
    try:
        address = ip_address(told or request.remote or "")
    except ValueError:
        return str(request.remote)
    if address.version == 4:
        return str(address)
    # A socket for both kinds writes ::ffff:203.0.113.9, and all of those would be one network.
    return str(address.ipv4_mapped or ip_network((address, 64), strict=False))


def _wait(title: str, seconds: float, again: str = "try again", **more: Any) -> web.Response:
    """Return a page that says when to try again."""
    whole = math.ceil(min(max(seconds, 1.0), LONGEST_WAIT))
    shown = page(title, f"Nothing was installed. Please {again} in {whole} seconds.", status=429, **more)
    shown.headers["Retry-After"] = str(whole)
    return shown
