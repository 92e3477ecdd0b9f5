"""The page's addresses: what it is told, and what a person does there, over HTTP."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import pytest

from bot.local import GENERAL
from tests.conftest import BUSY_SECONDS

from .conftest import ANN, BEN, JSON, Served, button, modal, option, section, text_input

COMMAND = "/genai-role"


class Page:
    """A browser's side: the stream's events as they come, and what is sent."""

    def __init__(self, session: aiohttp.ClientSession, origin: str) -> None:
        self._session, self._origin = session, origin
        self._stream: aiohttp.ClientResponse | None = None
        self._events: list[tuple[str, JSON]] = []

    async def open(self) -> JSON:
        self._stream = await self._session.get(f"{self._origin}page/stream")
        name, body = await self.next()
        assert name == "state"
        return body

    def close(self) -> None:
        if self._stream is not None:
            self._stream.close()

    async def next(self) -> tuple[str, JSON]:
        assert self._stream is not None
        async with asyncio.timeout(BUSY_SECONDS):
            name = (await self._stream.content.readline()).decode().removeprefix("event: ").strip()
            data = (await self._stream.content.readline()).decode().removeprefix("data: ")
            assert await self._stream.content.readline() == b"\n"
        return name, json.loads(data)

    async def until(self, wanted: str, **like: object) -> JSON:
        """Return the first event like this that was not returned before."""
        seen = 0
        while True:
            if seen == len(self._events):
                self._events.append(await self.next())
            name, body = self._events[seen]
            if name == wanted and all(body[key] == value for key, value in like.items()):
                del self._events[seen]
                return body
            seen += 1

    async def do(self, action: str, status: int = 200, **body: object) -> Any:
        async with self._session.post(f"{self._origin}page/{action}", json=body) as response:
            assert response.status == status, await response.text()
            return await response.json() if response.content_type == "application/json" else await response.text()

    async def get(self, path: str, **headers: str) -> aiohttp.ClientResponse:
        async with self._session.get(f"{self._origin}{path}", headers=headers) as response:
            await response.read()
            return response

    async def post(self, path: str, body: bytes, **headers: str) -> int:
        async with self._session.post(f"{self._origin}{path}", data=body, headers=headers) as response:
            return response.status


@asynccontextmanager
async def opened(served: Served) -> AsyncIterator[Page]:
    async with aiohttp.ClientSession() as session:
        page = Page(session, served.slack.page_url)
        yield page
        page.close()


async def test_the_state_holds_what_the_page_draws(served: Served) -> None:
    async with opened(served) as page:
        state = await page.open()
    assert [member["name"] for member in state["members"]] == ["Ann Archer", "Ben Book"]
    assert state["members"][0]["tz_offset"] == 3600
    assert {"general", "help-ai", "directmessage"} <= {channel["name"] for channel in state["channels"]}
    assert {channel["dm_with"] for channel in state["channels"]} == {None, ANN, BEN}
    assert state["general"] == GENERAL and state["bot"]["name"] == "genai-roles"
    assert [command["command"] for command in state["commands"]] == [COMMAND]
    assert {shortcut["type"] for shortcut in state["shortcuts"]} == {"global", "message"}
    assert state["steps"][0]["done"] == {"name": "slash_commands", "contains": "mlops", "user": None}
    assert state["messages"] == state["trace"] == [] and state["modals"] == state["homes"] == {}


async def test_a_command_is_answered_over_the_stream_with_its_requests(served: Served) -> None:
    async def answer(ack: Any, command: JSON) -> None:
        assert command["text"] == f"&lt;b&gt; <@{BEN}|ben.book> <#{GENERAL}|general>"
        await ack(text="Here.", blocks=[section("Here.")])

    served.app.command(COMMAND)(answer)
    async with opened(served) as page:
        await page.open()
        typed = f"{COMMAND} <b> @Ben Book #general"
        assert await page.do("command", user=ANN, channel=GENERAL, text=typed) == {"error": None}
        trace = await page.until("trace", way="to the bot")
        assert trace["name"] == "slash_commands" and trace["sent"]["command"] == COMMAND
        assert trace["headers"]["X-Slack-Signature"].startswith("v0=") and trace["answer"]["text"] == "Here."
        message = await page.until("message")
    assert (message["text"], message["ephemeral_to"], message["from_bot"]) == ("Here.", ANN, True)
    assert message["blocks"][0]["type"] == "section" and message["blocks"][0]["block_id"]


async def test_a_command_that_the_manifest_does_not_know_is_not_sent(served: Served) -> None:
    async with opened(served) as page:
        await page.open()
        answer = await page.do("command", user=ANN, channel=GENERAL, text="/role mlops")
    assert answer == {"error": "/role is not a valid command"}
    assert served.slack.deliveries == []


@pytest.mark.usefixtures("refusals")
async def test_a_refusal_is_told_with_its_rule_and_pointer(served: Served) -> None:
    async def answer(ack: Any) -> None:
        await ack(blocks=[section("x" * 3001)], text="long")

    served.app.command(COMMAND)(answer)
    async with opened(served) as page:
        await page.open()
        outcome = await page.do("command", user=ANN, channel=GENERAL, text=COMMAND)
        trace = await page.until("trace", error="invalid_blocks")
    assert outcome == {"error": "invalid_blocks"} and trace["way"] == "from the bot"
    assert trace["messages"] == ["[ERROR] must be less than 3001 characters [json-pointer:/blocks/0/text/text]"]


async def test_a_mention_a_thread_and_a_deletion(served: Served) -> None:
    async def mentioned(event: JSON, say: Any, client: Any) -> None:
        root = event.get("thread_ts") or event["ts"]
        posted = await say(text="Answer.", thread_ts=root)
        await client.chat_delete(channel=event["channel"], ts=posted["ts"])

    served.app.event("app_mention")(mentioned)
    async with opened(served) as page:
        await page.open()
        ts = (await page.do("say", user=ANN, channel=GENERAL, text="@genai-roles & co"))["ts"]
        said = await page.until("message", ts=ts)
        assert said["text"] == f"<@{served.slack.bot_user}> &amp; co"
        # Posted and deleted between two looks, it may come once or twice; gone it is in the end.
        assert (await page.until("message", from_bot=True, deleted=True))["thread_ts"] == ts
        reply = (await page.do("say", user=BEN, channel=GENERAL, text="thanks", thread_ts=ts))["ts"]
        assert (await page.until("message", ts=reply))["thread_ts"] == ts


async def test_buttons_modals_and_their_errors(served: Served) -> None:
    async def answer(ack: Any) -> None:
        await ack(text="Press.", blocks=[{"type": "actions", "elements": [button("open", "Open", "one")]}])

    async def open_form(ack: Any, body: JSON, client: Any) -> None:
        await ack()
        await client.views_open(trigger_id=body["trigger_id"], view=modal(text_input("name")))

    async def submitted(ack: Any, view: JSON) -> None:
        if view["state"]["values"]["name"]["value"]["value"] == "wrong":
            await ack(response_action="errors", errors={"name": "Not this one."})
        else:
            await ack()

    served.app.command(COMMAND)(answer)
    served.app.action("open")(open_form)
    served.app.view("form")(submitted)
    async with opened(served) as page:
        await page.open()
        await page.do("command", user=ANN, channel=GENERAL, text=COMMAND)
        message = await page.until("message")
        surface = {"channel": message["channel"], "ts": message["ts"]}
        at = {"block_id": message["blocks"][0]["block_id"], "action_id": "open"}
        # Somebody who does not see the message can't press its buttons.
        assert "gone" in (await page.do("press", 404, user=BEN, surface=surface, value="one", **at))["error"]
        await page.do("press", user=ANN, surface=surface, value="one", **at)
        shown = await page.until("modals", user=ANN)
        (view,) = shown["views"]
        assert view["title"]["text"] == "Form" and view["state"]["values"]["name"]["value"]["value"] is None
        submit = {"user": ANN, "view": view["id"]}
        empty = await page.do("submit", **submit, values={})
        assert empty["errors"] == {"name": "Please complete this required field."}
        wrong = await page.do("submit", **submit, values={"name/value": "wrong"})
        assert wrong["errors"] == {"name": "Not this one."}
        assert (await page.do("submit", **submit, values={"name/value": "right"})) == {"errors": {}, "error": None}
        assert (await page.until("modals", user=ANN))["views"] == []
        assert "closed" in (await page.do("submit", 404, **submit, values={}))["error"]


async def test_the_home_tab_and_shortcuts(served: Served) -> None:
    async def opened_home(event: JSON, client: Any) -> None:
        view = {"type": "home", "blocks": [section(f"Home of <@{event['user']}>")]}
        await client.views_publish(user_id=event["user"], view=view)

    async def declare(ack: Any, shortcut: JSON, client: Any) -> None:
        await ack()
        await client.views_open(trigger_id=shortcut["trigger_id"], view=modal(text_input("name")))

    served.app.event("app_home_opened")(opened_home)
    served.app.shortcut("declare_role")(declare)
    served.app.shortcut("find_who_can_help")(declare)
    async with opened(served) as page:
        await page.open()
        assert await page.do("home", user=BEN) == {}
        home = await page.until("home", user=BEN)
        assert home["view"]["blocks"][0]["text"]["text"] == f"Home of <@{BEN}>"
        assert await page.do("shortcut", user=ANN, callback_id="declare_role") == {"error": None}
        assert len((await page.until("modals", user=ANN))["views"]) == 1
        assert await page.do("close", user=ANN, view="V0GONE") == {}, "it was closed by somebody else"
        assert len(served.slack.workspace.modals[ANN]) == 1
        assert await page.do("close", user=ANN) == {}
        assert (await page.until("modals", user=ANN))["views"] == []
        ts = (await page.do("say", user=ANN, channel=GENERAL, text="who knows?"))["ts"]
        about = {"callback_id": "find_who_can_help", "channel": GENERAL, "ts": ts}
        assert await page.do("message_shortcut", user=BEN, **about) == {"error": None}
        assert len((await page.until("modals", user=BEN))["views"]) == 1


async def test_a_home_tab_that_is_drawn_anew_still_takes_what_was_chosen_and_pressed(served: Served) -> None:
    """The page shows for a moment longer what the bot has replaced: its blocks have other names by now."""
    pressed: list[JSON] = []
    menu = {"type": "static_select", "action_id": "pick", "options": [option("A", "a"), option("B", "b")]}
    view = {"type": "home", "blocks": [{"type": "actions", "elements": [menu, button("go", "Go")]}]}

    async def opened_home(event: JSON, client: Any) -> None:
        await client.views_publish(user_id=event["user"], view=view)

    async def noted(ack: Any, action: JSON) -> None:
        await ack()
        pressed.append(action)

    served.app.event("app_home_opened")(opened_home)
    for action_id in ("pick", "go"):
        served.app.action(action_id)(noted)
    async with opened(served) as page:
        await page.open()
        await page.do("home", user=BEN)
        before = (await page.until("home", user=BEN))["view"]
        await page.do("home", user=BEN)
        after = (await page.until("home", user=BEN))["view"]
        old, new = before["blocks"][0]["block_id"], after["blocks"][0]["block_id"]
        assert old != new
        about = {"user": BEN, "surface": {"view": after["id"]}, "block_id": old, "entered": {f"{old}/pick": "b"}}
        assert await page.do("press", action_id="pick", selected="b", **about) == {"error": None}
        assert await page.do("press", action_id="go", **about) == {"error": None}
    chosen, went = pressed
    assert chosen["selected_option"]["value"] == "b"
    assert (went["action_id"], chosen["block_id"], went["block_id"]) == ("go", new, new)


async def test_joining_and_resetting(served: Served) -> None:
    async with opened(served) as page:
        await page.open()
        cleo = (await page.do("join", name="Cleo Chan", title="Data Engineer", tz="Asia/Tokyo"))["user"]
        assert (await page.until("member"))["tz_offset"] == 32400
        assert (await page.until("channel"))["dm_with"] == cleo
        assert "time zone" in (await page.do("join", 404, name="Dan", tz="Mars/Base"))["error"]
        await page.do("say", user=cleo, channel=GENERAL, text="hello")
        await page.do("reset")
        state = await page.until("state")
    assert len(state["members"]) == 2 and state["messages"] == state["trace"] == []


async def test_a_page_that_comes_late_sees_what_was(served: Served) -> None:
    async with opened(served) as page:
        await page.do("say", user=ANN, channel="dm", text="hello")
    async with opened(served) as later:
        state = await later.open()
    assert [message["text"] for message in state["messages"]] == ["hello"]
    assert "message" in {trace["name"] for trace in state["trace"]}


@pytest.mark.parametrize(
    ("action", "body", "status"),
    [
        ("say", {"user": "U0NOBODY001", "channel": GENERAL, "text": "x"}, 404),
        ("say", {"user": ANN, "channel": "C0NOWHERE01", "text": "x"}, 404),
        ("say", {"user": ANN, "channel": GENERAL, "text": " "}, 404),
        ("say", {"user": ANN, "text": "x"}, 400),
        ("say", {"user": ANN, "channel": GENERAL, "text": "x", "as_admin": True}, 400),
        ("close", {"user": ANN}, 404),
        ("dance", {"user": ANN}, 404),
    ],
)
async def test_nonsense_is_answered_with_a_sentence(served: Served, action: str, body: JSON, status: int) -> None:
    async with opened(served) as page:
        answer = await page.do(action, status, **body)
    assert (answer if isinstance(answer, str) else answer["error"]).strip()
    assert served.slack.deliveries == []


async def test_the_page_is_for_its_own_origin_alone(served: Served) -> None:
    say = json.dumps({"user": ANN, "channel": GENERAL, "text": "x"}).encode()
    as_json = {"Content-Type": "application/json"}
    async with opened(served) as page:
        for headers in ({"Host": "evil.example"}, {"Origin": "http://evil.example"}, {"Origin": "null"}):
            assert await page.post("page/say", say, **as_json, **headers) == 403
            assert (await page.get("page/stream", **headers)).status == 403
            assert (await page.get("", **headers)).status == 403
        assert await page.post("page/say", say, **{"Content-Type": "text/plain"}) == 415
        assert await page.post("page/say", b"{", **as_json) == 400
        own = served.slack.page_url.rstrip("/")
        assert await page.post("page/say", say, **as_json, Origin=own) == 200


async def test_the_page_is_served_from_the_package_and_asks_nobody_else(served: Served) -> None:
    async with opened(served) as page:
        index = await page.get("")
        assert index.status == 200 and index.content_type == "text/html"
        assert "default-src 'self'" in index.headers["Content-Security-Policy"]
        assert "https://" not in await index.text()
        script = await page.get("page/app.js")
        assert script.status == 200 and "javascript" in script.content_type
        for path in ("page/nothing.js", "page/../browser.py", "page/%2e%2e/browser.py", "page/vendor"):
            assert (await page.get(path)).status == 404
