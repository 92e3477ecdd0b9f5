"""What becomes of a question on the asker's side: withdrawn, solved, asked back; and the lists of open questions."""

from __future__ import annotations

import json
import re
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime
from typing import Any

from slack_bolt.context.ack.async_ack import AsyncAck
from slack_sdk.web.async_client import AsyncWebClient

from handlers import ids, payloads
from handlers.asks import Counter
from handlers.blocks.ask_forms import back_form, told
from handlers.blocks.message import Block, Message, cut, escape, header, message, section
from handlers.blocks.message import context as small_print
from handlers.payloads import Actor, Press, Said
from handlers.permissions import Standing, may
from handlers.replies import answer_press
from knowledge.asking import LONGEST_TEXT, Ask, Asker, Details, Event, Unanswered
from knowledge.people import MOST_PEOPLE, Person, choose
from knowledge.ports import Asks, People

NOTHING_LEFT = "That is not possible any more: the message above shows how your question stands."
PASSED_ON = "I pass it on to whoever answered."
NOT_YET = "I can't pass this on now: your question waits for an answer. Once there is one, you can ask back here."
STATES = {
    "seeking": "looking for somebody",
    "asked": "with a colleague",
    "reminded": "with a colleague, reminded",
    "handed_over": "handed over to a colleague",
    "taken": "a colleague is writing an answer",
    "snoozed": "with a colleague who is busy now",
    "asked_back": "your further question is with a colleague",
    "nobody": "nobody yet",
    "answered": "answered: is it solved?",
}
OLDER = (
    "This button is older than the key that I use now. Nothing is lost: your question goes on. "
    "If you need something else, ask again with `/genai-role ask someone about …`."
)
MOST_SHOWN = 5
MOST_TEXTS = 3
_ASK_SOMEONE = re.compile(
    r"(?:please |can you |could you )?ask (?:someone|somebody|anyone|anybody|a colleague|a person|an expert)"
    r"(?: here| for me)?(?:\s+about\b)?[\s:,]*(.*)",
    re.IGNORECASE | re.DOTALL,
)


def ask_someone_in(text: str) -> str | None:
    """Return the question in "ask someone about …"; None for every other text."""
    found = _ASK_SOMEONE.fullmatch(re.sub(r"<@[^>]*>", " ", text).strip())
    return found[1].strip() if found else None


async def pressed(ack: AsyncAck, body: dict[str, Any], client: AsyncWebClient, *, counter: Counter) -> None:
    """Take what the asker presses."""
    press = payloads.press(body)
    ask_id = counter.asks.opened(press.actor.workspace, press.value)
    ask = await counter.asks.get(press.actor.workspace, ask_id) if ask_id else None
    what = press.action_id.partition(":")[2]
    if ask_id is None:
        await answer_press(client, press, message([OLDER], [section(OLDER)]))
    elif ask is None or not is_askers(ask, press.actor):
        await answer_press(client, press, message([NOTHING_LEFT], [section(NOTHING_LEFT)]))
    elif what == "back" and ask.state == "answered":
        place = [press.value, press.channel or "", press.message_ts or ""]
        await client.views_open(trigger_id=press.trigger_id, view=back_form(ask, json.dumps(place)))
    else:
        events: dict[str, Event] = {"withdraw": "withdraw", "solved": "solve", "curators": "consent"}
        event = events.get(what)
        details = Details(actor=press.actor.user, asker=asker_of(press.actor, press))
        if event is None or await counter.desk.happened(ask.workspace, ask.id, event, details) != "done":
            await answer_press(client, press, message([NOTHING_LEFT], [section(NOTHING_LEFT)]))
        counter.deliver(press.actor, ask.id)
    await ack()


def is_askers(ask: Ask, actor: Actor) -> bool:
    """Tell whether whoever holds the token is the asker, as far as it is still known who that is."""
    return ask.asker is None or ask.asker.user == actor.user


def asker_of(actor: Actor, press: Press) -> Asker:
    """Return where the message stands that was pressed in."""
    return Asker(actor.user, press.channel or "", press.message_ts or "")


async def asked_back(ack: AsyncAck, body: dict[str, Any], *, counter: Counter) -> None:
    """Take what the asker asks back."""
    form = payloads.submission(body)
    text = form.typed.get(ids.BLOCK_QUESTION, "").strip()[:LONGEST_TEXT]
    if not text:
        await ack(response_action="errors", errors={ids.BLOCK_QUESTION: "Please write what is still open."})
        return
    try:
        token, channel, ts = map(str, json.loads(form.private_metadata))
        ask_id = counter.asks.opened(form.actor.workspace, token)
    except (ValueError, TypeError):
        ask_id = None
    ask = await counter.asks.get(form.actor.workspace, ask_id) if ask_id else None
    done = "nothing"
    if ask is not None and is_askers(ask, form.actor):
        details = Details(actor=form.actor.user, text=text, asker=Asker(form.actor.user, channel[:32], ts[:32]))
        done = await counter.desk.happened(ask.workspace, ask.id, "ask_back", details)
        counter.deliver(form.actor, ask.id)
    said = PASSED_ON if done == "done" else NOTHING_LEFT
    await ack(response_action="update", view=told("Ask back", said))


async def heard(said: Said, *, counter: Counter) -> Message | None:
    """Take what the asker writes in the thread of their question as asked back; None where it is no such thread."""
    if not said.direct or said.thread_ts is None:
        return None
    for ask in await counter.asks.of_asker(said.actor.workspace, said.actor.user):
        if ask.asker is None or (ask.asker.channel, ask.asker.ts) != (said.channel, said.thread_ts):
            continue
        if len(said.text) > LONGEST_TEXT:
            text = f"That is too long to be passed on: at most {LONGEST_TEXT:,} characters."
        else:
            details = Details(actor=said.actor.user, text=said.text, asker=ask.asker)
            done = await counter.desk.happened(ask.workspace, ask.id, "ask_back", details)
            counter.deliver(said.actor, ask.id)
            text = PASSED_ON if done == "done" else NOT_YET
        return message([text], [section(text)])
    return None


async def open_questions(asks: Asks, actor: Actor) -> list[Block]:
    """Return the section of the Home tab: what the person asked, and what they are asked."""
    mine = await asks.of_asker(actor.workspace, actor.user)
    theirs = await asks.of_person(actor.workspace, actor.user)
    blocks = [header("My open questions")]
    if not mine and not theirs:
        blocks.append(
            section("Nothing is open. To put a question to a person, type `/genai-role ask someone about …`.")
        )
        return blocks
    if mine:
        lines = [f"• {_short(ask)} – {STATES[ask.state]}" for ask in mine[:MOST_SHOWN]]
        blocks.append(section("*I asked*\n" + "\n".join(lines)))
    if theirs:
        blocks.append(section("*I am asked*\n" + "\n".join(f"• {_short(ask)}" for ask in theirs[:MOST_SHOWN])))
    blocks.append(small_print("The messages about them are in our direct messages."))
    return blocks


def _short(ask: Ask) -> str:
    return escape(cut(" ".join(ask.question.split()), 120))


async def unanswered(
    asks: Asks,
    people: People,
    look_up: Callable[[Sequence[str]], Awaitable[bool]],
    actor: Actor,
    standing: Standing,
    now: datetime,
) -> Message:
    """Show a curator what had no answer, by subject, with who could learn it."""
    if not may(standing, "curate entries"):
        text = "This list is for curators."
        return message([text], [section(text)])
    found = await asks.unanswered(actor.workspace)
    if not found:
        text = "No question to a person is without an answer now."
        return message([text], [section(text)])
    found = found[:10]
    learning = await _learning(people, actor.workspace, found, now)
    while await look_up([person.user for learners in learning for person in learners]):
        learning = await _learning(people, actor.workspace, found, now)
    lines, blocks = ["Questions that nobody could answer:"], [header("Questions that nobody could answer")]
    for one, learners in zip(found, learning, strict=True):
        times = "1 question" if one.count == 1 else f"{one.count} questions"
        said = [f"{one.about or 'Something else'}: {times}."]
        if learners:
            said.append("Learning it: " + ", ".join(person.name or person.user for person in learners) + ".")
        said += [f"“{cut(' '.join(text.split()), 200)}”" for text in one.texts[:MOST_TEXTS]]
        lines += said
        blocks.append(section(f"*{escape(said[0])}*\n" + "\n".join(escape(line) for line in said[1:])))
    note = "Words are shown only where whoever asked agreed. Who asked is not."
    return message([*lines, note], [*blocks, small_print(note)])


async def _learning(
    people: People, workspace: str, found: Sequence[Unanswered], now: datetime
) -> Sequence[Sequence[Person]]:
    """Return, for each subject, who declared that they learn it."""
    learning: list[Sequence[Person]] = []
    for one in found:
        roles, topics = one.subject.roles, (*one.subject.topics, *one.subject.tools)
        rows = await people.candidates(workspace, topics=topics, roles=roles, without=None, now=now)
        learning.append(choose([row for row in rows if row.level == "learning"], topics, roles, MOST_PEOPLE))
    return learning
