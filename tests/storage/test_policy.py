"""The index, the query and the choice together give what the ranking policy says, for any team."""

from __future__ import annotations

import random
import shutil
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from knowledge.answers import Subject
from knowledge.people import Level, Terms, choose
from storage.people import SqlPeople
from storage.team_entries import SqlTeamEntries
from storage.threads import SqlThreads
from tests.conftest import MakeGuide
from tests.databases import BOTH, empty_tables
from tests.policy import (
    ROLES,
    TOPICS,
    LookedUp,
    Office,
    by_the_policy,
    check,
    declared_by_the_port,
    passed_over,
    random_team,
)
from tests.storage.conftest import NOW, url


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


TOPICS_ASKED = st.lists(st.sampled_from(TOPICS), unique=True, max_size=1)
ROLES_ASKED = st.tuples(st.permutations(ROLES), st.sampled_from((3, 2, 1, 0)))
SEEDS = st.integers(0, 2**32)


@settings(max_examples=40, deadline=None)
@given(size=st.integers(0, 12), topics=TOPICS_ASKED, roles=ROLES_ASKED, seed=SEEDS)
def test_whoever_is_chosen_is_chosen_by_the_policy(
    office: Office, size: int, topics: list[str], roles: tuple[list[str], int], seed: int
) -> None:
    rng = random.Random(seed)
    team, asked = declared_by_the_port(random_team(size, rng)), roles[0][: roles[1]]
    found, over = office.runner.run(office.asked(team, topics, asked, rng))
    check(team, topics, asked, found)
    assert over == passed_over(team, topics, asked, "U0")


def test_nobody_is_named_against_their_terms_in_two_thousand_workspaces(office: Office) -> None:
    """Never a deactivated, opted-out, hidden, capped or external person, nor one who wants to be asked first."""
    count = 2_000 if office.engine.dialect.name == "sqlite" else 200

    @settings(max_examples=count, deadline=None)
    @given(size=st.integers(0, 6), topics=TOPICS_ASKED, roles=ROLES_ASKED, seed=SEEDS)
    def hold(size: int, topics: list[str], roles: tuple[list[str], int], seed: int) -> None:
        team, asked = random_team(size, random.Random(seed)), roles[0][: roles[1]]
        check(team, topics, asked, office.runner.run(office.chosen(team, topics, asked)))

    hold()
    assert office.workspaces >= count


REAL = dict(zip(ROLES, ("mlops-engineer", "data-engineer", "prompt-engineer", "data-scientist"), strict=True))


def test_who_is_named_after_a_look_up_is_named_by_what_that_said(office: Office, make_guide: MakeGuide) -> None:
    """All are taken to be there and active, until Slack says otherwise; and only who is named is counted."""
    people = SqlPeople(office.engine, random.Random(0))
    guide = make_guide(people, SqlThreads(office.engine), lambda: NOW, SqlTeamEntries(office.engine))

    @settings(max_examples=150 if office.engine.dialect.name == "sqlite" else 30, deadline=None)
    @given(size=st.integers(0, 14), topics=TOPICS_ASKED, roles=ROLES_ASKED, seed=SEEDS)
    def hold(size: int, topics: list[str], roles: tuple[list[str], int], seed: int) -> None:
        drawn = random_team(size, random.Random(seed))
        team = [replace(one, roles={REAL[role]: level for role, level in one.roles.items()}) for one in drawn]
        asked = [REAL[role] for role in roles[0][: roles[1]]]
        known = [replace(one, status="active", is_bot=False, is_guest=False) for one in team]
        workspace = office.runner.run(office.write(known))
        before = office.runner.run(office.counted(workspace))
        subject, looked_up = Subject(tuple(asked), tuple(topics)), LookedUp(people, workspace, team)
        suggestion = office.runner.run(guide.suggest(workspace, subject, "U0", looked_up))
        found = [person.user for person in suggestion.people or suggestion.nearest]
        if by_the_policy(team, topics, asked, "U0"):
            check(team, topics, asked, found)
        else:
            assert set(found) <= {one.user for one in team if one.may_be_named(())}
        after = office.runner.run(office.counted(workspace))
        assert {user for user in after if after[user] != before.get(user)} == set(found)

    hold()


async def test_equals_are_named_equally_often(people: SqlPeople) -> None:
    lead: dict[str, Level] = {"r1": "lead"}
    users = [f"U{number}" for number in range(7)]
    for user in users:
        # One at a time declares: neither the order of declaring nor a cap that is not reached gives an advantage.
        await people.declare("T1", user, lead, {}, NOW, Terms(weekly_cap=1_000 if user == "U3" else None))
    first, named = Counter[str](), Counter[str]()
    for turn in range(210):
        now = NOW + timedelta(minutes=turn)
        rows = await people.candidates("T1", topics=(), roles=("r1",), without=f"asker{turn % 5}", now=now)
        chosen = [person.user for person in choose(rows, (), ("r1",))]
        await people.suggested("T1", chosen, now)
        first[chosen[0]] += 1
        named.update(chosen)
    assert first == dict.fromkeys(users, 30)
    assert named == dict.fromkeys(users, 90)


async def test_equals_who_ask_themselves_are_spread_fairly_too(people: SqlPeople) -> None:
    users = [f"U{number}" for number in range(6)]
    for user in users:
        await people.declare("T1", user, {"r1": "practitioner"}, {}, NOW)
    rng, first = random.Random(3), Counter[str]()
    for turn in range(240):
        now = NOW + timedelta(minutes=turn)
        rows = await people.candidates("T1", topics=(), roles=("r1",), without=rng.choice(users), now=now)
        chosen = [person.user for person in choose(rows, (), ("r1",))]
        await people.suggested("T1", chosen, now)
        first[chosen[0]] += 1
    assert max(first.values()) - min(first.values()) <= 3, first
