"""Installations: tokens sealed for their row, renewed by one process, gone with the app; and what is noted of it."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from storage.database import open_engine
from storage.inbox import Event, SqlInbox
from storage.installations import REFRESH_LEASE, Installation, SqlInstallations
from storage.kept import everything_about
from storage.keys import Keys, KeysError, new_key
from storage.people import SqlPeople
from storage.removals import AGAIN, CLOCKS_DIFFER, DELETE_WITHIN, SqlRemovals, Why
from storage.rotation import encrypted_columns, encrypted_texts, rotate
from storage.tables import place_of
from tests.databases import KEY, KEYS
from tests.storage.conftest import NOW

SCOPES = ("chat:write", "commands")
TOKEN, REFRESH = "xoxe.xoxb-1-secret-token", "xoxe-1-secret-refresh"
ONE = Installation("T1", TOKEN, SCOPES, "A1", "B1", "U0BOT", "U0ANN", url="https://one.slack.com/")
ROTATES = replace(ONE, refresh_token=REFRESH, expires_at=NOW + timedelta(hours=12))
SECOND = timedelta(seconds=1)


@pytest.fixture
def installations(engine: AsyncEngine) -> SqlInstallations:
    return SqlInstallations(engine)


@pytest.fixture
def removals(engine: AsyncEngine) -> SqlRemovals:
    return SqlRemovals(engine)


async def dump(engine: AsyncEngine) -> str:
    async with engine.connect() as connection:
        names = ("installations", "inbox", "asked", "secrets", "removals")
        return "".join([str((await connection.execute(text(f"SELECT * FROM {name}"))).all()) for name in names])  # noqa: S608


async def test_what_is_saved_is_found_and_no_token_is_to_be_read(
    engine: AsyncEngine, installations: SqlInstallations
) -> None:
    assert await installations.find("T1") is None
    assert await installations.save(ROTATES, SCOPES, NOW)
    assert await installations.find("T1") == replace(ROTATES, installed_at=NOW, version=1, changed_at=NOW)
    assert TOKEN not in repr(ROTATES) and REFRESH not in repr(ROTATES)
    kept = await dump(engine)
    assert "T1" in kept and TOKEN not in kept and REFRESH not in kept and "secret" not in kept


async def test_installing_again_takes_the_place_of_the_first(installations: SqlInstallations) -> None:
    await installations.save(ONE, SCOPES, NOW)
    assert not await installations.save(replace(ONE, token="xoxb-2", scopes=("commands",)), (), NOW + SECOND)
    found = await installations.find("T1")
    assert found is not None
    assert (found.token, found.scopes, found.version, found.installed_at) == ("xoxb-2", ("commands",), 2, NOW + SECOND)
    assert await installations.count() == 1


@pytest.mark.parametrize("column", ["token", "refresh_token"])
async def test_a_token_that_was_moved_to_another_row_does_not_open(
    engine: AsyncEngine, installations: SqlInstallations, column: str
) -> None:
    await installations.save(ROTATES, SCOPES, NOW)
    await installations.save(replace(ROTATES, workspace="T2"), SCOPES, NOW)
    async with engine.begin() as connection:
        swapped = f"UPDATE installations SET {column} = (SELECT {column} FROM installations WHERE workspace = 'T1')"  # noqa: S608
        await connection.execute(text(f"{swapped} WHERE workspace = 'T2'"))
    assert await installations.find("T1") is not None
    with pytest.raises(KeysError):
        await installations.find("T2")


async def test_a_token_that_is_bound_to_no_place_is_none(engine: AsyncEngine, installations: SqlInstallations) -> None:
    await installations.save(ONE, SCOPES, NOW)
    async with engine.begin() as connection:
        await connection.execute(text("UPDATE installations SET token = :token"), {"token": KEYS.encrypt(TOKEN)})
    with pytest.raises(KeysError):
        await installations.find("T1")


# Other processes


async def test_changes_and_removals_are_told(installations: SqlInstallations, removals: SqlRemovals) -> None:
    for number in range(3):
        await installations.save(replace(ONE, workspace=f"T{number}"), SCOPES, NOW)
    assert await installations.changed(NOW + SECOND) == {}
    await installations.save(replace(ONE, workspace="T0"), SCOPES, NOW + SECOND)
    await removals.note("T1", "app_uninstalled", NOW + SECOND, NOW + SECOND)
    assert await installations.changed(NOW + SECOND) == {"T0": (2, NOW + SECOND), "T1": None}
    await installations.save(replace(ONE, workspace="T1"), SCOPES, NOW + 2 * SECOND)
    assert await installations.changed(NOW + SECOND) == {
        "T0": (2, NOW + SECOND),
        "T1": (1, NOW + 2 * SECOND),
    }


# Tokens that rotate


async def test_of_many_one_renews_a_token(installations: SqlInstallations) -> None:
    await installations.save(ROTATES, SCOPES, NOW)
    found = await installations.find("T1")
    assert found is not None
    assert sorted(await asyncio.gather(*(installations.claim_refresh(found, NOW) for _ in range(5)))) == [False] * 4 + [
        True
    ]
    assert not await installations.claim_refresh(found, NOW + REFRESH_LEASE - SECOND)
    assert await installations.claim_refresh(found, NOW + REFRESH_LEASE), "the first one has ended"
    later = NOW + timedelta(hours=20)
    assert await installations.refreshed(found, "xoxb-new", "xoxe-new", later, NOW)
    renewed = await installations.find("T1")
    assert renewed is not None
    assert (renewed.token, renewed.refresh_token, renewed.expires_at) == ("xoxb-new", "xoxe-new", later)
    assert not await installations.claim_refresh(found, NOW + timedelta(hours=1)), "it was renewed"
    assert not await installations.refreshed(found, "xoxb-late", "xoxe-late", later, NOW)
    assert await installations.expiring(later - SECOND) == []
    assert await installations.expiring(later) == ["T1"]


async def test_what_does_not_rotate_never_expires(installations: SqlInstallations) -> None:
    await installations.save(ONE, SCOPES, NOW)
    assert await installations.expiring(NOW + timedelta(days=4000)) == []


# Scopes


async def test_an_installer_is_asked_for_scopes_once(installations: SqlInstallations) -> None:
    wanted = ("chat:write", "commands", "users:read")
    await installations.save(ONE, (), NOW)
    await installations.save(replace(ONE, workspace="T2", scopes=wanted), wanted, NOW)
    assert [found.workspace for found in await installations.without(wanted)] == ["T1"]
    assert await installations.lacking(wanted) == {"T1": ["users:read"]}
    assert await installations.asked_for("T1", wanted)
    assert not await installations.asked_for("T1", wanted)
    assert await installations.without(wanted) == []


async def test_a_state_is_used_once(engine: AsyncEngine, installations: SqlInstallations) -> None:
    assert await installations.use_state("a", NOW)
    assert await installations.use_state("b", NOW)
    assert not await installations.use_state("a", NOW + SECOND)
    await installations.use_state("c", NOW + timedelta(minutes=11))
    async with engine.connect() as connection:
        assert await connection.scalar(text("SELECT count(*) FROM used_states")) == 1


# Removals


async def removed(engine: AsyncEngine) -> list[tuple[object, ...]]:
    async with engine.connect() as connection:
        return [tuple(row) for row in await connection.execute(text("SELECT why, deleted_rows FROM removals"))]


@pytest.mark.parametrize("token_first", [False, True])
async def test_the_two_events_of_a_removal_in_either_order_are_one(
    engine: AsyncEngine, installations: SqlInstallations, removals: SqlRemovals, people: SqlPeople, token_first: bool
) -> None:
    await installations.save(ONE, SCOPES, NOW)
    await people.declare("T1", "U0ANN", {"mlops-engineer": "lead"}, {}, NOW)
    later, now = NOW + SECOND, NOW + 2 * SECOND
    if token_first:
        assert await removals.note("T1", "tokens_revoked", later, now) == "noted"
        assert await removals.due(now) == []
    assert await removals.note("T1", "app_uninstalled", later, now) == "due"
    assert await installations.find("T1") is None
    assert await removals.due(now) == ["T1"]
    first = await people.forget_removed("T1", now)
    await people.declare("T1", "U0BEN", {}, {"gdpr": "GDPR"}, NOW)
    if not token_first:
        assert await removals.note("T1", "tokens_revoked", later, now) == "noted"
    assert await removals.due(now + AGAIN - SECOND) == []
    assert await removals.due(now + AGAIN) == ["T1"], "once more, for what was under way"
    assert await people.forget_removed("T1", now + AGAIN - SECOND) is None
    second = await people.forget_removed("T1", now + AGAIN)
    if not token_first:
        assert await removals.note("T1", "tokens_revoked", later, now + AGAIN) == "ignored"
    assert await removals.due(now + 2 * DELETE_WITHIN) == []
    assert first and second
    assert await removed(engine) == [("app_uninstalled", first + second)]
    assert await removals.is_removed("T1") and not await removals.is_removed("T2")


async def test_where_only_the_token_was_revoked_the_rest_stays_for_two_weeks(
    installations: SqlInstallations, removals: SqlRemovals
) -> None:
    await installations.save(ONE, SCOPES, NOW)
    await removals.note("T1", "tokens_revoked", NOW, NOW)
    assert await installations.find("T1") is None
    assert await removals.due(NOW + DELETE_WITHIN - SECOND) == []
    assert await removals.due(NOW + DELETE_WITHIN) == ["T1"]
    await installations.save(ONE, SCOPES, NOW + DELETE_WITHIN - SECOND)
    assert await removals.due(NOW + DELETE_WITHIN) == [], "it is installed again"


async def test_two_weeks_after_a_token_was_revoked_nothing_is_under_way(
    installations: SqlInstallations, removals: SqlRemovals, people: SqlPeople
) -> None:
    await installations.save(ONE, SCOPES, NOW)
    await removals.note("T1", "tokens_revoked", NOW, NOW)
    assert await people.forget_removed("T1", NOW + DELETE_WITHIN) == 0
    assert await removals.due(NOW + 2 * DELETE_WITHIN) == []


@pytest.mark.parametrize("why", ["app_uninstalled", "tokens_revoked", "team_access_revoked"])
async def test_what_happened_before_the_app_was_installed_again_removes_nothing(
    engine: AsyncEngine, installations: SqlInstallations, removals: SqlRemovals, why: Why
) -> None:
    await installations.save(ONE, SCOPES, NOW)
    await installations.save(ONE, SCOPES, NOW + timedelta(minutes=5, microseconds=7))
    assert await removals.note("T1", why, NOW + SECOND, NOW + timedelta(minutes=6)) == "ignored"
    assert await installations.find("T1") is not None
    assert await removed(engine) == []


@pytest.mark.parametrize("why", ["app_uninstalled", "tokens_revoked", "team_access_revoked"])
async def test_a_removal_right_after_the_installation_counts_though_the_clocks_differ(
    installations: SqlInstallations, removals: SqlRemovals, why: Why
) -> None:
    # Slack tells the time in whole seconds, by a clock that is behind ours.
    await installations.save(ONE, SCOPES, NOW + timedelta(microseconds=7))
    assert await removals.note("T1", why, NOW - CLOCKS_DIFFER, NOW + SECOND) == "ignored"
    assert await installations.find("T1") is not None
    assert await removals.note("T1", why, NOW - CLOCKS_DIFFER + SECOND, NOW + SECOND) != "ignored"
    assert await installations.find("T1") is None


@pytest.mark.parametrize(("ahead", "became"), [(CLOCKS_DIFFER, "ignored"), (CLOCKS_DIFFER + SECOND, "noted")])
async def test_the_second_event_is_known_for_one_though_slacks_clock_is_ahead(
    installations: SqlInstallations, removals: SqlRemovals, people: SqlPeople, ahead: timedelta, became: str
) -> None:
    await installations.save(ONE, SCOPES, NOW - DELETE_WITHIN)
    await removals.note("T1", "app_uninstalled", NOW, NOW)
    await people.forget_removed("T1", NOW + AGAIN)
    assert await removals.note("T1", "tokens_revoked", NOW + ahead, NOW + AGAIN) == became


async def test_forgetting_the_installer_leaves_the_installation(
    engine: AsyncEngine, installations: SqlInstallations, people: SqlPeople
) -> None:
    await installations.save(ONE, SCOPES, NOW)
    [row] = (await everything_about(engine, "T1", "U0ANN"))["installations"]
    assert "token" not in row and "refresh_token" not in row
    await people.forget("T1", "U0ANN")
    found = await installations.find("T1")
    assert found is not None and found.installer is None and found.token == TOKEN
    await people.forget_workspace("T1")
    assert await installations.find("T1") is not None, "it goes by its own way, first of all"


# Keys


async def test_everything_encrypted_is_encrypted_again(address: str, engine: AsyncEngine, people: SqlPeople) -> None:
    newer = new_key()
    await SqlInstallations(engine).save(ROTATES, SCOPES, NOW)
    box = SqlInbox(engine, "one")
    for number in range(450):
        await box.add(Event("T1", f"Ev{number:04}", '{"text": "private"}'), NOW)
    await box.done([Event("T1", "Ev0007", "")])
    await people.forget("T1", "ben")
    async with engine.begin() as connection:
        old = KEYS.encrypt('{"text": "old"}')
        await connection.execute(text("UPDATE inbox SET body = :old WHERE event_id = 'Ev0008'"), {"old": old})
    both, alone = open_engine(address, Keys([newer, KEY])), open_engine(address, Keys([newer]))
    there = await encrypted_texts(both)
    assert there == 449 + 2 + 1
    seen: list[int] = []
    done = await rotate(both, seen.append)
    assert (done.renewed, done.lost, sum(seen)) == (there, set(), there)
    again = await rotate(both, seen.append)
    assert (again.renewed, again.lost, sum(seen)) == (0, set(), 2 * there), "looked at, and left as it is"
    found = await SqlInstallations(alone).find("T1")
    assert found is not None and (found.token, found.refresh_token) == (TOKEN, REFRESH)
    bodies = [event.body for _ in range(5) for event in await SqlInbox(alone, "two").take_over(NOW, alone=True)]
    assert sorted(set(bodies)) == ['{"text": "old"}', '{"text": "private"}'] and len(bodies) == 449
    await both.dispose()
    await alone.dispose()


async def test_what_no_key_opens_is_counted_and_left(address: str, engine: AsyncEngine) -> None:
    await SqlInstallations(engine).save(ONE, SCOPES, NOW)
    other = open_engine(address, Keys([new_key()]))
    await SqlInstallations(other).save(replace(ONE, workspace="T2"), SCOPES, NOW)
    done = await rotate(other)
    assert (done.renewed, len(done.lost)) == (0, 1)
    assert await SqlInstallations(engine).find("T1") is not None
    await other.dispose()


def test_places_are_told_apart() -> None:
    columns = encrypted_columns()
    assert {"installations.token", "installations.refresh_token", "inbox.body", "asked.question", "secrets.value"} <= {
        str(column) for column in columns
    }
    keys = [("T1", "Ev1"), ("T1Ev1",), ("T1", "Ev1", ""), ("T1,Ev1",)]
    assert len({place_of(column, *key) for column in columns for key in keys}) == len(columns) * len(keys)
