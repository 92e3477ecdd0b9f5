"""Questions in plain words: a mention is answered in its thread, a direct message in place, each once."""

from __future__ import annotations

import re

import pytest
from sqlalchemy import event

from bot.app import Bot
from bot.local import GENERAL, LocalSlack, Message
from bot.slack import MOST_RETRIES
from bot.worker import PUT_BACK_SECONDS
from handlers import ids
from tests.conftest import ANN, BEN, BUSY_SECONDS, CAI, TABLES, Clock, declares, rows, settled, words
from tests.databases import ON_BOTH
from tests.routing import listeners


async def ask(slack: LocalSlack, bot: Bot, text: str, channel: str | None = None, thread: str | None = None) -> Message:
    """Ask as Ann; return the one answer."""
    posted = await slack.say(ANN, text, channel, thread)
    await settled(bot)
    return next(m for m in reversed(slack.messages(posted.channel)) if m.from_bot)


def posts(slack: LocalSlack) -> int:
    return len(slack.called("chat.postMessage")) + len(slack.called("chat.postEphemeral"))


async def test_a_mention_in_a_channel_is_answered_once_in_its_thread(slack: LocalSlack, bot: Bot) -> None:
    posted = await slack.say(ANN, "<@BOT> what does a prompt engineer do?", GENERAL)
    await settled(bot)
    reply = await slack.wait_for_reply(posted)
    assert posts(slack) == 1
    assert (reply.thread_ts, reply.ephemeral_to) == (posted.ts, None)
    assert "*Responsibilities*" in words(reply)
    assert "Source: *Prompt Engineer* (roles/prompt-engineer)" in words(reply)


def test_commands_and_questions_are_what_bolt_tries_first() -> None:
    assert [what for _, what in listeners()[:3]] == [ids.COMMAND, "app_mention", "message"]


@pytest.mark.parametrize("named", [False, True])
async def test_an_answer_to_a_mention_reads_and_writes_what_it_has_to(
    slack: LocalSlack, bot: Bot, monkeypatch: pytest.MonkeyPatch, named: bool
) -> None:
    for kept in ("storage.people.HOLDERS_SECONDS", "storage.team_entries.CHECK_SECONDS"):
        monkeypatch.setattr(kept, BUSY_SECONDS)
    if named:
        await declares(bot, slack, BEN, {"prompt-engineer": "lead"})
    await slack.say(ANN, "<@BOT> what does a prompt engineer do?", GENERAL)
    await settled(bot)
    statements = list[str]()
    event.listen(bot.engine.sync_engine, "before_cursor_execute", lambda *given: statements.append(given[2]))
    await slack.say(ANN, "<@BOT> what does a prompt engineer do?", GENERAL)
    await settled(bot)
    # Written down; who was forgotten meanwhile, and what it was about; done, and who was forgotten meanwhile. The
    # secret, by which it is known again who was named, only where somebody was.
    assert re.findall(r"(?:FROM|INTO|UPDATE) [a-z]+", "\n".join(statements)) == [
        "INTO inbox",
        *["FROM secrets"] * named,
        *["FROM forgettings", "INTO threads"],
        *["UPDATE inbox", "FROM forgettings"],
    ]


async def test_a_mention_in_a_thread_is_answered_in_that_thread(slack: LocalSlack, bot: Bot) -> None:
    root = await slack.say(BEN, "we are hiring", GENERAL)
    reply = await ask(slack, bot, "<@BOT> which skills does a data scientist need?", GENERAL, root.ts)
    assert reply.thread_ts == root.ts
    assert "*Skills*" in words(reply)


async def test_a_direct_message_is_answered_in_place(slack: LocalSlack, bot: Bot) -> None:
    reply = await ask(slack, bot, "give me an example of what a data engineer does")
    assert (reply.channel, reply.thread_ts) == (slack.dm(ANN), None)
    assert "*Example*" in words(reply)


async def test_a_thread_in_a_direct_message_is_answered_in_it(slack: LocalSlack, bot: Bot) -> None:
    root = await slack.say(ANN, "hello")
    reply = await ask(slack, bot, "what is RLHF", None, root.ts)
    assert reply.thread_ts == root.ts


@pytest.mark.parametrize(
    ("asked", "part"),
    [
        ("what does an MLOps engineer do?", "MLOps Engineer"),
        ("which role takes care of model deployment?", "MLOps Engineer"),
        ("what's the difference between a data scientist and a data engineer?", "Data Scientist and Data Engineer"),
        ("what are the best practices?", "Best practices"),
        ("what is the future of these roles?", "trends"),
        ("what is GDPR?", "GDPR"),
    ],
)
async def test_a_question_finds_its_entry(slack: LocalSlack, bot: Bot, asked: str, part: str) -> None:
    reply = await ask(slack, bot, f"<@BOT> {asked}", GENERAL)
    assert part.casefold() in words(reply).casefold()
    assert "Source: " in reply.text


@pytest.mark.parametrize(
    ("text", "begins"),
    [
        ("hi", "Hello!"),
        ("good morning!", "Hello!"),
        ("thanks a lot :pray:", "You're welcome."),
        ("", "I explain the roles"),
        ("   ", "I explain the roles"),
        ("help", "I explain the roles"),
        ("what's the weather like in Oslo?", "I don't know that."),
        ("how much does an MLOps engineer earn?", "I don't"),
    ],
)
@pytest.mark.parametrize("place", ["channel", "dm"])
async def test_what_is_no_question_for_it(slack: LocalSlack, bot: Bot, text: str, begins: str, place: str) -> None:
    said = f"<@BOT> {text}" if place == "channel" else text or "<@BOT>"
    reply = await ask(slack, bot, said, GENERAL if place == "channel" else None)
    assert reply.text.startswith(begins)


@pytest.mark.parametrize(
    ("asked", "whose"),
    [
        ("what is overfitting?", "Model Trainer"),
        ("what is a GAN", "AI Research Scientist"),
        ("explain tokenization", "Machine Learning Engineer"),
        ("why do language models hallucinate?", "AI Quality Assurance"),
        ("what is concept drift?", "MLOps Engineer"),
    ],
)
async def test_a_concept_that_no_entry_explains_is_a_question_for_the_role_whose_field_it_is(
    slack: LocalSlack, bot: Bot, asked: str, whose: str
) -> None:
    reply = await ask(slack, bot, f"<@BOT> {asked}", GENERAL)
    assert reply.text.startswith("I don't have that in my knowledge. It sounds like a question for: " + whose)


@pytest.mark.parametrize("asked", ["what is love?", "what is a haiku", "explain cricket", "what is a mortgage?"])
async def test_what_is_nobodys_field_is_a_question_for_nobody(slack: LocalSlack, bot: Bot, asked: str) -> None:
    assert (await ask(slack, bot, f"<@BOT> {asked}", GENERAL)).text.startswith("I don't know that.")


@pytest.mark.parametrize(
    "asked", ["which roles do I need for a chatbot team of five?", "what mix of people does a voice bot team need?"]
)
async def test_who_should_be_on_a_team_is_answered(slack: LocalSlack, bot: Bot, asked: str) -> None:
    assert "Multidisciplinary teams" in words(await ask(slack, bot, f"<@BOT> {asked}", GENERAL))


# Follow-ups


@pytest.mark.parametrize("place", ["channel", "dm", "dm thread"])
async def test_a_follow_up_keeps_its_subject(slack: LocalSlack, bot: Bot, place: str) -> None:
    await declares(bot, slack, BEN, {"data-engineer": "lead"})
    where, at = (GENERAL, "<@BOT> ") if place == "channel" else (None, "")
    root = await slack.say(CAI if where else ANN, "good morning", where)
    thread = None if place == "dm" else root.ts
    await ask(slack, bot, f"{at}what does a data engineer do?", where, thread)
    skills = await ask(slack, bot, f"{at}and which skills?", where, thread)
    assert "Data Engineer" in words(skills)
    assert "*Skills*" in words(skills)
    who = await ask(slack, bot, f"{at}who does that here?", where, thread)
    assert "Ben Book" in words(who)


@pytest.mark.parametrize(("place", "hours"), [("channel", 24), ("dm", 1)])
async def test_after_its_life_a_conversation_has_no_subject(
    slack: LocalSlack, bot: Bot, clock: Clock, place: str, hours: int
) -> None:
    where, at = (GENERAL, "<@BOT> ") if place == "channel" else (None, "")
    first = await slack.say(ANN, f"{at}what does a data engineer do?", where)
    await settled(bot)
    thread = first.ts if where else None
    clock.move(hours=hours, seconds=-1)
    assert "Data Engineer" in words(await ask(slack, bot, f"{at}and which skills?", where, thread))
    clock.move(hours=hours, seconds=1)
    assert "Data Engineer" not in words(await ask(slack, bot, f"{at}and which skills?", where, thread)).splitlines()[0]


async def test_threads_do_not_share_their_subject(slack: LocalSlack, bot: Bot) -> None:
    await ask(slack, bot, "<@BOT> what does a data engineer do?", GENERAL)
    other = await ask(slack, bot, "<@BOT> and which skills?", GENERAL)
    assert "Data Engineer" not in words(other).splitlines()[0]


@ON_BOTH
@pytest.mark.usefixtures("faults")
@pytest.mark.parametrize("lost", [False, True])
async def test_a_follow_up_that_is_tried_again_is_read_as_at_first(slack: LocalSlack, bot: Bot, lost: bool) -> None:
    """Not against its own answer: "the other one" would be the first again."""
    root = await slack.say(ANN, "<@BOT> compare data scientist and data engineer", GENERAL)
    await settled(bot)
    if lost:
        slack.fail("chat.postMessage", lost=True)
    else:
        slack.fail("chat.postMessage", status=500, times=1 + MOST_RETRIES)
    other = await ask(slack, bot, "<@BOT> what does the other one do?", GENERAL, root.ts)
    assert [row["attempts"] for row in await rows(bot, "inbox", "1 = 1 ORDER BY message_ts")] == [0, 1]
    assert "Source: *Data Engineer*" in words(other)
    # What was read is what is followed up.
    assert "Data Engineer" in words(await ask(slack, bot, "<@BOT> and which skills?", GENERAL, root.ts))


# Once


async def test_the_same_event_twice_is_answered_once(slack: LocalSlack, bot: Bot) -> None:
    event = {"type": "app_mention", "user": ANN, "channel": GENERAL, "ts": "1700000000.000100", "text": "mlops"}
    for _ in range(3):
        delivery = await slack.send_event(event, event_id="Ev0SAME")
        assert delivery.status == 200
        await settled(bot)
    assert posts(slack) == 1


async def test_an_edited_mention_is_answered_once(slack: LocalSlack, bot: Bot) -> None:
    posted = await slack.say(ANN, "<@BOT> what is mlops", GENERAL)
    await settled(bot)
    await slack.edit(posted, "<@BOT> what is a data engineer")
    await settled(bot)
    assert posts(slack) == 1


async def test_an_edit_that_adds_the_mention_is_answered(slack: LocalSlack, bot: Bot) -> None:
    posted = await slack.say(ANN, "what is mlops", GENERAL)
    await settled(bot)
    assert posts(slack) == 0
    await slack.edit(posted, "<@BOT> what is mlops")
    await settled(bot)
    assert posts(slack) == 1


async def test_an_edited_direct_message_is_answered_once(slack: LocalSlack, bot: Bot) -> None:
    posted = await slack.say(ANN, "what is mlops")
    await settled(bot)
    await slack.edit(posted, "what is a data engineer")
    await settled(bot)
    assert posts(slack) == 1


async def test_what_was_said_is_erased_once_it_is_answered(slack: LocalSlack, bot: Bot) -> None:
    await ask(slack, bot, "<@BOT> what is mlops", GENERAL)
    inbox = await rows(bot, "inbox")
    assert [(row["state"], row["body"]) for row in inbox] == [("done", "")]
    assert "what is" not in str(await rows(bot, "threads"))


# Not for it


@pytest.mark.parametrize(
    "more",
    [
        {"bot_id": "B0OTHER"},
        {"subtype": "bot_message", "bot_id": "B0OTHER"},
        {"subtype": "message_changed"},
        {"subtype": "message_deleted"},
        {"subtype": "channel_join"},
        {"user": ""},
        {"user": None},
    ],
)
@pytest.mark.parametrize("kind", ["app_mention", "message"])
async def test_what_no_person_said_is_not_answered(
    slack: LocalSlack, bot: Bot, kind: str, more: dict[str, object]
) -> None:
    where = {"channel": slack.dm(ANN), "channel_type": "im"} if kind == "message" else {"channel": GENERAL}
    event = {"type": kind, "user": ANN, "ts": "1700000000.000100", "text": "mlops", **where, **more}
    assert (await slack.send_event(event)).status == 200
    await settled(bot)
    assert posts(slack) == 0
    assert await rows(bot, "inbox") == []


async def test_a_message_in_a_channel_without_a_mention_is_not_read(slack: LocalSlack, bot: Bot) -> None:
    event = {
        "type": "message",
        "channel_type": "channel",
        "user": ANN,
        "channel": GENERAL,
        "ts": "1.2",
        "text": "mlops",
    }
    assert (await slack.send_event(event)).status == 200
    await settled(bot)
    assert posts(slack) == 0
    assert await rows(bot, "inbox") == []


async def test_a_file_shared_with_a_question_is_answered(slack: LocalSlack, bot: Bot) -> None:
    event = {
        "type": "message",
        "subtype": "file_share",
        "channel_type": "im",
        "user": ANN,
        "channel": slack.dm(ANN),
        "ts": "1700000000.000100",
        "text": "what is mlops",
    }
    await slack.send_event(event)
    await settled(bot)
    assert posts(slack) == 1


async def test_two_bots_do_not_loop(slack: LocalSlack, bot: Bot) -> None:
    slack.workspace.on_bot_dm = slack._echo  # Slack sends a bot its own direct messages as events
    await ask(slack, bot, "what is mlops")
    await settled(bot)
    other = {
        "type": "app_mention",
        "user": "U0ROB000001",
        "bot_id": "B0ROB",
        "channel": GENERAL,
        "ts": "1.1",
        "text": "hi",
    }
    await slack.send_event(other)
    await settled(bot)
    assert posts(slack) == 1


async def test_answers_in_one_conversation_come_in_order(slack: LocalSlack, bot: Bot) -> None:
    for asked in ("what is docker", "what is kubernetes", "what is pytorch", "what is jax"):
        await slack.say(ANN, asked)
    await settled(bot)
    headings = [m.blocks[0]["text"]["text"] for m in slack.messages(slack.dm(ANN)) if m.from_bot]
    assert headings == ["Docker", "Kubernetes", "PyTorch", "JAX"]


# The personal verbs, in plain words


@pytest.mark.parametrize("place", ["channel", "thread", "dm"])
async def test_personal_matters_are_answered_to_the_person_alone(slack: LocalSlack, bot: Bot, place: str) -> None:
    await declares(bot, slack, ANN, {"data-engineer": "lead"}, ("GDPR",))
    where, at = (None, "") if place == "dm" else (GENERAL, "<@BOT> ")
    root = await slack.say(CAI, "good morning everybody", GENERAL) if place == "thread" else None
    thread = root.ts if root else None
    data = await ask(slack, bot, f"{at}my data", where, thread)
    assert (data.ephemeral_to, data.thread_ts) == ((None if place == "dm" else ANN), thread)
    assert "Data Engineer (lead)" in data.text
    assert "GDPR" in data.text
    offer = await ask(slack, bot, f"{at}me", where, thread)
    form = (await slack.press(ANN, offer, "declare_role")).view
    assert form is not None
    assert form.title == "What I do"
    gone = await ask(slack, bot, f"{at}forget me", where, thread)
    assert gone.text.startswith("Done: I deleted everything I kept about you")
    assert (await bot.people.declaration("T0LOCAL0001", ANN)).roles == {}


@pytest.mark.usefixtures("faults")
async def test_while_slack_is_out_of_reach_the_answer_to_forget_me_waits(
    slack: LocalSlack, bot: Bot, clock: Clock
) -> None:
    await declares(bot, slack, ANN, {"data-engineer": "lead"}, ("GDPR",))
    slack.fail("chat.postMessage", status=503, times=100)
    posted = await slack.say(ANN, "forget me")
    await settled(bot)
    (row,) = await rows(bot, "inbox")
    assert (row["state"], row["attempts"], row["user_id"]) == ("claimed", 3, None)
    slack.api.faults.clear()
    clock.move(seconds=PUT_BACK_SECONDS + 1)
    await bot.worker.poll()
    await settled(bot)
    told = [message.text for message in slack.messages(posted.channel) if message.from_bot]
    assert told == ["Done: nothing about you is left to delete."]
    kept = {table: await rows(bot, table) for table in TABLES}
    assert [(row["state"], row["body"]) for row in kept["inbox"]] == [("done", "")]
    assert ANN not in str(kept)
