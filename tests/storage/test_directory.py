"""The directory: who stands in it, in which order, page by page while others come and go."""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncEngine

from knowledge.directory import MOST_COUNTED, MOST_FOUND, At, Entry, Wanted
from knowledge.freshness import CHECK_AFTER
from knowledge.people import Level, Listed, Member, Terms
from storage.bulk import SqlPeopleInBulk
from storage.directory import SqlDirectory
from storage.freshness import SqlFreshness
from storage.moments import FAR
from storage.people import SqlPeople
from storage.tables import listings
from tests.storage.conftest import NOW

MLOPS, DATA = "mlops-engineer", "data-engineer"


@pytest.fixture
def directory(engine: AsyncEngine) -> SqlDirectory:
    return SqlDirectory(engine)


async def declare(
    people: SqlPeople,
    user: str,
    name: str,
    roles: dict[str, Level] | None = None,
    topics: Sequence[str] = (),
    terms: Terms | None = None,
    **profile: Any,
) -> None:
    await people.declare("T1", user, roles or {}, {topic: topic.upper() for topic in topics}, NOW, terms)
    await people.remember("T1", Member(user, name, **profile), NOW)


async def names(directory: SqlDirectory, wanted: Wanted | None = None, workspace: str = "T1") -> list[str]:
    page = await directory.page(workspace, wanted or Wanted(), 100)
    assert not page.before and not page.after
    return [one.name for one in page.entries]


async def test_people_stand_in_the_order_of_names_whatever_their_letters(
    people: SqlPeople, directory: SqlDirectory
) -> None:
    for at, name in enumerate(["zoe Ahn", "Élodie Roy", "Ben Book", "émile b", "O'Brien, Al"]):
        await declare(people, f"U{at}", name, {MLOPS: "lead"})
    assert await names(directory) == ["Ben Book", "Élodie Roy", "émile b", "O'Brien, Al", "zoe Ahn"]
    assert await names(directory, workspace="T2") == []


async def test_an_entry_says_what_was_declared(people: SqlPeople, directory: SqlDirectory) -> None:
    await declare(people, "U1", "Ann", {DATA: "learning", MLOPS: "lead"}, ["gdpr"], tz="Asia/Tokyo", availability="ooo")
    [one] = (await directory.page("T1", Wanted(), 10)).entries
    assert one == Entry(At("ann", "U1"), "Ann", {MLOPS: "lead", DATA: "learning"}, ("GDPR",), NOW, "Asia/Tokyo", "ooo")
    assert (await directory.shown("T1", "U1")).entry == one


async def test_whoever_must_not_be_named_is_not_listed_and_comes_back(
    engine: AsyncEngine, people: SqlPeople, directory: SqlDirectory
) -> None:
    await declare(people, "U1", "Open", {MLOPS: "lead"})
    await declare(people, "U2", "First", {MLOPS: "lead"}, terms=Terms("ask_first"))
    await declare(people, "U3", "Hidden", {MLOPS: "lead"}, terms=Terms("hidden"))
    await declare(people, "U4", "Gone", {MLOPS: "lead"}, availability="deactivated")
    await declare(people, "U5", "Guest", {MLOPS: "lead"}, is_guest=True)
    await declare(people, "U6", "Bot", {MLOPS: "lead"}, is_bot=True)
    await declare(people, "U7", "Capped", {MLOPS: "lead"}, terms=Terms(weekly_cap=0))
    await declare(people, "U8", "Withdrawn", {MLOPS: "lead"})
    await people.declare("T1", "U8", {}, {}, NOW)
    await declare(people, "U9", "Forgotten", {MLOPS: "lead"})
    await people.forget("T1", "U9")
    assert await names(directory) == await names(directory, Wanted(MLOPS)) == ["Capped", "Open"]
    assert await names(directory, Wanted(name="f")) == []
    assert (await directory.shown("T1", "U3")).entry is None
    await declare(people, "U3", "Hidden", {MLOPS: "lead"}, terms=Terms("open"))
    assert await names(directory) == ["Capped", "Hidden", "Open"]


async def test_what_fades_is_not_listed_until_it_is_confirmed(
    engine: AsyncEngine, people: SqlPeople, directory: SqlDirectory
) -> None:
    fresh = SqlFreshness(engine)
    await declare(people, "U1", "Ann", {MLOPS: "lead"})
    shown = await directory.shown("T1", "U1")
    assert not shown.faded
    [due] = await fresh.due(FAR, 10)
    claimed = await fresh.claim(due, NOW + CHECK_AFTER)
    assert claimed is not None
    assert await fresh.fade(due, claimed)
    assert await names(directory) == []
    shown = await directory.shown("T1", "U1")
    assert shown.faded and shown.entry is None
    await fresh.confirm("T1", "U1", NOW)
    assert await names(directory) == ["Ann"]


async def test_it_is_filtered_by_role_and_by_topic_and_by_both(people: SqlPeople, directory: SqlDirectory) -> None:
    await declare(people, "U1", "Ann", {MLOPS: "lead"}, ["gdpr"])
    await declare(people, "U2", "Ben", {MLOPS: "learning"}, ["lora"])
    await declare(people, "U3", "Cai", {DATA: "lead"}, ["gdpr"])
    assert await names(directory, Wanted(MLOPS)) == ["Ann", "Ben"]
    assert await names(directory, Wanted(topic="gdpr")) == ["Ann", "Cai"]
    assert await names(directory, Wanted(MLOPS, "gdpr")) == ["Ann"]
    assert await names(directory, Wanted("zebra")) == []


async def test_a_search_goes_by_any_word_of_a_name_and_by_topics(people: SqlPeople, directory: SqlDirectory) -> None:
    await declare(people, "U1", "Ann Book", {MLOPS: "lead"})
    await declare(people, "U2", "Booker Tee", {DATA: "lead"})
    await declare(people, "U3", "Jean-Luc Bo", {DATA: "lead"}, ["bookkeeping"])
    await declare(people, "U4", "Dee", {DATA: "lead"})
    assert await names(directory, Wanted(name="boo")) == ["Ann Book", "Booker Tee"]
    assert await names(directory, Wanted(name="luc b")) == ["Jean-Luc Bo"]
    assert await names(directory, Wanted(name="boo", topics=("bookkeeping",))) == [
        "Ann Book",
        "Booker Tee",
        "Jean-Luc Bo",
    ]
    assert await names(directory, Wanted(DATA, name="boo", topics=("bookkeeping",))) == ["Booker Tee", "Jean-Luc Bo"]
    assert await names(directory, Wanted(name="100%")) == []


async def test_whoever_changes_a_name_is_found_by_the_new_one(people: SqlPeople, directory: SqlDirectory) -> None:
    await declare(people, "U1", "Ann Book", {MLOPS: "lead"})
    await people.remember("T1", Member("U1", "Ann Marsh"), NOW)
    assert await names(directory, Wanted(name="book")) == []
    assert await names(directory, Wanted(name="marsh")) == ["Ann Marsh"]


async def test_whoever_has_no_profile_yet_stands_there_by_id(people: SqlPeople, directory: SqlDirectory) -> None:
    await people.declare("T1", "U7", {MLOPS: "lead"}, {}, NOW)
    [one] = (await directory.page("T1", Wanted(), 10)).entries
    assert (one.at, one.name) == (At("u7", "U7"), "")


@pytest.mark.parametrize("wanted", [Wanted(), Wanted(MLOPS), Wanted(topic="gdpr"), Wanted(name="member")])
async def test_pages_miss_nobody_and_show_nobody_twice_while_others_declare(
    engine: AsyncEngine, people: SqlPeople, directory: SqlDirectory, wanted: Wanted
) -> None:
    bulk = SqlPeopleInBulk(engine, random.Random(1))
    there = [f"U{at:03}" for at in range(150)]
    # Ten share each name: the order among them is that of their ids.
    listed = [
        Listed(Member(user, f"Member {at // 10:02}"), {MLOPS: "lead"}, {"gdpr": "GDPR"})
        for at, user in enumerate(there)
    ]
    await bulk.declare_many("T1", listed, NOW)
    seen: list[str] = []
    at, more = None, True
    pages = []
    while more:
        page = await directory.page("T1", wanted, 7, at)
        seen += [one.at.user for one in page.entries]
        pages.append(page)
        at, more = page.entries[-1].at, page.after
        # Somebody new on a page that was turned already, and somebody on one that is yet to come.
        await declare(people, f"V{len(pages)}", f"Aaron member {len(pages)}", {MLOPS: "lead"}, ["gdpr"])
        await declare(people, f"W{len(pages)}", f"Zoe member {len(pages)}", {MLOPS: "lead"}, ["gdpr"])
        if len(pages) > 60:
            break
        if len(pages) == 5:
            await people.forget("T1", at.user)
    assert [user for user in seen if user.startswith("U")] == there
    assert len(seen) == len(set(seen))
    assert not pages[0].before and all(page.before for page in pages[1:])
    # And back again.
    page = await directory.page("T1", wanted, 7, pages[3].entries[0].at, back=True)
    assert page.entries == pages[2].entries
    assert page.before and page.after


async def test_a_page_that_nobody_is_left_on_is_the_first(people: SqlPeople, directory: SqlDirectory) -> None:
    await declare(people, "U1", "Ann", {MLOPS: "lead"})
    for back, at in ((False, At("zoe", "U9")), (True, At("aaron", "U0"))):
        page = await directory.page("T1", Wanted(), 5, at, back=back)
        assert [one.name for one in page.entries] == ["Ann"]
        assert not page.before and not page.after


async def test_counts_end_at_a_thousand_and_a_search_says_where_it_ends(
    engine: AsyncEngine, directory: SqlDirectory
) -> None:
    bulk = SqlPeopleInBulk(engine, random.Random(1))
    people = [Listed(Member(f"U{at:05}", f"Ann {at:05}"), {MLOPS: "lead"}, {}) for at in range(MOST_COUNTED + 5)]
    await bulk.declare_many("T1", people, NOW)
    await bulk.declare_many("T1", [Listed(Member("V1", "Ben"), {DATA: "lead"}, {})], NOW)
    assert await directory.counts("T1", [MLOPS, DATA, "zebra"]) == {
        "": MOST_COUNTED + 1,
        MLOPS: MOST_COUNTED + 1,
        DATA: 1,
        "zebra": 0,
    }
    page = await directory.page("T1", Wanted(name="ann"), MOST_FOUND + 50)
    assert len(page.entries) == MOST_FOUND and not page.all_found
    assert (await directory.page("T1", Wanted(name="ann 0000"), 50)).all_found


async def test_nothing_is_left_of_whoever_declares_nothing(engine: AsyncEngine, people: SqlPeople) -> None:
    await declare(people, "U1", "Ann Book", {MLOPS: "lead"}, ["gdpr"])
    async with engine.connect() as connection:
        under = {(row.kind, row.key) for row in await connection.execute(select(listings))}
    assert under == {("all", ""), ("role", MLOPS), ("topic", "gdpr"), ("name", "ann book"), ("name", "book")}
    await people.declare("T1", "U1", {}, {}, NOW)
    async with engine.connect() as connection:
        assert (await connection.execute(select(listings))).all() == []
