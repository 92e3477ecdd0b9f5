"""The app is removed: tokens and data go, by whichever event, in one team and in an organisation."""

from __future__ import annotations

import logging
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy.exc import DBAPIError

from bot.app import Bot
from bot.installed import FOLLOW_SECONDS
from bot.local import GENERAL, LocalSlack
from bot.scopes import SCOPES
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


async def finish(bot: Bot) -> None:
    """Have done what is left of removals."""
    [job] = [job for _, job in bot.timers._jobs if "Removing" in str(job)]
    await job()


async def covers(bot: Bot, clock: Clock, workspace: str = ORG) -> None:
    """Have the app installed for an organisation too, beside the team."""
    found = await SqlInstallations(bot.engine).find(TEAM)
    assert found is not None
    org_wide = replace(found, workspace=workspace, token="xoxb-of-all", enterprise=workspace, org_wide=True)
    await SqlInstallations(bot.engine).save(org_wide, SCOPES, clock.now())


async def installed(bot: Bot) -> list[str]:
    return sorted(row["workspace"] for row in await rows(bot, "installations"))


@EVERYWHERE
async def test_a_token_that_is_revoked_first_goes_at_once_too(
    slack: LocalSlack, served: tuple[Bot, Browser], clock: Clock
) -> None:
    bot, browser = served
    await browser.install()
    await declares(bot, slack, BEN, {"mlops-engineer": "lead"}, workspace=where(slack))
    clock.move(hours=1)
    await remove(slack, bot, token_first=True)
    assert await rows(bot, "installations") == [] == await rows(bot, "declarations")
    assert [note["why"] for note in await rows(bot, "removals")] == ["app_uninstalled"]


async def test_where_only_the_token_was_revoked_the_rest_goes_after_two_weeks(
    slack: LocalSlack, served: tuple[Bot, Browser], clock: Clock
) -> None:
    bot, browser = served
    await browser.install()
    await declares(bot, slack, BEN, {"mlops-engineer": "lead"})
    clock.move(hours=1)
    await slack.send_event({"type": "tokens_revoked", "tokens": {"oauth": [], "bot": [slack.bot_user]}})
    await settled(bot)
    assert await rows(bot, "installations") == [] and await rows(bot, "declarations")
    clock.move(hours=DELETE_WITHIN.total_seconds() / 3600 - 1)
    await finish(bot)
    assert await rows(bot, "declarations")
    clock.move(hours=2)
    await finish(bot)
    assert await rows(bot, "declarations") == []


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
    await declares(bot, slack, BEN, {"mlops-engineer": "lead"}, workspace=where(slack))
    for event in ({"type": "app_uninstalled"}, {"type": "tokens_revoked", "tokens": {"bot": [slack.bot_user]}}):
        await slack.send_event(event, event_time=old)
    await settled(bot)
    assert "Ben Book" in (await slack.command(ANN, "/genai-role who mlops")).text
    assert len(greetings(slack)) == 1, "once, not again"


@pytest.mark.parametrize("slack", [ORG], indirect=True)
async def test_a_removal_from_an_organisation_that_names_the_team_alone(
    slack: LocalSlack, served: tuple[Bot, Browser], clock: Clock
) -> None:
    bot, browser = served
    await browser.install()
    clock.move(hours=1)
    await slack.send_event({"type": "app_uninstalled"}, authorizations=[], enterprise_id=ORG)
    await settled(bot)
    assert await rows(bot, "installations") == []


@ON_BOTH
@pytest.mark.parametrize("token_first", [False, True])
async def test_the_second_event_about_a_team_leaves_its_organisation(
    slack: LocalSlack, served: tuple[Bot, Browser], clock: Clock, token_first: bool
) -> None:
    bot, browser = served
    await browser.install()
    await covers(bot, clock)
    clock.move(hours=1)
    uninstalled: dict[str, Any] = {"type": "app_uninstalled"}
    revoked: dict[str, Any] = {"type": "tokens_revoked", "tokens": {"bot": [slack.bot_user]}}
    events = [revoked, uninstalled] if token_first else [uninstalled, revoked]
    happened = int(clock.seconds())
    for event, late in zip(events, (0, 30), strict=True):
        clock.move(minutes=late)
        await slack.send_event(event, authorizations=[], enterprise_id=ORG, event_time=happened)
        await settled(bot)
    assert await installed(bot) == [ORG]
    clock.move(hours=1)
    await slack.send_event(uninstalled, authorizations=[], enterprise_id=ORG)
    await settled(bot)
    assert await installed(bot) == [], "no team's any more: it is the organisation's"


@ON_BOTH
@pytest.mark.usefixtures("faults")
@pytest.mark.parametrize("says", ["account_inactive", "token_expired", "", "nothing", "later account_inactive"])
async def test_of_a_team_and_then_its_organisation_both_are_removed_where_slack_takes_neither_token(
    slack: LocalSlack, served: tuple[Bot, Browser], clock: Clock, says: str
) -> None:
    bot, browser = served
    await browser.install()
    await covers(bot, clock)
    slack.oauth.tokens.append("xoxb-of-all")
    await declares(bot, slack, BEN, {"mlops-engineer": "lead"}, workspace=ORG)
    clock.move(hours=1)
    uninstalled: dict[str, Any] = {"type": "app_uninstalled"}
    await slack.send_event(uninstalled, authorizations=[], enterprise_id=ORG)
    await settled(bot)
    assert await installed(bot) == [ORG]
    if says in ("nothing", "later account_inactive"):
        slack.fail("auth.test", status=503, times=9)
    if says not in ("nothing", ""):
        slack.api.dead_tokens["xoxb-of-all"] = says.removeprefix("later ")
    clock.move(minutes=2)
    await slack.send_event(uninstalled, authorizations=[], enterprise_id=ORG)
    await settled(bot)
    gone = "account_inactive" in says
    assert await installed(bot) == ([] if gone else [ORG])
    assert bool(await rows(bot, "declarations")) is not gone


@pytest.mark.parametrize("slack", [ORG], indirect=True)
async def test_an_organisation_that_takes_the_app_from_a_team_and_then_from_all_is_removed(
    slack: LocalSlack, served: tuple[Bot, Browser], clock: Clock
) -> None:
    bot, browser = served
    await browser.install()
    clock.move(hours=1)
    await slack.send_event({"type": "team_access_revoked", "team_ids": ["T0TAKEN"]})
    await settled(bot)
    clock.move(seconds=5)
    uninstalled = {"type": "app_uninstalled"}
    await slack.send_event(uninstalled, authorizations=[], team_id="T0TAKEN", enterprise_id=ORG)
    await settled(bot)
    assert await installed(bot) == []


@ON_BOTH
async def test_what_was_under_way_when_the_app_was_removed_is_deleted_too(
    slack: LocalSlack, served: tuple[Bot, Browser], clock: Clock
) -> None:
    bot, browser = served
    await browser.install()
    await declares(bot, slack, ANN, {"mlops-engineer": "lead"})
    clock.move(hours=1)
    await remove(slack, bot)
    [before] = await rows(bot, "removals")
    # A form was being saved while the rest was deleted.
    await declares(bot, slack, BEN, {"mlops-engineer": "lead"})
    clock.move(minutes=4)
    await finish(bot)
    assert await rows(bot, "declarations")
    clock.move(minutes=2)
    await finish(bot)
    assert {table: await rows(bot, table) for table in TABLES} == {table: [] for table in TABLES}
    [note] = await rows(bot, "removals")
    assert note["delete_at"] is None and note["deleted_rows"] > before["deleted_rows"]


@pytest.mark.usefixtures("faults")
@ON_BOTH
async def test_what_was_under_way_is_deleted_too_where_the_token_stands_in_the_environment(
    slack: LocalSlack, bot: Bot, clock: Clock
) -> None:
    await declares(bot, slack, ANN, {"mlops-engineer": "lead"})
    await remove(slack, bot)
    assert await rows(bot, "declarations") == []
    await declares(bot, slack, BEN, {"mlops-engineer": "lead"})
    clock.move(minutes=4)
    await finish(bot)
    assert await rows(bot, "declarations")
    clock.move(minutes=2)
    # Where Slack does not say whether the app is back, nothing is deleted and nothing given up.
    slack.fail("auth.test", status=503, times=9)
    await finish(bot)
    assert await rows(bot, "declarations")
    slack.api.faults.clear()
    clock.move(minutes=1)
    await finish(bot)
    assert await rows(bot, "declarations") == []
    [note] = await rows(bot, "removals")
    assert (note["workspace"], note["why"], note["delete_at"]) == (TEAM, "app_uninstalled", None)


@pytest.mark.usefixtures("faults")
async def test_where_the_token_of_the_environment_works_again_what_is_declared_since_stays(
    slack: LocalSlack, bot: Bot, clock: Clock
) -> None:
    await remove(slack, bot)
    slack.api.dead_tokens.clear()
    await declares(bot, slack, BEN, {"mlops-engineer": "lead"})
    for _ in range(2):
        clock.move(minutes=6)
        await finish(bot)
    assert await rows(bot, "declarations")
    assert [note["delete_at"] for note in await rows(bot, "removals")] == [None]
    # Removed again, it goes again; that event, once more and late, changes nothing.
    happened = int(clock.seconds())
    await slack.send_event({"type": "app_uninstalled"}, event_time=happened)
    await settled(bot)
    assert await rows(bot, "declarations") == []
    clock.move(minutes=6)
    await finish(bot)
    await declares(bot, slack, BEN, {"mlops-engineer": "lead"})
    await slack.send_event({"type": "app_uninstalled"}, event_time=happened)
    await settled(bot)
    assert await rows(bot, "declarations")


@ON_BOTH
@pytest.mark.parametrize("is_back", [True, False])
async def test_an_event_that_comes_late_deletes_nothing_where_the_token_of_the_environment_works(
    slack: LocalSlack, bot: Bot, clock: Clock, is_back: bool
) -> None:
    """As where the bot was down while the app was removed and installed again."""
    await declares(bot, slack, BEN, {"mlops-engineer": "lead"})
    happened = int(clock.seconds())
    clock.move(minutes=6)
    if not is_back:
        slack.api.dead_tokens[slack.bot_token] = "account_inactive"
    await slack.send_event({"type": "app_uninstalled"}, event_time=happened)
    await settled(bot)
    assert bool(await rows(bot, "declarations")) is is_back
    clock.move(minutes=6)
    await finish(bot)
    assert bool(await rows(bot, "declarations")) is is_back


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
    await declares(bot, slack, BEN, {"mlops-engineer": "lead"})
    clock.move(minutes=5)
    await finish(bot)
    assert await rows(bot, "declarations")


@ON_BOTH
async def test_with_an_organisation_go_the_teams_of_it_that_had_the_app_before(
    slack: LocalSlack, served: tuple[Bot, Browser], clock: Clock
) -> None:
    bot, browser = served
    await browser.install()
    found = await SqlInstallations(bot.engine).find(TEAM)
    assert found is not None
    mine, other, alone = "T0GRID", "T0OTHERGRID", "T0ALONE"
    for workspace, enterprise in ((mine, ORG), (other, "E0GRID00002"), (alone, None)):
        team = replace(found, workspace=workspace, enterprise=enterprise, token=f"xoxb-{workspace}")
        await SqlInstallations(bot.engine).save(team, SCOPES, clock.now())
        await declares(bot, slack, BEN, {"mlops-engineer": "lead"}, workspace=workspace)
    await covers(bot, clock)
    assert await bot.authorize.client_of(mine)
    clock.move(hours=1)
    of_all = {"enterprise_id": ORG, "team_id": None, "is_enterprise_install": True}
    revoked: dict[str, Any] = {"type": "tokens_revoked", "tokens": {"bot": [slack.bot_user]}}
    await slack.send_event(revoked, authorizations=[of_all])
    await settled(bot)
    assert await installed(bot) == [alone, mine, TEAM, other], "a team has a token of its own"
    await slack.send_event({"type": "app_uninstalled"}, authorizations=[of_all])
    await settled(bot)
    assert await installed(bot) == [alone, TEAM, other]
    assert await bot.authorize.client_of(mine) is None
    assert {row["workspace"] for row in await rows(bot, "declarations")} == {alone, other}
    assert {(row["workspace"], row["why"]) for row in await rows(bot, "removals")} == {
        (ORG, "app_uninstalled"),
        (mine, "app_uninstalled"),
    }


@pytest.mark.parametrize("slack", [ORG], indirect=True)
@ON_BOTH
async def test_what_is_kept_of_a_team_goes_when_its_organisation_takes_the_app_away_there(
    slack: LocalSlack, served: tuple[Bot, Browser], clock: Clock
) -> None:
    bot, browser = served
    await browser.install()
    found = await SqlInstallations(bot.engine).find(ORG)
    assert found is not None
    before, taken, stays = "T0BEFORE", "T0TAKEN", "T0STAYS"
    for workspace in (taken, stays):
        own = replace(found, workspace=workspace, org_wide=False, token=f"xoxb-{workspace}")
        await SqlInstallations(bot.engine).save(own, SCOPES, clock.now())
    for workspace in (ORG, before, taken, stays):
        await declares(bot, slack, BEN, {"mlops-engineer": "lead"}, workspace=workspace)
    clock.move(hours=1)
    event: dict[str, Any] = {"type": "team_access_revoked", "team_ids": [before, taken]}
    for _ in range(2):
        await slack.send_event(event)
        await settled(bot)
    assert await installed(bot) == [ORG, stays]
    assert await bot.authorize.client_of(taken) is None
    assert {row["workspace"] for row in await rows(bot, "declarations")} == {ORG, stays}
    assert "Ben Book" in (await slack.command(ANN, "/genai-role who mlops")).text
    assert {(row["workspace"], row["why"]) for row in await rows(bot, "removals")} == {
        (before, "team_access_revoked"),
        (taken, "team_access_revoked"),
    }
    # Added again, the team is one of the organisation's: nothing of its own comes back, and nothing stays for that.
    await slack.send_event({"type": "team_access_granted", "team_ids": [taken]})
    await declares(bot, slack, ANN, {"mlops-engineer": "lead"}, workspace=taken)
    clock.move(minutes=6)
    await finish(bot)
    assert {row["workspace"] for row in await rows(bot, "declarations")} == {ORG, stays}


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
    await slack.send_event({"type": "team_access_revoked", "team_ids": ["T0OWN"]}, event_time=old)
    await settled(bot)
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
        await declares(bot, slack, BEN, {"mlops-engineer": "lead"}, workspace=workspace)
        await removals.note(workspace, "app_uninstalled", clock.now(), clock.now())
        clock.move(seconds=1)

    async def kept() -> set[str]:
        return {row["workspace"] for row in await rows(bot, "declarations")}

    sqlite = bot.engine.dialect.name == "sqlite"
    async with bot.engine.begin() as connection:
        for statement in LOCKS["sqlite" if sqlite else "postgresql"]:
            await connection.exec_driver_sql(statement)
    try:
        for _ in range(2):
            await finish(bot)
            assert await kept() == {first}
            clock.move(minutes=1)
    finally:
        async with bot.engine.begin() as connection:
            await connection.exec_driver_sql("DROP TRIGGER held" if sqlite else "DROP FUNCTION held CASCADE")
    told = [record for record in caplog.records if record.levelno == logging.ERROR]
    assert len(told) == 2 and all(first in record.getMessage() for record in told)
    await finish(bot)
    assert await kept() == set()


@pytest.mark.usefixtures("faults")
async def test_a_removal_from_an_organisation_that_failed_on_a_team_is_done_to_the_end(
    slack: LocalSlack, served: tuple[Bot, Browser], clock: Clock
) -> None:
    bot, browser = served
    await browser.install()
    await covers(bot, clock)
    async with bot.engine.begin() as connection:
        mine = installations.update().where(~installations.c.org_wide).values(workspace="T0MINE", enterprise_id=ORG)
        await connection.execute(mine)
        for statement in LOCKS["sqlite"]:
            await connection.exec_driver_sql(
                statement.replace("declarations", "installations").replace("T0FIRST", "T0MINE")
            )
    clock.move(hours=1)
    [job] = [job for _, job in bot.timers._jobs if "Removing" in str(job)]
    removing = job.__self__  # type: ignore[attr-defined]
    with pytest.raises(DBAPIError, match="held"):
        await removing.removed([TEAM, ORG], "app_uninstalled", clock.now())
    async with bot.engine.begin() as connection:
        await connection.exec_driver_sql("DROP TRIGGER held")
    await removing.removed([TEAM, ORG], "app_uninstalled", clock.now())
    assert await installed(bot) == []


async def test_what_comes_after_a_removal_is_dropped(
    slack: LocalSlack, served: tuple[Bot, Browser], clock: Clock
) -> None:
    bot, browser = served
    await browser.install()
    clock.move(hours=1)
    await remove(slack, bot)
    await slack.say(ANN, "<@BOT> what is mlops", GENERAL)
    await settled(bot)
    assert {(row["state"], row["body"]) for row in await rows(bot, "inbox")} == {("done", "")}


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
