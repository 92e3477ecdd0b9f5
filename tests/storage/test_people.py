"""What members declared: who comes first, and what is kept."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Sequence
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import event, insert, select
from sqlalchemy.exc import StatementError
from sqlalchemy.ext.asyncio import AsyncEngine

from knowledge.people import LEVELS, Availability, Declaration, Level, Member
from storage.candidates import MOST_CANDIDATES
from storage.moments import NEVER
from storage.people import HOLDERS_SECONDS, SqlPeople
from storage.tables import declarations, metadata
from tests.storage.conftest import NOW

MLOPS, DATA, QA = "mlops-engineer", "data-engineer", "ai-qa-specialist"


async def declare(
    people: SqlPeople,
    user: str,
    roles: dict[str, Level] | None = None,
    topics: Sequence[str] = (),
    status: Availability = "active",
    workspace: str = "T1",
    is_bot: bool = False,
    is_guest: bool = False,
) -> None:
    await people.declare(workspace, user, roles or {}, {topic: topic.upper() for topic in topics}, NOW)
    await people.remember(
        workspace, Member(user, user.title(), availability=status, is_bot=is_bot, is_guest=is_guest), NOW
    )


async def order(
    people: SqlPeople,
    topics: Sequence[str] = (),
    roles: Sequence[str] = (),
    without: str | None = None,
    workspace: str = "T1",
) -> list[str]:
    """Return the users in the order of the candidates."""
    rows = await people.candidates(workspace, topics=topics, roles=roles, without=without, now=NOW)
    return list(dict.fromkeys(row.user for row in rows))


# The order of the policy


async def test_a_declared_topic_comes_before_any_role(people: SqlPeople) -> None:
    await declare(people, "lead", {MLOPS: "lead"})
    await declare(people, "learner", {QA: "learning"}, ["gdpr"])
    assert await order(people, ["gdpr"], [MLOPS]) == ["learner", "lead"]


async def test_the_best_fitting_role_comes_before_the_others(people: SqlPeople) -> None:
    await declare(people, "other", {DATA: "lead"})
    await declare(people, "best", {MLOPS: "learning"}, status="ooo")
    assert await order(people, (), [MLOPS, DATA]) == ["best", "other"]


async def test_all_roles_after_the_best_make_one_group(people: SqlPeople) -> None:
    await declare(people, "second", {DATA: "learning"})
    await declare(people, "third", {QA: "lead"})
    assert await order(people, (), [MLOPS, DATA, QA]) == ["third", "second"]


async def test_a_lead_of_the_third_role_is_not_crowded_out_by_many_of_the_second(people: SqlPeople) -> None:
    for number in range(MOST_CANDIDATES + 5):
        await declare(people, f"U{number}", {DATA: "practitioner"})
    await declare(people, "lead", {QA: "lead"})
    assert (await order(people, (), [MLOPS, DATA, QA]))[0] == "lead"


async def test_within_a_group_available_then_level_then_active(people: SqlPeople) -> None:
    standings: list[tuple[Availability, Level]] = [
        (status, level) for status in ("ooo", "away", "active") for level in reversed(LEVELS)
    ]
    for status, level in standings:
        await declare(people, f"{status}-{level}", {MLOPS: level}, status=status)
    assert await order(people, (), [MLOPS]) == [
        "active-lead",
        "away-lead",
        "active-practitioner",
        "away-practitioner",
        "active-learning",
        "away-learning",
        "ooo-lead",
        "ooo-practitioner",
        "ooo-learning",
    ]


async def test_a_topic_has_the_level_of_its_persons_best_role(people: SqlPeople) -> None:
    await declare(people, "none", {}, ["lora"])
    await declare(people, "learner", {QA: "learning"}, ["lora"])
    await declare(people, "lead", {QA: "learning", DATA: "lead"}, ["lora"])
    assert await order(people, ["lora"]) == ["lead", "learner", "none"]
    rows = await people.candidates("T1", topics=["lora"], roles=(), without=None, now=NOW)
    assert [row.level for row in rows] == ["lead", "learning", None]


async def test_nobody_is_shown_who_must_not_be(people: SqlPeople) -> None:
    await declare(people, "gone", {MLOPS: "lead"}, status="deactivated")
    await declare(people, "bot", {MLOPS: "lead"}, is_bot=True)
    await declare(people, "guest", {MLOPS: "lead"}, is_guest=True)
    await declare(people, "asker", {MLOPS: "lead"}, ["gdpr"])
    await declare(people, "other", {MLOPS: "learning"}, status="ooo")
    assert await order(people, ["gdpr"], [MLOPS], without="asker") == ["other"]


async def test_declaring_again_does_not_bring_a_deactivated_person_back(people: SqlPeople) -> None:
    await declare(people, "gone", {MLOPS: "lead"}, status="deactivated")
    await people.declare("T1", "gone", {DATA: "lead"}, {}, NOW)
    assert await order(people, (), [MLOPS, DATA]) == []


async def test_a_person_comes_back_when_the_profile_says_so(people: SqlPeople) -> None:
    await declare(people, "ann", {MLOPS: "lead"}, status="deactivated")
    await people.remember("T1", Member("ann", "Ann"), NOW)
    assert await order(people, (), [MLOPS]) == ["ann"]


async def test_nothing_asked_for_gives_nobody(people: SqlPeople) -> None:
    await declare(people, "ann", {MLOPS: "lead"})
    assert await order(people) == []


# Turns between equals


async def test_equals_take_turns(people: SqlPeople) -> None:
    for user in ("ann", "ben", "cleo"):
        await declare(people, user, {MLOPS: "lead"})
    seen = []
    for minute in range(9):
        first = (await order(people, (), [MLOPS]))[0]
        await people.suggested("T1", [first], NOW + timedelta(minutes=minute))
        seen.append(first)
    assert sorted(seen[:3]) == ["ann", "ben", "cleo"]
    assert seen == seen[:3] * 3


async def test_equals_of_two_further_roles_take_turns_too(people: SqlPeople) -> None:
    await declare(people, "second", {DATA: "lead"})
    await declare(people, "third", {QA: "lead"})
    await people.suggested("T1", ["second"], NOW)
    assert await order(people, (), [MLOPS, DATA, QA]) == ["third", "second"]


async def test_declaring_again_does_not_jump_the_queue(people: SqlPeople) -> None:
    await declare(people, "ann", {MLOPS: "lead"})
    await declare(people, "ben", {MLOPS: "lead"})
    await people.suggested("T1", ["ann"], NOW)
    await declare(people, "ann", {MLOPS: "lead"})
    assert await order(people, (), [MLOPS]) == ["ben", "ann"]


async def test_a_turn_does_not_outweigh_the_level(people: SqlPeople) -> None:
    await declare(people, "lead", {MLOPS: "lead"})
    await declare(people, "learner", {MLOPS: "learning"})
    await people.suggested("T1", ["lead"], NOW)
    assert await order(people, (), [MLOPS]) == ["lead", "learner"]


async def test_lots_decide_between_equals_not_the_order_of_declaring(engine: AsyncEngine) -> None:
    users = [f"U{number}" for number in range(6)]
    orders = set()
    for seed in range(8):
        people = SqlPeople(engine, random.Random(seed))
        for user in users:
            await declare(people, user, {MLOPS: "lead"}, workspace=f"T{seed}")
        orders.add(tuple(await order(people, (), [MLOPS], workspace=f"T{seed}")))
    assert len(orders) > 5
    assert {frozenset(found) for found in orders} == {frozenset(users)}


# How many, and how fast


async def fill(engine: AsyncEngine, count: int) -> None:
    rng = random.Random(1)
    rows = [
        {
            "workspace": "T1",
            "user_id": f"U{number:05}",
            "kind": kind,
            "key": key,
            "label": "",
            "level": rng.randrange(4),
            "confirmed_at": NOW,
            "suggestible": True,
            "out_of_office": rng.random() < 0.1,
            "away": rng.random() < 0.3,
            "suggested_at": NEVER,
            "free_from": NEVER,
            "lot": rng.getrandbits(31),
        }
        for number in range(count)
        for kind, key in (("topic", "gdpr"), ("role", MLOPS), ("role", DATA))
    ]
    async with engine.begin() as connection:
        await connection.execute(insert(declarations), rows)


async def test_at_most_twenty_people_come_of_five_thousand(engine: AsyncEngine, people: SqlPeople) -> None:
    await fill(engine, 5_000)
    rows = await people.candidates("T1", topics=["gdpr"], roles=[MLOPS, DATA], without="U00001", now=NOW)
    assert len({row.user for row in rows}) == MOST_CANDIDATES
    assert len(rows) <= 3 * MOST_CANDIDATES


async def test_many_topics_in_common_leave_room_for_others(people: SqlPeople) -> None:
    topics = [f"t{number}" for number in range(12)]
    await declare(people, "ann", {MLOPS: "lead"}, topics)
    await declare(people, "ben", {MLOPS: "lead"}, topics)
    await declare(people, "cleo", {MLOPS: "learning"}, topics[:1])
    assert (await order(people, topics, [MLOPS]))[2:] == ["cleo"]


async def test_a_text_of_any_length_may_be_searched_for_topics(people: SqlPeople) -> None:
    await declare(people, "ann", {}, ["gdpr"])
    keys = ["gdpr", *(f"word {number}" for number in range(100_000))]
    assert await people.declared_topics("T1", keys) == ["gdpr"]
    assert await order(people, keys) == ["ann"]


async def test_declared_topics_keep_the_given_order_and_leave_the_unavailable_out(people: SqlPeople) -> None:
    await declare(people, "ann", {}, ["gdpr", "lora"])
    await declare(people, "gone", {}, ["airflow"], status="deactivated")
    assert await people.declared_topics("T1", ["lora", "airflow", "gdpr", "jax"]) == ["lora", "gdpr"]
    assert await people.declared_topics("T1", []) == []


# Declaring


async def test_a_declaration_is_kept_as_given(people: SqlPeople) -> None:
    await people.declare("T1", "ann", {MLOPS: "lead", DATA: "learning"}, {"gdpr": "GDPR & co"}, NOW)
    found = await people.declaration("T1", "ann")
    assert found == Declaration({MLOPS: "lead", DATA: "learning"}, {"gdpr": "GDPR & co"}, NOW)
    assert list(found.roles) == [MLOPS, DATA]
    assert await people.count("T1") == 3


async def test_declaring_replaces_what_was_declared(people: SqlPeople) -> None:
    await people.declare("T1", "ann", {MLOPS: "lead"}, {"gdpr": "GDPR"}, NOW)
    later = NOW + timedelta(days=1)
    await people.declare("T1", "ann", {DATA: "learning"}, {}, later)
    assert await people.declaration("T1", "ann") == Declaration({DATA: "learning"}, {}, later)
    assert await order(people, ["gdpr"], [MLOPS]) == []


async def test_declaring_nothing_withdraws_and_drops_the_profile(people: SqlPeople) -> None:
    await declare(people, "ann", {MLOPS: "lead"}, ["gdpr"])
    await people.declare("T1", "ann", {}, {}, NOW)
    assert await people.declaration("T1", "ann") == Declaration({}, {}, None)
    assert await people.profile("T1", "ann") is None
    assert await people.count("T1") == 0


async def test_who_never_declared_has_an_empty_declaration(people: SqlPeople) -> None:
    assert await people.declaration("T1", "nobody") == Declaration({}, {}, None)


async def test_declaring_twice_at_once_leaves_one_of_both(people: SqlPeople) -> None:
    await asyncio.gather(
        people.declare("T1", "ann", {MLOPS: "lead"}, {}, NOW), people.declare("T1", "ann", {DATA: "lead"}, {}, NOW)
    )
    assert await people.count("T1") == 1


async def test_of_many_declarations_at_once_one_is_left_whole(people: SqlPeople) -> None:
    both: tuple[dict[str, Level], ...] = ({MLOPS: "lead", DATA: "lead"}, {QA: "learning", DATA: "learning"})
    topics = ({"gdpr": "GDPR"}, {"lora": "LoRA"})
    await asyncio.gather(*(people.declare("T1", "ann", both[at % 2], topics[at % 2], NOW) for at in range(10)))
    found = await people.declaration("T1", "ann")
    assert (found.roles, found.topics) in list(zip(both, topics, strict=True))
    assert await people.count("T1") == 3


async def test_a_turn_is_not_lost_by_declaring_at_the_same_moment(people: SqlPeople) -> None:
    await declare(people, "ben", {MLOPS: "lead"})
    for round_ in range(5):
        user = f"ann{round_}"
        await declare(people, user, {MLOPS: "lead", DATA: "lead"}, ["gdpr"])
        await asyncio.gather(
            *(people.declare("T1", user, {MLOPS: "lead"}, {"gdpr": "GDPR"}, NOW) for _ in range(3)),
            people.suggested("T1", [user], NOW),
            people.suggested("T1", [user], NOW),
        )
        assert (await order(people, (), [MLOPS]))[0] == "ben"


# Profiles


async def test_a_profile_is_kept_of_those_who_declared_something(people: SqlPeople) -> None:
    member = Member("ann", "Ann Archer", "Engineer", "Europe/Berlin", "away", is_bot=False, is_guest=True)
    await people.declare("T1", "ann", {MLOPS: "lead"}, {}, NOW)
    await people.remember("T1", member, NOW)
    assert await people.profile("T1", "ann") == member


async def test_no_profile_is_kept_of_anybody_else(people: SqlPeople) -> None:
    await people.remember("T1", Member("ben", "Ben"), NOW)
    assert await people.profile("T1", "ben") is None


async def test_the_candidate_shows_the_profile(people: SqlPeople) -> None:
    await people.declare("T1", "ann", {MLOPS: "lead"}, {"gdpr": "GDPR"}, NOW)
    [bare] = await people.candidates("T1", topics=["gdpr"], roles=(), without=None, now=NOW)
    assert (bare.name, bare.availability) == ("", "active")
    await people.remember("T1", Member("ann", "Ann", availability="ooo"), NOW)
    [known] = await people.candidates("T1", topics=["gdpr"], roles=(), without=None, now=NOW)
    assert (known.name, known.availability, known.label, known.confirmed) == ("Ann", "ooo", "GDPR", NOW)


async def test_over_long_profiles_are_cut(people: SqlPeople) -> None:
    await people.declare("T1", "ann", {MLOPS: "lead"}, {}, NOW)
    await people.remember("T1", Member("ann", "n" * 5_000, "t" * 5_000, "z" * 5_000), NOW)
    found = await people.profile("T1", "ann")
    assert found is not None
    assert (len(found.name), len(found.title), len(found.tz)) == (200, 300, 64)


async def test_unchecked_are_those_without_a_fresh_profile(people: SqlPeople) -> None:
    for user, age in (("fresh", 10), ("stale", 90)):
        await people.declare("T1", user, {MLOPS: "lead"}, {}, NOW)
        await people.remember("T1", Member(user, user), NOW - timedelta(minutes=age))
    since = NOW - timedelta(hours=1)
    assert await people.unchecked("T1", ["stale", "fresh", "never"], since) == ["stale", "never"]


async def test_when_somebody_was_looked_up_is_read_once_in_five_seconds_and_after_a_change(engine: AsyncEngine) -> None:
    passed, statements = [0.0], list[str]()
    people = SqlPeople(engine, random.Random(1), lambda: passed[0])
    for user in ("ann", "ben"):
        await people.declare("T1", user, {MLOPS: "lead"}, {}, NOW)
        await people.remember("T1", Member(user, user), NOW)
    event.listen(engine.sync_engine, "before_cursor_execute", lambda *given: statements.append(given[2]))

    async def read(users: Sequence[str], since: datetime, stale: Sequence[str] = ()) -> int:
        before = len(statements)
        assert await people.unchecked("T1", users, since) == list(stale)
        return len(statements) - before

    assert await read(["ann"], NOW) == 1
    assert await read(["ann"], NOW) == 0
    assert await read(["ben", "ann"], NOW) == 1
    assert await read(["ann", "ben"], NOW) == 0
    # Who is stale may have been looked up by another process.
    later = NOW + timedelta(hours=1)
    for _ in range(2):
        assert await read(["ann", "ben"], later, stale=["ann", "ben"]) == 1
    passed[0] += HOLDERS_SECONDS
    assert await read(["ann", "ben"], NOW) == 1
    await people.remember("T1", Member("ann", "ann"), later)
    assert await read(["ann", "ben"], NOW) == 1
    await people.forget("T1", "ann")
    assert await people.unchecked("T1", ["ann", "ben"], NOW) == ["ann"]


async def test_of_so_many_people_at_most_is_kept_when_they_were_looked_up(
    engine: AsyncEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("storage.people.HOLDERS_CHECKED", 1)
    monkeypatch.setattr("storage.people.HOLDERS_WORKSPACES", 1)
    people, statements = SqlPeople(engine, random.Random(1), lambda: 0.0), list[str]()
    for workspace, user in (("T1", "ann"), ("T1", "ben"), ("T2", "ann")):
        await people.declare(workspace, user, {MLOPS: "lead"}, {}, NOW)
        await people.remember(workspace, Member(user, user), NOW)
    event.listen(engine.sync_engine, "before_cursor_execute", lambda *given: statements.append(given[2]))
    for workspace, user in (("T1", "ann"), ("T1", "ben"), ("T1", "ann"), ("T2", "ann"), ("T1", "ann"), ("T1", "ann")):
        assert await people.unchecked(workspace, [user], NOW) == []
    assert len(statements) == 5, "only the last of them is known"


# Workspaces


async def test_workspaces_see_nothing_of_each_other(people: SqlPeople) -> None:
    await declare(people, "ann", {MLOPS: "lead"}, ["gdpr"])
    assert await order(people, ["gdpr"], [MLOPS], workspace="T2") == []
    assert await people.declared_topics("T2", ["gdpr"]) == []
    assert await people.declaration("T2", "ann") == Declaration({}, {}, None)
    assert await people.profile("T2", "ann") is None
    assert await people.unchecked("T2", ["ann"], NOW - timedelta(days=1)) == ["ann"]
    assert await people.count("T2") == 0


async def test_workspaces_change_nothing_of_each_other(engine: AsyncEngine, people: SqlPeople) -> None:
    await declare(people, "ann", {MLOPS: "lead"}, ["gdpr"])
    async with engine.connect() as connection:
        before = [(await connection.execute(select(table))).all() for table in metadata.sorted_tables]
    await people.suggested("T2", ["ann"], NOW)
    await people.remember("T2", Member("ann", "Other Ann", availability="deactivated"), NOW)
    await people.declare("T2", "ann", {}, {}, NOW)
    await people.forget("T2", "ann")
    await people.forget_workspace("T2")
    async with engine.connect() as connection:
        after = [(await connection.execute(select(table))).all() for table in metadata.sorted_tables]
    assert after == before


# Times


async def test_times_without_a_zone_are_refused(people: SqlPeople) -> None:
    naive = datetime(2026, 5, 4)  # noqa: DTZ001 - that is the point
    with pytest.raises(StatementError, match="with their zone"):
        await people.declare("T1", "ann", {MLOPS: "lead"}, {}, naive)
    assert await people.count("T1") == 0


async def test_times_come_back_in_utc_whatever_zone_they_had(people: SqlPeople) -> None:
    await people.declare("T1", "ann", {MLOPS: "lead"}, {}, NOW.astimezone(ZoneInfo("Asia/Kolkata")))
    confirmed = (await people.declaration("T1", "ann")).confirmed
    assert confirmed == NOW
    assert confirmed is not None and confirmed.tzinfo is not None and confirmed.utcoffset() == timedelta(0)
