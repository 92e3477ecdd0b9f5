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
from tests.conftest import MakeGuide
from tests.databases import BOTH
from tests.policy import (
    ROLES,
    TOPICS,
    LookedUp,
    Meanwhile,
    Office,
    changed,
    check,
    declared_by_the_port,
    near,
    passed_over,
    random_team,
)
from tests.storage.conftest import NOW, url


@pytest.fixture(scope="module", params=BOTH)
def office(
    request: pytest.FixtureRequest,
    empty_database: Path,
    tmp_path_factory: pytest.TempPathFactory,
    make_guide: MakeGuide,
) -> Iterator[Office]:
    if request.param == "postgresql":
        office = Office(request.getfixturevalue("postgres_at_head")(), make_guide)
    else:
        office = Office(
            url(Path(shutil.copy(empty_database, tmp_path_factory.mktemp("office") / "teams.sqlite3"))), make_guide
        )
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
        office.runner.run(office.hold(team, topics, asked))

    hold()
    assert office.workspaces >= count


def test_who_is_named_after_a_look_up_is_named_by_what_that_said(office: Office) -> None:
    """All are taken to be there and active, until Slack says otherwise; and only who is named is counted."""

    @settings(max_examples=100 if office.engine.dialect.name == "sqlite" else 30, deadline=None)
    @given(size=st.integers(0, 14), topics=TOPICS_ASKED, roles=ROLES_ASKED, seed=SEEDS)
    def hold(size: int, topics: list[str], roles: tuple[list[str], int], seed: int) -> None:
        team, asked = random_team(size, random.Random(seed)), roles[0][: roles[1]]
        known = [replace(one, status="active", is_bot=False, is_guest=False) for one in team]
        workspace = office.runner.run(office.write(known))
        before = office.runner.run(office.counted(workspace))
        looked_up = LookedUp(office.people, workspace, team)
        found = office.runner.run(office.named(workspace, Subject(tuple(asked), tuple(topics)), looked_up))
        check(team, topics, near(team, topics, asked), found)
        after = office.runner.run(office.counted(workspace))
        assert {user for user in after if after[user] != before.get(user)} == set(found)

    hold()


def test_whoever_changes_their_mind_while_slack_says_nothing_is_neither_named_nor_counted(office: Office) -> None:
    @settings(max_examples=60 if office.engine.dialect.name == "sqlite" else 20, deadline=None)
    @given(size=st.integers(2, 8), topics=TOPICS_ASKED, roles=ROLES_ASKED, seed=SEEDS)
    def hold(size: int, topics: list[str], roles: tuple[list[str], int], seed: int) -> None:
        rng = random.Random(seed)
        team, asked = random_team(size, rng), roles[0][: roles[1]]
        workspace = office.runner.run(office.write(team))
        before = office.runner.run(office.counted(workspace))
        anew = {one.user: one for one in changed(team, rng)}
        meanwhile = Meanwhile(office.people, workspace, list(anew.values()))
        found = office.runner.run(office.named(workspace, Subject(tuple(asked), tuple(topics)), meanwhile))
        then = {one.user for one in team if anew.get(one.user, one).may_be_named(topics)}
        assert set(found) <= then & {one.user for one in team if one.may_be_named(topics)}
        after = office.runner.run(office.counted(workspace))
        assert {user for user in after if after[user] != before.get(user, 0)} == set(found)

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
