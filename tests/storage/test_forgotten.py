"""What is left of forgotten people, and what an import does with it."""

from __future__ import annotations

import asyncio
import random
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import select, text, update
from sqlalchemy.exc import StatementError
from sqlalchemy.ext.asyncio import AsyncEngine

from knowledge.people import Declaration, Listed, Member, Terms
from knowledge.workspaces import Recorded, Settings
from storage.bulk import MOST_AT_ONCE, SqlPeopleInBulk
from storage.database import open_engine
from storage.forgotten import forgotten_among
from storage.freshness import SqlFreshness
from storage.keys import Keys, KeysError, UnknownKey, new_key
from storage.marks import NAME, mark_of
from storage.people import SqlPeople
from storage.rotation import rotate
from storage.tables import forgotten, metadata, place_of, secrets
from storage.workspaces import SqlWorkspaces
from tests.databases import KEY, KEYS
from tests.storage.conftest import NOW

MLOPS = "mlops-engineer"


def listed(user: str, visibility: str = "", **given: object) -> Listed:
    terms = Terms(visibility, 3, {"gdpr": "GDPR"}) if visibility else None  # type: ignore[arg-type]
    return Listed(Member(user, user.title(), **given), {MLOPS: "lead"}, {"airflow": "Airflow"}, terms)  # type: ignore[arg-type]


@pytest.fixture
def bulk(engine: AsyncEngine) -> SqlPeopleInBulk:
    return SqlPeopleInBulk(engine, random.Random(7))


async def marks(engine: AsyncEngine) -> list[str]:
    async with engine.connect() as connection:
        return list(await connection.scalars(select(forgotten.c.mark)))


async def forgotten_of(engine: AsyncEngine, *users: str) -> frozenset[str]:
    async with engine.connect() as connection:
        return await forgotten_among(connection, "T1", users)


async def named(people: SqlPeople) -> list[str]:
    rows = await people.candidates("T1", topics=(), roles=[MLOPS], without=None, now=NOW)
    return sorted({row.user for row in rows})


async def test_a_keyed_hash_is_left_that_is_another_in_each_workspace(engine: AsyncEngine, people: SqlPeople) -> None:
    for workspace in ("T1", "T2"):
        await people.declare(workspace, "U0ANN", {MLOPS: "lead"}, {}, NOW)
        await people.forget(workspace, "U0ANN")
        await people.forget(workspace, "U0ANN")
    first, second = await marks(engine)
    assert first != second
    assert {len(first), len(second)} == {64}
    async with engine.connect() as connection:
        values = list(await connection.scalars(select(secrets.c.value)))
    assert len(set(values)) == 2
    # Encrypted: with what stands in the database alone no id can be tried out.
    assert not any(first == mark_of(value.encode(), "T1", "U0ANN") for value in values)
    key = bytes.fromhex(Keys([KEY]).unseal(values[0], place_of(secrets.c.value, "T1", NAME)))
    assert mark_of(key, "T1", "U0ANN") in (first, second) or mark_of(key, "T2", "U0ANN") in (first, second)


async def test_two_who_are_forgotten_at_once_share_the_first_key(engine: AsyncEngine, people: SqlPeople) -> None:
    users = [f"U{number}" for number in range(6)]
    await asyncio.gather(*(people.forget("T1", user) for user in users))
    assert await forgotten_of(engine, *users, "U9") == {*users}


async def test_an_import_leaves_the_forgotten_out_until_they_declare_something_themselves(
    engine: AsyncEngine, people: SqlPeople, bulk: SqlPeopleInBulk
) -> None:
    assert await bulk.declare_many("T1", [listed("ann"), listed("ben")], NOW) == ["added", "added"]
    await people.forget("T1", "ann")
    assert await bulk.declare_many("T1", [listed("ann"), listed("ben")], NOW) == ["forgotten", "same"]
    assert await named(people) == ["ben"]
    # Nothing declared is nothing said.
    await people.declare("T1", "ann", {}, {}, NOW)
    assert await forgotten_of(engine, "ann") == {"ann"}
    await people.declare("T1", "ann", {MLOPS: "learning"}, {}, NOW)
    assert await forgotten_of(engine, "ann") == frozenset()
    assert await bulk.declare_many("T1", [listed("ann")], NOW) == ["own"]
    assert (await people.declaration("T1", "ann")).roles == {MLOPS: "learning"}


async def test_nobody_is_erased_without_an_entry_in_the_audit_log(
    engine: AsyncEngine, people: SqlPeople, workspaces: SqlWorkspaces
) -> None:
    await people.declare("T1", "ann", {MLOPS: "lead"}, {}, NOW)
    # What no database takes: the entry can't be written.
    with pytest.raises(StatementError):
        await people.forget("T1", "ann", record=Recorded("boss", "person erased", NOW, after={"why": object()}))
    assert await named(people) == ["ann"] and await marks(engine) == []
    assert await people.forget("T1", "ann", record=Recorded("boss", "person erased", NOW)) == 2
    [mark] = await marks(engine)
    assert await workspaces.recorded("T1", 9) == [Recorded("boss", "person erased", NOW, after={"rows": 2}, about=mark)]
    # Who erases themself is not named by it.
    await people.forget("T1", "boss", record=Recorded("boss", "person erased", NOW + timedelta(days=1)))
    assert "boss" not in str(await workspaces.recorded("T1", 9))


async def test_other_workspaces_do_not_know_of_it(people: SqlPeople, bulk: SqlPeopleInBulk) -> None:
    await people.forget("T1", "ann")
    assert await bulk.declare_many("T2", [listed("ann")], NOW) == ["added"]


async def test_a_workspace_that_goes_takes_marks_and_key_along(engine: AsyncEngine, people: SqlPeople) -> None:
    await people.forget("T1", "ann")
    # The mark, its key, and the moment.
    assert await people.forget_workspace("T1") == 3
    async with engine.connect() as connection:
        for name in metadata.tables:
            assert await connection.scalar(text(f"SELECT count(*) FROM {name}")) == 0  # noqa: S608


async def test_new_encryption_keys_leave_the_hashes_as_they_are(
    engine: AsyncEngine, address: str, people: SqlPeople
) -> None:
    await people.forget("T1", "ann")
    before, newer = await marks(engine), new_key()
    both, alone = open_engine(address, Keys([newer, KEY])), open_engine(address, Keys([newer]))
    # Nothing but this is sealed: the moment stands under a mark.
    assert [(await rotate(both)).renewed for _ in range(2)] == [1, 0]
    # From here on the old key may go.
    assert await forgotten_of(alone, "ann", "ben") == {"ann"}
    assert await marks(engine) == before
    await both.dispose()
    await alone.dispose()


async def test_who_is_forgotten_stays_so_where_a_process_lacks_the_key(
    engine: AsyncEngine, address: str, people: SqlPeople, bulk: SqlPeopleInBulk
) -> None:
    await people.declare("T1", "ben", {MLOPS: "lead"}, {}, NOW)
    await people.forget("T1", "ann")
    before = await marks(engine)
    other = open_engine(address, Keys([new_key()]))
    with pytest.raises(KeysError):
        await SqlPeopleInBulk(other, random.Random(1)).declare_many("T1", [listed("ann")], NOW)
    await SqlPeople(other, random.Random(1)).declare("T1", "cleo", {MLOPS: "lead"}, {}, NOW)
    with pytest.raises(UnknownKey):
        await SqlPeople(other, random.Random(1)).forget("T1", "ben")
    assert len((await rotate(other)).lost) == 1
    assert await named(people) == ["ben", "cleo"]
    assert await marks(engine) == before
    assert await forgotten_of(engine, "ann", "ben") == {"ann"}
    assert await bulk.declare_many("T1", [listed("ann")], NOW) == ["forgotten"]
    await other.dispose()


async def test_forgetting_does_not_fail_for_a_key_that_is_damaged(
    engine: AsyncEngine, people: SqlPeople, caplog: pytest.LogCaptureFixture
) -> None:
    await people.declare("T1", "ben", {MLOPS: "lead"}, {}, NOW)
    await people.forget("T1", "ann")
    async with engine.begin() as connection:
        await connection.execute(update(secrets).values(value=KEYS.seal("00" * 32, "another place")))
    await people.forget("T1", "ben")
    assert await named(people) == []
    assert len(await marks(engine)) == 1
    assert "is damaged" in caplog.text


# Many at once


async def test_an_import_changes_nothing_that_people_declared_themselves(
    people: SqlPeople, bulk: SqlPeopleInBulk
) -> None:
    own = Terms("hidden", 1, {"k": "K"})
    await people.declare("T1", "ann", {"data-engineer": "lead"}, {"jax": "JAX"}, NOW, own)
    assert await bulk.declare_many("T1", [listed("ann", "open"), listed("ben", "open")], NOW) == ["own", "added"]
    assert await people.declaration("T1", "ann") == Declaration({"data-engineer": "lead"}, {"jax": "JAX"}, NOW, own)
    assert await named(people) == ["ben"]
    # Nor once they said that what a file had declared is right, or that they are not to be asked any more.
    freshness = SqlFreshness(people._engine)
    assert await bulk.declare_many("T1", [listed("cleo"), listed("dan")], NOW) == ["added", "added"]
    assert await freshness.confirm("T1", "cleo", NOW) and await freshness.stop("T1", "dan")
    other = [replace(listed(user), roles={"data-engineer": "lead"}) for user in ("ben", "cleo", "dan")]
    assert await bulk.declare_many("T1", other, NOW) == ["changed", "own", "own"]
    for user, role in (("ben", "data-engineer"), ("cleo", MLOPS), ("dan", MLOPS)):
        assert list((await people.declaration("T1", user)).roles) == [role]


async def test_what_nobody_confirmed_is_as_the_last_file_says(people: SqlPeople, bulk: SqlPeopleInBulk) -> None:
    await bulk.declare_many("T1", [listed("ben", "open")], NOW)
    # Of the terms only what the file says.
    assert await bulk.declare_many("T1", [replace(listed("ben"), topics={"jax": "JAX"})], NOW) == ["changed"]
    assert (await people.declaration("T1", "ben")).terms == Terms("open", 3, {"gdpr": "GDPR"})
    hidden = replace(listed("ben", "hidden"), topics={"jax": "JAX"})
    assert await bulk.declare_many("T1", [hidden], NOW) == ["changed"]
    assert await named(people) == []
    assert await bulk.declare_many("T1", [hidden], NOW) == ["same"]


async def test_a_file_that_says_no_visibility_leaves_it_to_the_workspace(
    people: SqlPeople, bulk: SqlPeopleInBulk, workspaces: SqlWorkspaces
) -> None:
    await workspaces.save("T1", Settings(default_visibility="ask_first"), "U0ADMIN", NOW)
    one = replace(listed("ben"), terms=Terms(weekly_cap=3), says_visibility=False)
    await bulk.declare_many("T1", [one], NOW)
    assert (await people.declaration("T1", "ben")).terms == Terms("ask_first", 3)


async def test_what_slack_said_counts_more_than_a_file(people: SqlPeople, bulk: SqlPeopleInBulk) -> None:
    await people.declare("T1", "gone", {MLOPS: "lead"}, {}, NOW)
    await people.remember("T1", Member("gone", "Gone", availability="deactivated"), NOW)
    await bulk.declare_many("T1", [listed("gone"), listed("guest", is_guest=True), listed("bot", is_bot=True)], NOW)
    assert await named(people) == []
    assert await people.profile("T1", "gone") == Member("gone", "Gone", availability="deactivated")


async def test_a_cap_of_none_does_not_end_with_the_week(people: SqlPeople, bulk: SqlPeopleInBulk) -> None:
    await people.declare("T1", "ann", {MLOPS: "lead"}, {}, NOW, Terms(weekly_cap=0))
    await bulk.declare_many("T1", [listed("ann"), replace(listed("ben"), terms=Terms(weekly_cap=0))], NOW)
    for week in (0, 1, 60):
        found = await people.candidates("T1", topics=(), roles=[MLOPS], without=None, now=NOW + timedelta(weeks=week))
        assert list(found) == []


async def test_one_by_one_and_all_at_once_come_to_the_same(engine: AsyncEngine, people: SqlPeople) -> None:
    who = [
        listed("ann", "open"),
        listed("ben", "ask_first"),
        listed("cleo", availability="ooo"),
        listed("dan", availability="away"),
    ]
    await SqlPeopleInBulk(engine, random.Random(7)).declare_many("T1", who, NOW)
    for one in who:
        user = one.member.user
        await people.declare("T2", user, one.roles, one.topics, NOW, one.terms)
        await people.remember("T2", one.member, NOW)
    async with engine.connect() as connection:
        found: dict[str, list[list[dict[str, object]]]] = {}
        for name in ("declarations", "terms", "members"):
            table = metadata.tables[name]
            for workspace in ("T1", "T2"):
                query = select(table).where(table.c.workspace == workspace).order_by(*table.primary_key.columns)
                rows = (await connection.execute(query)).mappings()
                left_out = ("workspace", "lot", "checked_at", "check_at", "look_up_at", "imported_at")
                found.setdefault(name, []).append(
                    [{key: value for key, value in row.items() if key not in left_out} for row in rows]
                )
    for one_way, other_way in found.values():
        assert one_way == other_way


async def test_everybody_comes_out_as_they_went_in(bulk: SqlPeopleInBulk) -> None:
    who = [listed(f"u{number:04}", "open") for number in range(2 * MOST_AT_ONCE + 1)]
    for start in range(0, len(who), MOST_AT_ONCE):
        await bulk.declare_many("T1", who[start : start + MOST_AT_ONCE], NOW)
    await bulk.declare_many("T2", [listed("other")], NOW)
    assert [one async for one in bulk.everybody("T1")] == who
