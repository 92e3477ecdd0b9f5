"""The stand-in speaks Socket Mode as Slack does: tickets, envelopes, acknowledgements, repeats, partings."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from typing import Any

import aiohttp
import pytest
import pytest_asyncio
from slack_bolt.adapter.socket_mode.aiohttp import AsyncSocketModeHandler
from slack_bolt.async_app import AsyncApp
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from bot.local import GENERAL, LocalSlack, ManualClock, Member

from .conftest import ANN, BEN, Sleeper, button, modal, section, text_input

JSON = dict[str, Any]
Answer = Callable[[JSON], JSON | None]


def agree(_envelope: JSON) -> JSON:
    return {}


class Receiver:
    """A bot reduced to its connection: notes what comes, and acknowledges with what `answer` says, if anything."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse, answer: Answer) -> None:
        self.socket = socket
        self.answer = answer
        self.messages: list[JSON] = []
        self.reading = asyncio.create_task(self.read())

    async def read(self) -> None:
        async for message in self.socket:
            body = json.loads(message.data)
            self.messages.append(body)
            if "envelope_id" in body and (answer := self.answer(body)) is not None:
                await self.socket.send_json({"envelope_id": body["envelope_id"], **answer})

    async def close(self) -> None:
        self.reading.cancel()
        await asyncio.gather(self.reading, return_exceptions=True)
        await self.socket.close()

    @property
    def envelopes(self) -> list[JSON]:
        return [message for message in self.messages if "envelope_id" in message]


class Line:
    """The workspace, and connections to it."""

    def __init__(self, slack: LocalSlack, session: aiohttp.ClientSession, sleeper: Sleeper) -> None:
        self.slack = slack
        self.session = session
        self.sleeper = sleeper
        self.client = AsyncWebClient(base_url=slack.api_url)
        self.receivers: list[Receiver] = []

    async def address(self) -> str:
        return str((await self.client.apps_connections_open(app_token=self.slack.app_token))["url"])

    async def connect(self, answer: Answer = agree) -> Receiver:
        count = len(self.slack.sockets.live) + 1
        receiver = Receiver(await self.session.ws_connect(await self.address()), answer)
        self.receivers.append(receiver)
        await self.slack.sockets.connected(count)
        return receiver


@pytest_asyncio.fixture
async def line() -> AsyncIterator[Line]:
    clock, sleeper = ManualClock(), Sleeper()
    members = [Member(ANN, "Ann Archer"), Member(BEN, "Ben Book")]
    async with (
        LocalSlack(clock=clock, sleep=sleeper, members=members, deadline=2.0, socket_mode=True) as slack,
        aiohttp.ClientSession() as session,
    ):
        line = Line(slack, session, sleeper)
        yield line
        await asyncio.gather(*(receiver.close() for receiver in line.receivers))


async def test_an_address_is_for_the_app_token_alone(line: Line) -> None:
    for token, error in ((line.slack.bot_token, "not_allowed_token_type"), ("xapp-other", "invalid_auth")):
        with pytest.raises(SlackApiError, match=error):
            await line.client.apps_connections_open(app_token=token)
    with pytest.raises(SlackApiError, match="not_allowed_token_type"):
        await AsyncWebClient(token=line.slack.app_token, base_url=line.slack.api_url).auth_test()


async def test_a_ticket_is_good_once(line: Line) -> None:
    address = await line.address()
    async with line.session.ws_connect(address) as socket:
        assert (await socket.receive_json())["type"] == "hello"
        with pytest.raises(aiohttp.WSServerHandshakeError):
            await line.session.ws_connect(address)
    with pytest.raises(aiohttp.WSServerHandshakeError):
        await line.session.ws_connect(address.replace("ticket=", "ticket=0"))
    assert line.slack.sockets.handshakes == [True, False, False]


async def test_the_greeting_counts_the_connections(line: Line) -> None:
    first, second = await line.connect(), await line.connect()
    await line.slack.command(ANN, "/genai-role x")
    await line.slack.command(ANN, "/genai-role x")
    assert [receiver.messages[0]["num_connections"] for receiver in (first, second)] == [1, 2]
    assert first.messages[0]["connection_info"] == {"app_id": "A0LOCAL0001"}


async def test_a_command_is_answered_in_the_acknowledgement(line: Line) -> None:
    receiver = await line.connect(lambda _envelope: {"payload": {"text": "hello"}})
    reply = await line.slack.command(ANN, "/genai-role this & more")
    assert (reply.status, reply.text, reply.ephemeral_to) == (200, "hello", ANN)
    envelope = receiver.envelopes[0]
    assert (envelope["type"], envelope["accepts_response_payload"]) == ("slash_commands", True)
    assert (envelope["payload"]["command"], envelope["payload"]["text"]) == ("/genai-role", "this & more")
    assert "retry_attempt" not in envelope


async def test_a_command_that_is_not_acknowledged_times_out(line: Line) -> None:
    line.slack.deadline = 0.05
    await line.connect(lambda _envelope: None)
    assert (await line.slack.command(ANN, "/genai-role x")).error == "operation_timeout"


async def test_without_a_connection_a_command_fails(line: Line) -> None:
    assert (await line.slack.command(ANN, "/genai-role x")).error == "dispatch_failed"


async def test_a_connection_lost_before_the_acknowledgement_fails_the_command(line: Line) -> None:
    receiver = await line.connect(lambda _envelope: None)
    asked = asyncio.create_task(line.slack.command(ANN, "/genai-role x"))
    await line.slack.workspace.wait_until(
        lambda: line.slack.sockets.connections[0].envelopes or None, 2.0, "the command"
    )
    await receiver.close()
    assert (await asked).error == "dispatch_failed"


async def test_an_event_that_is_not_acknowledged_comes_again(line: Line) -> None:
    line.slack.deadline = 0.05
    receiver = await line.connect(lambda envelope: {} if envelope["retry_attempt"] == 2 else None)
    delivery = await line.slack.send_event({"type": "app_mention"}, event_id="Ev1")
    attempts = await delivery.finished()
    assert [attempt.failure for attempt in attempts] == ["http_timeout", "http_timeout", ""]
    assert line.sleeper.slept == [0.0, 60.0]
    assert [(e["retry_attempt"], e["retry_reason"]) for e in receiver.envelopes] == [
        (0, ""),
        (1, "http_timeout"),
        (2, "http_timeout"),
    ]
    assert {envelope["payload"]["event_id"] for envelope in receiver.envelopes} == {"Ev1"}
    assert len({envelope["envelope_id"] for envelope in receiver.envelopes}) == 3


async def test_an_event_is_given_up_after_three_repeats(line: Line) -> None:
    delivery = await line.slack.send_event({"type": "app_mention"})
    assert len(await delivery.finished()) == 4
    assert line.sleeper.slept == [0.0, 60.0, 300.0]


async def test_connections_take_turns(line: Line) -> None:
    receivers = [await line.connect() for _ in range(3)]
    for _ in range(6):
        await line.slack.say(ANN, "hi")
    assert [len(receiver.envelopes) for receiver in receivers] == [2, 2, 2]


async def test_the_eleventh_connection_is_turned_away(line: Line) -> None:
    for _ in range(10):
        await line.connect()
    async with line.session.ws_connect(await line.address()) as socket:
        assert (await socket.receive_json())["reason"] == "too_many_websockets"
        assert (await socket.receive()).type is aiohttp.WSMsgType.CLOSE
    assert len(line.slack.sockets.live) == 10


async def test_an_app_without_socket_mode_is_turned_away() -> None:
    async with LocalSlack(members=[]) as slack, aiohttp.ClientSession() as session:
        client = AsyncWebClient(base_url=slack.api_url)
        address = str((await client.apps_connections_open(app_token=slack.app_token))["url"])
        async with session.ws_connect(address) as socket:
            assert (await socket.receive_json())["reason"] == "link_disabled"


@pytest.mark.parametrize(("reason", "still"), [("warning", 1), ("refresh_requested", 0)])
async def test_after_a_warning_envelopes_still_come(line: Line, reason: str, still: int) -> None:
    old = await line.connect()
    await line.slack.sockets.disconnect(reason)
    new = await line.connect() if not still else None
    await line.slack.say(ANN, "hi")
    assert old.messages[1] == {"type": "disconnect", "reason": reason, "debug_info": {"host": "applink-local"}}
    assert (len(old.envelopes), len(new.envelopes) if new else 0) == (still, 1 - still)


async def test_pings_go_both_ways(line: Line) -> None:
    await line.connect()
    (connection,) = line.slack.sockets.connections
    await line.slack.sockets.ping(connection, b"Ping from Slack")
    async with line.session.ws_connect(await line.address(), autoping=False) as socket:
        await socket.receive_json()
        await socket.ping(b"sdk-ping-pong:1.5")
        pong = await socket.receive()
        assert (pong.type, bytes(pong.data)) == (aiohttp.WSMsgType.PONG, b"sdk-ping-pong:1.5")


async def test_what_nobody_waits_for_is_noted(line: Line) -> None:
    receiver = await line.connect(lambda _envelope: {"payload": {"text": "ignored"}})
    await receiver.socket.send_json({"envelope_id": "none"})
    await line.slack.say(ANN, "hi")
    assert [stray.get("payload") for stray in line.slack.sockets.strays] == [None, {"text": "ignored"}]


async def test_the_sdk_and_bolt_are_served(line: Line) -> None:
    """The envelopes are those that Slack's own library understands."""
    slack = line.slack
    client = AsyncWebClient(token=slack.bot_token, base_url=slack.api_url)
    app = AsyncApp(name="socket", client=client, process_before_response=True)

    async def command(ack: Any, body: Any, client: Any) -> None:
        form = modal(text_input("name"))
        await client.views_open(trigger_id=body["trigger_id"], view=form)
        await ack(text="opened", blocks=[section("opened"), {"type": "actions", "elements": [button("go", "Go")]}])

    async def press(ack: Any, respond: Any) -> None:
        await respond("pressed", replace_original=False)
        await ack()

    async def submitted(ack: Any, view: Any) -> None:
        typed = view["state"]["values"]["name"]["value"]["value"]
        await (ack() if typed == "Ann" else ack(response_action="errors", errors={"name": "Who?"}))

    async def mention(say: Any, event: Any) -> None:
        await say("hello", thread_ts=event["ts"])

    app.command("/genai-role")(command)
    app.action("go")(press)
    app.view("form")(submitted)
    app.event("app_mention")(mention)
    handler: Any = AsyncSocketModeHandler(app, slack.app_token, web_client=client)
    await handler.connect_async()
    try:
        await slack.sockets.connected()
        reply = await slack.command(ANN, "/genai-role")
        assert reply.text == "opened"
        assert (await slack.submit(ANN, None, {"name": "Bob"})).errors == {"name": "Who?"}
        assert (await slack.submit(ANN, None, {"name": "Ann"})).closed
        assert (await slack.press(ANN, reply, "go")).text == "pressed"
        posted = await slack.say(ANN, "<@BOT> hi", GENERAL)
        assert (await slack.wait_for_reply(posted)).text == "hello"
        assert slack.sockets.strays == []
    finally:
        await handler.close_async()
