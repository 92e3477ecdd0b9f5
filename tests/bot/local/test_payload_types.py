"""Whatever the workspace sends to a bot, and answers it, fits Slack's own types."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import parse_qs, parse_qsl

import pytest
from aiohttp import web
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from bot.local import GENERAL, Attempt, LocalSlack, Member, Message
from tests.schemas.payloads import answer_problems, event_problems, known, problems

from .conftest import ANN, BEN, JSON, button, modal, option, section

PLAIN = {"type": "plain_text", "text": "Words"}
CONFIRM = {"title": PLAIN, "text": PLAIN, "confirm": PLAIN, "deny": PLAIN}
OPTIONS = {"options": [option("A", "a"), option("B", "b")]}
GROUPS = {"option_groups": [{"label": PLAIN, **OPTIONS}]}
RICH = {"type": "rich_text", "elements": [{"type": "rich_text_section", "elements": [{"type": "text", "text": "x"}]}]}

MENUS: dict[str, tuple[JSON, Any]] = {
    "static_select": (GROUPS | {"placeholder": PLAIN, "confirm": CONFIRM}, "b"),
    "multi_static_select": (OPTIONS | {"initial_options": OPTIONS["options"][:1]}, ["a", "b"]),
    "external_select": ({"min_query_length": 1, "placeholder": PLAIN}, "found"),
    "multi_external_select": ({"initial_options": [option("Old", "old")]}, ["old", "found"]),
    "users_select": ({"initial_user": ANN}, BEN),
    "multi_users_select": ({}, [ANN, BEN]),
    "conversations_select": ({"default_to_current_conversation": True}, GENERAL),
    "multi_conversations_select": ({"default_to_current_conversation": True}, [GENERAL]),
    "channels_select": ({}, GENERAL),
    "multi_channels_select": ({}, [GENERAL]),
    "radio_buttons": (OPTIONS, "a"),
    "checkboxes": (OPTIONS, ["a", "b"]),
    "datepicker": ({"initial_date": "2026-01-02"}, "2026-03-04"),
    "timepicker": ({"placeholder": PLAIN}, "12:30"),
    "datetimepicker": ({}, "1800000000"),
}
WRITTEN: dict[str, tuple[JSON, Any]] = {
    "plain_text_input": ({"multiline": True, "placeholder": PLAIN}, "words"),
    "email_text_input": ({}, "ann@example.com"),
    "url_text_input": ({"initial_value": "https://example.com"}, "https://example.org"),
    "number_input": ({"is_decimal_allowed": True, "min_value": "1"}, "2.5"),
    "rich_text_input": ({}, "rich words"),
}
OPEN = {"block_actions": {"container"}, "block_suggestion": {"container", "message"}}
"""What Slack's types say nothing about."""
BUTTONS: dict[str, tuple[JSON, Any]] = {
    "button": ({"text": PLAIN, "value": "v", "style": "primary", "confirm": CONFIRM}, None),
    "overflow": (OPTIONS, "a"),
}


def element(kind: str, about: JSON) -> JSON:
    return {"type": kind, "action_id": kind, **about}


OTTO = "U0OTTO00001"


def rows() -> list[JSON]:
    """Return blocks with everything that can be pressed or chosen from."""
    feedback: JSON = {"type": "feedback_buttons", "action_id": "rate"}
    feedback |= {name: {"text": PLAIN, "value": name} for name in ("positive_button", "negative_button")}
    bin_button = {"type": "icon_button", "action_id": "bin", "icon": "trash", "text": PLAIN, "value": "x"}
    return [
        *({"type": "actions", "elements": [element(kind, about)]} for kind, (about, _) in (MENUS | BUTTONS).items()),
        {"type": "context_actions", "elements": [feedback, bin_button]},
    ]


def inputs(*, dispatch: bool) -> list[JSON]:
    """Return blocks with everything that can be filled in."""
    about = {"optional": True, "label": PLAIN, "dispatch_action": dispatch}
    return [
        {"type": "input", "block_id": kind, "element": element(kind, more), **about}
        for kind, (more, _) in (MENUS | WRITTEN).items()
    ]


class Journey:
    """A workspace in which everything happens once, and a bot that takes everything."""

    def __init__(self, slack: LocalSlack) -> None:
        self.slack = slack
        self.client = AsyncWebClient(token=slack.bot_token, base_url=slack.api_url)
        self.answer: JSON | None = None

    async def taken(self, request: web.Request) -> web.Response:
        """Answer as a bot does that says nothing, but for options."""
        payload = parse_qs(await request.text()).get("payload", ["{}"])[0]
        if json.loads(payload).get("type") == "block_suggestion":
            return web.json_response(OPTIONS | {"options": [option("Found", "found")]})
        return web.Response() if self.answer is None else web.json_response(self.answer)

    async def all(self) -> None:
        """Let everything happen."""
        await self.messages()
        await self.presses()
        await self.forms()
        await self.rest()

    async def messages(self) -> None:
        for place in (GENERAL, "dm"):
            await self.slack.command(ANN, "/genai-role mlops & more", place)
        root = await self.slack.say(ANN, "<@BOT> hi", GENERAL)
        await self.slack.say(ANN, "<@BOT> again", GENERAL, thread_ts=root.ts)
        await self.slack.say(OTTO, "<@BOT> hi", GENERAL)
        await self.slack.edit(root, "<@BOT> hello")
        direct = await self.slack.say(ANN, "hi")
        await self.slack.say(ANN, "more", thread_ts=direct.ts)
        await self.slack.edit(direct, "hello")
        await self.slack.message_shortcut(BEN, "find_who_can_help", root)

    async def post(self, **more: Any) -> Message:
        answer = await self.client.chat_postMessage(channel=GENERAL, text="x", blocks=rows(), **more)
        found = self.slack.workspace.find(GENERAL, str(answer["ts"]))
        assert found is not None
        return found

    async def presses(self) -> None:
        plain = await self.post()
        threaded = await self.post(thread_ts=plain.ts, metadata={"event_type": "x", "event_payload": {}})
        await self.client.chat_postEphemeral(channel=GENERAL, user=ANN, text="x", blocks=rows())
        hidden = next(message for message in self.slack.messages(GENERAL, ANN) if message.ephemeral_to)
        for message in (plain, threaded, hidden):
            for kind, (_, chosen) in (MENUS | BUTTONS).items():
                many = {"selected": chosen} if isinstance(chosen, list) else {"value": chosen}
                await self.slack.press(ANN, message, kind, **many)
            await self.slack.press(ANN, message, "rate", value="positive_button")
            await self.slack.press(ANN, message, "bin")
        await self.client.chat_update(channel=GENERAL, ts=plain.ts, text="new")
        await self.slack.message_shortcut(ANN, "find_who_can_help", threaded)
        await self.client.chat_delete(channel=GENERAL, ts=plain.ts)

    async def forms(self) -> None:
        for dispatch in (False, True):
            view = modal(*inputs(dispatch=dispatch), private_metadata="m", notify_on_close=True, close=PLAIN)
            await self.slack.command(ANN, "/genai-role me")
            trigger = self.slack.workspace.new_trigger(ANN, GENERAL).id
            opened = await self.client.views_open(trigger_id=trigger, view=view)
            shown = self.slack.open_view(ANN)
            assert shown is not None
            if not dispatch:
                await self.slack.submit(ANN, shown)
            else:
                for kind, (_, chosen) in (MENUS | WRITTEN).items():
                    await self.slack.press(ANN, shown, kind, selected=chosen)
                trigger = self.slack.workspace.new_trigger(ANN).id
                pushed = await self.client.views_push(trigger_id=trigger, view=view | {"external_id": "second"})
                await self.client.views_update(view_id=pushed["view"]["id"], view=view)
                await self.slack.close(ANN)
                values = {kind: chosen for kind, (_, chosen) in (MENUS | WRITTEN).items()}
                await self.slack.enter(ANN, shown, values)
                await self.slack.submit(ANN, shown)
            assert opened["view"]["root_view_id"] == opened["view"]["id"]
        await self.client.views_open(trigger_id=self.slack.workspace.new_trigger(ANN).id, view=view)
        await self.slack.close(ANN, everything=True)

    async def rest(self) -> None:
        slack, client = self.slack, self.client
        await slack.shortcut(ANN, "declare_role")
        await slack.home_opened(ANN)
        home = {"type": "home", "blocks": [section("hi"), {"type": "actions", "elements": [button("go", "Go")]}]}
        await client.views_publish(user_id=ANN, view=home)
        await slack.home_opened(ANN)
        await slack.home_opened(ANN, tab="messages")
        await slack.press(ANN, slack.workspace.homes[ANN], "go")
        await client.auth_test()
        for user in (ANN, BEN, slack.bot_user, "U0GONE00001", "U0FAR000001", OTTO):
            await client.users_info(user=user, include_locale=True)
            await client.users_getPresence(user=user)
        await client.dnd_info(user=ANN)
        await client.conversations_open(users=ANN)
        for channel in (GENERAL, slack.dm(ANN)):
            await client.conversations_info(channel=channel)
        await client.apps_connections_open(app_token=slack.app_token)
        with pytest.raises(SlackApiError):
            await client.users_info(user="U0NOBODY001")
        await client.chat_postMessage(channel=ANN, text="an echo")
        await slack.change_member(BEN, title="Lead", status_emoji=":palm_tree:")
        await slack.change_member(BEN, deleted=True)
        await slack.send_event({"type": "team_access_granted", "team_ids": ["T1"], "event_ts": "1.0"})
        await slack.send_event({"type": "team_access_revoked", "team_ids": ["T1"], "event_ts": "1.0"})
        limited = {"type": "app_rate_limited", "team_id": "T1", "minute_rate_limited": 1, "api_app_id": "A1"}
        await slack.send_json(limited)
        await slack.uninstall()


@asynccontextmanager
async def journey(enterprise_id: str | None = None) -> AsyncIterator[Journey]:
    members = [
        Member(ANN, "Ann Archer", title="Engineer", tz="Europe/Berlin", dnd=True),
        Member(BEN, "Ben Book", guest=True),
        Member("U0GONE00001", "Gone", deleted=True),
        Member("U0FAR000001", "Far Away", stranger=True),
        Member(OTTO, "Otto Outside", home="T0OTHER0001"),
    ]
    scopes = ("chat:write", "commands", "users:read", "dnd:read", "im:write", "channels:read", "im:read")
    async with LocalSlack(members=members, scopes=scopes, enterprise_id=enterprise_id, echo=True) as slack:
        made = Journey(slack)
        site = web.Application()
        site.router.add_post("/", made.taken)
        runner = web.AppRunner(site, access_log=None, shutdown_timeout=0.2)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        slack.bot_url = f"http://127.0.0.1:{runner.addresses[0][1]}/"
        yield made
        await runner.cleanup()


def sent(attempt: Attempt) -> tuple[str, JSON]:
    """Return the kind of a body, and the body as a bot reads it."""
    if attempt.sent_headers["Content-Type"] == "application/json":
        body: JSON = json.loads(attempt.sent)
        event = body.get("event") or body
        return event.get("subtype", event["type"]), body
    form = dict(parse_qsl(attempt.sent, strict_parsing=True, keep_blank_values=True))
    payload: JSON = json.loads(form["payload"]) if "payload" in form else form
    return payload.get("type", "slash_command"), payload


def wrong(kind: str, body: JSON) -> list[str]:
    return event_problems(body) if body.get("type") == "event_callback" else problems(body, kind)


@pytest.mark.parametrize("enterprise_id", [None, "E0LOCAL0001"], ids=["workspace", "organisation"])
async def test_everything_that_is_sent_and_answered_fits_slacks_types(enterprise_id: str | None) -> None:
    async with journey(enterprise_id) as made:
        await made.all()
        bodies = [sent(attempt) for attempt in made.slack.deliveries]
        calls = made.slack.calls
    found = {f"{kind} {line}" for kind, body in bodies for line in wrong(kind, body)}
    found |= {f"{call.method} {line}" for call in calls for line in answer_problems(call.method, call.answer)}
    assert not found, "\n".join(sorted(found))
    assert {kind for kind, _ in bodies} | {call.method for call in calls} | {"event_callback"} == known()
    pressed = {body["actions"][0]["type"] for kind, body in bodies if kind == "block_actions"}
    assert pressed == {*MENUS, *WRITTEN, *BUTTONS, "feedback_buttons", "icon_button"}


async def test_a_payload_that_does_not_fit_is_found() -> None:
    """The check can fail: with any of its parts of another type, no payload passes, and no answer with one more."""
    async with journey() as made:
        await made.all()
        bodies = dict(sent(attempt) for attempt in made.slack.deliveries)
        answers = {call.method: call.answer for call in made.slack.calls if call.error is None}
    for kind, body in bodies.items():
        part = "event" if body.get("type") == "event_callback" else None
        inner = body[part] if part else body
        for name in inner.keys() - OPEN.get(kind, set()):
            changed = {**inner, name: {"strange": []}}
            assert wrong(kind, {**body, part: changed} if part else changed), (kind, name)
        assert wrong(kind, {**body, part: {}} if part else {}), kind
    for method, answer in answers.items():
        assert answer_problems(method, answer | {"colour": "red"}), method
        assert answer_problems(method, answer | {"ok": "yes"}), method
