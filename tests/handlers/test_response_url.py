"""A response_url is posted to again where Slack took nothing, and never where nobody knows."""

from __future__ import annotations

import pytest
from aiohttp import ClientError, web

from bot.settings import Settings
from bot.slack import slack_client
from handlers.response_url import ReplyError, send_to
from tests.conftest import Sleeper

LOST = 0
"""Stands for a connection that is cut once the post was taken."""


@pytest.mark.parametrize(
    ("answers", "posts", "fails"),
    [
        ([429, 503, 200], 3, None),
        ([404], 1, ReplyError),
        ([500, 500, 500, 500], 4, ReplyError),
        ([LOST, 200], 1, ClientError),
    ],
)
async def test_posting_again(
    sleeper: Sleeper,
    caplog: pytest.LogCaptureFixture,
    answers: list[int],
    posts: int,
    fails: type[Exception] | None,
) -> None:
    taken = []

    async def answer(request: web.Request) -> web.Response:
        taken.append(await request.json())
        status = answers[len(taken) - 1]
        if status == LOST and request.transport is not None:
            request.transport.close()
        return web.Response(status=status or 200, headers={"Retry-After": "17"})

    app = web.Application()
    app.router.add_post("/response/hidden", answer)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    host, port = runner.addresses[0][:2]
    waited: list[tuple[str, float]] = []
    settings = Settings(_env_file=None, slack_api_url=f"http://{host}:{port}/api/", ssl_cert_file=None)  # type: ignore[call-arg]
    client = slack_client(settings, "xoxb-none", sleeper, lambda method, seconds: waited.append((method, seconds)))
    try:
        if fails is None:
            await send_to(f"http://{host}:{port}/response/hidden", {"text": "hello"}, client)
        else:
            with pytest.raises(fails):
                await send_to(f"http://{host}:{port}/response/hidden", {"text": "hello"}, client)
    finally:
        await runner.cleanup()
    assert taken == [{"text": "hello"}] * posts
    assert waited == ([("response_url", 17.0)] if 429 in answers else [])
    # The address lets anybody post.
    assert "hidden" not in "".join(record.getMessage() for record in caplog.records if record.name.startswith("bot"))
