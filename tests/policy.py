"""The ranking policy as plain as can be, and random workspaces to hold the real one against."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import event, insert, select

from knowledge.answers import Subject
from knowledge.people import (
    LEVELS,
    MOST_PEOPLE,
    Availability,
    Level,
    MayName,
    Member,
    PassedOver,
    Terms,
    Visibility,
    choose,
    named_freely,
)
from knowledge.suggesting import NEAR_ROLES, ToAsk
from storage.database import open_engine
from storage.moments import NEVER, monday_of
from storage.people import SqlPeople
from storage.standing import copy_standing
from storage.tables import declarations, members, terms
from storage.team_entries import SqlTeamEntries
from storage.threads import SqlThreads
from tests.bundled import CATALOG
from tests.conftest import MakeGuide
from tests.databases import KEYS

NOW = datetime(2026, 5, 6, 9, tzinfo=UTC)
THIS_WEEK = monday_of(NOW)
LAST_WEEK = THIS_WEEK - timedelta(days=7)
ROLES = ("mlops-engineer", "data-engineer", "prompt-engineer", "data-scientist")
TOPICS = ("t1", "t2", "t3")
BEFORE_OTHERS: dict[Level | None, int] = {"lead": 0, "practitioner": 1, "learning": 2, None: 3}


@dataclass(frozen=True)
class Colleague:
    """One member of a random team; ``turn`` is when the person was last suggested, in minutes, 0 for never."""

    user: str
    roles: dict[str, Level]
    topics: frozenset[str]
    status: Availability
    is_bot: bool
    is_guest: bool
    turn: int
    visibility: Visibility
    cap: int | None
    used: int
    """Suggestions in the week that was counted last."""
    last_week: bool
    """That week is over."""
    not_about: frozenset[str]
    faded: bool

    @property
    def is_external(self) -> bool:
        return self.is_bot or self.is_guest or self.status == "deactivated"

    @property
    def capped(self) -> bool:
        return self.cap is not None and (self.cap == 0 or (not self.last_week and self.used >= self.cap))

    def may_be_named(self, topics: Sequence[str]) -> bool:
        return self.visibility == "open" and self.may_be_asked(topics)

    def may_be_asked(self, topics: Sequence[str]) -> bool:
        willing = not self.faded and not self.capped
        return willing and not self.is_external and not self.not_about & set(topics)

    @property
    def standing_since(self) -> datetime:
        return NOW + timedelta(minutes=self.turn) if self.turn else NEVER


def best_level(colleague: Colleague) -> Level | None:
    return min(colleague.roles.values(), key=lambda level: BEFORE_OTHERS[level], default=None)


def standing(colleague: Colleague, level: Level | None) -> tuple[bool, int, bool, int]:
    """Return what orders people within a group: available, level, active, then the longest unsuggested."""
    return (colleague.status == "ooo", BEFORE_OTHERS[level], colleague.status == "away", colleague.turn)


def by_the_policy(
    team: Sequence[Colleague], topics: Sequence[str], roles: Sequence[str], asker: str
) -> list[frozenset[str]]:
    """Return groups of equals, best first: within one, chance may decide. As plain as can be, to be right."""
    places: dict[tuple[int, bool, int, bool, int], set[str]] = {}
    for colleague in team:
        if colleague.user == asker or not colleague.may_be_named(topics):
            continue
        reasons = []
        if colleague.topics & set(topics):
            reasons.append((0, *standing(colleague, best_level(colleague))))
        for place, role in enumerate(roles):
            if role in colleague.roles:
                group = 1 if place == 0 else 2
                reasons.append((group, *standing(colleague, colleague.roles[role])))
        if reasons:
            places.setdefault(min(reasons), set()).add(colleague.user)
    return [frozenset(places[place]) for place in sorted(places)]


def passed_over(team: Sequence[Colleague], topics: Sequence[str], roles: Sequence[str], asker: str) -> PassedOver:
    """Count who declared it and is not named, by why."""
    found: Counter[str] = Counter()
    for one in team:
        asked_for = one.topics & set(topics) or one.roles.keys() & set(roles)
        if one.user == asker or one.is_external or not asked_for:
            continue
        if one.faded:
            found["faded"] += 1
        elif one.visibility != "open":
            found[one.visibility] += 1
        elif one.not_about & set(topics):
            found["not_about"] += 1
        elif one.capped:
            found["capped"] += 1
        else:
            found[one.status] += 1
    whys = ("capped", "not_about", "ask_first", "faded", "away", "ooo")
    return PassedOver(*(found[why] for why in whys))


def random_team(size: int, rng: random.Random) -> list[Colleague]:
    # Mostly active, open and without a cap: where everybody differs, chance and turns have nothing to decide.
    statuses: tuple[Availability, ...] = ("active", "active", "active", "away", "ooo", "deactivated")
    visibilities: tuple[Visibility, ...] = ("open", "open", "open", "open", "ask_first", "hidden")
    return [
        Colleague(
            user=f"U{number}",
            roles={role: rng.choice(LEVELS) for role in ROLES if rng.random() < 0.3},
            topics=frozenset(topic for topic in TOPICS if rng.random() < 0.2),
            status=rng.choice(statuses),
            is_bot=rng.random() < 0.05,
            is_guest=rng.random() < 0.05,
            turn=rng.randrange(4),
            visibility=rng.choice(visibilities),
            cap=rng.choice((None, None, 0, 1, 2, 3)),
            used=rng.randrange(4),
            last_week=rng.random() < 0.3,
            not_about=frozenset(topic for topic in TOPICS if rng.random() < 0.1),
            faded=rng.random() < 0.1,
        )
        for number in range(size)
    ]


def changed(team: Sequence[Colleague], rng: random.Random) -> list[Colleague]:
    """Return those of the team who change their minds, or leave, as they are then."""
    differently: list[dict[str, Any]] = [
        *({"visibility": "hidden"}, {"visibility": "ask_first"}, {"not_about": frozenset(TOPICS)}),
        *({"status": "deactivated"}, {"is_guest": True}, {"cap": 0}),
    ]
    # Whoever says something has confirmed it.
    return [replace(one, faded=False, **rng.choice(differently)) for one in team if rng.random() < 0.5]


def check(team: Sequence[Colleague], topics: Sequence[str], roles: Sequence[str], found: Sequence[str]) -> None:
    """Hold who was chosen for U0 against the policy."""
    may = {one.user for one in team if one.may_be_named(topics) and one.user != "U0"}
    assert set(found) <= may, set(found) - may
    expected = by_the_policy(team, topics, roles, "U0")
    assert len(found) == min(MOST_PEOPLE, sum(map(len, expected)))
    assert len(set(found)) == len(found)
    left = list(found)
    for equals in expected:
        here, left = left[: len(equals)], left[len(equals) :]
        assert set(here) <= equals


def near(team: Sequence[Colleague], topics: Sequence[str], roles: Sequence[str]) -> Sequence[str]:
    """Return the roles of which people are named: where nobody can be for those asked for, those confused with them."""
    if roles and not by_the_policy(team, topics, roles, "U0"):
        return [note.role for note in CATALOG.roles[roles[0]].confused_with][:NEAR_ROLES]
    return roles


def check_to_ask(
    team: Sequence[Colleague], topics: Sequence[str], roles: Sequence[str], found: Sequence[ToAsk]
) -> None:
    """Hold whom a question of U0 may be put to against the policy."""
    turned = [replace(one, visibility="open" if one.visibility != "open" else "hidden") for one in team]
    named = {user for equals in by_the_policy(team, topics, roles, "U0") for user in equals}
    unnamed = {user for equals in by_the_policy(turned, topics, roles, "U0") for user in equals}
    assert {one.user for one in found if not one.named} == unnamed
    if named or unnamed:
        assert {one.user for one in found if one.named} == named
    else:
        check(team, topics, near(team, topics, roles), [one.user for one in found])


class Office:
    """A database for teams, each in a workspace of its own, with the loop that its engine lives in."""

    def __init__(self, address: str, make_guide: MakeGuide) -> None:
        self.engine = open_engine(address, KEYS)
        self.people = SqlPeople(self.engine, random.Random(0))
        self.guide = make_guide(self.people, SqlThreads(self.engine), lambda: NOW, SqlTeamEntries(self.engine))
        if self.engine.dialect.name == "sqlite":
            # Thousands of small writes: none of them has to survive a power cut.
            event.listen(self.engine.sync_engine, "connect", lambda found, _: found.execute("PRAGMA synchronous = OFF"))
        self.runner = asyncio.Runner()
        self.workspaces = 0

    def close(self) -> None:
        self.runner.run(self.engine.dispose())
        self.runner.close()

    async def asked(
        self, team: Sequence[Colleague], topics: Sequence[str], roles: Sequence[str], rng: random.Random
    ) -> tuple[list[str], PassedOver]:
        """Let everybody declare by the port, and count; return who is chosen for U0, and who was passed over."""
        self.workspaces += 1
        workspace, people = f"T{self.workspaces}", SqlPeople(self.engine, rng)
        for one in team:
            own = Terms(one.visibility, one.cap, {topic: topic for topic in one.not_about})
            labels = {topic: topic for topic in one.topics}
            await people.declare(workspace, one.user, one.roles, labels, NOW, own)
            await people.remember(workspace, _profile(one), NOW)
        for turn in range(1, 4):
            for user in [one.user for one in team if one.turn == turn]:
                await people.suggested(workspace, [user], NOW + timedelta(minutes=turn))
        asked: dict[str, Any] = {"topics": topics, "roles": roles, "without": "U0", "now": NOW}
        found = choose(await people.candidates(workspace, **asked), topics, roles)
        return [person.user for person in found], await people.passed_over(workspace, **asked, also_later=True)

    async def hold(self, team: Sequence[Colleague], topics: Sequence[str], roles: Sequence[str]) -> None:
        """Write the team as it stands, quickly, and hold who is named against the policy; of some, who may be asked."""
        workspace, subject = await self.write(team), Subject(tuple(roles), tuple(topics))
        if self.workspaces % 4 == 0:
            check_to_ask(team, topics, roles, await self.guide.to_ask(workspace, subject, "U0"))
        check(team, topics, near(team, topics, roles), await self.named(workspace, subject, named_freely))

    async def named(self, workspace: str, subject: Subject, may_name: MayName) -> list[str]:
        """Return who is named for a subject to U0."""
        suggestion = await self.guide.suggest(workspace, subject, "U0", may_name)
        return [person.user for person in suggestion.people or suggestion.nearest]

    async def write(self, team: Sequence[Colleague]) -> str:
        """Write the team into a workspace of its own, and return that."""
        self.workspaces += 1
        workspace = f"T{self.workspaces}"
        rows = [row for one in team for row in _declarations(workspace, one)]
        if not rows:
            return workspace
        declared = {row["user_id"] for row in rows}
        team = [one for one in team if one.user in declared]
        async with self.engine.begin() as connection:
            await connection.execute(insert(declarations), rows)
            await connection.execute(insert(terms), [_terms(workspace, one) for one in team])
            await connection.execute(insert(members), [_member(workspace, one) for one in team])
            for one in team:
                await copy_standing(connection, workspace, one.user)
        return workspace

    async def counted(self, workspace: str) -> dict[str, int]:
        """Return how often each was suggested in this week."""
        t = terms.c
        query = select(t.user_id, t.suggested).where(t.workspace == workspace, t.week == THIS_WEEK)
        async with self.engine.connect() as connection:
            return {row.user_id: row.suggested for row in await connection.execute(query)}


class LookedUp:
    """Say what Slack says of a team: of each who is about to be named, once."""

    def __init__(self, people: SqlPeople, workspace: str, team: Sequence[Colleague]) -> None:
        self.people = people
        self.workspace = workspace
        self.team = {one.user: one for one in team}

    async def __call__(self) -> bool:
        return True

    async def look_up(self, users: Sequence[str]) -> bool:
        found = [self.team.pop(user) for user in users if user in self.team]
        for one in found:
            await self.people.remember(self.workspace, _profile(one), NOW)
        return bool(found)


class Meanwhile(LookedUp):
    """Say nothing in time; meanwhile the team says what it does now, or leaves."""

    async def look_up(self, users: Sequence[str]) -> bool:
        for one in self.team.values():
            await self.people.remember(self.workspace, _profile(one), NOW)
            if one.roles or one.topics:
                own = Terms(one.visibility, one.cap, {topic: topic for topic in one.not_about})
                labels = {topic: topic for topic in one.topics}
                await self.people.declare(self.workspace, one.user, one.roles, labels, NOW, own)
        self.team.clear()
        return False


def _profile(one: Colleague) -> Member:
    return Member(one.user, "", availability=one.status, is_bot=one.is_bot, is_guest=one.is_guest)


def _declarations(workspace: str, one: Colleague) -> list[dict[str, Any]]:
    common = {
        "workspace": workspace,
        "user_id": one.user,
        "label": "",
        "confirmed_at": NOW,
        "suggestible": True,
        "out_of_office": False,
        "away": False,
        "suggested_at": one.standing_since,
        "lot": hash(one.user) % 1000,
        "free_from": NEVER,
    }
    best = BEFORE_OTHERS[best_level(one)]
    kept = [{**common, "kind": "role", "key": role, "level": BEFORE_OTHERS[level]} for role, level in one.roles.items()]
    kept += [{**common, "kind": "topic", "key": topic, "level": best} for topic in one.topics]
    # Nothing is kept of somebody who declares nothing.
    return kept and kept + [{**common, "kind": "not", "key": topic, "level": 3} for topic in one.not_about]


def _terms(workspace: str, one: Colleague) -> dict[str, Any]:
    return {
        "workspace": workspace,
        "user_id": one.user,
        "visibility": one.visibility,
        "weekly_cap": one.cap,
        "week": LAST_WEEK if one.last_week else THIS_WEEK,
        "suggested": one.used,
        "confirmed_at": NOW,
        "unanswered": 0,
        "faded": one.faded,
    }


def _member(workspace: str, one: Colleague) -> dict[str, Any]:
    return {
        "workspace": workspace,
        "user_id": one.user,
        "name": "",
        "title": "",
        "tz": "",
        "availability": one.status,
        "is_bot": one.is_bot,
        "is_guest": one.is_guest,
        "checked_at": NOW,
    }


def declared_by_the_port(team: Sequence[Colleague]) -> list[Colleague]:
    """Return the team as the port alone can make it: each suggested once, or never, and nobody faded."""
    return [
        replace(one, cap=one.cap if one.cap in (None, 0) else 3, used=min(one.turn, 1), last_week=False, faded=False)
        for one in team
    ]
