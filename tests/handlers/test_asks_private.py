"""Questions to people: what nobody else reads, whose it is, and what is left where a person is forgotten."""

from __future__ import annotations

import pytest

from bot.app import Bot
from bot.local import LocalSlack, Message
from storage.forgotten import workspace_key
from storage.tables import metadata
from tests.conftest import ANN, DEE, TEAM, Clock, declares, rows
from tests.handlers.test_asks import AT_WORK, MLOPS, answers, carried, put, told


@pytest.fixture(autouse=True)
def at_work(clock: Clock) -> None:
    clock.at = AT_WORK


async def solved(slack: LocalSlack, bot: Bot, clock: Clock) -> Message:
    """Have Ann's question answered by Dee, and solved; return Ann's message."""
    mine = await put(slack, bot, clock)
    await answers(slack, DEE, told(slack, DEE)[0], "So.")
    await carried(bot, clock)
    await slack.press(ANN, mine, "asking:solved")
    await carried(bot, clock)
    return mine


async def test_the_key_of_marks_stands_in_no_row(slack: LocalSlack, bot: Bot, clock: Clock) -> None:
    await declares(bot, slack, DEE, MLOPS)
    mine = await solved(slack, bot, clock)
    await slack.press(ANN, mine, "keep:yes")
    await carried(bot, clock)
    async with bot.engine.connect() as connection:
        key = (await workspace_key(bot.engine, connection, TEAM)).hex()
    for table in metadata.tables:
        assert key not in str(await rows(bot, table)), table
    [mark] = {row["asker_mark"] for row in await rows(bot, "asks")}
    assert {row["recipient"] for row in await rows(bot, "ask_deliveries") if not row["user_id"]} == {mark}
