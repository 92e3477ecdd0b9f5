"""What becomes of a parsed payload of Slack, however it came: commands and clicks are answered, events written down.

HTTP (bot/server.py) and Socket Mode (bot/socket.py) share this.
"""

from __future__ import annotations

import asyncio
import json
import logging
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from typing import Any
from weakref import WeakValueDictionary

from slack_bolt.async_app import AsyncApp
from slack_bolt.request.async_request import AsyncBoltRequest
from slack_bolt.response import BoltResponse
from slack_sdk.web.async_client import AsyncWebClient

from bot.logs import about
from bot.metrics import Metrics, Outcome, Surface
from bot.tasks import Tasks
from bot.worker import Worker
from handlers import EVENTS
from handlers.errors import FAILURES, REFERENCE, PayloadError, new_reference, on_error
from handlers.late import early_answer, late_answer
from handlers.pace import MOST_PRESSES, MOST_SEARCHES, TOO_MUCH_AT_ONCE, Bursts, Monotonic
from handlers.payload_checks import INTERACTIONS, check_event, malformed
from handlers.payloads import as_id, as_text, command, event_actor, interaction_actor, is_question
from handlers.replies import ClientOf
from knowledge.ports import People
from storage.inbox import Event, SqlInbox
from storage.underway import BEGUN, underway_since

logger = logging.getLogger(__name__)
LONGEST_EVENT_ID = 64
MOST_LEVELS = 100
"""Objects and lists within each other; Slack's own go down some fifteen."""
PATIENCE = 2.0
"""Seconds after which a command or click is answered with "one moment", well before Slack's three."""
WRITING_SECONDS = 2.5
"""How long writing an event down may take: a database that hangs must not leave Slack without an answer."""


class Intake:
    """Take payloads; without a worker here events are left for another process.

    ``client`` has no token: it posts to addresses that need none.
    """

    def __init__(
        self,
        bolt: AsyncApp,
        inbox: SqlInbox,
        worker: Worker | None,
        tasks: Tasks,
        client: AsyncWebClient,
        client_of: ClientOf,
        now: Callable[[], datetime],
        metrics: Metrics,
        *,
        people: People,
        monotonic: Monotonic = time.monotonic,
    ) -> None:
        self._bolt = bolt
        self._inbox = inbox
        self._worker = worker
        self._tasks = tasks
        self._client = client
        self._client_of = client_of
        self._now = now
        self._metrics = metrics
        self._people = people
        self._searches = Bursts(monotonic, MOST_SEARCHES)
        self._presses = Bursts(monotonic, MOST_PRESSES)
        # Each is there as long as somebody holds it, or waits for it.
        self._turns: WeakValueDictionary[tuple[str, str], asyncio.Lock] = WeakValueDictionary()

    async def take(self, body: dict[str, Any]) -> BoltResponse:
        """Return what Slack is to be answered; a status other than 200 makes it send an event again."""
        started = time.perf_counter()
        # Where there is a view, Bolt takes it for one, whatever it is.
        body = {name: value for name, value in body.items() if value is not None}
        # What people are told to give their administrator, should it fail, is what the log knows the request by.
        reference = new_reference()
        outcome: Outcome = "failed"
        try:
            with about(request=reference, workspace=_workspace_of(body)), underway_since(self._now()):
                response, outcome = await self._take(body, reference)
        finally:
            self._metrics.request(surface_of(body), outcome, time.perf_counter() - started)
        return response

    async def _take(self, body: dict[str, Any], reference: str) -> tuple[BoltResponse, Outcome]:
        kind = str(body.get("type", ""))
        if reason := "nested too deeply" if _is_nested_deeper_than(MOST_LEVELS, body) else malformed(body):
            logger.info("refused as malformed: %s", reason)
            return BoltResponse(status=400, body=reason), "refused_400"
        if kind == "event_callback":
            response = await self._take_event(body, reference)
            return response, _EVENT_OUTCOMES.get(response.status, "not_written")
        if body.get("ssl_check"):
            return BoltResponse(status=200), "answered"
        if "command" in body or kind.startswith(INTERACTIONS):
            if self._is_too_much(body, kind):
                return _refusal(body), "limited"
            return await self._answer(body, reference)
        if kind == "url_verification":
            return _json({"challenge": str(body.get("challenge", ""))}), "answered"
        if kind == "app_rate_limited":
            logger.warning("app_rate_limited: Slack holds events of %s back", body.get("team_id"))
        else:
            logger.info("request of an unknown type acknowledged: %s", kind[:40])
        return BoltResponse(status=200), "answered"

    def _is_too_much(self, body: dict[str, Any], kind: str) -> bool:
        if "command" in body:
            return not self._presses.is_fair(command(body).actor)
        if kind.startswith("view_"):
            # What was typed into a form would be lost; it was opened by something that counts.
            return False
        bursts = self._searches if kind == "block_suggestion" else self._presses
        return not bursts.is_fair(interaction_actor(body))

    async def _answer(self, body: dict[str, Any], reference: str) -> tuple[BoltResponse, Outcome]:
        failures: list[Exception] = []
        dispatch = self._dispatch_in_turn if surface_of(body) == "options" else self._dispatch
        work = asyncio.ensure_future(dispatch(body, {REFERENCE: reference, FAILURES: failures}))
        done, _ = await asyncio.wait({work}, timeout=PATIENCE)
        if done:
            return work.result(), "failed" if failures else "answered"
        # Choices that come too late Slack takes from nobody, and whoever types has typed on.
        late = _cancel(work) if surface_of(body) == "options" else self._answer_late(body, work)
        self._tasks.start(late)
        return early_answer(body), "late"

    async def _answer_late(self, body: dict[str, Any], work: asyncio.Future[BoltResponse]) -> None:
        # A response_url needs no token: it takes the answer even where the app is not installed any more.
        client = await self._client_of(_workspace_of(body)) or self._client
        await late_answer(body, work, client)

    async def _dispatch_in_turn(self, body: dict[str, Any], context: dict[str, Any]) -> BoltResponse:
        """Work one search of a person off after the other: beside each other they would hold everybody else up."""
        actor = interaction_actor(body)
        async with self._turns.setdefault((actor.workspace, actor.user), asyncio.Lock()):
            return await self._dispatch(body, context)

    async def _dispatch(self, body: dict[str, Any], context: dict[str, Any]) -> BoltResponse:
        try:
            request = bolt_request(body, context)
        except PayloadError as error:
            logger.info("refused as malformed: %s", error)
            return BoltResponse(status=400, body=str(error))
        try:
            response = await self._bolt.async_dispatch(request)
        except Exception as error:
            # Some errors escape Bolt's own handling, e.g. a view_submission without a view type.
            return await on_error(error, body, {"client": self._client, **context})
        if response.status == 404:
            logger.info("no listener for %s", str(body.get("type") or body.get("command"))[:40])
            return BoltResponse(status=200)
        return response

    async def _take_event(self, body: dict[str, Any], reference: str) -> BoltResponse:
        try:
            found = inbox_event(body)
        except PayloadError as error:
            logger.info("event refused as malformed: %s", error)
            return BoltResponse(status=400, body=str(error))
        if found is None:
            return BoltResponse(status=200)
        event = replace(found, received=BEGUN.get())
        with about(event=event.event_id, workspace=event.workspace):
            try:
                added = await self._write_down(event, about_people=body["event"]["type"] == "user_change")
            except Exception:
                # Not acknowledged: Slack sends it again, at once, after a minute and after five.
                logger.exception("reference %s: event %s could not be written down", reference, event.event_id)
                return BoltResponse(status=503, body="not written down")
        if added is None:
            return BoltResponse(status=200)
        if not added:
            self._metrics.event("repeated")
        elif self._worker is not None:
            self._worker.take(event)
        return BoltResponse(status=200)

    async def _write_down(self, event: Event, *, about_people: bool) -> bool | None:
        """Return whether the event is new; None for one about somebody who declared nothing, which is dropped."""
        work = asyncio.ensure_future(self._add(event, about_people))
        try:
            done, _ = await asyncio.wait({work}, timeout=WRITING_SECONDS)
            if not done:
                raise TimeoutError(f"not written down within {WRITING_SECONDS} s")
        except BaseException:
            # Not waited for: where the database hangs, so may its rollback.
            self._tasks.start(self._abandon(work, event))
            raise
        return work.result()

    async def _add(self, event: Event, about_people: bool) -> bool | None:
        # A large workspace changes thousands of profiles a day, nearly all of people who declared nothing.
        if about_people and not await self._people.declares(event.workspace, event.user or ""):
            return None
        return await self._inbox.add(event, self._now(), free=self._worker is None, unasked=about_people)

    async def _abandon(self, work: asyncio.Future[bool | None], event: Event) -> None:
        work.cancel()
        await asyncio.wait({work})
        if work.cancelled():
            return
        if error := work.exception():
            logger.info("event %s, too late: %s", event.event_id, type(error).__name__)
        elif work.result():
            # Written after all, and told to Slack as not: nobody works on it here.
            self._inbox.let_go(event)


async def _cancel(work: asyncio.Future[BoltResponse]) -> None:
    """Stop what nobody can be told any more; the next search of the person does not wait for it."""
    work.cancel()
    await asyncio.wait({work})
    if not work.cancelled() and (error := work.exception()):
        logger.info("cancelled, and failed at that: %s", type(error).__name__)


_EVENT_OUTCOMES: dict[int, Outcome] = {200: "answered", 400: "refused_400"}


def surface_of(body: dict[str, Any]) -> Surface:
    """Say where in Slack a request comes from."""
    if "command" in body:
        return "command"
    kind = str(body.get("type", ""))
    return next((surface for start, surface in _SURFACES.items() if kind.startswith(start)), "other")


_SURFACES: dict[str, Surface] = {
    "event_callback": "event",
    "block_actions": "button",
    "interactive_message": "button",
    "view_": "view",
    "shortcut": "shortcut",
    "message_action": "shortcut",
    "block_suggestion": "options",
}


def _workspace_of(body: dict[str, Any]) -> str:
    """Return the workspace for the log; nothing where the payload is not as it should be."""

    def found(name: str) -> str:
        value = body.get(f"{name}_id")
        inner = body.get(name)
        if value is None and isinstance(inner, dict):
            value = inner.get("id")
        return value if isinstance(value, str) else ""

    org_wide = body.get("is_enterprise_install") in (True, "true")
    return (org_wide and found("enterprise")) or found("team")


def bolt_request(body: dict[str, Any], context: dict[str, Any]) -> AsyncBoltRequest:
    """Return the body as Bolt takes it. Raises PayloadError where Bolt can't find team, user and channel in it.

    mode socket_mode: Bolt takes the body as parsed here. Its own parser empties every form with the word "payload" in
    it (slack_bolt/request/internals.py), and it would verify the signature a second time.
    """
    try:
        return AsyncBoltRequest(body=body, mode="socket_mode", context=context)
    except (TypeError, AttributeError, KeyError, IndexError) as error:
        raise PayloadError("team, enterprise, user, channel or what holds them: not of their form") from error


def inbox_event(body: dict[str, Any]) -> Event | None:
    """Return the event to write down, or None for one that nothing answers. Raises PayloadError."""
    event = body.get("event")
    if not isinstance(event, dict) or not isinstance(event.get("type"), str):
        raise PayloadError("event: missing or not readable")
    kind = event["type"]
    if kind not in EVENTS:
        logger.info("event acknowledged without a listener: %s", kind[:40])
        return None
    check_event(event)
    bolt_request(body, {})
    channel = message_ts = None
    if kind in ("message", "app_mention"):
        if not is_question(event) or (kind == "message" and event.get("channel_type") != "im"):
            return None
        channel, message_ts = as_id(event.get("channel")), as_id(event["ts"])
        as_id(event.get("thread_ts") or message_ts)
        as_text(event.get("text") or "")
    actor = event_actor(body)
    return Event(
        workspace=actor.workspace,
        event_id=as_id(body.get("event_id"), LONGEST_EVENT_ID),
        body=json.dumps(body),
        channel=channel,
        message_ts=message_ts,
        user=actor.user or None,
    )


def _is_nested_deeper_than(most: int, body: dict[str, Any]) -> bool:
    """Look level by level: how deep json may go depends on who calls it, and what was written must be read again."""
    level: list[Any] = [body]
    for _ in range(most):
        level = [
            inner
            for outer in level
            for inner in (outer.values() if isinstance(outer, dict) else outer)
            if isinstance(inner, dict | list)
        ]
        if not level:
            return False
    return True


def _refusal(body: dict[str, Any]) -> BoltResponse:
    """Answer what is too much at once; what was pressed is acknowledged, and nothing more."""
    if "command" in body:
        return _json({"response_type": "ephemeral", "text": TOO_MUCH_AT_ONCE})
    return early_answer(body)


def _json(body: dict[str, Any]) -> BoltResponse:
    return BoltResponse(status=200, body=json.dumps(body), headers={"Content-Type": "application/json"})
