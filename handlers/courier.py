"""Writes what is to be written about questions, at Slack's pace, and to people when they may be written to."""

from __future__ import annotations

import asyncio
import logging
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from handlers.blocks.asks import (
    Names,
    answer_note,
    asker_card,
    blanked,
    further_note,
    note_to_asker,
    person_card,
    reminder,
)
from handlers.blocks.keeping import with_keeping
from handlers.blocks.message import Message
from handlers.blocks.people import View
from handlers.errors import code_of, out_of_reach, perhaps_posted, token_is_void
from handlers.limits import wait_to_post
from handlers.members import FRESH, person_of
from handlers.replies import ClientOf, Clock
from knowledge.asking import (
    Ask,
    Askee,
    Asker,
    DueDelivery,
    author_of,
    is_meant,
    is_named,
    may_write,
    patience_ends,
    when_to_write,
)
from knowledge.desk import Desk, RulesOf
from knowledge.keeping import Keepings
from knowledge.models import Role
from knowledge.people import LEVELS, Declaration, Member, Person, Reason
from knowledge.ports import Asks, Deliveries, People

RUN_SECONDS = 2.0
"""How often it is looked what is due."""
MOST_AT_ONCE = 8
MOST_DUE = 100
TRY_AGAIN = timedelta(minutes=1)
NO_CLIENT = timedelta(minutes=15)
CALL_ENDS = timedelta(minutes=2)
"""So long one call to Slack may take, with its retries: what is not ours for so long any more is not begun."""
MOST_REFUSALS = 3
"""So often Slack may refuse a message before it is given up."""
MOST_UNSURE = 6
"""So often a message is posted of which nobody knows whether it was taken; the pauses double, half an hour in all."""
GONE = frozenset(
    {"message_not_found", "thread_not_found", "channel_not_found", "cant_update_message", "edit_window_closed"}
)
"""What Slack says of a message that is deleted, or can't be changed any more."""
MOST_NAMES = 5_000
Sleep = Callable[[float], Awaitable[None]]
logger = logging.getLogger(__name__)


class PerhapsPosted(Exception):
    """Report a post of which nobody knows whether Slack took it."""


class Courier:
    """Carry messages between those who ask and those who are asked."""

    def __init__(
        self,
        deliveries: Deliveries,
        asks: Asks,
        desk: Desk,
        keepings: Keepings,
        people: People,
        rules: RulesOf,
        roles: Mapping[str, Role],
        client_of: ClientOf,
        now: Clock,
        sleep: Sleep,
    ) -> None:
        self._deliveries = deliveries
        self._asks = asks
        self._desk = desk
        self._keepings = keepings
        self._people = people
        self._rules = rules
        self._roles = roles
        self._client_of = client_of
        self._now = now
        self._sleep = sleep
        self._members: OrderedDict[tuple[str, str], tuple[datetime, Member]] = OrderedDict()

    async def run(self) -> None:
        """Do what is due by itself, then write what may be written now."""
        self._drop_old_names()
        while await self._desk.run(MOST_DUE) == MOST_DUE:
            # What came together, as after an outage, is taken first: writing about it has a pace of its own.
            pass
        at_once = asyncio.Semaphore(MOST_AT_ONCE)

        async def one(workspace: str) -> None:
            async with at_once:
                await self.deliver(workspace)

        done = await asyncio.gather(
            *(one(workspace) for workspace in await self._deliveries.waiting(self._now())), return_exceptions=True
        )
        for error in done:
            if isinstance(error, BaseException):
                logger.error("messages about questions could not be written; they are tried again", exc_info=error)

    async def deliver(self, workspace: str, ask_id: str | None = None) -> None:
        """Write what may be written in a workspace now; about one question alone where it is named."""
        client = await self._client_of(workspace)
        if client is None:
            # Or those that nothing can be written to would stand before all others for ever.
            await self._deliveries.rest(workspace, self._now() + NO_CLIENT)
            return
        claimed = await self._deliveries.claim(workspace, self._now(), ask_id)
        # The asker's message comes first: answers go into its thread.
        for due in sorted(claimed, key=lambda one: (one.at, one.what.kind != "draw asker")):
            wait = (due.at - self._now()).total_seconds()
            if wait > 0:
                await self._sleep(wait)
            await self._carry(client, due)

    async def _carry(self, client: AsyncWebClient, due: DueDelivery) -> None:
        if self._now() > due.until - CALL_ENDS:
            # Slack was slow with those before it: begun now, it could be another process's before it is noted.
            await self._deliveries.put_off(due, self._now(), counted=False)
            return
        ask = await self._asks.get(due.workspace, due.ask_id)
        if ask is None:
            # Erased, with all that is to be written; or its key is not ours, and a process that has it writes.
            await self._deliveries.put_off(due, self._now() + TRY_AGAIN, counted=False)
            return
        try:
            await self._write(client, due, ask)
        except PerhapsPosted as unsure:
            await self._write_again(due, str(unsure))
        except Exception as error:
            logger.warning("a message about a question could not be written: %s", _name(error))
            if token_is_void(error):
                await self._deliveries.put_off(due, self._now() + NO_CLIENT, counted=False)
            elif not isinstance(error, SlackApiError) or out_of_reach(error):
                await self._deliveries.put_off(due, self._now() + TRY_AGAIN, counted=False)
            elif due.attempts < MOST_REFUSALS:
                await self._deliveries.put_off(due, self._now() + TRY_AGAIN, counted=True)
            else:
                await self._give_up(due)

    async def _write_again(self, due: DueDelivery, why: str) -> None:
        """Write once more what was perhaps written: a question or an answer may come twice, rather than never."""
        logger.warning("a message about a question was perhaps written: %s", why)
        if due.attempts < MOST_UNSURE:
            pause = TRY_AGAIN * 2 ** (due.attempts - 1)
            await self._deliveries.put_off(due, self._now() + pause, counted=True)
            return
        logger.error(
            "question %s: it is not known whether a message was written, after %s posts", due.ask_id, MOST_UNSURE
        )
        await self._give_up(due)

    async def _give_up(self, due: DueDelivery) -> None:
        await self._deliveries.sent(due, self._now())
        if due.what.kind in ("ask", "remind", "deliver question") and due.what.user:
            # Whoever can't be written to can't answer: the next person is asked.
            await self._desk.happened(due.workspace, due.ask_id, "left")

    async def _write(self, client: AsyncWebClient, due: DueDelivery, ask: Ask) -> None:
        match due.what.kind:
            case "draw asker":
                await self._draw_asker(client, due, ask)
            case "tell asker" | "deliver answer":
                await self._reply_to_asker(client, due, ask)
            case "draw person":
                await self._draw_person(client, due, ask)
            case "ask" | "remind" | "deliver question":
                await self._write_to_person(client, due, ask)

    async def _draw_asker(self, client: AsyncWebClient, due: DueDelivery, ask: Ask) -> None:
        place = None
        if ask.asker is not None:
            rules = await self._rules(ask.workspace)
            token = self._asks.seal(ask.workspace, ask.id)
            card = asker_card(
                ask,
                await self._names(client, ask, for_asker=True),
                self._view(ask),
                token,
                curators=bool(rules.curators),
                reminds=rules.starts_messages,
            )
            if ask.state == "solved" and ask.answerer is not None:
                card = with_keeping(card, await self._keepings.of(ask.workspace, ask.id), "asker", token)
            if not ask.asker.ts or not await _redrawn(client, ask.asker, card):
                place = await _post(client, ask.asker.user, card)
        await self._deliveries.sent(due, self._now(), place=place)

    async def _reply_to_asker(self, client: AsyncWebClient, due: DueDelivery, ask: Ask) -> None:
        place: tuple[str, str] | None = None
        if ask.asker is not None and due.what.ts:
            await _blank(client, ask.asker.channel, due)
        elif ask.asker is not None and due.what.text:
            if due.what.kind == "deliver answer":
                author = await self._askee(client, ask, author_of(ask, due.what.text))
                shown = answer_note(due.what.text, Names(None, author), self._view(ask))
            else:
                shown = note_to_asker(due.what.text)
                if not await self._may_write(client, due, ask.asker.user, urgent=False):
                    return
            place = await _reply(client, ask.asker, shown)
        await self._deliveries.sent(due, self._now(), place=place)

    async def _draw_person(self, client: AsyncWebClient, due: DueDelivery, ask: Ask) -> None:
        askee = ask.askee(due.what.user or "")
        # What was not posted yet is drawn right when it is.
        if askee is not None and askee.ts:
            await _redraw(client, askee.channel, askee.ts, await self._card(client, ask, askee))
        await self._deliveries.sent(due, self._now())

    async def _write_to_person(self, client: AsyncWebClient, due: DueDelivery, ask: Ask) -> None:
        if due.what.ts:
            there = ask.askee(due.what.user or "")
            if there is not None:
                await _blank(client, there.channel, due)
            await self._deliveries.sent(due, self._now())
            return
        askee = ask.holder
        if askee is None or not is_meant(ask, due.what) or (due.what.kind == "ask" and askee.ts):
            # Withdrawn, answered or passed on meanwhile; or written by a process that was late to note it.
            await self._deliveries.sent(due, self._now())
            return
        member = await self._member(client, ask.workspace, askee.user)
        if member is not None and not member.suggestible:
            await self._deliveries.sent(due, self._now())
            await self._desk.happened(ask.workspace, ask.id, "left")
            return
        if not await self._may_write(client, due, askee.user, urgent=ask.urgent):
            return
        place: tuple[str, str] | None = None
        card = await self._card(client, ask, askee) if due.what.kind == "ask" else None
        begins = (await self._rules(ask.workspace)).starts_messages
        # Looked at once more, right before: the look-ups took their time.
        now = await self._asks.get(ask.workspace, ask.id)
        if now is None or not is_meant(now, due.what):
            await self._deliveries.sent(due, self._now())
            return
        if card is not None:
            place = await _post(client, askee.user, card)
        elif due.what.kind == "deliver question":
            place = await _reply(client, askee, further_note(ask))
        elif begins or due.what.text == "snoozed":
            # Whoever pressed "ask me again" began this themselves.
            await self._remind(client, askee, reminder(due.what.text))
        sent = self._now()
        patience = patience_ends(sent, member.tz if member else "", ask.urgent)
        await self._deliveries.sent(due, sent, place=place, patience=patience, version=ask.version)

    async def _remind(self, client: AsyncWebClient, askee: Askee, shown: Message) -> None:
        try:
            await _reply(client, askee, shown)
        except PerhapsPosted as unsure:
            # The one message here that nobody waits for: there is one reminder, and the question stands above it.
            logger.warning("a reminder was perhaps written, and is not written again: %s", unsure)

    async def _may_write(self, client: AsyncWebClient, due: DueDelivery, user: str, *, urgent: bool) -> bool:
        """Tell whether a person may be written to now; if not, it is put off until they may."""
        member, now = await self._member(client, due.workspace, user), self._now()
        tz = member.tz if member else ""
        if may_write(now, tz, urgent):
            return True
        await self._deliveries.put_off(due, when_to_write(now, tz, urgent), counted=False)
        return False

    async def _card(self, client: AsyncWebClient, ask: Ask, askee: Askee) -> Message:
        names = await self._names(client, ask, for_asker=False)
        declared = await self._people.declaration(ask.workspace, askee.user)
        reasons = self._reasons(ask, declared)
        card = person_card(ask, askee, names, self._view(ask), reasons, named=is_named(askee, declared))
        if ask.state != "solved" or askee is not ask.answerer:
            return card
        return with_keeping(card, await self._keepings.of(ask.workspace, ask.id), "answerer", ask.id)

    def _view(self, ask: Ask) -> View:
        return View(self._now(), self._roles, ask.workspace)

    async def _names(self, client: AsyncWebClient, ask: Ask, *, for_asker: bool) -> Names:
        """Say who may be named now: to the asker who lets them, to others the asker who is not anonymous."""
        person = ask.holder or ask.answerer
        before = next((one for one in reversed(ask.people) if one.outcome == "handed_over"), None)
        return Names(
            None if ask.anonymous or ask.asker is None else await self._named(client, ask, ask.asker.user),
            await self._askee(client, ask, person) if for_asker else None,
            await self._askee(client, ask, before) if not for_asker else None,
        )

    async def _askee(self, client: AsyncWebClient, ask: Ask, askee: Askee | None) -> Person | None:
        if askee is None or not (askee.shown or askee.says_name):
            return None
        # The name first, which Slack is asked for: what is decided by is of the moment right before it is shown.
        person = await self._named(client, ask, askee.user)
        declared = await self._people.declaration(ask.workspace, askee.user)
        return person if is_named(askee, declared) else None

    async def _named(self, client: AsyncWebClient, ask: Ask, user: str) -> Person:
        member = await self._member(client, ask.workspace, user)
        return Person(user, member.name if member else "", "active", ())

    def _reasons(self, ask: Ask, declared: Declaration) -> Sequence[Reason]:
        confirmed = declared.confirmed or self._now()
        topics = [key for key in (*ask.subject.topics, *ask.subject.tools) if key in declared.topics]
        found = [Reason("topic", key, declared.topics[key], None, confirmed) for key in topics]
        roles = [role for role in ask.subject.roles if role in declared.roles]
        roles.sort(key=lambda role: LEVELS.index(declared.roles[role]))
        return [*found, *(Reason("role", role, "", declared.roles[role], confirmed) for role in roles)]

    def _drop_old_names(self) -> None:
        """Keep nobody's name for longer than it is used: those that came first are the oldest."""
        while self._members and self._now() - next(iter(self._members.values()))[0] >= FRESH:
            self._members.popitem(last=False)

    async def _member(self, client: AsyncWebClient, workspace: str, user: str) -> Member | None:
        """Return what Slack says of a person, at most an hour old; what is kept of them where Slack does not say."""
        key, now = (workspace, user), self._now()
        kept = self._members.get(key)
        if kept is not None and now - kept[0] < FRESH:
            return kept[1]
        member = await person_of(client, workspace, user, now)
        if member is None:
            return await self._people.profile(workspace, user)
        self._members[key] = (now, member)
        self._members.move_to_end(key)
        if len(self._members) > MOST_NAMES:
            self._members.popitem(last=False)
        return member


async def _post(client: AsyncWebClient, channel: str, shown: Message, thread: str | None = None) -> tuple[str, str]:
    await wait_to_post(client, "chat.postMessage", channel)
    try:
        posted = await client.chat_postMessage(channel=channel, thread_ts=thread, **shown.payload())
    except Exception as error:
        if perhaps_posted(error):
            raise PerhapsPosted(_name(error)) from error
        raise
    return str(posted["channel"]), str(posted["ts"])


def _name(error: Exception) -> str:
    return code_of(error) if isinstance(error, SlackApiError) else type(error).__name__


async def _reply(client: AsyncWebClient, to: Asker | Askee, shown: Message) -> tuple[str, str]:
    """Write into the thread of somebody's message; beside it where that is gone. Returns where it stands."""
    try:
        return await _post(client, to.channel or to.user, shown, to.ts or None)
    except SlackApiError as error:
        if not to.ts or code_of(error) not in GONE:
            raise
        return await _post(client, to.user, shown)


async def _blank(client: AsyncWebClient, channel: str, due: DueDelivery) -> None:
    """Take words or a name out of what was written; nothing is left to do where it is gone."""
    if not channel:
        return
    try:
        await _redraw(client, channel, due.what.ts, blanked(due.what.kind))
    except SlackApiError as error:
        if code_of(error) not in GONE:
            raise


async def _redrawn(client: AsyncWebClient, whose: Asker, card: Message) -> bool:
    """Draw the asker's message anew; False where it is gone."""
    try:
        await _redraw(client, whose.channel, whose.ts, card)
    except SlackApiError as error:
        if code_of(error) not in GONE:
            raise
        return False
    return True


async def _redraw(client: AsyncWebClient, channel: str, ts: str, shown: Message) -> None:
    await wait_to_post(client, "chat.update", channel)
    sent: dict[str, Any] = {"text": shown.payload()["text"], "blocks": list(shown.blocks)}
    await client.chat_update(channel=channel, ts=ts, **sent)
