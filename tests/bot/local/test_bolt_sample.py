"""A bare Bolt app runs against the workspace with nothing changed but its client's `base_url`."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
import pytest_asyncio
from aiohttp import web
from slack_bolt import App
from slack_bolt.adapter.socket_mode import SocketModeHandler
from slack_bolt.adapter.socket_mode.aiohttp import AsyncSocketModeHandler
from slack_bolt.async_app import AsyncApp
from slack_sdk import WebClient
from slack_sdk.web.async_client import AsyncWebClient

from bot.local import GENERAL, LocalSlack, Member

from .bolt_sample import listen
from .conftest import ANN, BEN

MEMBERS = (Member(ANN, "Ann Archer"), Member(BEN, "Ben Book"))


@asynccontextmanager
async def over_http() -> AsyncIterator[LocalSlack]:
    async with LocalSlack(members=MEMBERS) as slack:
        client = AsyncWebClient(token=slack.bot_token, base_url=slack.api_url)
        app = AsyncApp(client=client, signing_secret=slack.signing_secret)
        listen(app)
        # What app.start() runs, but for the port and the signals.
        runner = web.AppRunner(app.server().web_app, access_log=None, shutdown_timeout=0.2)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        slack.bot_url = f"http://127.0.0.1:{runner.addresses[0][1]}/slack/events"
        yield slack
        await runner.cleanup()


@asynccontextmanager
async def over_socket_mode() -> AsyncIterator[LocalSlack]:
    async with LocalSlack(members=MEMBERS, socket_mode=True) as slack:
        app = AsyncApp(client=AsyncWebClient(token=slack.bot_token, base_url=slack.api_url))
        listen(app)
        handler: Any = AsyncSocketModeHandler(app, slack.app_token)
        await handler.connect_async()
        await slack.sockets.connected()
        yield slack
        assert slack.sockets.strays == []
        await handler.close_async()


@pytest_asyncio.fixture(params=[over_http, over_socket_mode], ids=["http", "socket mode"])
async def slack(request: pytest.FixtureRequest) -> AsyncIterator[LocalSlack]:
    async with request.param() as slack:
        yield slack
        assert slack.refused == []
        assert [attempt.failure for attempt in slack.deliveries if not attempt.ok] == []


@pytest.mark.parametrize(("channel", "words"), [(None, "hello"), (GENERAL, "<@BOT> hi")])
async def test_a_hello_is_answered_with_a_button_that_works(slack: LocalSlack, channel: str | None, words: str) -> None:
    posted = await slack.say(ANN, words, channel)
    reply = await slack.wait_for_reply(posted)
    assert reply.blocks[0]["text"]["text"] == f"Hey there <@{ANN}>!"
    await slack.press(ANN, reply, "button_click")
    await slack.wait_for_call("response_url")
    said = [message.text for message in slack.messages(posted.channel, ANN)]
    assert said[2:] == [f"<@{ANN}> clicked the button", "Only you see this"]
    assert len(slack.messages(posted.channel, BEN)) == 3


async def test_a_command_is_repeated(slack: LocalSlack) -> None:
    await slack.command(ANN, "/echo one & two")
    call = await slack.wait_for_call("response_url")
    assert call.arguments["text"] == "one & two"
    assert [m.ephemeral_to for m in slack.messages(GENERAL)] == [ANN]


@pytest.mark.parametrize("way", ["command", "shortcut"])
async def test_a_form_is_opened_searched_refused_and_accepted(slack: LocalSlack, way: str) -> None:
    await (slack.command(ANN, "/dream") if way == "command" else slack.shortcut(ANN, "open_modal"))
    view = await slack.workspace.wait_until(lambda: slack.open_view(ANN), 2.0, "the form")
    offered = await slack.suggest(ANN, view, "external_fruit", "ap")
    assert [option["value"] for option in offered] == ["apple", "apricot"]
    refused = await slack.submit(ANN, view, {"dreamy": "fly", "fruit": "apricot"})
    assert refused.errors == {"dreamy": "The value must be longer than 5 characters"}
    assert (await slack.submit(ANN, view, {"dreamy": "to fly far"})).closed
    await slack.wait_for_call("chat.postMessage")
    assert [m.text for m in slack.messages(slack.dm(ANN))] == ["Your dream: to fly far; your fruit: Apricot"]


async def test_a_message_shortcut_is_answered_by_its_response_url(slack: LocalSlack) -> None:
    posted = await slack.say(BEN, "look at this", GENERAL)
    await slack.message_shortcut(ANN, "quote", posted)
    await slack.wait_for_call("response_url")
    assert [m.text for m in slack.messages(GENERAL, ANN)] == ["look at this", "You pointed at: look at this"]
    assert [m.text for m in slack.messages(GENERAL, BEN)] == ["look at this"]


async def test_the_home_tab_is_published(slack: LocalSlack) -> None:
    home = await slack.open_home(ANN)
    assert home.blocks[0]["text"]["text"] == f"*Welcome home, <@{ANN}> :house:*"


async def test_a_synchronous_app_is_served_over_socket_mode() -> None:
    """Its own threads read, write and call; only the workspace lives in this loop."""
    async with LocalSlack(members=MEMBERS, socket_mode=True) as slack:

        def start() -> Any:
            app = App(client=WebClient(token=slack.bot_token, base_url=slack.api_url))
            app.command("/echo")(lambda ack, command: ack(command["text"]))
            app.event("app_mention")(lambda event, say: say(f"Hi <@{event['user']}>", thread_ts=event["ts"]))
            handler: Any = SocketModeHandler(app, slack.app_token)
            handler.connect()
            return handler

        handler = await asyncio.to_thread(start)
        try:
            await slack.sockets.connected()
            assert (await slack.command(ANN, "/echo this")).text == "this"
            posted = await slack.say(ANN, "<@BOT> hello", GENERAL)
            assert (await slack.wait_for_reply(posted)).text == f"Hi <@{ANN}>"
        finally:
            # Not dropped by the workspace first, though that would be quicker: the SDK's reading thread would close its
            # socket at the same moment, and it does not look twice whether it is there still.
            await asyncio.to_thread(handler.close)
    assert json.loads(slack.deliveries[0].sent)["type"] == "slash_commands"
