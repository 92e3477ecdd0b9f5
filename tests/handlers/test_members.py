"""What Slack says of people: whether they can be reached now."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any

import pytest
from slack_sdk.web.async_client import AsyncWebClient
from slack_sdk.web.async_slack_response import AsyncSlackResponse

from bot.app import Bot
from bot.local import LocalSlack
from handlers.members import Profiles, profile_of
from handlers.user_objects import is_within_dnd
from tests.conftest import ANN, BEN, BUSY_SECONDS, CAI, TEAM, Clock, declares, rows, settled


async def test_whoever_is_in_their_scheduled_do_not_disturb_is_away(slack: LocalSlack, bot: Bot, clock: Clock) -> None:
    slack.workspace.members[ANN].dnd = True
    reached = [await profile_of(bot.clients[0], TEAM, user, clock.now()) for user in (ANN, BEN)]
    assert [one.availability for one in reached if one] == ["away", "active"]


async def test_a_suggestion_looks_at_the_schedule(slack: LocalSlack, bot: Bot, clock: Clock) -> None:
    await declares(bot, slack, ANN, {"data-engineer": "lead"})
    slack.workspace.members[ANN].dnd = True
    clock.move(hours=2)
    await slack.command(BEN, "/genai-role who does data engineer")
    await settled(bot)
    profile = await bot.people.profile(TEAM, ANN)
    assert profile is not None and profile.availability == "away"


@pytest.mark.parametrize("reason", ["away", "dnd"])
async def test_a_changed_profile_does_not_say_that_somebody_is_there(
    slack: LocalSlack, bot: Bot, clock: Clock, reason: str
) -> None:
    ann = slack.workspace.members[ANN]
    ann.presence, ann.dnd = ("away", False) if reason == "away" else ("active", True)
    await slack.submit(ANN, (await slack.command(ANN, "/genai-role me")).view, {"roles_lead": ["data-engineer"]})
    await settled(bot)
    [before] = await rows(bot, "members")
    assert before["availability"] == "away"
    clock.move(minutes=50)
    await slack.change_member(ANN, title="Weaver")
    await settled(bot)
    [after] = await rows(bot, "members")
    assert after == {**before, "title": "Weaver"}
    # What Slack is asked of is as old as it was.
    slack.workspace.members[ANN].presence, slack.workspace.members[ANN].dnd = "active", False
    clock.move(minutes=20)
    await slack.command(BEN, "/genai-role who does data engineer")
    await settled(bot)
    assert [row["availability"] for row in await rows(bot, "members")] == ["active"]


async def test_a_changed_status_says_out_of_office_at_once(slack: LocalSlack, bot: Bot, clock: Clock) -> None:
    await declares(bot, slack, ANN, {"data-engineer": "lead"})
    await slack.change_member(ANN, status_emoji=":palm_tree:")
    await settled(bot)
    assert [row["availability"] for row in await rows(bot, "members")] == ["ooo"]
    await slack.change_member(ANN, status_emoji="")
    await settled(bot)
    assert [row["availability"] for row in await rows(bot, "members")] == ["active"]


async def test_whoever_asks_does_not_wait_for_the_questions_of_a_leaver_to_go_on(
    slack: LocalSlack, bot: Bot, clock: Clock
) -> None:
    await declares(bot, slack, ANN, {"data-engineer": "lead"})
    slack.workspace.members[ANN].deleted = True
    clock.move(hours=2)
    passed_on, later = list[str](), list[Coroutine[Any, Any, None]]()

    async def left(workspace: str, user: str) -> None:
        passed_on.append(user)

    profiles = Profiles(bot.people, left, later.append, clock.now, clock.monotonic)
    assert await profiles.look_up(bot.clients[0], TEAM, [ANN], 1.0, 30)
    profile = await bot.people.profile(TEAM, ANN)
    assert profile is not None and profile.availability == "deactivated"
    assert passed_on == []
    for one in later:
        await one
    assert passed_on == [ANN]


class Crowded(AsyncWebClient):
    """Answers once it was asked about these."""

    def __init__(self, slack: LocalSlack, users: set[str]) -> None:
        super().__init__(slack.bot_token, base_url=slack.api_url)
        self.asked: list[str] = []
        self._users = users
        self._all = asyncio.Event()

    async def users_info(self, *, user: str, **more: Any) -> AsyncSlackResponse:
        self.asked.append(user)
        if self._users <= set(self.asked):
            self._all.set()
        await self._all.wait()
        return await super().users_info(user=user, **more)


async def test_of_many_answers_that_are_about_to_name_somebody_one_asks_slack(
    slack: LocalSlack, bot: Bot, clock: Clock
) -> None:
    for user in (ANN, BEN, CAI):
        await declares(bot, slack, user, {"data-engineer": "lead"})
    clock.move(hours=2)
    slack.workspace.members[ANN].deleted = True
    later = list[Coroutine[Any, Any, None]]()
    profiles = Profiles(bot.people, bot.patrol._left, later.append, clock.now, clock.monotonic)
    client = Crowded(slack, {ANN, BEN, CAI})
    answers = ([ANN, BEN], [ANN, BEN], [CAI, ANN])
    said = await asyncio.gather(*(profiles.look_up(client, TEAM, one, BUSY_SECONDS, 3) for one in answers))
    assert said == [True, True, True]
    assert sorted(client.asked) == [ANN, BEN, CAI]
    assert await bot.people.unchecked(TEAM, [ANN, BEN, CAI], clock.now()) == []
    assert len(later) == 1, "who has left is told of once"
    await later[0]
    # Each asks again once it is an hour old.
    clock.move(hours=2)
    assert await profiles.look_up(client, TEAM, [BEN], BUSY_SECONDS, 3)
    assert sorted(client.asked) == [ANN, BEN, BEN, CAI]


@pytest.mark.parametrize(
    ("found", "within"),
    [
        ({"dnd_enabled": True, "next_dnd_start_ts": -60, "next_dnd_end_ts": 60}, True),
        ({"dnd_enabled": True, "next_dnd_start_ts": 0, "next_dnd_end_ts": 60}, True),
        ({"dnd_enabled": True, "next_dnd_start_ts": -60, "next_dnd_end_ts": 0}, False),
        ({"dnd_enabled": True, "next_dnd_start_ts": 60, "next_dnd_end_ts": 120}, False),
        ({"dnd_enabled": False, "next_dnd_start_ts": -60, "next_dnd_end_ts": 60}, False),
        ({"dnd_enabled": True, "next_dnd_start_ts": None}, False),
        ({}, False),
    ],
)
def test_the_schedule_holds_from_its_start_to_its_end(found: dict[str, object], within: bool, clock: Clock) -> None:
    at = int(clock.seconds())
    moved = {name: at + value if type(value) is int else value for name, value in found.items()}
    assert is_within_dnd(moved, clock.now()) is within
