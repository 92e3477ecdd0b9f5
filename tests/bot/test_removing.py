"""The app is removed: tokens and data go, by whichever event, in one team and in an organisation."""

from __future__ import annotations

import logging
from dataclasses import replace
from typing import Any

import pytest
import pytest_asyncio
from sqlalchemy.exc import DBAPIError

from bot.app import Bot
from bot.installed import FOLLOW_SECONDS
from bot.local import GENERAL, LocalSlack
from bot.scopes import SCOPES
from knowledge.people import Level
from storage.installations import SqlInstallations
from storage.removals import DELETE_WITHIN, SqlRemovals
from storage.tables import installations
from tests.bot.installing import EVERYWHERE, ORG, Browser, Many, greetings, remove, where
from tests.conftest import ANN, BEN, TABLES, TEAM, Clock, declares, rows, settled
from tests.databases import ON_BOTH, ON_POSTGRES

LOCKS = {
    "sqlite": [
        "CREATE TRIGGER held BEFORE DELETE ON declarations WHEN OLD.workspace = 'T0FIRST' "
        "BEGIN SELECT RAISE(ABORT, 'held'); END"
    ],
    "postgresql": [
        "CREATE OR REPLACE FUNCTION held() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'held'; END $$",
        "CREATE TRIGGER held BEFORE DELETE ON declarations FOR EACH ROW WHEN (OLD.workspace = 'T0FIRST') "
        "EXECUTE FUNCTION held()",
    ],
}
"""What lets no row of one workspace be deleted."""


UNINSTALLED: dict[str, Any] = {"type": "app_uninstalled"}
OF_ALL = {"enterprise_id": ORG, "team_id": None, "is_enterprise_install": True}
MLOPS: dict[str, Level] = {"mlops-engineer": "lead"}


def revoked(slack: LocalSlack) -> dict[str, Any]:
    return {"type": "tokens_revoked", "tokens": {"oauth": [], "bot": [slack.bot_user]}}


async def tell(slack: LocalSlack, bot: Bot, event: dict[str, Any], **envelope: Any) -> None:
    """Send an event, and wait until it is worked off."""
    await slack.send_event(event, **envelope)
    await settled(bot)


def removing(bot: Bot) -> Any:
    """Return what ends removals as time goes by."""
    [job] = [job for _, job in bot.timers._jobs if "Removing" in str(job)]
    return job


async def finish(bot: Bot, clock: Clock, **after: float) -> None:
    """Have done what is left of removals, after some time."""
    clock.move(**after)
    await removing(bot)()


async def covers(bot: Bot, clock: Clock, workspace: str = ORG) -> None:
    """Have the app installed for an organisation too, beside the team."""
    found = await SqlInstallations(bot.engine).find(TEAM)
    assert found is not None
    org_wide = replace(found, workspace=workspace, token="xoxb-of-all", enterprise=workspace, org_wide=True)
    await SqlInstallations(bot.engine).save(org_wide, SCOPES, clock.now())


async def installed(bot: Bot) -> list[str]:
    return sorted(row["workspace"] for row in await rows(bot, "installations"))


async def declared(bot: Bot) -> set[str]:
    return {row["workspace"] for row in await rows(bot, "declarations")}


@pytest_asyncio.fixture
async def hosted(served: tuple[Bot, Browser], clock: Clock) -> Bot:
    """A bot that the workspace installed an hour ago."""
    bot, browser = served
    await browser.install()
    clock.move(hours=1)
    return bot


@pytest_asyncio.fixture
async def covered(hosted: Bot, clock: Clock) -> Bot:
    """Such a bot, which an organisation installed too, an hour after the team."""
    await covers(hosted, clock)
    clock.move(hours=1)
    return hosted


@EVERYWHERE
async def test_a_token_that_is_revoked_first_goes_at_once_too(slack: LocalSlack, hosted: Bot) -> None:
    await declares(hosted, slack, BEN, MLOPS, workspace=where(slack))
    await remove(slack, hosted, token_first=True)
    assert await rows(hosted, "installations") == [] == await rows(hosted, "declarations")
    assert [note["why"] for note in await rows(hosted, "removals")] == ["app_uninstalled"]


async def test_where_only_the_token_was_revoked_the_rest_goes_after_two_weeks(
    slack: LocalSlack, hosted: Bot, clock: Clock
) -> None:
    await declares(hosted, slack, BEN, MLOPS)
    await tell(slack, hosted, revoked(slack))
    assert await installed(hosted) == [] and await declared(hosted)
    await finish(hosted, clock, hours=DELETE_WITHIN.total_seconds() / 3600 - 1)
    assert await declared(hosted)
    await finish(hosted, clock, hours=2)
    assert not await declared(hosted)


@EVERYWHERE
async def test_old_events_about_a_removal_leave_what_was_installed_since(
    slack: LocalSlack, served: tuple[Bot, Browser], clock: Clock
) -> None:
    bot, browser = served
    await browser.install()
    old = int(clock.seconds())
    clock.move(minutes=1)
    await browser.install()
    assert browser.title == "GenAI roles is installed again"
    await declares(bot, slack, BEN, MLOPS, workspace=where(slack))
    for event in (UNINSTALLED, revoked(slack)):
        await slack.send_event(event, event_time=old)
    await settled(bot)
    assert "Ben Book" in (await slack.command(ANN, "/genai-role who mlops")).text
    assert len(greetings(slack)) == 1, "once, not again"


@pytest.mark.parametrize("slack", [ORG], indirect=True)
async def test_a_removal_from_an_organisation_that_names_the_team_alone(slack: LocalSlack, hosted: Bot) -> None:
    await tell(slack, hosted, UNINSTALLED, authorizations=[], enterprise_id=ORG)
    assert await installed(hosted) == []


@ON_BOTH
@pytest.mark.parametrize("token_first", [False, True])
async def test_the_second_event_about_a_team_leaves_its_organisation(
    slack: LocalSlack, covered: Bot, clock: Clock, token_first: bool
) -> None:
    events = [revoked(slack), UNINSTALLED] if token_first else [UNINSTALLED, revoked(slack)]
    happened = int(clock.seconds())
    for event, late in zip(events, (0, 30), strict=True):
        clock.move(minutes=late)
        await tell(slack, covered, event, authorizations=[], enterprise_id=ORG, event_time=happened)
    assert await installed(covered) == [ORG]
    clock.move(hours=1)
    await tell(slack, covered, UNINSTALLED, authorizations=[], enterprise_id=ORG)
    assert await installed(covered) == [], "no team's any more: it is the organisation's"


@ON_BOTH
@pytest.mark.usefixtures("faults")
@pytest.mark.parametrize("says", ["account_inactive", "token_expired", "", "nothing", "later account_inactive"])
async def test_of_a_team_and_then_its_organisation_both_are_removed_where_slack_takes_neither_token(
    slack: LocalSlack, covered: Bot, clock: Clock, says: str
) -> None:
    slack.oauth.tokens.append("xoxb-of-all")
    await declares(covered, slack, BEN, MLOPS, workspace=ORG)
    await tell(slack, covered, UNINSTALLED, authorizations=[], enterprise_id=ORG)
    assert await installed(covered) == [ORG]
    if says in ("nothing", "later account_inactive"):
        slack.fail("auth.test", status=503, times=9)
    if says not in ("nothing", ""):
        slack.api.dead_tokens["xoxb-of-all"] = says.removeprefix("later ")
    clock.move(minutes=2)
    await tell(slack, covered, UNINSTALLED, authorizations=[], enterprise_id=ORG)
    gone = "account_inactive" in says
    assert await installed(covered) == ([] if gone else [ORG])
    assert bool(await declared(covered)) is not gone


@pytest.mark.parametrize("slack", [ORG], indirect=True)
async def test_an_organisation_that_takes_the_app_from_a_team_and_then_from_all_is_removed(
    slack: LocalSlack, hosted: Bot, clock: Clock
) -> None:
    await tell(slack, hosted, {"type": "team_access_revoked", "team_ids": ["T0TAKEN"]})
    clock.move(seconds=5)
    await tell(slack, hosted, UNINSTALLED, authorizations=[], team_id="T0TAKEN", enterprise_id=ORG)
    assert await installed(hosted) == []


@ON_BOTH
async def test_what_was_under_way_when_the_app_was_removed_is_deleted_too(
    slack: LocalSlack, hosted: Bot, clock: Clock
) -> None:
    await declares(hosted, slack, ANN, MLOPS)
    await remove(slack, hosted)
    [before] = await rows(hosted, "removals")
    # A form was being saved while the rest was deleted.
    await declares(hosted, slack, BEN, MLOPS)
    await finish(hosted, clock, minutes=4)
    assert await declared(hosted)
    await finish(hosted, clock, minutes=2)
    assert {table: await rows(hosted, table) for table in TABLES} == {table: [] for table in TABLES}
    [note] = await rows(hosted, "removals")
    assert note["delete_at"] is None and note["deleted_rows"] > before["deleted_rows"]


@pytest.mark.usefixtures("faults")
@ON_BOTH
async def test_what_was_under_way_is_deleted_too_where_the_token_stands_in_the_environment(
    slack: LocalSlack, bot: Bot, clock: Clock
) -> None:
    await declares(bot, slack, ANN, MLOPS)
    await remove(slack, bot)
    assert not await declared(bot)
    await declares(bot, slack, BEN, MLOPS)
    await finish(bot, clock, minutes=4)
    assert await declared(bot)
    # Where Slack does not say whether the app is back, nothing is deleted and nothing given up.
    slack.fail("auth.test", status=503, times=9)
    await finish(bot, clock, minutes=2)
    assert await declared(bot)
    slack.api.faults.clear()
    await finish(bot, clock, minutes=1)
    assert not await declared(bot)
    [note] = await rows(bot, "removals")
    assert (note["workspace"], note["why"], note["delete_at"]) == (TEAM, "app_uninstalled", None)


@pytest.mark.usefixtures("faults")
async def test_where_the_token_of_the_environment_works_again_what_is_declared_since_stays(
    slack: LocalSlack, bot: Bot, clock: Clock
) -> None:
    await remove(slack, bot)
    slack.api.dead_tokens.clear()
    await declares(bot, slack, BEN, MLOPS)
    for _ in range(2):
        await finish(bot, clock, minutes=6)
    assert await declared(bot)
    assert [note["delete_at"] for note in await rows(bot, "removals")] == [None]
    # Removed again, it goes again; that event, once more and late, changes nothing.
    happened = int(clock.seconds())
    await tell(slack, bot, UNINSTALLED, event_time=happened)
    assert not await declared(bot)
    await finish(bot, clock, minutes=6)
    await declares(bot, slack, BEN, MLOPS)
    await tell(slack, bot, UNINSTALLED, event_time=happened)
    assert await declared(bot)


@ON_BOTH
@pytest.mark.parametrize("is_back", [True, False])
async def test_an_event_that_comes_late_deletes_nothing_where_the_token_of_the_environment_works(
    slack: LocalSlack, bot: Bot, clock: Clock, is_back: bool
) -> None:
    """As where the bot was down while the app was removed and installed again."""
    await declares(bot, slack, BEN, MLOPS)
    happened = int(clock.seconds())
    clock.move(minutes=6)
    if not is_back:
        slack.api.dead_tokens[slack.bot_token] = "account_inactive"
    await tell(slack, bot, UNINSTALLED, event_time=happened)
    assert bool(await declared(bot)) is is_back
    await finish(bot, clock, minutes=6)
    assert bool(await declared(bot)) is is_back


async def test_what_is_declared_after_the_app_is_back_stays(
    slack: LocalSlack, served: tuple[Bot, Browser], clock: Clock
) -> None:
    bot, browser = served
    await browser.install()
    clock.move(hours=1)
    await remove(slack, bot)
    clock.move(minutes=1)
    slack.api.dead_tokens.clear()
    await browser.install()
    await declares(bot, slack, BEN, MLOPS)
    await finish(bot, clock, minutes=5)
    assert await declared(bot)


@ON_BOTH
async def test_with_an_organisation_go_the_teams_of_it_that_had_the_app_before(
    slack: LocalSlack, covered: Bot, clock: Clock
) -> None:
    found = await SqlInstallations(covered.engine).find(TEAM)
    assert found is not None
    mine, other, alone = "T0GRID", "T0OTHERGRID", "T0ALONE"
    for workspace, enterprise in ((mine, ORG), (other, "E0GRID00002"), (alone, None)):
        team = replace(found, workspace=workspace, enterprise=enterprise, token=f"xoxb-{workspace}")
        await SqlInstallations(covered.engine).save(team, SCOPES, clock.now())
        await declares(covered, slack, BEN, MLOPS, workspace=workspace)
    assert await covered.authorize.client_of(mine)
    clock.move(hours=1)
    await tell(slack, covered, revoked(slack), authorizations=[OF_ALL])
    assert await installed(covered) == [alone, mine, TEAM, other], "a team has a token of its own"
    await tell(slack, covered, UNINSTALLED, authorizations=[OF_ALL])
    assert await installed(covered) == [alone, TEAM, other]
    assert await covered.authorize.client_of(mine) is None
    assert await declared(covered) == {alone, other}
    assert {(row["workspace"], row["why"]) for row in await rows(covered, "removals")} == {
        (ORG, "app_uninstalled"),
        (mine, "app_uninstalled"),
    }


@pytest.mark.parametrize("slack", [ORG], indirect=True)
@ON_BOTH
async def test_what_is_kept_of_a_team_goes_when_its_organisation_takes_the_app_away_there(
    slack: LocalSlack, hosted: Bot, clock: Clock
) -> None:
    found = await SqlInstallations(hosted.engine).find(ORG)
    assert found is not None
    before, taken, stays = "T0BEFORE", "T0TAKEN", "T0STAYS"
    for workspace in (taken, stays):
        own = replace(found, workspace=workspace, org_wide=False, token=f"xoxb-{workspace}")
        await SqlInstallations(hosted.engine).save(own, SCOPES, clock.now())
    for workspace in (ORG, before, taken, stays):
        await declares(hosted, slack, BEN, MLOPS, workspace=workspace)
    clock.move(hours=1)
    for _ in range(2):
        await tell(slack, hosted, {"type": "team_access_revoked", "team_ids": [before, taken]})
    assert await installed(hosted) == [ORG, stays]
    assert await hosted.authorize.client_of(taken) is None
    assert await declared(hosted) == {ORG, stays}
    assert "Ben Book" in (await slack.command(ANN, "/genai-role who mlops")).text
    assert {(row["workspace"], row["why"]) for row in await rows(hosted, "removals")} == {
        (before, "team_access_revoked"),
        (taken, "team_access_revoked"),
    }
    # Added again, the team is one of the organisation's: nothing of its own comes back, and nothing stays for that.
    await slack.send_event({"type": "team_access_granted", "team_ids": [taken]})
    await declares(hosted, slack, ANN, MLOPS, workspace=taken)
    await finish(hosted, clock, minutes=6)
    assert await declared(hosted) == {ORG, stays}


@pytest.mark.parametrize("slack", [ORG], indirect=True)
async def test_a_team_that_was_taken_away_before_it_installed_the_app_itself_keeps_it(
    slack: LocalSlack, served: tuple[Bot, Browser], clock: Clock
) -> None:
    bot, browser = served
    await browser.install()
    old = int(clock.seconds())
    clock.move(minutes=1)
    found = await SqlInstallations(bot.engine).find(ORG)
    assert found is not None
    await SqlInstallations(bot.engine).save(replace(found, workspace="T0OWN", org_wide=False), SCOPES, clock.now())
    await tell(slack, bot, {"type": "team_access_revoked", "team_ids": ["T0OWN"]}, event_time=old)
    assert await installed(bot) == [ORG, "T0OWN"]


@pytest.mark.usefixtures("faults")
@ON_BOTH
async def test_a_deletion_that_fails_holds_up_no_other(
    slack: LocalSlack, served: tuple[Bot, Browser], clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    bot, _ = served
    first, second = "T0FIRST", "T0SECOND"
    removals = SqlRemovals(bot.engine)
    for workspace in (first, second):
        await declares(bot, slack, BEN, MLOPS, workspace=workspace)
        await removals.note(workspace, "app_uninstalled", clock.now(), clock.now())
        clock.move(seconds=1)
    sqlite = bot.engine.dialect.name == "sqlite"
    async with bot.engine.begin() as connection:
        for statement in LOCKS["sqlite" if sqlite else "postgresql"]:
            await connection.exec_driver_sql(statement)
    try:
        for minutes in (0, 1):
            await finish(bot, clock, minutes=minutes)
            assert await declared(bot) == {first}
    finally:
        async with bot.engine.begin() as connection:
            await connection.exec_driver_sql("DROP TRIGGER held" if sqlite else "DROP FUNCTION held CASCADE")
    told = [record for record in caplog.records if record.levelno == logging.ERROR]
    assert len(told) == 2 and all(first in record.getMessage() for record in told)
    await finish(bot, clock, minutes=1)
    assert await declared(bot) == set()


@pytest.mark.usefixtures("faults")
async def test_a_removal_from_an_organisation_that_failed_on_a_team_is_done_to_the_end(
    covered: Bot, clock: Clock
) -> None:
    async with covered.engine.begin() as connection:
        mine = installations.update().where(~installations.c.org_wide).values(workspace="T0MINE", enterprise_id=ORG)
        await connection.execute(mine)
        for statement in LOCKS["sqlite"]:
            await connection.exec_driver_sql(
                statement.replace("declarations", "installations").replace("T0FIRST", "T0MINE")
            )
    removed = removing(covered).__self__.removed
    with pytest.raises(DBAPIError, match="held"):
        await removed([TEAM, ORG], "app_uninstalled", clock.now())
    async with covered.engine.begin() as connection:
        await connection.exec_driver_sql("DROP TRIGGER held")
    await removed([TEAM, ORG], "app_uninstalled", clock.now())
    assert await installed(covered) == []


async def test_what_comes_after_a_removal_is_dropped(slack: LocalSlack, hosted: Bot) -> None:
    await remove(slack, hosted)
    await slack.say(ANN, "<@BOT> what is mlops", GENERAL)
    await settled(hosted)
    assert {(row["state"], row["body"]) for row in await rows(hosted, "inbox")} == {("done", "")}


@ON_POSTGRES
async def test_a_removal_is_noticed_by_every_process(slack: LocalSlack, many: Many, clock: Clock) -> None:
    async with many() as (one, browser), many() as (two, _):
        await browser.install()
        assert await one.authorize.client_of(TEAM) and await two.authorize.client_of(TEAM)
        clock.move(seconds=5)
        await slack.uninstall()
        await settled(two)
        assert await two.authorize.client_of(TEAM) is None
        assert await one.authorize.client_of(TEAM) is not None, "it has not looked yet"
        await one.everywhere._jobs[0][1]()
        assert await one.authorize.client_of(TEAM) is None
        slack.api.dead_tokens.clear()
        # Begun at the one, ended at the other.
        await browser.install()
        assert browser.title == "GenAI roles is installed"
        assert await two.authorize.client_of(TEAM) is not None
        assert await one.authorize.client_of(TEAM) is None
        await one.everywhere._jobs[0][1]()
        assert await one.authorize.client_of(TEAM) is not None
    assert FOLLOW_SECONDS <= 5
