"""A weekly cap counts colleagues who ask: not how often they do, nor how often an answer is tried."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest

from bot.app import Bot
from bot.local import GENERAL, LocalSlack
from bot.slack import MOST_RETRIES
from bot.worker import PUT_BACK_SECONDS
from knowledge.people import Terms
from tests.conftest import ANN, BEN, CAI, DEE, EVA, Clock, Start, declares, rows, settled, words
from tests.databases import BOTH
from tests.handlers.test_asking import set_terms

COLLEAGUES = (BEN, CAI, DEE, EVA)
WHO = "<@BOT> who knows airflow?"


@pytest.fixture(params=BOTH)
def database(database: str) -> str:
    """Every test here runs on each."""
    return database


async def colleagues(bot: Bot, slack: LocalSlack, clock: Clock, cap: int) -> None:
    for user in COLLEAGUES:
        await declares(bot, slack, user, {"data-engineer": "lead"}, ("Airflow",))
        await set_terms(bot, clock, user, Terms(weekly_cap=cap))


async def counted(bot: Bot) -> dict[str, int]:
    return {row["user_id"]: row["suggested"] for row in await rows(bot, "terms") if row["suggested"]}


def named_in(slack: LocalSlack, where: str = GENERAL) -> list[list[str]]:
    """Whom each of the bot's answers names, in their order."""
    told = [message for message in slack.messages(where) if message.from_bot and "Airflow" in message.text]
    ids = {slack.workspace.members[user].name: user for user in COLLEAGUES}
    found = [re.findall("|".join(ids), message.text) for message in told]
    return [list(dict.fromkeys(ids[name] for name in names)) for names in found]


async def whom(slack: LocalSlack, user: str) -> str:
    shown = (await slack.command(user, "/genai-role who airflow")).message
    assert shown is not None
    return words(shown)


@pytest.mark.usefixtures("faults")
@pytest.mark.parametrize("cap", [1, 3])
@pytest.mark.parametrize("times", [1, 2])
@pytest.mark.parametrize("lost", [False, True])
async def test_an_answer_that_is_tried_again_counts_once_and_names_the_same(
    slack: LocalSlack, bot: Bot, clock: Clock, cap: int, times: int, lost: bool
) -> None:
    await colleagues(bot, slack, clock, cap)
    if lost:
        slack.fail("chat.postMessage", lost=True, times=times)
    else:
        # Each try of the event calls once more after each failure, as often as it may.
        slack.fail("chat.postMessage", status=500, times=times * (1 + MOST_RETRIES))
    await slack.say(ANN, WHO, GENERAL)
    await settled(bot)
    answers = named_in(slack)
    assert len(answers) == (times + 1 if lost else 1)
    assert len(answers[0]) == 3 and all(names == answers[0] for names in answers)
    assert [row["attempts"] for row in await rows(bot, "inbox")] == [times]
    assert await counted(bot) == dict.fromkeys(answers[0], 1)
    assert f"1 of {cap} this week" in words(slack.messages(GENERAL)[-1])


@pytest.mark.usefixtures("faults")
async def test_others_who_are_asked_for_stay_the_same_too(slack: LocalSlack, bot: Bot, clock: Clock) -> None:
    await colleagues(bot, slack, clock, 1)
    posted = await slack.say(ANN, WHO, GENERAL)
    await settled(bot)
    slack.fail("chat.postMessage", lost=True)
    await slack.say(ANN, "<@BOT> who else?", GENERAL, thread_ts=posted.ts)
    await settled(bot)
    first, *others = named_in(slack)
    assert len(first) == 3 and others == [[user for user in COLLEAGUES if user not in first]] * 2
    assert await counted(bot) == dict.fromkeys(COLLEAGUES, 1)


@pytest.mark.usefixtures("faults")
async def test_another_process_that_takes_it_up_counts_nothing_more(
    slack: LocalSlack, start: Start, clock: Clock
) -> None:
    async with start() as bot:
        await colleagues(bot, slack, clock, 1)
        slack.fail("chat.postMessage", status=500, times=100)
        await slack.say(ANN, WHO, GENERAL)
        await settled(bot)
        before = await counted(bot)
    slack.api.faults.clear()
    clock.move(seconds=PUT_BACK_SECONDS + 1)
    async with start() as bot:
        await bot.worker.poll()
        await settled(bot)
        (names,) = named_in(slack)
        assert await counted(bot) == before == dict.fromkeys(names, 1)


@pytest.mark.usefixtures("faults")
async def test_whoever_is_forgotten_between_two_tries_is_not_named_by_the_second(
    slack: LocalSlack, bot: Bot, clock: Clock
) -> None:
    await colleagues(bot, slack, clock, 1)
    slack.fail("chat.postMessage", status=500, times=100)
    await slack.say(ANN, WHO, GENERAL)
    await settled(bot)
    first, *others = await counted(bot)
    assert (await slack.command(first, "/genai-role forget me")).text.startswith("Done:")
    slack.api.faults.clear()
    clock.move(seconds=PUT_BACK_SECONDS + 1)
    await bot.worker.poll()
    await settled(bot)
    (names,) = named_in(slack)
    assert sorted(names) == sorted(others)
    assert await counted(bot) == dict.fromkeys(others, 1)


@pytest.mark.usefixtures("faults")
@pytest.mark.parametrize("cap", [0, 1])
async def test_whoever_lowers_their_cap_between_two_tries_is_not_named_past_it(
    slack: LocalSlack, bot: Bot, clock: Clock, cap: int
) -> None:
    await colleagues(bot, slack, clock, 5)
    # Another one who asks has taken a place of theirs already.
    before = (await slack.command(EVA, "/genai-role who airflow")).message
    assert before is not None
    slack.fail("chat.postMessage", status=500, times=100)
    await slack.say(ANN, WHO, GENERAL)
    await settled(bot)
    [lowers, *_] = [user for user, count in (await counted(bot)).items() if count == 2]
    await set_terms(bot, clock, lowers, Terms(weekly_cap=cap))
    slack.api.faults.clear()
    clock.move(seconds=PUT_BACK_SECONDS + 1)
    await bot.worker.poll()
    await settled(bot)
    names = named_in(slack)[-1]
    assert names and lowers not in names


async def test_one_who_asks_again_and_again_counts_once(slack: LocalSlack, bot: Bot, clock: Clock) -> None:
    await declares(bot, slack, BEN, {"data-engineer": "lead"}, ("Airflow",))
    await set_terms(bot, clock, BEN, Terms(weekly_cap=2))
    for _ in range(5):
        clock.move(seconds=1)
        assert "1 of 2 this week" in await whom(slack, ANN)
        await slack.say(ANN, WHO, GENERAL)
        await settled(bot)
    assert await counted(bot) == {BEN: 1}
    assert "2 of 2 this week" in await whom(slack, CAI)
    # The promise is kept to everybody, also to who read the name before.
    for user in (ANN, CAI, DEE):
        assert "this week" not in await whom(slack, user)
    clock.at += timedelta(days=7)
    assert "1 of 2 this week" in await whom(slack, ANN)


async def test_who_asked_is_kept_as_a_hash_told_and_forgotten(slack: LocalSlack, bot: Bot, clock: Clock) -> None:
    await colleagues(bot, slack, clock, 5)
    await slack.command(ANN, "/genai-role who airflow")
    await slack.command(BEN, "/genai-role who airflow")
    found = await rows(bot, "namings")
    assert len(found) == 6 and ANN not in str(found)
    of_ann = (await bot.people.kept(slack.workspace.team_id, ANN))["namings"]
    assert [row["part"] for row in of_ann] == ["asked"] * 3
    of_ben = (await bot.people.kept(slack.workspace.team_id, BEN))["namings"]
    assert sorted(row["part"] for row in of_ben) == ["asked"] * 3 + ["named"]
    assert not any(user in str(of_ben) for user in (ANN, CAI, DEE, EVA))
    seen = (await bot.people.kept(slack.workspace.team_id, BEN, for_another=True))["namings"]
    assert seen == [{"rows": 4}]
    await slack.command(BEN, "/genai-role forget me")
    assert {row["user_id"] for row in await rows(bot, "namings")} <= {CAI, DEE, EVA}
    assert len(await rows(bot, "namings")) == 2
    await slack.command(ANN, "/genai-role forget me")
    assert await rows(bot, "namings") == []
