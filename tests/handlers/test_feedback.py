"""Rating answers: the buttons, what a vote is answered with, and what is kept of it."""

from __future__ import annotations

import json
import logging
from typing import cast

import pytest

from bot.app import Bot
from bot.local import GENERAL, LocalSlack, Message
from bot.local.forms import fields
from knowledge.guide import Guide
from tests.conftest import ANN, BEN, TEAM, Clock, Start, declares, rows, settled, words
from tests.handlers.test_look_up import Unsure

HELPFUL, NOT = "rate_answer:helpful", "rate_answer:not"


async def asked_in(slack: LocalSlack, place: str, text: str) -> Message:
    """Ask by command, in a thread or directly; return the answer."""
    if place == "command":
        shown = (await slack.command(ANN, f"/genai-role {text}")).message
        assert shown is not None
        return shown
    if place == "thread":
        return await slack.wait_for_reply(await slack.say(ANN, f"<@BOT> {text}", GENERAL))
    return await slack.wait_for_reply(await slack.say(ANN, text))


def rating(shown: Message) -> list[str]:
    """Return the action ids of what rates the message."""
    return [field.action_id for field in fields(shown.blocks) if field.action_id.startswith("rate_answer")]


async def vote(slack: LocalSlack, shown: Message, verdict: str, user: str = ANN) -> Message:
    """Press one of the two buttons, whichever form they have; return what it is answered with."""
    if rating(shown) == ["rate_answer"]:
        pressed = await slack.press(
            user, shown, "rate_answer", value="Helpful" if verdict == HELPFUL else "Not helpful"
        )
    else:
        pressed = await slack.press(user, shown, verdict)
    assert pressed.message is not None
    return pressed.message


def votes(bot: Bot, **labels: str) -> float:
    return bot.metrics.registry.get_sample_value("genai_roles_votes_total", labels) or 0.0


async def learned(bot: Bot, clock: Clock) -> list[tuple[str, str]]:
    """Return the questions kept, with whether they had an answer."""
    await settled(bot)
    found = await bot.feedback.since(clock.now().replace(year=2025), clock.now())
    return [("none", entry.text) for entry in found.unanswered] + [("not", entry.text) for entry in found.disliked]


# The buttons


@pytest.mark.parametrize(
    "text",
    [
        "what does an mlops engineer do",
        "what is retrieval-augmented generation",
        "what is pytorch",
        "mlops vs data engineer",
        "pytorch vs tensorflow",
        "who knows mlops",
    ],
)
async def test_an_answer_can_be_rated(slack: LocalSlack, bot: Bot, text: str) -> None:
    # Slack's own buttons in messages that stay, plain ones where only the asker sees the answer.
    assert rating(await asked_in(slack, "command", text)) == [HELPFUL, NOT]
    assert rating(await asked_in(slack, "thread", text)) == ["rate_answer"]
    assert rating(await asked_in(slack, "dm", text)) == ["rate_answer"]


@pytest.mark.parametrize("text", ["help", "hello", "zebracorn blimp"])
async def test_what_is_no_answer_is_not_rated(slack: LocalSlack, bot: Bot, text: str) -> None:
    assert rating(await asked_in(slack, "command", text)) == []


async def test_an_answer_that_is_shared_is_not_rated_by_everybody(slack: LocalSlack, bot: Bot) -> None:
    shown = await asked_in(slack, "command", "mlops")
    shared = (await slack.press(ANN, shown, "share_answer")).message
    assert shared is not None and rating(shared) == []


async def test_buttons_do_not_show_the_question(slack: LocalSlack, bot: Bot) -> None:
    shown = await asked_in(slack, "command", "what does an mlops engineer do about xylophones")
    assert rating(shown)
    assert "xylophon" not in str(shown.blocks)


async def test_where_slack_does_not_know_its_buttons_plain_ones_stand_there(
    slack: LocalSlack, bot: Bot, faults: None
) -> None:
    slack.fail("chat.postMessage", error="invalid_blocks")
    shown = await asked_in(slack, "thread", "what is pytorch")
    (refused,) = slack.refused
    slack.calls.remove(refused)  # made up here: nothing was wrong with it
    assert rating(shown) == [HELPFUL, NOT]
    assert "Who uses it" in words(shown)


# Votes


@pytest.mark.parametrize("place", ["command", "thread", "dm"])
async def test_a_helpful_vote_is_thanked_for_and_counted_once(
    slack: LocalSlack, bot: Bot, clock: Clock, place: str
) -> None:
    shown = await asked_in(slack, place, "what is pytorch")
    for _ in range(2):
        assert (await vote(slack, shown, HELPFUL)).text == "Thank you, noted."
    assert votes(bot, kind="card", verdict="helpful") == 1
    (row,) = await rows(bot, "asked")
    assert (row["verdict"], row["question"]) == ("helpful", ""), "nothing of the question is kept"
    assert await learned(bot, clock) == []


@pytest.mark.parametrize("place", ["command", "thread", "dm"])
async def test_a_vote_against_an_answer_offers_other_entries_and_a_person(
    slack: LocalSlack, bot: Bot, clock: Clock, place: str
) -> None:
    await declares(bot, slack, BEN, {"mlops-engineer": "lead"})
    shown = await asked_in(slack, place, "what is an mlops engineer")
    said = await vote(slack, shown, NOT)
    assert said.ephemeral_to == ANN or said.channel.startswith("D")
    assert said.thread_ts == shown.thread_ts
    assert "Did you mean one of these?" in said.text
    offered = [field for field in fields(said.blocks) if field.action_id.startswith("open_entry")]
    assert 1 <= len(offered) <= 3
    assert "mlops-engineer" not in [field.element["value"] for field in offered]
    person = (await slack.press(ANN, said, "ask_someone")).message
    assert person is not None and "Ben Book" in person.text
    opened = (await slack.press(ANN, said, "open_entry:1")).message
    assert opened is not None and "Source:" in opened.text
    assert await learned(bot, clock) == [("not", "what is an mlops engineer")]
    assert votes(bot, kind="card", verdict="not") == 1


async def test_other_entries_are_none_of_a_comparison_and_the_last_vote_stands(
    slack: LocalSlack, bot: Bot, clock: Clock
) -> None:
    shown = await asked_in(slack, "command", "compare mlops and data engineer")
    said = await vote(slack, shown, NOT)
    offered = {field.element["value"] for field in fields(said.blocks) if field.action_id.startswith("open_entry")}
    assert not offered & {"mlops-engineer", "data-engineer"}
    await vote(slack, shown, HELPFUL)
    assert await learned(bot, clock) == []
    assert (votes(bot, kind="compare", verdict="not"), votes(bot, kind="compare", verdict="helpful")) == (1, 1)


async def test_who_disliked_the_people_is_shown_a_way_to_others(slack: LocalSlack, bot: Bot) -> None:
    await declares(bot, slack, BEN, {"mlops-engineer": "lead"})
    said = await vote(slack, await asked_in(slack, "thread", "who knows about monitoring models"), NOT)
    (ask,) = [field for field in fields(said.blocks) if field.action_id == "ask_someone"]
    shown = [field.element["value"] for field in fields(said.blocks) if field.action_id.startswith("open_entry")]
    assert ask.element["value"] == shown[0]
    assert votes(bot, kind="people", verdict="not") == 1


async def test_anybody_who_sees_an_answer_may_rate_it_and_nobody_is_named(
    slack: LocalSlack, bot: Bot, clock: Clock
) -> None:
    shown = await asked_in(slack, "thread", "what is pytorch")
    assert (await vote(slack, shown, NOT, BEN)).ephemeral_to == BEN
    (row,) = await rows(bot, "asked")
    assert not {ANN, BEN, GENERAL, shown.ts} & set(map(str, row.values()))


@pytest.mark.parametrize("value", ["", "not", "not x", "helpful gAAAAA", "maybe x", "x" * 2000])
async def test_a_value_that_is_not_ours_is_answered_with_a_sentence(slack: LocalSlack, bot: Bot, value: str) -> None:
    shown = await asked_in(slack, "command", "what is pytorch")
    for field in fields(shown.blocks):
        if field.action_id == NOT:
            field.element["value"] = value
    assert (await vote(slack, shown, NOT)).text.startswith("That answer can't be rated any more.")
    assert await rows(bot, "asked") == []


async def test_a_value_from_another_workspace_is_no_vote_here(slack: LocalSlack, bot: Bot) -> None:
    here = await asked_in(slack, "command", "what is pytorch")
    there = (await slack.command(ANN, "/genai-role what is mlflow", fields={"team_id": "T0OTHER0001"})).message
    assert there is not None
    values = {field.action_id: field.element["value"] for field in fields(there.blocks) if field.action_id == NOT}
    for field in fields(here.blocks):
        field.element.update({"value": values[NOT]} if field.action_id == NOT else {})
    told = await vote(slack, here, NOT)
    assert told.text.startswith("That answer can't be rated any more.") and "MLflow" not in words(told)
    assert await rows(bot, "asked") == []


async def test_a_vote_that_can_not_be_kept_ends_in_an_apology(slack: LocalSlack, bot: Bot, faults: None) -> None:
    shown = await asked_in(slack, "command", "what is pytorch")
    async with bot.engine.begin() as connection:
        await connection.exec_driver_sql("ALTER TABLE asked RENAME TO gone")
    assert "something went wrong" in (await vote(slack, shown, HELPFUL)).text
    assert votes(bot, kind="card", verdict="helpful") == 0


async def test_an_answer_can_be_rated_after_a_restart(slack: LocalSlack, start: Start, clock: Clock) -> None:
    async with start():
        shown = await asked_in(slack, "command", "what is pytorch")
    clock.move(days=3)
    async with start() as bot:
        await vote(slack, shown, NOT)
        assert await learned(bot, clock) == [("not", "what is pytorch")]


# Questions without an answer


@pytest.mark.parametrize("place", ["command", "thread", "dm"])
async def test_a_question_without_an_answer_is_kept_without_who_asked(
    slack: LocalSlack, bot: Bot, clock: Clock, place: str
) -> None:
    await asked_in(slack, place, f"zebracorns <@{BEN}> +49 30 1234567")
    assert await learned(bot, clock) == [("none", "zebracorns …")]
    (row,) = await rows(bot, "asked")
    assert row["verdict"] is None
    assert "zebracorn" not in str(row)
    assert not {ANN, BEN, GENERAL} & set(map(str, row.values()))


async def test_a_question_that_was_not_sure_is_kept_with_what_was_offered(
    slack: LocalSlack, start: Start, clock: Clock
) -> None:
    make = start.make_guide
    start.make_guide = lambda *ports: cast(Guide, Unsure(make(*ports)))
    async with start() as bot:
        assert rating(await asked_in(slack, "command", "something vague")) == []
        assert await learned(bot, clock) == [("none", "something vague")]
        (row,) = await rows(bot, "asked")
    assert row["kind"] == "suggestions"
    assert json.loads(row["entries"]) == ["data-scientist", "ai-qa-specialist", "pytorch"]


@pytest.mark.parametrize("text", ["mlops", "hello", "help", "who", "me", "my data", "forget me"])
async def test_nothing_is_kept_of_what_was_answered(slack: LocalSlack, bot: Bot, text: str) -> None:
    await slack.command(ANN, f"/genai-role {text}")
    await settled(bot)
    assert await rows(bot, "asked") == []


async def test_nothing_is_kept_of_a_message_that_somebody_else_wrote(slack: LocalSlack, bot: Bot) -> None:
    posted = await slack.say(BEN, "lunch is zebracorn", GENERAL)
    await slack.message_shortcut(ANN, "find_who_can_help", posted)
    await settled(bot)
    assert await rows(bot, "asked") == []


async def test_what_is_kept_ends_after_thirty_days(slack: LocalSlack, bot: Bot, clock: Clock) -> None:
    await asked_in(slack, "command", "zebracorns")
    await settled(bot)
    clock.move(days=29)
    await bot.worker.sweep()
    assert len(await rows(bot, "asked")) == 1
    clock.move(days=1)
    await bot.worker.sweep()
    assert await rows(bot, "asked") == []


async def test_my_data_says_so_and_an_uninstall_deletes_it(slack: LocalSlack, bot: Bot) -> None:
    await asked_in(slack, "command", "zebracorns")
    assert "Questions that I could not answer" in (await slack.command(ANN, "/genai-role my data")).text
    await settled(bot)
    await bot.people.forget_workspace(TEAM)
    assert await rows(bot, "asked") == []


async def test_no_question_stands_in_the_log(slack: LocalSlack, bot: Bot, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    await asked_in(slack, "command", "zebracorns")
    await vote(slack, await asked_in(slack, "thread", "what does an mlops engineer do about xylophones"), NOT)
    await settled(bot)
    assert "zebracorn" not in caplog.text and "xylophon" not in caplog.text
