"""The desk where questions to people are taken, passed on, and brought back: what each click and each timer does.

What may happen stands in knowledge/asking.py, what is kept in the ``Asks`` port. Two clicks at once are one
transition: whoever comes second looks again, and finds that nothing is left to do.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal, Protocol

from knowledge.answers import Subject
from knowledge.asking import (
    FINAL,
    LIFE,
    LONGEST_TEXT,
    MOST_ASKED,
    MOST_CURATORS,
    NOTHING,
    TIMERS,
    UNANSWERED,
    Applied,
    Ask,
    Askee,
    Asker,
    Details,
    Event,
    change,
)
from knowledge.ports import Asks, People
from knowledge.suggesting import ToAsk

logger = logging.getLogger(__name__)
MOST_AT_ONCE = 4
MOST_TRIES = 5
"""So often a transition is decided anew because another one came first."""
Done = Literal["done", "nothing", "full", "gone"]
"""What came of an event: it happened; it changes nothing now; a weekly cap is reached; there is no such question."""


class Rules(Protocol):
    """Say what a workspace decided."""

    @property
    def starts_messages(self) -> bool:
        """Whether the bot may write of its own accord: without it nobody is reminded."""
        ...

    @property
    def question_days(self) -> int:
        """How many days a question is kept after its end."""
        ...

    @property
    def curators(self) -> tuple[str, ...]:
        """Who looks after what nobody else answers."""
        ...


RulesOf = Callable[[str], Awaitable[Rules]]


class WhomToAsk(Protocol):
    """Say whom a question may be put to; the guide does."""

    async def to_ask(self, workspace: str, subject: Subject, asker: str | None) -> Sequence[ToAsk]:
        """Return whom a question may be put to, best first."""
        ...

    async def about(self, workspace: str, subject: Subject) -> Sequence[str]:
        """Return the keys of what a subject is about, as people say what they are not to be asked about."""
        ...


@dataclass(frozen=True)
class Put:
    """Hold a question as it is put."""

    workspace: str
    id: str
    """From the form that it came with, so that a form which is sent twice asks once."""
    asker: str
    question: str
    subject: Subject
    about: str
    whom: str | None
    """None: whoever fits best."""
    anonymous: bool = False
    urgent: bool = False
    to_curators: bool = False


class Desk:
    """Take questions and what happens to them."""

    def __init__(
        self, asks: Asks, people: People, whom_to_ask: WhomToAsk, rules: RulesOf, now: Callable[[], datetime]
    ) -> None:
        self._asks = asks
        self._people = people
        self._whom_to_ask = whom_to_ask
        self._rules = rules
        self._now = now

    async def put(self, put: Put) -> Done:
        """Take a question; for whoever fits best the first person is chosen at once."""
        now, rules = self._now(), await self._rules(put.workspace)
        ends = now + min(LIFE, timedelta(days=max(1, rules.question_days)))
        ask = Ask(
            workspace=put.workspace,
            id=put.id,
            state="asked" if put.whom else "seeking",
            question=put.question[:LONGEST_TEXT],
            subject=put.subject,
            about=put.about,
            anonymous=put.anonymous,
            urgent=put.urgent,
            to_curators=put.to_curators,
            created=now,
            ends=ends,
            due=ends if put.whom else now,
            asker=Asker(put.asker),
            people=(Askee(put.whom, "named", shown=True),) if put.whom else (),
        )
        if put.whom and not await self._may_be_named(put.workspace, put.whom, put.asker):
            return "full"
        applied = await self._asks.create(ask, now)
        if applied == "done" and not put.whom:
            await self._seek(ask)
        return "full" if applied == "full" else "done"

    async def _may_be_named(self, workspace: str, user: str, asker: str) -> bool:
        """Tell whether a person may be picked by name: whoever sends a form may have written any id into it."""
        declared = await self._people.declaration(workspace, user)
        profile = await self._people.profile(workspace, user)
        return declared.is_open and user != asker and (profile is None or profile.suggestible)

    async def happened(self, workspace: str, ask_id: str, event: Event, details: Details = NOTHING) -> Done:
        """Let something happen to a question, where that is possible now."""
        for _ in range(MOST_TRIES):
            ask = await self._asks.get(workspace, ask_id)
            if ask is None:
                return "gone"
            applied = await self._apply(ask, event, details)
            if applied is None:
                return "nothing"
            if applied != "lost":
                return "full" if applied == "full" else "done"
        return "nothing"

    async def hand_over(self, workspace: str, ask_id: str, actor: str, to: str, note: str) -> Done:
        """Pass a question on to a colleague of the holder's choice.

        Where the colleague can't be asked - asked before, at the cap, not to be asked about this, or the one who asks -
        somebody else is looked for, and nobody is told which of these it was.
        """
        for _ in range(MOST_TRIES):
            ask = await self._asks.get(workspace, ask_id)
            if ask is None:
                return "gone"
            declared = await self._people.declaration(workspace, to)
            terms = declared.terms
            about = {*ask.subject.roles, *await self._whom_to_ask.about(workspace, ask.subject)}
            may_be_asked = ask.askee(to) is None and not about & terms.not_about.keys()
            if may_be_asked and (ask.asker is None or ask.asker.user != to):
                new = Askee(to, "handover", shown=declared.is_open)
                applied = await self._apply(ask, "hand_over", Details(actor=actor, new=new, text=note))
                if applied is None:
                    return "nothing"
                if applied == "done":
                    return "done"
                if applied == "lost":
                    continue
            declined = await self._apply(ask, "decline", Details(actor=actor, passed_over=True))
            if declined is None:
                return "nothing"
            if declined == "done":
                return "done"
        return "nothing"

    async def left(self, workspace: str, user: str) -> None:
        """Pass on what a person has who left; what they asked is withdrawn."""
        while await self._all(await self._asks.of_person(workspace, user), "left"):
            pass
        while await self._all(await self._asks.of_asker(workspace, user, UNANSWERED), "withdraw"):
            pass

    async def _all(self, some: Sequence[Ask], event: Event) -> bool:
        """Let the same happen to several questions; False where it happened to none: then there is no more to do."""
        return "done" in [await self.happened(ask.workspace, ask.id, event) for ask in some]

    async def run(self, most: int) -> int:
        """Do what is due by itself; return how many questions it was."""
        due = await self._asks.due(self._now(), most)
        at_once = asyncio.Semaphore(MOST_AT_ONCE)

        async def one(ask: Ask) -> None:
            async with at_once:
                await self.time_passed(ask)

        # One that fails is tried again when its lease has run out, and keeps no other back.
        done = await asyncio.gather(*(one(ask) for ask in due), return_exceptions=True)
        for error in done:
            if isinstance(error, BaseException):
                logger.error("what was due of a question failed; it is tried again", exc_info=error)
        return len(due)

    async def time_passed(self, ask: Ask) -> None:
        """Do what the clock makes of a question."""
        now, event = self._now(), TIMERS[ask.state][1]
        if ask.state in FINAL:
            await self._asks.erase(ask)
        elif now >= ask.ends:
            await self._apply(ask, "end")
        elif ask.state == "seeking":
            await self._seek(ask)
        elif event is not None:
            reminding = ask.state in ("asked", "handed_over", "taken", "asked_back")
            if reminding and not (await self._rules(ask.workspace)).starts_messages:
                event = "long_silence"
            await self._apply(ask, event)

    async def _apply(self, ask: Ask, event: Event, details: Details = NOTHING) -> Applied | None:
        """Make a transition and, where it leaves the question with nobody, look for the next person."""
        rules = await self._rules(ask.workspace)
        now = self._now()
        made = change(ask, event, now, timedelta(days=max(1, rules.question_days)), details)
        if made is None:
            return None
        applied = await self._asks.apply(ask, made, now)
        if applied == "done" and made.state == "seeking":
            after = await self._asks.get(ask.workspace, ask.id)
            if after is not None and after.state == "seeking":
                await self._seek(after)
        return applied

    async def _seek(self, ask: Ask) -> None:
        """Choose whom the question goes to next; the curators once nobody else is left, and then nobody."""
        before = {one.user for one in ask.people} | ({ask.asker.user} if ask.asker else set())
        if sum(one.via in ("named", "best") for one in ask.people) < MOST_ASKED:
            asker = ask.asker.user if ask.asker else None
            about = await self._whom_to_ask.about(ask.workspace, ask.subject)
            for one in await self._whom_to_ask.to_ask(ask.workspace, ask.subject, asker):
                if one.user in before:
                    continue
                # Counted as suggested before anything is written to them: that keeps the cap, and the turns of equals.
                counted = await self._people.suggested(
                    ask.workspace, [one.user], self._now(), about=about, named=one.named
                )
                if not counted:
                    continue
                if await self._choose(ask, Askee(one.user, "best", shown=one.named)):
                    return
        if ask.to_curators:
            curators = (await self._rules(ask.workspace)).curators
            if sum(one.via == "curator" for one in ask.people) < MOST_CURATORS:
                for user in curators:
                    if user in before:
                        continue
                    declared = await self._people.declaration(ask.workspace, user)
                    if await self._choose(ask, Askee(user, "curator", shown=declared.is_open)):
                        return
        await self._apply(ask, "none_left")

    async def _choose(self, ask: Ask, new: Askee) -> bool:
        """Put the question to a person; False where they were asked as often this week as they allow."""
        return await self._apply(ask, "chosen", Details(new=new)) != "full"
