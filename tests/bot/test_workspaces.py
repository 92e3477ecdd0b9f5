"""Workspaces are apart; an organisation-wide install is one; removing the app removes what was kept."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest

from bot.app import Bot
from bot.local import GENERAL, LocalSlack
from tests.benchmarks import workspaces
from tests.conftest import ANN, BEN, TABLES, TEAM, declares, interact, rows, settled

OTHER = "T0OTHER0001"


async def test_two_workspaces_do_not_see_each_others_people(slack: LocalSlack, bot: Bot) -> None:
    await declares(bot, slack, BEN, {"mlops-engineer": "lead"}, ("Airflow",))
    for typed in ("who mlops", "who airflow", "mlops"):
        here = await slack.command(ANN, f"/genai-role {typed}")
        there = await slack.command(ANN, f"/genai-role {typed}", fields={"team_id": OTHER})
        assert "Ben Book" in here.text
        assert "Ben Book" not in there.text
    await settled(bot)


async def test_events_of_two_workspaces_are_apart(slack: LocalSlack, bot: Bot) -> None:
    await declares(bot, slack, BEN, {"mlops-engineer": "lead"})
    event = {"type": "app_mention", "user": ANN, "channel": GENERAL, "ts": "1700000000.000100", "text": "who mlops"}
    await slack.send_event(event, team_id=OTHER)
    await slack.send_event(event)
    await settled(bot)
    first, second = slack.called("chat.postMessage")
    named = {bool("Ben Book" in call.arguments["text"]) for call in (first, second)}
    assert named == {True, False}
    assert {row["workspace"] for row in await rows(bot, "inbox")} == {TEAM, OTHER}


async def test_forget_me_in_one_workspace_leaves_the_other(slack: LocalSlack, bot: Bot) -> None:
    await declares(bot, slack, ANN, {"mlops-engineer": "lead"})
    await declares(bot, slack, ANN, {"mlops-engineer": "lead"}, workspace=OTHER)
    await slack.command(ANN, "/genai-role forget me")
    assert {row["workspace"] for table in TABLES for row in await rows(bot, table)} == {OTHER}


@pytest.mark.parametrize("slack", ["E0GRID00001"], indirect=True)
async def test_an_organisation_wide_install_is_one_workspace(slack: LocalSlack, bot: Bot) -> None:
    # Declared in one team by the form …
    form = (await slack.command(BEN, "/genai-role me")).view
    await slack.submit(BEN, form, {"roles_lead": ["mlops-engineer"]})
    await settled(bot)
    # … found by command, event and button of another.
    reply = await slack.command(ANN, "/genai-role who mlops", fields={"team_id": OTHER})
    assert "Ben Book" in reply.text
    event = {"type": "app_mention", "user": ANN, "channel": GENERAL, "ts": "1700000000.000100", "text": "who mlops"}
    await slack.send_event(event, team_id=OTHER)
    await settled(bot)
    assert "Ben Book" in slack.called("chat.postMessage")[0].arguments["text"]
    pressed = await slack.press(ANN, await slack.command(ANN, "/genai-role mlops"), "ask_someone")
    assert "Ben Book" in pressed.text
    home = await slack.open_home(BEN)
    assert "MLOps Engineer (lead)" in str(home.blocks)
    await settled(bot)
    assert {row["workspace"] for table in TABLES for row in await rows(bot, table)} == {"E0GRID00001"}


async def test_a_payload_without_a_team_falls_back_on_the_persons(slack: LocalSlack, bot: Bot) -> None:
    await declares(bot, slack, BEN, {"mlops-engineer": "lead"})
    reply = await slack.command(ANN, "/genai-role mlops")
    assert reply.message is not None
    url = slack.workspace.new_response_url(ANN, GENERAL, reply.message)
    status = await interact(
        slack,
        {
            "type": "block_actions",
            "team": None,
            "user": {"id": ANN, "team_id": TEAM},
            "response_url": f"{slack.api_url.removesuffix('/api/')}/response/{url.id}",
            "actions": [{"type": "button", "action_id": "ask_someone", "value": "mlops-engineer"}],
        },
    )
    assert status == 200
    assert "Ben Book" in url.posted[0].text
    await settled(bot)


async def test_removing_the_app_deletes_the_workspace_and_no_other(slack: LocalSlack, bot: Bot) -> None:
    await declares(bot, slack, BEN, {"mlops-engineer": "lead"}, ("Airflow",))
    await declares(bot, slack, BEN, {"mlops-engineer": "lead"}, workspace=OTHER)
    await slack.say(ANN, "<@BOT> what is mlops", GENERAL)
    await settled(bot)
    assert (await slack.send_event({"type": "app_uninstalled"})).status == 200
    await settled(bot)
    assert {row["workspace"] for table in TABLES for row in await rows(bot, table)} == {OTHER}


async def test_what_is_kept_of_a_team_that_was_taken_out_of_the_app_is_deleted(slack: LocalSlack, bot: Bot) -> None:
    await declares(bot, slack, BEN, {"mlops-engineer": "lead"})
    await declares(bot, slack, BEN, {"mlops-engineer": "lead"}, workspace=OTHER)
    assert (await slack.send_event({"type": "team_access_revoked", "team_ids": [OTHER]})).status == 200
    await settled(bot)
    assert {row["workspace"] for row in await rows(bot, "declarations")} == {TEAM}


@pytest.mark.parametrize("teams", ["T1", {"T1": 1}, ["T1", 7], [""], [["T1"]], ["T" * 500]])
async def test_teams_of_a_wrong_form_are_refused(slack: LocalSlack, bot: Bot, teams: object) -> None:
    assert (await slack.send_event({"type": "team_access_revoked", "team_ids": teams})).status == 400


async def test_a_revoked_token_is_told_to_the_operator(
    slack: LocalSlack, bot: Bot, caplog: pytest.LogCaptureFixture, faults: None
) -> None:
    await slack.send_event({"type": "tokens_revoked", "tokens": {"oauth": [], "bot": ["U0LOCALBOT1"]}})
    await settled(bot)
    told = [record.getMessage() for record in caplog.records if record.levelno == logging.ERROR]
    assert len(told) == 1
    assert "SLACK_BOT_TOKEN" in told[0]


@pytest.mark.parametrize(
    "event",
    [
        {"type": "team_access_granted", "team_ids": ["T1", "T2"]},
        {"type": "team_access_revoked", "team_ids": ["T1"]},
        {"type": "tokens_revoked", "tokens": {"oauth": ["U1"]}},
        {"type": "tokens_revoked"},
        {"type": "reaction_added", "user": "U1"},
        {"type": "some_day", "payload": {"deep": [1, 2]}},
    ],
)
async def test_other_events_are_acknowledged_and_change_nothing(
    slack: LocalSlack, bot: Bot, event: dict[str, object]
) -> None:
    await declares(bot, slack, BEN, {"mlops-engineer": "lead"})
    before = len(slack.calls)
    assert (await slack.send_event(event)).status == 200
    await settled(bot)
    assert slack.calls[before:] == []
    assert len(await rows(bot, "declarations")) == 1
    assert not [row for row in await rows(bot, "inbox") if row["state"] != "done"]


async def test_many_workspaces_at_once_are_each_answered_with_what_is_theirs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The benchmark's load over installed workspaces, with few of them: what strays, it finds in replies and calls."""
    monkeypatch.setattr(workspaces, "WORKSPACES", 20)
    found = await workspaces.served(tmp_path, rounds=2)
    assert found.strays == []
    assert len(found.commands.milliseconds) == found.mentions == 20
