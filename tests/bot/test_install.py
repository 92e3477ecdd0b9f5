"""Installed, used, upgraded, renewed and removed over HTTP, in one team and in an organisation."""

from __future__ import annotations

import asyncio
import html
import logging
import random
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import aiohttp
import pytest
import pytest_asyncio
from pydantic import SecretStr
from sqlalchemy.exc import DBAPIError
from yarl import URL

from bot.app import Bot
from bot.doctor import examine
from bot.installed import FOLLOW_SECONDS, InstalledAuthorize
from bot.local import GENERAL, LocalSlack
from bot.scopes import SCOPES
from knowledge.people import Listed
from knowledge.people import Member as Profile
from storage.bulk import SqlPeopleInBulk
from storage.database import open_engine
from storage.installations import SqlInstallations
from storage.keys import DOES_NOT_OPEN, KeysError
from storage.removals import DELETE_WITHIN, SqlRemovals
from storage.tables import installations
from tests.bot.test_doctor import configured
from tests.conftest import ANN, BEN, TABLES, TEAM, Clock, Start, declares, rows, settled, words
from tests.databases import BOTH, KEYS, empty_tables

ORG = "E0GRID00001"
EVERYWHERE = pytest.mark.parametrize("slack", [None, ORG], indirect=True, ids=["team", "organisation"])
LOCKED = "T0LOCKED"
LESS = "UPDATE installations SET asked_for = '', scopes = 'chat:write,users:read'"
LOCKS = {
    "sqlite": [
        "CREATE TRIGGER held BEFORE DELETE ON declarations WHEN OLD.workspace = 'T0FIRST' "
        "BEGIN SELECT RAISE(ABORT, 'held'); END"
    ],
    "postgresql": [
        "CREATE OR REPLACE FUNCTION held() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'held'; END $$",
        "CREATE TRIGGER held BEFORE DELETE ON declarations FOR EACH ROW WHEN (OLD.workspace = 'T0FIRST') "
        "EXECUTE FUNCTION held()",
    ],
}
"""What lets no row of one workspace be deleted."""
ON_POSTGRES = pytest.mark.parametrize("database", ["postgresql"], indirect=True)


@pytest.fixture(params=BOTH[:1])
def database(request: pytest.FixtureRequest, database: str) -> str:
    if request.param == "sqlite":
        return database
    address = str(request.getfixturevalue("postgres"))

    async def empty() -> None:
        engine = open_engine(address)
        await empty_tables(engine)
        await engine.dispose()

    asyncio.run(empty())
    return address


def where(slack: LocalSlack) -> str:
    return slack.workspace.enterprise_id or TEAM


class Browser:
    """Somebody's browser: it keeps cookies, and shows pages."""

    def __init__(self, base: str) -> None:
        self.base = base
        self.session = aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True))
        self.status, self.text, self.headers = 0, "", {}  # type: ignore[var-annotated]
        self.address = ""

    async def open(self, address: str, *, follow: bool = True) -> str:
        url = address if address.startswith("http") else self.base + address
        async with self.session.get(URL(url, encoded=True), allow_redirects=follow) as response:
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


@pytest.fixture
def many(slack: LocalSlack, start: Start) -> Many:
    return Many(slack, start)


@pytest_asyncio.fixture
async def served(many: Many) -> AsyncIterator[tuple[Bot, Browser]]:
    async with many() as served:
        yield served


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


async def finish(bot: Bot) -> None:
    """Have done what is left of removals."""
    [job] = [job for _, job in bot.timers._jobs if "Removing" in str(job)]
    await job()


def greetings(slack: LocalSlack) -> list[str]:
    return [
        call.arguments["text"] for call in slack.called("chat.postMessage") if "installing me" in str(call.arguments)
    ]


# The whole way


@EVERYWHERE
@pytest.mark.parametrize("database", BOTH, indirect=True)
async def test_it_is_installed_used_and_removed(slack: LocalSlack, served: tuple[Bot, Browser], clock: Clock) -> None:
    bot, browser = served
    before = await slack.command(ANN, "/genai-role mlops")
    assert "I am not installed in this workspace any more." in before.text
    await browser.install()
    assert (browser.status, browser.title) == (200, "GenAI roles is installed")
    await settled(bot)
    assert len(greetings(slack)) == 1
    assert [call.arguments["channel"] for call in slack.called("chat.postMessage")] == [ANN], "nobody else is told"
    [row] = await rows(bot, "installations")
    assert (row["workspace"], row["user_id"], row["bot_user_id"]) == (where(slack), ANN, slack.bot_user)

    await declares(bot, slack, BEN, {"mlops-engineer": "lead"}, workspace=where(slack))
    asked = len(slack.called("auth.test"))
    for _ in range(5):
        assert "Ben Book" in (await slack.command(ANN, "/genai-role who mlops")).text
    posted = await slack.say(ANN, "<@BOT> what is mlops", GENERAL)
    await settled(bot)
    assert "MLOps Engineer" in words(slack.replies(posted)[0])
    assert len(slack.called("auth.test")) == asked, "who the bot is was stored when it was installed"

    clock.move(hours=1)
    await remove(slack, bot)
    assert await rows(bot, "installations") == []
    # The second of the two events may come to the inbox after everything was deleted: its id stays for a while.
    left = {table: await rows(bot, table) for table in TABLES}
    assert [row for row in left.pop("inbox") if (row["body"], row["user_id"], row["state"]) != ("", None, "done")] == []
    assert left == {table: [] for table in TABLES if table != "inbox"}
    [note] = await rows(bot, "removals")
    assert (note["workspace"], note["why"]) == (where(slack), "app_uninstalled")
    assert note["deleted_rows"] > 0 and note["delete_at"] is not None, "it is done once more"
    assert ANN not in str(note) and BEN not in str(note)
    assert "not installed" in (await slack.command(ANN, "/genai-role mlops")).text


@EVERYWHERE
async def test_a_token_that_is_revoked_first_goes_at_once_too(
    slack: LocalSlack, served: tuple[Bot, Browser], clock: Clock
) -> None:
    bot, browser = served
    await browser.install()
    await declares(bot, slack, BEN, {"mlops-engineer": "lead"}, workspace=where(slack))
    clock.move(hours=1)
    await remove(slack, bot, token_first=True)
    assert await rows(bot, "installations") == [] == await rows(bot, "declarations")
    assert [note["why"] for note in await rows(bot, "removals")] == ["app_uninstalled"]


async def test_where_only_the_token_was_revoked_the_rest_goes_after_two_weeks(
    slack: LocalSlack, served: tuple[Bot, Browser], clock: Clock
) -> None:
    bot, browser = served
    await browser.install()
    await declares(bot, slack, BEN, {"mlops-engineer": "lead"})
    clock.move(hours=1)
    await slack.send_event({"type": "tokens_revoked", "tokens": {"oauth": [], "bot": [slack.bot_user]}})
    await settled(bot)
    assert await rows(bot, "installations") == [] and await rows(bot, "declarations")
    clock.move(hours=DELETE_WITHIN.total_seconds() / 3600 - 1)
    await finish(bot)
    assert await rows(bot, "declarations")
    clock.move(hours=2)
    await finish(bot)
    assert await rows(bot, "declarations") == []


@EVERYWHERE
async def test_old_events_about_a_removal_leave_what_was_installed_since(
    slack: LocalSlack, served: tuple[Bot, Browser], clock: Clock
) -> None:
    bot, browser = served
    await browser.install()
    old = int(clock.seconds())
    clock.move(minutes=1)
    await browser.install()
    assert browser.title == "GenAI roles is installed again"
    await declares(bot, slack, BEN, {"mlops-engineer": "lead"}, workspace=where(slack))
    for event in ({"type": "app_uninstalled"}, {"type": "tokens_revoked", "tokens": {"bot": [slack.bot_user]}}):
        await slack.send_event(event, event_time=old)
    await settled(bot)
    assert "Ben Book" in (await slack.command(ANN, "/genai-role who mlops")).text
    assert len(greetings(slack)) == 1, "once, not again"


@pytest.mark.parametrize("slack", [ORG], indirect=True)
async def test_a_removal_from_an_organisation_that_names_the_team_alone(
    slack: LocalSlack, served: tuple[Bot, Browser], clock: Clock
) -> None:
    bot, browser = served
    await browser.install()
    clock.move(hours=1)
    await slack.send_event({"type": "app_uninstalled"}, authorizations=[], enterprise_id=ORG)
    await settled(bot)
    assert await rows(bot, "installations") == []


async def covers(bot: Bot, clock: Clock, workspace: str = ORG) -> None:
    """Have the app installed for an organisation too, beside the team."""
    found = await SqlInstallations(bot.engine).find(TEAM)
    assert found is not None
    org_wide = replace(found, workspace=workspace, token="xoxb-of-all", enterprise=workspace, org_wide=True)
    await SqlInstallations(bot.engine).save(org_wide, SCOPES, clock.now())


async def installed(bot: Bot) -> list[str]:
    return sorted(row["workspace"] for row in await rows(bot, "installations"))


@pytest.mark.parametrize("database", BOTH, indirect=True)
@pytest.mark.parametrize("token_first", [False, True])
async def test_the_second_event_about_a_team_leaves_its_organisation(
    slack: LocalSlack, served: tuple[Bot, Browser], clock: Clock, token_first: bool
) -> None:
    bot, browser = served
    await browser.install()
    await covers(bot, clock)
    clock.move(hours=1)
    uninstalled: dict[str, Any] = {"type": "app_uninstalled"}
    revoked: dict[str, Any] = {"type": "tokens_revoked", "tokens": {"bot": [slack.bot_user]}}
    events = [revoked, uninstalled] if token_first else [uninstalled, revoked]
    happened = int(clock.seconds())
    for event, late in zip(events, (0, 30), strict=True):
        clock.move(minutes=late)
        await slack.send_event(event, authorizations=[], enterprise_id=ORG, event_time=happened)
        await settled(bot)
    assert await installed(bot) == [ORG]
    clock.move(hours=1)
    await slack.send_event(uninstalled, authorizations=[], enterprise_id=ORG)
    await settled(bot)
    assert await installed(bot) == [], "no team's any more: it is the organisation's"


@pytest.mark.parametrize("slack", [ORG], indirect=True)
async def test_an_organisation_that_takes_the_app_from_a_team_and_then_from_all_is_removed(
    slack: LocalSlack, served: tuple[Bot, Browser], clock: Clock
) -> None:
    bot, browser = served
    await browser.install()
    clock.move(hours=1)
    await slack.send_event({"type": "team_access_revoked", "team_ids": ["T0TAKEN"]})
    await settled(bot)
    clock.move(seconds=5)
    uninstalled = {"type": "app_uninstalled"}
    await slack.send_event(uninstalled, authorizations=[], team_id="T0TAKEN", enterprise_id=ORG)
    await settled(bot)
    assert await installed(bot) == []


@pytest.mark.parametrize("database", BOTH, indirect=True)
async def test_what_was_under_way_when_the_app_was_removed_is_deleted_too(
    slack: LocalSlack, served: tuple[Bot, Browser], clock: Clock
) -> None:
    bot, browser = served
    await browser.install()
    await declares(bot, slack, ANN, {"mlops-engineer": "lead"})
    clock.move(hours=1)
    await remove(slack, bot)
    [before] = await rows(bot, "removals")
    # A form was being saved while the rest was deleted.
    await declares(bot, slack, BEN, {"mlops-engineer": "lead"})
    clock.move(minutes=4)
    await finish(bot)
    assert await rows(bot, "declarations")
    clock.move(minutes=2)
    await finish(bot)
    assert {table: await rows(bot, table) for table in TABLES} == {table: [] for table in TABLES}
    [note] = await rows(bot, "removals")
    assert note["delete_at"] is None and note["deleted_rows"] > before["deleted_rows"]


async def test_what_is_declared_after_the_app_is_back_stays(
    slack: LocalSlack, served: tuple[Bot, Browser], clock: Clock
) -> None:
    bot, browser = served
    await browser.install()
    clock.move(hours=1)
    await remove(slack, bot)
    clock.move(minutes=1)
    slack.api.dead_tokens.clear()
    await browser.install()
    await declares(bot, slack, BEN, {"mlops-engineer": "lead"})
    clock.move(minutes=5)
    await finish(bot)
    assert await rows(bot, "declarations")


@pytest.mark.parametrize("database", BOTH, indirect=True)
async def test_with_an_organisation_go_the_teams_of_it_that_had_the_app_before(
    slack: LocalSlack, served: tuple[Bot, Browser], clock: Clock
) -> None:
    bot, browser = served
    await browser.install()
    found = await SqlInstallations(bot.engine).find(TEAM)
    assert found is not None
    mine, other, alone = "T0GRID", "T0OTHERGRID", "T0ALONE"
    for workspace, enterprise in ((mine, ORG), (other, "E0GRID00002"), (alone, None)):
        team = replace(found, workspace=workspace, enterprise=enterprise, token=f"xoxb-{workspace}")
        await SqlInstallations(bot.engine).save(team, SCOPES, clock.now())
        await declares(bot, slack, BEN, {"mlops-engineer": "lead"}, workspace=workspace)
    await covers(bot, clock)
    assert await bot.authorize.client_of(mine)
    clock.move(hours=1)
    of_all = {"enterprise_id": ORG, "team_id": None, "is_enterprise_install": True}
    revoked: dict[str, Any] = {"type": "tokens_revoked", "tokens": {"bot": [slack.bot_user]}}
    await slack.send_event(revoked, authorizations=[of_all])
    await settled(bot)
    assert await installed(bot) == [alone, mine, TEAM, other], "a team has a token of its own"
    await slack.send_event({"type": "app_uninstalled"}, authorizations=[of_all])
    await settled(bot)
    assert await installed(bot) == [alone, TEAM, other]
    assert await bot.authorize.client_of(mine) is None
    assert {row["workspace"] for row in await rows(bot, "declarations")} == {alone, other}
    assert {(row["workspace"], row["why"]) for row in await rows(bot, "removals")} == {
        (ORG, "app_uninstalled"),
        (mine, "app_uninstalled"),
    }


@pytest.mark.parametrize("slack", [ORG], indirect=True)
@pytest.mark.parametrize("database", BOTH, indirect=True)
async def test_what_is_kept_of_a_team_goes_when_its_organisation_takes_the_app_away_there(
    slack: LocalSlack, served: tuple[Bot, Browser], clock: Clock
) -> None:
    bot, browser = served
    await browser.install()
    found = await SqlInstallations(bot.engine).find(ORG)
    assert found is not None
    before, taken, stays = "T0BEFORE", "T0TAKEN", "T0STAYS"
    for workspace in (taken, stays):
        own = replace(found, workspace=workspace, org_wide=False, token=f"xoxb-{workspace}")
        await SqlInstallations(bot.engine).save(own, SCOPES, clock.now())
    for workspace in (ORG, before, taken, stays):
        await declares(bot, slack, BEN, {"mlops-engineer": "lead"}, workspace=workspace)
    clock.move(hours=1)
    event: dict[str, Any] = {"type": "team_access_revoked", "team_ids": [before, taken]}
    for _ in range(2):
        await slack.send_event(event)
        await settled(bot)
    assert await installed(bot) == [ORG, stays]
    assert await bot.authorize.client_of(taken) is None
    assert {row["workspace"] for row in await rows(bot, "declarations")} == {ORG, stays}
    assert "Ben Book" in (await slack.command(ANN, "/genai-role who mlops")).text
    assert {(row["workspace"], row["why"]) for row in await rows(bot, "removals")} == {
        (before, "team_access_revoked"),
        (taken, "team_access_revoked"),
    }
    # Added again, the team is one of the organisation's: nothing of its own comes back, and nothing stays for that.
    await slack.send_event({"type": "team_access_granted", "team_ids": [taken]})
    await declares(bot, slack, ANN, {"mlops-engineer": "lead"}, workspace=taken)
    clock.move(minutes=6)
    await finish(bot)
    assert {row["workspace"] for row in await rows(bot, "declarations")} == {ORG, stays}


@pytest.mark.parametrize("slack", [ORG], indirect=True)
async def test_a_team_that_was_taken_away_before_it_installed_the_app_itself_keeps_it(
    slack: LocalSlack, served: tuple[Bot, Browser], clock: Clock
) -> None:
    bot, browser = served
    await browser.install()
    old = int(clock.seconds())
    clock.move(minutes=1)
    found = await SqlInstallations(bot.engine).find(ORG)
    assert found is not None
    await SqlInstallations(bot.engine).save(replace(found, workspace="T0OWN", org_wide=False), SCOPES, clock.now())
    await slack.send_event({"type": "team_access_revoked", "team_ids": ["T0OWN"]}, event_time=old)
    await settled(bot)
    assert await installed(bot) == [ORG, "T0OWN"]


@pytest.mark.usefixtures("faults")
@pytest.mark.parametrize("database", BOTH, indirect=True)
async def test_a_deletion_that_fails_holds_up_no_other(
    slack: LocalSlack, served: tuple[Bot, Browser], clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    bot, _ = served
    first, second = "T0FIRST", "T0SECOND"
    removals = SqlRemovals(bot.engine)
    for workspace in (first, second):
        await declares(bot, slack, BEN, {"mlops-engineer": "lead"}, workspace=workspace)
        await removals.note(workspace, "app_uninstalled", clock.now(), clock.now())
        clock.move(seconds=1)

    async def kept() -> set[str]:
        return {row["workspace"] for row in await rows(bot, "declarations")}

    sqlite = bot.engine.dialect.name == "sqlite"
    async with bot.engine.begin() as connection:
        for statement in LOCKS["sqlite" if sqlite else "postgresql"]:
            await connection.exec_driver_sql(statement)
    try:
        for _ in range(2):
            await finish(bot)
            assert await kept() == {first}
    finally:
        async with bot.engine.begin() as connection:
            await connection.exec_driver_sql("DROP TRIGGER held" if sqlite else "DROP FUNCTION held CASCADE")
    told = [record for record in caplog.records if record.levelno == logging.ERROR]
    assert len(told) == 2 and all(first in record.getMessage() for record in told)
    await finish(bot)
    assert await kept() == set()


@pytest.mark.usefixtures("faults")
async def test_a_removal_from_an_organisation_that_failed_on_a_team_is_done_to_the_end(
    slack: LocalSlack, served: tuple[Bot, Browser], clock: Clock
) -> None:
    bot, browser = served
    await browser.install()
    await covers(bot, clock)
    async with bot.engine.begin() as connection:
        mine = installations.update().where(~installations.c.org_wide).values(workspace="T0MINE", enterprise_id=ORG)
        await connection.execute(mine)
        for statement in LOCKS["sqlite"]:
            await connection.exec_driver_sql(
                statement.replace("declarations", "installations").replace("T0FIRST", "T0MINE")
            )
    clock.move(hours=1)
    [job] = [job for _, job in bot.timers._jobs if "Removing" in str(job)]
    removing = job.__self__  # type: ignore[attr-defined]
    with pytest.raises(DBAPIError, match="held"):
        await removing.removed([TEAM, ORG], "app_uninstalled", clock.now())
    async with bot.engine.begin() as connection:
        await connection.exec_driver_sql("DROP TRIGGER held")
    await removing.removed([TEAM, ORG], "app_uninstalled", clock.now())
    assert await installed(bot) == []


async def test_what_comes_after_a_removal_is_dropped(
    slack: LocalSlack, served: tuple[Bot, Browser], clock: Clock
) -> None:
    bot, browser = served
    await browser.install()
    clock.move(hours=1)
    await remove(slack, bot)
    await slack.say(ANN, "<@BOT> what is mlops", GENERAL)
    await settled(bot)
    assert {(row["state"], row["body"]) for row in await rows(bot, "inbox")} == {("done", "")}


@pytest.mark.usefixtures("faults")
async def test_an_event_from_where_the_app_never_was_is_a_dead_letter(
    slack: LocalSlack, served: tuple[Bot, Browser]
) -> None:
    bot, _ = served
    await slack.say(ANN, "<@BOT> what is mlops", GENERAL)
    await settled(bot)
    assert [row["state"] for row in await rows(bot, "inbox")] == ["dead"]
    assert slack.called("chat.postMessage") == []


# The pages


async def test_the_page_is_plain_and_lets_nothing_in(slack: LocalSlack, served: tuple[Bot, Browser]) -> None:
    _, browser = served
    await browser.open("/slack/install")
    assert browser.status == 200 and browser.title == "Install GenAI roles in Slack"
    assert '<html lang="en">' in browser.text and "<main>" in browser.text and "<script" not in browser.text
    assert "default-src 'none'" in browser.headers["Content-Security-Policy"]
    assert browser.headers["X-Content-Type-Options"] == "nosniff"
    assert browser.headers["Referrer-Policy"] == "no-referrer"
    assert browser.headers["Cache-Control"] == "no-store"
    cookie = browser.headers["Set-Cookie"]
    assert "HttpOnly" in cookie and "SameSite=Lax" in cookie and "Max-Age=600" in cookie and "Secure" not in cookie
    asked = parse_qs(urlsplit(browser.button).query)
    assert browser.button.startswith(slack.api_url.removesuffix("/api/") + "/oauth/v2/authorize?")
    assert set(SCOPES) <= set(asked["scope"][0].split(","))


async def test_over_https_the_cookie_is_secure(many: Many) -> None:
    async with many(public_url="https://h.example/") as (_, browser):
        await browser.open("/slack/install")
        assert "Secure" in browser.headers["Set-Cookie"]
        asked = parse_qs(urlsplit(browser.button).query)
        assert asked["redirect_uri"] == ["https://h.example/slack/oauth_redirect"]
        assert "https://h.example/slack/install" in (await many.slack.command(ANN, "/genai-role mlops")).text


@pytest.mark.parametrize(
    ("denies", "status", "title"),
    [("access_denied", 200, "You cancelled"), ("server_error", 400, "Slack did not install it")],
)
async def test_what_slack_says_is_told(
    slack: LocalSlack, served: tuple[Bot, Browser], denies: str, status: int, title: str
) -> None:
    bot, browser = served
    slack.oauth.denies = denies
    await browser.install()
    assert (browser.status, browser.title) == (status, title)
    assert browser.button == "/slack/install"
    assert await rows(bot, "installations") == []


async def back(slack: LocalSlack, browser: Browser) -> str:
    """Go as far as Slack's page, and return the address that it leads back to."""
    await browser.open("/slack/install")
    await browser.open(browser.button, follow=False)
    return browser.address


async def test_another_browser_can_not_end_what_this_one_began(slack: LocalSlack, served: tuple[Bot, Browser]) -> None:
    bot, browser = served
    address = await back(slack, browser)
    other = Browser(browser.base)
    for _ in range(2):
        await other.open(address)
        assert (other.status, other.title) == (400, "This did not start in this browser")
        # Now with a cookie of its own.
        await other.open("/slack/install")
    await other.session.close()
    assert await rows(bot, "installations") == []
    await browser.open(address)
    assert browser.title == "GenAI roles is installed", "nothing was used up"


ODD = (
    "",
    "x",
    "%00",
    "%ff",
    "%F0%9F%98%80",
    "9" * 3000,
    "%3Cscript%3Ealert(1)%3C/script%3E",
    "a&code=b",
    "1.2.3",
    "%0d%0aX: y",
)


async def test_whatever_a_page_is_asked_with_it_answers_with_a_page(
    slack: LocalSlack, served: tuple[Bot, Browser], caplog: pytest.LogCaptureFixture
) -> None:
    bot, browser = served
    good = parse_qs(urlsplit(await back(slack, browser)).query)["state"][0]
    for odd in ODD:
        for query in (f"state={odd}", f"error={odd}", f"code={odd}", f"code=x&state={odd}", f"state={odd}&error={odd}"):
            for path in ("/slack/install", "/slack/oauth_redirect"):
                await browser.open(f"{path}?{query}")
                assert browser.status in (200, 400), (path, query[:50])
                assert "<script" not in browser.text
        headers = {"Cookie": f"genai_roles_install={odd[:200]}"}
        async with aiohttp.ClientSession(headers=headers, cookie_jar=aiohttp.DummyCookieJar()) as stranger:
            async with stranger.get(f"{browser.base}/slack/oauth_redirect?code=x&state={good}") as answer:
                assert answer.status == 400
            async with stranger.get(f"{browser.base}/slack/install") as answer:
                assert answer.status == 200
    assert not [record for record in caplog.records if record.exc_info or record.levelno >= logging.ERROR]
    assert await rows(bot, "installations") == []


async def test_a_state_is_good_for_ten_minutes_and_for_once(
    slack: LocalSlack, served: tuple[Bot, Browser], clock: Clock
) -> None:
    _, browser = served
    address = await back(slack, browser)
    clock.move(minutes=10, seconds=1)
    await browser.open(address)
    assert (browser.status, browser.title) == (400, "That took too long")
    first, second = await back(slack, browser), await back(slack, browser)
    for address in (first, second):
        # Two tabs of one browser do not get in each other's way.
        await browser.open(address)
        assert browser.title.startswith("GenAI roles is installed")
    await browser.open(first)
    assert (browser.status, browser.title) == (400, "This was used already")
    for state in ("", "1.2.3", "9" * 2000, "%00", "1." + "a" * 22 + "." + "0" * 64):
        await browser.open(f"/slack/oauth_redirect?code=x&state={state}")
        assert browser.title == "This did not start in this browser"


@pytest.mark.usefixtures("faults")
@pytest.mark.parametrize(
    ("method", "how", "title"),
    [
        ("oauth.v2.access", {"error": "<script>"}, "Slack did not install it"),
        ("oauth.v2.access", {"error": "invalid_code"}, "Slack did not install it"),
        ("auth.test", {"status": 503, "times": 9}, "Slack can't be reached"),
    ],
)
async def test_slack_in_trouble_is_told(
    slack: LocalSlack, served: tuple[Bot, Browser], method: str, how: dict[str, Any], title: str
) -> None:
    bot, browser = served
    slack.fail(method, **how)
    await browser.install()
    assert browser.title == title
    assert "<script" not in browser.text
    assert await rows(bot, "installations") == []


@pytest.mark.usefixtures("faults")
async def test_a_wrong_secret_is_told(many: Many) -> None:
    async with many(slack_client_secret=SecretStr("wrong")) as (_, browser):
        await browser.install()
        assert "bad_client_secret" in browser.text


# At rest


async def test_no_token_and_no_question_is_to_be_read_in_the_file(
    slack: LocalSlack, many: Many, database: str, clock: Clock
) -> None:
    slack.oauth.rotates = True
    async with many() as (bot, browser):
        await browser.install()
        await settled(bot)
        await bot.worker.stop(1)
        await slack.say(ANN, "<@BOT> how heavy are warp weights", GENERAL)
        secrets = [*slack.oauth.tokens, *slack.oauth.refresh_tokens, "warp weights", slack.oauth.client_secret]
        file = Path(database.removeprefix("sqlite+aiosqlite:///"))
        kept = b"".join(found.read_bytes() for found in file.parent.glob(f"{file.name}*"))
        assert TEAM.encode() in kept and len(secrets) == 4
        assert [secret for secret in secrets if secret.encode() in kept] == []


# Scopes


async def test_an_installer_is_told_once_of_scopes_that_are_missing(
    slack: LocalSlack, many: Many, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    async with many(public_url=None) as (bot, browser):
        await browser.install()
        async with bot.engine.begin() as connection:
            await connection.exec_driver_sql(LESS)
        [look] = [job for _, job in bot.timers._jobs if "ScopeRounds" in str(job)]
        clock.move(hours=12)
        await look()
        assert not [call for call in slack.called("chat.postMessage") if "updated" in str(call.arguments)]
        clock.move(hours=12)
        for _ in range(3):
            await look()
        [told] = [call.arguments for call in slack.called("chat.postMessage") if "updated" in str(call.arguments)]
        assert told["channel"] == ANN and "commands" in told["text"]
        assert f"{TEAM}: not granted: app_mentions:read, commands, im:history" in caplog.text
        await browser.install()
        assert browser.title == "GenAI roles is installed again"
        await look()
        assert await SqlInstallations(bot.engine).lacking(SCOPES) == {}


@pytest.mark.usefixtures("faults")
@pytest.mark.parametrize("database", BOTH, indirect=True)
async def test_an_installer_is_told_once_though_the_answer_from_slack_is_lost(
    slack: LocalSlack, served: tuple[Bot, Browser], clock: Clock
) -> None:
    bot, browser = served
    await browser.install()
    await settled(bot)
    async with bot.engine.begin() as connection:
        await connection.exec_driver_sql(LESS)
    [look] = [job for _, job in bot.timers._jobs if "ScopeRounds" in str(job)]
    clock.move(days=1)
    slack.fail("chat.postMessage", lost=True, times=9)
    for _ in range(3):
        await look()
    assert len([call for call in slack.called("chat.postMessage") if "updated" in str(call.arguments)]) == 1


@pytest.mark.parametrize("database", BOTH, indirect=True)
async def test_a_token_that_no_key_opens_keeps_no_other_installer_from_being_told(
    slack: LocalSlack, served: tuple[Bot, Browser], clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    bot, browser = served
    await browser.install()
    await settled(bot)
    await lock(bot)
    async with bot.engine.begin() as connection:
        await connection.exec_driver_sql(LESS)
    [look] = [job for _, job in bot.timers._jobs if "ScopeRounds" in str(job)]
    clock.move(days=1)
    for _ in range(2):
        await look()
    assert len([call for call in slack.called("chat.postMessage") if "updated" in str(call.arguments)]) == 1
    assert caplog.text.count("No key opens the token") == 1
    # The key may come back.
    waiting = await SqlInstallations(bot.engine).without(SCOPES)
    assert [asking.workspace for asking in waiting] == [LOCKED]


async def test_the_doctor_knows_of_installations(slack: LocalSlack, many: Many, database: str) -> None:
    given: dict[str, Any] = {
        "slack_client_id": slack.oauth.client_id,
        "slack_client_secret": SecretStr(slack.oauth.client_secret),
        "slack_bot_token": None,
    }
    async with many() as (bot, browser):
        await browser.install()
        found = {finding.name: finding for finding in (await examine(configured(slack, database, **given))).findings}
        assert {finding.status for finding in found.values()} == {"ok", "skipped"}
        assert found["installations"].message == "1, all scopes granted"
        assert "many workspaces" in found["settings"].message
        async with bot.engine.begin() as connection:
            await connection.exec_driver_sql(LESS)
        found = {finding.name: finding for finding in (await examine(configured(slack, database, **given))).findings}
        assert found["installations"].status == "wrong" and TEAM in found["installations"].message


# Tokens that rotate


@EVERYWHERE
async def test_a_token_is_renewed_before_it_ends(slack: LocalSlack, many: Many, clock: Clock) -> None:
    slack.oauth.rotates = True
    async with many() as (bot, browser):
        await browser.install()
        await settled(bot)
        [renew] = [job for _, job in bot.timers._jobs if "Renewal" in str(job)]
        await renew()
        assert len(slack.oauth.tokens) == 1
        clock.move(hours=10, minutes=1)
        await renew()
        assert len(slack.oauth.tokens) == 2
        slack.api.dead_tokens[slack.oauth.tokens[0]] = "token_expired"
        clock.move(minutes=2)
        posted = await slack.say(ANN, "<@BOT> what is mlops", GENERAL)
        await settled(bot)
        assert slack.replies(posted)


@ON_POSTGRES
async def test_of_two_processes_one_renews_a_token(slack: LocalSlack, many: Many, clock: Clock) -> None:
    slack.oauth.rotates = True
    async with many() as (one, browser), many() as (two, _):
        await browser.install()
        clock.move(hours=13)
        found = await asyncio.gather(*(bot.authorize.client_of(TEAM) for bot in (one, two) for _ in range(5)))
        assert {client.token for client in found if client} == {slack.oauth.tokens[1]}
        assert len(slack.called("oauth.v2.access")) == 2, "once to install, once to renew"
        assert [call for call in slack.calls if call.error] == []


@pytest.mark.usefixtures("faults")
async def test_a_token_that_can_not_be_renewed_is_used_until_it_ends(
    slack: LocalSlack, many: Many, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    slack.oauth.rotates = True
    async with many() as (bot, browser):
        await browser.install()
        slack.oauth.refresh_tokens.clear()
        clock.move(hours=13)
        client = await bot.authorize.client_of(TEAM)
        assert client is not None and client.token == slack.oauth.tokens[0]
        assert "the token could not be renewed: invalid_refresh_token" in caplog.text
        assert "xoxe" not in caplog.text


@pytest.mark.usefixtures("faults")
@pytest.mark.parametrize("database", BOTH, indirect=True)
async def test_a_token_that_no_key_opens_keeps_no_other_from_its_renewal(
    slack: LocalSlack, many: Many, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    slack.oauth.rotates = True
    async with many() as (bot, browser):
        await browser.install()
        await settled(bot)
        await lock(bot, expires_at=clock.now())
        [renew] = [job for _, job in bot.timers._jobs if "Renewal" in str(job)]
        clock.move(hours=10, minutes=1)
        for _ in range(2):
            await renew()
        assert len(slack.oauth.tokens) == 2
        client = await bot.authorize.client_of(TEAM)
        assert client is not None and client.token == slack.oauth.tokens[1]
    said = [record.getMessage() for record in caplog.records if LOCKED in record.getMessage()]
    assert said == [f"{LOCKED}: the token could not be renewed: {DOES_NOT_OPEN}"]
    assert "xox" not in caplog.text


# Many processes, many workspaces


@ON_POSTGRES
async def test_a_removal_is_noticed_by_every_process(slack: LocalSlack, many: Many, clock: Clock) -> None:
    async with many() as (one, browser), many() as (two, _):
        await browser.install()
        assert await one.authorize.client_of(TEAM) and await two.authorize.client_of(TEAM)
        clock.move(seconds=5)
        await slack.uninstall()
        await settled(two)
        assert await two.authorize.client_of(TEAM) is None
        assert await one.authorize.client_of(TEAM) is not None, "it has not looked yet"
        await one.everywhere._jobs[0][1]()
        assert await one.authorize.client_of(TEAM) is None
        slack.api.dead_tokens.clear()
        # Begun at the one, ended at the other.
        await browser.install()
        assert browser.title == "GenAI roles is installed"
        assert await two.authorize.client_of(TEAM) is not None
        assert await one.authorize.client_of(TEAM) is None
        await one.everywhere._jobs[0][1]()
        assert await one.authorize.client_of(TEAM) is not None
    assert FOLLOW_SECONDS <= 5


async def test_many_that_ask_at_once_ask_the_database_once(
    slack: LocalSlack, served: tuple[Bot, Browser], clock: Clock
) -> None:
    bot, browser = served
    await browser.install()
    authorize = bot.authorize
    assert isinstance(authorize, InstalledAuthorize)
    asked: list[str] = []
    find = authorize._installations.find

    async def counted(workspace: str) -> Any:
        asked.append(workspace)
        return await find(workspace)

    authorize._installations.find = counted  # type: ignore[method-assign]
    for passed in (0, 59, 2, 59):
        clock.move(seconds=passed)
        await asyncio.gather(*(authorize.find(TEAM) for _ in range(20)))
    assert asked == [TEAM, TEAM]


async def test_a_job_leaves_workspaces_without_the_app_alone(
    slack: LocalSlack, served: tuple[Bot, Browser], clock: Clock
) -> None:
    bot, browser = served
    await browser.install()
    for workspace in ("T0AAAA", TEAM, "T0ZZZZ"):
        await declares(bot, slack, ANN, {"mlops-engineer": "lead"}, workspace=workspace)
    clock.at += timedelta(days=91)
    before = len(slack.called("chat.postMessage"))
    await bot.rounds.run()
    assert len(slack.called("chat.postMessage")) == before + 1


@pytest.mark.usefixtures("faults")
async def test_each_workspace_is_answered_with_its_own_token(
    slack: LocalSlack, served: tuple[Bot, Browser], clock: Clock
) -> None:
    bot, browser = served
    await browser.install()
    found = await SqlInstallations(bot.engine).find(TEAM)
    assert found is not None
    other = replace(found, workspace="T0OTHER0001", token="xoxb-of-another")
    await SqlInstallations(bot.engine).save(other, SCOPES, clock.now())
    slack.oauth.tokens.append(other.token)
    slack.api.dead_tokens[other.token] = "account_inactive"
    for number in range(6):
        ts = f"1700000000.00{number:04}"
        event = {"type": "app_mention", "user": ANN, "channel": GENERAL, "ts": ts, "text": "mlops"}
        await slack.send_event(event, team_id=(TEAM, other.workspace)[number % 2])
    await settled(bot)
    states = {(row["workspace"], row["state"]) for row in await rows(bot, "inbox")}
    assert states == {(TEAM, "done"), (other.workspace, "dead")}
    answered = [call for call in slack.called("chat.postMessage") if call.arguments.get("thread_ts")]
    assert [call.error for call in answered if call.error is None] == [None] * 3
    assert {call.error for call in answered} == {None, "account_inactive"}


async def test_a_swapped_token_does_not_open(slack: LocalSlack, served: tuple[Bot, Browser]) -> None:
    bot, browser = served
    await browser.install()
    [row] = await rows(bot, "installations")
    async with bot.engine.begin() as connection:
        await connection.exec_driver_sql("UPDATE installations SET workspace = 'T0THIEF'")
    with pytest.raises(KeysError, match="ENCRYPTION_KEYS"):
        await SqlInstallations(bot.engine).find("T0THIEF")
    assert await bot.authorize.client_of("T0THIEF") is None
    assert KEYS.newest == row["token"][: len(KEYS.newest)]


async def test_a_token_that_no_key_opens_ends_no_job_for_others(
    served: tuple[Bot, Browser], slack: LocalSlack, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    bot, browser = served
    await browser.install()
    await settled(bot)
    await lock(bot)
    listed = [Listed(Profile(ANN, "Ann"), {"mlops-engineer": "lead"}, {})]
    for workspace in (LOCKED, TEAM):
        await SqlPeopleInBulk(bot.engine, random.Random(1)).declare_many(workspace, listed, clock.now())
    await bot.patrol.run()
    assert [call.arguments["user"] for call in slack.called("users.info")] == [ANN]
    for _ in range(2):
        assert await bot.authorize.client_of(LOCKED) is None
    assert caplog.text.count("No key opens the token") == 1
    assert LOCKED not in caplog.text
