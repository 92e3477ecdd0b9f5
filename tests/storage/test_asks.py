"""Questions to people in the database: claimed once, written at Slack's pace, one transition of two clicks at once."""

from __future__ import annotations

import asyncio
import random
from bisect import bisect_left
from collections import defaultdict
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import pairwise

import pytest
import pytest_asyncio
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from knowledge.asking import Askee, Details, Event, Via, change, is_meant
from knowledge.people import Level, Listed, Member, Terms
from knowledge.workspaces import Settings
from storage.ask_deliveries import SqlDeliveries
from storage.ask_forgetting import forget_in_asks
from storage.ask_rows import REDRAWN, apply
from storage.asks import SqlAsks
from storage.bulk import SqlPeopleInBulk
from storage.database import only_writer_for, open_engine
from storage.forgetting import KEEP_LEFT
from storage.keys import Keys, new_key
from storage.people import SqlPeople
from storage.rotation import rotate
from storage.tables import keys_of
from storage.workspaces import SqlWorkspaces
from tests.asks import NOW, Asks, new_ask
from tests.databases import KEY, KEYS

KEEP = timedelta(days=30)


@pytest_asyncio.fixture
async def other(address: str, engine: AsyncEngine) -> AsyncIterator[AsyncEngine]:
    """A second process over the same database, which for SQLite is a second set of connections."""
    other = open_engine(address, KEYS)
    yield other
    await other.dispose()


@pytest_asyncio.fixture(params=["the same keys", "a newer key"])
async def asking(request: pytest.FixtureRequest, address: str, engine: AsyncEngine) -> AsyncIterator[AsyncEngine]:
    """The process that writes questions; with a newer key ``engine`` can't read them. Both know that of the marks."""
    await SqlPeople(engine, random.Random(1)).forget("T1", "U0NOBODY")
    asking = open_engine(address, KEYS if request.param == "the same keys" else Keys([new_key(), KEY]))
    yield asking
    await asking.dispose()


async def test_what_is_due_is_claimed_by_one_of_two(engine: AsyncEngine, other: AsyncEngine) -> None:
    one, two = Asks(engine), Asks(other)
    for number in range(60):
        ask = new_ask(f"ask{number}", "U0ANN", f"T{number % 7}", asked=f"U{number}")
        assert await one.create(replace(ask, due=NOW), NOW) == "done"
    claimed: list[str] = []

    async def work(asks: Asks) -> None:
        while found := await asks.due(NOW, 7):
            claimed.extend(ask.id for ask in found)

    await asyncio.gather(work(one), work(two))
    assert sorted(claimed) == sorted(f"ask{number}" for number in range(60))
    # Whoever claimed them ended: another takes them over a minute later, and not before.
    assert not await two.due(NOW + timedelta(seconds=59), 100)
    assert len(await two.due(NOW + timedelta(seconds=60), 100)) == 60


async def test_of_two_clicks_at_once_one_counts(engine: AsyncEngine, other: AsyncEngine) -> None:
    one, two = Asks(engine), Asks(other)
    await one.create(new_ask("1", "U0ANN", asked="U0BEN"), NOW)
    ask = await one.get("T1", "1")
    assert ask is not None
    taken = change(ask, "take", NOW, KEEP, Details(actor="U0BEN"))
    withdrawn = change(ask, "withdraw", NOW, KEEP)
    assert taken is not None and withdrawn is not None
    done = await asyncio.gather(one.apply(ask, taken, NOW), two.apply(ask, withdrawn, NOW))
    assert sorted(done) == ["done", "lost"]


async def test_an_answer_that_comes_twice_is_delivered_once(engine: AsyncEngine) -> None:
    asks = Asks(engine)
    await asks.create(new_ask("1", "U0ANN", asked="U0BEN"), NOW)
    done = []
    for _ in range(2):
        ask = await asks.get("T1", "1")
        assert ask is not None
        made = change(ask, "answer", NOW, KEEP, Details(actor="U0BEN", text="words", source="1.1"))
        assert made is not None
        done.append(await asks.apply(ask, made, NOW))
    assert done == ["done", "repeat"]
    ask = await asks.get("T1", "1")
    assert ask is not None
    assert ask.answer == "words"


async def test_two_processes_keep_the_pace_of_a_workspace_and_of_a_channel(
    engine: AsyncEngine, other: AsyncEngine
) -> None:
    asks = Asks(engine)
    for number in range(400):
        # Twenty people, each asked twenty times.
        ask = new_ask(f"ask{number}", f"U0ASKER{number}", asked=f"U0EXPERT{number % 20}")
        await asks.create(ask, NOW)
    posts: list[datetime] = []
    changes: list[datetime] = []
    to: dict[str, list[datetime]] = defaultdict(list)
    both = (SqlDeliveries(engine), SqlDeliveries(other))
    for second in range(100):
        now = NOW + timedelta(seconds=second)
        for claimed in await asyncio.gather(*(one.claim("T1", now) for one in both)):
            for due in claimed:
                at = max(due.at, now)
                if due.what.kind in REDRAWN:
                    changes.append(at)
                else:
                    posts.append(at)
                    to[due.what.user or ""].append(at)
                await both[0].sent(due, at)
    assert most_a_minute(posts) <= 300
    assert most_a_minute(changes) <= 50
    assert len(posts) > 300
    for user, times in to.items():
        times.sort()
        assert all(after - before >= timedelta(seconds=1) for before, after in pairwise(times)), user


@pytest.mark.parametrize("column", ["asker", "question", "answer", "further", "note"])
async def test_a_text_of_a_question_that_was_moved_to_another_row_does_not_open(
    engine: AsyncEngine, caplog: pytest.LogCaptureFixture, column: str
) -> None:
    asks = Asks(engine)
    for number in (1, 2):
        await asks.create(new_ask(str(number), "U0ANN", asked="U0BEN"), NOW)
    one = await asks.get("T1", "1")
    assert one is not None
    for event in ("answer", "ask_back", "hand_over"):
        made = change(
            one,
            event,
            NOW,
            KEEP,
            Details(actor="U0BEN", text="words", source="1.0", new=Askee("U0CAI", "handover", shown=True)),
        )
        assert made is not None
        made = made if event == "hand_over" else replace(made, new=None)
        assert await asks.apply(one, made, NOW) == "done"
        one = await asks.get("T1", "1")
        assert one is not None
    assert {one.question, one.answer, one.further, one.note} == {"How do we version prompts?", "words"}
    async with engine.begin() as connection:
        await connection.execute(
            text(f"UPDATE asks SET {column} = (SELECT {column} FROM asks WHERE id = '1') WHERE id = '2'")  # noqa: S608
        )
    assert await asks.get("T1", "2") is None
    assert await asks.get("T1", "1") == one
    assert "is an old key missing" in caplog.text


async def test_an_answer_that_was_moved_to_another_question_is_not_delivered(engine: AsyncEngine) -> None:
    asks, deliveries = Asks(engine), SqlDeliveries(engine)
    for number in (1, 2):
        await asks.create(new_ask(str(number), f"U0ANN{number}", asked=f"U0BEN{number}"), NOW)
        ask = await asks.get("T1", str(number))
        assert ask is not None
        answered = Details(actor=f"U0BEN{number}", text="words", source="1.0")
        made = change(ask, "answer", NOW, KEEP, answered)
        assert made is not None
        await asks.apply(ask, made, NOW)
    async with engine.begin() as connection:
        moved = "(SELECT text FROM ask_deliveries WHERE ask_id = '1' AND key = 'answer:1.0')"
        moved = f"UPDATE ask_deliveries SET text = {moved} WHERE ask_id = '2' AND key = 'answer:1.0'"  # noqa: S608
        await connection.execute(text(moved))
    later = NOW + timedelta(minutes=1)
    found = {
        due.ask_id: due.what.text
        for second in range(5)
        for due in await deliveries.claim("T1", later + timedelta(seconds=2 * second))
        if due.what.kind == "deliver answer"
    }
    assert found == {"1": "words", "2": ""}


async def test_what_older_versions_encrypted_is_read_and_bound_to_its_row_by_rotating(engine: AsyncEngine) -> None:
    asks = Asks(engine)
    await asks.create(new_ask("1", "U0ANN", asked="U0BEN"), NOW)
    before = await asks.get("T1", "1")
    assert before is not None
    async with engine.begin() as connection:
        old = {"question": KEYS.encrypt(before.question), "asker": KEYS.encrypt('{"user": "U0ANN"}')}
        await connection.execute(text("UPDATE asks SET question = :question, asker = :asker"), old)
    assert await asks.get("T1", "1") == before
    assert (await rotate(engine)).renewed == 2
    assert (await rotate(engine)).renewed == 0
    assert await asks.get("T1", "1") == before
    async with engine.connect() as connection:
        [row] = (await connection.execute(text("SELECT question, asker FROM asks"))).all()
    assert all(stored.startswith("2.") for stored in row)


@pytest.mark.parametrize("gone", ["asker forgotten", "time is over"])
async def test_what_is_erased_counts_for_the_weekly_cap_all_the_same(engine: AsyncEngine, gone: str) -> None:
    asks, people = Asks(engine), SqlPeople(engine, random.Random(1), now=lambda: NOW)
    await people.declare("T1", "U0BEN", {"prompt-engineer": "lead"}, {}, NOW, Terms(weekly_cap=2))
    assert await asks.create(new_ask("1", "U0ANN", asked="U0BEN"), NOW) == "done"
    assert await asks.create(new_ask("2", "U0CAI", asked="U0BEN"), NOW) == "done"
    if gone == "asker forgotten":
        await people.forget("T1", "U0ANN")
    else:
        ask = await asks.get("T1", "1")
        assert ask is not None
        await asks.erase(ask)
        assert await asks.get("T1", "1") is None
    # Whoever declares anew in between keeps the number, as that of suggestions.
    await people.declare("T1", "U0BEN", {"prompt-engineer": "learning"}, {}, NOW, Terms(weekly_cap=2))
    assert await asks.create(new_ask("3", "U0ANN", asked="U0BEN"), NOW) == "full"
    week_later = NOW + timedelta(days=7)
    assert await asks.create(new_ask("4", "U0ANN", asked="U0BEN", now=week_later), week_later) == "done"


async def test_who_hides_is_taken_out_of_what_was_written_on_both_databases(
    engine: AsyncEngine, asking: AsyncEngine
) -> None:
    """Also where they hide, or are forgotten, by a process that lacks the key of the question."""
    asks, deliveries = Asks(asking), SqlDeliveries(asking)
    people = SqlPeople(engine, random.Random(1), now=lambda: NOW)
    await people.declare("T1", "U0BEN", {"prompt-engineer": "lead"}, {}, NOW)
    await asks.create(new_ask("1", "U0ANN", asked="U0BEN"), NOW)
    ask = await asks.get("T1", "1")
    assert ask is not None
    made = change(ask, "answer", NOW, KEEP, Details(actor="U0BEN", text="So.", source="1.0", show=True))
    assert made is not None
    await asks.apply(ask, made, NOW)

    async def carried(at: datetime) -> dict[str, str]:
        found: dict[str, str] = {}
        for second in range(5):
            for due in await deliveries.claim("T1", at + timedelta(seconds=2 * second)):
                found[due.what.key] = due.what.ts
                await deliveries.sent(due, at, place=("D1", f"{due.what.key}.1"))
        return found

    assert (await carried(NOW))["answer:1.0"] == ""
    await people.declare("T1", "U0BEN", {"prompt-engineer": "lead"}, {}, NOW, Terms(visibility="hidden"))
    later = NOW + timedelta(minutes=1)
    assert await carried(later) == {"answer:1.0": "answer:1.0.1", "asker": ""}
    ask = await asks.get("T1", "1")
    assert ask is not None and [(one.shown, one.says_name) for one in ask.people] == [(False, False)]
    # Once is enough.
    await people.declare("T1", "U0BEN", {"prompt-engineer": "lead"}, {}, NOW, Terms(visibility="hidden"))
    assert await carried(later) == {}
    await people.forget("T1", "U0BEN")
    assert set(await carried(later)) == {"asker"}


async def test_a_question_that_no_key_opens_is_erased_with_whoever_asked_it(engine: AsyncEngine) -> None:
    asks, people = Asks(engine), SqlPeople(engine, random.Random(1), now=lambda: NOW)
    for number in (1, 2):
        await asks.create(new_ask(str(number), "U0ANN", asked="U0BEN"), NOW)
    await asks.create(new_ask("3", "U0CAI", asked="U0BEN"), NOW)
    async with engine.begin() as connection:
        await connection.execute(text("UPDATE asks SET question = 'garbage' WHERE id IN ('2', '3')"))
    await people.forget("T1", "U0ANN")
    async with engine.connect() as connection:
        left_of = (await connection.execute(text("SELECT id, asker, question FROM asks ORDER BY id"))).all()
        told = (await connection.scalars(text("SELECT DISTINCT ask_id FROM ask_deliveries ORDER BY ask_id"))).all()
    # They stay until whoever has them is told, without a word of them.
    assert [(row.id, row.asker is None, row.question == "") for row in left_of] == [
        ("1", True, True),
        ("2", True, True),
        ("3", False, False),
    ]
    assert told == ["1", "2", "3"]
    # Cai's goes to the next person, once a process can read it.
    await people.forget("T1", "U0BEN")
    async with engine.connect() as connection:
        assert (await connection.scalars(text("SELECT ask_id FROM ask_people"))).all() == []
        assert await connection.scalar(text("SELECT state FROM asks WHERE id = '3'")) == "seeking"


async def test_who_left_long_ago_is_taken_out_of_what_was_written(engine: AsyncEngine) -> None:
    asks, people = Asks(engine), SqlPeople(engine, random.Random(1), now=lambda: NOW)
    await people.declare("T1", "U0BEN", {"prompt-engineer": "lead"}, {}, NOW)
    await asks.create(new_ask("1", "U0ANN", asked="U0BEN"), NOW)
    await people.remember("T1", Member("U0BEN", "Ben", availability="deactivated"), NOW)
    assert await people.erase_left(NOW + KEEP_LEFT) == 1
    ask = await asks.get("T1", "1")
    assert ask is not None and [one.shown for one in ask.people] == [False]


def most_a_minute(times: list[datetime]) -> int:
    times.sort()
    return max(bisect_left(times, at + timedelta(minutes=1)) - place for place, at in enumerate(times))


@pytest.mark.parametrize("address", ["postgresql"], indirect=True)
@pytest.mark.parametrize("foreign", [False, True])
async def test_messages_that_are_being_written_are_waited_for_by_nobody_who_holds_others(
    engine: AsyncEngine, impatient: AsyncEngine, foreign: bool
) -> None:
    asks, deliveries = Asks(engine), SqlDeliveries(impatient)
    for ask_id, asker, asked in (("1", "U0ANN", "U0BEN"), ("2", "U0CAI", "U0DEE")):
        await asks.create(new_ask(ask_id, asker, asked=asked), NOW)
    async with engine.begin() as connection:
        if foreign:
            text_of = {"text": Keys([new_key()]).seal("words", "somewhere")}
            await connection.execute(text("UPDATE ask_deliveries SET text = :text WHERE ask_id = '1'"), text_of)
    async with engine.begin() as connection:
        await connection.execute(text("UPDATE ask_deliveries SET turn = turn WHERE ask_id = '1'"))
        assert {one.ask_id for one in await deliveries.claim("T1", NOW)} == {"2"}
        await deliveries.rest("T1", NOW + KEEP)
    later = await deliveries.claim("T1", NOW + timedelta(minutes=1))
    assert {one.ask_id for one in later} == (set() if foreign else {"1"})


async def test_a_key_that_is_gone_hides_no_other_question(
    engine: AsyncEngine, address: str, caplog: pytest.LogCaptureFixture
) -> None:
    stranger = open_engine(address, Keys([new_key()]))
    await Asks(engine).create(replace(new_ask("ours", "U0ANN", asked="U0BEN"), due=NOW), NOW)
    await Asks(stranger).create(replace(new_ask("theirs", "U0ANN", "T2", asked="U0BEN"), due=NOW), NOW)
    await stranger.dispose()
    assert [ask.id for ask in await Asks(engine).due(NOW, 10)] == ["ours"]
    assert "is an old key missing" in caplog.text


@pytest.mark.parametrize("click", ["take", "answer"])
async def test_who_is_forgotten_is_forgotten_though_somebody_clicks_meanwhile(
    engine: AsyncEngine, other: AsyncEngine, click: Event
) -> None:
    asks = Asks(engine)
    await asks.create(new_ask("1", "U0ANN", asked="U0BEN"), NOW)
    ask = await asks.get("T1", "1")
    assert ask is not None
    clicked = change(ask, click, NOW, KEEP, Details(actor="U0BEN", text="So.", source="1.0"))
    assert clicked is not None

    async def forget() -> None:
        async with engine.begin() as connection:
            await only_writer_for(connection, "T1", "U0ANN")
            await forget_in_asks(engine, connection, "T1", "U0ANN")

    async with other.begin() as connection:
        await only_writer_for(connection, "T1")
        assert await apply(other, connection, ask, clicked, NOW) == "done"
        forgetting = asyncio.create_task(forget())
        if engine.dialect.name == "postgresql":
            waiting = "SELECT count(*) FROM pg_locks JOIN pg_database d ON d.oid = database OR database IS NULL "
            waiting += "WHERE NOT granted AND datname = current_database()"
            while not await connection.scalar(text(waiting)):
                assert not forgetting.done(), "it waits for the click"
    await forgetting
    left = await asks.get("T1", "1")
    assert left is None or (left.state, left.asker, left.mark, left.question) == ("withdrawn", None, None, "")


@pytest.mark.parametrize("late", ["U0BEN", "U0CAI"])
async def test_a_late_answer_brings_nothing_back_of_whoever_is_forgotten(
    engine: AsyncEngine, asking: AsyncEngine, late: str
) -> None:
    """Decided by the question as it was before; and a reminder that waits for somebody else still comes."""
    asks, deliveries = Asks(asking), SqlDeliveries(asking)
    people = SqlPeople(engine, random.Random(1), now=lambda: NOW)
    await asks.create(new_ask("1", "U0ANN", asked="U0BEN"), NOW)
    steps: list[tuple[Event, Details]] = [
        ("answer", Details(actor="U0BEN", text="Words of Ben.", source="1.0")),
        ("ask_back", Details(actor="U0ANN", text="Which?")),
        ("hand_over", Details(actor="U0BEN", text="Note of Ben.", new=Askee("U0CAI", "handover", shown=False))),
        ("silence", Details()),
    ]
    for event, details in steps:
        ask = await asks.get("T1", "1")
        assert ask is not None
        made = change(ask, event, NOW, KEEP, details)
        assert made is not None
        assert await asks.apply(ask, made, NOW) == "done"
    before = await asks.get("T1", "1")
    assert before is not None
    answered = change(before, "answer", NOW, KEEP, Details(actor=late, text="Later words.", source="2.0"))
    assert answered is not None
    await people.forget("T1", "U0BEN")
    assert await asks.apply(before, answered, NOW) == "lost"
    after = await asks.get("T1", "1")
    assert after is not None and (after.state, after.answer, after.note) == ("reminded", "", "")
    found = [
        due.what
        for second in range(0, 10, 2)
        for due in await deliveries.claim("T1", NOW + timedelta(seconds=second))
        if due.what.kind == "remind"
    ]
    # Which wording it has can't be read without its key.
    wording = "handed_over" if keys_of(asking.dialect) is KEYS else ""
    assert [what.text for what in found if is_meant(after, what)] == [wording]


async def test_a_name_that_is_ticked_stays_until_its_person_hides(engine: AsyncEngine) -> None:
    """Whoever is hidden, and says their name with an answer, keeps it there though they change what they declared."""
    asks, people = Asks(engine), SqlPeople(engine, random.Random(1), now=lambda: NOW)
    roles: dict[str, Level] = {"prompt-engineer": "lead"}
    hidden = Terms(visibility="hidden")

    async def named() -> list[bool]:
        ask = await asks.get("T1", "1")
        assert ask is not None
        return [one.says_name for one in ask.people]

    await people.declare("T1", "U0BEN", roles, {}, NOW, hidden)
    await asks.create(new_ask("1", "U0ANN", asked="U0BEN"), NOW)
    ask = await asks.get("T1", "1")
    assert ask is not None
    made = change(ask, "answer", NOW, KEEP, Details(actor="U0BEN", text="So.", source="1.0", show=True))
    assert made is not None
    await asks.apply(ask, made, NOW)
    await people.declare("T1", "U0BEN", {}, {"cooking": "cooking"}, NOW, None)
    assert await named() == [True]
    await people.declare("T1", "U0BEN", roles, {}, NOW, Terms())
    assert await named() == [True]
    await people.declare("T1", "U0BEN", roles, {}, NOW, hidden)
    assert await named() == [False]


async def test_who_is_hidden_by_a_file_is_taken_out_of_what_was_written(engine: AsyncEngine) -> None:
    asks, bulk = Asks(engine), SqlPeopleInBulk(engine, random.Random(1))
    roles: dict[str, Level] = {"prompt-engineer": "lead"}
    who = [Listed(Member(user, user), roles, {}, Terms()) for user in ("U0BEN", "U0CAI")]
    await bulk.declare_many("T1", who, NOW)
    for one in who:
        await asks.create(new_ask(one.member.user, "U0ANN", asked=one.member.user), NOW)
    await bulk.declare_many("T1", [replace(who[0], terms=Terms(visibility="hidden")), who[1]], NOW)
    found = [await asks.get("T1", one.member.user) for one in who]
    assert [one.shown for ask in found if ask is not None for one in ask.people] == [False, True]


@pytest.mark.parametrize("way", ["is forgotten", "withdraws", "hides"])
@pytest.mark.parametrize("via", ["named", "best", "handover", "curator"])
async def test_who_drops_out_while_they_are_chosen_is_not_asked_or_not_shown(
    engine: AsyncEngine, via: Via, way: str
) -> None:
    asks, people = SqlAsks(engine), SqlPeople(engine, random.Random(1), now=lambda: NOW)
    await people.declare("T1", "U0BEN", {"prompt-engineer": "lead"}, {}, NOW)
    chosen = Askee("U0BEN", via, shown=True)
    if way == "is forgotten":
        await people.forget("T1", "U0BEN")
    elif way == "withdraws":
        await people.declare("T1", "U0BEN", {}, {}, NOW)
    else:
        await people.declare("T1", "U0BEN", {"prompt-engineer": "lead"}, {}, NOW, Terms(visibility="hidden"))
    gone = way == "is forgotten" or (way == "withdraws" and via in ("named", "best"))
    expected = "full" if gone else "done"
    if via == "named":
        ask = replace(new_ask("1", "U0ANN"), state="asked", people=(chosen,))
        assert await asks.create(ask, NOW) == expected
    else:
        ask = new_ask("1", "U0ANN")
        assert await asks.create(ask, NOW) == "done"
        made = change(ask, "chosen", NOW, KEEP, Details(new=chosen))
        assert made is not None
        assert await asks.apply(ask, made, NOW) == expected
    found = await asks.get("T1", "1")
    people_then = found.people if found is not None else ()
    assert [(one.user, one.shown) for one in people_then] == ([] if gone else [("U0BEN", False)])


async def test_who_was_forgotten_and_is_a_curator_since_is_asked_as_one(engine: AsyncEngine) -> None:
    asks, people = SqlAsks(engine), SqlPeople(engine, random.Random(1), now=lambda: NOW)
    await people.forget("T1", "U0BEN")
    await SqlWorkspaces(engine).save("T1", Settings(curators=("U0BEN",)), "U0ANN", NOW)
    ask = new_ask("1", "U0ANN")
    assert await asks.create(ask, NOW) == "done"
    made = change(ask, "chosen", NOW, KEEP, Details(new=Askee("U0BEN", "curator", shown=False)))
    assert made is not None
    assert await asks.apply(ask, made, NOW) == "done"
