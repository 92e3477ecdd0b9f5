"""What began before a person was forgotten writes nothing about them, and what begins after that does."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import timedelta

import pytest
import pytest_asyncio
from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncEngine

from knowledge.answers import Subject
from knowledge.asking import Asker, Details, change
from knowledge.errors import ForgottenSince
from knowledge.keeping import Consent
from knowledge.team import Alias, TeamEntry, published
from knowledge.verifying import ToVerify
from knowledge.workspaces import Recorded, Settings
from storage.database import open_engine
from storage.inbox import Event, SqlInbox
from storage.installations import Installation, SqlInstallations
from storage.keeping import SqlKeepings
from storage.marks import asker_mark, workspace_key
from storage.people import SqlPeople
from storage.tables import asks, forgettings, metadata, namings, secrets
from storage.team_entries import SqlTeamEntries
from storage.threads import SqlThreads
from storage.underway import KEEP, prune_forgettings, underway_since
from storage.verifying import SqlVerifications
from storage.workspaces import SqlWorkspaces
from tests.asks import Asks, new_ask
from tests.databases import KEYS
from tests.storage.conftest import NOW

ANN, BEN, CAI = "U0ANN", "U0BEN", "U0CAI"
BEFORE, AFTER = NOW - timedelta(seconds=1), NOW + timedelta(seconds=1)
ENTRY = published(TeamEntry("team-1", "Looms", answer="Of wood.", written_by=ANN, shown_author="Ann Archer"), NOW)
MOMENT = timedelta(days=30)


@dataclass
class Office:
    """Hold the parts that write about people."""

    engine: AsyncEngine

    def __post_init__(self) -> None:
        self.people = SqlPeople(self.engine, random.Random(7), now=lambda: NOW)
        self.asks = Asks(self.engine)
        self.team = SqlTeamEntries(self.engine)
        self.keepings = SqlKeepings(self.engine, self.team)
        self.workspaces = SqlWorkspaces(self.engine, lambda: NOW)

    async def about(self, user: str) -> dict[str, int]:
        """Count the rows that name the person, or hold the mark of whoever asks."""
        async with self.engine.begin() as connection:
            mark = asker_mark(await workspace_key(self.engine, connection, "T1"), "T1", user)
            found = {
                name: [row for row in await connection.execute(select(table)) if user in str(row) or mark in str(row)]
                for name, table in metadata.tables.items()
            }
        return {name: len(rows) for name, rows in found.items() if rows}

    async def declares(self) -> None:
        await self.people.declare("T1", ANN, {"mlops-engineer": "lead"}, {}, NOW)

    async def asks_on(self) -> None:
        await SqlThreads(self.engine).remember("T1", "C1", "1.1", ANN, Subject(tools=("jax",)), NOW)

    async def puts(self) -> None:
        await self.asks.create(new_ask("one", ANN, asked=BEN), NOW)

    async def withdraws_unnamed(self) -> None:
        ask = await self.asks.get("T1", "unnamed")
        assert ask is not None
        made = change(ask, "ask_back", NOW, MOMENT, Details(actor=ANN, text="Why?", asker=Asker(ANN)))
        if made is not None:
            await self.asks.apply(ask, made, NOW)

    async def consents_unnamed(self) -> None:
        await self.keepings.says("T1", "solved", Consent("asker", yes=True, asker=Asker(ANN)), (), NOW)

    async def writes(self) -> None:
        await self.team.save("T1", [ENTRY], [Alias("Webstuhl", "data-engineer", ANN)])

    async def rewrites(self) -> None:
        await self.team.change("T1", "team-2", "published", lambda entry: replace(entry, written_by=ANN), ANN)

    async def sets(self) -> None:
        await self.workspaces.save("T1", Settings(question_days=20, curators=(ANN,)), ANN, NOW)

    async def is_recorded(self) -> None:
        await self.workspaces.record("T1", Recorded(ANN, "entries exported", NOW, about=ANN))

    async def installs(self) -> None:
        found = Installation("T1", "xoxb-1", ("chat:write",), "A1", "B1", "U0BOT", ANN)
        await SqlInstallations(self.engine).save(found, (), NOW)

    async def is_to_verify(self) -> None:
        await SqlVerifications(self.engine).move(ToVerify("T1", "team-2", NOW, ANN, ""), 1, NOW)

    async def has_another_title(self) -> None:
        event = Event("T1", "Ev1", "{}", user=ANN)
        await SqlInbox(self.engine, "one").add(event, NOW, unasked=True)

    async def prepared(self) -> None:
        """Have there what some of it needs; none of it names Ann."""
        await self.team.save("T1", [replace(ENTRY, id="team-2", written_by=BEN)])
        for ask_id in ("unnamed", "solved"):
            await self.asks.create(new_ask(ask_id, CAI, asked=BEN, anonymous=True), NOW)
            ask = await self.asks.get("T1", ask_id)
            assert ask is not None
            answered = change(ask, "answer", NOW, MOMENT, Details(actor=BEN, text="So.", source="form"))
            assert answered is not None
            assert await self.asks.apply(ask, answered, NOW) == "done"
        ask = await self.asks.get("T1", "solved")
        assert ask is not None
        solved = change(ask, "solve", NOW, MOMENT, Details(actor=CAI))
        assert solved is not None
        assert await self.asks.apply(ask, solved, NOW) == "done"
        # As it is once the answer was delivered.
        async with self.engine.begin() as connection:
            await connection.execute(update(asks).values(asker=None, asker_mark=None))


Write = Callable[[Office], Awaitable[None]]
ASKED_FOR: list[Write] = [Office.declares, Office.puts, Office.withdraws_unnamed, Office.consents_unnamed]
"""What a person does for themself is refused, and they read so."""
BESIDE: list[Write] = [
    *(Office.asks_on, Office.writes, Office.rewrites, Office.sets, Office.is_recorded, Office.installs),
    *(Office.is_to_verify, Office.has_another_title),
]
"""Of all else only the person is left out."""


@pytest.mark.parametrize("write", [*ASKED_FOR, *BESIDE], ids=lambda write: write.__name__)
async def test_what_began_before_leaves_nothing(engine: AsyncEngine, write: Write) -> None:
    office = Office(engine)
    await office.prepared()
    assert await office.about(ANN) == {}
    await office.people.forget("T1", ANN)
    with underway_since(BEFORE):
        if write in ASKED_FOR:
            with pytest.raises(ForgottenSince):
                await write(office)
        else:
            await write(office)
    assert await office.about(ANN) == {}
    with underway_since(AFTER):
        await write(office)
    assert await office.about(ANN) != {}


@pytest_asyncio.fixture
async def other(engine: AsyncEngine, address: str) -> AsyncIterator[AsyncEngine]:
    """Another process's way to the same database."""
    other = open_engine(address, KEYS)
    yield other
    await other.dispose()


@pytest.mark.parametrize("write", [*ASKED_FOR, *BESIDE], ids=lambda write: write.__name__)
async def test_at_the_same_moment_whichever_comes_first(engine: AsyncEngine, other: AsyncEngine, write: Write) -> None:
    """Two processes over one database: what is written before is deleted, and what comes after is not written."""
    here, there = Office(engine), Office(other)
    await here.prepared()
    for _ in range(5):

        async def writes() -> None:
            with underway_since(BEFORE):
                await write(here)

        wrote, forgot = await asyncio.gather(writes(), there.people.forget("T1", ANN), return_exceptions=True)
        assert wrote is None or isinstance(wrote, ForgottenSince)
        assert isinstance(forgot, int)
        assert await here.about(ANN) == {}


async def test_declaring_again_does_not_let_in_what_is_older(engine: AsyncEngine) -> None:
    office = Office(engine)
    await office.people.forget("T1", ANN)
    with underway_since(AFTER):
        await office.declares()
    with underway_since(BEFORE):
        await office.asks_on()
        with pytest.raises(ForgottenSince):
            await office.puts()
    assert {"threads", "asks"} & (await office.about(ANN)).keys() == set()


async def test_it_holds_after_the_app_was_removed_and_is_back(engine: AsyncEngine) -> None:
    office, threads = Office(engine), SqlThreads(engine)
    await threads.secret("T1")
    await office.people.forget_workspace("T1")
    await office.people.forget("T1", ANN)
    with underway_since(BEFORE):
        await threads.remember("T1", "C1", "1.1", ANN, Subject(tools=("jax",)), NOW)
    assert "threads" not in await office.about(ANN)
    with underway_since(AFTER):
        await threads.remember("T1", "C1", "1.1", ANN, Subject(tools=("jax",)), NOW)
    assert "threads" in await office.about(ANN)


async def test_it_holds_though_the_key_of_the_marks_was_damaged_since(engine: AsyncEngine) -> None:
    office = Office(engine)
    await office.people.declare("T1", CAI, {"mlops-engineer": "lead"}, {}, NOW)

    async def is_named_somebody() -> int:
        assert await office.people.suggested("T1", [CAI], NOW, asker=ANN)
        async with engine.connect() as connection:
            return len((await connection.execute(select(namings))).all())

    await office.people.forget("T1", ANN)
    async with engine.begin() as connection:
        await connection.execute(update(secrets).values(value=KEYS.seal("00" * 32, "another place")))
    await office.people.forget("T1", BEN)
    with underway_since(BEFORE):
        await office.asks_on()
        with pytest.raises(ForgottenSince):
            await office.puts()
        assert await is_named_somebody() == 0
    assert await office.about(ANN) == {}
    with underway_since(AFTER):
        await office.asks_on()
        assert await is_named_somebody() == 1
    assert await office.about(ANN) != {}


async def test_an_event_that_was_written_down_after_it_is_left_without_the_person(engine: AsyncEngine) -> None:
    office, inbox = Office(engine), SqlInbox(engine, "one")
    late = [
        Event("T1", f"Ev{at}", "{}", channel, "1.1", user, received=received)
        for at, (channel, user, received) in enumerate(
            [("D1", ANN, BEFORE), ("C1", ANN, BEFORE), ("D2", ANN, AFTER), ("D3", BEN, BEFORE)]
        )
    ]
    await office.people.forget("T1", ANN)
    for event in late:
        await inbox.add(event, NOW)
    await inbox.done(late)
    async with engine.connect() as connection:
        table = metadata.tables["inbox"]
        found = await connection.execute(select(table.c.user_id, table.c.channel).order_by(table.c.event_id))
    assert [tuple(row) for row in found] == [(None, None), (None, "C1"), (ANN, "D2"), (BEN, "D3")]


async def test_an_event_of_somebody_forgotten_that_is_given_up_is_no_dead_letter(engine: AsyncEngine) -> None:
    office, inbox = Office(engine), SqlInbox(engine, "one")
    late = [
        Event("T1", f"Ev{at}", "{}", channel, "1.1", user, received=received)
        for at, (channel, user, received) in enumerate(
            [("D1", ANN, BEFORE), ("C1", ANN, BEFORE), ("D2", ANN, AFTER), ("D3", BEN, BEFORE)]
        )
    ]
    # Taken up again, the message that asked for it comes without the person.
    asking = Event("T1", "Ev4", "{}", "D4", "2.1", ANN, received=BEFORE)
    await inbox.add(asking, NOW)
    await office.people.forget("T1", ANN, answering=("D4", "2.1"))
    for event in late:
        await inbox.add(event, NOW)
    for event in (*late, replace(asking, user=None)):
        await inbox.dead(event)
    async with engine.connect() as connection:
        t = metadata.tables["inbox"].c
        found = await connection.execute(select(t.state, t.user_id, t.channel, t.body != "").order_by(t.event_id))
    assert [tuple(row) for row in found] == [
        ("done", None, None, False),
        ("done", None, "C1", False),
        ("dead", ANN, "D2", True),
        ("dead", BEN, "D3", True),
        ("done", None, None, False),
    ]
    assert await inbox.replay(None, NOW) == 2


async def test_the_moment_is_kept_for_a_day_under_a_mark_of_its_own(engine: AsyncEngine) -> None:
    office = Office(engine)
    await office.people.forget("T1", ANN)
    async with engine.connect() as connection:
        marks = [
            (await connection.scalars(select(metadata.tables[name].c.mark))).all()
            for name in ("forgotten", "forgettings")
        ]
    assert [len(some) for some in marks] == [1, 1]
    assert marks[0] != marks[1]
    assert await prune_forgettings(engine, NOW + KEEP - timedelta(seconds=1)) == 0
    assert await prune_forgettings(engine, NOW + KEEP) == 1
    async with engine.connect() as connection:
        assert (await connection.execute(select(forgettings))).all() == []
