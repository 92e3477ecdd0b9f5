"""What becomes of texts whose key is gone for good, or which are damaged."""

from __future__ import annotations

import random
from collections import Counter
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import insert, select, update
from sqlalchemy.ext.asyncio import AsyncEngine

from bot.rotate import KINDS
from knowledge.feedback import Asked
from knowledge.workspaces import COMMAND_LINE, Recorded
from storage import rotation
from storage.database import open_engine
from storage.feedback import SqlFeedback
from storage.inbox import Event, SqlInbox
from storage.installations import SqlInstallations
from storage.keys import Keys, new_key
from storage.lost import drop
from storage.people import SqlPeople
from storage.rotation import encrypted_columns, encrypted_texts, rotate
from storage.tables import ask_deliveries, asks, forgotten, keepings, metadata, sealed, secrets
from storage.workspaces import SqlWorkspaces
from tests.asks import Asks, new_ask
from tests.databases import KEY, KEYS
from tests.storage.conftest import NOW
from tests.storage.test_installations import ONE, SCOPES

LATER = NOW + timedelta(hours=1)


async def rows(engine: AsyncEngine, table: str) -> list[Any]:
    found = metadata.tables[table]
    async with engine.connect() as connection:
        query = select(found).order_by(*found.primary_key.columns)
        return [dict(row) for row in (await connection.execute(query)).mappings()]


async def write_everything(engine: AsyncEngine, workspace: str) -> None:
    """Write a row of each kind, sealed by the newest key of the engine."""
    await SqlInstallations(engine).save(replace(ONE, workspace=workspace), SCOPES, NOW)
    await SqlInbox(engine, "one").add(Event(workspace, "Ev1", '{"text": "private"}', user="U0ANN"), NOW)
    await SqlFeedback(engine).unanswered(workspace, Asked("q1", "none", (), 0.1, "zebra?"), NOW)
    await SqlPeople(engine, random.Random(1)).forget(workspace, "U0GONE")
    for ask_id in ("1", "2"):
        await Asks(engine).create(new_ask(ask_id, "U0ANN", workspace, asked="U0BEN"), NOW)
    async with engine.begin() as connection:
        await connection.execute(insert(keepings).values(kept(engine, workspace, "1", "as I want it kept")))
        await connection.execute(insert(ask_deliveries).values(delivery(engine, workspace, "2", "an answer")))


def kept(engine: AsyncEngine, workspace: str, ask_id: str, answer: str, **given: Any) -> dict[str, Any]:
    values: dict[str, Any] = {
        "workspace": workspace,
        "id": ask_id,
        "entry_id": f"e{ask_id}",
        "outcome": "open",
        "asker_says": "",
    }
    values |= {"answerer_says": "", "user_id": "U0BEN", "shown_author": "", "gone_at": NOW + timedelta(days=30)}
    return values | {"answer": sealed(engine.dialect, keepings.c.answer, answer, workspace, ask_id)} | given


def delivery(engine: AsyncEngine, workspace: str, ask_id: str, text: str) -> dict[str, Any]:
    key = "answer:1"
    values: dict[str, Any] = {
        "workspace": workspace,
        "ask_id": ask_id,
        "key": key,
        "kind": "deliver answer",
        "user_id": "U0BEN",
    }
    values |= {"text": sealed(engine.dialect, ask_deliveries.c.text, text, workspace, ask_id, key)}
    return values | {"turn": 0, "attempts": 0, "due_at": NOW, "lease_until": NOW}


def test_every_kind_of_encrypted_text_has_a_name() -> None:
    assert {*KINDS} == {column.table.name for column in encrypted_columns()}


async def test_what_no_key_opens_is_dropped_and_nothing_else(engine: AsyncEngine, address: str) -> None:
    new = open_engine(address, Keys([new_key()]))
    await write_everything(engine, "T1")
    await write_everything(new, "T2")
    before = {table: [row for row in await rows(new, table) if row["workspace"] == "T2"] for table in KINDS}
    done = await rotate(new)
    assert {one.key[0] for one in done.lost} == {"T1"}
    dropped = await drop(new, done.lost, LATER)
    assert {*dropped} == {*KINDS}
    assert dropped["asks"] == 2
    left = {table: await rows(new, table) for table in KINDS}
    for table, there in before.items():
        assert [row for row in left[table] if row["workspace"] == "T2"] == there, table
    of_t1 = {table: [row for row in some if row["workspace"] == "T1"] for table, some in left.items()}
    assert {table for table, some in of_t1.items() if some} == {"inbox", "secrets"}
    [event] = of_t1["inbox"]
    assert (event["event_id"], event["state"], event["body"]) == ("Ev1", "done", "")
    assert [row["workspace"] for row in await rows(new, "forgotten")] == ["T2"]
    assert [row for row in await rows(new, "ask_people") if row["workspace"] == "T1"] == []
    assert not (await rotate(new)).lost
    # In the audit log stands how many of which, and no word or person.
    assert await SqlWorkspaces(new).recorded("T1", 9) == [
        Recorded(COMMAND_LINE, "unreadable texts dropped", LATER, after=dict(dropped))
    ]
    assert await SqlWorkspaces(new).recorded("T2", 9) == []
    await new.dispose()


async def test_what_is_damaged_under_the_newest_key_is_found_and_dropped_and_nothing_else(
    engine: AsyncEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rotation, "AT_ONCE", 1)
    for workspace in ("T1", "T2"):
        await write_everything(engine, workspace)
    async with engine.begin() as connection:
        for column in encrypted_columns():
            mine = (column.table.c.workspace == "T1") & (column != "")
            await connection.execute(update(column.table).where(mine).values({column: KEYS.seal("{}", "elsewhere")}))
    before = {table: [row for row in await rows(engine, table) if row["workspace"] == "T2"] for table in KINDS}
    seen: list[int] = []
    found = await rotate(engine, seen.append)
    assert found.renewed == 0
    assert seen == [1] * await encrypted_texts(engine), "in batches, each told of"
    assert {(one.table, one.key[0]) for one in found.lost} == {(table, "T1") for table in KINDS}
    dropped = await drop(engine, found.lost, LATER)
    assert {*dropped} == {*KINDS}
    for table, there in before.items():
        assert [row for row in await rows(engine, table) if row["workspace"] == "T2"] == there, table
    assert not (await rotate(engine)).lost


async def test_what_can_be_read_by_now_is_left(engine: AsyncEngine, address: str) -> None:
    await write_everything(engine, "T1")
    new = open_engine(address, Keys([new_key()]))
    lost = (await rotate(new)).lost
    assert await drop(engine, lost, LATER) == Counter()
    assert await drop(engine, {one._replace(key=("T3", *one.key[1:])) for one in lost}, LATER) == Counter()
    assert await SqlWorkspaces(engine).recorded("T1", 9) == []
    await new.dispose()


async def test_who_asked_what_can_be_read_is_forgotten_with_it_though_the_key_of_the_marks_was_lost(
    engine: AsyncEngine, address: str
) -> None:
    old, new = KEY, new_key()
    await SqlPeople(engine, random.Random(1)).forget("T1", "U0GONE")
    both, alone = open_engine(address, Keys([new, old])), open_engine(address, Keys([new]))
    # The secret is of the old key, the question of the new one.
    await Asks(both).create(new_ask("1", "U0ANN", asked="U0BEN"), NOW)
    async with both.begin() as connection:
        mark = await connection.scalar(select(asks.c.asker_mark))
        await connection.execute(insert(keepings).values(kept(both, "T1", "1", "mine", asker_mark=mark)))
        await connection.execute(insert(keepings).values(kept(both, "T1", "9", "hers", asker_mark="f" * 64)))
    lost = (await rotate(alone)).lost
    assert [one.table for one in lost] == ["secrets"]
    assert await drop(alone, lost, LATER) == Counter(secrets=1)
    # Of whoever has no question any more nobody knows who they are.
    assert [row["id"] for row in await rows(alone, "keepings")] == ["1"]
    [ask] = await rows(alone, "asks")
    assert ask["asker_mark"] not in (None, mark)
    await SqlPeople(alone, random.Random(1), now=lambda: LATER).forget("T1", "U0ANN")
    assert await rows(alone, "keepings") == []
    assert [row["question"] for row in await rows(alone, "asks")] in ([], [""])
    async with alone.connect() as connection:
        assert len((await connection.scalars(select(forgotten.c.mark))).all()) == 1
    await both.dispose()
    await alone.dispose()


async def test_who_asked_is_forgotten_with_it_though_the_key_of_the_marks_is_damaged(
    engine: AsyncEngine, address: str, people: SqlPeople
) -> None:
    elsewhere = open_engine(address, Keys([new_key(), KEY]))
    for ask_id, user in (("1", "U0ANN"), ("2", "U0CAI")):
        await Asks(engine).create(new_ask(ask_id, user, asked="U0BEN"), NOW)
    for ask_id, user in (("3", "U0ANN"), ("4", "U0DEE")):
        await Asks(elsewhere).create(new_ask(ask_id, user, asked="U0BEN"), NOW)
    await elsewhere.dispose()
    before = {row["id"]: row["asker_mark"] for row in await rows(engine, "asks")}
    async with engine.begin() as connection:
        for ask_id, mark in (("1", before["1"]), ("9", "f" * 64)):
            await connection.execute(insert(keepings).values(kept(engine, "T1", ask_id, "mine", asker_mark=mark)))
        await connection.execute(update(secrets).values(value=KEYS.seal("00" * 32, "another place")))
    await people.forget("T1", "U0GONE")
    # Of whoever has no question any more nobody knows who they are.
    assert [row["id"] for row in await rows(engine, "keepings")] == ["1"]
    after = {row["id"]: row["asker_mark"] for row in await rows(engine, "asks")}
    assert {ask_id for ask_id, mark in after.items() if mark != before[ask_id]} == {"1", "2", "3"}
    assert after["4"] == before["4"], "another process may be able to read who asked it"
    await people.forget("T1", "U0ANN")
    assert await rows(engine, "keepings") == []
    assert {row["id"] for row in await rows(engine, "asks") if row["asker_mark"]} == {"2", "4"}


async def test_a_message_that_cannot_be_read_is_not_written_and_its_question_stays(
    engine: AsyncEngine, address: str
) -> None:
    new = open_engine(address, Keys([new_key(), KEY]))
    await Asks(engine).create(new_ask("1", "U0ANN", asked="U0BEN"), NOW)
    other = open_engine(address, Keys([new_key()]))
    async with other.begin() as connection:
        await connection.execute(insert(ask_deliveries).values(delivery(other, "T1", "1", "an answer")))
    lost = (await rotate(new)).lost
    assert await drop(new, lost, LATER) == Counter(ask_deliveries=1)
    [row] = [one for one in await rows(new, "ask_deliveries") if one["key"] == "answer:1"]
    assert (row["text"], row["due_at"]) == ("", None)
    found = await Asks(new).get("T1", "1")
    assert found is not None and found.question
    await new.dispose()
    await other.dispose()
