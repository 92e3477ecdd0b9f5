"""Events, written down before they are acknowledged, each worked off by one process."""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Row, delete, select, text, update
from sqlalchemy import event as engine_events
from sqlalchemy.ext.asyncio import AsyncEngine

from storage.database import open_engine
from storage.inbox import KEEP, LEASE, MOST_TAKEN, RENEWED_AT_ONCE, Depth, Event, SqlInbox
from storage.keys import Keys, new_key
from storage.tables import inbox as table
from storage.tables import place_of
from tests.conftest import BUSY_SECONDS
from tests.databases import KEY, KEYS
from tests.storage.conftest import NOW, database_files

MENTION = Event("T1", "Ev1", '{"text": "what does mlops do"}', "C1", "100.1", "U1")
HOME = Event("T1", "Ev9", '{"type": "app_home_opened"}')
SECOND = timedelta(seconds=1)
ON_POSTGRES = pytest.mark.parametrize("address", ["postgresql"], indirect=True)
"""For what SQLite does not know: several writers at a time."""
RUN_OUT = NOW + LEASE + SECOND


async def kept(engine: AsyncEngine) -> list[tuple[str, str, str, int]]:
    async with engine.connect() as connection:
        rows = await connection.execute(select(table).order_by(table.c.event_id))
        return [(row.event_id, row.state, opened(row), row.attempts) for row in rows]


def opened(row: Row[Any]) -> str:
    return KEYS.unseal(row.body, place_of(table.c.body, row.workspace, row.event_id)) if row.body else ""


async def refuse(*_write: object) -> int:
    """Stand in for a write that the database does not take."""
    raise ConnectionResetError


@pytest.fixture
def other(engine: AsyncEngine) -> SqlInbox:
    """The inbox of another process."""
    return SqlInbox(engine, "other")


def some(count: int) -> list[Event]:
    return [Event("T1", f"Ev{number:04}", "{}", "C1", str(number), "U1") for number in range(count)]


async def statements(engine: AsyncEngine) -> list[str]:
    """Note the statements from here on."""
    seen: list[str] = []

    @engine_events.listens_for(engine.sync_engine, "before_cursor_execute")
    def note(_c: object, _cursor: object, statement: str, *_: object) -> None:
        seen.append(statement)

    return seen


@ON_POSTGRES
async def test_an_event_is_written_down_without_a_transaction_around_it_and_what_comes_next_in_one(
    engine: AsyncEngine, inbox: SqlInbox
) -> None:
    assert await inbox.add(HOME, NOW)
    sent: list[str] = []
    async with engine.connect() as connection:
        driver: Any = (await connection.get_raw_connection()).driver_connection
        # It is told of what is sent as text, as that which begins and ends transactions is.
        driver.add_query_logger(lambda record: sent.append(record.query.strip(";").split()[0]))
    assert await inbox.add(MENTION, NOW)
    assert sent == []
    # The connection that is used next is the one that was used last.
    async with engine.connect() as connection:
        await connection.execute(delete(table))
        await connection.rollback()
    assert sent == ["BEGIN", "ROLLBACK"]
    assert len(await kept(engine)) == 2


# Once


async def test_a_repeated_event_is_known(inbox: SqlInbox, other: SqlInbox) -> None:
    assert await inbox.add(MENTION, NOW)
    assert not await inbox.add(MENTION, NOW)
    assert not await other.add(MENTION, NOW), "by every process"
    await inbox.done([MENTION])
    assert not await inbox.add(MENTION, NOW), "also once it is done"
    assert await other.take_over(RUN_OUT) == []


async def test_an_edited_message_is_not_a_second_question(inbox: SqlInbox) -> None:
    assert await inbox.add(MENTION, NOW)
    assert not await inbox.add(replace(MENTION, event_id="Ev2"), NOW)


async def test_the_same_time_in_another_channel_is_another_message(inbox: SqlInbox) -> None:
    assert await inbox.add(MENTION, NOW)
    assert await inbox.add(replace(MENTION, event_id="Ev2", channel="C2"), NOW)


async def test_events_without_a_message_do_not_stand_in_each_others_way(inbox: SqlInbox) -> None:
    assert await inbox.add(HOME, NOW)
    assert await inbox.add(replace(HOME, event_id="Ev10"), NOW)


async def test_workspaces_do_not_share_events(inbox: SqlInbox, other: SqlInbox) -> None:
    elsewhere = replace(MENTION, workspace="T2")
    assert await inbox.add(MENTION, NOW)
    assert await inbox.add(elsewhere, NOW)
    await inbox.done([MENTION])
    assert await other.take_over(RUN_OUT) == [elsewhere]


async def test_of_fifty_at_once_one_is_taken(inbox: SqlInbox, other: SqlInbox) -> None:
    added = await asyncio.gather(*((inbox, other)[at % 2].add(MENTION, NOW) for at in range(50)))
    assert Counter(added) == {True: 1, False: 49}


async def test_of_fifty_versions_of_a_message_at_once_one_is_taken(inbox: SqlInbox, other: SqlInbox) -> None:
    versions = [replace(MENTION, event_id=f"Ev{at}") for at in range(50)]
    added = await asyncio.gather(*((inbox, other)[at % 2].add(version, NOW) for at, version in enumerate(versions)))
    assert Counter(added) == {True: 1, False: 49}


# Claims


async def test_a_claim_is_nobody_elses_while_its_lease_lasts(inbox: SqlInbox, other: SqlInbox) -> None:
    await inbox.add(MENTION, NOW)
    assert await other.take_over(NOW + LEASE) == []
    assert await other.take_over(RUN_OUT) == [MENTION]
    assert await inbox.take_over(RUN_OUT) == [], "it has a new lease"


async def test_a_renewed_lease_lasts_longer(inbox: SqlInbox, other: SqlInbox) -> None:
    await inbox.add(MENTION, NOW)
    await inbox.renew(NOW + LEASE / 2)
    assert await other.take_over(RUN_OUT) == []
    assert await other.take_over(RUN_OUT + LEASE) == [MENTION]


async def test_nobody_renews_what_others_hold(inbox: SqlInbox, other: SqlInbox) -> None:
    await inbox.add(MENTION, NOW)
    await other.renew(NOW + LEASE / 2)
    assert await other.take_over(RUN_OUT) == [MENTION]


async def test_what_was_taken_over_is_not_ours_any_more(engine: AsyncEngine, inbox: SqlInbox, other: SqlInbox) -> None:
    await inbox.add(MENTION, NOW)
    await other.take_over(RUN_OUT)
    # A renewal that comes too late brings nothing back.
    await inbox.renew(RUN_OUT)
    assert not await inbox.still_ours(MENTION, RUN_OUT)
    assert await other.still_ours(MENTION, RUN_OUT)
    await inbox.failed(MENTION)
    assert await inbox.dead(MENTION) == "not ours"
    assert await kept(engine) == [("Ev1", "claimed", MENTION.body, 0)]
    assert await other.dead(MENTION) == "dead"
    assert await inbox.dead(MENTION) == "not ours"
    assert await kept(engine) == [("Ev1", "dead", MENTION.body, 0)]


async def test_a_fresh_lease_is_known_without_asking(engine: AsyncEngine, inbox: SqlInbox) -> None:
    await inbox.add(MENTION, NOW)
    seen = await statements(engine)
    assert await inbox.still_ours(MENTION, NOW + LEASE / 2 - SECOND)
    assert seen == []
    assert await inbox.still_ours(MENTION, NOW + LEASE / 2)
    assert len(seen) == 1, "from the middle on the database is asked"
    assert await inbox.still_ours(MENTION, NOW + LEASE - SECOND)
    assert len(seen) == 1, "which renews it too"


async def test_a_forgotten_persons_event_is_not_ours_any_more(engine: AsyncEngine, inbox: SqlInbox) -> None:
    await inbox.add(MENTION, NOW)
    async with engine.begin() as connection:
        await connection.execute(update(table).values(state="done"))
    assert not await inbox.still_ours(MENTION, NOW + LEASE / 2)


async def test_what_is_released_is_free_at_once(inbox: SqlInbox, other: SqlInbox) -> None:
    await inbox.add(MENTION, NOW)
    await other.add(HOME, NOW)
    assert await inbox.release(NOW) == 1
    assert await other.take_over(NOW) == [MENTION]
    assert not await inbox.still_ours(MENTION, NOW)


async def test_what_is_added_free_is_for_whoever_comes_first(inbox: SqlInbox, other: SqlInbox) -> None:
    assert await inbox.add(MENTION, NOW, free=True)
    assert await other.take_over(NOW) == [MENTION]
    assert await inbox.take_over(NOW) == []


async def test_who_is_alone_takes_all_at_once(engine: AsyncEngine, inbox: SqlInbox) -> None:
    await inbox.add(MENTION, NOW)
    restarted = SqlInbox(engine, "one, restarted")
    assert await restarted.take_over(NOW) == []
    assert await restarted.take_over(NOW, alone=True) == [MENTION]
    assert await restarted.take_over(NOW, alone=True) == []


async def test_a_process_that_stood_still_does_not_take_its_own_events_twice(inbox: SqlInbox, other: SqlInbox) -> None:
    await inbox.add(MENTION, NOW)
    assert await inbox.take_over(RUN_OUT) == [], "it waits in a lane already"
    assert await other.take_over(RUN_OUT + LEASE / 2) == [], "and is ours again"


async def test_what_a_process_lets_go_is_not_renewed(inbox: SqlInbox, other: SqlInbox) -> None:
    await inbox.add(MENTION, NOW)
    await inbox.add(HOME, NOW)
    inbox.let_go(MENTION)
    await inbox.renew(NOW + LEASE / 2)
    assert await other.take_over(RUN_OUT) == [MENTION]


async def test_it_may_take_up_again_itself_what_it_let_go(inbox: SqlInbox) -> None:
    await inbox.add(MENTION, NOW)
    inbox.let_go(MENTION)
    await inbox.renew(NOW + LEASE / 2)
    assert await inbox.take_over(RUN_OUT) == [MENTION]
    await inbox.renew(RUN_OUT + LEASE / 2)
    assert await inbox.still_ours(MENTION, RUN_OUT + LEASE)


async def test_an_event_whose_writing_ended_unknown_is_worked_on_by_somebody(
    engine: AsyncEngine, inbox: SqlInbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    write = inbox._write

    async def cut(*given: Any) -> int:
        await write(*given)
        raise ConnectionResetError

    monkeypatch.setattr(inbox, "_write", cut)
    with pytest.raises(ConnectionResetError):
        await inbox.add(MENTION, NOW)
    monkeypatch.undo()
    assert not await inbox.add(MENTION, NOW), "Slack sends it again, and is told that it is known"
    await inbox.renew(NOW + LEASE / 2)
    assert await inbox.take_over(RUN_OUT) == [MENTION]


async def test_a_repeat_that_cannot_be_written_does_not_free_what_is_worked_on(
    inbox: SqlInbox, other: SqlInbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    await inbox.add(MENTION, NOW)
    monkeypatch.setattr(inbox, "_write", refuse)
    with pytest.raises(ConnectionResetError):
        await inbox.add(MENTION, NOW)
    monkeypatch.undo()
    await inbox.renew(NOW + LEASE / 2)
    assert await other.take_over(RUN_OUT) == []


@pytest.mark.parametrize("who", ["itself", "another"])
async def test_what_was_taken_over_without_an_answer_is_free_after_its_lease(
    engine: AsyncEngine, inbox: SqlInbox, other: SqlInbox, monkeypatch: pytest.MonkeyPatch, who: str
) -> None:
    await inbox.add(MENTION, NOW, free=True)
    commit = engine.dialect.do_commit

    def cut(connection: Any) -> None:
        commit(connection)
        raise ConnectionResetError

    monkeypatch.setattr(engine.dialect, "do_commit", cut)
    with pytest.raises(ConnectionResetError):
        await inbox.take_over(NOW)
    monkeypatch.undo()
    assert await other.take_over(NOW) == [], "the commit was done"
    await inbox.renew(NOW + LEASE / 2)
    assert await (inbox if who == "itself" else other).take_over(RUN_OUT) == [MENTION]


@pytest.mark.parametrize("who", ["itself", "another"])
async def test_what_was_not_returned_of_a_batch_is_free_after_its_lease(
    address: str, inbox: SqlInbox, other: SqlInbox, monkeypatch: pytest.MonkeyPatch, who: str
) -> None:
    with_another_key = open_engine(address, Keys([new_key()]))
    await SqlInbox(with_another_key, "gone").add(MENTION, NOW, free=True)
    await with_another_key.dispose()
    await inbox.add(HOME, NOW - SECOND, free=True)
    monkeypatch.setattr(inbox, "_write", refuse)
    with pytest.raises(ConnectionResetError):
        await inbox.take_over(NOW)
    monkeypatch.undo()
    await inbox.renew(NOW + LEASE / 2)
    assert await (inbox if who == "itself" else other).take_over(RUN_OUT) == [HOME]


async def test_any_number_of_leases_is_renewed(engine: AsyncEngine, inbox: SqlInbox, other: SqlInbox) -> None:
    await fill(engine, some(RENEWED_AT_ONCE + 20))
    while await inbox.take_over(NOW):
        pass
    await inbox.renew(NOW + LEASE / 2)
    assert await other.take_over(RUN_OUT) == []


async def test_the_oldest_comes_first(inbox: SqlInbox, other: SqlInbox) -> None:
    for minutes in (5, 1, 3):
        event = Event("T1", f"Ev{minutes}", "{}", "C1", f"100.{minutes}", "U1")
        await inbox.add(event, NOW + timedelta(minutes=minutes))
    taken = await other.take_over(NOW + timedelta(hours=1))
    assert [event.event_id for event in taken] == ["Ev1", "Ev3", "Ev5"]


async def fill(engine: AsyncEngine, events: list[Event]) -> None:
    """Write many at once, each a second after the one before, free for anybody."""
    async with engine.begin() as connection:
        await connection.execute(
            table.insert(),
            [
                {
                    "workspace": event.workspace,
                    "event_id": event.event_id,
                    "channel": event.channel,
                    "message_ts": event.message_ts,
                    "user_id": event.user,
                    "body": KEYS.seal(event.body, place_of(table.c.body, event.workspace, event.event_id)),
                    "state": "claimed",
                    "claimed_by": "",
                    "lease_until": NOW - LEASE,
                    "attempts": 0,
                    "received_at": NOW + at * SECOND,
                }
                for at, event in enumerate(events)
            ],
        )


async def test_a_hundred_are_taken_at_once_at_most(engine: AsyncEngine, inbox: SqlInbox) -> None:
    await fill(engine, some(MOST_TAKEN + 20))
    assert await inbox.take_over(NOW) == some(MOST_TAKEN)
    assert await inbox.take_over(NOW) == some(MOST_TAKEN + 20)[MOST_TAKEN:]


async def test_two_processes_never_take_the_same_event(engine: AsyncEngine, address: str, inbox: SqlInbox) -> None:
    await fill(engine, some(900))
    # A pool of its own, as another process has.
    second = open_engine(address, engine.dialect.keys)  # type: ignore[attr-defined]
    owners = [inbox, SqlInbox(second, "two"), SqlInbox(engine, "three"), SqlInbox(second, "four")]
    taken: list[Event] = []
    for _ in range(10):
        rounds = await asyncio.gather(*(owner.take_over(NOW) for owner in owners))
        taken.extend(event for found in rounds for event in found)
        if not any(rounds):
            break
    await second.dispose()
    assert sorted(event.event_id for event in taken) == [event.event_id for event in some(900)]


@ON_POSTGRES
async def test_taking_over_does_not_wait_for_another_that_does(engine: AsyncEngine, inbox: SqlInbox) -> None:
    await fill(engine, some(150))
    async with engine.begin() as connection:
        # What another process has picked and not yet committed.
        await connection.execute(text("SELECT 1 FROM inbox ORDER BY received_at LIMIT 100 FOR UPDATE"))
        assert await asyncio.wait_for(inbox.take_over(NOW), BUSY_SECONDS) == some(150)[100:]


@ON_POSTGRES
async def test_renewing_does_not_wait_for_rows_that_are_being_written(engine: AsyncEngine, inbox: SqlInbox) -> None:
    for event in some(2):
        await inbox.add(event, NOW)
    async with engine.begin() as connection:
        await connection.execute(update(table).where(table.c.event_id == "Ev0000").values(attempts=1))
        await asyncio.wait_for(inbox.renew(NOW + SECOND), BUSY_SECONDS)
    async with engine.connect() as connection:
        leases = (await connection.scalars(select(table.c.lease_until).order_by(table.c.event_id))).all()
    assert leases == [NOW + LEASE, NOW + LEASE + SECOND]


# The end


async def test_what_was_said_is_erased_when_done(engine: AsyncEngine, inbox: SqlInbox) -> None:
    await inbox.add(MENTION, NOW)
    await inbox.done([MENTION])
    assert await kept(engine) == [("Ev1", "done", "", 0)]


async def test_any_number_is_marked_at_once(engine: AsyncEngine, inbox: SqlInbox) -> None:
    await fill(engine, some(450))
    await inbox.done(some(449))
    await inbox.done([])
    assert [row[:2] for row in await kept(engine) if row[1] != "done"] == [("Ev0449", "claimed")]


async def test_a_given_up_event_stays_to_be_looked_at(engine: AsyncEngine, inbox: SqlInbox) -> None:
    await inbox.add(MENTION, NOW)
    for _ in range(3):
        await inbox.failed(MENTION)
    await inbox.dead(MENTION)
    assert await kept(engine) == [("Ev1", "dead", MENTION.body, 3)]
    assert await inbox.take_over(RUN_OUT) == []
    [letter] = await inbox.dead_letters()
    assert (letter.workspace, letter.event_id, letter.attempts, letter.received) == ("T1", "Ev1", 3, NOW)


async def test_attempts_are_counted_across_processes(inbox: SqlInbox, other: SqlInbox) -> None:
    await inbox.add(MENTION, NOW)
    await inbox.failed(MENTION)
    assert await other.take_over(RUN_OUT) == [replace(MENTION, attempts=1)]


async def test_what_is_put_back_is_free_from_then_on(inbox: SqlInbox, other: SqlInbox) -> None:
    await inbox.add(MENTION, NOW)
    await inbox.put_back(MENTION, NOW + SECOND)
    assert not await inbox.still_ours(MENTION, NOW)
    assert await other.take_over(NOW + SECOND) == []
    assert await other.take_over(NOW + 2 * SECOND) == [replace(MENTION, attempts=1)]
    await inbox.put_back(MENTION, NOW)
    assert await other.still_ours(MENTION, NOW + LEASE), "it was not the first one's any more"


async def test_one_dead_letter_can_be_replayed(inbox: SqlInbox, other: SqlInbox) -> None:
    for event in (MENTION, HOME):
        await inbox.add(event, NOW)
        await inbox.failed(event)
        await inbox.dead(event)
    assert await inbox.replay("Ev1", NOW) == 1
    assert await inbox.replay("Ev1", NOW) == 0
    assert await inbox.replay("unknown", NOW) == 0
    assert await other.take_over(NOW) == [MENTION], "with all its attempts again"
    assert [letter.event_id for letter in await inbox.dead_letters()] == ["Ev9"]


async def test_all_dead_letters_can_be_replayed(inbox: SqlInbox, other: SqlInbox) -> None:
    for at, event in enumerate(some(3)):
        await inbox.add(event, NOW + at * SECOND)
    for event in some(2):
        await inbox.dead(event)
    assert await inbox.replay(None, NOW) == 2
    assert await other.take_over(NOW) == some(2)
    assert await inbox.dead_letters() == []


async def test_the_depth_says_what_waits_and_since_when(inbox: SqlInbox) -> None:
    assert await inbox.depth(NOW) == Depth(0, 0.0, 0)
    for at, event in enumerate(some(4)):
        await inbox.add(event, NOW + at * SECOND)
    await inbox.done(some(1))
    await inbox.dead(some(2)[1])
    assert await inbox.depth(NOW + 10 * SECOND) == Depth(2, 8.0, 1)
    assert (await inbox.depth(NOW)).oldest_seconds == 0.0, "clocks of two machines differ"


async def test_after_a_week_ids_and_dead_letters_are_dropped(engine: AsyncEngine, inbox: SqlInbox) -> None:
    done, dead, waiting, fresh = some(4)
    for event in (done, dead, waiting):
        await inbox.add(event, NOW)
    await inbox.add(fresh, NOW + SECOND)
    await inbox.done([done, fresh])
    await inbox.dead(dead)
    assert await inbox.prune(NOW + KEEP) == 0
    assert await inbox.prune(NOW + KEEP + SECOND) == 2
    assert [row[:2] for row in await kept(engine)] == [("Ev0002", "claimed"), ("Ev0003", "done")]
    assert not await inbox.add(fresh, NOW + KEEP)
    assert await inbox.add(done, NOW + KEEP + SECOND), "by then Slack has long given up"


# Encryption


async def test_what_people_wrote_can_be_read_with_the_keys_alone(
    engine: AsyncEngine, address: str, inbox: SqlInbox
) -> None:
    await inbox.add(MENTION, NOW)
    await inbox.dead(MENTION)
    async with engine.connect() as connection:
        rows = (await connection.execute(text("SELECT * FROM inbox"))).all()
    assert len(rows) == 1
    assert "mlops" not in repr(rows)
    if engine.dialect.name == "sqlite":
        await engine.dispose()
        assert b"mlops" not in b"".join(file.read_bytes() for file in database_files(address))


async def test_an_event_of_an_unknown_key_waits_for_a_process_that_has_it_and_holds_up_no_other(
    engine: AsyncEngine, address: str, inbox: SqlInbox, caplog: pytest.LogCaptureFixture
) -> None:
    newer = open_engine(address, Keys([new_key(), KEY]))
    with_the_key = SqlInbox(newer, "newer")
    await with_the_key.add(MENTION, NOW, free=True)
    await inbox.add(HOME, NOW, free=True)
    assert await inbox.take_over(NOW + SECOND) == [HOME]
    await inbox.done([HOME])
    until = set()
    for seconds in range(2, 200):
        assert await inbox.take_over(NOW + timedelta(seconds=seconds)) == []
        async with engine.connect() as connection:
            until.add(await connection.scalar(select(table.c.lease_until).where(table.c.state == "claimed")))
    assert len(until) < 10, "it waits for as long again as it has waited"
    assert await inbox.dead_letters() == []
    records = [record for record in caplog.records if record.name == "storage.inbox"]
    assert len(records) == 1
    assert "put the missing key back behind the others in ENCRYPTION_KEYS" in records[0].getMessage()
    assert await with_the_key.take_over(NOW + timedelta(seconds=1300)) == [MENTION]
    await newer.dispose()


async def test_what_waits_for_a_key_for_a_week_is_deleted_as_all_that_is_as_old(address: str, inbox: SqlInbox) -> None:
    lost = open_engine(address, Keys([new_key()]))
    await SqlInbox(lost, "lost").add(MENTION, NOW, free=True)
    await lost.dispose()
    late = NOW + KEEP
    assert await inbox.take_over(late) == []
    assert await inbox.prune(late) == 0
    assert await inbox.prune(late + SECOND) == 1


async def test_a_damaged_event_is_given_up_and_holds_up_no_other(
    engine: AsyncEngine, inbox: SqlInbox, caplog: pytest.LogCaptureFixture
) -> None:
    await inbox.add(MENTION, NOW, free=True)
    async with engine.begin() as connection:
        await connection.execute(update(table).values(body=KEYS.seal(MENTION.body, "another place")))
    await inbox.add(HOME, NOW, free=True)
    assert await inbox.take_over(NOW + SECOND) == [HOME]
    [letter] = await inbox.dead_letters()
    assert letter.event_id == "Ev1"
    [record] = [record for record in caplog.records if record.levelno == logging.ERROR]
    assert "event Ev1 is given up: None of ENCRYPTION_KEYS opens a stored text" in record.getMessage()
