"""A deletion and an installation never cross; a deletion that fails waits behind the others."""

from __future__ import annotations

import random
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from slack_sdk.web.async_client import AsyncWebClient
from sqlalchemy import event, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncEngine
from sqlalchemy.util import await_only

from bot.renewal import Renewal
from bot.settings import OAuth
from storage.installations import SqlInstallations
from storage.people import SqlPeople
from storage.removals import AGAIN, LONGEST_WAIT, MOST_READ, SqlRemovals
from tests.storage.conftest import NOW
from tests.storage.test_installations import ONE, SCOPES

MINUTE = timedelta(minutes=1)
LATER = NOW + timedelta(hours=1)
BACK = replace(ONE, token="xoxb-2")


@contextmanager
def before(engine: AsyncEngine, statement: str, do: Callable[[], Awaitable[Any]]) -> Iterator[list[str]]:
    """Do something between the statements of a transaction: before the first that begins so."""
    done: list[str] = []

    @event.listens_for(engine.sync_engine, "before_cursor_execute")
    def intervene(_connection: Any, _cursor: Any, now: str, *_: Any) -> None:
        if now.startswith(statement) and not done:
            done.append(now)
            await_only(do())

    yield done
    event.remove(engine.sync_engine, "before_cursor_execute", intervene)


async def declared(engine: AsyncEngine) -> int:
    async with engine.connect() as connection:
        return await connection.scalar(text("SELECT count(*) FROM declarations")) or 0


async def used_and_removed(engine: AsyncEngine, people: SqlPeople) -> None:
    await SqlInstallations(engine).save(ONE, SCOPES, NOW)
    await people.declare("T1", "U0ANN", {"mlops-engineer": "lead"}, {}, NOW)
    assert await SqlRemovals(engine).note("T1", "app_uninstalled", LATER, LATER) == "due"


async def test_nobody_installs_the_app_while_its_rows_are_deleted(
    engine: AsyncEngine, impatient: AsyncEngine, people: SqlPeople
) -> None:
    await used_and_removed(engine, people)

    async def installs() -> None:
        with pytest.raises(DBAPIError):
            await SqlInstallations(impatient).save(BACK, SCOPES, LATER)

    with before(engine, "DELETE FROM ", installs) as done:
        assert await people.forget_removed("T1", LATER)
    assert done
    await SqlInstallations(impatient).save(BACK, SCOPES, LATER)
    await people.declare("T1", "U0ANN", {"mlops-engineer": "lead"}, {}, LATER)
    assert await people.forget_removed("T1", LATER + AGAIN) is None
    assert await declared(engine) == 1


async def test_nothing_is_deleted_while_the_app_is_installed_nor_after(
    engine: AsyncEngine, impatient: AsyncEngine, people: SqlPeople
) -> None:
    await used_and_removed(engine, people)

    async def deletes() -> None:
        with pytest.raises(DBAPIError):
            await SqlPeople(impatient, random.Random(1)).forget_removed("T1", LATER)

    with before(engine, "UPDATE removals", deletes) as done:
        await SqlInstallations(engine).save(BACK, SCOPES, LATER)
    assert done
    assert await people.forget_removed("T1", LATER) is None
    assert await declared(engine) == 1


async def test_the_second_event_of_a_removal_does_not_take_what_is_installed_meanwhile(
    engine: AsyncEngine, impatient: AsyncEngine, people: SqlPeople
) -> None:
    await used_and_removed(engine, people)

    async def installs() -> None:
        with pytest.raises(DBAPIError):
            await SqlInstallations(impatient).save(BACK, SCOPES, LATER)

    with before(engine, "DELETE FROM installations", installs) as done:
        await SqlRemovals(engine).note("T1", "tokens_revoked", LATER, LATER)
    assert done
    await SqlInstallations(impatient).save(BACK, SCOPES, LATER)
    assert await SqlRemovals(engine).note("T1", "tokens_revoked", LATER - timedelta(hours=1), LATER) == "ignored"
    assert await SqlInstallations(engine).find("T1") is not None


async def test_a_token_under_renewal_is_not_put_in_the_place_of_a_new_installations(
    engine: AsyncEngine, people: SqlPeople
) -> None:
    installations = SqlInstallations(engine)
    await installations.save(replace(ONE, refresh_token="xoxe-1", expires_at=LATER), SCOPES, NOW)
    found = await installations.find("T1")
    assert found is not None
    assert await installations.claim_refresh(found, NOW)
    await SqlRemovals(engine).note("T1", "app_uninstalled", NOW + MINUTE, NOW + MINUTE)
    await installations.save(BACK, SCOPES, LATER)
    assert not await installations.refreshed(found, "xoxb-late", "xoxe-late", LATER, LATER)
    await installations.release_refresh(found)
    back = await installations.find("T1")
    assert back is not None
    assert (back.token, back.version) == ("xoxb-2", 1)


async def test_who_waits_for_a_token_takes_that_of_a_new_installation(engine: AsyncEngine) -> None:
    installations, removals = SqlInstallations(engine), SqlRemovals(engine)
    await installations.save(replace(ONE, refresh_token="xoxe-1", expires_at=NOW), SCOPES, NOW)
    found = await installations.find("T1")
    assert found is not None
    assert await installations.claim_refresh(found, NOW), "another process is at it"
    waited: list[float] = []

    async def meanwhile(seconds: float) -> None:
        assert not waited, "it is there by now"
        waited.append(seconds)
        await removals.note("T1", "app_uninstalled", NOW + MINUTE, NOW + MINUTE)
        await installations.save(replace(BACK, refresh_token="xoxe-2", expires_at=LATER), SCOPES, NOW + MINUTE)

    renewal = Renewal(installations, AsyncWebClient(), OAuth("1.2", "none"), lambda: NOW, meanwhile)
    fresh = await renewal.fresh(found)
    assert fresh is not None and fresh.token == BACK.token


async def test_deletions_that_always_fail_let_all_others_come_first(engine: AsyncEngine) -> None:
    removals = SqlRemovals(engine)
    failing = [f"T{at:03}" for at in range(MOST_READ)]
    for workspace in failing:
        await removals.note(workspace, "app_uninstalled", NOW, NOW)
    now = NOW + MINUTE
    await removals.note("T-LAST", "app_uninstalled", now, now)
    assert sorted(await removals.due(now)) == failing
    await removals.put_off(failing, now)
    assert await removals.due(now) == ["T-LAST"]


@pytest.mark.parametrize(
    ("after", "wait"),
    [(MINUTE, MINUTE), (timedelta(hours=2), 10 * MINUTE), (timedelta(days=15), LONGEST_WAIT)],
)
async def test_what_has_failed_for_long_is_tried_more_slowly(
    engine: AsyncEngine, after: timedelta, wait: timedelta
) -> None:
    removals = SqlRemovals(engine)
    await removals.note("T1", "app_uninstalled", NOW, NOW)
    now = NOW + after
    await removals.put_off(["T1", "T-UNKNOWN"], now)
    assert await removals.due(now + wait - timedelta(seconds=1)) == []
    assert await removals.due(now + wait) == ["T1"]


async def test_what_is_installed_again_stays_whatever_has_failed(engine: AsyncEngine) -> None:
    removals = SqlRemovals(engine)
    await removals.note("T1", "app_uninstalled", NOW, NOW)
    await SqlInstallations(engine).save(ONE, SCOPES, NOW)
    await removals.put_off(["T1"], NOW)
    assert await removals.due(LATER) == []
