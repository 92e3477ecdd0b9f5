"""The index, the query and the choice together give what the ranking policy says, for any team."""

from __future__ import annotations

import asyncio
import random
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import event

from knowledge.people import MOST_PEOPLE, Availability, Level, Member, choose
from storage.database import open_engine
from storage.people import SqlPeople
from tests.databases import BOTH, empty_tables
from tests.storage.conftest import NOW, url

ROLES = ("r1", "r2", "r3", "r4")
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
        if colleague.status == "deactivated" or colleague.is_bot or colleague.is_guest or colleague.user == asker:
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


def random_team(size: int, rng: random.Random) -> list[Colleague]:
    levels: tuple[Level, ...] = ("lead", "practitioner", "learning")
    # Mostly active: where everybody differs, chance and turns have nothing to decide.
    statuses: tuple[Availability, ...] = ("active", "active", "active", "away", "ooo", "deactivated")
    return [
        Colleague(
            user=f"U{number}",
            roles={role: rng.choice(levels) for role in ROLES if rng.random() < 0.3},
            topics=frozenset(topic for topic in TOPICS if rng.random() < 0.2),
            status=rng.choice(statuses),
            is_bot=rng.random() < 0.05,
            is_guest=rng.random() < 0.05,
            turn=rng.randrange(4),
        )
        for number in range(size)
    ]


class Office:
    """A database for teams, each in a workspace of its own, with the loop that its engine lives in."""

    def __init__(self, address: str) -> None:
        self.engine = open_engine(address)
        if self.engine.dialect.name == "sqlite":
            # Thousands of small writes: none of them has to survive a power cut.
            event.listen(self.engine.sync_engine, "connect", lambda found, _: found.execute("PRAGMA synchronous = OFF"))
        self.runner = asyncio.Runner()
        self.workspaces = 0

    def close(self) -> None:
        self.runner.run(self.engine.dispose())
        self.runner.close()

    async def chosen(
        self, team: Sequence[Colleague], topics: Sequence[str], roles: Sequence[str], asker: str, rng: random.Random
    ) -> list[str]:
        self.workspaces += 1
        workspace = f"T{self.workspaces}"
        people = SqlPeople(self.engine, rng)
        for one in team:
            await people.declare(workspace, one.user, one.roles, {topic: topic for topic in one.topics}, NOW)
            profile = Member(one.user, "", availability=one.status, is_bot=one.is_bot, is_guest=one.is_guest)
            await people.remember(workspace, profile, NOW)
        for turn in range(1, 4):
            users = [one.user for one in team if one.turn == turn]
            for user in users:
                await people.suggested(workspace, [user], NOW + timedelta(minutes=turn))
        rows = await people.candidates(workspace, topics=topics, roles=roles, without=asker, now=NOW)
        return [person.user for person in choose(rows, topics, roles)]


@pytest.fixture(scope="module", params=BOTH)
def office(
    request: pytest.FixtureRequest, empty_database: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Office]:
    if request.param == "postgresql":
        office = Office(request.getfixturevalue("postgres"))
        office.runner.run(empty_tables(office.engine))
    else:
        office = Office(url(Path(shutil.copy(empty_database, tmp_path_factory.mktemp("office") / "teams.sqlite3"))))
    yield office
    office.close()


@settings(max_examples=40, deadline=None)
@given(
    size=st.integers(0, 12),
    topics=st.lists(st.sampled_from(TOPICS), unique=True, max_size=1),
    roles=st.permutations(ROLES),
    most_roles=st.sampled_from((3, 2, 1, 0)),
    seed=st.integers(0, 2**32),
)
def test_whoever_is_chosen_is_chosen_by_the_policy(
    office: Office, size: int, topics: list[str], roles: list[str], most_roles: int, seed: int
) -> None:
    rng = random.Random(seed)
    team, roles, asker = random_team(size, rng), roles[:most_roles], "U0"
    found = office.runner.run(office.chosen(team, topics, roles, asker, rng))
    expected = by_the_policy(team, topics, roles, asker)
    assert len(found) == min(MOST_PEOPLE, sum(map(len, expected)))
    assert len(set(found)) == len(found)
    left = found
    for equals in expected:
        here, left = left[: len(equals)], left[len(equals) :]
        assert set(here) <= equals
