"""Who is what in a workspace, and who may do what."""

from __future__ import annotations

import pytest
import pytest_asyncio
from aiohttp import web
from slack_sdk.web.async_client import AsyncWebClient

from bot.app import Bot
from bot.local import LocalSlack, Member
from handlers.payloads import Actor
from handlers.permissions import FRESH_ADMINISTRATOR, MAY, MOST_LOOK_UPS, MOST_TRIES, RESERVED, Standings, may
from handlers.user_objects import administers
from knowledge.workspaces import Settings
from tests.bot.test_hardening import served
from tests.conftest import ANN, BEN, CAI, DEE, EVA, GUS, OLD, ROB, TEAM, Clock, declares


def actor(user: str, outside: bool = False) -> Actor:
    return Actor(TEAM, TEAM, user, outside)


@pytest_asyncio.fixture
async def standings(slack: LocalSlack, bot: Bot, clock: Clock) -> Standings:
    slack.workspace.members[ANN].admin = True
    await bot.workspaces.save(TEAM, Settings(curators=(BEN, GUS)), ANN, clock.now())
    return Standings(bot.people, bot.workspaces, clock.now, clock.monotonic)


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


async def test_people_of_other_companies_are_outsiders(
    slack: LocalSlack, standings: Standings, client: AsyncWebClient
) -> None:
    otto = Actor(TEAM, TEAM, "U0OTTO00001", outside=True, outsider=True)
    assert await standings.of(client, otto) == "outsider"
    assert slack.called("users.info") == []
    # Neither a flag of their own workspace nor being named here makes more of them.
    slack.workspace.add_members([Member(otto.user, "Otto", admin=True, home="T0OTHER0001")])
    assert await standings.of(client, actor(otto.user)) == "outsider"
    assert [action for action in MAY if may("outsider", action)] == []


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
    assert await standings.of(client, actor(CAI)) == "unknown"


async def test_where_a_proxy_answers_in_slacks_place_nobody_is_known(
    bot: Bot, standings: Standings, caplog: pytest.LogCaptureFixture
) -> None:
    async def say(_request: web.Request) -> web.Response:
        return web.Response(status=405, text="405: Method Not Allowed")

    site = web.Application()
    site.router.add_route("*", "/{path:.*}", say)
    async with served(site) as address:
        client = AsyncWebClient(base_url=f"{address}/api/", session=bot.clients[0].session)
        assert await standings.of(client, actor(CAI)) == "unknown"
    assert "no JSON" in caplog.text


async def crowd(standings: Standings, client: AsyncWebClient) -> None:
    """Use up the look-ups of this minute."""
    for number in range(MOST_LOOK_UPS):
        await standings.of(client, actor(f"U0M{number:08}"))


@pytest.mark.parametrize("set_back", [0, 3600])
async def test_look_ups_have_a_budget_and_who_comes_after_it_is_no_guest(
    slack: LocalSlack, standings: Standings, client: AsyncWebClient, clock: Clock, set_back: float
) -> None:
    await crowd(standings, client)
    assert await standings.of(client, actor(CAI)) == "unknown"
    assert len(slack.called("users.info")) == MOST_LOOK_UPS
    clock.move(seconds=-set_back)
    clock.move(minutes=1)
    assert await standings.of(client, actor(CAI)) == "member"


async def test_a_crowd_locks_out_neither_curators_nor_administrators(
    slack: LocalSlack, standings: Standings, client: AsyncWebClient, clock: Clock
) -> None:
    # Known as an administrator before, and due to be asked for again.
    assert await standings.of(client, actor(ANN)) == "administrator"
    slack.workspace.members[DEE].admin = True
    clock.move(minutes=5)
    await crowd(standings, client)
    assert await standings.of(client, actor(ANN)) == "administrator"
    assert await standings.of(client, actor(BEN)) == "curator"
    # Never heard of before: by what they do.
    assert await standings.of(client, actor(DEE)) == "unknown"
    assert await standings.may(client, actor(DEE), "change settings")
    # The reserve has an end too.
    for number in range(RESERVED):
        await standings.may(client, actor(f"U0N{number:08}"), "change settings")
    assert not await standings.may(client, actor(EVA), "change settings")
    assert len(slack.called("users.info")) == 1 + MOST_LOOK_UPS + RESERVED


async def test_who_waits_is_looked_up_when_it_is_possible_again(
    slack: LocalSlack, standings: Standings, client: AsyncWebClient, clock: Clock
) -> None:
    done: list[str] = []

    async def then() -> None:
        done.append(await standings.of(client, actor(CAI)))

    await crowd(standings, client)
    standings.once_known(client, actor(CAI), then)
    await standings.catch_up()
    assert done == []
    clock.move(minutes=1)
    await standings.catch_up()
    await standings.catch_up()
    assert done == ["member"]
    # Whoever is known waits for nothing.
    standings.once_known(client, actor(CAI), then)
    await standings.catch_up()
    assert done == ["member"]


async def test_nobody_is_looked_up_for_ever(
    slack: LocalSlack, standings: Standings, client: AsyncWebClient, clock: Clock
) -> None:
    async def then() -> None:
        raise AssertionError

    slack.fail("users.info", error="internal_error", times=100)
    standings.once_known(client, actor(CAI), then)
    for _ in range(MOST_TRIES + 2):
        await standings.catch_up()
    assert len(slack.called("users.info")) == MOST_TRIES


async def test_one_that_fails_keeps_nobody_waiting(
    slack: LocalSlack, standings: Standings, client: AsyncWebClient, faults: None
) -> None:
    done: list[str] = []

    async def fails() -> None:
        raise ValueError("on purpose")

    async def then() -> None:
        done.append(CAI)

    standings.once_known(client, actor(DEE), fails)
    standings.once_known(client, actor(CAI), then)
    await standings.catch_up()
    assert done == [CAI]


@pytest.mark.parametrize("name", ["is_admin", "is_owner", "is_primary_owner"])
def test_administrators_are_who_slack_calls_so(name: str) -> None:
    assert administers({name: True}, "T1")
    assert not administers({name: False}, "T1")
    # For an organisation its own administrators count, not those of one of its workspaces.
    assert not administers({name: True}, "E1")
    assert administers({"enterprise_user": {"is_owner": True}}, "E1")


def test_the_table_says_who_may_do_what() -> None:
    assert {action for action in MAY if may("guest", action)} == {"declare"}
    assert {action for action in MAY if may("unknown", action)} == {"declare"}
    assert not any(
        may("member", action) for action in MAY if action.startswith(("change", "erase", "import", "export"))
    )
    assert all(may("administrator", action) for action in MAY)
    assert may("curator", "curate entries")
    assert not may("curator", "change settings")
    with pytest.raises(KeyError):
        may("administrator", "do something else")
