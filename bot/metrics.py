"""What can be measured of the bot, for Prometheus; no label names a user or a workspace."""

from __future__ import annotations

import asyncio
import json
import logging
import re
import time
from collections.abc import Awaitable, Callable, Mapping
from functools import cache
from types import SimpleNamespace
from typing import Literal

from aiohttp import (
    ClientSession,
    TraceConfig,
    TraceRequestEndParams,
    TraceRequestExceptionParams,
    TraceRequestStartParams,
    TraceResponseChunkReceivedParams,
    web,
)
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_LATEST

from bot.headers import with_headers
from bot.settings import SettingsError
from knowledge.answers import (
    Answer,
    Candidates,
    Comparison,
    Help,
    NotKnown,
    Pair,
    RoleCard,
    Suggestion,
    TeamCard,
    ToolCard,
    TopicCard,
)
from knowledge.asking import State
from knowledge.feedback import Verdict
from storage.inbox import Depth

logger = logging.getLogger(__name__)
Surface = Literal["command", "button", "view", "shortcut", "options", "event", "other"]
Outcome = Literal[
    "answered", "late", "failed", "refused_400", "refused_401", "refused_408", "refused_413", "limited", "not_written"
]
EventOutcome = Literal["done", "retried", "dead", "forgotten", "not_installed", "repeated"]
PREFIX = "genai_roles"
SECONDS = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 3.0, 5.0, 10.0)
"""Bounds of the histograms; 2 is where the bot says "one moment", 3 is where Slack stops waiting."""
KINDS: dict[type, str] = {
    RoleCard: "card",
    TopicCard: "card",
    ToolCard: "card",
    TeamCard: "card",
    Comparison: "compare",
    Pair: "compare",
    Suggestion: "people",
    Candidates: "suggestions",
    Help: "help",
    NotKnown: "none",
}
SCRAPE_SECONDS = 2.0
"""How long a scrape waits for the database before it goes without the inbox."""


class Metrics:
    """Count what happens, in a registry of its own."""

    def __init__(self) -> None:
        self.registry = registry = CollectorRegistry()

        def counter(name: str, about: str, *labels: str) -> Counter:
            return Counter(f"{PREFIX}_{name}", about, labels, registry=registry)

        def histogram(name: str, about: str, *labels: str) -> Histogram:
            return Histogram(f"{PREFIX}_{name}", about, labels, registry=registry, buckets=SECONDS)

        def gauge(name: str, about: str) -> Gauge:
            return Gauge(f"{PREFIX}_{name}", about, registry=registry)

        self._requests = counter("requests", "Requests of Slack", "surface", "outcome")
        self._request_seconds = histogram("request_seconds", "Time until a request of Slack was answered", "surface")
        self._events = counter("events", "Events done, tried again, given up, or known already", "outcome")
        self._answers = counter("answers", "Answers to questions", "kind")
        self._votes = counter("votes", "Votes on answers", "kind", "verdict")
        self._calls = counter("slack_calls", "Requests to Slack", "method", "result")
        self._call_seconds = histogram("slack_call_seconds", "Time until Slack answered", "method")
        self._waits = counter("slack_rate_limit_wait_seconds", "Seconds waited because Slack said so", "method")
        self._waiting = gauge("inbox_waiting", "Events that wait for their answer")
        self._oldest = gauge("inbox_oldest_seconds", "How long the oldest event has waited")
        self._dead = gauge("inbox_dead", "Events that were given up and not replayed")
        self._asks = Gauge(f"{PREFIX}_asks", "Questions to people by state", ("state",), registry=registry)
        self._database = gauge("database_up", "1 where the database answered this scrape, else 0")
        # Finding what counts for labels takes longer than counting; of these there are few.
        self._request_count, self._request_time = cache(self._requests.labels), cache(self._request_seconds.labels)
        self._event_count, self._answer_count = cache(self._events.labels), cache(self._answers.labels)
        ProcessCollector(registry=self.registry)

    def request(self, surface: Surface, outcome: Outcome, seconds: float | None = None) -> None:
        """Count a request of Slack, and the time that its answer took."""
        self._request_count(surface, outcome).inc()
        if seconds is not None:
            self._request_time(surface).observe(seconds)

    def event(self, outcome: EventOutcome, count: int = 1) -> None:
        """Count what became of an event."""
        self._event_count(outcome).inc(count)

    def answered(self, answer: Answer) -> None:
        """Count an answer to a question."""
        self._answer_count(KINDS[type(answer)]).inc()

    def voted(self, kind: str, verdict: Verdict) -> None:
        """Count a vote on an answer."""
        self._votes.labels(kind, verdict).inc()

    def waited(self, method: str, seconds: float) -> None:
        """Count a wait that Slack asked for."""
        self._waits.labels(method).inc(seconds)

    def inbox(self, depth: Depth | None) -> None:
        """Set what is known of the inbox; None where the database did not say."""
        self._database.set(depth is not None)
        self._waiting.set(depth.waiting if depth else float("nan"))
        self._oldest.set(depth.oldest_seconds if depth else float("nan"))
        self._dead.set(depth.dead if depth else float("nan"))

    def asks(self, counts: Mapping[State, int]) -> None:
        """Set how many questions to people there are in each state; nothing where the database did not say."""
        self._asks.clear()
        for state, count in counts.items():
            self._asks.labels(state).set(count)

    def page(self) -> bytes:
        """Return everything in Prometheus' text format."""
        return generate_latest(self.registry)

    def trace(self, api_url: str) -> TraceConfig:
        """Return what counts the requests of an HTTP session to Slack."""
        calls = _Calls(api_url, self._calls, self._call_seconds)
        config = TraceConfig()
        config.on_request_start.append(calls.started)
        config.on_request_end.append(calls.answered)
        config.on_response_chunk_received.append(calls.read)
        config.on_request_exception.append(calls.failed)
        return config


class _Calls:
    """Count requests to Slack by method and result: "ok", Slack's own code, an HTTP status, or what went wrong."""

    def __init__(self, api_url: str, calls: Counter, seconds: Histogram) -> None:
        self._base = api_url if api_url.endswith("/") else f"{api_url}/"
        self._calls = calls
        self._seconds = seconds

    async def started(self, _session: ClientSession, call: SimpleNamespace, sent: TraceRequestStartParams) -> None:
        address = str(sent.url.with_query(None))
        # Other addresses hold ids of workspaces and secrets.
        call.method = address.removeprefix(self._base) if address.startswith(self._base) else "response_url"
        call.at = time.perf_counter()
        call.is_json = False

    async def answered(self, _session: ClientSession, call: SimpleNamespace, got: TraceRequestEndParams) -> None:
        self._seconds.labels(call.method).observe(time.perf_counter() - call.at)
        response = got.response
        if response.status == 429:
            self._calls.labels(call.method, "ratelimited").inc()
        elif response.status != 200:
            self._calls.labels(call.method, f"http_{response.status}").inc()
        elif response.content_type == "application/json":
            # Whether Slack did it stands in the body, which is read next.
            call.is_json = True
        else:
            self._calls.labels(call.method, "ok" if call.method == "response_url" else "no_json").inc()

    async def read(self, _session: ClientSession, call: SimpleNamespace, got: TraceResponseChunkReceivedParams) -> None:
        if call.is_json:
            self._calls.labels(call.method, _result(got.chunk)).inc()

    async def failed(self, _session: ClientSession, call: SimpleNamespace, got: TraceRequestExceptionParams) -> None:
        match got.exception:
            case TimeoutError():
                result = "timeout"
            case asyncio.CancelledError():
                result = "cancelled"
            case _:
                result = "unreachable"
        self._calls.labels(call.method, result).inc()


_OK = re.compile(rb'\s*\{\s*"ok"\s*:\s*true\b')
_CODE = re.compile(r"[a-z_]{1,40}")


def _result(body: bytes) -> str:
    if _OK.match(body):
        return "ok"
    try:
        answer = json.loads(body)
        if answer.get("ok"):
            return "ok"
        code = str(answer.get("error"))
    except (ValueError, AttributeError):
        return "no_json"
    return code if _CODE.fullmatch(code) else "error"


class MetricsSite:
    """Serve /metrics for Prometheus, on loopback unless told otherwise; without a port nothing listens."""

    def __init__(
        self,
        metrics: Metrics,
        depth: Callable[[], Awaitable[Depth]],
        asks: Callable[[], Awaitable[Mapping[State, int]]],
        port: int | None,
        host: str = "127.0.0.1",
    ) -> None:
        self._metrics = metrics
        self._depth = depth
        self._asks = asks
        self._port = port
        self._host = host
        self._runner: web.AppRunner | None = None

    @property
    def address(self) -> str | None:
        """Return where the metrics are, None where nothing listens."""
        if self._runner is None:
            return None
        host, port = self._runner.addresses[0][:2]
        return f"http://{host}:{port}/metrics"

    async def start(self) -> None:
        """Listen. Raises SettingsError where the port is taken."""
        if self._port is None:
            return
        site = with_headers(web.Application())
        site.router.add_get("/metrics", self._show)
        runner = web.AppRunner(site, access_log=None, handle_signals=False, shutdown_timeout=1)
        await runner.setup()
        try:
            await web.TCPSite(runner, self._host, self._port).start()
        except OSError as error:
            await runner.cleanup()
            raise SettingsError(
                f"METRICS_HOST {self._host}, METRICS_PORT {self._port} can't be listened on: {error.strerror}"
            ) from error
        self._runner = runner
        logger.info("metrics at %s", self.address)

    async def stop(self) -> None:
        """Stop listening."""
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None

    async def _show(self, _request: web.Request) -> web.Response:
        # Each by itself: what is known is still worth knowing, now more than ever.
        try:
            async with asyncio.timeout(SCRAPE_SECONDS):
                self._metrics.inbox(await self._depth())
        except Exception as error:
            logger.warning("metrics without the inbox: %s", type(error).__name__)
            self._metrics.inbox(None)
        try:
            async with asyncio.timeout(SCRAPE_SECONDS):
                self._metrics.asks(await self._asks())
        except Exception as error:
            logger.warning("metrics without the questions: %s", type(error).__name__)
            self._metrics.asks({})
        return web.Response(body=self._metrics.page(), headers={"Content-Type": CONTENT_TYPE_LATEST})
