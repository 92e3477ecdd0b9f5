"""A question to a person through the front door: asked, passed on, answered, solved; and what nobody is told."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import pytest

from bot.app import Bot
from bot.local import GENERAL, LocalSlack, Message, Outcome, View
from knowledge.people import Level, Terms, Visibility
from knowledge.workspaces import Settings
from tests.conftest import ANN, BEN, CAI, DEE, GUS, TEAM, Clock, declares, rows, settled, words

MLOPS: dict[str, Level] = {"mlops-engineer": "lead"}
LEARNING: dict[str, Level] = {"mlops-engineer": "learning"}
QUESTION = "How do we roll back a model?"
SECRET = "How do we roll back a model? zebra-question"
AT_WORK = datetime(2026, 3, 2, 14, 30, tzinfo=UTC)
"""A Monday; 15:30 in Berlin, 9:30 in Lima, half past eleven at night in Tokyo."""


@pytest.fixture(autouse=True)
def at_work(clock: Clock) -> None:
    clock.at = AT_WORK


def told(slack: LocalSlack, user: str) -> list[Message]:
    """Return what the bot wrote to a person."""
    return [message for message in slack.messages(slack.dm(user)) if message.from_bot]


def all_told(slack: LocalSlack, user: str) -> str:
    return "\n".join(f"{message.text}\n{words(message)}" for message in told(slack, user))


def buttons(shown: Message) -> list[str]:
    return [
        element["text"]["text"]
        for block in shown.blocks
        for element in block.get("elements", ())
        if element.get("type") == "button"
    ]


async def carried(bot: Bot, clock: Clock, times: int = 3) -> None:
    """Let everything happen that is due."""
    await settled(bot)
    for _ in range(times):
        clock.move(seconds=5)
        await bot.courier.run()
        await settled(bot)


async def form(slack: LocalSlack, bot: Bot, asker: str = ANN, about: str = "who mlops") -> View:
    """Open the form from a suggestion."""
    reply = await slack.command(asker, f"/genai-role {about}")
    opened = await slack.press(asker, reply, "ask_put")
    assert opened.view is not None
    return opened.view


async def put(
    slack: LocalSlack,
    bot: Bot,
    clock: Clock,
    whom: str = "best",
    how: tuple[str, ...] = (),
    asker: str = ANN,
    question: str = QUESTION,
) -> Message:
    """Put a question; return the asker's message."""
    view = await form(slack, bot, asker)
    done = await slack.submit(asker, view, {"question": question, "whom": whom, "how": list(how)})
    assert not done.errors, done.errors
    assert done.view is not None
    assert "on its way" in words(done.view)
    await carried(bot, clock)
    return [message for message in told(slack, asker) if message.thread_ts is None][-1]


async def state(bot: Bot) -> str:
    [row] = await rows(bot, "asks")
    return str(row["state"])


async def answers(slack: LocalSlack, user: str, card: Message, text: str, **more: Any) -> Outcome:
    opened = await slack.press(user, card, "asked:answer")
    assert opened.view is not None
    return await slack.submit(user, opened.view, {"answer": text, **more})


async def test_the_whole_journey(slack: LocalSlack, bot: Bot, clock: Clock) -> None:
    """Asked, declined, handed over, answered, asked back, answered again, solved."""
    await declares(bot, slack, DEE, MLOPS)
    await declares(bot, slack, CAI, LEARNING)
    await declares(bot, slack, BEN, topics=("registries",))
    mine = await put(slack, bot, clock)
    assert "I am asking Dee Dorsey" in mine.text
    assert QUESTION in mine.text
    [card] = told(slack, DEE)
    for line in ("Ann Archer asks you", QUESTION, "MLOps Engineer, lead", "sees your name"):
        assert line in card.text
        assert line.removeprefix("Ann Archer ") in words(card)
    assert buttons(card) == ["Answer…", "Hand over…", "Not my area"]
    assert told(slack, CAI) == []

    await slack.press(DEE, card, "asked:decline")
    await carried(bot, clock)
    assert "Thank you for looking" in card.text
    assert "I am asking Cai Chen" in mine.text
    [second] = told(slack, CAI)

    opened = await slack.press(CAI, second, "asked:hand_over")
    assert opened.view is not None
    done = await slack.submit(CAI, opened.view, {"whom": BEN, "note": "Ben built that."})
    assert done.view is not None
    assert "I pass it on" in words(done.view)
    await carried(bot, clock)
    assert "handed over to Ben Book" in mine.text
    assert told(slack, BEN) == [], "it is night in Tokyo"
    clock.at = datetime(2026, 3, 3, 1, 0, tzinfo=UTC)
    await carried(bot, clock)
    [third] = told(slack, BEN)
    assert "Note from Cai Chen" in third.text
    assert "Ben built that." in third.text

    await answers(slack, BEN, third, "With the registry.")
    await carried(bot, clock)
    assert "Answered by Ben Book" in mine.text
    assert "With the registry." in mine.text
    assert buttons(mine) == ["Solved", "Ask back…"]
    [reply] = [message for message in told(slack, ANN) if message.thread_ts == mine.ts]
    assert reply.text == "Answer from Ben Book:\nWith the registry."

    opened = await slack.press(ANN, mine, "asking:back")
    assert opened.view is not None
    await slack.submit(ANN, opened.view, {"question": "Which one?"})
    await carried(bot, clock)
    further = [message for message in told(slack, BEN) if message.thread_ts == third.ts][-1]
    assert "Which one?" in further.text
    await slack.say(BEN, "MLflow.", slack.dm(BEN), thread_ts=third.ts)
    await carried(bot, clock)
    assert "MLflow." in mine.text
    assert "on its way" in told(slack, BEN)[-1].text

    await slack.press(ANN, mine, "asking:solved")
    await carried(bot, clock)
    assert "Solved: thank you" in mine.text
    assert "Withdraw" not in buttons(mine)
    assert "your answer solved it" in third.text
    assert await state(bot) == "solved"


async def test_a_person_who_is_named_gets_it_and_nobody_else(slack: LocalSlack, bot: Bot, clock: Clock) -> None:
    await declares(bot, slack, DEE, MLOPS)
    await declares(bot, slack, CAI, LEARNING)
    mine = await put(slack, bot, clock, whom=CAI)
    assert "I am asking Cai Chen" in mine.text
    assert len(told(slack, CAI)) == 1
    assert told(slack, DEE) == []


async def test_silence_is_reminded_once_and_then_the_next_person_asked(
    slack: LocalSlack, bot: Bot, clock: Clock
) -> None:
    await declares(bot, slack, DEE, MLOPS)
    await declares(bot, slack, CAI, LEARNING)
    mine = await put(slack, bot, clock)
    [card] = told(slack, DEE)
    clock.move(days=1)
    await carried(bot, clock)
    [_, reminder] = told(slack, DEE)
    assert "A reminder: this question still waits" in reminder.text
    assert reminder.thread_ts == card.ts
    assert told(slack, CAI) == []
    clock.move(days=1)
    await carried(bot, clock)
    assert "no answer from you" in card.text
    assert len(told(slack, CAI)) == 1
    assert "I am asking Cai Chen" in mine.text
    # Late, but not lost.
    await slack.say(DEE, "Late, but here.", slack.dm(DEE), thread_ts=card.ts)
    await carried(bot, clock)
    assert "Late, but here." in mine.text
    assert "settled" in told(slack, CAI)[0].text


async def test_without_reminders_the_next_person_is_asked_at_once(slack: LocalSlack, bot: Bot, clock: Clock) -> None:
    await bot.workspaces.save(TEAM, Settings(starts_messages=False), ANN, clock.now())
    await declares(bot, slack, DEE, MLOPS)
    await declares(bot, slack, CAI, LEARNING)
    await put(slack, bot, clock)
    clock.move(days=1)
    await carried(bot, clock)
    assert len(told(slack, DEE)) == 1
    assert len(told(slack, CAI)) == 1


async def test_nobody_is_said_plainly_and_a_click_shows_it_to_the_curators(
    slack: LocalSlack, bot: Bot, clock: Clock
) -> None:
    await bot.workspaces.save(TEAM, Settings(curators=(CAI,)), ANN, clock.now())
    await declares(bot, slack, DEE, MLOPS, ())
    mine = await put(slack, bot, clock)
    await slack.press(DEE, told(slack, DEE)[0], "asked:decline")
    await carried(bot, clock)
    assert "Nobody could take your question yet" in mine.text
    assert buttons(mine) == ["Show it to the curators", "Withdraw"]
    assert told(slack, CAI) == []
    listed = await slack.command(CAI, "/genai-role unanswered")
    assert "MLOps Engineer: 1 question." in listed.text
    assert QUESTION not in listed.text
    assert "for curators" in (await slack.command(BEN, "/genai-role unanswered")).text
    await slack.press(ANN, mine, "asking:curators")
    await carried(bot, clock)
    [card] = told(slack, CAI)
    assert "you are a curator" in card.text
    assert QUESTION in card.text


async def test_an_anonymous_asker_is_told_to_nobody_and_gone_once_answered(
    slack: LocalSlack, bot: Bot, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    await declares(bot, slack, DEE, MLOPS)
    await declares(bot, slack, CAI, LEARNING)
    mine = await put(slack, bot, clock, how=("anonymous",), question=SECRET)
    [card] = told(slack, DEE)
    assert "A colleague asks you" in card.text
    # To the asker: it is passed on, but not to them, and DEE can't tell why.
    opened = await slack.press(DEE, card, "asked:hand_over")
    assert opened.view is not None
    done = await slack.submit(DEE, opened.view, {"whom": ANN})
    assert done.view is not None
    assert "I pass it on" in words(done.view)
    await carried(bot, clock)
    [second] = told(slack, CAI)
    assert (await rows(bot, "asks"))[0]["asker"] is not None
    await answers(slack, CAI, second, "So.")
    await carried(bot, clock)
    [row] = await rows(bot, "asks")
    assert (row["asker"], row["asker_mark"]) == (None, None)
    assert "So." in mine.text
    # Asked back all the same: the click says where the answer goes.
    opened = await slack.press(ANN, mine, "asking:back")
    assert opened.view is not None
    await slack.submit(ANN, opened.view, {"question": "And then?"})
    await carried(bot, clock)
    await slack.say(CAI, "Then so.", slack.dm(CAI), thread_ts=second.ts)
    await carried(bot, clock)
    assert "Then so." in mine.text
    await slack.press(ANN, mine, "asking:solved")
    await carried(bot, clock)
    assert "Solved" in mine.text
    assert (await rows(bot, "asks"))[0]["asker"] is None
    for user in (DEE, CAI):
        assert not {ANN, "Ann Archer"} & {said for said in (ANN, "Ann Archer") if said in all_told(slack, user)}
    logged = "\n".join(caplog.messages)
    assert not [said for said in ("zebra-question", "Ann Archer", "Then so.") if said in logged]
    kept = await bot.people.kept(TEAM, CAI)
    assert ANN not in str(kept)


@pytest.mark.parametrize("visibility", ["ask_first", "hidden"])
async def test_who_is_not_to_be_named_is_asked_without_being_named(
    slack: LocalSlack, bot: Bot, clock: Clock, visibility: Visibility
) -> None:
    await bot.people.declare(TEAM, CAI, MLOPS, {}, clock.now(), Terms(visibility=visibility))
    mine = await put(slack, bot, clock)
    assert "I am asking a colleague who stays unnamed" in mine.text
    [card] = told(slack, CAI)
    assert "is not told who you are" in card.text
    await slack.press(CAI, card, "asked:busy", selected=f"{(await rows(bot, 'asks'))[0]['id']} 24")
    await carried(bot, clock)
    await answers(slack, CAI, card, "With care.")
    await carried(bot, clock)
    assert "With care." in mine.text
    assert "Cai" not in all_told(slack, ANN)
    assert CAI not in all_told(slack, ANN)


async def test_who_ticks_it_is_named_with_the_answer(slack: LocalSlack, bot: Bot, clock: Clock) -> None:
    await bot.people.declare(TEAM, CAI, MLOPS, {}, clock.now(), Terms(visibility="ask_first"))
    mine = await put(slack, bot, clock)
    await answers(slack, CAI, told(slack, CAI)[0], "Here I am.", how=["show"])
    await carried(bot, clock)
    assert "Answered by Cai Chen" in mine.text


async def test_a_click_after_the_withdrawal_says_so(slack: LocalSlack, bot: Bot, clock: Clock) -> None:
    await declares(bot, slack, DEE, MLOPS)
    mine = await put(slack, bot, clock)
    [card] = told(slack, DEE)
    opened = await slack.press(DEE, card, "asked:answer")
    assert opened.view is not None
    await carried(bot, clock)
    assert "On it: Dee Dorsey" in mine.text
    before = list(card.blocks)
    await slack.press(ANN, mine, "asking:withdraw")
    await carried(bot, clock)
    assert "You withdrew" in mine.text
    assert "withdrawn" in card.text
    assert QUESTION not in card.text
    done = await slack.submit(DEE, opened.view, {"answer": "Too late"})
    assert done.view is not None
    assert "not delivered" in words(done.view)
    card.blocks = before
    pressed = await slack.press(DEE, card, "asked:decline")
    assert pressed.message is not None
    assert "nothing left to do" in pressed.message.text
    assert await state(bot) == "withdrawn"


async def test_nobody_is_asked_more_often_than_they_allow(slack: LocalSlack, bot: Bot, clock: Clock) -> None:
    await bot.people.declare(TEAM, DEE, MLOPS, {}, clock.now(), Terms(weekly_cap=2))
    for asker in (ANN, CAI):
        view = await form(slack, bot, asker)
        done = await slack.submit(asker, view, {"question": QUESTION, "whom": DEE})
        assert not done.errors
    await carried(bot, clock)
    assert len(told(slack, DEE)) == 2
    reply = await slack.command(BEN, "/genai-role who mlops")
    assert "Dee" not in reply.text
    opened = await slack.press(BEN, reply, "ask_put")
    assert opened.view is not None
    done = await slack.submit(BEN, opened.view, {"question": QUESTION, "whom": "best"})
    await carried(bot, clock)
    assert len(told(slack, DEE)) == 2


async def test_an_expert_who_leaves_and_an_asker_who_is_forgotten(slack: LocalSlack, bot: Bot, clock: Clock) -> None:
    await declares(bot, slack, DEE, MLOPS)
    await declares(bot, slack, CAI, LEARNING)
    mine = await put(slack, bot, clock)
    await slack.change_member(DEE, deleted=True)
    await carried(bot, clock)
    assert "I am asking Cai Chen" in mine.text
    [card] = told(slack, CAI)
    await slack.command(ANN, "/genai-role forget me")
    await carried(bot, clock)
    assert "withdrawn" in card.text
    [row] = await rows(bot, "asks")
    assert (row["question"], row["asker"], row["about"]) == ("", None, "")
    clock.move(days=31)
    await carried(bot, clock)
    assert await rows(bot, "asks") == await rows(bot, "ask_people") == await rows(bot, "ask_deliveries") == []


async def test_not_my_area_can_be_taken_out_of_the_declaration(slack: LocalSlack, bot: Bot, clock: Clock) -> None:
    await declares(bot, slack, DEE, {**MLOPS, "data-engineer": "lead"})
    await put(slack, bot, clock)
    [card] = told(slack, DEE)
    await slack.press(DEE, card, "asked:decline")
    await carried(bot, clock)
    assert buttons(card) == ["Drop MLOps Engineer", "Change what I declare"]
    await slack.press(DEE, card, "asked:drop")
    assert "Done: you don't declare MLOps Engineer any more" in told(slack, DEE)[-1].text
    assert (await bot.people.declaration(TEAM, DEE)).roles == {"data-engineer": "lead"}


async def test_the_ways_in(slack: LocalSlack, bot: Bot, clock: Clock) -> None:
    await declares(bot, slack, DEE, MLOPS)
    by_command = await slack.command(ANN, "/genai-role ask someone about mlops pipelines")
    assert by_command.view is not None
    assert by_command.view.title == "Ask a person"
    assert [option["text"]["text"] for option in by_command.view.blocks[1]["element"]["options"]] == [
        "Dee Dorsey",
        "Whoever fits best",
    ]
    assert by_command.view.blocks[0]["element"]["initial_value"] == "mlops pipelines"
    await slack.close(ANN)
    said = await slack.say(ANN, "ask someone about model drift")
    offered = await slack.wait_for_reply(said)
    opened = await slack.press(ANN, offered, "ask_put")
    assert opened.view is not None
    assert opened.view.blocks[0]["element"]["initial_value"] == "model drift"
    await slack.close(ANN)
    posted = await slack.say(BEN, "our mlops pipeline is slow", GENERAL)
    found = await slack.message_shortcut(ANN, "find_who_can_help", posted)
    assert found.view is not None
    opened = await slack.press(ANN, found.view, "ask_put")
    assert opened.view is not None
    assert opened.view.blocks[0]["element"]["initial_value"] == "our mlops pipeline is slow"


async def test_a_guest_asks_nobody(slack: LocalSlack, bot: Bot, clock: Clock) -> None:
    await declares(bot, slack, DEE, MLOPS)
    opened = await slack.command(GUS, "/genai-role ask someone about mlops")
    assert opened.view is not None
    assert "only to members" in words(opened.view)


async def test_an_id_that_somebody_wrote_into_a_form_is_not_asked(slack: LocalSlack, bot: Bot, clock: Clock) -> None:
    await declares(bot, slack, DEE, MLOPS)
    await bot.people.declare(TEAM, CAI, MLOPS, {}, clock.now(), Terms(visibility="hidden"))
    view = await form(slack, bot)
    options: list[Mapping[str, Any]] = view.blocks[1]["element"]["options"]
    options.append({"text": {"type": "plain_text", "text": "x"}, "value": CAI})
    done = await slack.submit(ANN, view, {"question": QUESTION, "whom": CAI})
    assert list(done.errors) == ["whom"]
    assert await rows(bot, "asks") == []


async def test_the_home_tab_shows_what_is_open(slack: LocalSlack, bot: Bot, clock: Clock) -> None:
    await declares(bot, slack, DEE, MLOPS)
    await put(slack, bot, clock)
    for user, line in ((ANN, "How do we roll back a model? – with a colleague"), (DEE, "*I am asked*")):
        home = await slack.open_home(user)
        await slack.press(user, home, "home_section:questions")
        assert line in words(slack.workspace.homes[user])
    home = await slack.open_home(CAI)
    await slack.press(CAI, home, "home_section:questions")
    assert "Nothing is open" in words(slack.workspace.homes[CAI])
