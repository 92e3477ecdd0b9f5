"""Ways that a question to a person goes beside the straight one, and what the asker reads on each."""

from __future__ import annotations

import pytest

from bot.app import Bot
from bot.local import LocalSlack
from knowledge.workspaces import Settings
from tests.conftest import ANN, CAI, DEE, TEAM, Clock, declares
from tests.handlers.test_asks import AT_WORK, MLOPS, QUESTION, carried, put, told


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
