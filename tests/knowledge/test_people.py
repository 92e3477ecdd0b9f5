"""Choosing people among candidates: the ranking policy, case by case."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import NamedTuple

import pytest

from knowledge.people import Availability, Candidate, Level, Member, choose, turned_down

WHEN = datetime(2026, 5, 4, tzinfo=UTC)


def topic(user: str, key: str, level: Level | None = None, status: Availability = "active") -> Candidate:
    return Candidate(user, user.title(), "topic", key, key.upper(), level, status, WHEN)


def role(user: str, key: str, level: Level = "practitioner", status: Availability = "active") -> Candidate:
    return Candidate(user, user.title(), "role", key, "", level, status, WHEN)


class Case(NamedTuple):
    """Candidates in the database's order, what was asked for, and who is named."""

    fact: str
    candidates: Sequence[Candidate]
    topics: Sequence[str]
    roles: Sequence[str]
    named: Sequence[str]


CASES = [
    Case("nobody declared it", [], ["gdpr"], ["r1"], []),
    Case("nothing is asked for", [role("ann", "r1")], [], [], []),
    Case("a topic beats a role", [role("ann", "r1", "lead"), topic("ben", "gdpr")], ["gdpr"], ["r1"], ["ben", "ann"]),
    Case(
        "a topic beats a role even out of office",
        [role("ann", "r1", "lead"), topic("ben", "gdpr", "learning", "ooo")],
        ["gdpr"],
        ["r1"],
        ["ben", "ann"],
    ),
    Case(
        "the best-fitting role beats the next",
        [role("ann", "r2", "lead"), role("ben", "r1", "learning")],
        [],
        ["r1", "r2"],
        ["ben", "ann"],
    ),
    Case(
        "all roles after the best make one group",
        [role("ann", "r2", "learning"), role("ben", "r3", "lead")],
        [],
        ["r1", "r2", "r3"],
        ["ben", "ann"],
    ),
    Case(
        "all topics make one group",
        [topic("ann", "gdpr", "learning"), topic("ben", "lora", "lead")],
        ["gdpr", "lora"],
        [],
        ["ben", "ann"],
    ),
    Case(
        "available comes before out of office, whatever the level",
        [role("ann", "r1", "lead", "ooo"), role("ben", "r1", "learning", "away")],
        [],
        ["r1"],
        ["ben", "ann"],
    ),
    Case(
        "the level comes before presence",
        [role("ann", "r1", "practitioner"), role("ben", "r1", "lead", "away")],
        [],
        ["r1"],
        ["ben", "ann"],
    ),
    Case(
        "lead, practitioner, learning",
        [role("cleo", "r1", "learning"), role("ben", "r1", "practitioner"), role("ann", "r1", "lead")],
        [],
        ["r1"],
        ["ann", "ben", "cleo"],
    ),
    Case(
        "active comes before away at the same level",
        [role("ann", "r1", "lead", "away"), role("ben", "r1", "lead")],
        [],
        ["r1"],
        ["ben", "ann"],
    ),
    Case(
        "a topic without any level comes last of the topic",
        [topic("ann", "gdpr"), topic("ben", "gdpr", "learning")],
        ["gdpr"],
        [],
        ["ben", "ann"],
    ),
    Case(
        "equals keep the order in which they came",
        [role("cleo", "r1"), role("ann", "r1"), role("ben", "r1")],
        [],
        ["r1"],
        ["cleo", "ann", "ben"],
    ),
    Case("three at most", [role(f"u{n}", "r1") for n in range(9)], [], ["r1"], ["u0", "u1", "u2"]),
    Case(
        "a person is named once, at the best place",
        [role("ann", "r1", "lead"), topic("ben", "gdpr"), role("ben", "r1"), topic("ann", "gdpr", "lead")],
        ["gdpr"],
        ["r1"],
        ["ann", "ben"],
    ),
    Case(
        "rows that nobody asked for do not count",
        [role("ann", "r9", "lead"), topic("ben", "other", "lead"), role("cleo", "r1")],
        ["gdpr"],
        ["r1"],
        ["cleo"],
    ),
    Case(
        "a topic and a role of the same name are two things",
        [topic("ann", "r1", "lead"), role("ben", "r1")],
        [],
        ["r1"],
        ["ben"],
    ),
]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.fact)
def test_the_policy(case: Case) -> None:
    assert [person.user for person in choose(case.candidates, case.topics, case.roles)] == list(case.named)


def test_reasons_are_given_strongest_first() -> None:
    rows = [role("ann", "r2", "learning"), role("ann", "r1", "lead"), topic("ann", "gdpr", "lead")]
    [person] = choose(rows, ["gdpr"], ["r1", "r2"])
    assert [(reason.kind, reason.key, reason.level) for reason in person.reasons] == [
        ("topic", "gdpr", None),
        ("role", "r1", "lead"),
        ("role", "r2", "learning"),
    ]
    assert person.reasons[0].label == "GDPR"
    assert person.reasons[0].confirmed == WHEN


def test_the_person_shows_name_and_availability() -> None:
    [person] = choose([role("ann", "r1", status="ooo")], (), ("r1",))
    assert (person.user, person.name, person.availability) == ("ann", "Ann", "ooo")


def test_more_than_three_can_be_asked_for() -> None:
    assert len(choose([role(f"u{n}", "r1") for n in range(9)], (), ("r1",), most=4)) == 4


@pytest.mark.parametrize(
    ("member", "may"),
    [
        (Member("u", "U"), True),
        (Member("u", "U", availability="away"), True),
        (Member("u", "U", availability="ooo"), True),
        (Member("u", "U", availability="deactivated"), False),
        (Member("u", "U", is_bot=True), False),
        (Member("u", "U", is_guest=True), False),
    ],
)
def test_who_may_be_suggested_at_all(member: Member, may: bool) -> None:
    assert member.suggestible is may


@pytest.mark.parametrize(
    "text",
    [
        "someone who isn't Amara for mlops",
        "mlops, but not amara okafor",
        "anyone but Amara",
        "other than Jonas or Amara, who knows kafka",
        "not @amara",
    ],
)
def test_somebody_is_turned_down_by_name(text: str) -> None:
    assert turned_down(text, "Amara Okafor")


@pytest.mark.parametrize(
    "text", ["does Amara know mlops", "not mlops, ask Amara", "why not ask Amara", "isn't amaranth a plant", "not Ben"]
)
def test_who_is_only_spoken_of_is_not_turned_down(text: str) -> None:
    assert not turned_down(text, "Amara Okafor")


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("someone who isn't an expert", "An Nguyen"),
        ("someone who isn't an expert", "An"),
        ("those who are not will do", "Will Smith"),
        ("if not may I ask somebody", "May Lee"),
        ("anything but art", "Art Bo"),
        ("data that we should not mark", "Mark"),
        ("customers we do not bill", "Bill Hu"),
        ("so that they do not sue us", "Sue"),
    ],
)
def test_a_word_that_is_a_name_too_turns_nobody_down(text: str, name: str) -> None:
    assert not turned_down(text, name)
    assert turned_down(f"anyone but Jonas or @{name.split()[0]}", name)
    if " " in name:
        assert turned_down(f"who knows kafka, but not {name}?", name)


def test_whoever_has_no_name_is_not_turned_down() -> None:
    assert not turned_down("not me", "")
