"""Load, bounded in count and time, and only against loopback."""

from __future__ import annotations

import asyncio
import json
import math
import re
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from urllib.parse import urlencode, urlsplit

from aiohttp import web

from bot.local.delivery import sign

SECRET = "benchmark-signing-secret"
TOKEN = "xoxb-benchmark"
BOT = "U0BOT"
FORM, JSON = "application/x-www-form-urlencoded", "application/json"
MOST_SECONDS = 30.0
ASKERS = 400
_THREAD = re.compile(rb"thread_ts(?:\": ?\"|=)([0-9.]+)")


@dataclass
class SlackStandIn:
    """Answer every Web API call with ok, and note when each came."""

    calls: list[tuple[str, dict[str, str], float]] = field(default_factory=list)
    posts: int = 0
    url: str = ""
    _came: asyncio.Condition = field(default_factory=asyncio.Condition)
    _runner: web.AppRunner | None = None

    async def start(self) -> None:
        """Listen on a free port of loopback."""
        site = web.Application()
        site.router.add_route("*", "/api/{method}", self._answer)
        self._runner = web.AppRunner(site, access_log=None, shutdown_timeout=0.2)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        self.url = f"http://127.0.0.1:{self._runner.addresses[0][1]}/api/"

    async def stop(self) -> None:
        """Stop listening."""
        if self._runner is not None:
            await self._runner.cleanup()

    async def posted(self, count: int) -> None:
        """Wait until that many messages were posted."""
        async with self._came:
            await self._came.wait_for(lambda: self.posts >= count)

    def look_at(self, request: web.Request, sent: bytes) -> None:
        """See what is called; for those who want to."""

    def team_of(self, request: web.Request) -> str:
        """Return whose token it is: everybody is of that workspace."""
        return "T0BENCH"

    async def _answer(self, request: web.Request) -> web.Response:
        at = time.perf_counter()
        sent = await request.read()
        self.look_at(request, sent)
        # Only the thread is wanted: parsing whole messages would take as long as the bot takes to write them.
        found = _THREAD.search(sent)
        self.calls.append((request.match_info["method"], {"thread_ts": found[1].decode() if found else ""}, at))
        if self.calls[-1][0] == "chat.postMessage":
            self.posts += 1
            async with self._came:
                self._came.notify_all()
        body = {"ok": True, "user_id": BOT, "bot_id": "B0BOT", "url": "https://example.slack.com/", "ts": "1.1"}
        return web.json_response({**body, "user": {"id": BOT, "team_id": self.team_of(request)}})


@dataclass(frozen=True)
class Load:
    """Hold what a run of requests took."""

    milliseconds: list[float]
    seconds: float

    @property
    def per_second(self) -> float:
        """Return the requests answered a second."""
        return len(self.milliseconds) / self.seconds

    def at(self, share: float) -> float:
        """Return the time below which this share of the requests stayed."""
        return percentile(self.milliseconds, share)


def percentile(values: list[float], share: float) -> float:
    """Return the value below which this share of the values lies."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))]


def command(text: str, team: str = "T0BENCH", user: str = "U0ASKER") -> bytes:
    """Return the body of a slash command."""
    return urlencode(
        {
            "command": "/genai-role",
            "text": text,
            "team_id": team,
            "user_id": user,
            "user_name": "asker",
            "channel_id": "C0BENCH",
            "channel_name": "general",
            "trigger_id": "1.2.3",
            "response_url": "http://127.0.0.1:9/never-used",
            "api_app_id": "A0BENCH",
        }
    ).encode()


def mention(number: int, text: str, team: str = "T0BENCH", channel: str = "", user: str = "") -> bytes:
    """Return the body of an app_mention event, each in a message of its own, in one of ten channels."""
    ts = f"1800000000.{number:06}"
    channel = channel or f"C0BENCH{number % 10}"
    # A thousand people ask: one alone would be held to a fair pace.
    event = {
        "type": "app_mention",
        "user": user or f"U0ASK{number % 1000:03}",
        "text": f"<@{BOT}> {text}",
        "ts": ts,
        "channel": channel,
    }
    return json.dumps(
        {
            "type": "event_callback",
            "team_id": team,
            "api_app_id": "A0BENCH",
            "event_id": f"Ev{number:06}",
            "event_time": 1_800_000_000,
            "event": {**event, "event_ts": ts},
            "authorizations": [{"team_id": team, "user_id": BOT, "is_bot": True}],
        }
    ).encode()


def search(typed: str, user: str, menu: str) -> bytes:
    """Return the body of a search in a menu."""
    payload = {
        "type": "block_suggestion",
        "user": {"id": user, "team_id": "T0BENCH"},
        "team": {"id": "T0BENCH"},
        "action_id": menu,
        "block_id": menu,
        "value": typed,
    }
    return urlencode({"payload": json.dumps(payload)}).encode()


class Connection:
    """One kept-alive HTTP connection, as thin as can be, so that the bot is measured and not the client."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, path: str, host: str) -> None:
        self._reader, self._writer, self._path, self._host = reader, writer, path, host

    @classmethod
    async def open(cls, url: str) -> Connection:
        """Connect to the address of a URL on loopback."""
        found = urlsplit(url)
        if found.hostname != "127.0.0.1" or found.port is None:
            raise ValueError("load goes to loopback only")
        reader, writer = await asyncio.open_connection(found.hostname, found.port)
        return cls(reader, writer, found.path, found.netloc)

    async def post(self, body: bytes, content_type: str) -> tuple[int, bytes]:
        """Post a body under a good signature; return status and answer."""
        signed = "".join(f"{name}: {value}\r\n" for name, value in sign(SECRET, body, time.time()).items())
        head = (
            f"POST {self._path} HTTP/1.1\r\nHost: {self._host}\r\nContent-Type: {content_type}\r\n"
            f"Content-Length: {len(body)}\r\n{signed}\r\n"
        )
        self._writer.write(head.encode() + body)
        answer = (await self._reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        status, *headers = answer.split("\r\n")
        length = next((int(h.split(":")[1]) for h in headers if h.lower().startswith("content-length:")), 0)
        return int(status.split()[1]), await self._reader.readexactly(length)

    async def close(self) -> None:
        """Hang up."""
        self._writer.close()
        await self._writer.wait_closed()


async def load(url: str, text: str, count: int, connections: int, check: Callable[[bytes], bool]) -> Load:
    """Send a command that often over that many connections, each waiting for its answer before it sends the next."""
    # From many in turn: one alone would be held to a fair pace.
    bodies = [command(text, user=f"U0ASK{number:03}") for number in range(ASKERS)]
    return await load_each(url, ((bodies[number % ASKERS], FORM, check) for number in range(count)), connections)


async def load_each(
    url: str, sent: Iterable[tuple[bytes, str, Callable[[bytes], bool]]], connections: int, most: float = MOST_SECONDS
) -> Load:
    """Send bodies of these types, each with what its answer has to pass; see ``load``."""
    taken: list[float] = []
    ends = time.perf_counter() + most
    left = iter(sent)

    async def one(connection: Connection) -> None:
        for body, content_type, check in left:
            started = time.perf_counter()
            if started > ends:
                return
            status, answer = await connection.post(body, content_type)
            while status == 503 and content_type == JSON:
                # An event that could not be written down in time: Slack sends it again.
                await asyncio.sleep(0.2)
                status, answer = await connection.post(body, content_type)
            taken.append((time.perf_counter() - started) * 1000)
            if status != 200 or not check(answer):
                raise RuntimeError(f"answered {status}: {answer[:200]!r}")

    opened = [await Connection.open(url) for _ in range(connections)]
    started = time.perf_counter()
    try:
        await asyncio.gather(*(one(connection) for connection in opened))
        return Load(taken, time.perf_counter() - started)
    finally:
        for connection in opened:
            await connection.close()


async def mentions(urls: list[str], slack: SlackStandIn, count: int, per_second: float, text: str) -> list[float]:
    """Send events at an even pace, to each address in turn; return the milliseconds until each reply was posted.

    Those that had no reply half a minute after the last was to be sent have taken forever. So have those that were
    refused, as the database did not take them in time: Slack would send them again, a minute later.
    """
    sent: dict[str, float] = {}
    before, posted_before, refused = len(slack.calls), slack.posts, 0
    opened = [await Connection.open(urls[place % len(urls)]) for place in range(64)]
    free: asyncio.Queue[Connection] = asyncio.Queue()
    for connection in opened:
        free.put_nowait(connection)

    async def one(number: int) -> None:
        nonlocal refused
        connection = await free.get()
        sent[f"1800000000.{number:06}"] = time.perf_counter()
        status, _ = await connection.post(mention(number, text), JSON)
        free.put_nowait(connection)
        if status == 503:
            refused += 1
        elif status != 200:
            raise RuntimeError(f"an event was answered with {status}")

    started = time.perf_counter()
    with suppress(TimeoutError):
        async with asyncio.timeout(MOST_SECONDS + count / per_second):
            async with asyncio.TaskGroup() as group:
                for number in range(count):
                    await asyncio.sleep(max(0.0, started + number / per_second - time.perf_counter()))
                    group.create_task(one(number))
            await slack.posted(posted_before + count - refused)
    for connection in opened:
        await connection.close()
    replies = [(form["thread_ts"], at) for method, form, at in slack.calls[before:] if method == "chat.postMessage"]
    if len(dict(replies)) != len(replies):
        raise RuntimeError("a mention was answered twice")
    taken = [(at - sent[ts]) * 1000 for ts, at in replies]
    return taken + [math.inf] * (count - len(taken))
