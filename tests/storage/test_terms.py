"""On which terms people are suggested: visibility, a weekly cap, topics that they are not to be asked about."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from knowledge.people import Level, Member, PassedOver, Terms, Visibility
from storage.database import open_engine
from storage.moments import monday_of
from storage.people import SqlPeople
from tests.databases import KEYS
from tests.storage.conftest import NOW

MLOPS: dict[str, Level] = {"mlops-engineer": "lead"}
WEEK = timedelta(days=7)


async def named(
    people: SqlPeople, topics: Sequence[str] = (), now: datetime = NOW, without: str = "asker"
) -> list[str]:
    rows = await people.candidates("T1", topics=topics, roles=[*MLOPS], without=without, now=now)
    return list(dict.fromkeys(row.user for row in rows))


async def passed_over(people: SqlPeople, topics: Sequence[str] = (), now: datetime = NOW) -> PassedOver:
    return await people.passed_over("T1", topics=topics, roles=[*MLOPS], without="asker", now=now)


@pytest.mark.parametrize(("visibility", "is_named"), [("open", True), ("ask_first", False), ("hidden", False)])
async def test_only_who_is_open_is_named(people: SqlPeople, visibility: Visibility, is_named: bool) -> None:
    await people.declare("T1", "ann", MLOPS, {"gdpr": "GDPR"}, NOW, Terms(visibility))
    assert await named(people) == (["ann"] if is_named else [])
    assert bool(await people.holders("T1", "mlops-engineer")) is is_named
    assert (await people.declared_topics("T1", ["gdpr"]) == ["gdpr"]) is is_named
    # Of who is hidden not even the number is told.
    assert await passed_over(people) == PassedOver(ask_first=visibility == "ask_first")


async def test_what_slack_says_of_a_person_does_not_unhide_them(people: SqlPeople) -> None:
    await people.declare("T1", "ann", MLOPS, {}, NOW, Terms("hidden"))
    await people.remember("T1", Member("ann", "Ann"), NOW)
    assert await named(people) == []


async def test_the_cap_counts_suggestions_of_a_week_and_ends_with_it(people: SqlPeople) -> None:
    await people.declare("T1", "ann", MLOPS, {}, NOW, Terms(weekly_cap=2))
    assert await people.suggested("T1", ["ann"], NOW) == {"ann": 1}
    [row] = await people.candidates("T1", topics=(), roles=[*MLOPS], without=None, now=NOW)
    assert (row.this_week, row.weekly_cap) == (1, 2)
    assert await people.suggested("T1", ["ann"], NOW) == {"ann": 2}
    assert await named(people) == []
    assert await people.suggested("T1", ["ann"], NOW) == {}
    assert await passed_over(people) == PassedOver(capped=1)
    monday = datetime.combine(monday_of(NOW) + WEEK, datetime.min.time(), UTC)
    assert await named(people, now=monday - timedelta(seconds=1)) == []
    assert await named(people, now=monday) == ["ann"]
    assert await people.suggested("T1", ["ann"], monday) == {"ann": 1}


async def test_a_new_week_begins_for_whoever_reached_the_cap_in_one_that_is_over(people: SqlPeople) -> None:
    monday = datetime.combine(monday_of(NOW) + WEEK, datetime.min.time(), UTC)
    caps = {"ann": 1, "ben": 2, "cleo": 0, "dora": 1, "eva": None}
    for user, cap in caps.items():
        await people.declare("T1", user, MLOPS, {}, NOW, Terms(weekly_cap=cap))
    await people.suggested("T1", ["ann", "ben"], NOW)
    await people.suggested("T1", ["dora"], monday)
    # Before the week is over nobody's begins: neither on its last second, nor for whoever was suggested in the next.
    assert await people.begin_week(monday - timedelta(seconds=1)) == 0
    assert await people.begin_week(monday) == 1
    assert await people.begin_week(monday) == 0
    rows = {row.user: row.this_week for row in await people.candidates("T1", topics=(), roles=[*MLOPS], **at(monday))}
    assert rows == {"ann": 0, "ben": 0, "eva": 0}
    assert await passed_over(people, now=monday) == PassedOver(capped=2)
    # As often as before, and not once more.
    assert await people.suggested("T1", ["ann"], monday) == {"ann": 1}
    assert await people.suggested("T1", ["ann"], monday) == {}
    assert "ann" not in await named(people, now=monday)


def at(now: datetime) -> dict[str, Any]:
    return {"without": None, "now": now}


async def test_no_cap_is_passed_by_whoever_is_suggested_while_their_week_begins(
    address: str, people: SqlPeople
) -> None:
    second = open_engine(address, KEYS)
    other = SqlPeople(second, random.Random(8))
    users = [f"u{number}" for number in range(6)]
    for user in users:
        await people.declare("T1", user, MLOPS, {}, NOW, Terms(weekly_cap=1))
        await people.suggested("T1", [user], NOW)
    later = NOW + WEEK
    await asyncio.gather(
        *(
            do
            for user in users
            for do in (people.begin_week(later), other.suggested("T1", [user], later), other.begin_week(later))
        )
    )
    for user in users:
        assert await people.suggested("T1", [user], later) == {}
    assert await named(people, now=later) == []
    await second.dispose()


async def test_a_cap_of_none_does_not_end_with_the_week(people: SqlPeople) -> None:
    await people.declare("T1", "ann", MLOPS, {}, NOW, Terms(weekly_cap=0))
    for now in (NOW, NOW + WEEK, NOW + 60 * WEEK):
        assert await named(people, now=now) == []
        assert await passed_over(people, now=now) == PassedOver(capped=1)
    assert [row.user for row in await people.holders("T1", "mlops-engineer")] == ["ann"]


async def test_a_card_names_who_holds_a_role_at_the_cap_too(people: SqlPeople) -> None:
    await people.declare("T1", "ann", MLOPS, {}, NOW, Terms(weekly_cap=1))
    await people.suggested("T1", ["ann"], NOW)
    assert [row.user for row in await people.holders("T1", "mlops-engineer")] == ["ann"]


async def test_many_suggestions_at_once_do_not_pass_the_cap(people: SqlPeople) -> None:
    for user in ("ann", "ben", "cleo"):
        await people.declare("T1", user, MLOPS, {}, NOW, Terms(weekly_cap=3))
    orders = [["ann", "ben", "cleo"], ["cleo", "ben", "ann"]]
    found = await asyncio.gather(*(people.suggested("T1", orders[at % 2], NOW) for at in range(10)))
    for user in ("ann", "ben", "cleo"):
        assert sorted(counts[user] for counts in found if user in counts) == [1, 2, 3]


async def test_changing_a_declaration_does_not_reset_the_count(people: SqlPeople) -> None:
    await people.declare("T1", "ann", MLOPS, {}, NOW, Terms(weekly_cap=1))
    await people.suggested("T1", ["ann"], NOW)
    await people.declare("T1", "ann", {"mlops-engineer": "learning"}, {}, NOW)
    assert await named(people) == []
    await people.declare("T1", "ann", MLOPS, {}, NOW, Terms(weekly_cap=None))
    assert await named(people) == ["ann"]


async def test_nobody_is_suggested_for_what_they_are_not_to_be_asked_about(people: SqlPeople) -> None:
    await people.declare("T1", "ann", MLOPS, {"kubernetes": "k8s"}, NOW, Terms(not_about={"gdpr": "GDPR"}))
    await people.declare("T1", "ben", MLOPS, {}, NOW)
    assert sorted(await named(people)) == ["ann", "ben"]
    assert await named(people, ["kubernetes"]) == ["ann", "ben"]
    assert await named(people, ["gdpr"]) == ["ben"]
    assert await passed_over(people, ["gdpr"]) == PassedOver(not_about=1)
    # Nor does it count as declared.
    assert await people.declared_topics("T1", ["gdpr"]) == []


async def test_terms_stay_until_others_are_given(people: SqlPeople) -> None:
    terms = Terms("ask_first", 3, {"gdpr": "GDPR"})
    await people.declare("T1", "ann", MLOPS, {}, NOW, terms)
    await people.declare("T1", "ann", {"data-engineer": "lead"}, {}, NOW)
    assert (await people.declaration("T1", "ann")).terms == terms
    await people.declare("T1", "ann", MLOPS, {}, NOW, Terms())
    assert (await people.declaration("T1", "ann")).terms == Terms()


async def test_who_declares_nothing_has_no_terms(people: SqlPeople) -> None:
    await people.declare("T1", "ann", MLOPS, {}, NOW, Terms("hidden", 1, {"gdpr": "GDPR"}))
    await people.declare("T1", "ann", {}, {}, NOW)
    assert await people.forget("T1", "ann") == 0
    assert (await people.declaration("T1", "ann")).terms == Terms()


async def test_bots_guests_leavers_and_the_asker_are_not_even_counted(people: SqlPeople) -> None:
    for user, member in (
        ("bot", Member("bot", "Bot", is_bot=True)),
        ("guest", Member("guest", "Guest", is_guest=True)),
        ("gone", Member("gone", "Gone", availability="deactivated")),
        ("asker", Member("asker", "Asker")),
    ):
        await people.declare("T1", user, MLOPS, {}, NOW, Terms("ask_first"))
        await people.remember("T1", member, NOW)
    assert await passed_over(people) == PassedOver()


async def test_topics_of_those_who_can_be_named_are_found_by_their_beginning(people: SqlPeople) -> None:
    for at in range(30):
        topics = {f"topic {at:02}": f"Topic {at:02}", "airflow": f"Airflow{at}", "air travel": "Air travel"}
        await people.declare("T1", f"U{at}", {}, topics, NOW)
    await people.declare("T1", "Uh", {}, {"airport": "Airport"}, NOW, Terms("hidden"))
    await people.declare("T1", "Ua", {}, {"airship": "Airship"}, NOW, Terms("ask_first", None, {"airbag": "Airbag"}))
    await people.declare("T2", "U0", {}, {"airlock": "Airlock"}, NOW)
    assert set(await people.topics_from("T1", "air")) == {"air travel", "airflow"}
    assert await people.topics_from("T1", "zebra") == []
    assert len(await people.topics_from("T1", "")) == 20
    assert await people.topics_from("T3", "") == []
    found = await people.spellings("T1", ["airflow", "airport", "airship", "airbag", "airlock", "topic 07"], "U0")
    assert set(found) == {"airflow", "topic 07"}
    assert found["airflow"].startswith("Airflow")
    assert found["topic 07"] == "Topic 07"
    assert await people.spellings("T1", ["topic 07"], "Uh") == {"topic 07": "Topic 07"}
    assert await people.spellings("T2", ["airlock"], "U0") == {}
    assert await people.spellings("T1", [], "U0") == {}
