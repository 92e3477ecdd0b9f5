"""A small Bolt app, served on loopback, for the stand-in to talk to."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

import pytest_asyncio
from aiohttp import web
from slack_bolt.adapter.aiohttp import to_aiohttp_response, to_bolt_request
from slack_bolt.async_app import AsyncApp
from slack_sdk.web.async_client import AsyncWebClient

from bot.local import LocalSlack, ManualClock, Member
from bot.local.browser import Browser
from bot.local.stream import Step

JSON = dict[str, Any]
ANN, BEN = "U0ANN000001", "U0BEN000001"
LOOK_UP = Step("look-up", "Look up a role", "Type it.", "slash_commands", "mlops", fill="/genai-role mlops")


@dataclass
class Sleeper:
    """Note the delays instead of waiting."""

    slept: list[float] = field(default_factory=list)

    async def __call__(self, seconds: float) -> None:
        self.slept.append(seconds)


def section(text: str, **more: object) -> JSON:
    return {"type": "section", "text": {"type": "mrkdwn", "text": text}, **more}


def button(action_id: str, text: str, value: str = "v") -> JSON:
    return {"type": "button", "action_id": action_id, "text": {"type": "plain_text", "text": text}, "value": value}


def option(text: str, value: str) -> JSON:
    return {"text": {"type": "plain_text", "text": text}, "value": value}


def modal(*blocks: JSON, **more: object) -> JSON:
    plain = {"type": "plain_text", "text": "Form"}
    return {"type": "modal", "callback_id": "form", "title": plain, "submit": plain, "blocks": list(blocks), **more}


def text_input(block_id: str, *, optional: bool = False, **more: object) -> JSON:
    return {
        "type": "input",
        "block_id": block_id,
        "optional": optional,
        "label": {"type": "plain_text", "text": block_id.title()},
        "element": {"type": "plain_text_input", "action_id": "value", **more},
    }


@dataclass
class Served:
    """A Bolt app under test and the workspace that it is connected to."""

    slack: LocalSlack
    app: AsyncApp
    client: AsyncWebClient
    clock: ManualClock
    sleeper: Sleeper
    statuses: list[int] = field(default_factory=list)
    requests: list[dict[str, str]] = field(default_factory=list)


@pytest_asyncio.fixture
async def served() -> AsyncIterator[Served]:
    clock, sleeper = ManualClock(), Sleeper()
    members = [Member(ANN, "Ann Archer", title="Engineer", tz="Europe/Berlin"), Member(BEN, "Ben Book")]
    slack = LocalSlack(clock=clock, sleep=sleeper, members=members, deadline=2.0)
    slack.also_serve(Browser(slack, [LOOK_UP]).add_to)
    async with slack:
        client = AsyncWebClient(token=slack.bot_token, base_url=slack.api_url)
        app = AsyncApp(
            # Without a name Bolt walks the whole stack, source files included, to find one.
            name="served",
            client=client,
            signing_secret=slack.signing_secret,
            process_before_response=True,
        )
        served = Served(slack, app, client, clock, sleeper)

        async def events(request: web.Request) -> web.Response:
            served.requests.append({name.lower(): value for name, value in request.headers.items()})
            if served.statuses:
                return web.Response(status=served.statuses.pop(0))
            return await to_aiohttp_response(await app.async_dispatch(await to_bolt_request(request)))

        site = web.Application()
        site.router.add_post("/slack/events", events)
        runner = web.AppRunner(site, access_log=None, shutdown_timeout=0.2)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        slack.bot_url = f"http://127.0.0.1:{runner.addresses[0][1]}/slack/events"
        yield served
        await runner.cleanup()
