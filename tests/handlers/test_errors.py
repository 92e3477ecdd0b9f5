"""What is known of a post that failed: whether it may be made again without coming twice."""

from __future__ import annotations

from collections.abc import AsyncIterator

import aiohttp
import pytest
import pytest_asyncio
from aiohttp import web
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from handlers.errors import may_begin_again, perhaps_posted

PAGE = "<html><body>A page</body></html>"


def answered(text: str, status: int = 200, kind: str = "application/json") -> web.Response:
    return web.Response(status=status, text=text, content_type=kind)


def said(code: str, status: int = 200) -> web.Response:
    return answered(f'{{"ok": false, "error": "{code}"}}', status)


@pytest_asyncio.fixture
async def failing() -> AsyncIterator[tuple[str, list[web.Response | None]]]:
    """A server that answers as is put down; None: the connection is cut."""
    answers: list[web.Response | None] = []

    async def answer(request: web.Request) -> web.Response:
        found = answers.pop()
        if found is None:
            assert request.transport is not None
            request.transport.abort()
        return found or web.Response()

    app = web.Application()
    app.router.add_post("/api/{method}", answer)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    yield f"http://127.0.0.1:{runner.addresses[0][1]}/api/", answers
    await runner.cleanup()


async def failure(url: str) -> Exception:
    client = AsyncWebClient("xoxb-none", base_url=url, retry_handlers=[])
    with pytest.raises((SlackApiError, aiohttp.ClientError, TimeoutError, OSError)) as raised:
        await client.chat_postMessage(channel="D1", text="Hi")
    return raised.value


@pytest.mark.parametrize(
    ("answer", "perhaps", "again"),
    [
        (said("ratelimited", 429), False, True),
        (answered(PAGE, 503, "text/html"), False, True),
        (answered("Bad gateway", 502, "text/plain"), False, True),
        (answered("{", 500), False, True),
        (said("service_unavailable"), False, True),
        (said("token_revoked"), False, True),
        (said("channel_not_found"), False, False),
        (said("internal_error"), True, False),
        (said("internal_error", 500), True, False),
        (said("fatal_error"), True, False),
        (answered(PAGE, 504, "text/html"), True, False),
        (answered(PAGE, 200, "text/html"), True, False),
        (answered("{", 200), True, False),
        (None, True, False),
    ],
)
async def test_what_is_known_after_an_answer(
    failing: tuple[str, list[web.Response | None]], answer: web.Response | None, perhaps: bool, again: bool
) -> None:
    url, answers = failing
    answers.append(answer)
    error = await failure(url)
    assert (perhaps_posted(error), may_begin_again(error)) == (perhaps, again), repr(error)


async def test_where_nobody_was_there_nothing_was_posted() -> None:
    error = await failure("http://127.0.0.1:9/api/")
    assert (perhaps_posted(error), may_begin_again(error)) == (False, True)


@pytest.mark.parametrize(
    ("error", "perhaps", "again"),
    [
        (TimeoutError(), True, False),
        (aiohttp.ConnectionTimeoutError(), False, True),
        (aiohttp.SocketTimeoutError(), True, False),
        (ConnectionResetError(), True, False),
        (KeyError("text"), False, False),
    ],
)
def test_what_is_known_after_other_failures(error: Exception, perhaps: bool, again: bool) -> None:
    assert (perhaps_posted(error), may_begin_again(error)) == (perhaps, again)
