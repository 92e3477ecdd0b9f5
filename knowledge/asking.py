"""A question that is put to a person: its states, and the one table of what may happen in each.

``TABLE`` says for a state and an event which state follows and what is to be done; what is not in it changes nothing.
``TIMERS`` says for every state how long it lasts at most, and what happens then. docs/asking.md shows both.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, time, timedelta
from typing import Literal, get_args

from knowledge.answers import Subject
from knowledge.freshness import is_working_time, next_working_time, zone
from knowledge.people import Declaration

Waiting = Literal["asked", "handed_over", "reminded", "taken", "snoozed", "asked_back"]
"""States in which one person has the question."""
Final = Literal["solved", "closed", "withdrawn", "expired"]
State = Literal[Waiting, Final, "seeking", "nobody", "answered"]
Event = Literal[
    "chosen",
    "none_left",
    "take",
    "answer",
    "hand_over",
    "decline",
    "snooze",
    "left",
    "silence",
    "long_silence",
    "consent",
    "solve",
    "ask_back",
    "withdraw",
    "end",
]
Effect = Literal["ask", "remind", "draw person", "draw asker", "tell asker", "deliver answer", "deliver question"]
Timer = Literal["now", "patience", "promise", "until", "end", "asker", "retention"]
Via = Literal["named", "best", "handover", "curator"]
Outcome = Literal["has", "answered", "declined", "handed_over", "silent", "left", "ended"]
"""What became of asking a person; ``has``: the question is with them now."""

WAITING: tuple[Waiting, ...] = get_args(Waiting)
FINAL: tuple[Final, ...] = get_args(Final)
UNANSWERED: tuple[State, ...] = ("seeking", *WAITING, "nobody")
OPEN: tuple[State, ...] = (*UNANSWERED, "answered")


@dataclass(frozen=True)
class Step:
    """Say which state follows, and what is to be done."""

    state: State
    effects: tuple[Effect, ...] = ()


def _table() -> dict[tuple[State, Event], Step]:
    table: dict[tuple[State, Event], Step] = {
        ("seeking", "chosen"): Step("asked", ("ask", "draw asker")),
        ("seeking", "none_left"): Step("nobody", ("tell asker", "draw asker")),
        ("nobody", "consent"): Step("seeking", ("draw asker",)),
        ("answered", "answer"): Step("answered", ("deliver answer", "draw asker")),
        ("answered", "ask_back"): Step("asked_back", ("deliver question", "draw person", "draw asker")),
        ("answered", "solve"): Step("solved", ("draw person", "draw asker")),
        ("answered", "silence"): Step("closed", ("draw person", "draw asker")),
        ("answered", "end"): Step("closed", ("draw person", "draw asker")),
        ("reminded", "silence"): Step("seeking", ("draw person", "draw asker")),
        ("snoozed", "silence"): Step("asked", ("remind", "draw person", "draw asker")),
    }
    for state in WAITING:
        table[state, "hand_over"] = Step("handed_over", ("draw person", "ask", "draw asker"))
        table[state, "decline"] = Step("seeking", ("draw person", "draw asker"))
        table[state, "snooze"] = Step("snoozed", ("draw person", "draw asker"))
        table[state, "left"] = Step("seeking", ("draw asker",))
        table[state, "long_silence"] = Step("seeking", ("draw person", "draw asker"))
        table.setdefault((state, "silence"), Step("reminded", ("remind",)))
        if state != "taken":
            table[state, "take"] = Step("taken", ("draw person", "draw asker"))
    for place in UNANSWERED:
        # Whoever was asked before may still answer: nobody's words are thrown away.
        table[place, "answer"] = Step("answered", ("deliver answer", "draw person", "draw asker"))
        table[place, "solve"] = Step("solved", ("draw person", "draw asker"))
        table[place, "withdraw"] = Step("withdrawn", ("draw person", "draw asker"))
        table[place, "end"] = Step("expired", ("draw person", "tell asker", "draw asker"))
    return table


TABLE: Mapping[tuple[State, Event], Step] = _table()
TIMERS: Mapping[State, tuple[Timer, Event | None]] = {
    "seeking": ("now", None),
    "asked": ("patience", "silence"),
    "handed_over": ("patience", "silence"),
    "reminded": ("patience", "silence"),
    "asked_back": ("patience", "silence"),
    "taken": ("promise", "silence"),
    "snoozed": ("until", "silence"),
    "nobody": ("end", "end"),
    "answered": ("asker", "silence"),
    **dict.fromkeys(FINAL, ("retention", None)),
}
"""How long a state lasts, and the event then. ``seeking`` ends with ``chosen`` or ``none_left``, a final state with the
deletion of everything; every other state also ends with ``end`` when the question's own time is over."""

BY_HOLDER = frozenset({"take", "hand_over", "decline", "snooze"})
BY_ASKER = frozenset({"solve", "ask_back", "withdraw", "consent"})
OUTCOMES: Mapping[Event, Outcome] = {
    "decline": "declined",
    "hand_over": "handed_over",
    "left": "left",
    "long_silence": "silent",
    "withdraw": "ended",
    "end": "ended",
    "solve": "ended",
}
"""What an event makes of the person who has the question."""

MOST_ASKED = 5
"""People who are asked one after the other, hand-overs not counted; after them come the curators."""
MOST_CURATORS = 3
LIFE = timedelta(days=30)
"""A question that has no answer by then ends; a workspace that keeps questions for a shorter time ends it earlier."""
PATIENCE = timedelta(days=1)
"""So long a person is waited for after each message, and then until their next working hours begin."""
PATIENCE_URGENT = timedelta(hours=2)
PROMISE = timedelta(days=2)
"""So long whoever pressed Answer has before they are reminded."""
WAIT_FOR_ASKER = timedelta(days=14)
"""An answer that the asker says nothing to closes the question after this."""
LONGEST_TEXT = 3_000
"""Signs of a question or of one answer."""


def when_to_write(now: datetime, tz: str, urgent: bool) -> datetime:
    """Return when a person may be written to: in working hours; what is urgent, on any day from 8 to 20 there.

    The one place for this rule. Where somebody has just clicked, their own messages change at once.
    """
    return now if may_write(now, tz, urgent) else _next(now, tz, urgent)


def may_write(now: datetime, tz: str, urgent: bool) -> bool:
    """Tell whether a person may be written to now."""
    there = now.astimezone(zone(tz)).time()
    return time(8) <= there < time(20) if urgent else is_working_time(now, tz)


def _next(now: datetime, tz: str, urgent: bool) -> datetime:
    if not urgent:
        return next_working_time(now, tz)
    hour = (now + timedelta(hours=1)).replace(minute=0, second=0, microsecond=0)
    # Hour by hour: where the clock is put forward there may be no 8 o'clock. Zones are off by quarters of hours too.
    quarters = (hour - timedelta(minutes=45) + timedelta(minutes=15) * step for step in range(200))
    return next(at for at in quarters if at > now and may_write(at, tz, urgent))


def patience_ends(sent: datetime, tz: str, urgent: bool) -> datetime:
    """Return until when a person is waited for who was written to at a time."""
    return when_to_write(sent + (PATIENCE_URGENT if urgent else PATIENCE), tz, urgent)


@dataclass(frozen=True)
class Asker:
    """Hold who asks, and where their message about the question stands; for delivery only."""

    user: str
    channel: str = ""
    ts: str = ""


@dataclass(frozen=True)
class Askee:
    """Hold a person who was asked, what became of it, and where their message stands."""

    user: str
    via: Via
    shown: bool
    """Whether they let others read their name when they were asked; see ``is_named`` for whether they do now."""
    outcome: Outcome = "has"
    channel: str = ""
    ts: str = ""
    asked_at: datetime | None = None
    says_name: bool = False
    """Whether they ticked that their name be shown with their answer, and did not hide it since."""
    wrote: bool = False
    """Whether some of the answer is theirs, whatever became of asking them since."""


def is_named(askee: Askee, declared: Declaration) -> bool:
    """Tell whether a person may be named to those who ask, or are handed the question: decided at each showing.

    Whoever hid, withdrew what they declared, or was forgotten since they were asked is not; nor who was hidden then.
    """
    return askee.says_name or (askee.shown and declared.is_open)


@dataclass(frozen=True)
class Ask:
    """Hold a question that was put to a person."""

    workspace: str
    id: str
    state: State
    question: str
    subject: Subject
    about: str
    """What it is about, in words; empty where that is not known."""
    anonymous: bool
    urgent: bool
    to_curators: bool
    """Whether the asker lets curators read the question where nobody else answers."""
    created: datetime
    ends: datetime
    due: datetime
    version: int = 0
    further: str = ""
    """What the asker asked back."""
    note: str = ""
    """What a colleague wrote who handed it over."""
    answer: str = ""
    asker: Asker | None = None
    """None once it is erased: an anonymous asker's after the answer, everybody's where the person is forgotten."""
    mark: str | None = None
    """A keyed hash of who asks, by which the storage finds their questions; erased with ``asker``."""
    people: tuple[Askee, ...] = ()

    @property
    def holder(self) -> Askee | None:
        """Return the person who has the question now."""
        return next((one for one in self.people if one.outcome == "has"), None)

    @property
    def answerer(self) -> Askee | None:
        """Return the person who answered last."""
        return next((one for one in reversed(self.people) if one.outcome == "answered"), None)

    def askee(self, user: str) -> Askee | None:
        """Return what became of asking a person; None where they were not asked."""
        return next((one for one in self.people if one.user == user), None)

    @property
    def ended(self) -> bool:
        """Tell whether nothing can happen any more."""
        return self.state in FINAL


@dataclass(frozen=True)
class Delivery:
    """Hold a message to be written or drawn anew; its key keeps it from being written twice."""

    key: str
    kind: Effect
    user: str | None = None
    """None: the asker."""
    text: str = ""
    ts: str = ""
    """Where it stands already, if it is there to be blanked: its words or a name in it are to be read no more."""


def is_meant(ask: Ask, what: Delivery) -> bool:
    """Tell whether a person is still to be written to: withdrawn, answered or passed on, it is not theirs any more.

    A reminder is of one moment only: whatever happened since, as "busy", makes it needless.
    """
    if ask.holder is None or ask.holder.user != what.user or ask.state not in WAITING:
        return False
    return what.kind != "remind" or what.key == f"remind:{ask.version}"


def author_of(ask: Ask, text: str) -> Askee | None:
    """Return who wrote an answer; None where several people wrote and it is not surely the last one's.

    Who wrote which is not noted: then nobody is named, rather than another.
    """
    wrote, said = [one for one in ask.people if one.wrote], text.strip()
    is_last = ask.answer.endswith(said) and ask.answer.count(said) == 1
    return wrote[-1] if len(wrote) == 1 or (wrote and is_last) else None


Applied = Literal["done", "lost", "full", "repeat"]
"""What became of a transition: made; somebody else's came first; the person's weekly cap is reached; made before."""


@dataclass(frozen=True)
class DueDelivery:
    """Hold a claimed delivery, and when it may go out."""

    workspace: str
    ask_id: str
    what: Delivery
    turn: int
    attempts: int
    at: datetime
    until: datetime
    """From then on another process may write it."""


@dataclass(frozen=True)
class Unanswered:
    """Count questions without an answer that are about the same."""

    about: str
    subject: Subject
    count: int
    texts: tuple[str, ...]
    """Of those whose askers let curators read them."""


@dataclass(frozen=True)
class Change:
    """Hold everything that one transition writes, in one transaction."""

    state: State
    due: datetime
    ends: datetime
    outcomes: Mapping[str, Outcome] = field(default_factory=dict)
    new: Askee | None = None
    deliveries: tuple[Delivery, ...] = ()
    answer: str = ""
    further: str = ""
    note: str = ""
    asker: Asker | None = None
    to_curators: bool | None = None
    show: str = ""
    """The id of a person who lets the asker read their name from now on."""
    once: str = ""
    """The key of a delivery: where it is there already, all of this was done before."""


def opening(ask: Ask) -> tuple[Delivery, ...]:
    """Return what is to be written about a new question."""
    first = tuple(Delivery(f"ask:{one.user}", "ask", one.user) for one in ask.people)
    return (Delivery("asker", "draw asker"), *first)


@dataclass(frozen=True)
class Details:
    """Hold what comes with an event; most events need none of it."""

    actor: str = ""
    new: Askee | None = None
    text: str = ""
    source: str = ""
    """What the text came with, so that it counts once: the time of a message, or the id of a form."""
    until: datetime | None = None
    asker: Asker | None = None
    show: bool = False
    passed_over: bool = False
    """Whether it is declined for want of the colleague whom it was handed over to, which the actor must not learn."""


NOTHING = Details()


def change(ask: Ask, event: Event, now: datetime, keep: timedelta, with_: Details = NOTHING) -> Change | None:
    """Return what an event makes of a question; None where it changes nothing.

    ``keep`` is how long everything is kept after the end.
    """
    step = TABLE.get((ask.state, event))
    if step is not None and step.state == "expired" and ask.answer:
        # What was answered once is closed in the end, though what was asked back was not answered.
        step = TABLE["answered", "end"]
    if step is None or (event in BY_HOLDER and (ask.holder is None or ask.holder.user != with_.actor)):
        return None
    if (event == "answer" and ask.askee(with_.actor) is None) or (
        # What was answered may be solved though the answer is gone with whoever wrote it.
        event == "solve" and not ask.answer and ask.state != "answered"
    ):
        return None
    if (event == "ask_back" and ask.answerer is None) or (event == "consent" and ask.to_curators):
        return None
    ends = max(ask.ends, now + WAIT_FOR_ASKER) if event == "answer" else ask.ends
    if event == "ask_back":
        ends = max(ends, now + LIFE)
    outcomes = _outcomes(ask, event, with_)
    deliveries = tuple(one for effect in step.effects for one in _deliveries(ask, effect, step.state, with_))
    return Change(
        state=step.state,
        due=min(_due(step.state, now, ends, keep, with_), ends) if step.state not in FINAL else now + keep,
        ends=ends,
        outcomes=outcomes,
        new=with_.new,
        deliveries=deliveries,
        answer=with_.text if event == "answer" else "",
        further=with_.text if event == "ask_back" else "",
        note=with_.text if event == "hand_over" else "",
        asker=with_.asker,
        to_curators=True if event == "consent" else None,
        show=with_.actor if event == "answer" and with_.show else "",
        once=f"answer:{with_.source}" if event == "answer" else "",
    )


def _due(state: State, now: datetime, ends: datetime, keep: timedelta, with_: Details) -> datetime:
    match TIMERS[state][0]:
        case "now":
            return now
        case "promise":
            return now + PROMISE
        case "until":
            return with_.until or now + PATIENCE
        case "asker":
            return now + WAIT_FOR_ASKER
        case "retention":
            return now + keep
        case "patience" | "end":
            # Patience begins when the message was sent; until then only the question's own end counts.
            return ends


def _outcomes(ask: Ask, event: Event, with_: Details) -> dict[str, Outcome]:
    outcomes: dict[str, Outcome] = {}
    holder = ask.holder
    if event == "answer":
        if holder is not None:
            outcomes[holder.user] = "ended"
        outcomes[with_.actor] = "answered"
    elif event == "ask_back" and ask.answerer is not None:
        outcomes[ask.answerer.user] = "has"
    elif event == "silence" and ask.state == "reminded" and holder is not None:
        outcomes[holder.user] = "silent"
    elif event in OUTCOMES and holder is not None:
        outcomes[holder.user] = "handed_over" if with_.passed_over else OUTCOMES[event]
    return outcomes


def _deliveries(ask: Ask, effect: Effect, state: State, with_: Details) -> tuple[Delivery, ...]:
    holder, turn = ask.holder, ask.version + 1
    match effect:
        case "ask":
            return (Delivery(f"ask:{with_.new.user}", effect, with_.new.user),) if with_.new else ()
        case "remind":
            return (Delivery(f"remind:{turn}", effect, holder.user, ask.state),) if holder else ()
        case "draw person":
            # Everybody whose message may look different now.
            users = {one.user for one in (holder, ask.answerer) if one} | ({with_.actor} & {p.user for p in ask.people})
            return tuple(Delivery(f"person:{user}", effect, user) for user in sorted(users))
        case "draw asker":
            return (Delivery("asker", effect),)
        case "tell asker":
            return (Delivery(f"tell:{turn}", effect, text=state),)
        case "deliver answer":
            return (Delivery(f"answer:{with_.source}", effect, text=with_.text),)
        case "deliver question":
            return (Delivery(f"question:{turn}", effect, ask.answerer.user),) if ask.answerer else ()
