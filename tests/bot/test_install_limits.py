"""Installing and renewing where Slack asks to wait, and where somebody sends far too much."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable
from typing import Any

import pytest
from yarl import URL

from bot.app import Bot
from bot.install import MOST_A_MINUTE, MOST_OF_ONE
from bot.local import GENERAL, LocalSlack
from bot.local.oauth import ACCESS
from bot.worker import PUT_BACK_SECONDS
from tests.bot.installing import Browser, Many, back
from tests.conftest import ANN, TEAM, Clock, Sleeper, rows, settled
from tests.databases import ON_BOTH

# Slack asks to wait


@pytest.mark.parametrize("method", [ACCESS, "auth.test"])
@pytest.mark.parametrize("seconds", [1, 30, 600])
async def test_a_browser_is_told_at_once_that_slack_asks_to_wait(
    slack: LocalSlack, served: tuple[Bot, Browser], sleeper: Sleeper, method: str, seconds: int
) -> None:
    bot, browser = served
    before = len(slack.called(method))
    slack.fail(method, status=429, retry_after=seconds)
    await browser.install()
    assert (browser.status, browser.title) == (429, "Slack asks us to wait a moment")
    assert browser.headers["Retry-After"] == str(min(seconds, 60))
    assert (browser.button, sleeper.slept) == ("/slack/install", [])
    assert len(slack.called(method)) == before + 1
    assert await rows(bot, "installations") == []
    await browser.install()
    assert browser.title == "GenAI roles is installed"


@pytest.mark.parametrize("how", [{"status": 503}, {"status": 500}, {"lost": True}])
async def test_a_code_or_a_refresh_token_is_sent_once(
    slack: LocalSlack, served: tuple[Bot, Browser], sleeper: Sleeper, how: dict[str, Any]
) -> None:
    _, browser = served
    slack.fail(ACCESS, times=9, **how)
    await browser.install()
    assert (browser.status, browser.title) == (502, "Slack can't be reached")
    assert (len(slack.called(ACCESS)), sleeper.slept) == (1, [])


@pytest.mark.usefixtures("faults")
@ON_BOTH
async def test_nobody_waits_where_slack_asks_to_wait_with_renewing(
    slack: LocalSlack, many: Many, clock: Clock, sleeper: Sleeper
) -> None:
    slack.oauth.rotates = True
    async with many() as (bot, browser):
        await browser.install()
        await settled(bot)
        clock.move(hours=13)
        slack.fail(ACCESS, status=429, retry_after=45)
        [renew] = [job for _, job in bot.timers._jobs if "Renewal" in str(job)]
        for _ in range(3):
            await renew()
            client = await bot.authorize.client_of(TEAM)
            assert client is not None and client.token == slack.oauth.tokens[0]
            clock.move(seconds=14)
        assert (len(slack.called(ACCESS)), sleeper.slept) == (2, []), "once to install, once to renew"
        clock.move(seconds=4)
        client = await bot.authorize.client_of(TEAM)
        assert client is not None and client.token == slack.oauth.tokens[1]
        assert await rows(bot, "installations", "refresh_until IS NULL")


@pytest.mark.usefixtures("faults")
async def test_a_question_waits_for_the_renewal_that_waits_for_slack(
    slack: LocalSlack, many: Many, clock: Clock
) -> None:
    slack.oauth.rotates = True
    async with many() as (bot, browser):
        await browser.install()
        await settled(bot)
        clock.move(hours=13)
        slack.api.dead_tokens[slack.oauth.tokens[0]] = "token_expired"
        slack.fail(ACCESS, status=429, retry_after=45)
        posted = await slack.say(ANN, "<@BOT> what is mlops", GENERAL)
        await settled(bot)
        assert [row["state"] for row in await rows(bot, "inbox")] == ["claimed"]
        assert slack.replies(posted) == []
        clock.move(seconds=PUT_BACK_SECONDS + 46)
        await bot.worker.poll()
        await settled(bot)
        assert len(slack.replies(posted)) == 1


# Somebody sends far too much


async def test_codes_that_somebody_made_up_reach_slack_so_often_at_most(
    slack: LocalSlack, served: tuple[Bot, Browser], clock: Clock
) -> None:
    bot, browser = served
    addresses = [await back(slack, browser) for _ in range(MOST_A_MINUTE + 5)]
    good = addresses.pop()
    for at, address in enumerate(addresses):
        browser.forwarded_for = f"203.0.113.{at}"
        await browser.open(re.sub("code=[0-9a-f]+", "code=junk", address))
    assert (browser.status, browser.title) == (429, "Many people install this right now")
    assert browser.headers["Retry-After"] == "60"
    assert len(slack.called(ACCESS)) == MOST_A_MINUTE == len(await rows(bot, "used_states"))
    await browser.open(good)
    assert browser.status == 429
    # What has no good state counts for nothing.
    clock.move(minutes=1)
    for _ in range(2 * MOST_A_MINUTE):
        await browser.open("/slack/oauth_redirect?code=junk&state=junk")
    await browser.open(good)
    assert browser.title == "GenAI roles is installed", "the same address is good still"


@pytest.mark.parametrize(
    "sender",
    [
        lambda _: "",
        lambda _: "203.0.113.9",
        lambda at: f"198.51.100.{at}, 203.0.113.9",
        lambda at: f"2001:db8:0:1::{at + 1:x}",
        lambda at: ("203.0.113.9", "::ffff:203.0.113.9")[at % 2],
        lambda at: f"who{at}",
    ],
    ids=["no proxy", "proxy", "made up before the proxy", "one network", "a socket for both kinds", "no address"],
)
async def test_whoever_sends_made_up_codes_without_end_keeps_nobody_else_from_installing(
    slack: LocalSlack, served: tuple[Bot, Browser], sender: Callable[[int], str]
) -> None:
    _, browser = served
    addresses = [await back(slack, browser) for _ in range(MOST_A_MINUTE)]
    for at, address in enumerate(addresses):
        browser.forwarded_for = sender(at)
        await browser.open(re.sub("code=[0-9a-f]+", "code=junk", address))
    assert (browser.status, browser.title) == (429, "Many people install this right now")
    assert len(slack.called(ACCESS)) == MOST_OF_ONE
    browser.forwarded_for = "::ffff:203.0.113.10"
    await browser.install()
    assert browser.title == "GenAI roles is installed"


@ON_BOTH
async def test_of_many_that_come_back_with_one_state_one_reaches_slack(
    slack: LocalSlack, served: tuple[Bot, Browser]
) -> None:
    _, browser = served
    address = URL(await back(slack, browser), encoded=True)

    async def come_back() -> str:
        async with browser.session.get(address) as answer:
            return await answer.text()

    said = await asyncio.gather(*(come_back() for _ in range(8)))
    assert len(slack.called(ACCESS)) == 1
    assert sorted("This was used already" in text for text in said) == [False] + [True] * 7
