"""Roles with nobody left: which curators are told, when, and how often."""

from __future__ import annotations

import random
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta

import pytest

from bot.app import Bot
from bot.local import LocalSlack, Message
from handlers.members import person_of
from handlers.vacancies import Notices
from knowledge.freshness import ASK_AGAIN
from knowledge.people import Level, Listed, Member, Terms, Visibility
from knowledge.workspaces import Settings
from storage.bulk import SqlPeopleInBulk
from storage.vacated import SEE_AFTER, SqlVacancies
from tests.conftest import ANN, BEN, CAI, DEE, GUS, TEAM, Clock, Start, declares, settled, words
from tests.databases import ON_BOTH

MLOPS: dict[str, Level] = {"mlops-engineer": "lead"}
BOTH_ROLES: dict[str, Level] = {"mlops-engineer": "lead", "data-engineer": "lead"}
Leave = Callable[[LocalSlack, Bot], Awaitable[object]]


def told(slack: LocalSlack, user: str = ANN) -> list[Message]:
    return [message for message in slack.messages(slack.dm(user)) if message.from_bot]


async def named(bot: Bot, *curators: str, starts_messages: bool = True) -> None:
    await bot.workspaces.save(
        TEAM, Settings(curators=curators, starts_messages=starts_messages), ANN, bot.worker._now()
    )


async def some_time(bot: Bot, clock: Clock) -> None:
    """Let the job run as often as it does in the next half hour."""
    for _ in range(3):
        clock.move(seconds=SEE_AFTER.total_seconds())
        await bot.notices.run()


async def deactivated(slack: LocalSlack, bot: Bot) -> None:
    await slack.change_member(BEN, deleted=True)


async def found_deactivated(slack: LocalSlack, bot: Bot) -> None:
    """The event was lost; the look-up after a suggestion finds it out."""
    slack.workspace.members[BEN].deleted = True
    member = await person_of(bot.clients[0], TEAM, BEN, bot.worker._now())
    assert member is not None
    await bot.people.remember(TEAM, member, bot.worker._now())


async def forgotten(slack: LocalSlack, bot: Bot) -> None:
    await slack.command(BEN, "/genai-role forget me")


async def withdrawn(slack: LocalSlack, bot: Bot) -> None:
    await bot.people.declare(TEAM, BEN, {}, {}, bot.worker._now())


@pytest.mark.parametrize("leave", [deactivated, found_deactivated, forgotten, withdrawn])
async def test_curators_are_told_when_the_last_one_leaves(
    slack: LocalSlack, bot: Bot, clock: Clock, leave: Leave
) -> None:
    await named(bot, ANN)
    await declares(bot, slack, BEN, MLOPS)
    await declares(bot, slack, CAI, {"data-engineer": "lead"})
    await leave(slack, bot)
    await settled(bot)
    await bot.notices.run()
    assert told(slack) == []
    await some_time(bot, clock)
    [notice] = told(slack)
    assert "• MLOps Engineer" in words(notice)
    assert "Data Engineer" not in words(notice)
    # Roles, and no people.
    assert "Ben" not in words(notice) + notice.text
    for _ in range(5):
        clock.move(days=1)
        await some_time(bot, clock)
    assert len(told(slack)) == 1


@pytest.mark.parametrize(("ends", "times"), [(timedelta(0), 1), (timedelta(days=1), 0)])
async def test_a_curator_is_out_of_office_until_their_status_ends(
    slack: LocalSlack, bot: Bot, clock: Clock, ends: timedelta, times: int
) -> None:
    await named(bot, ANN)
    await declares(bot, slack, BEN, MLOPS)
    ann = slack.workspace.members[ANN]
    ann.status_emoji, ann.status_expiration = ":palm_tree:", int((clock.now() + ends).timestamp())
    await deactivated(slack, bot)
    await settled(bot)
    await some_time(bot, clock)
    assert len(told(slack)) == times
    clock.move(days=7)
    await some_time(bot, clock)
    assert len(told(slack)) == 1


async def test_they_are_told_when_the_last_one_fades(slack: LocalSlack, bot: Bot, clock: Clock) -> None:
    await named(bot, ANN)
    await declares(bot, slack, CAI, MLOPS)
    clock.at = datetime(2026, 6, 1, 15, tzinfo=UTC)
    for _ in range(4):
        await bot.rounds.run()
        await some_time(bot, clock)
        assert told(slack) == []
        clock.move(seconds=ASK_AGAIN.total_seconds() - 3 * SEE_AFTER.total_seconds())
    clock.at = clock.at.replace(hour=9)
    await bot.notices.run()
    assert ["MLOps Engineer" in words(one) for one in told(slack)] == [True]


@pytest.mark.parametrize("visibility", ["hidden", "ask_first"])
async def test_that_somebody_hides_is_not_told(
    slack: LocalSlack, bot: Bot, clock: Clock, visibility: Visibility
) -> None:
    await named(bot, ANN)
    await declares(bot, slack, BEN, MLOPS)
    await bot.people.declare(TEAM, BEN, MLOPS, {}, clock.now(), Terms(visibility))
    await some_time(bot, clock)
    assert told(slack) == []
    # Nor that the one who is left hides; that the last has left is told of whoever it was.
    await declares(bot, slack, CAI, MLOPS)
    await bot.people.forget(TEAM, CAI)
    await some_time(bot, clock)
    assert told(slack) == []
    await bot.people.forget(TEAM, BEN)
    await some_time(bot, clock)
    assert len(told(slack)) == 1


async def test_they_are_told_when_an_import_takes_the_last_one_away(slack: LocalSlack, bot: Bot, clock: Clock) -> None:
    await named(bot, ANN)
    bulk, ben = SqlPeopleInBulk(bot.engine, random.Random(1)), Member(BEN, "Ben")
    await bulk.declare_many(TEAM, [Listed(ben, BOTH_ROLES, {})], clock.now())
    await bulk.declare_many(TEAM, [Listed(ben, MLOPS, {})], clock.now())
    await some_time(bot, clock)
    [notice] = told(slack)
    assert "• Data Engineer" in words(notice) and "MLOps" not in words(notice)


async def test_nobody_is_told_while_somebody_is_left(slack: LocalSlack, bot: Bot, clock: Clock) -> None:
    await named(bot, ANN)
    await declares(bot, slack, BEN, MLOPS)
    await declares(bot, slack, CAI, MLOPS)
    await deactivated(slack, bot)
    await settled(bot)
    await some_time(bot, clock)
    assert told(slack) == []
    # Nor where somebody takes it on meanwhile.
    await bot.people.forget(TEAM, CAI)
    await declares(bot, slack, DEE, MLOPS)
    await some_time(bot, clock)
    assert told(slack) == []


async def test_what_comes_together_is_one_message_and_one_a_day_at_most(
    slack: LocalSlack, bot: Bot, clock: Clock
) -> None:
    await named(bot, ANN)
    await declares(bot, slack, BEN, BOTH_ROLES)
    await declares(bot, slack, CAI, {"prompt-engineer": "lead"})
    await declares(bot, slack, DEE, {"ai-ux-designer": "lead"})
    await bot.people.forget(TEAM, BEN)
    await bot.people.forget(TEAM, CAI)
    await some_time(bot, clock)
    [notice] = told(slack)
    assert all(name in words(notice) for name in ("MLOps Engineer", "Data Engineer", "Prompt Engineer"))
    await bot.people.forget(TEAM, DEE)
    await some_time(bot, clock)
    assert len(told(slack)) == 1
    clock.move(days=1)
    await some_time(bot, clock)
    assert len(told(slack)) == 2
    assert words(told(slack)[1]).count("•") == 1


async def test_they_are_told_in_their_working_hours(slack: LocalSlack, bot: Bot, clock: Clock) -> None:
    await named(bot, ANN, CAI)
    await declares(bot, slack, BEN, MLOPS)
    clock.at = datetime(2026, 3, 6, 18, tzinfo=UTC)  # Friday: 19 o'clock in Berlin, 13 in Lima
    await bot.people.forget(TEAM, BEN)
    when: dict[str, datetime] = {}
    for _ in range(100):
        clock.move(hours=1)
        await bot.notices.run()
        for user in (ANN, CAI):
            if told(slack, user):
                when.setdefault(user, clock.at)
    assert when == {CAI: datetime(2026, 3, 6, 19, tzinfo=UTC), ANN: datetime(2026, 3, 9, 8, tzinfo=UTC)}
    assert [len(told(slack, user)) for user in (ANN, CAI)] == [1, 1]


async def test_after_downtime_everything_is_one_message(slack: LocalSlack, bot: Bot, clock: Clock) -> None:
    await named(bot, ANN)
    for number, role in enumerate(("mlops-engineer", "data-engineer", "prompt-engineer", "ai-ux-designer")):
        user = (BEN, CAI, DEE, GUS)[number]
        await bot.people.declare(TEAM, user, {role: "lead"}, {}, clock.now())
        await bot.people.forget(TEAM, user)
        clock.move(days=7)
    await some_time(bot, clock)
    [notice] = told(slack)
    assert words(notice).count("•") == 4


async def test_where_the_bot_may_not_begin_nobody_is_told(slack: LocalSlack, bot: Bot, clock: Clock) -> None:
    await named(bot, ANN, starts_messages=False)
    await declares(bot, slack, BEN, MLOPS)
    await bot.people.forget(TEAM, BEN)
    for _ in range(5):
        clock.move(days=1)
        await some_time(bot, clock)
    assert told(slack) == []
    await named(bot, ANN)
    clock.move(days=1)
    await some_time(bot, clock)
    clock.move(days=1)
    await some_time(bot, clock)
    assert len(told(slack)) == 1


async def test_a_curator_who_has_left_is_not_written_to(slack: LocalSlack, bot: Bot, clock: Clock) -> None:
    await named(bot, ANN, CAI)
    slack.workspace.members[ANN].deleted = True
    await declares(bot, slack, BEN, MLOPS)
    await bot.people.forget(TEAM, BEN)
    for _ in range(20):
        clock.move(hours=1)
        await bot.notices.run()
    assert told(slack) == []
    assert len(told(slack, CAI)) == 1


@pytest.mark.usefixtures("faults")
async def test_what_slack_did_not_take_is_tried_again(slack: LocalSlack, bot: Bot, clock: Clock) -> None:
    await named(bot, ANN)
    await declares(bot, slack, BEN, MLOPS)
    await bot.people.forget(TEAM, BEN)
    slack.fail("chat.postMessage", error="service_unavailable")
    clock.move(minutes=10)
    await bot.notices.run()
    assert told(slack) == []
    clock.move(minutes=15)
    await bot.notices.run()
    assert len(told(slack)) == 1


@pytest.mark.usefixtures("faults")
@ON_BOTH
async def test_a_curator_is_told_once_though_the_answer_from_slack_is_lost(
    slack: LocalSlack, bot: Bot, clock: Clock
) -> None:
    await named(bot, ANN)
    await declares(bot, slack, BEN, MLOPS)
    await bot.people.forget(TEAM, BEN)
    slack.fail("chat.postMessage", lost=True, times=100)
    for _ in range(100):
        clock.move(minutes=15)
        await bot.notices.run()
    assert len(told(slack)) == 1


@ON_BOTH
async def test_each_curator_is_told_once_by_two_processes(slack: LocalSlack, start: Start, clock: Clock) -> None:
    async with start() as bot:
        await named(bot, ANN, DEE)
        await declares(bot, slack, BEN, MLOPS)
        await bot.people.forget(TEAM, BEN)
        clock.move(minutes=10)
        one, two = (
            Notices(
                SqlVacancies(bot.engine),
                bot.workspaces,
                bot.guide.catalog.roles,
                bot.authorize.client_of,
                clock.now,
            )
            for _ in range(2)
        )
        await one._vacancies.notice(clock.now(), 9)
        await two._vacancies.notice(clock.now(), 9)
        found = await one._vacancies.to_tell(clock.now(), 9)
        assert [each.user for each in found] == [ANN, DEE]
        # Both have read the same list before either takes one.
        claims = [await process._vacancies.claim(found[0], clock.now()) for process in (one, two)]
        assert [claim is not None for claim in claims] == [True, False]
        await two.run()
        await one.run()
        assert [len(told(slack, user)) for user in (ANN, DEE)] == [0, 1]
        # Whoever claimed it has ended: another takes it over.
        clock.move(hours=1)
        await two.run()
        await one.run()
        assert [len(told(slack, user)) for user in (ANN, DEE)] == [1, 1]


async def test_what_comes_up_while_a_curator_is_told_is_not_lost(slack: LocalSlack, bot: Bot, clock: Clock) -> None:
    await named(bot, ANN)
    vacancies = SqlVacancies(bot.engine)
    await declares(bot, slack, BEN, MLOPS)
    await declares(bot, slack, CAI, {"data-engineer": "lead"})
    await bot.people.forget(TEAM, BEN)
    clock.move(minutes=10)
    await vacancies.notice(clock.now(), 9)
    [one] = await vacancies.to_tell(clock.now(), 9)
    claimed = await vacancies.claim(one, clock.now())
    assert claimed is not None
    read = clock.now()
    clock.move(minutes=1)
    await bot.people.forget(TEAM, CAI)
    clock.move(minutes=11)
    await vacancies.notice(clock.now(), 9)
    await vacancies.told(one, claimed, read)
    [again] = await vacancies.to_tell(clock.now() + timedelta(hours=1), 9)
    assert list(await vacancies.orphaned(TEAM, again.since)) == ["data-engineer"]
