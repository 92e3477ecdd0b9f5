"""Tokens that rotate are renewed before they end, by one process, and one that can't be holds up no other."""

from __future__ import annotations

import asyncio

import pytest

from bot.local import GENERAL, LocalSlack
from storage.keys import DOES_NOT_OPEN
from tests.bot.installing import EVERYWHERE, LOCKED, Many, lock
from tests.conftest import ANN, TEAM, Clock, settled
from tests.databases import ON_BOTH, ON_POSTGRES


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
@ON_BOTH
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
