"""Settings of workspaces: kept, changed, recorded, and obeyed by what is kept."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta

from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncEngine

from knowledge.feedback import Asked
from knowledge.workspaces import KEEP_RECORDS, Recorded, Settings
from storage.feedback import SqlFeedback
from storage.people import SqlPeople
from storage.tables import asked, curators, metadata
from storage.workspaces import SETTINGS_SECONDS, SqlWorkspaces
from tests.conftest import Clock
from tests.storage.conftest import NOW

STRICT = Settings("hidden", False, 7, True, True, False, ("U0ANN", "U0BEN"))


def question(number: int) -> Asked:
    return Asked(f"{number:04}", "none", (), 0.1, "who let the zebras out")


async def kept(engine: AsyncEngine) -> list[str]:
    async with engine.connect() as connection:
        return sorted(await connection.scalars(select(asked.c.id)))


async def test_a_workspace_without_settings_has_the_defaults(workspaces: SqlWorkspaces) -> None:
    assert await workspaces.settings("T1") == Settings()


async def test_settings_come_back_as_they_were_saved_and_for_one_workspace(workspaces: SqlWorkspaces) -> None:
    await workspaces.save("T1", STRICT, "U0ANN", NOW)
    assert await workspaces.settings("T1") == STRICT
    assert await workspaces.settings("T2") == Settings()
    await workspaces.save("T1", Settings(), "U0ANN", NOW)
    assert await workspaces.settings("T1") == Settings()


async def test_another_process_knows_within_seconds(engine: AsyncEngine, clock: Clock) -> None:
    one, two = SqlWorkspaces(engine, clock.now), SqlWorkspaces(engine, clock.now)
    assert await two.settings("T1") == Settings()
    await one.save("T1", STRICT, "U0ANN", clock.now())
    assert await one.settings("T1") == STRICT
    assert await two.settings("T1") == Settings()
    clock.move(seconds=SETTINGS_SECONDS)
    assert await two.settings("T1") == STRICT
    # A clock that is put back keeps nothing old.
    await one.save("T1", Settings(), "U0ANN", clock.now())
    clock.move(hours=-1)
    assert await two.settings("T1") == Settings()


async def test_what_changed_is_recorded_and_people_one_by_one(workspaces: SqlWorkspaces) -> None:
    await workspaces.save("T1", Settings(question_days=7, curators=("U0BEN", "U0CAI")), "U0ANN", NOW)
    later = NOW + timedelta(hours=1)
    await workspaces.save("T1", Settings(question_days=7, names_to_guests=True, curators=("U0CAI",)), "U0DEE", later)
    await workspaces.save("T1", Settings(question_days=7, names_to_guests=True, curators=("U0CAI",)), "U0DEE", later)
    entries = await workspaces.recorded("T1", 10)
    assert {entry.when for entry in entries[:2]} == {later}
    assert sorted(entries, key=lambda entry: (entry.when, entry.what, entry.about)) == [
        Recorded("U0ANN", "curator named", NOW, about="U0BEN"),
        Recorded("U0ANN", "curator named", NOW, about="U0CAI"),
        Recorded("U0ANN", "settings changed", NOW, {"question_days": 30}, {"question_days": 7}),
        Recorded("U0DEE", "curator removed", later, about="U0BEN"),
        Recorded("U0DEE", "settings changed", later, {"names_to_guests": False}, {"names_to_guests": True}),
    ]
    assert await workspaces.recorded("T2", 10) == []
    assert len(await workspaces.recorded("T1", 2)) == 2


async def test_of_many_who_save_at_once_the_last_wins_and_each_is_recorded(engine: AsyncEngine) -> None:
    processes = [SqlWorkspaces(engine, lambda: NOW) for _ in range(2)]
    days = list(range(1, 13))
    await asyncio.gather(
        *(processes[at % 2].save("T1", Settings(question_days=at, curators=(f"U{at}",)), f"U{at}", NOW) for at in days)
    )
    entries = await processes[0].recorded("T1", 100)
    steps = {e.before["question_days"]: e.after["question_days"] for e in entries if e.what == "settings changed"}
    # Each change began where another one ended: a chain without a gap or a fork.
    at, seen = 30, []
    while at in steps:
        at = steps[at]
        seen.append(at)
    assert sorted(seen) == days
    last = await SqlWorkspaces(engine).settings("T1")
    assert (last.question_days, last.curators) == (at, (f"U{at}",))


async def test_who_stays_a_curator_keeps_what_they_were_told(engine: AsyncEngine, workspaces: SqlWorkspaces) -> None:
    await workspaces.save("T1", Settings(curators=("U0BEN",)), "U0ANN", NOW)
    async with engine.begin() as connection:
        await connection.execute(curators.update().values(told_at=NOW, tell_at=NOW))
    await workspaces.save("T1", Settings(curators=("U0BEN", "U0CAI")), "U0ANN", NOW + timedelta(days=1))
    async with engine.connect() as connection:
        rows = (await connection.execute(select(curators).order_by(curators.c.user_id))).all()
    assert [(row.user_id, row.named_at, row.tell_at, row.told_at) for row in rows] == [
        ("U0BEN", NOW, NOW, NOW),
        ("U0CAI", NOW + timedelta(days=1), None, None),
    ]


async def test_the_audit_log_is_kept_for_a_year(workspaces: SqlWorkspaces) -> None:
    await workspaces.record("T1", Recorded("command line", "people imported", NOW, after={"people": 3}))
    assert await workspaces.prune(NOW + KEEP_RECORDS) == 0
    assert await workspaces.prune(NOW + KEEP_RECORDS + timedelta(seconds=1)) == 1
    assert await workspaces.recorded("T1", 10) == []


# Questions


async def test_questions_are_kept_as_long_as_the_workspace_wants(
    engine: AsyncEngine, workspaces: SqlWorkspaces, feedback: SqlFeedback
) -> None:
    await workspaces.save("T1", Settings(question_days=7), "U0ANN", NOW)
    await feedback.unanswered("T1", question(1), NOW)
    await feedback.vote("T1", question(2), "not", NOW)
    await feedback.unanswered("T2", question(3), NOW)
    await feedback.prune(NOW + timedelta(days=6))
    assert await kept(engine) == ["0001", "0002", "0003"]
    week = NOW + timedelta(days=7)
    # What is to be gone counts as gone, before anybody has deleted it.
    assert [found.id for found in (await feedback.since(NOW, week)).unanswered] == ["0003"]
    await feedback.prune(week)
    assert await kept(engine) == ["0003"]


async def test_older_ones_go_at_once_when_the_time_is_lowered(
    engine: AsyncEngine, workspaces: SqlWorkspaces, feedback: SqlFeedback
) -> None:
    for days in range(10):
        await feedback.unanswered("T1", question(days), NOW - timedelta(days=days))
        await feedback.unanswered("T2", question(days + 100), NOW - timedelta(days=days))
    await workspaces.save("T1", Settings(question_days=4), "U0ANN", NOW)
    assert [found for found in await kept(engine) if found < "0100"] == ["0000", "0001", "0002", "0003"]
    assert len(await kept(engine)) == 14
    # The rest obeys the new time too, not the old.
    await feedback.prune(NOW + timedelta(days=2))
    assert [found for found in await kept(engine) if found < "0100"] == ["0000", "0001"]
    await workspaces.save("T1", Settings(question_days=90), "U0ANN", NOW + timedelta(days=2))
    await feedback.prune(NOW + timedelta(days=89))
    assert await kept(engine) == ["0000"]


async def test_with_no_days_nothing_is_kept(
    engine: AsyncEngine, workspaces: SqlWorkspaces, feedback: SqlFeedback
) -> None:
    await feedback.unanswered("T1", question(1), NOW)
    await workspaces.save("T1", Settings(question_days=0), "U0ANN", NOW)
    assert await kept(engine) == []
    await feedback.unanswered("T1", question(2), NOW)
    assert await feedback.vote("T1", question(3), "not", NOW)
    assert await kept(engine) == []


# People who go


async def test_who_is_forgotten_stays_in_the_audit_log_as_a_hash_alone(
    engine: AsyncEngine, workspaces: SqlWorkspaces, people: SqlPeople
) -> None:
    await workspaces.save("T1", Settings(question_days=7, curators=("U0ANN", "U0BEN")), "U0ANN", NOW)
    told = await people.kept("T1", "U0ANN")
    assert {row["action"] for row in told["audit"]} == {"settings changed", "curator named"}
    assert "U0BEN" not in str(told)
    assert await people.forget("T1", "U0ANN") == 1
    async with engine.connect() as connection:
        cells = [
            str(row)
            for name in metadata.tables
            for row in await connection.execute(text(f"SELECT * FROM {name}"))  # noqa: S608
        ]
        [mark] = await connection.scalars(text("SELECT mark FROM forgotten"))
    assert "U0ANN" not in " ".join(cells)
    entries = await workspaces.recorded("T1", 10)
    assert {entry.who for entry in entries} == {mark}
    assert {entry.about for entry in entries} == {mark, "U0BEN", ""}
    assert (await SqlWorkspaces(engine).settings("T1")).curators == ("U0BEN",)


async def test_a_workspace_that_goes_takes_its_settings_along(
    engine: AsyncEngine, workspaces: SqlWorkspaces, people: SqlPeople
) -> None:
    for workspace in ("T1", "T2"):
        await workspaces.save(workspace, replace(STRICT), "U0ANN", NOW)
    assert await people.forget_workspace("T1") == 6
    fresh = SqlWorkspaces(engine, lambda: NOW)
    assert await fresh.settings("T1") == Settings()
    assert await fresh.settings("T2") == STRICT
    assert await fresh.recorded("T1", 10) == []
