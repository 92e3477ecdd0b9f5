"""Ways that a question to a person goes beside the straight one, and what the asker reads on each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

import pytest

from bot.app import Bot
from bot.local import GENERAL, LocalSlack
from knowledge.answers import Subject
from knowledge.asking import Details, DueDelivery
from knowledge.freshness import CHECK_AFTER
from knowledge.people import Terms
from knowledge.team import TeamEntry, published
from knowledge.workspaces import Settings
from tests.asks import new_ask
from tests.conftest import ANN, BEN, CAI, DEE, TEAM, Clock, declares, rows, settled, words
from tests.handlers.test_asks import (
    AT_WORK,
    LEARNING,
    MLOPS,
    QUESTION,
    all_told,
    answers,
    buttons,
    carried,
    form,
    put,
    state,
    told,
)


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
    back = (await slack.press(ANN, mine, "asking:back")).view
    assert back is not None
    await slack.submit(ANN, back, {"question": "Which alias?"})
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


@pytest.mark.parametrize("text", ["Does anybody know the wifi code of the Oslo office?", "lunch?"])
async def test_the_shortcut_offers_to_put_also_what_the_bot_knows_nothing_about(
    slack: LocalSlack, bot: Bot, clock: Clock, text: str
) -> None:
    posted = await slack.say(CAI, text, GENERAL)
    opened = await slack.message_shortcut(ANN, "find_who_can_help", posted)
    assert opened.view is not None

    asked = (await slack.press(ANN, opened.view, "ask_put")).view

    assert asked is not None
    assert "Whom" in words(asked)


async def test_nobody_gets_by_hand_over_what_they_are_not_to_be_asked_about(
    slack: LocalSlack, bot: Bot, clock: Clock
) -> None:
    terms = Terms(visibility="hidden", not_about={"mlops-engineer": "MLOps engineer"})
    await bot.people.declare(TEAM, CAI, {}, {"cooking": "cooking"}, clock.now(), terms)
    await declares(bot, slack, DEE, MLOPS)
    await put(slack, bot, clock)
    to = (await slack.press(DEE, told(slack, DEE)[-1], "asked:hand_over")).view
    assert to is not None

    done = await slack.submit(DEE, to, {"whom": CAI, "note": "Yours?"})
    await carried(bot, clock)

    assert done.view is not None
    assert "If your colleague can't be asked now, I find somebody else." in words(done.view)
    assert not told(slack, CAI)


async def test_whoever_picked_somebody_at_their_cap_chooses_anew_after_the_answer_of_the_team(
    slack: LocalSlack, bot: Bot, clock: Clock
) -> None:
    await bot.people.declare(TEAM, DEE, MLOPS, {}, clock.now(), Terms(weekly_cap=1))
    view = await form(slack, bot)
    entry = TeamEntry("team-x", "rollback", question=QUESTION, answer="Repoint the alias.")
    await bot.team.save(TEAM, [published(entry, clock.now())])
    await bot.courier._asks.create(new_ask("before", BEN, TEAM, asked=DEE, now=clock.now()), clock.now())
    before = await slack.submit(ANN, view, {"question": QUESTION, "whom": DEE, "how": ["urgent"]})
    assert before.view is not None
    assert "Your team answered this" in words(before.view)

    again = await slack.submit(ANN, before.view, {"question": QUESTION})

    assert not again.errors
    assert again.view is not None
    assert "Choose somebody else, or whoever fits best" in words(again.view)
    once_more = await slack.submit(ANN, again.view, {"question": QUESTION, "whom": "best", "how": ["urgent"]})
    assert once_more.view is not None
    done = await slack.submit(ANN, once_more.view, {"question": QUESTION})
    assert done.view is not None
    assert "on its way" in words(done.view)


async def test_what_the_asker_writes_in_the_thread_of_their_question_is_asked_back(
    slack: LocalSlack, bot: Bot, clock: Clock
) -> None:
    await declares(bot, slack, DEE, MLOPS)
    mine = await put(slack, bot, clock)
    await slack.say(ANN, "Anybody?", slack.dm(ANN), thread_ts=mine.ts)
    await settled(bot)
    assert "your question waits for an answer" in told(slack, ANN)[-1].text
    [card] = told(slack, DEE)
    await answers(slack, DEE, card, "Repoint the alias.")
    await carried(bot, clock)

    await slack.say(ANN, "And with MLflow?", slack.dm(ANN), thread_ts=mine.ts)
    await carried(bot, clock)

    assert await state(bot) == "asked_back"
    assert "And with MLflow?" in told(slack, DEE)[-1].text


async def test_an_answer_stands_under_the_name_of_whoever_wrote_it_though_others_were_asked_later(
    slack: LocalSlack, bot: Bot, clock: Clock
) -> None:
    await bot.people.declare(TEAM, CAI, LEARNING, {}, clock.now(), Terms(visibility="hidden"))
    await declares(bot, slack, DEE, MLOPS)
    mine = await put(slack, bot, clock)
    [dee] = told(slack, DEE)
    await slack.press(DEE, dee, "asked:decline")
    await carried(bot, clock)
    [cai] = told(slack, CAI)
    await answers(slack, CAI, cai, "From Cai.")
    await carried(bot, clock)

    await slack.say(DEE, "From Dee, late.", slack.dm(DEE), thread_ts=dee.ts)
    await carried(bot, clock)

    assert "Answer from Dee Dorsey:\nFrom Dee, late." in all_told(slack, ANN)
    back = (await slack.press(ANN, mine, "asking:back")).view
    assert back is not None
    await slack.submit(ANN, back, {"question": "Dee, which one?"})
    await carried(bot, clock)
    assert "Dee, which one?" in all_told(slack, DEE)
    assert "Dee, which one?" not in all_told(slack, CAI)


async def test_a_workspace_that_cannot_be_written_to_rests_and_keeps_no_other_waiting(
    slack: LocalSlack, bot: Bot, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def nobody(workspace: str) -> None:
        return None

    await declares(bot, slack, DEE, MLOPS)
    monkeypatch.setattr(bot.courier, "_client_of", nobody)
    await bot.courier._asks.create(new_ask("one", ANN, TEAM, asked=DEE, now=clock.now()), clock.now())
    assert await bot.courier._deliveries.waiting(clock.now()) == [TEAM]

    await bot.courier.run()

    clock.move(minutes=5)
    assert await bot.courier._deliveries.waiting(clock.now()) == []
    monkeypatch.undo()
    clock.move(minutes=11)
    await carried(bot, clock)
    assert "How do we version prompts?" in all_told(slack, DEE)


async def test_who_could_learn_it_is_found_by_topic_too(
    slack: LocalSlack, bot: Bot, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    await bot.workspaces.save(TEAM, Settings(curators=(BEN,)), ANN, clock.now())
    await declares(bot, slack, CAI, {"data-engineer": "learning"}, ("looms",))
    await declares(bot, slack, DEE, {"data-engineer": "lead"}, ("looms",))
    [topic] = (await bot.people.declaration(TEAM, CAI)).topics
    ask = new_ask("1", ANN, TEAM, now=clock.now(), question="How does a loom work?")
    await bot.courier._asks.create(replace(ask, subject=Subject(topics=(topic,)), about="Looms"), clock.now())
    for user in (DEE, CAI):
        await carried(bot, clock, 9)
        if user == CAI:
            clock.at = AT_WORK.replace(hour=15)
        await carried(bot, clock)
        await slack.press(user, told(slack, user)[0], "asked:decline")
    await carried(bot, clock)
    listed = await slack.command(BEN, "/genai-role unanswered")
    assert "Looms: 1 question." in listed.text
    assert "Learning it: Cai Chen." in listed.text
    # Who has left since is looked up before being named.
    clock.move(hours=2)
    slack.workspace.members[CAI].deleted = True
    listed = await slack.command(BEN, "/genai-role unanswered")
    assert "Looms: 1 question." in listed.text and "Cai" not in listed.text


async def test_a_leaver_whom_the_quarterly_round_finds_holds_up_no_question(
    slack: LocalSlack, bot: Bot, clock: Clock
) -> None:
    await declares(bot, slack, DEE, MLOPS)
    clock.at += CHECK_AFTER - timedelta(hours=1)
    await declares(bot, slack, CAI, LEARNING)
    await put(slack, bot, clock)
    assert told(slack, CAI) == []
    # The event was lost.
    slack.workspace.members[DEE].deleted = True
    clock.move(hours=1)
    await bot.rounds.run()
    assert (await rows(bot, "members", f"user_id = '{DEE}'"))[0]["availability"] == "deactivated"
    await carried(bot, clock)
    [card] = told(slack, CAI)
    assert QUESTION in words(card)


async def test_each_side_is_thanked_once(slack: LocalSlack, bot: Bot, clock: Clock) -> None:
    await declares(bot, slack, DEE, MLOPS)
    mine = await put(slack, bot, clock)
    [theirs] = told(slack, DEE)
    opened = await slack.press(DEE, theirs, "asked:answer")
    assert opened.view is not None
    done = await slack.submit(DEE, opened.view, {"answer": "So."})
    await carried(bot, clock)
    assert done.view is not None
    assert "thank" not in f"{words(done.view)}{theirs.text}{mine.text}".lower()
    await slack.press(ANN, mine, "asking:solved")
    await carried(bot, clock)
    for user in (ANN, DEE):
        assert "\n".join(one.text for one in told(slack, user)).lower().count("thank") == 1
    # What becomes of keeping it adds no further thanks.
    await slack.press(ANN, mine, "keep:yes")
    await carried(bot, clock)
    assert mine.text.lower().count("thank") == 1


@pytest.mark.parametrize("when", ["asked", "being written", "answered"])
async def test_a_workspace_that_is_uninstalled_in_the_middle_leaves_nothing_to_do(
    slack: LocalSlack, bot: Bot, clock: Clock, when: str
) -> None:
    await declares(bot, slack, DEE, MLOPS)
    mine = await put(slack, bot, clock)
    [theirs] = told(slack, DEE)
    claimed: Sequence[DueDelivery] = ()
    if when != "asked":
        [row] = await rows(bot, "asks")
        details = Details(actor=DEE, text="So.", source="1.0")
        await bot.courier._desk.happened(TEAM, row["id"], "answer", details)
    if when == "being written":
        claimed = await bot.courier._deliveries.claim(TEAM, clock.now())
        assert claimed
    elif when == "answered":
        await carried(bot, clock)
    before = len(told(slack, ANN)), len(told(slack, DEE))
    await bot.people.forget_workspace(TEAM)
    for one in claimed:
        await bot.courier._deliveries.sent(one, clock.now(), place=("D1", "1.1"))
    for _ in range(3):
        clock.move(days=20)
        await carried(bot, clock)
    for table in ("asks", "ask_people", "ask_deliveries", "keepings"):
        assert await rows(bot, table) == [], table
    assert (len(told(slack, ANN)), len(told(slack, DEE))) == before
    # Old buttons say so, and do nothing.
    if when == "asked":
        pressed = await slack.press(DEE, theirs, "asked:answer")
        assert pressed.message is not None and "not with you any more" in pressed.message.text
        pressed = await slack.press(ANN, mine, "asking:withdraw")
        assert pressed.message is not None and "not possible any more" in pressed.message.text
    assert await rows(bot, "asks") == []


async def test_dropping_a_topic_leaves_the_role_that_it_lies_in(slack: LocalSlack, bot: Bot, clock: Clock) -> None:
    await bot.people.declare(TEAM, DEE, MLOPS, {"mlflow": "MLflow", "dvc": "DVC"}, clock.now())
    subject = Subject(("mlops-engineer", "data-engineer"), (), ("mlflow",))
    ask = new_ask("1", ANN, TEAM, asked=DEE, now=clock.now())
    await bot.courier._asks.create(replace(ask, subject=subject, about=bot.guide.in_words(subject)), clock.now())
    await carried(bot, clock)
    [card] = told(slack, DEE)
    await slack.press(DEE, card, "asked:decline")
    await carried(bot, clock)
    assert "Drop MLflow" in buttons(card)
    await slack.press(DEE, card, "asked:drop")
    declared = await bot.people.declaration(TEAM, DEE)
    assert (declared.roles, declared.topics) == (MLOPS, {"dvc": "DVC"})


async def test_where_slack_does_not_say_who_a_colleague_is_it_can_be_tried_again(
    slack: LocalSlack, bot: Bot, clock: Clock
) -> None:
    await declares(bot, slack, DEE, MLOPS)
    await put(slack, bot, clock)
    opened = await slack.press(DEE, told(slack, DEE)[0], "asked:hand_over")
    assert opened.view is not None
    slack.fail("users.info", status=500, times=9)
    done = await slack.submit(DEE, opened.view, {"whom": CAI})
    assert "Try again in a moment" in done.errors["whom"]
    assert await state(bot) == "asked"
