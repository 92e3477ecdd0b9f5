"""Calls to Slack: one session for all, and trying again where Slack says that nothing was done."""

from __future__ import annotations

import asyncio
import logging
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from contextvars import ContextVar
from typing import Any
from urllib.parse import urlsplit

import aiohttp
from slack_sdk.errors import SlackApiError
from slack_sdk.http_retry.async_handler import AsyncRetryHandler
from slack_sdk.http_retry.request import HttpRequest
from slack_sdk.http_retry.response import HttpResponse
from slack_sdk.http_retry.state import RetryState
from slack_sdk.web.async_client import AsyncWebClient
from slack_sdk.web.async_slack_response import AsyncSlackResponse

from bot.settings import Settings
from handlers.errors import is_refusal
from handlers.limits import RateLimits, posting

logger = logging.getLogger(__name__)
SLACK_SECONDS = 20
"""Seconds until a call is given up; Slack itself may think for more than ten."""
MOST_RETRIES = 3
LONGEST_WAIT = 60.0
"""The longest Retry-After that is waited for; beyond it the event is tried again as a whole."""
SERVER_ERROR_SECONDS = (0.2, 1.0, 3.0)
Sleep = Callable[[float], Awaitable[None]]
Waited = Callable[[str, float], None]
with_slot: ContextVar[asyncio.Semaphore | None] = ContextVar("with_slot", default=None)
"""What bounds the work at the same time, where the call is part of such work: it is left to others while we wait."""


class RetryRefused(AsyncRetryHandler):
    """Call again what Slack refused: 429 after its Retry-After, 5xx after a pause that grows.

    Both mean that nothing was posted, so that trying again cannot post twice. A lost connection is another matter, and
    so is an answer that leaves it open (see ``is_refusal``): nobody knows whether Slack had taken the post, and it is
    not repeated here. Only posting waits: a modal's trigger is void after three seconds anyway, a browser waits for
    what OAuth says, and a token is to be renewed before another process may try. What Slack refuses for its rate limit
    is kept in ``limits``, by method and channel: other posts to the same channel wait too, before they are made, and
    those to other channels do not.
    """

    def __init__(self, sleep: Sleep = asyncio.sleep, waited: Waited | None = None) -> None:
        super().__init__()
        self._sleep = sleep
        self._waited = waited
        self.limits = RateLimits(self._pause)

    async def can_retry_async(
        self,
        *,
        state: RetryState,
        request: HttpRequest,
        response: HttpResponse | None = None,
        error: Exception | None = None,
    ) -> bool:
        """Tell whether the call may be repeated."""
        if response is None or _method(request).startswith(("views.", "oauth.")):
            return False
        again = state.current_attempt < MOST_RETRIES
        if response.status_code == 429:
            again = again and retry_after(response.headers) <= LONGEST_WAIT and _method(request) != "auth.test"
            if not again and (place := _place(request)):
                self.limits.told(place, min(retry_after(response.headers), LONGEST_WAIT))
            return again
        code = (response.body or {}).get("error") if isinstance(response.body, dict) else None
        return again and response.status_code >= 500 and is_refusal(response.status_code, code)

    async def prepare_for_next_attempt_async(
        self,
        *,
        state: RetryState,
        request: HttpRequest,
        response: HttpResponse | None = None,
        error: Exception | None = None,
    ) -> None:
        """Wait as long as Slack asks for."""
        limited = response is not None and response.status_code == 429
        pause = (
            retry_after(response.headers)
            if limited and response is not None
            else SERVER_ERROR_SECONDS[min(state.current_attempt, len(SERVER_ERROR_SECONDS) - 1)]
        )
        method = _method(request)
        logger.warning("%s: %s; trying again in %s s", method, "rate limit" if limited else "server error", pause)
        if limited and self._waited is not None:
            self._waited(method, pause)
        if limited and (place := _place(request)):
            self.limits.told(place, pause)
            await self.limits.wait(place, least=pause)
        else:
            await self._pause(pause)
        state.next_attempt_requested = True
        state.increment_current_attempt()

    async def _pause(self, seconds: float) -> None:
        slot = with_slot.get()
        if slot is None:
            await self._sleep(seconds)
            return
        slot.release()
        try:
            await self._sleep(seconds)
        finally:
            await slot.acquire()


def _method(request: HttpRequest) -> str:
    return request.url.rsplit("/", 1)[-1]


def _place(request: HttpRequest) -> tuple[str, str] | None:
    place = posting.get()
    return place if place is not None and place[0] == _method(request) else None


def retry_after(headers: Mapping[str, str | list[str]]) -> float:
    """Return how many seconds Slack asks to wait; one where it does not say so."""
    found = {name.lower(): value for name, value in headers.items()}.get("retry-after") or "1"
    try:
        return max(0.0, float(found if isinstance(found, str) else found[0]))
    except ValueError:
        return 1.0


def limited_for(error: SlackApiError) -> float | None:
    """Return how many seconds Slack asks to wait where it refused a call for its rate limit; None where it did not."""
    # Where it is no JSON, the SDK puts in the HTTP response, whose status has another name.
    answer: Any = error.response
    status = getattr(answer, "status_code", None) or getattr(answer, "status", 0)
    return retry_after(answer.headers) if status == 429 else None


def slack_client(
    settings: Settings, token: str | None = None, sleep: Sleep = asyncio.sleep, waited: Waited | None = None
) -> AsyncWebClient:
    """Make a client for Slack's Web API; ``waited`` is told the method and seconds of each wait for a rate limit."""
    url = settings.slack_api_url if settings.slack_api_url.endswith("/") else f"{settings.slack_api_url}/"
    trust = ssl.create_default_context(cafile=settings.ssl_cert_file) if settings.ssl_cert_file else None
    proxy = None if _is_near(url) else settings.https_proxy
    client = AsyncWebClient(
        token=token,
        base_url=url,
        timeout=SLACK_SECONDS,
        proxy=proxy,
        ssl=trust,
        retry_handlers=[RetryRefused(sleep, waited)],
    )
    # Without one the SDK looks for one in the environment.
    client.proxy = proxy
    return client


def with_token(client: AsyncWebClient, token: str) -> AsyncWebClient:
    """Return a client that is as the given one, but for its token; they share the session and what limits are known."""
    made = AsyncWebClient(
        token=token,
        base_url=client.base_url,
        timeout=client.timeout,
        ssl=client.ssl,
        proxy=client.proxy,
        session=client.session,
        retry_handlers=client.retry_handlers,
    )
    made.proxy = client.proxy
    return made


async def oauth_access(client: AsyncWebClient, client_id: str, client_secret: str, **asked: str) -> AsyncSlackResponse:
    """Call oauth.v2.access, which exchanges a code or a refresh token for a token.

    The SDK's own method sends id and secret by a class that aiohttp will drop.
    """
    return await client.api_call(
        "oauth.v2.access", data={"client_id": client_id, "client_secret": client_secret, **asked}
    )


def _is_near(url: str) -> bool:
    """Tell whether the address needs no proxy: a stand-in's without TLS, or one of this machine."""
    address = urlsplit(url)
    return address.scheme == "http" or address.hostname in ("localhost", "127.0.0.1", "::1")


def open_session(*traces: aiohttp.TraceConfig, seconds: float = SLACK_SECONDS) -> aiohttp.ClientSession:
    """Open the session that all calls share: the SDK would otherwise open a connection for each call."""
    return aiohttp.ClientSession(
        trace_configs=[refusing_redirects(), *traces],
        timeout=aiohttp.ClientTimeout(total=seconds),
        trust_env=False,
    )


@asynccontextmanager
async def single_client(
    settings: Settings, token: str | None = None, *, seconds: float = SLACK_SECONDS
) -> AsyncIterator[AsyncWebClient]:
    """Give a client for a call or two outside of the bot: without a session the SDK follows redirects.

    ``seconds`` is how long a call may take: the SDK's own limit does not hold for a session that it is given.
    """
    client = slack_client(settings, token)
    async with open_session(seconds=seconds) as client.session:
        yield client


class RedirectRefusedError(aiohttp.ClientError):
    """Report that a call was to be led elsewhere."""


def refusing_redirects() -> aiohttp.TraceConfig:
    """Return what lets no call of a session be led elsewhere: Slack redirects none, and bodies hold what people wrote.

    The SDK has no setting for it, and aiohttp follows ten.
    """

    async def refuse(
        _session: aiohttp.ClientSession, _context: object, found: aiohttp.TraceRequestRedirectParams
    ) -> None:
        found.response.close()
        raise RedirectRefusedError("a call was to be led elsewhere, which is not followed")

    trace = aiohttp.TraceConfig()
    trace.on_request_redirect.append(refuse)
    return trace
