"""Posting to a response_url: repeated where Slack took nothing, never after a lost connection."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from aiohttp import ClientError
from slack_sdk.http_retry.request import HttpRequest
from slack_sdk.http_retry.response import HttpResponse
from slack_sdk.http_retry.state import RetryState
from slack_sdk.web.async_client import AsyncWebClient
from slack_sdk.webhook.async_client import AsyncWebhookClient


class ReplyError(Exception):
    """Report a reply that Slack did not take."""


ELSEWHERE = "response_url leads elsewhere than to Slack"
BROKEN = (ReplyError, ClientError, TimeoutError, OSError)
"""What posting to a response_url fails with."""
SLACKS = frozenset({("https", "hooks.slack.com", None), ("https", "hooks.slack-gov.com", None)})
"""Where Slack's own addresses lead (https://docs.slack.dev/interactivity/handling-user-interaction)."""


async def send_to(url: str, body: dict[str, Any], client: AsyncWebClient | None) -> None:
    """Post to a response_url as the client posts to Slack. Raises ReplyError where Slack does not take it.

    Nothing is posted to an address that is neither Slack's nor of the place that the client calls.

    The client's retry handlers are asked here: the SDK's webhook client asks them about 429 and lost connections alone,
    and tells them the address, which lets anybody post, and which they log.
    """
    if not is_slacks(url, client):
        raise ReplyError(ELSEWHERE)
    if client is None:
        raise ReplyError("there is no session to post to response_url by")
    webhook = AsyncWebhookClient(
        url,
        timeout=client.timeout,
        proxy=client.proxy,
        ssl=client.ssl,
        session=client.session,
        retry_handlers=[],
    )
    request = HttpRequest(method="POST", url="response_url", headers={})
    state = RetryState()
    while True:
        answer = await webhook.send_dict(body)
        if answer.status_code == 200:
            return
        response = HttpResponse(status_code=answer.status_code, headers=answer.headers)
        state.next_attempt_requested = False
        for handler in client.retry_handlers:
            if await handler.can_retry_async(state=state, request=request, response=response):
                await handler.prepare_for_next_attempt_async(state=state, request=request, response=response)
                break
        if not state.next_attempt_requested:
            # Used up (five posts), older than thirty minutes, or Slack is in trouble for longer.
            raise ReplyError(f"response_url answered {answer.status_code}")


def is_slacks(url: str, client: AsyncWebClient | None) -> bool:
    """Tell whether an address is one of Slack's, or of the place that the client calls, such as a local workspace."""
    where = _origin(url)
    return where is not None and (where in SLACKS or (client is not None and where == _origin(client.base_url)))


def _origin(url: str) -> tuple[str, str, int | None] | None:
    """Return scheme, host and port; None for what is no address, or holds a name and password."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return None
    if not parts.hostname or "@" in parts.netloc or not url.isprintable() or "\\" in url:
        return None
    return parts.scheme, parts.hostname, None if port == _USUAL_PORTS.get(parts.scheme) else port


_USUAL_PORTS = {"http": 80, "https": 443}
