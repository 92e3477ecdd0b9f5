"""Requests reach the bot as Slack's do: signed, in time, repeated when they fail."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from slack_sdk.web.async_client import AsyncWebClient

from bot.local import GENERAL, LocalSlack, Member, NotOffered

from .conftest import ANN, BEN, Served, button, modal, option, section, text_input


async def test_an_event_is_repeated_three_times_with_its_headers(served: Served) -> None:
    served.statuses = [500, 500, 500, 500]
    delivery = await served.slack.send_event({"type": "app_mention"}, event_id="Ev1")
    attempts = await delivery.finished()
    assert [a.status for a in attempts] == [500] * 4
    assert served.sleeper.slept == [0.0, 60.0, 300.0]
    numbers = [request.get("x-slack-retry-num") for request in served.requests]
    assert numbers == [None, "1", "2", "3"]
    assert served.requests[1]["x-slack-retry-reason"] == "http_error"


async def test_repeating_stops_at_success_under_the_same_event_id(served: Served) -> None:
    seen: list[str] = []

    async def note(body: Any) -> None:
        seen.append(body["event_id"])

    served.app.event("app_mention")(note)
    served.statuses = [502]
    delivery = await served.slack.send_event({"type": "app_mention", "user": ANN, "channel": GENERAL, "ts": "1.0"})
    assert [a.status for a in await delivery.finished()] == [502, 200]
    assert seen == [delivery.event_id]


async def test_a_bot_that_takes_too_long_is_given_up(served: Served) -> None:
    release = asyncio.Event()

    async def slow(ack: Any) -> None:
        await release.wait()
        await ack()

    served.app.command("/genai-role")(slow)
    served.slack.deadline = 0.05
    reply = await served.slack.command(ANN, "/genai-role x")
    assert (reply.status, reply.error) == (0, "operation_timeout")
    release.set()


async def test_a_bot_that_is_not_there_fails_the_command(served: Served) -> None:
    served.slack.bot_url = "http://127.0.0.1:9/slack/events"
    assert (await served.slack.command(ANN, "/genai-role x")).error == "dispatch_failed"


async def test_without_a_bot_the_mistake_is_named() -> None:
    async with LocalSlack(members=[Member(ANN, "Ann")]) as slack:
        with pytest.raises(RuntimeError, match="bot_url"):
            await slack.command(ANN, "/genai-role x")


async def test_the_address_is_verified(served: Served) -> None:
    attempt = await served.slack.verify_url("say this")
    assert attempt.json() == {"challenge": "say this"}


async def test_raw_requests_may_be_unsigned_stale_or_broken(served: Served) -> None:
    slack = served.slack
    body = b"command=%2Fgenai-role&text=x"
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    assert (await slack.post_raw(body, form, signed=True))[0] == 404
    assert (await slack.post_raw(body, form, signed=True, age=600))[0] == 401
    assert (await slack.post_raw(body, form))[0] == 401


async def test_payloads_carry_what_slack_sends(served: Served) -> None:
    seen: dict[str, Any] = {}

    async def command(ack: Any, body: Any) -> None:
        seen["command"] = body
        await ack()

    async def mention(body: Any) -> None:
        seen["event"] = body

    served.app.command("/genai-role")(command)
    served.app.event("app_mention")(mention)
    await served.slack.command(ANN, "/genai-role this & more", channel="dm")
    await served.slack.say(ANN, "<@BOT> hi", channel=GENERAL)
    form = seen["command"]
    assert (form["text"], form["channel_name"], form["user_name"]) == ("this & more", "directmessage", "ann.archer")
    assert form["is_enterprise_install"] == "false" and form["api_app_id"] == "A0LOCAL0001"
    event = seen["event"]
    assert event["authorizations"][0]["user_id"] == served.slack.bot_user
    assert event["event"]["text"] == f"<@{served.slack.bot_user}> hi"
    assert "channel_type" not in event["event"]


async def test_an_organisation_wide_installation_sends_its_shapes() -> None:
    async with LocalSlack(members=[Member(ANN, "Ann")], enterprise_id="E0LOCAL0001") as slack:
        bodies: list[bytes] = []

        async def listen(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            head = await reader.readuntil(b"\r\n\r\n")
            length = int(head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0])
            bodies.append(await reader.readexactly(length))
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
            await writer.drain()
            writer.close()
            await writer.wait_closed()

        server = await asyncio.start_server(listen, "127.0.0.1", 0)
        slack.bot_url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/slack/events"
        await slack.command(ANN, "/genai-role x")
        await slack.say(ANN, "hi")
        server.close()
        await server.wait_closed()
    assert b"enterprise_id=E0LOCAL0001" in bodies[0] and b"is_enterprise_install=true" in bodies[0]
    assert b'"team_id": null' in bodies[1]


async def test_the_bot_hears_its_own_direct_messages_where_asked() -> None:
    async with LocalSlack(members=[Member(ANN, "Ann")], echo=True) as slack:
        slack.bot_url = "http://127.0.0.1:9/slack/events"
        client = AsyncWebClient(token=slack.bot_token, base_url=slack.api_url)
        await client.chat_postMessage(channel=ANN, text="hi")
        attempt = await slack.workspace.wait_until(lambda: next(iter(slack.deliveries), None), 2, "the echo")
        assert (attempt.kind, attempt.failure) == ("message", "connection_failed")


async def test_a_home_tab_is_published_when_it_is_opened(served: Served) -> None:
    async def publish(client: Any, event: Any) -> None:
        await client.views_publish(
            user_id=event["user"],
            view={"type": "home", "blocks": [section("home"), {"type": "actions", "elements": [button("go", "Go")]}]},
        )

    pressed: list[Any] = []

    async def go(ack: Any, body: Any) -> None:
        pressed.append(body)
        await ack()

    served.app.event("app_home_opened")(publish)
    served.app.action("go")(go)
    home = await served.slack.open_home(ANN)
    assert home.blocks[0]["text"]["text"] == "home"
    await served.slack.press(ANN, home, "go")
    assert pressed[0]["container"] == {"type": "view", "view_id": home.id}
    assert "response_url" not in pressed[0]


async def test_a_message_shortcut_carries_the_message(served: Served) -> None:
    async def help_with(ack: Any, body: Any, client: Any) -> None:
        await client.views_open(trigger_id=body["trigger_id"], view=modal(section(body["message"]["text"])))
        await ack()

    served.app.shortcut("find_who_can_help")(help_with)
    posted = await served.slack.say(BEN, "who knows LoRA?", channel=GENERAL)
    result = await served.slack.message_shortcut(ANN, "find_who_can_help", posted)
    assert result.view is not None and result.view.blocks[0]["text"]["text"] == "who knows LoRA?"


async def test_an_external_select_asks_the_bot_for_options(served: Served) -> None:
    async def options(ack: Any, payload: Any) -> None:
        await ack(options=[option(f"Found {payload['value']}", "mlops")] if payload["value"] != "zzz" else [])

    values: list[Any] = []

    async def submitted(ack: Any, view: Any) -> None:
        values.append(view["state"]["values"]["role"]["pick"]["selected_option"]["value"])
        await ack()

    served.app.options("pick")(options)
    served.app.view("form")(submitted)
    field = text_input("role")
    field["element"] = {"type": "external_select", "action_id": "pick"}
    trigger = served.slack.workspace.new_trigger(ANN)
    await served.client.views_open(trigger_id=trigger.id, view=modal(field))
    view = served.slack.open_view(ANN)
    assert view is not None
    assert [o["value"] for o in await served.slack.suggest(ANN, view, "pick", "ml")] == ["mlops"]
    with pytest.raises(NotOffered):
        await served.slack.submit(ANN, view, {"role": "zzz"})
    assert (await served.slack.submit(ANN, view, {"role": "mlops"})).closed
    assert values == ["mlops"]


@pytest.mark.parametrize(
    ("answer", "stack"),
    [
        ({"response_action": "update", "view": modal(section("updated"))}, ["updated"]),
        ({"response_action": "push", "view": modal(section("pushed"))}, ["first", "pushed"]),
        ({"response_action": "clear"}, []),
        ({}, []),
    ],
)
async def test_the_answer_to_a_form_is_honoured(served: Served, answer: Any, stack: list[str]) -> None:
    async def submitted(ack: Any) -> None:
        await ack(**answer)

    served.app.view("form")(submitted)
    trigger = served.slack.workspace.new_trigger(ANN)
    await served.client.views_open(trigger_id=trigger.id, view=modal(section("first")))
    outcome = await served.slack.submit(ANN)
    shown = [view.blocks[0]["text"]["text"] for view in served.slack.workspace.modals[ANN]]
    assert shown == stack
    assert outcome.closed == (not stack)


@pytest.mark.usefixtures("refusals")
@pytest.mark.parametrize(
    "answer",
    [
        {"response_action": "errors", "errors": {"nowhere": "x"}},
        {"response_action": "update", "view": modal(section(""))},
        {"response_action": "explode"},
    ],
)
async def test_a_wrong_answer_to_a_form_leaves_it_open(served: Served, answer: Any) -> None:
    async def submitted(ack: Any) -> None:
        await ack(**answer)

    served.app.view("form")(submitted)
    trigger = served.slack.workspace.new_trigger(ANN)
    await served.client.views_open(trigger_id=trigger.id, view=modal(section("first")))
    outcome = await served.slack.submit(ANN)
    assert outcome.error == "invalid_arguments" and not outcome.closed
    assert served.slack.refused[-1].method == "view_submission response"


async def test_closing_tells_the_bot_where_it_asked(served: Served) -> None:
    closed: list[Any] = []

    async def note(ack: Any, body: Any) -> None:
        closed.append(body["is_cleared"])
        await ack()

    served.app.view_closed("form")(note)
    for notify in (True, False):
        trigger = served.slack.workspace.new_trigger(ANN)
        await served.client.views_open(trigger_id=trigger.id, view=modal(section("x"), notify_on_close=notify))
        await served.slack.close(ANN)
    assert closed == [False]
    with pytest.raises(NotOffered):
        await served.slack.close(ANN)


@pytest.mark.usefixtures("refusals")
async def test_a_refused_command_answer_is_recorded(served: Served) -> None:
    async def bad(ack: Any) -> None:
        await ack(text="hey <!channel>")

    served.app.command("/genai-role")(bad)
    reply = await served.slack.command(ANN, "/genai-role x")
    assert (reply.message, reply.error) == (None, "invalid_arguments")
    assert "<!channel>" in served.slack.refused[-1].messages[0]


async def test_waiting_for_an_answer_that_never_comes_says_so(served: Served) -> None:
    async def silent() -> None:
        return

    served.app.event("app_mention")(silent)
    posted = await served.slack.say(ANN, "<@BOT> hello?", channel=GENERAL)
    with pytest.raises(TimeoutError, match="an answer to"):
        await served.slack.wait_for_reply(posted, within=0.01)
