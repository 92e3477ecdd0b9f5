"""What tests of installing, removing and renewing share: somebody's browser, and bots that many workspaces install."""

from __future__ import annotations

import html
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import pytest
from pydantic import SecretStr
from yarl import URL

from bot.app import Bot
from bot.local import LocalSlack
from storage.tables import installations
from tests.conftest import ANN, TEAM, Start, settled

ORG = "E0GRID00001"
EVERYWHERE = pytest.mark.parametrize("slack", [None, ORG], indirect=True, ids=["team", "organisation"])
LOCKED = "T0LOCKED"


def where(slack: LocalSlack) -> str:
    return slack.workspace.enterprise_id or TEAM


class Browser:
    """Somebody's browser: it keeps cookies, and shows pages."""

    def __init__(self, base: str) -> None:
        self.base = base
        self.session = aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True))
        self.status, self.text, self.headers = 0, "", {}  # type: ignore[var-annotated]
        self.address = ""
        self.forwarded_for = ""
        """What proxies say, to the last one, where the browser is."""

    async def open(self, address: str, *, follow: bool = True) -> str:
        url = URL(address if address.startswith("http") else self.base + address, encoded=True)
        sent = {"X-Forwarded-For": self.forwarded_for} if self.forwarded_for else {}
        async with self.session.get(url, allow_redirects=follow, headers=sent) as response:
            self.status, self.text, self.headers = response.status, await response.text(), dict(response.headers)
            self.address = str(response.url) if follow else response.headers.get("Location", "")
        return self.text

    @property
    def title(self) -> str:
        [found] = re.findall(r"<h1>(.*?)</h1>", self.text)
        return html.unescape(found)

    @property
    def button(self) -> str:
        """Where the one button of the page leads."""
        [found] = re.findall(r'<a class="button" href="(.*?)">', self.text)
        return html.unescape(found)

    async def install(self) -> None:
        await self.open("/slack/install")
        await self.open(self.button)


class Many:
    """Start bots that many workspaces may install."""

    def __init__(self, slack: LocalSlack, start: Start) -> None:
        self.slack, self.start = slack, start
        slack.oauth.installer = ANN

    @asynccontextmanager
    async def __call__(self, **changed: Any) -> AsyncIterator[tuple[Bot, Browser]]:
        oauth = self.slack.oauth
        given = {
            "slack_client_id": oauth.client_id,
            "slack_client_secret": SecretStr(oauth.client_secret),
            "public_url": None,
            **changed,
        }
        async with self.start(**given) as bot:
            browser = Browser(self.slack.bot_url.removesuffix("/slack/events"))
            # Where nobody has said what the public address is, the app's own setting counts.
            oauth.default_redirect = f"{browser.base}/slack/oauth_redirect"
            try:
                yield bot, browser
            finally:
                await browser.session.close()


async def remove(slack: LocalSlack, bot: Bot, *, token_first: bool = False) -> None:
    for sent in await slack.uninstall(token_first=token_first):
        assert sent.status == 200
    await settled(bot)


async def lock(bot: Bot, **changed: Any) -> None:
    """Install the app in a workspace whose token no key opens."""
    async with bot.engine.begin() as connection:
        [there] = (await connection.execute(installations.select())).mappings().all()
        # What is sealed for one row opens in no other.
        await connection.execute(installations.insert().values({**there, **changed, "workspace": LOCKED}))


async def back(slack: LocalSlack, browser: Browser) -> str:
    """Go as far as Slack's page, and return the address that it leads back to."""
    await browser.open("/slack/install")
    await browser.open(browser.button, follow=False)
    return browser.address


def greetings(slack: LocalSlack) -> list[str]:
    return [
        call.arguments["text"] for call in slack.called("chat.postMessage") if "installing me" in str(call.arguments)
    ]
