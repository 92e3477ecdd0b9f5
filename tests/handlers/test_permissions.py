"""Who is what in a workspace, and who may do what."""

from __future__ import annotations

import pytest
import pytest_asyncio
from slack_sdk.web.async_client import AsyncWebClient

from bot.app import Bot
from bot.local import LocalSlack
from handlers.payloads import Actor, administers
from handlers.permissions import FRESH_ADMINISTRATOR, MAY, MOST_LOOK_UPS, Standings, may
from knowledge.workspaces import Settings
from tests.conftest import ANN, BEN, CAI, DEE, GUS, OLD, ROB, TEAM, Clock, declares


def actor(user: str, outside: bool = False) -> Actor:
    return Actor(TEAM, TEAM, user, outside)


@pytest_asyncio.fixture
async def standings(slack: LocalSlack, bot: Bot, clock: Clock) -> Standings:
    slack.workspace.members[ANN].admin = True
    await bot.workspaces.save(TEAM, Settings(curators=(BEN, GUS)), ANN, clock.now())
    return Standings(bot.people, bot.workspaces, clock.now)


@pytest.fixture
def client(bot: Bot) -> AsyncWebClient:
    return bot.clients[0]


async def test_everybody_has_the_standing_that_slack_and_the_settings_give(
    standings: Standings, client: AsyncWebClient
) -> None:
    found = {user: await standings.of(client, actor(user)) for user in (ANN, BEN, CAI, GUS, ROB, OLD, "U0NOBODY001")}
    assert found == {
        ANN: "administrator",
        BEN: "curator",
        CAI: "member",
        # A guest who is named as a curator stays a guest.
        GUS: "guest",
        ROB: "guest",
        OLD: "guest",
        "U0NOBODY001": "guest",
    }


async def test_outside_of_the_workspace_everybody_is_a_guest(standings: Standings, client: AsyncWebClient) -> None:
    assert await standings.of(client, actor(ANN, outside=True)) == "guest"


async def test_who_administers_no_more_is_found_out_within_minutes(
    slack: LocalSlack, standings: Standings, client: AsyncWebClient, clock: Clock
) -> None:
    assert await standings.of(client, actor(ANN)) == "administrator"
    slack.workspace.members[ANN].admin = False
    assert await standings.of(client, actor(ANN)) == "administrator"
    clock.move(seconds=FRESH_ADMINISTRATOR.total_seconds())
    assert await standings.of(client, actor(ANN)) == "member"


async def test_a_curator_is_one_as_long_as_the_settings_say(
    bot: Bot, standings: Standings, client: AsyncWebClient, clock: Clock
) -> None:
    assert await standings.of(client, actor(BEN)) == "curator"
    await bot.workspaces.save(TEAM, Settings(), ANN, clock.now())
    assert await standings.of(client, actor(BEN)) == "member"


async def test_while_slack_does_not_say_nobody_administers(
    slack: LocalSlack, bot: Bot, standings: Standings, client: AsyncWebClient, clock: Clock
) -> None:
    await declares(bot, slack, DEE, {"mlops-engineer": "lead"})
    assert await standings.of(client, actor(ANN)) == "administrator"
    clock.move(minutes=5)
    slack.fail("users.info", error="internal_error", times=100)
    assert await standings.of(client, actor(ANN)) == "member"
    # Known as a member by what was declared; and never heard of.
    assert await standings.of(client, actor(DEE)) == "member"
    assert await standings.of(client, actor(CAI)) == "guest"


async def test_look_ups_have_a_budget(slack: LocalSlack, standings: Standings, client: AsyncWebClient) -> None:
    for number in range(MOST_LOOK_UPS):
        await standings.of(client, actor(f"U0M{number:08}"))
    assert await standings.of(client, actor(ANN)) == "guest"
    assert len(slack.called("users.info")) == MOST_LOOK_UPS


@pytest.mark.parametrize("name", ["is_admin", "is_owner", "is_primary_owner"])
def test_administrators_are_who_slack_calls_so(name: str) -> None:
    assert administers({name: True}, "T1")
    assert not administers({name: False}, "T1")
    # For an organisation its own administrators count, not those of one of its workspaces.
    assert not administers({name: True}, "E1")
    assert administers({"enterprise_user": {"is_owner": True}}, "E1")


def test_the_table_says_who_may_do_what() -> None:
    assert {action for action in MAY if may("guest", action)} == {"declare"}
    assert not any(
        may("member", action) for action in MAY if action.startswith(("change", "erase", "import", "export"))
    )
    assert all(may("administrator", action) for action in MAY)
    assert may("curator", "curate entries")
    assert not may("curator", "change settings")
    with pytest.raises(KeyError):
        may("administrator", "do something else")
