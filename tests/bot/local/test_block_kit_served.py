"""In whatever way a message, a modal or a Home tab reaches Slack, mistakes are refused by their place."""

from __future__ import annotations

import json
import timeit
from collections.abc import Awaitable
from typing import Any

import aiohttp
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from bot.local import GENERAL, LocalSlack, Member, Outcome
from bot.local.block_kit import check_blocks
from bot.local.block_kit_rules import MAX_BLOCKS, Surface
from bot.local.block_kit_schema import block_types
from tests.schemas.block_kit import taken

from .block_kit_cases import CASES, PLAIN, cases, sent
from .conftest import ANN, JSON, Served, section


class Ways:
    """Every way in which a message or a view reaches Slack; each returns Slack's answer."""

    def __init__(self, served: Served) -> None:
        self._served = served
        self._answer: JSON = {}
        self._response_url = ""
        served.app.command("/answer")(self._answered)
        served.app.view("form")(self._answered)

    async def all(self, case: JSON) -> dict[str, JSON]:
        """Send a case in each of the ways that there are for it."""
        ways = {
            "message": ("chat.postMessage", "chat.postEphemeral", "chat.update", "response_url", "command"),
            "modal": ("views.open", "views.push", "views.update", "update", "push"),
            "home": ("views.publish", "views.update"),
        }[case["surface"]]
        return {way: await self._by(way, case["surface"], sent(case)) for way in ways}

    async def _by(self, way: str, surface: str, send: JSON) -> JSON:
        match way:
            case "chat.postMessage":
                return await self._call(way, channel=GENERAL, **send)
            case "chat.postEphemeral":
                return await self._call(way, channel=GENERAL, user=ANN, **send)
            case "chat.update":
                posted = await self._call("chat.postMessage", channel=GENERAL, text="before")
                return await self._call(way, channel=GENERAL, ts=posted["ts"], **send)
            case "response_url":
                self._answer = {}
                await self._served.slack.command(ANN, "/answer")
                async with aiohttp.ClientSession() as session, session.post(self._response_url, json=send) as response:
                    return {"ok": True} if response.status == 200 else await response.json()
            case "command":
                return await self._answer_to(self._served.slack.command(ANN, "/answer"), send)
            case "views.publish":
                return await self._call(way, user_id=ANN, view=send)
            case "views.open":
                return await self._call(way, trigger_id=self._trigger(), view=send)
            case "views.push":
                await self._open()
                return await self._call(way, trigger_id=self._trigger(), view=send)
            case "views.update":
                shown = await self._publish() if surface == "home" else await self._open()
                return await self._call(way, view_id=shown["view"]["id"], view=send)
        await self._open()
        return await self._answer_to(self._served.slack.submit(ANN), {"response_action": way, "view": send})

    async def _call(self, method: str, **arguments: Any) -> JSON:
        try:
            answer = await self._served.client.api_call(method, json=arguments)
        except SlackApiError as refusal:
            answer = refusal.response
        assert isinstance(answer.data, dict)
        return answer.data

    async def _answer_to(self, request: Awaitable[Outcome], body: JSON) -> JSON:
        """Let the bot's HTTP answer be this body; Slack's own answer to that goes into its records."""
        self._answer = body
        before = len(self._served.slack.calls)
        outcome = await request
        recorded = [call for call in self._served.slack.calls[before:] if call.error]
        assert [call.error for call in recorded] == ([outcome.error] if outcome.error else [])
        return recorded[0].answer if recorded else {"ok": True}

    async def _answered(self, ack: Any, body: Any) -> None:
        self._response_url = body.get("response_url", "")
        await ack(**self._answer)

    def _trigger(self) -> str:
        return self._served.slack.workspace.new_trigger(ANN).id

    async def _open(self) -> JSON:
        view = {"type": "modal", "callback_id": "form", "title": PLAIN, "submit": PLAIN, "blocks": []}
        return await self._call("views.open", trigger_id=self._trigger(), view=view)

    async def _publish(self) -> JSON:
        return await self._call("views.publish", user_id=ANN, view={"type": "home", "blocks": []})


def pointers(answer: JSON) -> list[str]:
    lines = answer["response_metadata"]["messages"]
    assert all(line.startswith("[ERROR] ") for line in lines)
    return sorted(line.partition("[json-pointer:")[2].removesuffix("]") for line in lines)


@pytest.mark.usefixtures("refusals")
@pytest.mark.parametrize("case", cases("refused"))
async def test_mistakes_are_refused_by_their_place(served: Served, case: JSON) -> None:
    code = case.get("code", "invalid_blocks" if case["surface"] == "message" else "invalid_arguments")
    for way, answer in (await Ways(served).all(case)).items():
        assert (answer.get("error"), pointers(answer)) == (code, case["pointers"]), way


@pytest.mark.parametrize("case", cases("taken"))
async def test_what_is_right_is_taken(served: Served, case: JSON) -> None:
    for way, answer in (await Ways(served).all(case)).items():
        assert answer["ok"], (way, answer)


def test_every_type_of_block_is_among_what_is_taken() -> None:
    sent_types = {block["type"] for case in CASES["taken"] for block in sent(case)["blocks"]}
    assert sent_types == set(block_types())


def test_every_surface_has_its_mistakes() -> None:
    count = {surface: sum(case["surface"] == surface for case in CASES["refused"]) for surface in MAX_BLOCKS}
    assert sum(count.values()) >= 80 and min(count.values()) >= 9


def test_a_message_is_looked_at_in_less_than_two_milliseconds() -> None:
    """The quickest of many: what else the machine does is no part of it."""
    blocks = [block for case in CASES["taken"] if case["surface"] == "message" for block in sent(case)["blocks"]]
    known = {json.dumps(block): block for block in blocks if block["type"] not in ("markdown", "table", "data_table")}
    message = [{**block, "block_id": str(number)} for number, block in enumerate(list(known.values())[:11])]
    assert check_blocks(message) == []
    assert min(timeit.repeat(lambda: check_blocks(message), number=1, repeat=50)) < 0.002


@given(data=st.data())
@settings(max_examples=150)
def test_nothing_is_taken_that_the_schema_as_it_is_written_refuses(data: st.DataObject) -> None:
    block = data.draw(st.sampled_from([block for case in CASES["taken"] for block in sent(case)["blocks"]]))
    broken = damaged(block, data)
    surface: Surface = "modal" if block["type"] == "alert" else "message"
    if block["type"] != "data_visualization" and not taken(broken, "KnownBlock"):
        assert check_blocks([broken], surface), broken


def damaged(thing: Any, data: st.DataObject) -> Any:
    """Change one thing somewhere inside of it."""
    inner = list(thing) if isinstance(thing, dict) else list(range(len(thing))) if isinstance(thing, list) else []
    if not inner or data.draw(st.integers(0, 4)) == 0:
        return data.draw(st.sampled_from([None, "", "x" * 4000, 7, True, [], {}, {"type": "divider"}]))
    at = data.draw(st.sampled_from(inner))
    made: Any = dict(thing) if isinstance(thing, dict) else list(thing)
    match data.draw(st.sampled_from(["inside", "inside", "inside", "without", "more"])):
        case "inside":
            made[at] = damaged(made[at], data)
        case "without":
            del made[at]
        case _:
            made = {**made, "colour": "red"} if isinstance(made, dict) else made * 11
    return made


@pytest.mark.usefixtures("refusals")
async def test_a_refusal_is_logged(served: Served, caplog: pytest.LogCaptureFixture) -> None:
    with pytest.raises(SlackApiError):
        await served.client.chat_postMessage(channel=GENERAL, text="x", blocks=[section("")])
    (line,) = [record.getMessage() for record in caplog.records if record.name == "bot.local.block_kit"]
    assert "invalid_blocks" in line and line.endswith("[json-pointer:/blocks/0/text/text]")


@pytest.mark.usefixtures("refusals")
async def test_no_validation_where_it_is_switched_off() -> None:
    long = [section("x" * 3001)]
    async with LocalSlack(members=[Member(ANN, "Ann")], validate=False) as slack:
        client = AsyncWebClient(token=slack.bot_token, base_url=slack.api_url)
        assert (await client.chat_postMessage(channel=GENERAL, text="<!channel>", blocks=long))["ok"]
        assert (await client.views_publish(user_id=ANN, view={"type": "home", "blocks": long}))["ok"]
