"""What goes wrong between Slack and the guide, and what people read then."""

from __future__ import annotations

import json
import logging
import secrets
from typing import Any

from slack_bolt.response import BoltResponse
from slack_sdk.webhook.async_client import AsyncWebhookClient

logger = logging.getLogger(__name__)


class PayloadError(Exception):
    """Report a payload of Slack that lacks what it must have."""


def new_reference() -> str:
    """Return a short id that people read and the log holds."""
    return secrets.token_hex(4)


def apology(reference: str) -> str:
    """Return what a person reads after a failure; the log holds the details under the same reference."""
    return (
        "Sorry, something went wrong on my side. Please try again. "
        f"If it stays, give your administrator this reference: {reference}"
    )


async def on_error(error: Exception, body: dict[str, Any]) -> BoltResponse:
    """Log a failure under a reference and tell the person in the way that the surface allows.

    Events get a 500 instead: the inbox tries them again, and apologises itself when it gives up.
    """
    reference = new_reference()
    logger.error("reference %s: %s failed", reference, _surface(body), exc_info=error)
    text = apology(reference)
    if "command" in body:
        return _json({"response_type": "ephemeral", "text": text})
    if body.get("type") == "view_submission":
        inputs = [block["block_id"] for block in body["view"].get("blocks", ()) if block.get("type") == "input"]
        # An error beside the first field keeps the modal open: nothing that was typed is lost.
        return _json({"response_action": "errors", "errors": {inputs[0]: text}}) if inputs else _json({})
    if body.get("response_url"):
        await AsyncWebhookClient(body["response_url"]).send(
            text=text, response_type="ephemeral", replace_original=False
        )
        return BoltResponse(status=200)
    return BoltResponse(status=500)


def _surface(body: dict[str, Any]) -> str:
    if "command" in body:
        return "command"
    event = body.get("event")
    return f"event {event.get('type')}" if isinstance(event, dict) else str(body.get("type"))


def _json(body: dict[str, Any]) -> BoltResponse:
    return BoltResponse(status=200, body=json.dumps(body), headers={"Content-Type": "application/json"})
