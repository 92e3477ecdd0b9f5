"""A light stand-in for Slack's Web API that counts posts, and fails as it is told to."""

from __future__ import annotations

import asyncio
import json
import random
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

from aiohttp import web

TOKEN = "xoxb-chaos"
SECRET = "chaos-signing-secret"
BOT = "U0BOT"
SILENT_SECONDS = 10.0
APOLOGY = "apology"

Fault = Literal["429", "500", "html", "silent", "cut before", "cut after"]
"""``cut before`` and ``cut after``: the connection is lost before or after the post was taken."""
FAULTS: tuple[Fault, ...] = ("429", "500", "html", "silent", "cut before", "cut after")
Key = tuple[str, str, str]
"""What a post answers: channel, thread, and the title of the entry that it shows."""


@dataclass
class Post:
    """A message that the stand-in took: from which process, when, and when it had answered that it did."""

    key: Key
    process: str
    taken: float
    answered: float | None = None
    fault: Fault | None = None


@dataclass
class StandIn:
    """Take posts; ``latency`` is how long it thinks, in seconds, and ``next_fault`` says what goes wrong with one.

    Each process of the bot gets an address of its own (`url`), so that a post is known to be of a certain process.
    """

    rng: random.Random
    latency: tuple[float, float] = (0.0, 0.0)
    next_fault: Callable[[], Fault | None] = lambda: None
    silent_seconds: float = SILENT_SECONDS
    retry_after: int = 1
    posts: list[Post] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)
    _changed: asyncio.Event = field(default_factory=asyncio.Event)
    _runner: web.AppRunner | None = None

    async def __aenter__(self) -> StandIn:
        site = web.Application()
        site.router.add_post("/{process}/api/chat.postMessage", self._post)
        site.router.add_post("/{process}/api/{method}", self._other)
        self._runner = web.AppRunner(site, access_log=None, shutdown_timeout=0.2)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._runner is not None:
            await self._runner.cleanup()

    def url(self, process: str) -> str:
        """Return the base of the Web API for a process of that name."""
        assert self._runner is not None
        return f"http://127.0.0.1:{self._runner.addresses[0][1]}/{process}/api/"

    async def until(self, holds: Callable[[], bool]) -> None:
        """Wait until something holds that posts can change."""
        while not holds():
            self._changed.clear()
            await self._changed.wait()

    async def _post(self, request: web.Request) -> web.StreamResponse:
        arrived = time.monotonic()
        sent = await (request.json() if request.content_type == "application/json" else request.post())
        fault = self.next_fault()
        if fault is not None:
            self.faults.append(fault)
        match fault:
            case "429":
                refused = {"ok": False, "error": "ratelimited"}
                return web.json_response(refused, status=429, headers={"Retry-After": str(self.retry_after)})
            case "500":
                return web.json_response({"ok": False, "error": "internal_error"}, status=500)
            case "html":
                return web.Response(status=502, text="<html><body>Bad gateway</body></html>", content_type="text/html")
            case "cut before":
                return _cut(request)
        post = Post(key_of(sent), request.match_info["process"], arrived, fault=fault)
        self.posts.append(post)
        self._changed.set()
        if fault == "cut after":
            return _cut(request)
        await asyncio.sleep(self.silent_seconds if fault == "silent" else self.rng.uniform(*self.latency))
        post.answered = time.monotonic()
        return web.json_response({"ok": True, "channel": sent["channel"], "ts": f"1900000000.{len(self.posts):06}"})

    async def _other(self, request: web.Request) -> web.Response:
        known = {"user_id": BOT, "bot_id": "B0BOT", "url": "https://example.slack.com/", "user": {"id": BOT}}
        return web.json_response({"ok": True, **known})


def key_of(sent: object) -> Key:
    """Return what a post answers; its first block is the title of the entry that was asked for."""
    assert hasattr(sent, "get")
    blocks = sent.get("blocks") or "[]"
    shown = json.loads(blocks) if isinstance(blocks, str) else blocks
    text = str(shown[0].get("text", {}).get("text", "")) if shown else str(sent.get("text"))
    return (
        str(sent.get("channel")),
        str(sent.get("thread_ts")),
        APOLOGY if text.startswith("Sorry") else text.split(" (")[0],
    )


def _cut(request: web.Request) -> web.Response:
    if request.transport is not None:
        request.transport.abort()
    return web.Response()
