"""How much of the database a suggestion goes through, however many people there are and whatever holds of them."""

from __future__ import annotations

import random
from collections.abc import Awaitable, Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import aiosqlite
import pytest
from sqlalchemy import Connection, event, insert, text
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from knowledge.answers import Subject
from knowledge.directory import Wanted
from knowledge.guide import load_guide
from knowledge.people import Terms
from storage.directory import SqlDirectory
from storage.looking_up import SqlToLookUp
from storage.moments import NEVER, monday_of
from storage.people import SqlPeople
from storage.tables import declarations, listings, members, namings, terms
from storage.threads import SqlThreads
from storage.underway import underway_since
from tests.databases import empty_tables
from tests.storage.conftest import NOW

NEXT_WEEK = NOW.replace(hour=0) + timedelta(days=7 - NOW.weekday())
MLOPS = "mlops-engineer"
WANTED: dict[str, Any] = {"topics": ["gdpr"], "roles": [MLOPS], "without": "U00001", "now": NOW}
READ = """
    SELECT sum(pg_stat_get_xact_tuples_returned(oid) + pg_stat_get_xact_tuples_fetched(oid))::int
    FROM pg_class WHERE relnamespace = 'public'::regnamespace"""
"""How many rows and entries of an index were read, as PostgreSQL counts it; what was added to that before, too."""
STEPS = 100
"""SQLite tells after so many instructions of its machine: each row that is read costs some."""


async def in_memory(at_head: Path) -> AsyncEngine:
    """Open a database with one connection, at head as the file is."""
    engine = create_async_engine("sqlite+aiosqlite://")
    async with engine.connect() as connection, aiosqlite.connect(at_head) as file:
        await file.backup((await connection.get_raw_connection()).driver_connection)  # type: ignore[arg-type]
    return engine


async def counting(engine: AsyncEngine) -> list[int]:
    """Return a list whose only number becomes larger with each instruction."""
    counted = [0]

    def count() -> int:
        counted[0] += STEPS
        return 0

    async with engine.connect() as connection:
        raw: Any = (await connection.get_raw_connection()).driver_connection
        await raw.set_progress_handler(count, STEPS)
    return counted


async def fill(engine: AsyncEngine, size: int, case: str) -> SqlPeople:
    """Let so many people hold the same role and topic; half of them avoid the same topic, the others one each."""
    faded, capped, before = case == "faded", case == "capped", case == "capped weeks ago"
    users = [f"U{number:05}" for number in range(size)]
    declared: dict[str, Any] = {
        **{"workspace": "T1", "label": "", "level": 0, "confirmed_at": NOW, "suggestible": not faded},
        **{"out_of_office": False, "away": False, "suggested_at": NEVER},
        "free_from": NEXT_WEEK if capped else NEXT_WEEK - timedelta(weeks=3) if before else NEVER,
    }
    profile = {"title": "", "tz": "", "availability": "active", "is_bot": False, "is_guest": False, "checked_at": NOW}
    week = monday_of(NOW - timedelta(weeks=3 * before))
    own = {"visibility": "open", "weekly_cap": 1 if capped or before else None, "week": week}
    own["suggested"] = int(capped or before)
    async with engine.begin() as connection:
        values = [
            {**declared, "user_id": user, "kind": kind, "key": key, "lot": at}
            for at, user in enumerate(users)
            for kind, key in (("role", MLOPS), ("topic", "gdpr"), ("not", f"topic {at}" if at % 2 else "jax"))
        ]
        await connection.execute(insert(declarations), values)
        await connection.execute(
            insert(members), [{"workspace": "T1", "user_id": user, "name": user, **profile} for user in users]
        )
        fresh = {"confirmed_at": NOW, "unanswered": 0, "faded": faded}
        await connection.execute(
            insert(terms), [{"workspace": "T1", "user_id": user, **own, **fresh} for user in users]
        )
    async with engine.connect() as connection:
        await connection.execution_options(isolation_level="AUTOCOMMIT")
        await connection.execute(text("ANALYZE"))
    people = SqlPeople(engine, random.Random(1))
    while await people.begin_week(NOW):
        # As the job does, before anybody asks.
        pass
    return people


async def instructions(at_head: Path, size: int, case: str) -> dict[str, int]:
    """Fill a database, and return how many instructions each statement of a suggestion takes."""
    engine = await in_memory(at_head)
    people = await fill(engine, size, case)
    counted, found = await counting(engine), {}
    for ask in (people.candidates, people.unnamed, people.passed_over):
        counted[0] = 0
        await ask("T1", topics=["gdpr"], roles=[MLOPS], without="U00001", now=NOW)
        found[ask.__name__] = counted[0]
    await engine.dispose()
    return found


@pytest.mark.parametrize("case", ["plain", "capped", "capped weeks ago", "faded"])
async def test_ten_times_as_many_people_are_no_more_to_read(case: str, empty_database: Path) -> None:
    few, many = [await instructions(empty_database, size, case) for size in (400, 4_000)]
    assert {name: taken for name, taken in many.items() if taken > 1.5 * few[name] + 1_000} == {}


async def rows_read(engine: AsyncEngine, size: int) -> dict[str, int]:
    """Fill a database of PostgreSQL, and return how many rows and entries of an index each step of it reads."""
    await empty_tables(engine)
    people = await fill(engine, size, "plain")
    reads: dict[str, Callable[[], Awaitable[object]]] = {
        "candidates": lambda: people.candidates("T1", **WANTED, about=["jax"]),
        "unnamed": lambda: people.unnamed("T1", **WANTED, about=["jax"]),
        "passed over": lambda: people.passed_over("T1", **WANTED),
        "suggested": lambda: people.suggested("T1", ["U00003", "U00005"], NOW, about=["jax"], asker="U00001"),
    }
    # So often that PostgreSQL keeps the plans that it makes now, while hardly anybody was named.
    for _ in range(10):
        await reads["suggested"]()
    named = {"workspace": "T1", "event": "", "week": monday_of(NOW), "place": 0}
    rows = [{**named, "mark": f"{at:064x}", "user_id": f"U{at:05}"} for at in range(size)]
    async with engine.begin() as connection:
        await connection.execute(insert(namings), rows)
    before: list[int] = []
    found: dict[str, int] = {}

    def begun(connection: Connection, _cursor: Any, statement: str, *_: Any) -> None:
        if statement != READ and not before:
            before.append(connection.exec_driver_sql(READ).scalar_one())

    def ended(connection: Connection) -> None:
        found[name] = connection.exec_driver_sql(READ).scalar_one() - before.pop()

    listeners: dict[str, Callable[..., None]] = {"before_cursor_execute": begun, "commit": ended, "rollback": ended}
    for moment, listener in listeners.items():
        event.listen(engine.sync_engine, moment, listener)
    for name in reads:
        await reads[name]()
    for moment, listener in listeners.items():
        event.remove(engine.sync_engine, moment, listener)
    return found


@pytest.mark.parametrize("address", ["postgresql"], indirect=True)
async def test_postgresql_reads_no_more_where_ten_times_as_many_people_avoid_a_topic_and_were_named(
    engine: AsyncEngine,
) -> None:
    few, many = await rows_read(engine, 400), await rows_read(engine, 4_000)
    assert set(few) == {"candidates", "unnamed", "passed over", "suggested"}
    assert {name: (few[name], read) for name, read in many.items() if read > 1.5 * few[name] + 100} == {}


@pytest.mark.parametrize("answered", ["", "Ev1"])
async def test_a_suggestion_is_one_statement_that_reads_and_one_transaction_that_writes(
    engine: AsyncEngine, people: SqlPeople, threads: SqlThreads, answered: str
) -> None:
    """Where an event is answered, another one reads whom it has named already."""
    for user, cap in {"ann": 1, "ben": None, "cai": 1}.items():
        await people.declare("T1", user, {"mlops-engineer": "lead"}, {"gdpr": "GDPR"}, NOW, Terms(weekly_cap=cap))
    guide = load_guide(people, threads, lambda: NOW)
    subject = Subject(("mlops-engineer", "data-engineer"), ("gdpr",))
    # The key of the marks is drawn once for a workspace, and read once by a process.
    await guide.suggest("T1", subject, "eva")
    did: list[str] = []

    @event.listens_for(engine.sync_engine, "before_cursor_execute")
    def note(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        did.append(statement)

    @event.listens_for(engine.sync_engine, "commit")
    def committed(_connection: Any) -> None:
        did.append("COMMIT")

    # As over Slack, where somebody could have been forgotten since.
    with underway_since(NOW, answered):
        found = await guide.suggest("T1", subject, "dee")
    assert [person.user for person in found.people] == ["ben"]
    # How PostgreSQL is to do it, and whom it locks.
    did = [statement for statement in did if not statement.startswith("SELECT set_config(")]
    if answered:
        assert "FROM namings JOIN" in did.pop(0)
    assert did[0].startswith("WITH ranked AS")
    kinds = [" ".join(statement.replace("\n", " ").split()[:3]) for statement in did[1:]]
    marking = {"sqlite": ["UPDATE declarations SET", "INSERT INTO namings"], "postgresql": ["WITH marked AS"]}
    assert kinds == ["UPDATE terms SET", *marking[engine.dialect.name], "COMMIT"]


async def looking_up(at_head: Path, size: int) -> dict[str, int]:
    """Let so many people of one workspace wait to be looked up, and somebody in a few others; return what it takes."""
    engine = await in_memory(at_head)
    fresh = {"confirmed_at": NOW, "unanswered": 0, "faded": False, "visibility": "open", "look_up_at": NOW}
    where = ["T1"] * size + ["T2", "T3", "T4"]
    async with engine.begin() as connection:
        rows = [
            {"workspace": workspace, "user_id": f"U{at:05}", "week": NOW.date(), "suggested": 0, **fresh}
            for at, workspace in enumerate(where)
        ]
        await connection.execute(insert(terms), rows)
        await connection.execute(text("ANALYZE"))
    to_look_up, found = SqlToLookUp(engine), dict[str, int]()
    counted = await counting(engine)
    assert list(await to_look_up.workspaces(NOW)) == ["T1", "T2", "T3", "T4"]
    found["where"], counted[0] = counted[0], 0
    assert await to_look_up.claim("T1", NOW, NOW + timedelta(days=1)) == "U00000"
    found["whom"] = counted[0]
    await engine.dispose()
    return found


async def test_ten_times_as_many_people_who_wait_to_be_looked_up_are_no_more_to_read(empty_database: Path) -> None:
    few, many = [await looking_up(empty_database, size) for size in (400, 4_000)]
    assert {name: taken for name, taken in many.items() if taken > 1.5 * few[name] + 1_000} == {}


async def searching(at_head: Path, size: int, wanted: Wanted) -> tuple[int, list[str]]:
    """Fill a directory in which one half has one role and the other another; return what a search takes and finds.

    The last three have a rare role and a rare topic too.
    """
    engine = await in_memory(at_head)
    rows = []
    for at in range(size):
        name = f"ann {at:05}"
        under = [("all", ""), ("name", name), ("role", ("left", "right")[2 * at >= size])]
        under += [("topic", ("early", "late")[2 * at >= size])]
        under += [("role", "rare"), ("topic", "seldom")] * (at >= size - 3)
        rows += [
            {"workspace": "T1", "kind": kind, "key": key, "name": name, "user_id": f"U{at:05}"} for kind, key in under
        ]
    async with engine.begin() as connection:
        await connection.execute(insert(listings), rows)
        fresh = {"confirmed_at": NOW, "unanswered": 0, "faded": False, "visibility": "open"}
        await connection.execute(
            insert(terms),
            [
                {"workspace": "T1", "user_id": f"U{at:05}", "week": NOW.date(), "suggested": 0, **fresh}
                for at in range(size)
            ],
        )
        await connection.execute(text("ANALYZE"))
    counted = await counting(engine)
    page = await SqlDirectory(engine).page("T1", wanted, 10)
    await engine.dispose()
    return counted[0], [entry.at.name for entry in page.entries]


LAST_THREE = ["ann 03997", "ann 03998", "ann 03999"]


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        (Wanted("rare", name="ann"), LAST_THREE),
        (Wanted(topic="seldom", name="ann"), LAST_THREE),
        (Wanted("rare", topics=("late",)), LAST_THREE),
        (Wanted("rare", "late", name="ann 03998"), LAST_THREE[1:2]),
        (Wanted("right", topics=("seldom",)), LAST_THREE),
        # Looked through as far as is bearable: nobody of the first hundreds has it.
        (Wanted("right", name="ann"), []),
        (Wanted("right", topics=("early",)), []),
    ],
)
async def test_a_search_within_a_role_or_topic_reads_no_more_where_ten_times_as_many_people_are(
    monkeypatch: pytest.MonkeyPatch, empty_database: Path, wanted: Wanted, found: list[str]
) -> None:
    monkeypatch.setattr("storage.directory.MOST_COUNTED", 50)
    monkeypatch.setattr("storage.directory.MOST_LOOKED_THROUGH", 100)
    few, many = [await searching(empty_database, size, wanted) for size in (400, 4_000)]
    assert many[1] == found
    assert many[0] <= 1.5 * few[0] + 1_000, (few[0], many[0])
