"""Sign and post to the bot as Slack does, with Slack's deadline and retries."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from urllib.parse import urlencode

import aiohttp

from .workspace import JSON, Clock

Sleep = Callable[[float], Awaitable[object]]

DEADLINE_SECONDS = 3.0
# Slack repeats an event at once, after a minute and after five.
RETRY_DELAYS = (0.0, 60.0, 300.0)
JSON_TYPE = "application/json"
FORM_TYPE = "application/x-www-form-urlencoded"


@dataclass(frozen=True, slots=True)
class Attempt:
    """One request to the bot and how it ended; `failure` is Slack's word for why it failed, "" where it did not."""

    status: int
    text: str
    failure: str
    milliseconds: float
    retry_number: int = 0
    headers: Mapping[str, str] = field(default_factory=dict)
    kind: str = ""
    sent: str = ""
    """The body as it went out."""
    sent_headers: Mapping[str, str] = field(default_factory=dict)
    at: float = field(default_factory=time.time)
    """When it was over, seconds since 1970."""

    @property
    def ok(self) -> bool:
        """Tell whether Slack takes this for delivered."""
        return not self.failure

    def json(self) -> JSON:
        """Return the body as an object, {} where it is none."""
        try:
            body = json.loads(self.text)
        except ValueError:
            return {}
        return body if isinstance(body, dict) else {}


@dataclass(slots=True)
class EventDelivery:
    """An event on its way: its attempts so far, and the task that makes the later ones."""

    event_id: str
    attempts: list[Attempt] = field(default_factory=list)
    retrying: asyncio.Task[None] | None = None

    @property
    def status(self) -> int:
        """Return the status of the last attempt."""
        return self.attempts[-1].status

    async def finished(self) -> list[Attempt]:
        """Wait until Slack would stop trying; return all attempts."""
        if self.retrying is not None:
            await asyncio.shield(self.retrying)
        return self.attempts


def sign(secret: str, body: bytes, timestamp: float) -> dict[str, str]:
    """Return the two headers by which a request is Slack's."""
    stamp = str(int(timestamp))
    digest = hmac.new(secret.encode(), b"v0:" + stamp.encode() + b":" + body, hashlib.sha256).hexdigest()
    return {"X-Slack-Request-Timestamp": stamp, "X-Slack-Signature": f"v0={digest}"}


@dataclass(slots=True)
class Delivery:
    """Post to `url`, the bot's request address.

    Signatures carry the wall clock's time, not the workspace's: the bot measures their age with its own clock, and
    a test that moves the workspace half an hour on must not make honest requests stale.
    """

    secret: str
    session: aiohttp.ClientSession
    url: str = ""
    deadline: float = DEADLINE_SECONDS
    sleep: Sleep = asyncio.sleep
    wall_clock: Clock = time.time
    attempts: list[Attempt] = field(default_factory=list)
    on_attempt: Callable[[], None] | None = None
    retries: set[asyncio.Task[None]] = field(default_factory=set)

    async def form(self, fields: Mapping[str, str], kind: str) -> Attempt:
        """Post a slash command."""
        return await self._signed(urlencode(fields).encode(), FORM_TYPE, kind)

    async def interaction(self, payload: JSON) -> Attempt:
        """Post an interaction: one form field, `payload`, that holds JSON."""
        return await self._signed(urlencode({"payload": json.dumps(payload)}).encode(), FORM_TYPE, payload["type"])

    async def json(self, body: JSON, kind: str) -> Attempt:
        """Post JSON once (url_verification, app_rate_limited)."""
        return await self._signed(json.dumps(body).encode(), JSON_TYPE, kind)

    async def event(self, envelope: JSON) -> EventDelivery:
        """Post an event; return after the first attempt, while up to three more go on by themselves."""
        kind = str((envelope.get("event") or {}).get("type", envelope.get("type")))
        delivery = EventDelivery(str(envelope.get("event_id")))
        delivery.attempts.append(await self._send_event(envelope, kind))
        if _again(delivery.attempts[-1]):
            task = asyncio.create_task(self._retry(envelope, kind, delivery))
            delivery.retrying = task
            self.retries.add(task)
            task.add_done_callback(self.retries.discard)
        return delivery

    async def _retry(self, envelope: JSON, kind: str, delivery: EventDelivery) -> None:
        for number, delay in enumerate(RETRY_DELAYS, start=1):
            await self.sleep(delay)
            reason = delivery.attempts[-1].failure
            delivery.attempts.append(await self._send_event(envelope, kind, number, reason))
            if not _again(delivery.attempts[-1]):
                return

    async def _send_event(self, envelope: JSON, kind: str, retry: int = 0, reason: str = "") -> Attempt:
        extra = {"X-Slack-Retry-Num": str(retry), "X-Slack-Retry-Reason": reason} if retry else None
        return await self._signed(json.dumps(envelope).encode(), JSON_TYPE, kind, extra, retry)

    async def _signed(
        self, body: bytes, content_type: str, kind: str, extra: Mapping[str, str] | None = None, retry: int = 0
    ) -> Attempt:
        headers = {"Content-Type": content_type, **sign(self.secret, body, self.wall_clock()), **(extra or {})}
        return await self.post(body, headers, kind=kind, retry=retry)

    async def post(self, body: bytes, headers: Mapping[str, str], *, kind: str = "raw", retry: int = 0) -> Attempt:
        """Post bytes with these headers to the bot and note how it went."""
        if not self.url:
            raise RuntimeError("the bot's address is not known: set LocalSlack.bot_url once it listens")
        sent = {"User-Agent": "Slackbot 1.0 (+https://api.slack.com/robots)", "Accept": "*/*", **headers}
        started = time.perf_counter()
        status, text, failure, answered = 0, "", "", {}
        try:
            async with asyncio.timeout(self.deadline):
                async with self.session.post(self.url, data=body, headers=sent, allow_redirects=False) as response:
                    status, text = response.status, await response.text()
                    answered = {name.lower(): value for name, value in response.headers.items()}
                    failure = "" if 200 <= status < 300 else "http_error"
        except TimeoutError:
            failure = "http_timeout"
        except aiohttp.ClientError:
            failure = "connection_failed"
        spent = (time.perf_counter() - started) * 1000
        written = body.decode("utf-8", "replace")
        return self._noted(Attempt(status, text, failure, spent, retry, answered, kind, written, sent))

    def _noted(self, attempt: Attempt) -> Attempt:
        self.attempts.append(attempt)
        if self.on_attempt is not None:
            self.on_attempt()
        return attempt


def _again(attempt: Attempt) -> bool:
    return not attempt.ok and attempt.headers.get("x-slack-no-retry") != "1"
