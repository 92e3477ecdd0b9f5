"""Installed, used and upgraded over HTTP, in one team and in an organisation, and in many workspaces at once."""

from __future__ import annotations

import asyncio
import logging
import random
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import aiohttp
import pytest
from pydantic import SecretStr

from bot.app import Bot
from bot.doctor import examine
from bot.installed import InstalledAuthorize
from bot.local import GENERAL, LocalSlack
from bot.scopes import SCOPES
from knowledge.people import Listed
from knowledge.people import Member as Profile
from storage.bulk import SqlPeopleInBulk
from storage.installations import SqlInstallations
from storage.keys import KeysError
from tests.bot.installing import EVERYWHERE, LOCKED, Browser, Many, back, greetings, lock, remove, where
from tests.bot.test_doctor import configured
from tests.conftest import ANN, BEN, TABLES, TEAM, Clock, declares, rows, settled, words
from tests.databases import KEYS, ON_BOTH

LESS = "UPDATE installations SET asked_for = '', scopes = 'chat:write,users:read'"


# The whole way


@EVERYWHERE
@ON_BOTH
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
@ON_BOTH
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


@ON_BOTH
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


# Many workspaces


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
