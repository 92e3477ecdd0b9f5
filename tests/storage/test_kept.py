"""What a person is told of what is kept about them: every table, every row, and their own words."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import insert, update
from sqlalchemy.ext.asyncio import AsyncEngine

from knowledge.answers import Subject
from knowledge.asking import Askee, Details, Event, change
from knowledge.keeping import Consent
from knowledge.team import TeamEntry, published
from knowledge.workspaces import Recorded
from storage import kept
from storage.inbox import Event as Sent
from storage.inbox import SqlInbox
from storage.keeping import SqlKeepings
from storage.kept import LEFT_OUT, NOT_ONE_HAND, UNREADABLE
from storage.people import SqlPeople
from storage.tables import inbox as inbox_table
from storage.tables import metadata, verifications
from storage.team_entries import SqlTeamEntries
from storage.threads import SqlThreads
from storage.workspaces import SqlWorkspaces
from tests.asks import Asks, new_ask
from tests.storage.conftest import NOW
from tests.storage.test_forgetting import lived_in

ANN, BEN, CAI = "U0ANN", "U0BEN", "U0CAI"
KEEP = timedelta(days=30)


async def happened(asks: Asks, ask_id: str, event: Event, **details: Any) -> None:
    ask = await asks.get("T1", ask_id)
    assert ask is not None
    made = change(ask, event, NOW, KEEP, Details(**details))
    assert made is not None
    assert await asks.apply(ask, made, NOW) == "done"


async def test_every_table_is_told_or_left_out_for_a_reason(
    engine: AsyncEngine, people: SqlPeople, threads: SqlThreads, inbox: SqlInbox
) -> None:
    await lived_in(people, threads, inbox, ANN)
    await Asks(engine).create(new_ask("mine", ANN, asked=BEN), NOW)
    await people.forget("T1", BEN)
    told = await people.kept("T1", ANN)
    # Whoever adds a table says here whether there is anything of a person in it.
    assert {*told} | {*LEFT_OUT} == {*metadata.tables} and not {*told} & {*LEFT_OUT}
    assert {name for name, rows in told.items() if not rows} == {"forgotten", "forgettings"}
    assert all("user_id" not in metadata.tables[name].c for name in LEFT_OUT)


async def test_nothing_is_cut_however_much_it_is(engine: AsyncEngine, people: SqlPeople) -> None:
    row = {"workspace": "T1", "user_id": ANN, "body": "", "state": "done", "claimed_by": "", "attempts": 1}
    rows = [
        {**row, "event_id": f"Ev{number}", "message_ts": f"{number}", "lease_until": NOW, "received_at": NOW}
        for number in range(1_203)
    ]
    async with engine.begin() as connection:
        await connection.execute(insert(inbox_table), rows)
    assert len((await people.kept("T1", ANN))["inbox"]) == len(rows)


async def test_more_questions_than_a_statement_takes_are_told(
    engine: AsyncEngine, people: SqlPeople, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kept, "AT_ONCE", 2)
    asks = Asks(engine)
    for number in range(7):
        await asks.create(new_ask(f"ask{number}", ANN, asked=BEN, question=f"Number {number}?"), NOW)
    told = await people.kept("T1", ANN)
    assert [one["question"] for one in told["asks"]] == [f"Number {number}?" for number in range(7)]


async def test_who_answered_is_told_their_answer_and_the_entry_made_of_it(
    engine: AsyncEngine, people: SqlPeople
) -> None:
    asks, team = Asks(engine), SqlTeamEntries(engine)
    keepings = SqlKeepings(engine, team)
    await asks.create(new_ask("one", ANN, asked=BEN, question="Of Ann?"), NOW)
    await happened(asks, "one", "answer", actor=BEN, text="Words of Ben.", source="1")
    [row] = (await people.kept("T1", BEN))["ask_people"]
    assert (row["outcome"], row["your_answer"], row["your_note"]) == ("answered", "Words of Ben.", "")
    await happened(asks, "one", "solve", actor=ANN)
    for consent in (Consent("asker", yes=True), Consent("answerer", yes=True, answer="As Ben wants it.")):
        await keepings.says("T1", "one", consent, (), NOW)
    told = await people.kept("T1", BEN)
    # Without their name in it: it is found by what they agreed to.
    assert [(one["answer"], one["state"]) for one in told["team_entries"]] == [("As Ben wants it.", "proposed")]
    [of_answerer] = told["keepings"]
    assert of_answerer["answerer_says"] == "yes" and "asker_says" not in of_answerer
    [of_asker] = (await people.kept("T1", ANN))["keepings"]
    assert (of_asker["asker_says"], of_asker["outcome"]) == ("yes", "proposed")
    assert "answerer_says" not in of_asker and "shown_author" not in of_asker
    assert "Words of Ben." in str((await people.kept("T1", ANN))["asks"])
    assert "Of Ann?" not in str(told["ask_people"])


async def test_nobody_is_told_the_words_of_another_as_their_own(engine: AsyncEngine, people: SqlPeople) -> None:
    asks = Asks(engine)
    await asks.create(new_ask("one", ANN, asked=BEN), NOW)
    handed = {"new": Askee(CAI, "handover", shown=True), "text": "Note of Ben."}
    await happened(asks, "one", "hand_over", actor=BEN, **handed)
    [of_ben], [of_cai] = [(await people.kept("T1", user))["ask_people"] for user in (BEN, CAI)]
    assert (of_ben["your_answer"], of_ben["your_note"]) == ("", "Note of Ben.")
    assert (of_cai["your_answer"], of_cai["your_note"]) == ("", "")
    await happened(asks, "one", "answer", actor=CAI, text="Words of Cai.", source="1")
    assert (await people.kept("T1", BEN))["ask_people"][0]["your_answer"] == ""
    assert (await people.kept("T1", CAI))["ask_people"][0]["your_answer"] == "Words of Cai."
    await happened(asks, "one", "ask_back", actor=ANN, text="And then?")
    assert (await people.kept("T1", CAI))["ask_people"][0]["your_answer"] == "Words of Cai."
    assert (await people.kept("T1", BEN))["ask_people"][0]["your_answer"] == ""
    await happened(asks, "one", "answer", actor=BEN, text="Words of Ben.", source="2")
    for user in (BEN, CAI):
        assert (await people.kept("T1", user))["ask_people"][0]["your_answer"] == NOT_ONE_HAND


async def test_another_is_not_told_what_was_asked_or_answered_without_a_name(
    engine: AsyncEngine, people: SqlPeople, inbox: SqlInbox
) -> None:
    asks, team = Asks(engine), SqlTeamEntries(engine)
    keepings = SqlKeepings(engine, team)
    for ask_id, shown in (("open", True), ("hidden", False)):
        ask = replace(
            new_ask(ask_id, ANN, anonymous=not shown, question=f"Asked {ask_id}?"),
            state="asked",
            people=(Askee(BEN, "named", shown=shown),),
        )
        await asks.create(ask, NOW)
        await happened(asks, ask_id, "answer", actor=BEN, text=f"Words {ask_id}.", source=ask_id)
        await happened(asks, ask_id, "solve", actor=ANN, asker=ask.asker)
        by = "Ben Book" if shown else ""
        await keepings.says("T1", ask_id, Consent("asker", yes=True), (), NOW)
        agreed = Consent("answerer", yes=True, answer=f"Kept {ask_id}.", shown_author=by)
        await keepings.says("T1", ask_id, agreed, (), NOW)
    await inbox.add(Sent("T1", "Ev1", '{"event": {"text": "words that wait"}}', "D1", "1.1", BEN), NOW)
    own, theirs = str(await people.kept("T1", BEN)), str(await people.kept("T1", BEN, for_another=True))
    for said in ("Words open.", "Kept open."):
        assert said in own and said in theirs
    for said in ("Words hidden.", "Kept hidden.", "words that wait", "'ask_id': 'hidden'"):
        assert said in own and said not in theirs, said
    assert (await people.kept("T1", BEN, for_another=True))["inbox"] == [{"rows": 1}]
    asked, told = str(await people.kept("T1", ANN)), str(await people.kept("T1", ANN, for_another=True))
    assert "Asked open?" in asked and "Asked open?" in told
    assert "Asked hidden?" in asked and "Asked hidden?" not in told and "'ask_id': 'hidden'" not in told
    assert {*await people.kept("T1", BEN)} == {*await people.kept("T1", BEN, for_another=True)}


async def test_another_is_told_how_many_conversations_there_are_and_no_answer_that_waits_for_a_consent(
    engine: AsyncEngine, people: SqlPeople, threads: SqlThreads
) -> None:
    asks = Asks(engine)
    await threads.remember("T1", "C0SECRET", "1.1", BEN, Subject(roles=("prompt-engineer",)), NOW)
    await asks.create(new_ask("one", ANN, asked=BEN), NOW)
    await happened(asks, "one", "answer", actor=BEN, text="Words of Ben.", source="1")
    await happened(asks, "one", "solve", actor=ANN)
    agreed = Consent("answerer", yes=True, answer="Not kept yet.", shown_author="Ben Book")
    await SqlKeepings(engine, SqlTeamEntries(engine)).says("T1", "one", agreed, (), NOW)
    own, told = await people.kept("T1", BEN), await people.kept("T1", BEN, for_another=True)
    assert "C0SECRET" in str(own) and "Not kept yet." in str(own)
    assert told["threads"] == [{"rows": 1}] and [row["shown_author"] for row in told["keepings"]] == ["Ben Book"]
    assert "C0SECRET" not in str(told) and "Not kept yet." not in str(told)


async def test_a_question_that_no_key_opens_is_told_as_one(engine: AsyncEngine, people: SqlPeople) -> None:
    asks = Asks(engine)
    await asks.create(new_ask("one", ANN, asked=BEN), NOW)
    await happened(asks, "one", "answer", actor=BEN, text="Words of Ben.", source="1")
    async with engine.begin() as connection:
        await connection.exec_driver_sql("UPDATE asks SET note = 'garbage'")
    assert (await people.kept("T1", ANN))["asks"] == [{"ask_id": "one", "question": UNREADABLE}]
    assert (await people.kept("T1", BEN))["ask_people"][0]["your_answer"] == UNREADABLE


async def test_what_one_did_and_what_was_done_is_told_apart(
    engine: AsyncEngine, people: SqlPeople, workspaces: SqlWorkspaces
) -> None:
    await workspaces.record("T1", Recorded(ANN, "settings changed", NOW))
    await workspaces.record("T1", Recorded(BEN, "curator named", NOW, about=ANN))
    await workspaces.record_hashed("T1", Recorded(BEN, "person exported", NOW, about=ANN))
    await workspaces.record("T1", Recorded(BEN, "people imported", NOW))
    told = (await people.kept("T1", ANN))["audit"]
    assert sorted((one["action"], *one["part"]) for one in told) == [
        ("curator named", "about you"),
        ("person exported", "about you"),
        ("settings changed", "by you"),
    ]
    assert BEN not in str(told)


async def test_being_asked_whether_an_entry_is_right_is_told(engine: AsyncEngine, people: SqlPeople) -> None:
    entry = published(replace(TeamEntry("team-1", "Falcon", answer="Wood."), written_by=ANN), NOW)
    await SqlTeamEntries(engine).save("T1", [entry])
    row = {"workspace": "T1", "entry_id": "team-1", "user_id": ANN, "verify_by": NOW, "turn": 1, "due_at": NOW}
    async with engine.begin() as connection:
        await connection.execute(insert(verifications).values(row))
        await connection.execute(update(verifications).values(turn=2))
    told = await people.kept("T1", ANN)
    assert [(one["entry_id"], one["turn"]) for one in told["verifications"]] == [("team-1", 2)]
    assert [one["answer"] for one in told["team_entries"]] == ["Wood."]


async def test_of_whoever_is_forgotten_the_hash_is_told(people: SqlPeople) -> None:
    await people.forget("T1", ANN)
    told = await people.kept("T1", ANN)
    assert {name for name, rows in told.items() if rows} == {"forgotten", "forgettings"}
