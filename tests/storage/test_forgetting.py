"""Whoever asks to be forgotten leaves nothing behind, whatever happens at that moment."""

from __future__ import annotations

import asyncio
from datetime import timedelta

from sqlalchemy import insert, inspect, select, text
from sqlalchemy.ext.asyncio import AsyncEngine

from knowledge.answers import Subject
from knowledge.people import Member
from knowledge.team import Alias, TeamEntry
from knowledge.workspaces import Settings
from storage.asks import SqlAsks
from storage.inbox import Event, SqlInbox
from storage.installations import Installation, SqlInstallations
from storage.people import SqlPeople
from storage.tables import inbox as inbox_table
from storage.tables import keepings, metadata, sealed, verifications
from storage.team_entries import SqlTeamEntries
from storage.threads import SqlThreads
from storage.workspaces import SqlWorkspaces
from tests.asks import new_ask
from tests.storage.conftest import NOW
from tests.storage.test_people import DATA, MLOPS, declare


async def rows_with(engine: AsyncEngine, value: str) -> dict[str, int]:
    """Count, in every table there is, the rows in which any column holds the value."""
    found: dict[str, int] = {}
    async with engine.connect() as connection:
        for name in await connection.run_sync(lambda sync: inspect(sync).get_table_names()):
            rows = await connection.execute(text(f'SELECT * FROM "{name}"'))  # noqa: S608 - the schema's own names
            if count := sum(any(value in str(cell) for cell in row) for row in rows):
                found[name] = count
    return found


async def bodies(engine: AsyncEngine) -> list[str]:
    """Return what is kept of what was said."""
    async with engine.connect() as connection:
        return list(await connection.scalars(select(inbox_table.c.body)))


async def lived_in(people: SqlPeople, threads: SqlThreads, inbox: SqlInbox, user: str, workspace: str = "T1") -> None:
    """Let a person leave traces wherever one can."""
    await declare(people, user, {MLOPS: "lead", DATA: "learning"}, ["gdpr"], workspace=workspace)
    await threads.remember(workspace, f"C-{workspace}-{len(user)}", "1.1", user, Subject(roles=(MLOPS,)), NOW)
    assert await people.suggested(workspace, [user], NOW, asker="U0CAI") == {user: 1}
    asks = SqlAsks(people._engine)
    assert await asks.create(new_ask(f"by-{len(user)}", "U0CAI", workspace, asked=user), NOW) == "done"
    for number, settle in enumerate((None, lambda event: inbox.done([event]), inbox.dead, inbox.failed)):
        event_id = f"Ev-{len(user)}-{number}"
        sent = Event(workspace, event_id, f'{{"user": "{user}"}}', f"C-{workspace}", f"{len(user)}.{number}", user)
        assert await inbox.add(sent, NOW)
        if settle:
            await settle(sent)
    workspaces = SqlWorkspaces(people._engine)
    curators = (await workspaces.settings(workspace)).curators
    await workspaces.save(workspace, Settings(curators=(*curators, user)), user, NOW)
    entry = TeamEntry(f"team-{len(user)}", "Falcon", written_by=user, shown_author=user)
    await SqlTeamEntries(people._engine).save(workspace, [entry], [Alias(f"Orakel {len(user)}", MLOPS, user, NOW)])
    kept = {"workspace": workspace, "entry_id": f"team-kept-{len(user)}", "user_id": user}
    says = {"outcome": "open", "asker_says": "", "answerer_says": "yes", "shown_author": user}
    says["answer"] = sealed(people._engine.dialect, keepings.c.answer, "Like this.", workspace, f"by-{len(user)}")
    async with people._engine.begin() as connection:
        await connection.execute(insert(keepings).values(id=f"by-{len(user)}", gone_at=NOW, **kept, **says))
        await connection.execute(insert(verifications).values(verify_by=NOW, turn=1, due_at=NOW, **kept))
    if user == "U0ANN":  # a workspace is installed by one person
        found = Installation(workspace, "xoxb-1", ("chat:write",), "A1", "B1", "U0BOT", user)
        assert await SqlInstallations(people._engine).save(found, (), NOW)


async def test_every_table_with_people_in_it_is_lived_in(
    engine: AsyncEngine, people: SqlPeople, threads: SqlThreads, inbox: SqlInbox
) -> None:
    await lived_in(people, threads, inbox, "U0ANN")
    with_people = {name for name, table in metadata.tables.items() if "user_id" in table.columns}
    # What is asked and rated is kept without a person, and a forgotten one as a hash; who asks is encrypted.
    without = {"asked", "forgotten", "secrets", "settings", "vacated", "asks", "ask_paces", "team_versions"}
    without |= {"removals", "used_states", "forgettings"}
    assert set(await rows_with(engine, "U0ANN")) == with_people == {*metadata.tables} - without


async def test_forgetting_a_person_leaves_no_trace_in_any_table(
    engine: AsyncEngine, people: SqlPeople, threads: SqlThreads, inbox: SqlInbox
) -> None:
    await lived_in(people, threads, inbox, "U0ANN")
    await lived_in(people, threads, inbox, "U0BENJAMIN")
    await lived_in(people, threads, inbox, "U0ANN", workspace="T2")
    others = await rows_with(engine, "U0BENJAMIN")
    # Three declarations, a profile, terms, a conversation, an office; being asked, and the message about it; an entry
    # and a word that they wrote for their team, and what they said to an answer being kept; being named to somebody.
    assert await people.forget("T1", "U0ANN") == 13
    async with engine.connect() as connection:
        left = {
            name: [row for row in (await connection.execute(select(table))).mappings() if row["workspace"] == "T1"]
            for name, table in metadata.tables.items()
        }
    assert not [row for rows in left.values() for row in rows if "U0ANN" in str(dict(row))]
    assert await rows_with(engine, "U0BENJAMIN") == others
    assert await people.count("T2") == 3


async def test_a_question_of_a_forgotten_person_is_not_taken_up_again(
    engine: AsyncEngine, people: SqlPeople, inbox: SqlInbox
) -> None:
    sent = Event("T1", "Ev1", '{"text": "private"}', "C1", "1.1", "U0ANN")
    await inbox.add(sent, NOW)
    await people.forget("T1", "U0ANN")
    assert await SqlInbox(engine, "another").take_over(NOW, alone=True) == []
    assert not await inbox.add(sent, NOW), "a repeat of the event is still known"


async def test_the_message_that_asks_to_be_forgotten_is_worked_on_until_it_is_done(
    engine: AsyncEngine, people: SqlPeople, inbox: SqlInbox
) -> None:
    asked = Event("T1", "Ev1", '{"text": "forget me"}', "D1", "2.1", "U0ANN")
    await inbox.add(asked, NOW)
    await inbox.add(Event("T1", "Ev2", '{"text": "private"}', "D1", "1.1", "U0ANN"), NOW)
    await inbox.add(Event("T1", "Ev3", '{"text": "private"}', "C1", "2.1", "U0ANN"), NOW)
    await people.forget("T1", "U0ANN", answering=("D1", "2.1"))
    assert [bool(body) for body in sorted(await bodies(engine))] == [False, False, True]
    assert await rows_with(engine, "U0ANN") == {}
    await inbox.put_back(asked, NOW - timedelta(seconds=1))
    [again] = await SqlInbox(engine, "another").take_over(NOW)
    assert (again.body, again.user, again.attempts) == (asked.body, None, 1)
    assert await people.forget("T1", "U0ANN", answering=("D1", "2.1")) == 0
    await inbox.done([again])
    assert await bodies(engine) == [""] * 3


async def test_a_dead_letter_is_no_message_that_is_being_answered(
    engine: AsyncEngine, people: SqlPeople, inbox: SqlInbox
) -> None:
    asked = Event("T1", "Ev1", '{"text": "forget me"}', "D1", "2.1", "U0ANN")
    await inbox.add(asked, NOW)
    await inbox.dead(asked)
    await people.forget("T1", "U0ANN", answering=("D1", "2.1"))
    assert await bodies(engine) == [""]


async def test_giving_up_after_forgetting_brings_nothing_back(
    engine: AsyncEngine, people: SqlPeople, inbox: SqlInbox
) -> None:
    sent = Event("T1", "Ev1", '{"text": "private"}', "C1", "1.1", "U0ANN")
    await inbox.add(sent, NOW)
    await people.forget("T1", "U0ANN")
    await inbox.failed(sent)
    await inbox.dead(sent)
    assert await inbox.replay(None, NOW) == 0
    assert await bodies(engine) == [""]


async def test_a_profile_that_arrives_after_forgetting_is_not_kept(people: SqlPeople, engine: AsyncEngine) -> None:
    await declare(people, "U0ANN", {MLOPS: "lead"})
    await asyncio.gather(
        people.forget("T1", "U0ANN"), *(people.remember("T1", Member("U0ANN", "Ann"), NOW) for _ in range(10))
    )
    assert await rows_with(engine, "U0ANN") == {}


async def test_forgetting_in_the_middle_of_everything_leaves_nothing(
    people: SqlPeople, inbox: SqlInbox, engine: AsyncEngine
) -> None:
    await declare(people, "U0ANN", {MLOPS: "lead", DATA: "lead"}, ["gdpr"])
    events = [Event("T1", f"Ev{at}", '{"text": "private"}', "C1", str(at), "U0ANN") for at in range(20)]
    for sent in events:
        await inbox.add(sent, NOW)
    await asyncio.gather(
        inbox.done(events[10:]),
        inbox.renew(NOW),
        people.forget("T1", "U0ANN"),
        inbox.done(events[:10]),
        inbox.renew(NOW),
        people.suggested("T1", ["U0ANN"], NOW),
        *(people.remember("T1", Member("U0ANN", "Ann"), NOW) for _ in range(5)),
    )
    assert await rows_with(engine, "U0ANN") == {}
    assert await bodies(engine) == [""] * 20


async def test_forgetting_who_was_never_there_is_fine(people: SqlPeople) -> None:
    assert await people.forget("T1", "nobody") == 0


async def test_forgetting_a_workspace_leaves_no_trace_in_any_table(
    engine: AsyncEngine, people: SqlPeople, threads: SqlThreads, inbox: SqlInbox
) -> None:
    await lived_in(people, threads, inbox, "U0ANN", workspace="T-GONE")
    await lived_in(people, threads, inbox, "U0ANN", workspace="T-STAYS")
    stays = await rows_with(engine, "T-STAYS")
    # Twelve of the person, five lines in the directory, four events, settings, a record; a question, the message to its
    # asker, the key of the marks; a version of what the team knows, and that it is asked about again.
    assert await people.forget_workspace("T-GONE") == 29
    assert await rows_with(engine, "T-GONE") == {"installations": 1}, "its token goes first, before the rest"
    assert await rows_with(engine, "T-STAYS") == stays
