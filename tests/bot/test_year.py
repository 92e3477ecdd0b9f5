"""A year of a workspace of 500, on a moved clock: who was written to when, and that leavers are left alone."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any, Literal, cast

import pytest_asyncio
from aiohttp import ConnectionTimeoutError
from slack_sdk.web.async_client import AsyncWebClient
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncEngine

from handlers.blocks.message import Message
from handlers.freshness import MOST_A_RUN, RUN_SECONDS, Rounds
from handlers.members import profile_changed
from knowledge.catalog import load_catalog
from knowledge.freshness import ASK_AGAIN, BEGIN, CHECK_AFTER, END, Due, zone
from knowledge.people import Candidate, Declaration, Level, Member
from knowledge.ports import Freshness, People
from knowledge.workspaces import Settings
from storage.database import migrate, open_engine
from storage.freshness import SqlFreshness
from storage.moments import FAR
from storage.people import SqlPeople
from storage.tables import terms
from storage.workspaces import SqlWorkspaces

TEAM = "T0YEAR00001"
ROLES = ("mlops-engineer", "data-engineer")
BEGINS = datetime(2026, 1, 1, tzinfo=UTC)
ENDS = BEGINS + timedelta(days=365)
ZONES = (
    "Europe/Berlin",
    "America/New_York",
    "Asia/Kolkata",
    "Asia/Tokyo",
    "Pacific/Auckland",
    "America/Lima",
    "UTC",
    "",
)
Habit = Literal["answers", "is late", "is silent", "stops", "comes back"]
HABITS: tuple[Habit, ...] = ("answers", "is late", "is silent", "stops", "comes back")
DOWN = (BEGINS + timedelta(days=150), BEGINS + timedelta(days=171))
"""Three weeks in which the bot is down."""


@dataclass
class Person:
    """One of the workspace; what they do when they are asked is drawn once."""

    user: str
    tz: str
    habit: Habit
    leaves: datetime | None
    told: bool
    """Slack tells the bot that the person has left."""
    got: list[tuple[datetime, str]] = field(default_factory=list)
    answered: list[datetime] = field(default_factory=list)
    """When the person confirmed, in this year."""
    stopped: datetime | None = None
    unsure: list[datetime] = field(default_factory=list)
    """When the person got a message whose answer from Slack was lost."""

    def has_left(self, now: datetime) -> bool:
        return self.leaves is not None and now >= self.leaves

    def profile(self, now: datetime) -> Member:
        return Member(self.user, self.user, tz=self.tz, availability="deactivated" if self.has_left(now) else "active")


@dataclass
class Row:
    confirmed: datetime
    check_at: datetime | None
    unanswered: int = 0
    faded: bool = False
    tz: str = ""
    gone: bool = False


async def nothing_asked(workspace: str, user: str) -> None:
    """Nobody asks anything in this year."""


class Memory:
    """What the database keeps, as far as the year needs it; that both do the same, tests/storage shows."""

    def __init__(self) -> None:
        self.rows: dict[str, Row] = {}
        self.minute = BEGINS

    async def declare(
        self, workspace: str, user: str, roles: dict[str, Level], topics: dict[str, str], now: datetime
    ) -> None:
        self.rows[user] = Row(now, now + CHECK_AFTER)

    async def remember(self, workspace: str, member: Member, now: datetime, *, looked_up: bool = True) -> None:
        row = self.rows[member.user]
        row.tz, row.gone = member.tz, not member.suggestible

    async def declaration(self, workspace: str, user: str) -> Declaration:
        return Declaration({ROLES[0]: "lead"}, {}, self.rows[user].confirmed)

    async def candidates(
        self, workspace: str, *, topics: Sequence[str], roles: Sequence[str], without: str | None, now: datetime
    ) -> list[Candidate]:
        return [
            Candidate(user, user, "role", ROLES[0], "", "lead", "active", row.confirmed)
            for user, row in self.rows.items()
            if not row.faded and not row.gone
        ]

    async def next_turn(self) -> datetime:
        return min((row.check_at for row in self.rows.values() if row.check_at), default=ENDS)

    async def due(self, now: datetime, most: int) -> list[Due]:
        found = sorted((row.check_at, user) for user, row in self.rows.items() if row.check_at and row.check_at <= now)
        rows = [(user, self.rows[user]) for _, user in found[:most]]
        return [Due(TEAM, user, row.tz, row.confirmed, row.unanswered) for user, row in rows]

    async def put_off(self, later: Sequence[tuple[Due, datetime]], now: datetime) -> None:
        for due, until in later:
            await self._change(due.user, check_at=until)

    async def take_minute(self, workspace: str, now: datetime, mine: datetime | None = None) -> datetime | None:
        if mine != self.minute and self.minute > now:
            return None
        self.minute = now + timedelta(minutes=1)
        return self.minute

    async def claim(self, due: Due, now: datetime) -> datetime | None:
        check_at = self.rows[due.user].check_at
        if check_at is None or check_at > now:
            return None
        await self._change(due.user, check_at=now + ASK_AGAIN)
        return now + ASK_AGAIN

    async def asked(self, due: Due, claimed: datetime) -> None:
        self.rows[due.user].unanswered += self.rows[due.user].check_at == claimed

    async def not_asked(self, due: Due, claimed: datetime, until: datetime) -> None:
        await self._change(due.user, check_at=until)

    async def fade(self, due: Due, claimed: datetime) -> bool:
        return await self._change(due.user, faded=True)

    async def told(self, due: Due, claimed: datetime) -> None:
        await self._change(due.user, check_at=FAR)

    async def confirm(self, workspace: str, user: str, now: datetime) -> bool:
        check_at = None if self.rows[user].check_at is None else now + CHECK_AFTER
        return await self._change(user, confirmed=now, check_at=check_at, unanswered=0, faded=False)

    async def responded(self, workspace: str, user: str) -> bool:
        return await self._change(user, unanswered=0)

    async def stop(self, workspace: str, user: str) -> bool:
        return await self._change(user, check_at=None, unanswered=0)

    async def _change(self, user: str, **changed: Any) -> bool:
        self.rows[user] = replace(self.rows[user], **changed)
        return True


CLIENT = AsyncWebClient("xoxb-none", base_url="http://127.0.0.1:9/api/")


class Defaults(SqlWorkspaces):
    """Every workspace has the settings that nobody changed."""

    def __init__(self) -> None:
        """Without a database."""

    async def settings(self, workspace: str) -> Settings:
        return Settings()


NextTurn = Callable[[], Awaitable[datetime]]


class Year:
    """The workspace, its clock, and what happens in it in the order of time."""

    def __init__(self, freshness: Freshness, people: People, members: int, next_turn: NextTurn, seed: int) -> None:
        self.rng = random.Random(seed)
        self.freshness = freshness
        self.people = people
        self.next_turn = next_turn
        self.at = BEGINS
        self.persons = {f"U{number:04}": self._person(f"U{number:04}") for number in range(members)}
        self.to_come: list[tuple[datetime, str, str]] = []
        roles = load_catalog().roles
        # Two processes, each with a round of its own.
        self.rounds = [
            Rounds(
                *(freshness, people, nothing_asked, Defaults(), roles, self.client_of, lambda: True, self.now),
                look_up=self.look_up,
                write=self.write,
            )
            for _ in range(2)
        ]
        self.suggested: list[tuple[datetime, str]] = []
        self.a_run: Counter[datetime] = Counter()

    def _person(self, user: str) -> Person:
        leaves = BEGINS + timedelta(hours=self.rng.randrange(1, 8760)) if self.rng.random() < 0.2 else None
        return Person(user, self.rng.choice(ZONES), self.rng.choice(HABITS), leaves, self.rng.random() < 0.8)

    def now(self) -> datetime:
        return self.at

    async def client_of(self, workspace: str) -> AsyncWebClient | None:
        return CLIENT if workspace == TEAM else None

    async def look_up(self, _client: AsyncWebClient, _workspace: str, user: str, _now: datetime) -> Member | None:
        # Now and then Slack does not say.
        return None if self.rng.random() < 0.01 else self.persons[user].profile(self.at)

    async def write(self, _client: AsyncWebClient, user: str, message: Message) -> None:
        if self.rng.random() < 0.01:
            # Surely not posted: it is tried again.
            raise ConnectionTimeoutError
        # Nobody knows whether these were posted; half of them are.
        times_out = self.rng.random() < 0.02
        if times_out and self.rng.random() < 0.5:
            raise TimeoutError
        person = self.persons[user]
        kind = "question" if message.text.startswith("Is this still right?") else "faded"
        person.got.append((self.at, kind))
        self.a_run[self.at] += 1
        if person.habit == "answers" or (person.habit == "is late" and kind == "question"):
            within = 3 if person.habit == "answers" else 25
            self.to_come.append((self.at + timedelta(days=self.rng.random() * within), "confirms", user))
        elif person.habit == "stops":
            self.to_come.append((self.at + timedelta(hours=1), "stops", user))
        elif person.habit == "comes back" and kind == "faded":
            self.to_come.append((self.at + timedelta(days=2), "confirms", user))
        if times_out:
            person.unsure.append(self.at)
            raise TimeoutError

    async def happens(self, what: str, user: str) -> None:
        person = self.persons[user]
        match what:
            case "leaves":
                event = {"type": "user_change", "user": {"id": user, "name": user, "deleted": True, "profile": {}}}
                body = {"team_id": TEAM, "event": event}
                await profile_changed(body, people=self.people, left=nothing_asked, now=self.now)
            case "confirms" if not person.has_left(self.at):
                await self.freshness.confirm(TEAM, user, self.at)
                person.answered.append(self.at)
            case "stops" if not person.has_left(self.at):
                await self.freshness.stop(TEAM, user)
                person.stopped = self.at
            case "asks":
                found = await self.people.candidates(TEAM, topics=(), roles=ROLES, without=None, now=self.at)
                self.suggested += [(self.at, row.user) for row in found]

    async def passes(self) -> None:
        """Let the year pass: from each turn, and from all that happens, to the next."""
        for user, person in self.persons.items():
            # All declared it in the four months before; the profile is known of two in three.
            then = BEGINS - timedelta(days=self.rng.randrange(120))
            await self.people.declare(TEAM, user, {self.rng.choice(ROLES): "lead"}, {}, then)
            if self.rng.random() < 0.67:
                await self.people.remember(TEAM, person.profile(then), then)
            if person.leaves and person.told:
                self.to_come.append((person.leaves, "leaves", user))
        self.to_come += [(BEGINS + timedelta(hours=12 * turn), "asks", "U0000") for turn in range(730)]
        runs = BEGINS
        while self.at < ENDS:
            self.to_come.sort(reverse=True)
            runs = max(await self.next_turn(), runs)
            if DOWN[0] <= runs < DOWN[1]:
                runs = DOWN[1]
            if self.to_come and self.to_come[-1][0] <= runs:
                self.at, what, user = self.to_come.pop()
                await self.happens(what, user)
            else:
                self.at = runs
                for rounds in self.rounds:
                    await rounds.run()
                runs += timedelta(seconds=RUN_SECONDS)


@pytest_asyncio.fixture
async def engine() -> AsyncIterator[AsyncEngine]:
    engine = open_engine("sqlite+aiosqlite://")
    await migrate(engine)
    yield engine
    await engine.dispose()


async def test_a_year_of_five_hundred() -> None:
    memory = Memory()
    year = Year(memory, cast(People, memory), 500, memory.next_turn, 6)
    await year.passes()
    assert_kept(year)
    # All of it has happened: each kind of message, leavers told of, many turns together after the downtime.
    kinds = Counter(kind for person in year.persons.values() for _, kind in person.got)
    assert kinds["question"] > 1_000
    assert kinds["faded"] > 100
    assert sum(person.leaves is not None and person.told for person in year.persons.values()) > 50
    assert sum(len(person.unsure) for person in year.persons.values()) > 10
    assert len({user for _, user in year.suggested}) > 400
    after = [at for person in year.persons.values() for at, _ in person.got if at >= DOWN[1]]
    assert sum(at < DOWN[1] + timedelta(days=2) for at in after) > 50


async def test_a_year_of_forty_over_a_database(engine: AsyncEngine) -> None:
    async def next_turn() -> datetime:
        async with engine.connect() as connection:
            return await connection.scalar(select(func.min(terms.c.check_at))) or ENDS

    year = Year(SqlFreshness(engine), SqlPeople(engine, random.Random(6)), 40, next_turn, 6)
    await year.passes()
    assert_kept(year)
    assert len([at for person in year.persons.values() for at, _ in person.got]) > 100


def assert_kept(year: Year) -> None:
    """Check that every promise was kept to everybody."""
    persons = year.persons.values()
    everything = [(at, person) for person in persons for at, _ in person.got]
    # Nobody at night or at a weekend, where they are.
    for at, person in everything:
        there = at.astimezone(zone(person.tz))
        assert there.weekday() < 5, (person.user, there)
        assert BEGIN <= there.time() < END, (person.user, there)
    # Nobody who had left, and nobody while the bot was down.
    assert not [person.user for at, person in everything if person.has_left(at)]
    assert not [at for at, _ in everything if DOWN[0] <= at < DOWN[1]]
    for person in persons:
        assert_as_promised(person)
    # No flood, though three weeks of turns had come together; two processes ran at each of these times.
    assert max(year.a_run.values()) <= MOST_A_RUN
    # Leavers of whom Slack told were suggested to nobody from then on.
    left = {person.user: person.leaves for person in persons if person.leaves and person.told}
    assert not [user for at, user in year.suggested if user in left and at > (left[user] or ENDS)]


def assert_as_promised(person: Person) -> None:
    """A question each two weeks at most, three without an answer, then once the news; a quarter after each answer.

    Questions of which the bot does not know whether Slack took them do not count among the three.
    """
    times = [at for at, _ in person.got]
    assert all(later - at >= ASK_AGAIN for at, later in pairwise(times)), person
    answers = sorted(person.answered)
    for at, kind in person.got:
        before = [answer for answer in answers if answer <= at]
        since = [(when, what) for when, what in person.got if when < at and (not before or when >= before[-1])]
        if before:
            # Not before a quarter has passed since the last answer.
            assert at - before[-1] >= CHECK_AFTER, person
        assert (kind == "faded") is (sum(when not in person.unsure for when, _ in since) == 3), person
        assert "faded" not in [what for _, what in since], person
        assert person.stopped is None or at <= person.stopped, person
