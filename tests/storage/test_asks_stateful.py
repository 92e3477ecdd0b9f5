"""Random people, clicks, clocks and crashes over the real storage: what holds of questions to people, whatever comes.

No question is lost, none is with two people at once, every state ends, nobody is asked more often than they allow, and
nobody's name reaches the other side where it must not: in messages, logs, figures, or what a person may export. People
hide and show themselves, withdraw, leave and are forgotten meanwhile, and the workspace removes the app.
"""

from __future__ import annotations

import asyncio
import logging
import random
import shutil
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Literal

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test
from slack_sdk.web.async_client import AsyncWebClient
from sqlalchemy import select, text

from handlers.courier import Courier
from knowledge.answers import Subject
from knowledge.asking import (
    FINAL,
    TIMERS,
    WAITING,
    Applied,
    Ask,
    Asker,
    Change,
    Details,
    Event,
    may_write,
)
from knowledge.desk import Desk, Put
from knowledge.keeping import Consent, Side
from knowledge.people import Level, Terms, Visibility, choose
from knowledge.suggesting import ToAsk
from knowledge.workspaces import Settings
from storage.ask_deliveries import SqlDeliveries
from storage.asks import SqlAsks
from storage.database import open_engine
from storage.keeping import SqlKeepings
from storage.moments import monday_of
from storage.people import SqlPeople
from storage.tables import ask_people, asks, metadata
from storage.team_entries import SqlTeamEntries
from tests.asks import NOW
from tests.databases import KEYS, empty_tables
from tests.storage.conftest import url

ROLE = "prompt-engineer"
ZONES = ("Europe/Berlin", "Asia/Tokyo", "America/Lima")
EXPERTS = tuple(f"U0EXPERT{number}" for number in range(6))
ASKERS = tuple(f"U0ASKER{number}" for number in range(3))
CURATOR = "U0CURATOR"
WORKSPACE = "T1"
QUESTION_OF = "question-words-of-"
EXPERT_EVENTS: tuple[Event, ...] = ("take", "answer", "decline", "snooze")
ASKER_EVENTS: tuple[Event, ...] = ("solve", "ask_back", "withdraw", "consent")


class Crash(BaseException):
    """A process that ends in the middle."""


@dataclass
class Post:
    """A message that somebody got."""

    user: str
    at: datetime
    ts: str
    said: str
    """All that ever stood in it."""
    shown: str
    """What stands in it now."""
    thread: str | None
    lost: bool = False
    """Whether its process ended before it was noted: nobody knows of it any more."""


@dataclass
class Slack:
    """Keep what is posted; channels are named after people, as only they read them."""

    now: Callable[[], datetime]
    posts: list[Post] = field(default_factory=list)
    left: set[str] = field(default_factory=set)
    crash: bool = False

    def _shown(self, arguments: dict[str, Any]) -> str:
        return f"{arguments['text']} {arguments['blocks']}"

    async def chat_postMessage(self, *, channel: str, thread_ts: str | None = None, **sent: Any) -> dict[str, str]:
        user = channel.removeprefix("D-")
        said = self._shown(sent)
        self.posts.append(Post(user, self.now(), f"{len(self.posts)}.1", said, said, thread_ts, lost=self.crash))
        if self.crash:
            raise Crash
        return {"channel": f"D-{user}", "ts": self.posts[-1].ts}

    async def chat_update(self, *, channel: str, ts: str, **sent: Any) -> None:
        for post in self.posts:
            if post.ts == ts and f"D-{post.user}" == channel:
                post.shown = self._shown(sent)
                post.said += post.shown

    async def users_info(self, *, user: str) -> dict[str, Any]:
        tz = ZONES[sum(map(ord, user)) % 3]
        return {"user": {"id": user, "name": f"Name-{user}", "tz": tz, "deleted": user in self.left}}

    async def users_getPresence(self, *, user: str) -> dict[str, str]:
        return {"presence": "active"}

    async def dnd_info(self, *, user: str) -> dict[str, bool]:
        return {"snooze_enabled": False}

    retry_handlers: tuple[()] = ()


class CrashingAsks(SqlAsks):
    """Keep questions in a process that may end right before or right after a transition."""

    crash: Literal["", "before", "after"] = ""

    async def apply(self, ask: Ask, change: Change, now: datetime) -> Applied:
        if self.crash == "before":
            raise Crash
        applied = await super().apply(ask, change, now)
        if self.crash == "after":
            raise Crash
        return applied


class Office:
    """A workspace over a real database, whose every step may be the last one of its process."""

    def __init__(self, address: str) -> None:
        self.runner = asyncio.Runner()
        self.engine = open_engine(address, KEYS)
        self.now = NOW
        self.slack = Slack(lambda: self.now)
        self.people = SqlPeople(self.engine, random.Random(7), lambda: self.now.timestamp())
        self.asks = CrashingAsks(self.engine)
        self.deliveries = SqlDeliveries(self.engine)
        self.settings = Settings(curators=(CURATOR,))
        self.restart()

    def restart(self) -> None:
        """Begin a new process over the same database."""

        async def client_of(workspace: str) -> AsyncWebClient:
            return self.slack  # type: ignore[return-value]  # what a courier needs of one

        async def rules(workspace: str) -> Settings:
            return self.settings

        async def sleep(seconds: float) -> None:
            self.now += timedelta(seconds=seconds)

        clock = lambda: self.now  # noqa: E731
        self.desk = Desk(self.asks, self.people, self, rules, clock)
        self.keepings = SqlKeepings(self.engine, SqlTeamEntries(self.engine))
        self.courier = Courier(
            *(self.deliveries, self.asks, self.desk, self.keepings, self.people, rules, {}, client_of, clock, sleep)
        )

    async def to_ask(self, workspace: str, subject: Subject, asker: str | None) -> list[ToAsk]:
        sought: Any = {"topics": (), "roles": (ROLE,), "without": asker, "now": self.now}
        rows = await self.people.candidates(workspace, **sought)
        hidden = await self.people.unnamed(workspace, **sought)
        named = [ToAsk(one.user, True) for one in choose(rows, (), (ROLE,), len(rows))]
        return named + [ToAsk(one.user, False) for one in choose(hidden, (), (ROLE,), len(hidden))]

    async def about(self, workspace: str, subject: Subject) -> tuple[str, ...]:
        return (ROLE,)

    def run(self, doing: Awaitable[Any]) -> Any:
        """Do something; a crash in it ends the process, and another takes over."""

        async def done() -> Any:
            return await doing

        try:
            return self.runner.run(done())
        except Crash:
            self.slack.crash, self.asks.crash = False, ""
            self.restart()
            return None

    async def empty(self) -> None:
        if self.engine.dialect.name == "postgresql":
            await empty_tables(self.engine)
        else:
            async with self.engine.begin() as connection:
                for name in metadata.tables:
                    await connection.execute(text(f"DELETE FROM {name}"))  # noqa: S608

    async def every(self) -> list[Ask]:
        async with self.engine.connect() as connection:
            ids = (await connection.scalars(select(asks.c.id))).all()
        found = [await self.asks.get(WORKSPACE, one) for one in ids]
        return [ask for ask in found if ask is not None]

    def close(self) -> None:
        self.runner.run(self.engine.dispose())
        self.runner.close()


class Lines(logging.Handler):
    """Keep what is logged, with what was raised."""

    def __init__(self, lines: list[str]) -> None:
        super().__init__(logging.INFO)
        self._lines = lines

    def emit(self, record: logging.LogRecord) -> None:
        self._lines.append(self.format(record))


class Questions(RuleBasedStateMachine):
    """People who ask, are asked, click twice, leave, are forgotten, and processes that end anywhere."""

    office: Office
    logged: list[str]

    @initialize(
        visibility=st.lists(st.sampled_from(("open", "ask_first", "hidden")), min_size=6, max_size=6),
        caps=st.lists(st.sampled_from((None, None, 1, 2)), min_size=6, max_size=6),
    )
    def begin(self, visibility: list[Visibility], caps: list[int | None]) -> None:
        office = self.office
        office.now = NOW
        office.slack.posts.clear()
        office.slack.left.clear()
        office.run(office.empty())
        self.caps = dict(zip(EXPERTS, caps, strict=True))
        self.unnamed = {user for user, seen in zip(EXPERTS, visibility, strict=True) if seen != "open"}
        self.put: dict[str, tuple[str, bool]] = {}
        self.gone: set[str] = set()
        self.removed: set[str] = set()
        """Questions of before the app was removed."""
        self.to_curators: set[str] = set()
        self.asked: set[tuple[str, str, Any]] = set()
        """Everybody who was ever asked: question, person, week."""
        self.open = {user for user, seen in zip(EXPERTS, visibility, strict=True) if seen == "open"}
        for user, seen in zip(EXPERTS, visibility, strict=True):
            terms = Terms(visibility=seen, weekly_cap=self.caps[user])
            office.run(office.people.declare(WORKSPACE, user, {ROLE: "lead"}, {}, NOW, terms))

    @rule(asker=st.sampled_from(ASKERS), anonymous=st.booleans(), urgent=st.booleans(), curators=st.booleans())
    def puts_a_question(self, asker: str, anonymous: bool, urgent: bool, curators: bool) -> None:
        ask_id = f"ask{len(self.put)}"
        self.put[ask_id] = (asker, anonymous)
        self.to_curators |= {ask_id} if curators else set()
        put = Put(
            *(WORKSPACE, ask_id, asker, f"{QUESTION_OF}{ask_id}", Subject(roles=(ROLE,)), "Prompt Engineer", None),
            anonymous=anonymous,
            urgent=urgent,
            to_curators=curators,
        )
        # The same form twice: the first may end with its process, after which nobody has seen that it was taken.
        for _ in range(2):
            self.office.run(self.office.desk.put(put))

    @rule(which=st.integers(0, 50), event=st.sampled_from(EXPERT_EVENTS), stranger=st.booleans(), twice=st.booleans())
    def somebody_who_is_asked_clicks(self, which: int, event: Event, stranger: bool, twice: bool) -> None:
        ask = self._one(which)
        if ask is None:
            return
        actor = ask.holder.user if ask.holder and not stranger else EXPERTS[which % 6]
        details = Details(
            actor=actor,
            text=f"answer-of-{EXPERTS.index(actor) if actor in EXPERTS else 'other'}-words",
            source=f"{which}.{len(self.office.slack.posts)}",
            until=self.office.now + timedelta(days=1),
        )
        happened = [self.office.desk.happened(WORKSPACE, ask.id, event, details) for _ in range(1 + twice)]
        self.office.run(_together(happened))

    @rule(which=st.integers(0, 50), to=st.sampled_from((*EXPERTS, *ASKERS)))
    def somebody_hands_it_over(self, which: int, to: str) -> None:
        ask = self._one(which)
        if ask is not None and ask.holder is not None and ask.holder.user != to:
            self.office.run(self.office.desk.hand_over(WORKSPACE, ask.id, ask.holder.user, to, "note-words"))

    @rule(which=st.integers(0, 50), event=st.sampled_from(ASKER_EVENTS))
    def the_asker_clicks(self, which: int, event: Event) -> None:
        ask = self._one(which)
        if ask is None:
            return
        asker = self.put[ask.id][0]
        if asker in self.gone and event != "withdraw":
            return
        self.to_curators |= {ask.id} if event == "consent" else set()
        details = Details(actor=asker, text="further-words", asker=Asker(asker, f"D-{asker}", "0.0"))
        if ask.asker is not None:
            details = Details(actor=asker, text="further-words", asker=ask.asker)
        happened = [self.office.desk.happened(WORKSPACE, ask.id, event, details) for _ in range(2)]
        self.office.run(_together(happened))

    @rule(hours=st.sampled_from((1, 6, 26, 24 * 8)))
    def time_passes(self, hours: int) -> None:
        self.office.now += timedelta(hours=hours)

    @rule(crash=st.sampled_from(("", "before", "after")))
    def a_process_ends_around_the_next_transition(self, crash: Literal["", "before", "after"]) -> None:
        self.office.asks.crash = crash

    @rule(crash=st.booleans())
    def a_process_runs(self, crash: bool) -> None:
        self.office.slack.crash = crash
        self.office.run(self.office.courier.run())
        self.office.slack.crash = False

    @rule(user=st.sampled_from((*EXPERTS[:2], ASKERS[0])))
    def somebody_is_forgotten(self, user: str) -> None:
        self.gone.add(user)
        self.office.run(self.office.people.forget(WORKSPACE, user))

    @rule(user=st.sampled_from(EXPERTS), noticed=st.booleans())
    def somebody_leaves(self, user: str, noticed: bool) -> None:
        self.office.slack.left.add(user)
        if noticed:
            self.office.run(self.office.desk.left(WORKSPACE, user))

    @rule(user=st.sampled_from(EXPERTS), seen=st.sampled_from(("open", "hidden", "ask_first", "withdrawn")))
    def somebody_declares_anew(self, user: str, seen: Literal["open", "hidden", "ask_first", "withdrawn"]) -> None:
        withdrawn = seen == "withdrawn"
        terms = Terms(visibility="open" if seen == "withdrawn" else seen, weekly_cap=self.caps[user])
        roles: dict[str, Level] = {} if withdrawn else {ROLE: "lead"}
        self.office.run(self.office.people.declare(WORKSPACE, user, roles, {}, self.office.now, terms))
        self.open -= {user}
        if withdrawn:
            # Nothing is kept of whoever declares nothing, numbers of the week included.
            self.caps[user] = None
        elif seen == "open":
            self.open.add(user)
            self.unnamed.discard(user)

    @rule(which=st.integers(0, 50), side=st.sampled_from(("asker", "answerer")), yes=st.booleans())
    def somebody_says_whether_it_is_kept(self, which: int, side: Side, yes: bool) -> None:
        ask = self._one(which)
        if ask is None or (side == "asker" and self.put[ask.id][0] in self.gone):
            return
        consent = Consent(side, yes, "answer-to-keep" if side == "answerer" and yes else "")
        before = self.office.run(self.office.keepings.of(WORKSPACE, ask.id))
        after = self.office.run(self.office.keepings.says(WORKSPACE, ask.id, consent, (), self.office.now))
        if before is not None and after is not None and "no" in (before.asker_says, before.answerer_says):
            assert after.outcome in ("open", "rejected"), "a no is for good"

    @rule(really=st.sampled_from((False, False, True)))
    def the_app_is_removed(self, really: bool) -> None:
        if not really:
            return
        self.office.run(self.office.people.forget_workspace(WORKSPACE))
        self.removed |= self.put.keys()
        # What stands in Slack stays there, as it is: the bot has no token any more.
        self.office.slack.posts.clear()
        self.caps = dict.fromkeys(EXPERTS)
        self.unnamed, self.open = set(EXPERTS), set()

    @rule(user=st.sampled_from((*EXPERTS, *ASKERS)))
    def somebody_reads_their_data(self, user: str) -> None:
        told = str(self.office.run(self.office.people.kept(WORKSPACE, user)))
        others = ASKERS if user in EXPERTS else EXPERTS
        assert not [other for other in others if other in told], (user, told)

    @rule()
    def a_curator_looks(self) -> None:
        for one in self.office.run(self.office.asks.unanswered(WORKSPACE)) or ():
            for said in one.texts:
                assert said.removeprefix(QUESTION_OF) in self.to_curators, said

    @rule()
    def everything_is_written(self) -> None:
        """What the bot can still change names nobody who is not open now, and holds no word of whoever is forgotten."""
        office = self.office
        office.asks.crash = ""
        for _ in range(40):
            office.now += timedelta(seconds=90)
            office.run(office.courier.run())
            if not office.run(office.deliveries.waiting(office.now)):
                break
        asks: list[Ask] = office.run(office.every())
        at = {(f"D-{one.user}", one.ts): ask for ask in asks for one in ask.people if one.ts}
        at |= {(ask.asker.channel, ask.asker.ts): ask for ask in asks if ask.asker and ask.asker.ts}
        for post in office.slack.posts:
            ask = at.get((f"D-{post.user}", post.thread or post.ts))
            if ask is None or post.lost:
                continue
            if ask.asker is not None and post.user == ask.asker.user:
                seen = [user for user in EXPERTS if user not in self.open and user in post.shown]
                assert not seen, (seen, ask, post)
                for user in self.gone & {*EXPERTS}:
                    # Whoever was asked, or declared something, again since may have written anew.
                    wrote_anew = ask.askee(user) is not None
                    assert wrote_anew or f"answer-of-{EXPERTS.index(user)}-" not in post.shown, (user, ask, post)
            elif post.user in EXPERTS and self.put[ask.id][0] in self.gone and ask.asker is None and not ask.question:
                assert f"{QUESTION_OF}{ask.id}" not in post.shown and "further-words" not in post.shown, (ask, post)

    def _one(self, which: int) -> Ask | None:
        found = self.office.run(self.office.every())
        found = sorted((ask for ask in found if ask.question), key=lambda ask: ask.id)
        return found[which % len(found)] if found else None

    @invariant()
    def no_question_is_lost_or_with_two_people(self) -> None:
        office = self.office
        found: list[Ask] = office.run(office.every())
        for ask in found:
            has = [one for one in ask.people if one.outcome == "has"]
            assert len(has) == (1 if ask.state in WAITING else 0), ask
            assert ask.state in TIMERS
            if ask.state not in FINAL:
                assert ask.due <= ask.ends, ask
        there = {ask.id for ask in found}
        # Gone are only questions whose time is over, and those of people who were forgotten.
        for ask_id, (asker, _) in self.put.items():
            old = office.now > NOW + timedelta(days=30)
            assert ask_id in there or old or asker in self.gone or ask_id in self.removed, ask_id

    @invariant()
    def nobody_is_over_their_cap(self) -> None:
        office = self.office

        async def rows() -> set[tuple[str, str, Any]]:
            async with office.engine.connect() as connection:
                query = select(ask_people.c.ask_id, ask_people.c.user_id, ask_people.c.asked_at)
                return {(row.ask_id, row.user_id, monday_of(row.asked_at)) for row in await connection.execute(query)}

        # Those of questions that were erased since, too.
        self.asked |= office.run(rows())
        for (user, week), count in Counter((user, week) for _, user, week in self.asked).items():
            cap = self.caps.get(user)
            assert cap is None or user in self.gone or count <= cap, (user, week, count)

    @invariant()
    def nobody_reads_what_is_not_for_them(self) -> None:
        office = self.office
        for post in office.slack.posts:
            if post.user in ASKERS and QUESTION_OF in post.said:
                # To the asker: nobody who is not to be named.
                mine = {ask_id for ask_id, (asker, _) in self.put.items() if asker == post.user}
                if not any(f"{QUESTION_OF}{ask_id}" in post.said for ask_id in mine):
                    continue
                assert not [user for user in self.unnamed if user in post.said], post
            elif post.user in EXPERTS:
                for ask_id, (asker, anonymous) in self.put.items():
                    if anonymous and f"{QUESTION_OF}{ask_id} " in post.said.replace("'", " ").replace("\\n", " "):
                        assert asker not in post.said, post

    @invariant()
    def nobody_is_written_to_at_night(self) -> None:
        for post in self.office.slack.posts:
            if post.user in EXPERTS:
                zone = ZONES[sum(map(ord, post.user)) % 3]
                assert may_write(post.at, zone, urgent=True) or may_write(post.at, zone, urgent=False), post

    def teardown(self) -> None:
        """Every question ends by the clock alone, and is then gone."""
        office = self.office
        office.asks.crash = ""
        for _ in range(4):
            for _ in range(6):
                office.now += timedelta(days=4)
                office.run(office.courier.run())
        for _ in range(8):
            office.now += timedelta(days=16)
            office.run(office.courier.run())
        assert office.run(office.every()) == []
        assert not any(office.run(office.asks.counts()).values())
        logged = "\n".join(self.logged)
        told = (QUESTION_OF, "answer-", "further-words", "note-words", "U0EXPERT", "U0ASKER", "Name-")
        assert not [said for said in told if said in logged], logged


async def _together(happened: Sequence[Awaitable[Any]]) -> None:
    await asyncio.gather(*happened)


def _hold(office: Office, examples: int, steps: int) -> None:
    class Here(Questions):
        pass

    Here.office, Here.logged = office, []
    log = logging.getLogger()
    heard = Lines(Here.logged)
    log.addHandler(heard)
    try:
        run_state_machine_as_test(
            Here, settings=settings(max_examples=examples, stateful_step_count=steps, deadline=None)
        )
    finally:
        log.removeHandler(heard)
        office.close()


def test_whatever_happens_on_sqlite(empty_database: Path, tmp_path: Path) -> None:
    _hold(Office(url(Path(shutil.copy(empty_database, tmp_path / "asks.sqlite3")))), 10, 25)


@pytest.mark.usefixtures("faults")
def test_whatever_happens_on_postgresql(postgres: str) -> None:
    _hold(Office(postgres), 3, 20)
