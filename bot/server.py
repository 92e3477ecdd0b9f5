"""The front door: one route for everything that Slack sends, verified, parsed, then dispatched."""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Callable
from datetime import datetime
from typing import Any
from urllib.parse import parse_qs

from aiohttp import web
from slack_bolt.adapter.aiohttp import to_aiohttp_response
from slack_bolt.async_app import AsyncApp
from slack_bolt.request.async_request import AsyncBoltRequest
from slack_sdk.signature import SignatureVerifier

from bot.worker import Worker
from handlers import EVENTS
from handlers.errors import PayloadError, new_reference, on_error
from handlers.payloads import as_text, event_actor, is_question
from storage.inbox import Event, SqlInbox

logger = logging.getLogger(__name__)
MOST_BYTES = 1024 * 1024
MOST_FIELDS = 100
LONGEST_TIMESTAMP = 12


class MalformedBody(Exception):
    """Report a body that is none of Slack's."""


class FrontDoor:
    """Take requests from Slack: commands and clicks to Bolt and answered at once, events to the inbox first."""

    def __init__(
        self, bolt: AsyncApp, inbox: SqlInbox, worker: Worker, signing_secret: str, now: Callable[[], datetime]
    ) -> None:
        self._bolt = bolt
        self._inbox = inbox
        self._worker = worker
        self._now = now
        self._verifier = SignatureVerifier(signing_secret)

    async def receive(self, request: web.Request) -> web.StreamResponse:
        """Answer one request of Slack."""
        raw = await request.read()
        if not self._is_signed(request, raw):
            return web.Response(status=401, text="signature not valid")
        try:
            body = parse(raw, request.content_type)
        except MalformedBody as error:
            return web.Response(status=400, text=str(error))
        if body.get("type") == "url_verification":
            return web.json_response({"challenge": str(body.get("challenge", ""))})
        if body.get("type") == "event_callback":
            return await self._receive_event(body)
        if body.get("ssl_check"):
            return web.Response()
        if body.get("type") == "app_rate_limited":
            logger.warning("app_rate_limited: Slack holds events of %s back", body.get("team_id"))
            return web.Response()
        if "command" not in body and not str(body.get("type", "")).startswith(INTERACTIONS):
            logger.info("request of an unknown type acknowledged: %s", str(body.get("type"))[:40])
            return web.Response()
        return await self._dispatch(body)

    def _is_signed(self, request: web.Request, raw: bytes) -> bool:
        timestamp = request.headers.get("X-Slack-Request-Timestamp", "")
        signature = request.headers.get("X-Slack-Signature", "")
        # The SDK's verifier raises on these instead of refusing them.
        if not (timestamp.isascii() and timestamp.isdigit() and len(timestamp) <= LONGEST_TIMESTAMP):
            return False
        if not signature.isascii():
            return False
        try:
            return self._verifier.is_valid(body=raw, timestamp=timestamp, signature=signature)
        except UnicodeDecodeError:
            return False

    async def _dispatch(self, body: dict[str, Any]) -> web.StreamResponse:
        # mode socket_mode: Bolt takes the body as parsed here. Its own parser empties every form with the word
        # "payload" in it (slack_bolt/request/internals.py), and it would verify the signature a second time.
        try:
            response = await self._bolt.async_dispatch(AsyncBoltRequest(body=body, mode="socket_mode"))
        except Exception as error:
            # Some errors escape Bolt's own handling, e.g. a view_submission without a view type.
            response = await on_error(error, body)
        if response.status == 404:
            logger.info("no listener for %s", str(body.get("type") or body.get("command"))[:40])
            return web.Response()
        return await to_aiohttp_response(response)

    async def _receive_event(self, body: dict[str, Any]) -> web.Response:
        try:
            event = inbox_event(body)
        except (PayloadError, KeyError, TypeError, AttributeError):
            return web.Response(status=400, text="event not readable")
        if event is None:
            return web.Response()
        try:
            added = await self._inbox.add(event, self._now())
        except Exception:
            # Not acknowledged: Slack sends it again, at once, after a minute and after five.
            logger.exception("reference %s: event %s could not be written down", new_reference(), event.event_id)
            return web.Response(status=500, text="not written down")
        if added:
            self._worker.take(event)
        return web.Response()


INTERACTIONS = ("block_actions", "view_", "shortcut", "message_action", "block_suggestion", "interactive_message")


def parse(raw: bytes, content_type: str) -> dict[str, Any]:
    """Parse a body of Slack: JSON, a form with one JSON field ``payload``, or a slash command's form.

    Raises MalformedBody with a sentence.
    """
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError as error:
        raise MalformedBody("the body is not UTF-8") from error
    if content_type == "application/x-www-form-urlencoded":
        try:
            form = parse_qs(text, keep_blank_values=True, max_num_fields=MOST_FIELDS, errors="strict")
        except ValueError as error:
            raise MalformedBody("the form can't be read") from error
        if "payload" not in form or "command" in form:
            return {name: values[0] for name, values in form.items()}
        text = form["payload"][0]
    try:
        body = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise MalformedBody("the body is not JSON") from error
    if not isinstance(body, dict):
        raise MalformedBody("the body is not a JSON object")
    if _HALF_SIGN.search(text) and not _is_text(body):
        raise MalformedBody("the body holds half a sign")
    return body


_HALF_SIGN = re.compile(r"\\u[dD][89a-fA-F]")
"""JSON can spell a lone surrogate, which is no text: neither a database nor an answer can hold it."""


def _is_text(body: dict[str, Any]) -> bool:
    try:
        json.dumps(body, ensure_ascii=False).encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True


def inbox_event(body: dict[str, Any]) -> Event | None:
    """Return the event to write down, or None for one that nothing answers."""
    event = body["event"]
    kind = event["type"]
    if kind not in EVENTS:
        logger.info("event acknowledged without a listener: %s", str(kind)[:40])
        return None
    channel = message_ts = None
    if kind in ("message", "app_mention"):
        if not is_question(event) or (kind == "message" and event.get("channel_type") != "im"):
            return None
        channel, message_ts = as_text(event["channel"]), as_text(event["ts"])
    actor = event_actor(body)
    return Event(
        workspace=actor.workspace,
        event_id=as_text(body["event_id"])[:64],
        body=json.dumps(body),
        channel=channel,
        message_ts=message_ts,
        user=actor.user or None,
    )
