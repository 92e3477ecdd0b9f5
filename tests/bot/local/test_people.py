"""What people do in the workspace, against a small Bolt app."""

from __future__ import annotations

from typing import Any

import pytest

from bot.local import GENERAL, NotOffered

from .conftest import ANN, BEN, Served, button, modal, option, section, text_input

ACTIONS = {"type": "actions", "block_id": "row", "elements": [button("go", "Go")]}


async def test_a_command_is_answered_in_the_response(served: Served) -> None:
    async def echo(ack: Any, command: Any) -> None:
        await ack(text=f"{command['user_name']} said {command['text']}", response_type="ephemeral")

    served.app.command("/genai-role")(echo)
    reply = await served.slack.command(ANN, "/genai-role mlops")
    assert (reply.status, reply.text, reply.ephemeral_to) == (200, "ann.archer said mlops", ANN)
    assert served.slack.messages(GENERAL, BEN) == []


async def test_a_command_may_answer_everybody(served: Served) -> None:
    async def shout(ack: Any) -> None:
        await ack(text="hello all", response_type="in_channel")

    served.app.command("/genai-role")(shout)
    reply = await served.slack.command(ANN, "/genai-role")
    assert reply.response_type == "in_channel"
    assert [m.text for m in served.slack.messages(GENERAL, BEN)] == ["hello all"]


async def test_a_mention_is_answered_in_its_thread(served: Served) -> None:
    async def answer(event: Any, say: Any) -> None:
        await say(text="me", thread_ts=event.get("thread_ts", event["ts"]))

    served.app.event("app_mention")(answer)
    posted = await served.slack.say(ANN, "<@BOT> who?", channel=GENERAL)
    reply = await served.slack.wait_for_reply(posted)
    assert (reply.text, reply.thread_ts) == ("me", posted.ts)
    follow = await served.slack.say(ANN, "<@BOT> and?", channel=GENERAL, thread_ts=posted.ts)
    assert (await served.slack.wait_for_reply(follow)) is not reply


async def test_who_is_notified_is_known(served: Served) -> None:
    blocks = [section(f"<@{ANN}>"), {"type": "section", "text": {"type": "plain_text", "text": f"<@{BEN}>"}}]
    message = await _post(served, *blocks)
    assert served.slack.notified(message) == {ANN}


async def test_only_mentions_reach_the_bot_in_channels_and_everything_in_direct_messages(served: Served) -> None:
    async def answer(event: Any, say: Any) -> None:
        await say(text=f"{event['channel_type']}: {event['text']}")

    served.app.event("message")(answer)
    await served.slack.say(ANN, "just talking", channel=GENERAL)
    assert served.requests == []
    posted = await served.slack.say(ANN, "hi")
    assert (await served.slack.wait_for_reply(posted)).text == "im: hi"


async def test_an_edited_mention_comes_again_under_a_new_event_id(served: Served) -> None:
    seen: list[Any] = []

    async def note(body: Any) -> None:
        seen.append(body)

    served.app.event("app_mention")(note)
    posted = await served.slack.say(ANN, "<@BOT> one", channel=GENERAL)
    await served.slack.edit(posted, "<@BOT> two")
    assert seen[0]["event_id"] != seen[1]["event_id"]
    assert "edited" in seen[1]["event"] and "edited" not in seen[0]["event"]
    assert seen[1]["event"]["ts"] == posted.ts


async def test_the_body_of_the_answer_to_a_button_is_dropped(served: Served) -> None:
    async def pressed(ack: Any) -> None:
        await ack(text="nobody reads this")

    served.app.action("go")(pressed)
    message = await _post(served, ACTIONS)
    result = await served.slack.press(ANN, message, "go")
    assert result.status == 200 and "nobody" in result.body
    assert result.messages == [] and result.message is None


async def test_a_button_answers_by_response_url(served: Served) -> None:
    async def pressed(ack: Any, respond: Any, body: Any) -> None:
        await ack()
        await respond(text=f"done {body['actions'][0]['value']}", replace_original=True)

    served.app.action("go")(pressed)
    message = await _post(served, ACTIONS)
    result = await served.slack.press(ANN, message, "go")
    assert result.message is message
    assert result.text == "done v"


async def test_an_ephemeral_message_is_not_sent_along_with_its_button(served: Served) -> None:
    bodies: list[Any] = []

    async def card(ack: Any) -> None:
        await ack(text="card", blocks=[section("card"), ACTIONS], response_type="ephemeral")

    async def pressed(ack: Any, body: Any) -> None:
        bodies.append(body)
        await ack()

    served.app.command("/genai-role")(card)
    served.app.action("go")(pressed)
    reply = await served.slack.command(ANN, "/genai-role x")
    await served.slack.press(ANN, reply, "go")
    assert bodies[0]["container"]["is_ephemeral"] and "message" not in bodies[0]
    with pytest.raises(NotOffered):
        await served.slack.press(BEN, reply, "go")


async def test_a_choice_carries_the_option(served: Served) -> None:
    chosen: list[Any] = []

    async def picked(ack: Any, action: Any, body: Any) -> None:
        chosen.append((action["selected_option"]["value"], body["state"]["values"]["row"]["pick"]))
        await ack()

    served.app.action("pick")(picked)
    select = {"type": "static_select", "action_id": "pick", "options": [option("A", "a"), option("B", "b")]}
    message = await _post(served, {"type": "actions", "block_id": "row", "elements": [select]})
    await served.slack.press(ANN, message, "pick", selected="b")
    assert chosen == [("b", {"type": "static_select", "selected_option": option("B", "b")})]
    with pytest.raises(NotOffered):
        await served.slack.press(ANN, message, "pick", selected="c")


async def test_a_form_is_opened_refused_and_accepted(served: Served) -> None:
    levels = [option("Learning", "learning"), option("Lead", "lead")]
    level = {
        "type": "input",
        "block_id": "level",
        "label": {"type": "plain_text", "text": "Level"},
        "element": {"type": "multi_static_select", "action_id": "value", "options": levels},
    }
    states: list[Any] = []

    async def open_form(ack: Any, client: Any, body: Any) -> None:
        await client.views_open(trigger_id=body["trigger_id"], view=modal(text_input("topic"), level))
        await ack()

    async def submitted(ack: Any, view: Any) -> None:
        states.append(view["state"]["values"])
        if view["state"]["values"]["topic"]["value"]["value"] == "bad":
            await ack(response_action="errors", errors={"topic": "not that"})
        else:
            await ack()

    served.app.shortcut("declare_role")(open_form)
    served.app.view("form")(submitted)
    slack = served.slack
    opened = await slack.shortcut(ANN, "declare_role")
    assert opened.view is slack.open_view(ANN) is not None
    empty = await slack.submit(ANN, opened.view)
    assert set(empty.errors) == {"topic", "level"} and states == []
    refused = await slack.submit(ANN, opened.view, {"topic/value": "bad", "level": ["lead"]})
    assert refused.errors == {"topic": "not that"} and not refused.closed
    done = await slack.submit(ANN, opened.view, {"topic": "good"})
    assert done.closed and done.view is None
    assert states[-1] == {
        "topic": {"value": {"type": "plain_text_input", "value": "good"}},
        "level": {"value": {"type": "multi_static_select", "selected_options": [levels[1]]}},
    }


async def _post(served: Served, *blocks: Any) -> Any:
    answer = await served.client.chat_postMessage(channel=GENERAL, text="x", blocks=list(blocks))
    return served.slack.workspace.find(GENERAL, str(answer["ts"]))
