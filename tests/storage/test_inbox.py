"""Events, written down before they are acknowledged."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncEngine

from storage.inbox import Event, SqlInbox
from storage.tables import inbox as table
from tests.storage.conftest import NOW

MENTION = Event("T1", "Ev1", '{"text": "what does mlops do"}', "C1", "100.1", "U1")
HOME = Event("T1", "Ev9", '{"type": "app_home_opened"}')


async def kept(engine: AsyncEngine) -> list[tuple[str, str, str, int]]:
    async with engine.connect() as connection:
        rows = await connection.execute(select(table).order_by(table.c.event_id))
        return [(row.event_id, row.state, row.body, row.attempts) for row in rows]


async def test_an_event_waits_until_it_is_done(inbox: SqlInbox) -> None:
    assert await inbox.add(MENTION, NOW)
    assert await inbox.waiting() == [MENTION]


async def test_a_repeated_event_is_known(inbox: SqlInbox) -> None:
    assert await inbox.add(MENTION, NOW)
    assert not await inbox.add(MENTION, NOW)
    await inbox.done(MENTION)
    assert not await inbox.add(MENTION, NOW), "also once it is done"
    assert await inbox.waiting() == []


async def test_an_edited_message_is_not_a_second_question(inbox: SqlInbox) -> None:
    assert await inbox.add(MENTION, NOW)
    assert not await inbox.add(replace(MENTION, event_id="Ev2"), NOW)


async def test_the_same_time_in_another_channel_is_another_message(inbox: SqlInbox) -> None:
    assert await inbox.add(MENTION, NOW)
    assert await inbox.add(replace(MENTION, event_id="Ev2", channel="C2"), NOW)


async def test_events_without_a_message_do_not_stand_in_each_others_way(inbox: SqlInbox) -> None:
    assert await inbox.add(HOME, NOW)
    assert await inbox.add(replace(HOME, event_id="Ev10"), NOW)


async def test_workspaces_do_not_share_events(inbox: SqlInbox) -> None:
    other = replace(MENTION, workspace="T2")
    assert await inbox.add(MENTION, NOW)
    assert await inbox.add(other, NOW)
    await inbox.done(MENTION)
    assert await inbox.waiting() == [other]


async def test_what_was_said_is_erased_when_done(engine: AsyncEngine, inbox: SqlInbox) -> None:
    await inbox.add(MENTION, NOW)
    await inbox.done(MENTION)
    assert await kept(engine) == [("Ev1", "done", "", 0)]


async def test_a_given_up_event_stays_to_be_looked_at(engine: AsyncEngine, inbox: SqlInbox) -> None:
    await inbox.add(MENTION, NOW)
    for _ in range(3):
        await inbox.failed(MENTION)
    assert [event.attempts for event in await inbox.waiting()] == [3]
    await inbox.dead(MENTION)
    assert await kept(engine) == [("Ev1", "dead", MENTION.body, 3)]
    assert await inbox.waiting() == []


async def test_the_oldest_comes_first(inbox: SqlInbox) -> None:
    for minutes in (5, 1, 3):
        event = Event("T1", f"Ev{minutes}", "{}", "C1", f"100.{minutes}")
        await inbox.add(event, NOW + timedelta(minutes=minutes))
    assert [event.event_id for event in await inbox.waiting()] == ["Ev1", "Ev3", "Ev5"]
