"""Keeping an answer: what both sides press and write about it, each in their own direct message."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from slack_bolt.context.ack.async_ack import AsyncAck
from slack_sdk.web.async_client import AsyncWebClient

from handlers import ids, payloads
from handlers.ask_follow_up import asker_of, is_askers
from handlers.asks import Counter, ask_in
from handlers.blocks.ask_forms import SHOW, told
from handlers.blocks.keeping import keep_form
from handlers.blocks.message import message, section
from handlers.blocks.render import members_only
from handlers.members import person_of
from handlers.payloads import Actor, Press
from handlers.permissions import may
from handlers.replies import answer_press
from knowledge.asking import Ask
from knowledge.keeping import Consent, Keeping, Keepings, may_be_named, own_words
from knowledge.team import LONGEST_ANSWER, TEAM_ID

NAME_SECONDS = 1.5
NO_NAME = "Slack does not tell me your name right now. Try again in a moment, or leave this unticked."
LATE = "That is settled by now: a curator has decided, or it was taken back. What is published, a curator can retire."
AGREED = "It is kept once whoever asked agrees too, and a curator has looked at it."


@dataclass(frozen=True)
class Keeper:
    """Hold what every listener about keeping needs."""

    counter: Counter
    keepings: Keepings

    async def says(self, actor: Actor, ask_id: str, consent: Consent) -> Keeping | None:
        """Note what one side says, and have the messages of both drawn anew."""
        topics = await self._topics(actor.workspace, ask_id)
        now = self.counter.now()
        kept = await self.keepings.says(actor.workspace, ask_id, consent, topics, now)
        self.counter.deliver(actor, ask_id)
        return kept

    async def _topics(self, workspace: str, ask_id: str) -> tuple[str, ...]:
        """Return what a question is about in words: names of entries, else as whoever answered declared it."""
        ask = await self.counter.asks.get(workspace, ask_id)
        if ask is None or ask.answerer is None:
            return ()
        declared = (await self.counter.people.declaration(workspace, ask.answerer.user)).topics
        catalog = self.counter.guide.catalog
        keys = [key for key in (*ask.subject.topics, *ask.subject.tools) if not key.startswith(TEAM_ID)]
        return tuple(
            dict.fromkeys(entry.name if (entry := catalog.entry(key)) else declared.get(key, key) for key in keys)
        )


async def pressed(ack: AsyncAck, body: dict[str, Any], client: AsyncWebClient, *, keeper: Keeper) -> None:
    """Take what somebody presses who is asked whether it may be kept."""
    press = payloads.press(body)
    what = press.action_id.partition(":")[2]
    if what in ("yes", "form") and not may(await keeper.counter.standings.of(client, press.actor), "propose entries"):
        await answer_press(client, press, members_only())
    elif what == "form":
        await _open_form(client, press, keeper)
    else:
        consent = await _consent(press, keeper, what)
        kept = await keeper.says(press.actor, consent[0], consent[1]) if consent else None
        if kept is None or kept.says(consent[1].side if consent else "asker") != ("yes" if what == "yes" else "no"):
            await answer_press(client, press, message([LATE], [section(LATE)]))
    await ack()


async def _consent(press: Press, keeper: Keeper, what: str) -> tuple[str, Consent] | None:
    """Return the question, and what is said about it by whom; None where it is not theirs to say."""
    actor = press.actor
    if what == "not":
        kept = await keeper.keepings.of(actor.workspace, press.value)
        ask = await keeper.counter.asks.get(actor.workspace, press.value)
        theirs = kept.user if kept else ask.answerer.user if ask and ask.answerer else ""
        return (press.value, Consent("answerer", yes=False)) if theirs == actor.user else None
    ask_id = keeper.counter.asks.opened(actor.workspace, press.value)
    ask = await keeper.counter.asks.get(actor.workspace, ask_id) if ask_id else None
    if ask_id is None or (ask is not None and not is_askers(ask, actor)):
        return None
    return ask_id, Consent("asker", yes=what == "yes", asker=asker_of(actor, press))


async def _open_form(client: AsyncWebClient, press: Press, keeper: Keeper) -> None:
    ask = await keeper.counter.asks.get(press.actor.workspace, press.value)
    kept = await keeper.keepings.of(press.actor.workspace, press.value)
    if ask is None or not _may_still(ask, kept, press.actor):
        await answer_press(client, press, message([LATE], [section(LATE)]))
        return
    named = await _may_be_named(keeper, ask, press.actor)
    metadata = f'["{ask.id}"]'
    form = keep_form(ask, own_words(ask), metadata, may_be_named=named)
    await client.views_open(trigger_id=press.trigger_id, view=form)


def _may_still(ask: Ask, kept: Keeping | None, actor: Actor) -> bool:
    theirs = ask.state == "solved" and ask.answerer is not None and ask.answerer.user == actor.user
    return theirs and (kept is None or (kept.outcome == "open" and not kept.answerer_says))


async def _may_be_named(keeper: Keeper, ask: Ask, actor: Actor) -> bool:
    declared = await keeper.counter.people.declaration(actor.workspace, actor.user)
    return may_be_named(ask, actor.user, declared.terms)


async def agreed(ack: AsyncAck, body: dict[str, Any], client: AsyncWebClient, *, keeper: Keeper) -> None:
    """Take the answer as it is to be kept, which is the consent of whoever gave it."""
    form = payloads.submission(body)
    actor, text = form.actor, form.typed.get(ids.BLOCK_ANSWER, "").strip()
    if not text or len(text) > LONGEST_ANSWER:
        await ack(response_action="errors", errors={ids.BLOCK_ANSWER: "Please write the answer that is to be kept."})
        return
    if not may(await keeper.counter.standings.of(client, actor), "propose entries"):
        await ack(response_action="update", view=told("Keep for your team", members_only().text))
        return
    ask = await keeper.counter.asks.get(actor.workspace, ask_in(form))
    kept = await keeper.keepings.of(actor.workspace, ask_in(form))
    if ask is None or not _may_still(ask, kept, actor):
        await ack(response_action="update", view=told("Keep for your team", LATE))
        return
    name = ""
    if SHOW in form.chosen.get(ids.BLOCK_HOW, ()) and await _may_be_named(keeper, ask, actor):
        name = await name_of(client, actor.workspace, actor.user, keeper.counter.now())
        if not name:
            await ack(response_action="errors", errors={ids.BLOCK_HOW: NO_NAME})
            return
    after = await keeper.says(actor, ask.id, Consent("answerer", yes=True, answer=text, shown_author=name))
    said = AGREED if after is not None and after.answerer_says == "yes" else LATE
    await ack(response_action="update", view=told("Keep for your team", said))


async def name_of(client: AsyncWebClient, workspace: str, user: str, now: datetime) -> str:
    """Ask Slack for the person's name; empty where it does not say in time: a form waits three seconds at most."""
    try:
        async with asyncio.timeout(NAME_SECONDS):
            profile = await person_of(client, workspace, user, now)
    except TimeoutError:
        return ""
    return profile.name[:200] if profile else ""
