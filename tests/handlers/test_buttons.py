"""Every button of every answer, from each place that it can stand in."""

from __future__ import annotations

from typing import Any

import pytest

from bot.app import Bot
from bot.local import GENERAL, LocalSlack, Message, Outcome, View
from tests.conftest import ANN, BEN, CAI, Clock, declares, interact, settled, words

Surface = Message | View
PLACES = ("command", "channel", "thread", "dm", "dm thread", "home", "modal")


async def card(slack: LocalSlack, bot: Bot, place: str, about: str = "mlops") -> Surface:
    """Bring the card of a role up in a place."""
    match place:
        case "command":
            shown: Surface | None = (await slack.command(ANN, f"/genai-role {about}")).message
        case "channel":
            # In the open, by "Share in channel".
            reply = await slack.command(ANN, f"/genai-role {about}")
            shown = (await slack.press(ANN, reply, "share_answer")).message
        case "thread":
            posted = await slack.say(ANN, f"<@BOT> what is {about}", GENERAL)
            shown = await slack.wait_for_reply(posted)
        case "dm":
            shown = await slack.wait_for_reply(await slack.say(ANN, f"what is {about}"))
        case "dm thread":
            root = await slack.say(ANN, "hello")
            await slack.wait_for_reply(root)
            shown = await slack.wait_for_reply(await slack.say(ANN, f"what is {about}", thread_ts=root.ts))
        case "home":
            home = await slack.open_home(ANN)
            role = bot.guide.catalog.roles["mlops-engineer"]
            shown = (await slack.press(ANN, home, "browse_roles", selected=role.id)).message
        case _:
            # "Find who can help" on a message, and from its answer to the role.
            posted = await slack.say(BEN, "our mlops pipeline", GENERAL)
            opened = await slack.message_shortcut(ANN, "find_who_can_help", posted)
            assert opened.view is not None
            shown = (await slack.press(ANN, opened.view, "open_entry:1")).view
    await settled(bot)
    assert shown is not None
    return shown


def shown_by(pressed: Outcome, place: str) -> Surface:
    """Return what a press brought up: a message, or in a modal a modal."""
    shown = pressed.view if place == "modal" else pressed.message
    assert shown is not None, pressed
    return shown


def only_for(shown: Surface, user: str) -> bool:
    """Tell whether nobody else sees it."""
    return isinstance(shown, View) or shown.ephemeral_to == user or shown.channel.startswith("D")


@pytest.mark.parametrize("place", PLACES)
async def test_i_do_this_opens_the_form_with_the_role_chosen(slack: LocalSlack, bot: Bot, place: str) -> None:
    shown = await card(slack, bot, place)
    pressed = await slack.press(ANN, shown, "declare_role")
    assert pressed.view is not None
    assert pressed.view.title == "What I do"
    practised = next(block for block in pressed.view.blocks if block["block_id"] == "roles_practitioner")
    assert [option["value"] for option in practised["element"]["initial_options"]] == ["mlops-engineer"]
    saved = await slack.submit(ANN, pressed.view)
    assert saved.view is not None
    assert "MLOps Engineer (practitioner)" in words(saved.view)
    assert (await bot.people.declaration("T0LOCAL0001", ANN)).roles == {"mlops-engineer": "practitioner"}


@pytest.mark.parametrize("place", PLACES)
async def test_ask_someone_names_people_to_the_asker_alone(slack: LocalSlack, bot: Bot, place: str) -> None:
    await declares(bot, slack, BEN, {"mlops-engineer": "lead"})
    await declares(bot, slack, CAI, {"mlops-engineer": "learning"})
    shown = await card(slack, bot, place)
    named = shown_by(await slack.press(ANN, shown, "ask_someone"), place)
    assert only_for(named, ANN)
    assert "For MLOps Engineer, ask:" in words(named)
    assert words(named).index("Ben Book") < words(named).index("Cai Chen")
    if place in ("thread", "dm thread") and isinstance(shown, Message) and isinstance(named, Message):
        assert named.thread_ts == shown.thread_ts


@pytest.mark.parametrize("place", PLACES)
async def test_more_shows_the_second_half_and_back(slack: LocalSlack, bot: Bot, place: str) -> None:
    shown = await card(slack, bot, place)
    more = shown_by(await slack.press(ANN, shown, "more_about_role"), place)
    assert "*Does not decide*" in words(more)
    assert only_for(more, ANN)
    if place == "command":
        assert more is shown  # in place: an ephemeral answer does not pile up
    else:
        assert more is not shown or isinstance(shown, View)
    first = shown_by(await slack.press(ANN, more, "open_entry"), place)
    assert "*Responsibilities*" in words(first)


@pytest.mark.parametrize("place", PLACES)
async def test_compare_offers_the_other_roles_and_compares(slack: LocalSlack, bot: Bot, place: str) -> None:
    shown = await card(slack, bot, place)
    menu = shown_by(await slack.press(ANN, shown, "compare_role"), place)
    assert only_for(menu, ANN)
    options = menu.blocks[-1]["elements"][0]["options"]
    assert len(options) == 15
    near = [note.role for note in bot.guide.catalog.roles["mlops-engineer"].confused_with]
    assert options[0]["value"] == f"mlops-engineer|{near[0]}"
    picked = await slack.press(ANN, menu, "compare_with", selected=options[0]["value"])
    side_by_side = shown_by(picked, place)
    assert only_for(side_by_side, ANN)
    assert "*Decides*" in words(side_by_side)


@pytest.mark.parametrize("place", ["command", "thread"])
async def test_share_posts_for_everybody_in_the_name_of_who_pressed(slack: LocalSlack, bot: Bot, place: str) -> None:
    await declares(bot, slack, ANN, {"mlops-engineer": "lead"})
    shown = await card(slack, bot, place)
    shared = (await slack.press(ANN, shown, "share_answer")).message
    assert shared is not None
    assert (shared.channel, shared.ephemeral_to, shared.thread_ts) == (GENERAL, None, None)
    assert shared.text.startswith("Shared by ann.archer: MLOps Engineer")
    # Slack does not say who reads a channel: guests, or another company. And there is nothing left to share.
    assert "Who does it here" not in shared.text + words(shared)
    assert "Share in channel" not in words(shared)


@pytest.mark.parametrize("place", ["dm", "home", "modal"])
async def test_share_says_so_where_there_is_no_channel(slack: LocalSlack, bot: Bot, place: str) -> None:
    shown = await card(slack, bot, place)
    said = shown_by(await slack.press(ANN, shown, "share_answer"), place)
    assert words(said).startswith("There is no channel here to share in.")


async def test_a_comparison_can_be_shared(slack: LocalSlack, bot: Bot) -> None:
    reply = await slack.command(ANN, "/genai-role mlops vs data engineer")
    shared = (await slack.press(ANN, reply, "share_answer")).message
    assert shared is not None
    assert shared.ephemeral_to is None
    assert "MLOps Engineer and Data Engineer" in shared.text


async def test_a_command_can_share_where_the_bot_is_not_a_member(slack: LocalSlack, bot: Bot) -> None:
    reply = await slack.command(ANN, "/genai-role pytorch", channel="finance")
    shared = (await slack.press(ANN, reply, "share_answer")).message
    assert shared is not None
    assert (shared.channel, shared.ephemeral_to) == (slack.channel("finance"), None)


async def test_the_entries_beside_a_tool_open_their_cards(slack: LocalSlack, bot: Bot) -> None:
    reply = await slack.command(ANN, "/genai-role pytorch")
    opened = await slack.press(ANN, reply, "open_entry:1")
    assert opened.message is reply.message
    assert "*Responsibilities*" in words(reply.message) if reply.message else False


async def test_in_modals_one_can_walk_on_and_on(slack: LocalSlack, bot: Bot) -> None:
    shown = await card(slack, bot, "modal")
    for _ in range(4):
        named = (await slack.press(ANN, shown, "ask_someone")).view
        assert named is not None
        assert "declared" in words(named)
        opened = (await slack.press(ANN, named, "open_entry:1")).view
        assert opened is not None
        shown = opened
    form = (await slack.press(ANN, shown, "declare_role")).view
    assert form is not None
    assert form.title == "What I do"


async def test_what_one_person_pressed_in_a_channel_only_that_person_sees(slack: LocalSlack, bot: Bot) -> None:
    shown = await card(slack, bot, "channel")
    assert isinstance(shown, Message)
    pressed = await slack.press(CAI, shown, "more_about_role")
    assert pressed.ephemeral_to == CAI
    assert "*Responsibilities*" in words(shown)


def raw(slack: LocalSlack, message: Message, action: dict[str, Any]) -> dict[str, Any]:
    """Return a press as somebody could forge it (with the signing secret)."""
    url = slack.workspace.new_response_url(ANN, message.channel, message)
    return {
        "type": "block_actions",
        "team": {"id": "T0LOCAL0001"},
        "user": {"id": ANN, "name": "ann"},
        "container": {"type": "message", "channel_id": message.channel, "message_ts": message.ts, "is_ephemeral": True},
        "channel": {"id": message.channel},
        "response_url": f"{slack.api_url.removesuffix('/api/')}/response/{url.id}",
        "trigger_id": slack.workspace.new_trigger(ANN).id,
        "actions": [{"type": "button", "block_id": "b", "action_ts": "1.0", **action}],
    }


ACTIONS = ("open_entry", "open_entry:2", "browse_roles", "more_about_role", "compare_role", "compare_with")
VALUES = (
    "",
    "unknown-role",
    "a|b|c",
    "|",
    "mlops-engineer|",
    "mlops-engineer|mlops-engineer",
    "<!channel>",
    "x" * 2000,
)


@pytest.mark.parametrize("action_id", [*ACTIONS, "share_answer", "ask_someone"])
async def test_a_tampered_value_is_answered_with_a_sentence(slack: LocalSlack, bot: Bot, action_id: str) -> None:
    reply = await slack.command(ANN, "/genai-role mlops")
    assert reply.message is not None
    for value in VALUES:
        before = len(slack.calls)
        payload = raw(slack, reply.message, {"action_id": action_id, "value": value})
        status = await interact(slack, payload)
        assert status == 200
        answers = [call for call in slack.calls[before:] if call.method == "response_url"]
        assert len(answers) == 1, (value, slack.calls[before:])
        assert answers[0].error is None


async def test_the_form_opens_for_a_tampered_value_too(slack: LocalSlack, bot: Bot) -> None:
    reply = await slack.command(ANN, "/genai-role mlops")
    assert reply.message is not None
    for value in VALUES:
        await interact(slack, raw(slack, reply.message, {"action_id": "declare_role", "value": value}))
        view = slack.open_view(ANN)
        assert view is not None
        assert not any("initial_options" in block.get("element", {}) for block in view.blocks)


async def test_an_action_that_nothing_listens_to_is_acknowledged(slack: LocalSlack, bot: Bot) -> None:
    reply = await slack.command(ANN, "/genai-role mlops")
    assert reply.message is not None
    status = await interact(slack, raw(slack, reply.message, {"action_id": "gone_long_ago", "value": "x"}))
    assert status == 200


async def test_a_button_works_again_after_minutes(slack: LocalSlack, bot: Bot, clock: Clock) -> None:
    reply = await slack.command(ANN, "/genai-role mlops")
    clock.move(hours=2)
    assert (await slack.press(ANN, reply, "ask_someone")).ephemeral_to == ANN
