"""Who declared something is looked up though nobody asks: leavers of whom no event told drop out."""

from __future__ import annotations

import asyncio
import random

import pytest
from slack_sdk.web.async_client import AsyncWebClient

from bot.app import PRUNE_SECONDS, Bot
from bot.local import LocalSlack, Member
from handlers.looking_up import MOST_A_RUN, Patrol
from handlers.members import Left
from handlers.replies import ClientOf
from knowledge.people import Listed
from knowledge.people import Member as Profile
from storage.bulk import SqlPeopleInBulk
from storage.forgetting import KEEP_LEFT
from storage.looking_up import SqlToLookUp
from tests.conftest import ANN, BEN, BUSY_SECONDS, CAI, GUS, OLD, TEAM, Clock, declares, rows


async def imported(bot: Bot, clock: Clock, *users: str, workspace: str = TEAM) -> None:
    listed = [Listed(Profile(user, f"Name of {user}"), {"mlops-engineer": "lead"}, {}) for user in users]
    await SqlPeopleInBulk(bot.engine, random.Random(1)).declare_many(workspace, listed, clock.now())


async def suggested(bot: Bot, clock: Clock) -> set[str]:
    found = await bot.people.candidates(TEAM, topics=(), roles=["mlops-engineer"], without=None, now=clock.now())
    return {row.user for row in found}


async def test_imported_people_who_had_left_drop_out_though_nobody_asks(
    slack: LocalSlack, bot: Bot, clock: Clock
) -> None:
    await imported(bot, clock, ANN, OLD, GUS)
    assert await suggested(bot, clock) == {ANN, OLD, GUS}
    await bot.patrol.run()
    assert await suggested(bot, clock) == {ANN}
    called = len(slack.called("users.info"))
    clock.move(hours=23)
    await bot.patrol.run()
    assert len(slack.called("users.info")) == called
    # A day later again: the event of whoever left meanwhile was lost.
    slack.workspace.members[ANN].deleted = True
    clock.move(hours=1)
    await bot.patrol.run()
    assert await suggested(bot, clock) == set()


async def test_ten_people_of_a_workspace_are_looked_up_in_a_minute_however_often_it_runs(
    slack: LocalSlack, bot: Bot, clock: Clock
) -> None:
    users = [f"U0M{number:08}" for number in range(2 * MOST_A_RUN + 1)]
    slack.workspace.add_members(Member(user, "Mo") for user in users)
    await imported(bot, clock, *users)
    for looked_up in (MOST_A_RUN, 2 * MOST_A_RUN, len(users)):
        for _ in range(2):
            await bot.patrol.run()
        assert len({call.arguments["user"] for call in slack.called("users.info")}) == looked_up
        assert len(slack.called("users.info")) == looked_up
        clock.move(minutes=1)


def patrol(bot: Bot, clock: Clock, client_of: ClientOf, left: Left) -> Patrol:
    """Return another one, as in another process, that knows the token of every workspace."""
    return Patrol(SqlToLookUp(bot.engine), bot.people, left, client_of, lambda: True, clock.now)


async def test_of_two_processes_one_looks_a_person_up(slack: LocalSlack, bot: Bot, clock: Clock) -> None:
    users = [f"U0M{number:08}" for number in range(3 * MOST_A_RUN)]
    slack.workspace.add_members(Member(user, "Mo") for user in users)
    await imported(bot, clock, *users)
    other = patrol(bot, clock, bot.authorize.client_of, bot.patrol._left)
    for looked_up in (MOST_A_RUN, 2 * MOST_A_RUN):
        await asyncio.gather(bot.patrol.run(), other.run())
        asked = [call.arguments["user"] for call in slack.called("users.info")]
        assert len(asked) == len(set(asked)) == looked_up
        clock.move(minutes=1)


async def test_many_who_wait_in_one_workspace_hold_up_nobody_of_another(
    slack: LocalSlack, bot: Bot, clock: Clock
) -> None:
    users = [f"U0M{number:08}" for number in range(5 * MOST_A_RUN)]
    slack.workspace.add_members(Member(user, "Mo") for user in users)
    await imported(bot, clock, *users, workspace="T0A")
    clock.move(minutes=1)
    await imported(bot, clock, ANN, workspace="T0Z")
    waited = {row["user_id"]: row["look_up_at"] for row in await rows(bot, "terms")}

    async def client_of(workspace: str) -> AsyncWebClient | None:
        return await bot.authorize.client_of(TEAM)

    await patrol(bot, clock, client_of, bot.patrol._left).run()
    asked = [call.arguments["user"] for call in slack.called("users.info")]
    assert len(asked) == MOST_A_RUN + 1
    assert ANN in asked
    # Nobody else was touched.
    assert {row["user_id"] for row in await rows(bot, "terms") if row["look_up_at"] != waited[row["user_id"]]} == {
        *asked
    }


async def test_a_workspace_in_which_slack_is_slow_does_not_hold_up_others(
    slack: LocalSlack, bot: Bot, clock: Clock
) -> None:
    await imported(bot, clock, ANN, workspace="T0A")
    await imported(bot, clock, OLD, workspace="T0Z")
    found = asyncio.Event()

    async def left(workspace: str, user: str) -> None:
        found.set()

    async def client_of(workspace: str) -> AsyncWebClient | None:
        if workspace == "T0A":
            await found.wait()
        return await bot.authorize.client_of(TEAM)

    async with asyncio.timeout(BUSY_SECONDS):
        await patrol(bot, clock, client_of, left).run()
    assert {call.arguments["user"] for call in slack.called("users.info")} == {ANN, OLD}


async def test_where_slack_says_nothing_it_is_left_alone_and_nothing_changes(
    slack: LocalSlack, bot: Bot, clock: Clock
) -> None:
    await imported(bot, clock, ANN, OLD)
    slack.fail("users.info", error="internal_error")
    await bot.patrol.run()
    assert len(slack.called("users.info")) == 1
    assert await suggested(bot, clock) == {ANN, OLD}
    clock.move(minutes=1)
    await bot.patrol.run()
    clock.move(minutes=14)
    await bot.patrol.run()
    assert await suggested(bot, clock) == {ANN}


async def test_a_workspace_that_is_not_ours_is_not_asked_about(slack: LocalSlack, bot: Bot, clock: Clock) -> None:
    await imported(bot, clock, ANN, workspace="T0ELSEWHERE")
    await bot.patrol.run()
    assert slack.called("users.info") == []


async def test_the_question_of_a_leaver_found_so_goes_on(slack: LocalSlack, bot: Bot, clock: Clock) -> None:
    left: list[tuple[str, str]] = []

    async def note(workspace: str, user: str) -> None:
        left.append((workspace, user))

    bot.patrol._left = note
    await imported(bot, clock, ANN, OLD)
    await bot.patrol.run()
    assert left == [(TEAM, OLD)]


async def test_what_goes_wrong_for_one_person_holds_up_nobody_after_them(
    slack: LocalSlack, bot: Bot, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    left: list[str] = []

    async def fails_once(workspace: str, user: str) -> None:
        left.append(user)
        if len(left) == 1:
            raise RuntimeError(f"said of {user}")

    bot.patrol._left = fails_once
    for user in (ANN, BEN):
        slack.workspace.members[user].deleted = True
    await imported(bot, clock, ANN, BEN)
    await bot.patrol.run()
    assert sorted(left) == [ANN, BEN]
    assert "a profile could not be taken over: RuntimeError" in caplog.text
    assert "said of" not in caplog.text
    clock.move(days=1)
    await bot.patrol.run()
    assert left.count(left[0]) == 2, "put off, not given up"


@pytest.mark.parametrize("back", [True, False])
async def test_a_leaver_is_deleted_by_the_hourly_job_unless_back_in_time(
    slack: LocalSlack, bot: Bot, clock: Clock, back: bool
) -> None:
    for user in (BEN, CAI):
        await declares(bot, slack, user, {"mlops-engineer": "lead"})
    await slack.change_member(BEN, deleted=True)
    await bot.worker.idle()
    assert await suggested(bot, clock) == {CAI}
    clock.move(days=KEEP_LEFT.days - 1)
    if back:
        await slack.change_member(BEN, deleted=False)
        await bot.worker.idle()
    clock.move(days=1)
    [prune] = [job for seconds, job in bot.timers._jobs if seconds == PRUNE_SECONDS]
    await prune()
    for table in ("declarations", "terms", "members"):
        assert {row["user_id"] for row in await rows(bot, table)} == ({BEN, CAI} if back else {CAI})
    assert await suggested(bot, clock) == ({BEN, CAI} if back else {CAI})
