"""Two workspaces with the same ids in both: nothing that one asks or does reads or changes anything of the other.

Every method of every port has a case here; a new one without is told of. What the cases send to the database is read
too: each statement names the workspace, except those of jobs that are for all of them.
"""

from __future__ import annotations

import importlib
import inspect
import pkgutil
import random
import re
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any, Literal

import pytest
import pytest_asyncio
from greenlet import getcurrent  # type: ignore[import-untyped]  # comes with SQLAlchemy
from sqlalchemy import event, select
from sqlalchemy.ext.asyncio import AsyncEngine

import knowledge
from knowledge.answers import Subject
from knowledge.asking import Details, change
from knowledge.directory import Wanted
from knowledge.feedback import Asked
from knowledge.freshness import Due
from knowledge.keeping import Consent
from knowledge.people import Listed, Member
from knowledge.team import Alias, TeamEntry
from knowledge.workspaces import Recorded, Settings
from storage.ask_deliveries import SqlDeliveries
from storage.asks import SqlAsks
from storage.bulk import SqlPeopleInBulk
from storage.directory import SqlDirectory
from storage.feedback import SqlFeedback
from storage.freshness import SqlFreshness
from storage.keeping import SqlKeepings
from storage.looking_up import SqlToLookUp
from storage.moments import FAR
from storage.people import SqlPeople
from storage.tables import metadata
from storage.team_entries import SqlTeamEntries
from storage.threads import SqlThreads
from storage.vacated import SqlVacancies
from storage.verifying import SqlVerifications
from storage.workspaces import SqlWorkspaces
from tests.asks import NOW, new_ask

HERE, THERE = "T0HERE00001", "T0THERE0001"
MARKS = {HERE: "looms", THERE: "kilns"}
"""A word that everything of a workspace holds."""
LATER = NOW + timedelta(hours=1)
ROLE = "prompt-engineer"
P1, P2, P3 = "U0ONE", "U0TWO", "U0THREE"


@dataclass
class Office:
    """All ports over one database, and what one workspace hands to them."""

    engine: AsyncEngine

    def __post_init__(self) -> None:
        self.people = SqlPeople(self.engine, random.Random(7), now=lambda: LATER)
        self.bulk = SqlPeopleInBulk(self.engine, random.Random(7))
        self.directory = SqlDirectory(self.engine)
        self.freshness = SqlFreshness(self.engine)
        self.to_look_up = SqlToLookUp(self.engine)
        self.asks = SqlAsks(self.engine)
        self.deliveries = SqlDeliveries(self.engine)
        self.threads = SqlThreads(self.engine)
        self.feedback = SqlFeedback(self.engine)
        self.workspaces = SqlWorkspaces(self.engine, lambda: LATER)
        self.team = SqlTeamEntries(self.engine)
        self.vacancies = SqlVacancies(self.engine)
        self.keepings = SqlKeepings(self.engine, self.team)
        self.verifications = SqlVerifications(self.engine)

    async def fill(self, workspace: str) -> None:
        """Write something into every table that a port reads, with the same ids in every workspace."""
        mark = MARKS[workspace]
        for user in (P1, P2, P3):
            await self.people.declare(workspace, user, {ROLE: "lead"}, {mark: mark, "same": f"same {mark}"}, NOW)
            await self.people.remember(workspace, Member(user, f"{user} {mark}", mark), NOW)
        await self.people.declare(workspace, "U0GONE", {"mlops-engineer": "lead"}, {}, NOW)
        await self.people.forget(workspace, "U0GONE")
        settings = Settings(question_days=20, curators=(P2, f"U0{mark}".upper()))
        await self.workspaces.save(workspace, settings, P1, NOW)
        await self.asks.create(new_ask("a1", P1, workspace, asked=P2, question=f"How are {mark} made?"), NOW)
        await self.threads.remember(workspace, "C1", "1.1", P1, Subject(roles=(mark,)), NOW)
        await self.feedback.vote(workspace, self.asked(workspace), "helpful", NOW)
        await self.team.save(workspace, [self.entry(workspace)], [Alias(f"word of {mark}", ROLE, P1, NOW)])
        await self.asks.create(new_ask("a2", P1, workspace, asked=P3, question=f"Where are {mark} kept?"), NOW)
        for happened, actor in (("answer", P3), ("solve", P1)):
            found = await self.asks.get(workspace, "a2")
            assert found is not None
            details = Details(actor=actor, text=f"Beside the {mark}.", source="1", show=True)
            made = change(found, happened, NOW, timedelta(days=20), details)  # type: ignore[arg-type]
            assert made is not None
            assert await self.asks.apply(found, made, NOW) == "done"
        for consent in self.consents(workspace):
            await self.keepings.says(workspace, "a2", consent, (mark,), NOW)

    def consents(self, workspace: str) -> tuple[Consent, Consent]:
        return Consent("asker", True), Consent("answerer", True, f"Beside the {MARKS[workspace]}.")

    def asked(self, workspace: str) -> Asked:
        return Asked("x1", "role", (ROLE,), 0.5, f"who makes {MARKS[workspace]}")  # type: ignore[arg-type]

    def entry(self, workspace: str) -> TeamEntry:
        mark = MARKS[workspace]
        return TeamEntry("team-one", f"All about {mark}", answer=mark, state="published", changed_at=NOW)

    def due(self) -> Due:
        return Due(HERE, P1, "", NOW, 0)

    async def kept_entry(self) -> TeamEntry:
        known = await self.team.known(HERE, now=True)
        return next(entry for entry in known.entries if entry.id != "team-one")


Does = Literal["reads", "changes", "neither"]
Case = tuple[Does, Callable[[Office], Awaitable[object]]]
WHO: Mapping[str, Any] = {"topics": ["same"], "roles": [ROLE], "without": None, "now": LATER}


async def listed(office: Office) -> object:
    return [one async for one in office.bulk.everybody(HERE)]


async def asked(office: Office) -> Any:
    found = await office.asks.get(HERE, "a1")
    assert found is not None
    return found


async def applied(office: Office) -> object:
    found = await asked(office)
    made = change(found, "withdraw", LATER, timedelta(days=1))
    assert made is not None
    return await office.asks.apply(found, made, LATER)


async def delivered(office: Office) -> Any:
    return (await office.deliveries.claim(HERE, LATER, "a1"))[0]


async def sent(office: Office) -> None:
    await office.deliveries.sent(await delivered(office), LATER, place=("D1", "1.1"))


async def put_off(office: Office) -> None:
    await office.deliveries.put_off(await delivered(office), LATER, counted=True)


async def claimed(office: Office, do: Callable[..., Awaitable[object]], *more: object) -> object:
    """Take a turn of freshness first."""
    await office.freshness.put_off([(replace(office.due()), NOW)], NOW + timedelta(days=400))
    at = await office.freshness.claim(office.due(), LATER)
    assert at is not None
    return await do(office.due(), at, *more)


async def vacancy(office: Office, do: str) -> None:
    """Take it on to tell a curator that a role has nobody left."""
    one = next(one for one in await office.vacancies.to_tell(NOW + timedelta(days=9), 100) if one.workspace == HERE)
    at = await office.vacancies.claim(one, NOW + timedelta(days=9))
    assert at is not None
    if do == "put_off":
        await office.vacancies.put_off(one, at, NOW + timedelta(days=20))
    elif do == "told":
        await office.vacancies.told(one, at, NOW + timedelta(days=9))


async def verifying(office: Office) -> object:
    entry = replace(office.entry(HERE), written_by=P1, verified_at=NOW, verify_by=NOW + timedelta(days=1))
    await office.team.save(HERE, [entry])
    [one] = [one for one in await office.verifications.due(NOW + timedelta(days=2), 100) if one.workspace == HERE]
    return await office.verifications.move(one, 1, NOW + timedelta(days=3))


async def asked_of(office: Office) -> object:
    await verifying(office)
    return await office.verifications.asked_of(HERE, "team-one"), MARKS[HERE]


async def opened(office: Office) -> object:
    theirs = office.asks.seal(THERE, "a1")
    assert office.asks.opened(HERE, theirs) is None
    return office.asks.opened(HERE, office.asks.seal(HERE, "a1")), MARKS[HERE]


async def sealed(office: Office) -> object:
    return office.asks.seal(HERE, "a1"), MARKS[HERE]


async def vote_opened(office: Office) -> object:
    theirs = office.feedback.seal(THERE, office.asked(THERE))
    assert office.feedback.opened(HERE, theirs) is None
    return office.feedback.opened(HERE, office.feedback.seal(HERE, office.asked(HERE))), MARKS[HERE]


async def vote_sealed(office: Office) -> object:
    return office.feedback.seal(HERE, office.asked(HERE)), MARKS[HERE]


async def published(office: Office) -> object:
    return await office.keepings.publish(HERE, replace(await office.kept_entry(), state="published"), LATER)


async def rejected(office: Office) -> object:
    return await office.keepings.reject(HERE, (await office.kept_entry()).id, LATER)


async def merged(office: Office) -> object:
    return await office.keepings.merge(HERE, (await office.kept_entry()).id, "team-one", "Where?", LATER)


CASES: Mapping[str, Case] = {
    "People.candidates": ("reads", lambda o: o.people.candidates(HERE, **WHO)),
    "People.unnamed": ("neither", lambda o: o.people.unnamed(HERE, **WHO)),
    "People.passed_over": ("neither", lambda o: o.people.passed_over(HERE, **WHO)),
    "People.holders": ("reads", lambda o: o.people.holders(HERE, ROLE)),
    "People.declared_topics": ("reads", lambda o: o.people.declared_topics(HERE, [*MARKS.values()])),
    "People.spellings": ("reads", lambda o: o.people.spellings(HERE, ["same", *MARKS.values()], "")),
    "People.topics_from": ("reads", lambda o: o.people.topics_from(HERE, "")),
    "People.declaration": ("reads", lambda o: o.people.declaration(HERE, P1)),
    "People.declare": ("changes", lambda o: o.people.declare(HERE, P1, {}, {"new": "new"}, LATER)),
    "People.declares": ("neither", lambda o: o.people.declares(HERE, P1)),
    "People.remember": ("changes", lambda o: o.people.remember(HERE, Member(P1, "New"), LATER)),
    "People.profile": ("reads", lambda o: o.people.profile(HERE, P1)),
    "People.unchecked": ("neither", lambda o: o.people.unchecked(HERE, [P1], LATER)),
    "People.suggested": ("changes", lambda o: o.people.suggested(HERE, [P1], LATER)),
    "People.kept": ("reads", lambda o: o.people.kept(HERE, P1)),
    "People.forget": ("changes", lambda o: o.people.forget(HERE, P1)),
    "People.forget_workspace": ("changes", lambda o: o.people.forget_workspace(HERE)),
    "Directory.page": ("reads", lambda o: o.directory.page(HERE, Wanted(), 10)),
    "Directory.counts": ("neither", lambda o: o.directory.counts(HERE, [ROLE])),
    "Directory.shown": ("reads", lambda o: o.directory.shown(HERE, P1)),
    "PeopleInBulk.planned": (
        "neither",
        lambda o: o.bulk.planned(HERE, [Listed(Member(P1, "New"), {}, {"new": "new"})]),
    ),
    "PeopleInBulk.declare_many": (
        "changes",
        lambda o: o.bulk.declare_many(HERE, [Listed(Member("U0NEW", "New"), {}, {"new": "new"})], LATER),
    ),
    "PeopleInBulk.everybody": ("reads", listed),
    "Freshness.put_off": ("changes", lambda o: o.freshness.put_off([(o.due(), NOW)], NOW + timedelta(days=400))),
    "Freshness.take_minute": ("changes", lambda o: o.freshness.take_minute(HERE, LATER)),
    "Freshness.claim": ("changes", lambda o: o.freshness.claim(o.due(), NOW + timedelta(days=400))),
    "Freshness.asked": ("changes", lambda o: claimed(o, o.freshness.asked)),
    "Freshness.not_asked": ("changes", lambda o: claimed(o, o.freshness.not_asked, LATER)),
    "Freshness.fade": ("changes", lambda o: claimed(o, o.freshness.fade)),
    "Freshness.told": ("changes", lambda o: claimed(o, o.freshness.told)),
    "Freshness.confirm": ("changes", lambda o: o.freshness.confirm(HERE, P1, LATER)),
    "Freshness.responded": ("neither", lambda o: o.freshness.responded(HERE, P1)),
    "Freshness.stop": ("changes", lambda o: o.freshness.stop(HERE, P1)),
    "ToLookUp.claim": ("changes", lambda o: o.to_look_up.claim(HERE, NOW + timedelta(days=400), FAR)),
    "ToLookUp.take_minute": ("changes", lambda o: o.to_look_up.take_minute(HERE, LATER)),
    "Asks.seal": ("reads", sealed),
    "Asks.opened": ("reads", opened),
    "Asks.create": ("changes", lambda o: o.asks.create(new_ask("a3", P1, HERE, asked=P2), LATER)),
    "Asks.get": ("reads", asked),
    "Asks.apply": ("changes", applied),
    "Asks.at_message": ("neither", lambda o: o.asks.at_message(HERE, "D1", "1.1")),
    "Asks.of_asker": ("reads", lambda o: o.asks.of_asker(HERE, P1)),
    "Asks.of_person": ("reads", lambda o: o.asks.of_person(HERE, P2)),
    "Asks.unanswered": ("neither", lambda o: o.asks.unanswered(HERE)),
    "Deliveries.claim": ("changes", lambda o: o.deliveries.claim(HERE, LATER)),
    "Deliveries.sent": ("changes", sent),
    "Deliveries.put_off": ("changes", put_off),
    "Deliveries.rest": ("changes", lambda o: o.deliveries.rest(HERE, LATER + timedelta(days=30))),
    "Threads.subject": ("reads", lambda o: o.threads.subject(HERE, "C1", "1.1", NOW)),
    "Threads.secret": ("neither", lambda o: o.threads.secret(HERE)),
    "Threads.remember": ("changes", lambda o: o.threads.remember(HERE, "C1", "1.1", P2, Subject(roles=("x",)), LATER)),
    "Feedback.seal": ("reads", vote_sealed),
    "Feedback.opened": ("reads", vote_opened),
    "Feedback.unanswered": ("changes", lambda o: o.feedback.unanswered(HERE, replace(o.asked(HERE), id="x2"), LATER)),
    "Feedback.vote": ("changes", lambda o: o.feedback.vote(HERE, o.asked(HERE), "not", LATER)),
    "Workspaces.settings": ("reads", lambda o: o.workspaces.settings(HERE)),
    "Workspaces.save": ("changes", lambda o: o.workspaces.save(HERE, Settings(question_days=5), P2, LATER)),
    "Workspaces.record": ("changes", lambda o: o.workspaces.record(HERE, Recorded(P1, "x", LATER))),
    "Workspaces.record_hashed": (
        "changes",
        lambda o: o.workspaces.record_hashed(HERE, Recorded(P1, "x", LATER, about=P2)),
    ),
    "Workspaces.recorded": ("reads", lambda o: o.workspaces.recorded(HERE, 100)),
    "TeamKnowledge.known": ("reads", lambda o: o.team.known(HERE, now=True)),
    "TeamEntries.known": ("reads", lambda o: o.team.known(HERE)),
    "TeamEntries.save": ("changes", lambda o: o.team.save(HERE, [replace(o.entry(HERE), answer="new")])),
    "TeamEntries.change": (
        "changes",
        lambda o: o.team.change(HERE, "team-one", "published", lambda entry: replace(entry, answer="new")),
    ),
    "TeamEntries.remove_alias": ("changes", lambda o: o.team.remove_alias(HERE, f"word of {MARKS[HERE]}")),
    "Vacancies.orphaned": ("neither", lambda o: o.vacancies.orphaned(HERE)),
    "Vacancies.claim": ("changes", lambda o: vacancy(o, "claim")),
    "Vacancies.put_off": ("changes", lambda o: vacancy(o, "put_off")),
    "Vacancies.told": ("changes", lambda o: vacancy(o, "told")),
    "Keepings.of": ("neither", lambda o: o.keepings.of(HERE, "a2")),
    "Keepings.says": ("changes", lambda o: o.keepings.says(HERE, "a2", Consent("asker", False), (), LATER)),
    "Keepings.publish": ("changes", published),
    "Keepings.reject": ("changes", rejected),
    "Keepings.merge": ("changes", merged),
    "Verifications.move": ("changes", verifying),
    "Verifications.asked_of": ("reads", asked_of),
}
FOR_ALL = {
    "Asks.due",
    "Asks.erase",
    "Deliveries.waiting",
    "Freshness.due",
    "ToLookUp.workspaces",
    "Keepings.prune",
    "Vacancies.notice",
    "Vacancies.to_tell",
    "Verifications.due",
}
"""What jobs over all workspaces call: there is no workspace in it; what they do then is done in one each time."""
WITHOUT = {"Feedback.seal", "Feedback.opened"}
"""What touches no row."""


def methods_of_ports() -> Iterator[str]:
    """Go through the methods of every protocol of the subject that a class of storage/ has to have."""
    storing = [
        made
        for found in pkgutil.iter_modules([str(Path(__file__).parents[2] / "storage")])
        if found.name != "migrations"
        for _, made in inspect.getmembers(importlib.import_module(f"storage.{found.name}"), inspect.isclass)
        if made.__name__.startswith("Sql")
    ]
    for found in pkgutil.iter_modules(knowledge.__path__):
        module = importlib.import_module(f"knowledge.{found.name}")
        for name, port in inspect.getmembers(module, inspect.isclass):
            if not getattr(port, "_is_protocol", False) or port.__module__ != module.__name__:
                continue
            methods = {method for method in vars(port) if not method.startswith("_")}
            if methods and any(methods <= set(dir(made)) for made in storing):
                yield from (f"{name}.{method}" for method in methods)


def test_every_method_of_every_port_has_a_case() -> None:
    assert sorted({*CASES, *FOR_ALL, *WITHOUT} ^ {*methods_of_ports(), "TeamEntries.known"}) == []


@pytest.fixture(scope="session")
def filled() -> dict[str, dict[str, list[dict[str, Any]]]]:
    """The rows of a filled database, by dialect and table: written through the ports once, put back for each case."""
    return {}


@pytest_asyncio.fixture
async def office(engine: AsyncEngine, filled: dict[str, dict[str, list[dict[str, Any]]]]) -> Office:
    office = Office(engine)
    if engine.dialect.name in filled:
        async with engine.begin() as connection:
            for table in metadata.sorted_tables:
                if rows := filled[engine.dialect.name][table.name]:
                    await connection.execute(table.insert(), rows)
        return office
    for workspace in MARKS:
        await office.fill(workspace)
    await office.vacancies.notice(NOW + timedelta(days=2), 100)
    async with engine.connect() as connection:
        filled[engine.dialect.name] = {
            table.name: [dict(row) for row in (await connection.execute(select(table))).mappings()]
            for table in metadata.sorted_tables
        }
    return office


async def rows_of(engine: AsyncEngine, workspace: str) -> dict[str, list[str]]:
    """Return every row of a workspace, by table."""
    found: dict[str, list[str]] = {}
    async with engine.connect() as connection:
        for name, table in metadata.tables.items():
            if "workspace" not in table.c:
                continue
            rows = await connection.execute(select(table).where(table.c.workspace == workspace))
            found[name] = sorted(str(row) for row in rows)
    return found


@pytest.mark.parametrize("name", CASES)
async def test_nothing_of_another_workspace_is_read_or_changed(office: Office, name: str) -> None:
    does, call = CASES[name]
    ours, theirs = await rows_of(office.engine, HERE), await rows_of(office.engine, THERE)
    assert any(theirs.values())
    with statements(office.engine) as sent:
        result = repr(await call(office))
    assert MARKS[THERE] not in result
    assert f"U0{MARKS[THERE]}".upper() not in result
    assert await rows_of(office.engine, THERE) == theirs
    if does == "reads":
        # Or the line above would show nothing.
        assert MARKS[HERE] in result or f"U0{MARKS[HERE]}".upper() in result
    if does == "changes":
        assert await rows_of(office.engine, HERE) != ours
    assert without_workspace(sent) == set()


JOBS = {
    "ask_deliveries.waiting",
    "asks.due",
    "freshness.due",
    "keeping.prune",
    "looking_up.workspaces",
    "vacated.notice",
    "vacated.to_tell",
    "verifying.due",
}
"""The functions of storage/ whose statements are about all workspaces."""


@dataclass(frozen=True)
class Sent:
    """A statement, and the function of storage/ that sent it."""

    by: str
    text: str


@contextmanager
def statements(engine: AsyncEngine) -> Iterator[list[Sent]]:
    sent: list[Sent] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        sent.append(Sent(sender(), statement))

    event.listen(engine.sync_engine, "before_cursor_execute", note)
    yield sent
    event.remove(engine.sync_engine, "before_cursor_execute", note)


def sender() -> str:
    """Return the function of storage/ that waits for this statement: it stands in the greenlet around this one."""
    parent = getcurrent().parent
    frame = parent.gr_frame if parent is not None else None
    while frame is not None:
        file = Path(frame.f_code.co_filename)
        if file.parent.name == "storage" and file.parent.parent.name != "tests":
            return f"{file.stem}.{frame.f_code.co_name}"
        frame = frame.f_back
    return ""


TABLES = "|".join(metadata.tables)
TOUCHES = re.compile(rf"\b(?:FROM|UPDATE|INTO|JOIN) (?:{TABLES})\b")
OF_ONE = re.compile(r"\bworkspace\s*(?:=|IN)|\(\w*\.?workspace, ", re.IGNORECASE)


def without_workspace(sent: list[Sent]) -> set[str]:
    """Return what was sent about a table and names no workspace, except by jobs."""
    return {
        f"{one.by}: {one.text}"
        for one in sent
        if TOUCHES.search(one.text) and not _names_one(one.text) and one.by not in JOBS
    }


def _names_one(statement: str) -> bool:
    if statement.startswith("INSERT"):
        return "workspace" in statement.partition("VALUES")[0]
    return OF_ONE.search(statement.partition("WHERE")[2]) is not None


def test_a_statement_without_a_workspace_is_found() -> None:
    bad = "SELECT members.name FROM members WHERE members.user_id = ?"
    good = "SELECT members.name FROM members WHERE members.workspace = ? AND members.user_id = ?"
    assert without_workspace([Sent("people.profile", bad), Sent("people.profile", good)]) == {f"people.profile: {bad}"}
    assert without_workspace([Sent("asks.due", bad)]) == set()
    assert without_workspace([Sent("x.y", "DELETE FROM members"), Sent("x.y", "PRAGMA x")]) == {
        "x.y: DELETE FROM members"
    }
