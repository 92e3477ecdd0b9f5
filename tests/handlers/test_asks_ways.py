"""Ways that a question to a person goes beside the straight one, and what the asker reads on each."""

from __future__ import annotations

from datetime import timedelta

import pytest

from bot.app import Bot
from bot.local import LocalSlack
from knowledge.workspaces import Settings
from tests.asks import new_ask
from tests.conftest import ANN, CAI, DEE, TEAM, Clock, declares, rows
from tests.handlers.test_asks import AT_WORK, MLOPS, QUESTION, answers, carried, put, state, told


@pytest.fixture(autouse=True)
def at_work(clock: Clock) -> None:
    clock.at = AT_WORK


async def test_who_lets_curators_read_a_question_is_not_told_that_they_cannot(
    slack: LocalSlack, bot: Bot, clock: Clock
) -> None:
    await bot.workspaces.save(TEAM, Settings(curators=(CAI,)), ANN, clock.now())
    await declares(bot, slack, DEE, MLOPS)
    mine = await put(slack, bot, clock, how=("curators",))
    for user in (DEE, CAI):
        await slack.press(user, told(slack, user)[0], "asked:decline")
        await carried(bot, clock)

    listed = await slack.command(CAI, "/genai-role unanswered")

    assert QUESTION in listed.text
    assert "curators may read it, as you allowed" in mine.text
    assert "not its words" not in mine.text


@pytest.mark.parametrize("reminds", [True, False])
async def test_a_reminder_is_announced_only_where_one_is_written(
    slack: LocalSlack, bot: Bot, clock: Clock, reminds: bool
) -> None:
    await bot.workspaces.save(TEAM, Settings(starts_messages=reminds), ANN, clock.now())
    await declares(bot, slack, DEE, MLOPS)

    mine = await put(slack, bot, clock)

    assert ("remind them once" in mine.text) is reminds
    assert "ask the next" in mine.text


async def test_everything_that_a_leaver_asked_is_withdrawn_however_much_it_is(
    slack: LocalSlack, bot: Bot, clock: Clock
) -> None:
    await declares(bot, slack, DEE, MLOPS)
    asks = bot.courier._asks
    for number in range(45):
        at = clock.now() + timedelta(minutes=number)
        await asks.create(new_ask(f"a{number:02}", ANN, TEAM, asked=DEE, now=at), clock.now())

    await bot.courier._desk.left(TEAM, ANN)

    assert {row["state"] for row in await rows(bot, "asks")} == {"withdrawn"}


async def test_everything_that_a_leaver_was_asked_goes_on_however_much_it_is(
    slack: LocalSlack, bot: Bot, clock: Clock
) -> None:
    await declares(bot, slack, DEE, MLOPS)
    asks = bot.courier._asks
    for number in range(25):
        await asks.create(new_ask(f"a{number:02}", ANN, TEAM, asked=DEE, now=clock.now()), clock.now())

    await bot.courier._desk.left(TEAM, DEE)

    assert {row["outcome"] for row in await rows(bot, "ask_people") if row["user_id"] == DEE} == {"left"}


async def test_what_was_answered_before_stays_readable_and_is_closed_where_the_further_question_has_no_answer(
    slack: LocalSlack, bot: Bot, clock: Clock
) -> None:
    await declares(bot, slack, DEE, MLOPS)
    mine = await put(slack, bot, clock)
    [card] = told(slack, DEE)
    await answers(slack, DEE, card, "Repoint the alias.")
    await carried(bot, clock)
    form = (await slack.press(ANN, mine, "asking:back")).view
    assert form is not None
    await slack.submit(ANN, form, {"question": "Which alias?"})
    await carried(bot, clock)
    await slack.press(DEE, card, "asked:answer")
    await carried(bot, clock)
    assert "Repoint the alias." in mine.text

    for _ in range(20):
        clock.move(days=2)
        await carried(bot, clock)

    assert await state(bot) == "closed"
    assert "Repoint the alias." in mine.text
    assert "Closed. It was answered; what you asked back was not." in mine.text
    assert not await bot.courier._asks.unanswered(TEAM)
