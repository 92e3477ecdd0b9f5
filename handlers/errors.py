"""What goes wrong between Slack and the guide, and what people read then."""

from __future__ import annotations

import json
import logging
import secrets
from collections.abc import Mapping
from typing import Any

from aiohttp import ClientConnectorError, ClientError, ClientHttpProxyError, ConnectionTimeoutError
from slack_bolt.response import BoltResponse
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from handlers.blocks.message import Block, plain, section
from handlers.response_url import BROKEN, send_to
from knowledge.errors import ForgottenSince, KeyMissing

logger = logging.getLogger(__name__)
REFERENCE = "reference"
"""The name in Bolt's context of a reference that was chosen before, so that several attempts share it."""
FAILURES = "failures"
"""The name in Bolt's context of a list that failures are added to, for whoever dispatched."""


class PayloadError(Exception):
    """Report a payload of Slack that lacks what it must have."""


class NotInstalled(Exception):
    """Report a request from where the app is not installed; given the link to install it, if that is known."""

    def __init__(self, link: str = "") -> None:
        where = f"An administrator can install me: {link}" if link else "An administrator can install me."
        super().__init__(f"I am not installed in this workspace any more. {where}")


class LeaseLost(Exception):
    """Report that another process has taken the event over: it will answer, we must not."""


OUT_OF_REACH = 503
"""The status of an event that failed because Slack, or the database, could not be reached: it can be tried later."""
NOT_INSTALLED = 410
"""The status of an event that failed because the app has no valid token any more: trying again can't help."""
KEY_MISSING = 423
"""The status of an event that needs a key which this process does not have: it is another's to answer."""
VOID = frozenset({"invalid_auth", "account_inactive", "token_revoked", "token_expired", "not_authed"})
"""What Slack answers to a token that is void (https://docs.slack.dev/reference/methods/auth.test)."""


def code_of(error: SlackApiError) -> str:
    """Return what Slack answered instead; "no JSON" for what is none of Slack's, e.g. a page of a proxy in between."""
    # The SDK puts in the HTTP response then, or Slack's with a text in it.
    said = getattr(error.response, "data", None)
    return str(said.get("error") or "an error") if isinstance(said, dict) else "no JSON"


def out_of_reach(error: Exception) -> bool:
    """Tell whether the failure is one of the network, of a rate limit or of a server, and not an answer of Slack."""
    if isinstance(error, SlackApiError):
        # What is no JSON object of Slack has no "error", e.g. a page of a proxy in between.
        status, said = getattr(error.response, "status_code", 0), getattr(error.response, "data", None)
        code = said.get("error") if isinstance(said, dict) else None
        return status == 429 or status >= 500 or code is None or code in _PASSING
    return isinstance(error, ClientError | TimeoutError | OSError)


_PASSING = frozenset({"ratelimited", "rate_limited", "service_unavailable", "internal_error", "token_expired"})
"""A token that ran out is renewed: by this process, or by another, once Slack lets us."""


UNSURE = frozenset({"internal_error", "fatal_error"})
"""After these, says Slack, some of what was asked for may be done (https://docs.slack.dev/reference/methods/chat.postMessage)."""
NOT_CONNECTED = (ClientConnectorError, ConnectionTimeoutError, ClientHttpProxyError)
"""Nobody was there, or a proxy let nobody through: Slack was told nothing."""


def is_refusal(status: int, code: str | None) -> bool:
    """Tell whether an answer, of Slack or of what stands before it, means that nothing was done.

    A gateway that waited in vain (504), and an answer that is none of Slack's, say nothing about it.
    """
    if code is not None:
        return code not in UNSURE
    return status == 429 or (status >= 500 and status != 504)


def perhaps_posted(error: Exception) -> bool:
    """Tell whether nobody knows if Slack took a post: its answer was lost, did not come in time, or says too little."""
    if isinstance(error, SlackApiError):
        # Where it is no JSON, the SDK puts in the HTTP response, whose status has another name.
        answer = error.response
        status: Any = getattr(answer, "status_code", None) or getattr(answer, "status", 0)
        said = getattr(answer, "data", None)
        return not is_refusal(status, said.get("error") if isinstance(said, dict) else None)
    return out_of_reach(error) and not isinstance(error, NOT_CONNECTED)


def may_begin_again(error: Exception) -> bool:
    """Tell whether a message that nobody asked for may be tried again: surely not posted, and for no lasting reason.

    Whatever may be posted already is left at that, so that nobody gets it twice. An answer to a question is another
    matter: it is tried again also then (see docs/reliability.md).
    """
    return (out_of_reach(error) or token_is_void(error)) and not perhaps_posted(error)


def token_is_void(error: Exception) -> bool:
    """Tell whether Slack answered that the token is void: the app was removed, or its token revoked."""
    said = getattr(error.response, "data", None) if isinstance(error, SlackApiError) else None
    return isinstance(said, dict) and said.get("error") in VOID


def new_reference() -> str:
    """Return a short id that people read and the log holds."""
    return secrets.token_hex(4)


def apology(reference: str) -> str:
    """Return what a person reads after a failure; the log holds the details under the same reference."""
    return (
        "Sorry, something went wrong on my side. Please try again. "
        f"If it stays, give your administrator this reference: {reference}"
    )


async def on_error(error: Exception, body: dict[str, Any], context: Mapping[str, Any] | None = None) -> BoltResponse:
    """Log a failure under a reference and tell the person in the way that the surface allows.

    Events get a 500 instead: the inbox tries them again, and apologises itself when it gives up.
    """
    if isinstance(error, LeaseLost):
        return BoltResponse(status=409)
    if isinstance(error, KeyMissing) and body.get("type") == "event_callback":
        return BoltResponse(status=KEY_MISSING)
    known = context or {}
    reference = str(known.get(REFERENCE) or new_reference())
    known.get(FAILURES, []).append(error)
    if isinstance(error, NotInstalled):
        logger.warning("reference %s: %s: the app is not installed there", reference, _surface(body))
    elif isinstance(error, ForgottenSince):
        logger.info("reference %s: %s: who asked for it was forgotten meanwhile", reference, _surface(body))
    else:
        logger.error("reference %s: %s failed", reference, _surface(body), exc_info=error)
    text = str(error) if isinstance(error, NotInstalled | ForgottenSince) else apology(reference)
    if "command" in body:
        return _json({"response_type": "ephemeral", "text": text})
    if body.get("type") == "view_submission":
        # An error beside the first field keeps the modal open: nothing that was typed is lost.
        first = _first_input(body.get("view"))
        return _json({"response_action": "errors", "errors": {first: text}} if first else {})
    if body.get("type") == "event_callback":
        if isinstance(error, NotInstalled) or (token_is_void(error) and not out_of_reach(error)):
            return BoltResponse(status=NOT_INSTALLED)
        return BoltResponse(status=OUT_OF_REACH if out_of_reach(error) else 500)
    if body.get("type") == "block_suggestion":
        return _json({"options": []})
    try:
        await _tell(body, text, known.get("client"))
    except Exception:
        logger.exception("reference %s: the person could not be told", reference)
    return BoltResponse(status=200)


async def _tell(body: dict[str, Any], text: str, client: AsyncWebClient | None) -> None:
    """Answer a button or a shortcut where the person looks: the conversation, a modal, or else a direct message."""
    if body.get("response_url"):
        answer = {"text": text, "response_type": "ephemeral", "replace_original": False}
        try:
            await send_to(body["response_url"], answer, client)
        except BROKEN:
            if client is None or not body.get("user"):
                raise
            await client.chat_postMessage(channel=body["user"]["id"], text=text)
    elif client and body.get("trigger_id") and (body.get("view") or {}).get("type") == "modal":
        await client.views_push(trigger_id=body["trigger_id"], view=_modal(text))
    elif client and body.get("trigger_id") and body.get("type") in ("shortcut", "message_action"):
        await client.views_open(trigger_id=body["trigger_id"], view=_modal(text))
    elif client and body.get("user"):
        await client.chat_postMessage(channel=body["user"]["id"], text=text)


def _modal(text: str) -> Block:
    return {
        "type": "modal",
        "title": plain("GenAI roles", 24),
        "close": plain("Close", 24),
        "blocks": [section(text)],
    }


def _first_input(view: object) -> str | None:
    blocks = view.get("blocks") if isinstance(view, Mapping) else None
    found = [block for block in blocks or () if isinstance(block, Mapping) and block.get("type") == "input"]
    return str(found[0]["block_id"]) if found and found[0].get("block_id") else None


def _surface(body: dict[str, Any]) -> str:
    if "command" in body:
        return "command"
    event = body.get("event")
    return f"event {str(event.get('type'))[:40]}" if isinstance(event, dict) else str(body.get("type"))[:40]


def _json(body: dict[str, Any]) -> BoltResponse:
    return BoltResponse(status=200, body=json.dumps(body), headers={"Content-Type": "application/json"})
