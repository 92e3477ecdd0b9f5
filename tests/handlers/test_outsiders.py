"""People of other companies who share a channel with the app: Slack does not call them strangers."""

from __future__ import annotations

from typing import Any

import pytest

from bot.app import Bot
from bot.local import GENERAL, LocalSlack, Member
from handlers import ids, payloads, user_objects
from knowledge.workspaces import Settings
from tests.conftest import ANN, BEN, TEAM, Clock, declares, interact, rows, settled, words

OTTO = "U0OTTO00001"
ELSEWHERE = "T0OTHER0001"
ORGANISATION = "E0ORG000001"
REFUSED = "Only people of this workspace declare here what they do"
NOBODY = "I name colleagues only to members of this workspace"


@pytest.fixture
def otto(slack: LocalSlack) -> None:
    """Somebody of another company, in a channel that is shared with theirs."""
    slack.workspace.add_members([Member(OTTO, "Otto Outside", title="MLOps Engineer", home=ELSEWHERE)])
    slack.workspace.channels[slack.channel("general")].ext_shared = True


def press(action_id: str, value: str = "mlops-engineer", **more: Any) -> dict[str, Any]:
    """A press of theirs on a button that stands in the shared channel."""
    return {
        "type": "block_actions",
        "user": {"id": OTTO, "name": "otto", "team_id": ELSEWHERE},
        "team": {"id": TEAM},
        "actions": [{"type": "button", "action_id": action_id, "block_id": "b", "value": value}],
        "trigger_id": "1.1",
        **more,
    }


ORG_WIDE: dict[str, Any] = {"enterprise": {"id": ORGANISATION}, "is_enterprise_install": True}


@pytest.mark.usefixtures("otto")
async def test_an_outsider_is_offered_nothing_to_declare(slack: LocalSlack, bot: Bot) -> None:
    await slack.say(OTTO, "<@BOT> I'm the MLOps lead and know MLflow", GENERAL)
    await settled(bot)
    assert slack.called("chat.postEphemeral") == []
    [answer] = slack.called("chat.postMessage")
    assert "MLOps Engineer" in answer.arguments["text"]
    assert ids.CONFIRM not in str(answer.arguments)
    # Whoever is of here is asked as anywhere.
    await slack.say(ANN, "<@BOT> I'm the MLOps lead and know MLflow", GENERAL)
    await settled(bot)
    [offer] = slack.called("chat.postEphemeral")
    assert "Shall I write down that you do this?" in offer.arguments["text"]
    await slack.say(OTTO, "<@BOT> me", GENERAL)
    await settled(bot)
    assert REFUSED in slack.called("chat.postEphemeral")[-1].arguments["text"]


@pytest.mark.usefixtures("otto")
async def test_a_press_by_an_outsider_declares_nothing(slack: LocalSlack, bot: Bot) -> None:
    assert await interact(slack, press(f"{ids.CONFIRM}:0")) == 200
    await settled(bot)
    assert REFUSED in slack.called("chat.postMessage")[-1].arguments["text"]
    trigger = slack.workspace.new_trigger(OTTO, GENERAL).id
    assert await interact(slack, press(ids.DECLARE, trigger_id=trigger)) == 200
    shown = slack.open_view(OTTO)
    assert shown is not None and REFUSED in words(shown)
    assert [await rows(bot, table) for table in ("declarations", "members", "terms")] == [[], [], []]


@pytest.mark.usefixtures("otto")
@pytest.mark.parametrize("team", [TEAM, ELSEWHERE])
async def test_a_form_of_an_outsider_declares_nothing(slack: LocalSlack, bot: Bot, team: str) -> None:
    """Whichever team such a form comes with: where the app is installed stands in the view."""
    chosen = {ids.block_of_level("lead"): {"x": {"selected_options": [{"value": "mlops-engineer"}]}}}
    form = {
        "type": "view_submission",
        "user": {"id": OTTO, "name": "otto", "team_id": ELSEWHERE},
        "team": {"id": team},
        "view": {
            "type": "modal",
            "id": "V0MODAL",
            "callback_id": ids.VIEW_DECLARE,
            "app_installed_team_id": TEAM,
            "state": {"values": chosen},
        },
    }
    assert payloads.interaction_actor(form) == payloads.Actor(TEAM, TEAM, OTTO, outside=True, outsider=True)
    assert await interact(slack, form) == 200
    await settled(bot)
    assert await rows(bot, "declarations") == []


@pytest.mark.usefixtures("otto")
async def test_who_declared_as_an_outsider_is_suggested_to_nobody(slack: LocalSlack, bot: Bot, clock: Clock) -> None:
    """Declared before it was seen where they belong, or with a payload that does not say it: the profile does."""
    await declares(bot, slack, OTTO, {"mlops-engineer": "lead"}, ("looms",))
    clock.move(hours=2)
    assert "Otto" not in (await slack.command(ANN, "/genai-role who mlops")).text
    assert "Otto" not in (await slack.command(ANN, "/genai-role who looms")).text
    assert "Otto" not in (await slack.command(ANN, "/genai-role mlops")).text
    home = await slack.open_home(ANN)
    await slack.press(ANN, home, f"{ids.SECTION}:directory")
    assert "Otto" not in words(slack.workspace.homes[ANN])
    await settled(bot)
    [kept] = await rows(bot, "members", "user_id = :user", user=OTTO)
    assert kept["is_guest"]
    # Slack's event says the same.
    await slack.change_member(OTTO, title="MLOps Lead")
    await settled(bot)
    [kept] = await rows(bot, "members", "user_id = :user", user=OTTO)
    assert (kept["title"], bool(kept["is_guest"])) == ("MLOps Lead", True)


@pytest.mark.usefixtures("otto")
@pytest.mark.parametrize("slack", [None, ORGANISATION], indirect=True, ids=["workspace", "organisation"])
async def test_an_outsider_reads_no_names(slack: LocalSlack, bot: Bot, clock: Clock) -> None:
    workspace = slack.workspace.enterprise_id or TEAM
    await declares(bot, slack, BEN, {"mlops-engineer": "lead"}, workspace=workspace)
    org_wide = ORG_WIDE if slack.workspace.enterprise_id else {}
    pressed = press(ids.ASK, **org_wide)
    assert await interact(slack, pressed) == 200
    assert NOBODY in slack.called("chat.postMessage")[-1].arguments["text"]
    # That guests are named colleagues makes no guest of somebody of another company.
    await bot.workspaces.save(workspace, Settings(names_to_guests=True), ANN, clock.now())
    assert await interact(slack, pressed) == 200
    assert NOBODY in slack.called("chat.postMessage")[-1].arguments["text"]
    await bot.workspaces.save(workspace, Settings(names_in_shared=True), ANN, clock.now())
    assert await interact(slack, pressed) == 200
    assert "Ben Book" in slack.called("chat.postMessage")[-1].arguments["text"]
    await settled(bot)
    assert "Ben Book" in (await slack.command(ANN, "/genai-role who mlops")).text


@pytest.mark.usefixtures("otto")
@pytest.mark.parametrize("slack", [ORGANISATION], indirect=True)
async def test_a_press_that_does_not_say_it_is_an_outsiders_declares_nothing(slack: LocalSlack, bot: Bot) -> None:
    """Of another team where the bot is installed for an organisation only the profile tells whose it is."""
    assert await interact(slack, press(f"{ids.CONFIRM}:0", **ORG_WIDE)) == 200
    await settled(bot)
    assert REFUSED in slack.called("chat.postMessage")[-1].arguments["text"]
    assert "Otto" not in (await slack.command(ANN, "/genai-role who mlops")).text
    assert [await rows(bot, table) for table in ("declarations", "members", "terms")] == [[], [], []]


@pytest.mark.usefixtures("otto")
@pytest.mark.parametrize("slack", [ORGANISATION], indirect=True)
async def test_a_declaration_that_slack_did_not_say_is_an_outsiders_names_nobody(slack: LocalSlack, bot: Bot) -> None:
    """Where Slack does not say at the press whose it is, the profile that comes after it does."""
    slack.fail("users.info", error="internal_error")
    assert await interact(slack, press(f"{ids.CONFIRM}:0", **ORG_WIDE)) == 200
    await settled(bot)
    assert await rows(bot, "declarations")
    assert "Otto" not in (await slack.command(ANN, "/genai-role who mlops")).text
    [kept] = await rows(bot, "members")
    assert kept["is_guest"]


@pytest.mark.usefixtures("otto")
async def test_the_home_tab_of_an_outsider_offers_nothing_to_declare(slack: LocalSlack, bot: Bot) -> None:
    shown = await slack.open_home(OTTO)
    assert "You belong to another company" in words(shown)
    assert ids.DECLARE not in str(shown) and ids.CONFIRM not in str(shown)


@pytest.mark.parametrize(
    ("user", "workspace", "belongs"),
    [
        ({"team_id": "T1"}, "T1", True),
        ({"team_id": "T2", "is_stranger": False}, "T1", False),
        ({"team_id": "T1", "is_stranger": True}, "T1", False),
        ({}, "T1", False),
        # Of an organisation, whichever of its workspaces is theirs.
        ({"team_id": "T2", "enterprise_user": {"enterprise_id": "E1", "teams": ["T2"]}}, "E1", True),
        ({"team_id": "T2", "enterprise_user": {"enterprise_id": "E2", "teams": ["T2"]}}, "E1", False),
        ({"team_id": "T2", "enterprise_user": {"enterprise_id": "E1", "teams": ["T1", "T2"]}}, "T1", True),
        ({"team_id": "E1", "enterprise_user": {"enterprise_id": "E1", "teams": ["T2"]}}, "T1", False),
        ({"team_id": "E1"}, "E1", True),
        ({"team_id": "T1", "enterprise_user": "?"}, "E1", False),
        ({"team_id": "T1", "enterprise_user": {"teams": "E1"}}, "E1", False),
    ],
)
def test_where_somebody_belongs(user: dict[str, Any], workspace: str, belongs: bool, clock: Clock) -> None:
    assert user_objects.belongs(user, workspace) is belongs
    assert user_objects.member({"id": "U1", **user}, workspace, clock.now()).suggestible is belongs
