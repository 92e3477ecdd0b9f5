"""Messages about questions when Slack is slow or refuses, and when something happens while they are written."""

from __future__ import annotations

from datetime import UTC, datetime
from types import SimpleNamespace

import pytest
from slack_sdk.errors import SlackApiError

import handlers.courier as courier
from bot.app import Bot
from bot.local import LocalSlack
from handlers.courier import MOST_UNSURE
from knowledge.asking import Details, Event
from knowledge.workspaces import Settings
from tests.conftest import ANN, CAI, DEE, TEAM, Clock, declares, rows, settled, words
from tests.databases import ON_BOTH
from tests.handlers.test_asks import AT_WORK, LEARNING, MLOPS, all_told, answers, buttons, carried, put, state, told


@pytest.fixture(autouse=True)
def at_work(clock: Clock) -> None:
    clock.at = AT_WORK


async def test_a_slow_slack_makes_nothing_come_twice(
    slack: LocalSlack, bot: Bot, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    await declares(bot, slack, DEE, MLOPS)
    await declares(bot, slack, CAI, LEARNING)
    clock.at = datetime(2026, 3, 2, 4, 0, tzinfo=UTC)
    for whom in (DEE, CAI):
        await put(slack, bot, clock, whom=whom)
    post, slow = courier._post, list[int]()

    async def slowly(*said: object) -> tuple[str, str]:
        posted = await post(*said)  # type: ignore[arg-type]
        if slow:
            clock.move(seconds=slow.pop())
            # Meanwhile another process looks what is due.
            await bot.courier.deliver(TEAM)
        return posted

    clock.at = AT_WORK
    slow[:] = [61]
    monkeypatch.setattr(courier, "_post", slowly)
    await carried(bot, clock)
    assert (len(told(slack, DEE)), len(told(slack, CAI))) == (1, 1)


async def times_told(slack: LocalSlack, bot: Bot, clock: Clock, user: str, minutes: int) -> list[int]:
    """Return how often a person was written to by the end of each minute."""
    counts = []
    for _ in range(minutes):
        clock.move(minutes=1)
        await bot.courier.run()
        await settled(bot)
        counts.append(len(told(slack, user)))
    return counts


@pytest.mark.usefixtures("faults")
@ON_BOTH
async def test_a_question_whose_answer_from_slack_is_lost_may_come_twice_rather_than_never(
    slack: LocalSlack, bot: Bot, clock: Clock
) -> None:
    await declares(bot, slack, DEE, MLOPS)
    slack.fail("chat.postMessage", lost=True, times=2)
    await put(slack, bot, clock)
    assert (len(told(slack, ANN)), len(told(slack, DEE))) == (1, 1)
    assert (await times_told(slack, bot, clock, DEE, 90))[-1] == 2
    assert len(told(slack, ANN)) == 2
    await answers(slack, DEE, told(slack, DEE)[-1], "With the alias.")
    slack.fail("chat.postMessage", lost=True)
    assert (await times_told(slack, bot, clock, ANN, 90))[-1] == 4
    assert [message.text for message in told(slack, ANN) if "With the alias." in message.text and message.thread_ts]


@pytest.mark.usefixtures("faults")
@ON_BOTH
async def test_what_is_perhaps_written_is_written_ever_more_slowly_and_then_the_next_is_asked(
    slack: LocalSlack, bot: Bot, clock: Clock
) -> None:
    await declares(bot, slack, DEE, MLOPS)
    await declares(bot, slack, CAI, LEARNING)
    slack.fail("chat.postMessage", lost=True, times=1000)
    await put(slack, bot, clock)
    assert len(told(slack, DEE)) == 1
    counts = await times_told(slack, bot, clock, DEE, 60)
    assert [counts.index(times) + 1 for times in range(2, MOST_UNSURE + 1)] == [1, 3, 7, 15, 31]
    assert counts[-1] == MOST_UNSURE
    slack.api.faults.clear()
    await times_told(slack, bot, clock, CAI, 90)
    assert len(told(slack, CAI)) > 0
    assert await state(bot) == "asked"


@pytest.mark.usefixtures("faults")
async def test_while_slack_surely_takes_nothing_a_question_waits_and_comes_once(
    slack: LocalSlack, bot: Bot, clock: Clock
) -> None:
    await declares(bot, slack, DEE, MLOPS)
    slack.fail("chat.postMessage", error="service_unavailable", times=1000)
    with pytest.raises(IndexError):
        await put(slack, bot, clock)
    await times_told(slack, bot, clock, DEE, 20)
    slack.api.faults.clear()
    assert (await times_told(slack, bot, clock, DEE, 5))[-1] == 1


@pytest.mark.usefixtures("faults")
async def test_a_reminder_whose_answer_from_slack_is_lost_is_not_written_again(
    slack: LocalSlack, bot: Bot, clock: Clock
) -> None:
    await declares(bot, slack, DEE, MLOPS)
    await put(slack, bot, clock)
    clock.move(days=2)
    slack.fail("chat.postMessage", lost=True, times=100)
    await carried(bot, clock)
    assert await state(bot) == "reminded"
    await times_told(slack, bot, clock, DEE, 60)
    assert len(told(slack, DEE)) == 2
    slack.api.faults.clear()
    clock.move(days=2)
    await carried(bot, clock)
    assert await state(bot) == "nobody", "patience began with the reminder"


async def test_no_name_is_kept_in_memory_for_longer_than_it_is_used(slack: LocalSlack, bot: Bot, clock: Clock) -> None:
    await declares(bot, slack, DEE, MLOPS)
    await put(slack, bot, clock, whom=DEE)
    await carried(bot, clock)
    assert (TEAM, DEE) in bot.courier._members
    clock.move(hours=1)
    await bot.courier.run()
    assert (TEAM, DEE) not in bot.courier._members


async def test_what_is_withdrawn_while_it_is_posted_is_drawn_anew(
    slack: LocalSlack, bot: Bot, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    await declares(bot, slack, DEE, MLOPS)
    post = courier._post

    async def slowly(client: object, channel: str, *said: object) -> tuple[str, str]:
        posted = await post(client, channel, *said)  # type: ignore[arg-type]
        if channel == DEE:
            [mine] = [message for message in told(slack, ANN) if message.thread_ts is None]
            await slack.press(ANN, mine, "asking:withdraw")
            await bot.courier.deliver(TEAM)
        return posted

    monkeypatch.setattr(courier, "_post", slowly)
    await put(slack, bot, clock)
    await carried(bot, clock)
    [card] = told(slack, DEE)
    assert "withdrawn" in card.text
    assert buttons(card) == []


async def busy(slack: LocalSlack, bot: Bot, hours: int) -> None:
    [row] = await rows(bot, "asks")
    await slack.press(DEE, told(slack, DEE)[0], "asked:busy", selected=f"{row['id']} {hours}")


async def test_a_reminder_that_waits_for_the_morning_does_not_come_to_who_is_busy(
    slack: LocalSlack, bot: Bot, clock: Clock
) -> None:
    await declares(bot, slack, DEE, MLOPS)
    await put(slack, bot, clock)
    clock.at = datetime(2026, 3, 4, 22, 0, tzinfo=UTC)
    await carried(bot, clock)
    assert await state(bot) == "reminded"
    await busy(slack, bot, 168)
    clock.at = datetime(2026, 3, 5, 15, 0, tzinfo=UTC)
    await carried(bot, clock)
    assert len(told(slack, DEE)) == 1


async def test_who_was_busy_is_asked_again_and_then_the_next_where_the_bot_begins_nothing(
    slack: LocalSlack, bot: Bot, clock: Clock
) -> None:
    await bot.workspaces.save(TEAM, Settings(starts_messages=False), ANN, clock.now())
    await declares(bot, slack, DEE, MLOPS)
    await declares(bot, slack, CAI, LEARNING)
    await put(slack, bot, clock)
    await busy(slack, bot, 24)
    await carried(bot, clock)
    clock.move(days=1)
    await carried(bot, clock)
    assert "You asked me to come back" in told(slack, DEE)[-1].text
    clock.move(days=1)
    await carried(bot, clock)
    assert len(told(slack, CAI)) == 1


async def test_no_reminder_says_that_it_is_the_only_one(slack: LocalSlack, bot: Bot, clock: Clock) -> None:
    await declares(bot, slack, DEE, MLOPS)
    await put(slack, bot, clock)
    clock.move(days=1)
    await carried(bot, clock)
    await slack.press(DEE, told(slack, DEE)[0], "asked:answer")
    clock.move(days=2, hours=1)
    await carried(bot, clock)
    [_, first, second] = told(slack, DEE)
    assert "the only one" not in first.text + second.text
    assert "You took this question, and it still waits" in second.text


async def test_a_second_answer_is_delivered_or_said_not_to_be(slack: LocalSlack, bot: Bot, clock: Clock) -> None:
    await declares(bot, slack, DEE, MLOPS)
    mine = await put(slack, bot, clock, how=("anonymous",))
    [card] = told(slack, DEE)
    for text in ("First part.", "Second part."):
        await slack.say(DEE, text, slack.dm(DEE), thread_ts=card.ts)
        await carried(bot, clock)
    assert "once they press a button" in told(slack, DEE)[-1].text
    assert "Second part." not in all_told(slack, ANN)
    await slack.press(ANN, mine, "asking:solved")
    await carried(bot, clock)
    assert "Second part." in mine.text


async def test_a_second_answer_comes_into_the_message_too(slack: LocalSlack, bot: Bot, clock: Clock) -> None:
    await declares(bot, slack, DEE, MLOPS)
    mine = await put(slack, bot, clock)
    [card] = told(slack, DEE)
    for text in ("First part.", "Second part."):
        await slack.say(DEE, text, slack.dm(DEE), thread_ts=card.ts)
        await carried(bot, clock)
    assert "on its way" in told(slack, DEE)[-1].text
    assert "Second part." in mine.text


async def test_an_answer_comes_also_where_the_message_is_gone(
    slack: LocalSlack, bot: Bot, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    await declares(bot, slack, DEE, MLOPS)
    await put(slack, bot, clock)
    post, redraw = courier._post, courier._redraw
    gone = told(slack, ANN)[-1].ts

    def refused(code: str) -> SlackApiError:
        said = SimpleNamespace(data={"ok": False, "error": code}, status_code=200)
        return SlackApiError("refused", said)  # type: ignore[no-untyped-call]

    async def posted(client: object, channel: str, shown: object, thread: str | None = None) -> tuple[str, str]:
        if thread == gone:
            raise refused("thread_not_found")
        return await post(client, channel, shown, thread)  # type: ignore[arg-type]

    async def redrawn(client: object, channel: str, ts: str, shown: object) -> None:
        if ts == gone:
            raise refused("message_not_found")
        await redraw(client, channel, ts, shown)  # type: ignore[arg-type]

    monkeypatch.setattr(courier, "_post", posted)
    monkeypatch.setattr(courier, "_redraw", redrawn)
    await answers(slack, DEE, told(slack, DEE)[0], "With the registry.")
    await carried(bot, clock)
    card = next(message for message in told(slack, ANN) if message.ts > gone and buttons(message))
    assert "With the registry." in card.text
    await slack.press(ANN, card, "asking:solved")
    await carried(bot, clock)
    assert "Solved" in card.text


async def test_a_long_question_and_a_long_answer_are_read_to_their_end(
    slack: LocalSlack, bot: Bot, clock: Clock
) -> None:
    await declares(bot, slack, DEE, MLOPS)
    mine = await put(slack, bot, clock, question="How do we roll it back? " + "word " * 590 + "QUESTION-END")
    [card] = told(slack, DEE)
    opened = await slack.press(DEE, card, "asked:answer")
    assert opened.view is not None
    for shown in (mine, card, opened.view):
        assert "QUESTION-END" in words(shown)
    await slack.submit(DEE, opened.view, {"answer": "R&D " * 740 + "ANSWER-END"})
    await carried(bot, clock)
    [note] = [message for message in told(slack, ANN) if message.thread_ts]
    assert "ANSWER-END" in words(note)
    assert "ANSWER-END" in words(mine)


async def test_a_reply_that_is_too_long_is_asked_for_in_parts(slack: LocalSlack, bot: Bot, clock: Clock) -> None:
    await declares(bot, slack, DEE, MLOPS)
    await put(slack, bot, clock)
    await slack.say(DEE, "word " * 700, slack.dm(DEE), thread_ts=told(slack, DEE)[0].ts)
    await carried(bot, clock)
    assert "too long, and was not delivered" in told(slack, DEE)[-1].text
    assert await state(bot) == "asked"


@pytest.mark.parametrize(
    ("then", "named"), [("the other answers", "a colleague"), ("the other is asked", "Dee Dorsey"), ("", "Dee Dorsey")]
)
async def test_an_answer_that_comes_late_stands_under_no_other_name(
    slack: LocalSlack, bot: Bot, clock: Clock, then: str, named: str
) -> None:
    await declares(bot, slack, DEE, MLOPS)
    await declares(bot, slack, CAI, LEARNING)
    await put(slack, bot, clock)
    [row] = await rows(bot, "asks")
    desk = bot.courier._desk
    steps: list[tuple[Event, Details]] = [("answer", Details(actor=DEE, text="Words of Dee.", source="x.1"))]
    if then:
        steps += [("ask_back", Details(actor=ANN, text="Which one?")), ("decline", Details(actor=DEE))]
    if then == "the other answers":
        steps.append(("answer", Details(actor=CAI, text="Words of Cai.", source="x.2")))
    for event, details in steps:
        assert await desk.happened(TEAM, row["id"], event, details) == "done"
    await carried(bot, clock, 5)
    notes = [message.text for message in told(slack, ANN) if message.thread_ts and "Words of" in message.text]
    assert len(notes) == (2 if then == "the other answers" else 1)
    [of_dee] = [note for note in notes if "Words of Dee." in note]
    assert f"Answer from {named}" in of_dee
