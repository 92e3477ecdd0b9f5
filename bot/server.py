"""The front door: one route for everything that Slack sends, verified, parsed, then dispatched."""

from __future__ import annotations

import asyncio
import json
import re
from typing import Any
from urllib.parse import parse_qs

from aiohttp import web
from slack_bolt.adapter.aiohttp import to_aiohttp_response
from slack_sdk.signature import SignatureVerifier

from bot.intake import Intake
from bot.metrics import Metrics

MOST_BYTES = 1024 * 1024
MOST_FIELDS = 100
LONGEST_TIMESTAMP = 12
READING_SECONDS = 10.0
"""How long a body may take to arrive; Slack has given up after three."""


class MalformedBody(Exception):
    """Report a body that is none of Slack's."""


class FrontDoor:
    """Take requests over HTTP: the signature on the raw body first, then the body, then what it asks."""

    def __init__(
        self, intake: Intake, signing_secret: str, metrics: Metrics, *, reading: float = READING_SECONDS
    ) -> None:
        self._intake = intake
        self._reading = reading
        self._metrics = metrics
        self._verifier = SignatureVerifier(signing_secret)

    async def receive(self, request: web.Request) -> web.StreamResponse:
        """Answer one request of Slack."""
        try:
            async with asyncio.timeout(self._reading):
                raw = await request.read()
        except TimeoutError:
            self._metrics.request("other", "refused_408")
            return web.Response(status=408, text="the body took too long")
        except (web.RequestPayloadError, ConnectionError):
            self._metrics.request("other", "refused_400")
            return web.Response(status=400, text="the body can't be read")
        except web.HTTPRequestEntityTooLarge:
            self._metrics.request("other", "refused_413")
            raise
        if not self._is_signed(request, raw):
            self._metrics.request("other", "refused_401")
            return web.Response(status=401, text="signature not valid")
        try:
            body = parse(raw, request.content_type)
        except MalformedBody as error:
            self._metrics.request("other", "refused_400")
            return web.Response(status=400, text=str(error))
        return await to_aiohttp_response(await self._intake.take(body))

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
