"""Keeping what a team knows right: "still right?" after half a year as a direct message, and what becomes of it."""

from __future__ import annotations

import logging
from collections import Counter
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from slack_bolt.context.ack.async_ack import AsyncAck
from slack_sdk.web.async_client import AsyncWebClient

from handlers import ids, payloads
from handlers.blocks.ask_forms import told
from handlers.blocks.message import message, section
from handlers.blocks.people import View
from handlers.blocks.verifying import change_form, entry_in, mark_of, still_right
from handlers.errors import may_begin_again
from handlers.freshness import LookUp, WriteTo, replace_question
from handlers.members import person_of
from handlers.payloads import Actor
from handlers.permissions import Standings, may
from handlers.replies import ClientOf, Clock, answer_press, write_to
from knowledge.freshness import is_working_time, next_working_time
from knowledge.ports import TeamEntries, Workspaces
from knowledge.team import LONGEST_ANSWER, TeamEntry, retired, verified
from knowledge.verifying import TO_CURATORS, WAIT, ToVerify, Verifications, next_step
from knowledge.workspaces import BY_ITSELF, Recorded

RUN_SECONDS = 60.0
MOST_READ = 200
MOST_A_RUN = 20
"""Messages to one workspace in one run."""
TRY_AGAIN = timedelta(minutes=15)
NOT_OURS_FOR = timedelta(days=1)
GONE = "That is settled by now: it was retired or changed meanwhile. A curator can bring it back."
NOT_YOURS = (
    "Only its author, as a member of this workspace, and curators can say this. Try again in a moment if you are "
    "one of them."
)
SAID = {"right": "Thank you: verified today.", "retire": "Thank you: it answers nobody any more. Curators see it."}
logger = logging.getLogger(__name__)


class Verifier:
    """Ask authors, then leave it to the curators, then retire; each turn is taken by one process."""

    def __init__(
        self,
        verifications: Verifications,
        team: TeamEntries,
        workspaces: Workspaces,
        client_of: ClientOf,
        now: Clock,
        *,
        look_up: LookUp = person_of,
        write: WriteTo = write_to,
    ) -> None:
        self._verifications = verifications
        self._team = team
        self._workspaces = workspaces
        self._client_of = client_of
        self._now = now
        self._look_up = look_up
        self._write = write

    async def run(self) -> None:
        """Take the turns that have come; an author gets one message a day, a workspace twenty in one run."""
        written: Counter[str] = Counter()
        authors: Counter[tuple[str, str]] = Counter()
        for one in await self._verifications.due(self._now(), MOST_READ):
            client = await self._client_of(one.workspace)
            if client is None:
                await self._verifications.move(one, one.turn, self._now() + NOT_OURS_FOR)
            elif one.turn >= TO_CURATORS:
                await self._retire(one)
            elif authors[one.workspace, one.user] and one.user:
                days = timedelta(days=authors[one.workspace, one.user])
                authors[one.workspace, one.user] += 1
                await self._verifications.move(one, one.turn, next_working_time(self._now() + days, one.tz))
            elif written[one.workspace] < MOST_A_RUN and await self._take_turn(one, client):
                written[one.workspace] += 1
                authors[one.workspace, one.user] += 1

    async def _take_turn(self, one: ToVerify, client: AsyncWebClient) -> bool:
        """Do what comes next for an entry; True where it is a message to its author, here or elsewhere."""
        now = self._now()
        reachable, tz = False, one.tz
        if one.user and (await self._workspaces.settings(one.workspace)).starts_messages:
            member = await self._look_up(client, one.workspace, one.user, now)
            if member is None:
                await self._verifications.move(one, one.turn, now + TRY_AGAIN)
                return False
            reachable, tz = member.suggestible, member.tz
        do, turn = next_step(one, reachable=reachable)
        writes = do in ("ask", "remind")
        if writes and not is_working_time(now, tz):
            await self._verifications.move(one, one.turn, next_working_time(now, tz))
            return True
        # Moved on before anything is written: a process that ends here writes to nobody twice.
        if not await self._verifications.move(one, turn, now + WAIT, writes=writes):
            if writes:
                # Taken by another process, where this changes nothing; or the author has their message of the day.
                tomorrow = next_working_time(now + timedelta(days=1), tz)
                await self._verifications.move(one, one.turn, tomorrow)
            return writes
        if not writes:
            return False
        entry = (await self._team.known(one.workspace, now=True)).entry(one.entry_id)
        if entry is None or entry.verify_by != one.verify_by:
            return False
        try:
            await self._write(client, one.user, still_right(entry, View(now, {}), reminder=do == "remind"))
        except Exception as error:
            logger.warning("an author could not be asked about an entry: %s", type(error).__name__)
            if may_begin_again(error):
                taken = replace(one, seen=(one.verify_by, turn))
                await self._verifications.move(taken, one.turn, now + TRY_AGAIN)
        return True

    async def _retire(self, one: ToVerify) -> None:
        now = self._now()
        if not await self._verifications.move(one, TO_CURATORS, now + WAIT):
            return

        def become(entry: TeamEntry) -> TeamEntry:
            # Verified in this very moment: it stays.
            return retired(entry, now) if entry.verify_by == one.verify_by else entry

        changed = await self._team.change(one.workspace, one.entry_id, "published", become)
        if changed is not None and changed.state == "retired":
            record = Recorded(BY_ITSELF, "entry retired", now, after={"entry": one.entry_id})
            await self._workspaces.record(one.workspace, record)


@dataclass(frozen=True)
class Authors:
    """Hold what the listeners need that take an author's word."""

    verifications: Verifications
    team: TeamEntries
    standings: Standings
    now: Clock

    async def may(self, client: AsyncWebClient, actor: Actor, entry_id: str) -> bool:
        """Tell whether it is for this person to say now: a curator, or whoever was asked and is still a member."""
        standing = await self.standings.of(client, actor)
        if may(standing, "curate entries"):
            return True
        asked = await self.verifications.asked_of(actor.workspace, entry_id)
        return asked == actor.user and may(standing, "verify own entries")

    async def say(self, actor: Actor, entry_id: str, said: str) -> bool:
        """Note what was said of a published entry; False where it is none any more."""
        now, asked = self.now(), await self.verifications.asked_of(actor.workspace, entry_id)

        def become(entry: TeamEntry) -> TeamEntry:
            if said == "retire":
                return retired(entry, now)
            return verified(entry, now, by_curator=actor.user not in (asked, entry.written_by))

        return await self.team.change(actor.workspace, entry_id, "published", become) is not None

    async def write(self, actor: Actor, entry_id: str, answer: str, opened_on: str) -> TeamEntry | None:
        """Put another answer into a published entry, and return it as it is then; None where it is none any more.

        It is left as it is where its answer is neither the one that the form was opened on, nor the new one.
        """
        now: datetime = self.now()
        asked = await self.verifications.asked_of(actor.workspace, entry_id)

        def become(entry: TeamEntry) -> TeamEntry:
            if entry.answer != answer and mark_of(entry.answer) != opened_on:
                return entry
            by_curator = actor.user not in (asked, entry.written_by)
            if by_curator and entry.answer != answer:
                # Nobody's name stands with the words of somebody else.
                entry = replace(entry, written_by="", shown_author="")
            return verified(replace(entry, answer=answer), now, by_curator=by_curator)

        return await self.team.change(actor.workspace, entry_id, "published", become)


async def pressed(ack: AsyncAck, body: dict[str, Any], client: AsyncWebClient, *, authors: Authors) -> None:
    """Take an author's answer, and put what came of it in the place of the question, so that it is given once."""
    press = payloads.press(body)
    actor, entry_id, what = press.actor, press.value, press.action_id.partition(":")[2]
    entry = (await authors.team.known(actor.workspace, now=True)).entry(entry_id)
    if entry is None or entry.state != "published":
        await answer_press(client, press, message([GONE], [section(GONE)]))
    elif not await authors.may(client, actor, entry_id):
        await answer_press(client, press, message([NOT_YOURS], [section(NOT_YOURS)]))
    elif what == "change":
        await client.views_open(trigger_id=press.trigger_id, view=change_form(entry))
    else:
        done = await authors.say(actor, entry_id, what)
        text = SAID[what] if done else GONE
        await replace_question(client, press, message([text], [section(text)]))
    await ack()


async def changed(ack: AsyncAck, body: dict[str, Any], client: AsyncWebClient, *, authors: Authors) -> None:
    """Take a changed answer, which is right as of now."""
    form = payloads.submission(body)
    text = form.typed.get(ids.BLOCK_ANSWER, "").strip()
    entry_id, opened_on = entry_in(form.private_metadata)
    if not text or len(text) > LONGEST_ANSWER or "\0" in text:
        await ack(response_action="errors", errors={ids.BLOCK_ANSWER: "Please write the answer."})
        return
    if not await authors.may(client, form.actor, entry_id):
        await ack(response_action="update", view=told("Change the answer", NOT_YOURS))
        return
    entry = await authors.write(form.actor, entry_id, text, opened_on)
    if entry is not None and entry.answer != text:
        await ack(response_action="update", view=change_form(entry, text))
        return
    said = GONE if entry is None else "Thank you: it answers with this from now on, verified today."
    await ack(response_action="update", view=told("Change the answer", said))
