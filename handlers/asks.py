"""Questions to people: putting one, and what those who are asked press and write."""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from slack_bolt.context.ack.async_ack import AsyncAck
from slack_bolt.context.async_context import AsyncBoltContext
from slack_sdk.web.async_client import AsyncWebClient

from handlers import ids, payloads
from handlers.blocks.ask_forms import (
    ANONYMOUS,
    BEST,
    CURATORS,
    SHOW,
    URGENT,
    answer_form,
    hand_over_form,
    offer_in,
    put_form,
    told,
)
from handlers.blocks.asks import BUSY
from handlers.blocks.keeping import answered_before
from handlers.blocks.message import Block, Message, message, section
from handlers.blocks.render import members_only, subject_in, subject_value
from handlers.courier import Courier
from handlers.members import person_of
from handlers.payloads import Actor, Press, Said, Submission
from handlers.permissions import Standings, may
from handlers.replies import Clock, Later, answer_press, modal_of, open_modal, opening, show_modal, view_for
from knowledge.answers import Subject, Suggestion
from knowledge.asking import LONGEST_TEXT, Ask, Details, Event, is_named
from knowledge.desk import Desk, Put
from knowledge.guide import Guide, Question
from knowledge.people import MayName, Person
from knowledge.ports import Asks, People

NOT_OPEN = "This question is not with you any more, or it is settled by now. There is nothing left to do."
NOT_DELIVERED = (
    "This question was withdrawn or has ended meanwhile, so your answer was not delivered. Thank you all the same."
)
LOOK_SECONDS = 1.5
NO_COLLEAGUE = "Choose a colleague: not yourself, no app, no guest."
FULL = "This person can't be asked this week. Choose somebody else, or whoever fits best."
TOO_LONG = (
    f"This answer is too long, and was not delivered: {payloads.LONGEST_QUESTION:,} characters are the most there. "
    "Please write it again in parts."
)
ANSWERED = "Your answer is on its way to those who asked."
KEPT = (
    "Whoever asked did so without their name and has an answer already, so I can't write to them any more. "
    "They read this one once they press a button in their message."
)


@dataclass(frozen=True)
class Counter:
    """Hold what every listener about questions needs."""

    desk: Desk
    asks: Asks
    courier: Courier
    guide: Guide
    people: People
    standings: Standings
    later: Later
    now: Clock

    def deliver(self, actor: Actor, ask_id: str) -> None:
        """Write what came of a click right after the answer to it."""
        self.later(self.courier.deliver(actor.workspace, ask_id))


async def open_form(ack: AsyncAck, body: dict[str, Any], client: AsyncWebClient, *, counter: Counter) -> None:
    """Open the form from the button under a suggestion."""
    press = payloads.press(body)
    if not may(await counter.standings.of(client, press.actor), "ask a person"):
        await answer_press(client, press, members_only())
    else:
        offer = offer_in(press.value)
        show = partial(show_modal, client, press) if press.in_modal else opening(client, press.trigger_id)
        await open_modal(client, show, _form(counter, press.actor, offer.subject, offer.people, offer.typed))
    await ack()


async def _form(counter: Counter, actor: Actor, subject: Subject | None, people: tuple[str, ...], typed: str) -> Block:
    named: list[Person] = []
    for user in people:
        profile = await counter.people.profile(actor.workspace, user)
        declared = await counter.people.declaration(actor.workspace, user)
        if declared.is_open and user != actor.user:
            named.append(Person(user, profile.name if profile else "", "active", ()))
    return put_form(named, typed, subject_value(subject) if subject else "")


async def open_for(
    counter: Counter, client: AsyncWebClient, actor: Actor, trigger_id: str, typed: str, may_name: MayName
) -> None:
    """Open the form for a text that was typed: with the people who would be suggested for it."""

    async def build() -> Block:
        if not may(await counter.standings.of(client, actor), "ask a person"):
            return modal_of(members_only(), "Ask a person")
        answer = await counter.guide.ask(
            Question(actor.workspace, f"who knows {typed}", "command", actor.user, may_name=may_name)
        )
        found = answer if isinstance(answer, Suggestion) else None
        people = tuple(person.user for person in (found.people or found.nearest)) if found else ()
        return await _form(counter, actor, found.subject if found else None, people, typed)

    await open_modal(client, opening(client, trigger_id), build())


async def put(
    ack: AsyncAck, body: dict[str, Any], context: AsyncBoltContext, client: AsyncWebClient, *, counter: Counter
) -> None:
    """Take a question, or say in place what is wrong with it; what the team has answered is shown first."""
    form = payloads.submission(body)
    text = form.typed.get(ids.BLOCK_QUESTION, "").strip()
    whom = next(iter(form.chosen.get(ids.BLOCK_WHOM, ())), BEST)
    how = form.chosen.get(ids.BLOCK_HOW, ())
    if not await _may_put(ack, client, counter, form.actor, text):
        return
    entry = await counter.guide.team_answer(form.actor.workspace, text)
    if entry is not None:
        metadata = json.dumps([form.private_metadata, whom, how])
        view = view_for(form.actor, context, counter.guide, counter.now)
        await ack(response_action="update", view=answered_before(entry, view, text, metadata))
        return
    await _put(ack, counter, form, text, form.private_metadata, whom, how)


async def put_anyway(ack: AsyncAck, body: dict[str, Any], client: AsyncWebClient, *, counter: Counter) -> None:
    """Take a question that the team has answered, and that is to be put all the same."""
    form = payloads.submission(body)
    text = form.typed.get(ids.BLOCK_QUESTION, "").strip()
    try:
        subject, whom, how = json.loads(form.private_metadata)
    except (ValueError, TypeError, RecursionError):
        subject, whom, how = "", BEST, ()
    if await _may_put(ack, client, counter, form.actor, text):
        await _put(ack, counter, form, text, subject, str(whom), [one for one in how if isinstance(one, str)])


async def _may_put(ack: AsyncAck, client: AsyncWebClient, counter: Counter, actor: Actor, text: str) -> bool:
    if not text or len(text) > LONGEST_TEXT:
        await ack(response_action="errors", errors={ids.BLOCK_QUESTION: "Please write your question."})
        return False
    if not may(await counter.standings.of(client, actor), "ask a person"):
        await ack(response_action="update", view=modal_of(members_only(), "Ask a person"))
        return False
    return True


async def _put(
    ack: AsyncAck, counter: Counter, form: Submission, text: str, about: str, whom: str, how: Sequence[str]
) -> None:
    actor = form.actor
    subject = subject_in(about) or await counter.guide.sought(actor.workspace, text)
    ask_id = hashlib.sha256(f"{actor.workspace}/{form.view_id}".encode()).hexdigest()[:32]
    done = await counter.desk.put(
        Put(
            workspace=actor.workspace,
            id=ask_id,
            asker=actor.user,
            question=text,
            subject=subject,
            about=counter.guide.in_words(subject),
            whom=None if whom == BEST else whom,
            anonymous=ANONYMOUS in how,
            urgent=URGENT in how,
            to_curators=CURATORS in how,
        )
    )
    if done == "full" and ids.BLOCK_WHOM in form.chosen:
        await ack(response_action="errors", errors={ids.BLOCK_WHOM: FULL})
        return
    if done == "full":
        # After the team's answer there is no field to choose in: the first form comes back.
        await ack(response_action="update", view=put_form([], text, about, how=how, note=FULL))
        return
    counter.deliver(actor, ask_id)
    said = "Your question is on its way. In our direct messages you see how it stands, and get the answer."
    await ack(response_action="update", view=told("Ask a person", said))


async def pressed(ack: AsyncAck, body: dict[str, Any], client: AsyncWebClient, *, counter: Counter) -> None:
    """Take what a person presses who is asked."""
    press = payloads.press(body)
    ask_id, _, rest = press.value.partition(" ")
    ask = await counter.asks.get(press.actor.workspace, ask_id)
    askee = ask.askee(press.actor.user) if ask else None
    what = press.action_id.partition(":")[2]
    if ask is None or askee is None:
        await answer_press(client, press, _said(NOT_OPEN))
    elif what == "drop":
        await answer_press(client, press, _said(await _drop(counter, press.actor, ask)))
    elif ask.ended or (what != "answer" and askee.outcome != "has"):
        await answer_press(client, press, _said(NOT_OPEN))
    elif what in ("answer", "hand_over"):
        metadata = json.dumps([ask.id])
        if what == "hand_over":
            form = hand_over_form(ask, metadata)
        else:
            declared = await counter.people.declaration(ask.workspace, askee.user)
            form = answer_form(ask, is_named(askee, declared), metadata)
        # First of all: the trigger is void after three seconds.
        await client.views_open(trigger_id=press.trigger_id, view=form)
        if what == "answer":
            await _happened(counter, press, ask, "take")
    elif what == "busy":
        hours = int(rest) if rest in {hours for hours, _ in BUSY} else 24
        await _happened(counter, press, ask, "snooze", counter.now() + timedelta(hours=hours))
    else:
        await _happened(counter, press, ask, "decline")
    await ack()


async def _happened(counter: Counter, press: Press, ask: Ask, event: Event, until: datetime | None = None) -> None:
    await counter.desk.happened(ask.workspace, ask.id, event, Details(actor=press.actor.user, until=until))
    counter.deliver(press.actor, ask.id)


async def _drop(counter: Counter, actor: Actor, ask: Ask) -> str:
    """Take what a question was about out of what a person declares: what the button names, and nothing beside it."""
    declared = await counter.people.declaration(actor.workspace, actor.user)
    left = declared.without([counter.guide.named_of(ask.subject)])
    if left == declared:
        return "You don't declare that any more."
    await counter.people.declare(actor.workspace, actor.user, left.roles, left.topics, counter.now())
    return f"Done: you don't declare {ask.about or 'that'} any more. With /genai-role me you can see the rest."


async def answered(ack: AsyncAck, body: dict[str, Any], *, counter: Counter) -> None:
    """Take an answer from the form."""
    form = payloads.submission(body)
    text = form.typed.get(ids.BLOCK_ANSWER, "").strip()
    if not text or len(text) > LONGEST_TEXT:
        await ack(response_action="errors", errors={ids.BLOCK_ANSWER: "Please write your answer."})
        return
    show = SHOW in form.chosen.get(ids.BLOCK_HOW, ())
    done = await _answer(counter, form.actor, ask_in(form), text, form.view_id, show)
    await ack(response_action="update", view=told("Answer", done))


async def _answer(counter: Counter, actor: Actor, ask_id: str, text: str, source: str, show: bool = False) -> str:
    """Take an answer; return what is said to whoever wrote it."""
    details = Details(actor=actor.user, text=text[:LONGEST_TEXT], source=source[:60], show=show)
    done = await counter.desk.happened(actor.workspace, ask_id, "answer", details)
    ask = await counter.asks.get(actor.workspace, ask_id)
    counter.deliver(actor, ask_id)
    if done != "done":
        return NOT_DELIVERED
    return ANSWERED if ask is None or ask.asker is not None else KEPT


async def heard(said: Said, *, counter: Counter) -> Message | None:
    """Take what is written in the thread of a question as its answer; None where the thread is not one of those."""
    if not said.direct or said.thread_ts is None:
        return None
    found = await counter.asks.at_message(said.actor.workspace, said.channel, said.thread_ts)
    if found is None or found[1] != said.actor.user:
        return None
    if said.is_cut:
        return _said(TOO_LONG)
    return _said(await _answer(counter, said.actor, found[0], said.text, said.ts))


async def handed_over(ack: AsyncAck, body: dict[str, Any], client: AsyncWebClient, *, counter: Counter) -> None:
    """Hand a question over to a colleague."""
    form = payloads.submission(body)
    to = next(iter(form.chosen.get(ids.BLOCK_WHOM, ())), "")
    if error := await _why_not_to(client, form.actor, to, counter.now()):
        await ack(response_action="errors", errors={ids.BLOCK_WHOM: error})
        return
    note = form.typed.get(ids.BLOCK_NOTE, "").strip()[:LONGEST_TEXT]
    ask_id = ask_in(form)
    done = await counter.desk.hand_over(form.actor.workspace, ask_id, form.actor.user, to, note)
    counter.deliver(form.actor, ask_id)
    said = "I pass it on. If your colleague can't be asked now, I find somebody else."
    await ack(response_action="update", view=told("Hand over", said if done == "done" else NOT_OPEN))


async def _why_not_to(client: AsyncWebClient, actor: Actor, to: str, now: datetime) -> str:
    """Say why a question can't be handed to somebody; empty where it can. A form waits three seconds at most."""
    if not to or to == actor.user:
        return NO_COLLEAGUE
    try:
        async with asyncio.timeout(LOOK_SECONDS):
            member = await person_of(client, actor.workspace, to, now)
    except TimeoutError:
        member = None
    if member is None:
        return "Slack does not tell me who that is right now. Try again in a moment."
    return "" if member.suggestible else NO_COLLEAGUE


def ask_in(form: Submission) -> str:
    """Return the question that a form is about; empty for what says none."""
    try:
        (ask_id,) = json.loads(form.private_metadata)
    except (ValueError, TypeError, RecursionError):
        return ""
    return ask_id if isinstance(ask_id, str) else ""


def _said(text: str) -> Message:
    return message([text], [section(text)])
