"""The bounds of what comes in and goes out: sizes, depths, times, and where calls may lead."""

from __future__ import annotations

import asyncio
import gzip
import json
import logging
import re
import zlib
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from urllib.parse import urlencode

import pytest
from aiohttp import ClientSession, web
from pydantic import SecretStr
from slack_sdk.web.async_client import AsyncWebClient

from bot.app import Bot
from bot.doctor import examine
from bot.headers import HEADERS, LONGEST_HEADER
from bot.intake import MOST_LEVELS
from bot.local import GENERAL, LocalSlack
from bot.offline import workspace_of
from bot.serve import listen
from bot.server import MOST_BYTES, FrontDoor
from bot.settings import Settings, SettingsError
from bot.slack import SLACK_SECONDS, RedirectRefusedError, open_session, slack_client
from handlers.response_url import ReplyError, is_slacks, send_to
from tests.conftest import ANN, TEAM, Start, interact, rows, settled
from tests.databases import KEY
from tests.docs.pages import ROOT

FORM = {"Content-Type": "application/x-www-form-urlencoded"}


def base(slack: LocalSlack) -> str:
    return slack.bot_url.removesuffix("/slack/events")


# What comes in


@pytest.mark.parametrize("path", ["/healthz", "/readyz", "/elsewhere", "/slack/events"])
async def test_every_answer_carries_the_security_headers(slack: LocalSlack, bot: Bot, path: str) -> None:
    async with ClientSession() as session:
        for answer in (await session.get(base(slack) + path), await session.post(base(slack) + path)):
            found = {name: answer.headers.get(name) for name in HEADERS}
            assert found == HEADERS
            answer.release()


async def test_the_page_of_metrics_carries_them_too(start: Start) -> None:
    async with start(metrics_port=0) as bot, ClientSession() as session:
        assert bot.metrics_site.address is not None
        async with session.get(bot.metrics_site.address) as answer:
            assert {name: answer.headers.get(name) for name in HEADERS} == HEADERS


@pytest.mark.parametrize("name", ["X-Odd", "X-Slack-Signature", "Content-Type"])
async def test_a_header_may_be_no_longer_than_any_of_slacks(
    slack: LocalSlack, bot: Bot, caplog: pytest.LogCaptureFixture, name: str
) -> None:
    async with ClientSession() as session:
        headers = {"Content-Type": "application/json", name: "x" * (LONGEST_HEADER + 1)}
        async with session.post(slack.bot_url, data=b"{}", headers=headers) as answer:
            assert answer.status == 400
        async with session.post(f"{slack.bot_url}?{'x' * LONGEST_HEADER}", data=b"{}") as answer:
            assert answer.status == 400
    assert not [record for record in caplog.records if record.levelno >= logging.ERROR or record.exc_info]


@pytest.mark.parametrize(
    "sent",
    [
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        b"GET\r\n\r\n",
        b"POST /slack/events HTTP/9.9\r\n\r\n",
        b"POST /slack/events HTTP/1.1\r\nHost: bot\r\nContent-Length: -1\r\n\r\n",
        b"POST /slack/events HTTP/1.1\r\nHost: bot\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n",
        b"POST /slack/events HTTP/1.1\r\nHost: bot\r\nTransfer-Encoding: chunked\r\n\r\nzebracorn\r\n",
        b"POST /slack/events HTTP/1.1\r\nHost: bot\r\nContent-Encoding: gzip\r\nContent-Length: 9\r\n\r\nzebracorn",
        b"POST /slack/events HTTP/1.1\r\nHost: bot\r\nContent-Encoding: odd\r\nContent-Length: 9\r\n\r\nzebracorn",
        b"POST /slack/events HTTP/1.1\r\nHost: bot\r\nContent-Type: x; charset=odd\r\nContent-Length: 2\r\n\r\n{}",
        b"POST /slack/events HTTP/1.1\r\nHost: bot\r\nX-Odd: a\r\n\x00b: zebracorn\r\n\r\n",
        b"POST /slack/events HTTP/1.1\r\n" + b"".join(b"X-%d: 1\r\n" % at for at in range(500)) + b"\r\n",
        b"POST /slack/events HTTP/1.1\r\nHost: bot\r\nExpect: zebracorn\r\nContent-Length: 2\r\n\r\n{}",
        b"POST /slack/events HTTP/1.1\r\nHost: bot\r\nContent-Length: 100\r\n\r\nzebracorn",
        b"POST http://[::1 HTTP/1.1\r\nHost: bot\r\n\r\n",
        b"POST /%ff%00/../.. HTTP/1.1\r\nHost: bot\r\n\r\n",
    ],
)
async def test_what_is_no_request_is_refused_quietly(
    slack: LocalSlack, bot: Bot, caplog: pytest.LogCaptureFixture, sent: bytes
) -> None:
    host, port = base(slack).removeprefix("http://").split(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    writer.write(sent)
    writer.write_eof()
    line = await reader.readline()
    assert line == b"" or line.startswith((b"HTTP/1.1 4", b"HTTP/1.0 4")), line
    writer.close()
    await writer.wait_closed()
    assert not [record for record in caplog.records if record.levelno >= logging.WARNING or record.exc_info]
    assert "zebracorn" not in caplog.text


PLAIN = b'{"type": "some_day", "text": "zebracorn"}'
PACKED: dict[str, Callable[[bytes], bytes]] = {
    "gzip": gzip.compress,
    "x-gzip": gzip.compress,
    "deflate": zlib.compress,
    "br": bytes,
    "zstd": bytes,
}


@pytest.mark.parametrize("path", ["/slack/events", "/healthz", "/elsewhere"])
async def test_what_is_packed_is_never_unpacked(
    slack: LocalSlack, bot: Bot, caplog: pytest.LogCaptureFixture, path: str
) -> None:
    host, port = base(slack).removeprefix("http://").split(":")
    status = {"/slack/events": b"401", "/healthz": b"405", "/elsewhere": b"404"}[path]
    for encoding, pack in PACKED.items():
        packed = pack(PLAIN)
        for sent in (packed, packed[:12], packed[:12] + b"zebracorn" + packed[21:], b"zebracorn"):
            reader, writer = await asyncio.open_connection(host, int(port))
            head = f"POST {path} HTTP/1.1\r\nHost: bot\r\nConnection: close\r\nContent-Encoding: {encoding}\r\n"
            writer.write(f"{head}Content-Length: {len(sent)}\r\n\r\n".encode() + sent)
            answer = await reader.read()
            assert answer.startswith(b"HTTP/1.1 " + status), (encoding, sent)
            assert all(f"{name}: {value}".encode() in answer for name, value in HEADERS.items())
            writer.close()
            await writer.wait_closed()
    assert not [record for record in caplog.records if record.levelno >= logging.WARNING or record.exc_info]
    assert "zebracorn" not in caplog.text


async def test_what_is_packed_and_signed_is_no_request_of_slack_either(slack: LocalSlack, bot: Bot) -> None:
    packed = gzip.compress(b" " * 50 * MOST_BYTES)
    assert len(packed) < MOST_BYTES
    json_type = {"Content-Type": "application/json"}
    assert (await slack.post_raw(packed, json_type | {"Content-Encoding": "gzip"}, signed=True))[0] == 401


@pytest.mark.parametrize("before", [b"", b"GET /healthz HTTP/1.1\r\nHost: bot\r\n\r\n"], ids=["first", "later"])
async def test_a_head_that_trickles_in_is_not_waited_for(bot: Bot, before: bytes) -> None:
    address, close = await listen(bot, "127.0.0.1", 0, idle=0.2)
    host, port = address.removeprefix("http://").split(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    writer.write(before)
    if before:
        assert b"200 OK" in await reader.readuntil(b'{"status": "ok"}')
    writer.write(b"POST /slack/events HTTP/1.1\r\nX-Slow: ")
    ended = asyncio.create_task(reader.read())
    while not ended.done():
        writer.write(b"x")
        await asyncio.wait({ended}, timeout=0.01)
    assert isinstance(ended.exception(), ConnectionError) or ended.result() == b""
    writer.close()
    await close()


async def test_a_body_that_does_not_come_is_not_waited_for(slack: LocalSlack, bot: Bot) -> None:
    site = web.Application()
    site.router.add_post("/", FrontDoor(bot.intake, slack.signing_secret, bot.metrics, reading=0.01).receive)
    async with served(site) as address:
        host, port = address.removeprefix("http://").split(":")
        reader, writer = await asyncio.open_connection(host, int(port))
        writer.write(b"POST / HTTP/1.1\r\nHost: bot\r\nContent-Length: 100\r\n\r\n{")
        assert (await reader.readline()).startswith(b"HTTP/1.1 408 ")
        writer.close()


@pytest.mark.parametrize(
    "kind",
    "event_callback block_actions view_submission view_closed shortcut message_action block_suggestion x".split(),
)
async def test_a_payload_nested_too_deeply_is_refused_whatever_it_is(slack: LocalSlack, bot: Bot, kind: str) -> None:
    # By hand: json itself does not write what is nested so deeply.
    body = json.dumps({"type": kind, "team": {"id": TEAM}, "odd": 0}).replace("0}", "[" * 800 + "]" * 800 + "}")
    status, said = await slack.post_raw(urlencode({"payload": body}).encode(), FORM, signed=True)
    assert status == 400
    assert "nested" in said or "JSON" in said
    shallow = f'{{"type": "some_day", "odd": {"[" * (MOST_LEVELS - 1)}{"]" * (MOST_LEVELS - 1)}}}'
    assert (await slack.post_raw(urlencode({"payload": shallow}).encode(), FORM, signed=True))[0] == 200
    assert await rows(bot, "inbox") == []


# What goes out


@asynccontextmanager
async def served(site: web.Application) -> AsyncIterator[str]:
    runner = web.AppRunner(site, access_log=None, shutdown_timeout=0.2)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        host, port = runner.addresses[0][:2]
        yield f"http://{host}:{port}"
    finally:
        await runner.cleanup()


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_no_call_is_led_elsewhere(status: int) -> None:
    taken: list[str] = []

    async def take(request: web.Request) -> web.Response:
        taken.append(request.path)
        return web.json_response({"ok": True})

    elsewhere = web.Application()
    elsewhere.router.add_route("*", "/{path:.*}", take)
    async with served(elsewhere) as other:

        async def lead_away(request: web.Request) -> web.Response:
            return web.Response(status=status, headers={"Location": f"{other}{request.path}"})

        leading = web.Application()
        leading.router.add_route("*", "/{path:.*}", lead_away)
        async with served(leading) as first:
            settings = Settings(_env_file=None, slack_api_url=f"{first}/api/", ssl_cert_file=None)  # type: ignore[call-arg]
            client = slack_client(settings, "xoxb-none")
            client.session = open_session()
            try:
                with pytest.raises(RedirectRefusedError):
                    await client.chat_postMessage(channel="C1", text="private")
                with pytest.raises(RedirectRefusedError):
                    await send_to(f"{first}/response/1", {"text": "private"}, client)
            finally:
                await client.session.close()
    assert taken == []


async def ask_as_doctor(settings: Settings) -> None:
    assert "clock" in {finding.name for finding in (await examine(settings)).findings}


async def ask_as_doctor_of_many(settings: Settings) -> None:
    many = {"slack_bot_token": None, "slack_app_token": None, "slack_client_id": "1.2"}
    await ask_as_doctor(settings.model_copy(update=many))


async def ask_for_the_workspace(settings: Settings) -> None:
    with pytest.raises(SettingsError, match="can't be reached"):
        await workspace_of(settings, None)


@pytest.mark.parametrize("ask", [ask_as_doctor, ask_as_doctor_of_many, ask_for_the_workspace])
async def test_no_command_is_led_elsewhere(database: str, ask: Callable[[Settings], Awaitable[None]]) -> None:
    taken: list[str] = []
    asked: list[str] = []

    async def take(request: web.Request) -> web.Response:
        taken.append(request.path)
        return web.json_response({"ok": True, "team_id": TEAM})

    elsewhere = web.Application()
    elsewhere.router.add_route("*", "/{path:.*}", take)
    async with served(elsewhere) as other:

        async def lead_away(request: web.Request) -> web.Response:
            asked.append(request.path)
            return web.Response(status=307, headers={"Location": f"{other}{request.path}"})

        leading = web.Application()
        leading.router.add_route("*", "/{path:.*}", lead_away)
        async with served(leading) as first:
            await ask(
                Settings(
                    _env_file=None,  # type: ignore[call-arg]
                    slack_bot_token=SecretStr("xoxb-none"),
                    slack_app_token=SecretStr("xapp-none"),
                    slack_api_url=f"{first}/api/",
                    ssl_cert_file=None,
                    https_proxy=None,
                    database_url=database,
                    encryption_keys=SecretStr(KEY),
                )
            )
    assert asked
    assert taken == []


def test_every_client_has_such_a_session() -> None:
    """Clients are made for the running bot, all with one session, and by `single_client`; webhooks take a client's."""
    makes = re.compile(r"\b(?:slack_client|AsyncWebClient|WebClient|WebhookClient|AsyncWebhookClient)\(")
    found = {
        str(file.relative_to(ROOT))
        for folder in ("bot", "handlers", "knowledge", "storage")
        for file in (ROOT / folder).rglob("*.py")
        if makes.search(file.read_text(encoding="utf-8")) and "local" not in file.parts
    }
    assert found == {"bot/slack.py", "bot/app.py", "handlers/response_url.py"}
    assert "session=client.session" in (ROOT / "handlers/response_url.py").read_text(encoding="utf-8")


async def test_every_call_has_a_deadline(bot: Bot) -> None:
    for client in bot.clients:
        assert client.session is not None
        assert client.session is bot.clients[0].session
        assert client.session.timeout.total == client.timeout == SLACK_SECONDS


def test_no_other_way_out_is_used() -> None:
    """Calls go by the session that refuses redirects and has a deadline; the Socket's own has both by itself."""
    ways = re.compile(r"ClientSession\(|urlopen|http\.client|\brequests\b\.|httpx|open_connection\(")
    found = {
        str(file.relative_to(ROOT))
        for folder in ("bot", "handlers", "knowledge", "storage")
        for file in (ROOT / folder).rglob("*.py")
        if ways.search(file.read_text(encoding="utf-8")) and "local" not in file.parts
    }
    assert found == {"bot/slack.py", "bot/socket.py"}
    assert "refusing_redirects()" in (ROOT / "bot/socket.py").read_text(encoding="utf-8")


LOCAL = AsyncWebClient(base_url="http://127.0.0.1:8000/api/")
SLACK = AsyncWebClient()


@pytest.mark.parametrize(
    ("url", "client", "right"),
    [
        ("https://hooks.slack.com/actions/T1/2/3", SLACK, True),
        ("https://hooks.slack.com:443/commands/1", SLACK, True),
        ("https://HOOKS.slack.com/commands/1", SLACK, True),
        ("https://hooks.slack-gov.com/commands/1", SLACK, True),
        ("https://hooks.slack.com/commands/1", None, True),
        ("http://127.0.0.1:8000/response/1", LOCAL, True),
        ("http://127.0.0.1:8000/response/1", SLACK, False),
        ("http://127.0.0.1:8000/response/1", None, False),
        ("http://127.0.0.1:8001/response/1", LOCAL, False),
        ("https://127.0.0.1:8000/response/1", LOCAL, False),
        ("http://hooks.slack.com/commands/1", SLACK, False),
        ("https://hooks.slack.com:8443/commands/1", SLACK, False),
        ("https://hooks.slack.com.evil.example/1", SLACK, False),
        ("https://evil.example/hooks.slack.com", SLACK, False),
        ("https://hooks.slack.com@evil.example/", SLACK, False),
        ("https://me:you@hooks.slack.com/", SLACK, False),
        ("https://evil.example\\@hooks.slack.com/", SLACK, False),
        ("https://hooks.slack.com\r\n.evil.example/", SLACK, False),
        ("https://hooks.slack.com:port/", SLACK, False),
        ("https://[::1", SLACK, False),
        ("//hooks.slack.com/1", SLACK, False),
        ("file:///etc/passwd", SLACK, False),
        ("http://169.254.169.254/latest/meta-data", SLACK, False),
        ("", SLACK, False),
        ("nonsense", SLACK, False),
    ],
)
async def test_an_address_to_answer_at_leads_to_slack_alone(
    url: str, client: AsyncWebClient | None, right: bool
) -> None:
    assert is_slacks(url, client) == right
    if not right:
        with pytest.raises(ReplyError, match="elsewhere"):
            await send_to(url, {"text": "private"}, client)


async def test_a_button_with_somebody_elses_address_posts_nothing_there(
    slack: LocalSlack, bot: Bot, faults: None, caplog: pytest.LogCaptureFixture
) -> None:
    taken: list[str] = []

    async def take(request: web.Request) -> web.Response:
        taken.append(await request.text())
        return web.Response()

    elsewhere = web.Application()
    elsewhere.router.add_route("*", "/{path:.*}", take)
    async with served(elsewhere) as address:
        for action_id in ("open_entry", "ask_someone", "more_about_role"):
            status = await interact(
                slack,
                {
                    "type": "block_actions",
                    "team": {"id": TEAM},
                    "user": {"id": ANN, "team_id": TEAM},
                    "channel": {"id": GENERAL},
                    "response_url": f"{address}/hidden-path",
                    "actions": [{"type": "button", "action_id": action_id, "value": "mlops-engineer"}],
                },
            )
            assert status == 200
        await settled(bot)
    assert taken == []
    # The person is told all the same, where nobody else reads it.
    told = slack.called("chat.postMessage")
    assert {call.arguments["channel"] for call in told} == {ANN}
    assert "hidden-path" not in caplog.text
