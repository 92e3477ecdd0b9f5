"""Over Socket Mode the bot does what it does over HTTP, and stays connected whatever becomes of a connection."""

from __future__ import annotations

import asyncio
import logging
import os
import random
import signal
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import pytest_asyncio
from pydantic import SecretStr
from slack_bolt.response import BoltResponse
from slack_sdk.web.async_client import AsyncWebClient
from sqlalchemy import text

from bot.app import Bot, build_app
from bot.local import GENERAL, LocalSlack
from bot.serve import listen, start_socket
from bot.settings import Settings, SettingsError, credentials_for, mode_of
from bot.socket import PAUSES, SocketMode, answer_in
from tests.conftest import (
    ANN,
    BEN,
    BUSY_SECONDS,
    MEMBERS,
    TEAM,
    Clock,
    Sleeper,
    Start,
    declares,
    rows,
    settled,
    well_formed,
    when_asked,
    words,
)

ROOT = Path(__file__).parents[2]


@pytest_asyncio.fixture
async def slack(
    clock: Clock, caplog: pytest.LogCaptureFixture, request: pytest.FixtureRequest
) -> AsyncIterator[LocalSlack]:
    """The workspace of eight, which has no address of the bot; it repeats an event once somebody is connected."""
    caplog.set_level(logging.DEBUG, "bot")

    async def until_connected(_seconds: float) -> None:
        await workspace.sockets.connected()

    members = [replace(member) for member in MEMBERS]
    workspace = LocalSlack(clock=clock.seconds, sleep=until_connected, members=members, socket_mode=True)
    async with workspace as slack:
        yield slack
        well_formed(slack)
        assert slack.sockets.strays == []
        said = caplog.text
        assert "ticket" not in said and slack.app_token not in said and slack.bot_token not in said
        if "faults" not in request.fixturenames:
            alarming = [record for record in caplog.get_records("call") if record.levelno >= logging.ERROR]
            assert not alarming, [record.getMessage() for record in alarming]


@asynccontextmanager
async def connected(start: Start) -> AsyncIterator[Bot]:
    """The bot, as `python -m bot socket` runs it: without a signing secret."""
    slack = start.slack
    settings = Settings(
        _env_file=None,  # type: ignore[call-arg]  # known to pydantic-settings, not to mypy
        slack_bot_token=SecretStr(slack.bot_token),
        slack_app_token=SecretStr(slack.app_token),
        slack_signing_secret=None,
        slack_api_url=slack.api_url,
        database_url=start.database,
        https_proxy=None,
        ssl_cert_file=None,
    )
    bot = build_app(
        settings,
        over_socket=True,
        now=start.clock.now,
        rng=random.Random(7),
        sleep=start.sleeper,
        make_guide=start.make_guide,
        regularly=when_asked,
    )
    stop = await start_socket(bot)
    try:
        await slack.sockets.connected()
        await settled(bot)
        yield bot
    finally:
        await stop()


@pytest_asyncio.fixture
async def bot(start: Start) -> AsyncIterator[Bot]:
    async with connected(start) as bot:
        yield bot


# What people do


async def test_a_command_is_answered_in_the_acknowledgement(slack: LocalSlack, bot: Bot) -> None:
    reply = await slack.command(ANN, "/genai-role mlops")
    assert (reply.status, reply.ephemeral_to) == (200, ANN)
    assert reply.text.startswith("MLOps Engineer")
    assert slack.called("chat.postMessage") == []


async def test_a_mention_is_answered_once(slack: LocalSlack, bot: Bot) -> None:
    posted = await slack.say(ANN, "<@BOT> what is mlops", GENERAL)
    event = {"type": "app_mention", "user": ANN, "channel": GENERAL, "ts": "1700000000.000100", "text": "mlops"}
    for _ in range(3):
        assert (await slack.send_event(event, event_id="Ev0AGAIN")).status == 200
    await settled(bot)
    assert len(slack.replies(posted)) == 1
    assert len(slack.called("chat.postMessage")) == 2


async def test_a_direct_message_is_answered(slack: LocalSlack, bot: Bot) -> None:
    posted = await slack.say(ANN, "what is mlops")
    assert (await slack.wait_for_reply(posted)).text.startswith("MLOps Engineer")


async def test_a_form_is_opened_refused_and_taken(slack: LocalSlack, bot: Bot) -> None:
    form = (await slack.command(ANN, "/genai-role me")).view
    refused = await slack.submit(ANN, form, {"roles_lead": ["data-engineer"], "roles_learning": ["data-engineer"]})
    assert list(refused.errors) == ["roles_learning"]
    assert not refused.closed
    saved = await slack.submit(ANN, form, {"roles_learning": []})
    assert saved.errors == {}
    assert saved.view is not None
    assert (await bot.people.declaration(TEAM, ANN)).roles == {"data-engineer": "lead"}
    await settled(bot)


async def test_a_button_is_answered(slack: LocalSlack, bot: Bot) -> None:
    await declares(bot, slack, BEN, {"mlops-engineer": "lead"})
    card = await slack.command(ANN, "/genai-role mlops")
    assert "Ben Book" in (await slack.press(ANN, card, "ask_someone")).text
    await settled(bot)


async def test_home_and_shortcuts_open(slack: LocalSlack, bot: Bot) -> None:
    assert "MLOps Engineer" in str((await slack.open_home(ANN)).blocks)
    opened = await slack.shortcut(ANN, "declare_role")
    assert opened.view is not None and words(opened.view)
    await settled(bot)


async def test_many_at_once_are_all_answered(slack: LocalSlack, bot: Bot) -> None:
    replies = await asyncio.gather(*(slack.command(ANN, "/genai-role mlops") for _ in range(20)))
    assert all(reply.text.startswith("MLOps Engineer") for reply in replies)


# Connections


async def test_the_next_connection_is_there_before_the_old_one_ends(slack: LocalSlack, bot: Bot) -> None:
    (old,) = slack.sockets.connections
    await slack.sockets.disconnect("warning")
    await slack.sockets.connected(2)
    # Slack may send over either until it closes the old one.
    posted = [await slack.say(ANN, "<@BOT> mlops", GENERAL) for _ in range(4)]
    assert [len(one.envelopes) for one in slack.sockets.connections] == [2, 2]
    await slack.sockets.drop(old)
    await slack.sockets.connected(1)
    posted.append(await slack.say(ANN, "<@BOT> mlops", GENERAL))
    await settled(bot)
    assert [len(slack.replies(question)) for question in posted] == [1] * 5
    assert not [attempt for attempt in slack.deliveries if attempt.failure]
    assert slack.sockets.handshakes == [True, True]


@pytest.mark.parametrize("reason", ["warning", "refresh_requested"])
async def test_renewals_do_not_wait(slack: LocalSlack, bot: Bot, sleeper: Sleeper, reason: str) -> None:
    for at in range(3):
        before = slack.sockets.connections[-1]
        await slack.sockets.disconnect(reason, before)
        await slack.workspace.wait_until(
            lambda before=before: slack.sockets.connections[-1] is not before or None,  # type: ignore[misc]
            5.0,
            f"connection {at + 2}",
        )
    assert sleeper.slept == []
    assert (await slack.command(ANN, "/genai-role mlops")).status == 200


async def test_an_event_after_a_lost_connection_comes_again_and_is_answered_once(slack: LocalSlack, bot: Bot) -> None:
    await slack.sockets.drop()
    posted = await slack.say(ANN, "<@BOT> mlops", GENERAL)
    await slack.wait_for_reply(posted)
    await settled(bot)
    assert len(slack.replies(posted)) == 1
    assert [attempt.failure for attempt in slack.deliveries] == ["connection_failed", ""]


async def test_an_acknowledgement_that_is_lost_makes_no_second_answer(slack: LocalSlack, bot: Bot) -> None:
    slack.sockets.losses = 1
    delivery = await slack.send_event(
        {"type": "app_mention", "user": ANN, "channel": GENERAL, "ts": "1700000000.000100", "text": "mlops"}
    )
    assert [attempt.failure for attempt in await delivery.finished()] == ["connection_failed", ""]
    await settled(bot)
    assert len(slack.called("chat.postMessage")) == 1


@pytest.mark.usefixtures("faults")
async def test_an_event_that_cannot_be_written_down_is_not_acknowledged(slack: LocalSlack, bot: Bot) -> None:
    async def rename(before: str, after: str) -> None:
        async with bot.engine.begin() as connection:
            await connection.execute(text(f"ALTER TABLE {before} RENAME TO {after}"))

    async def mend(_seconds: float) -> None:
        await rename("gone", "inbox")

    slack.deadline = 0.2
    slack._out.sleep = mend
    await rename("inbox", "gone")
    delivery = await slack.send_event(
        {"type": "app_mention", "user": ANN, "channel": GENERAL, "ts": "1700000000.000100", "text": "mlops"}
    )
    assert [attempt.failure for attempt in await delivery.finished()] == ["http_timeout", ""]
    await settled(bot)
    assert len(slack.called("chat.postMessage")) == 1


async def test_what_is_sent_while_no_bot_runs_is_answered_by_the_next(slack: LocalSlack, start: Start) -> None:
    async with connected(start):
        assert len(slack.sockets.live) == 1
    await slack.sockets.connected(0)
    posted = await slack.say(ANN, "<@BOT> mlops", GENERAL)
    async with connected(start) as bot:
        await slack.wait_for_reply(posted)
        await settled(bot)
        assert len(slack.replies(posted)) == 1
        assert [row["state"] for row in await rows(bot, "inbox")] == ["done"]


async def test_health_shows_the_connection_and_slack_has_no_way_in(slack: LocalSlack, bot: Bot) -> None:
    base, close = await listen(bot, "127.0.0.1", 0)
    async with aiohttp.ClientSession() as session:
        async with session.get(f"{base}/readyz") as response:
            state = {"database": "ok", "slack": "connected", "socket": "connected"}
            assert (response.status, await response.json()) == (200, state)
        async with session.post(f"{base}/slack/events") as response:
            assert response.status == 404
    await close()


# The watchdog: a receiver alone, and what Slack does to it


class Receiver:
    """Socket Mode with a `take` that notes and answers, and waits while the gate is closed."""

    def __init__(self, slack: LocalSlack, sleeper: Sleeper, **more: float) -> None:
        self.taken: list[dict[str, Any]] = []
        self.started = asyncio.Event()
        self.gate = asyncio.Event()
        self.gate.set()
        client = AsyncWebClient(base_url=slack.api_url)
        self.mode = SocketMode(self.take, client, slack.app_token, sleeper, **more)

    async def take(self, body: dict[str, Any]) -> BoltResponse:
        self.taken.append(body)
        self.started.set()
        await self.gate.wait()
        return BoltResponse(status=200, body="")


@asynccontextmanager
async def receiving(slack: LocalSlack, sleeper: Sleeper, **more: float) -> AsyncIterator[Receiver]:
    receiver = Receiver(slack, sleeper, **more)
    receiver.mode.start()
    try:
        yield receiver
    finally:
        await receiver.mode.stop(1.0)
        assert receiver.mode.state == "off"


async def until(slack: LocalSlack, look: Callable[[], bool]) -> None:
    await slack.workspace.wait_until(lambda: look() or None, BUSY_SECONDS, "it")


async def test_a_refused_address_is_not_tried_again(slack: LocalSlack, sleeper: Sleeper) -> None:
    slack.sockets.refusals = 4
    async with receiving(slack, sleeper) as receiver:
        await slack.sockets.connected()
        assert slack.sockets.handshakes == [False] * 4 + [True]
        assert len(slack.called("apps.connections.open")) == 5
        # The first repeat is made at once.
        assert sleeper.slept == list(PAUSES[1:4])
        await slack.say(ANN, "hi")
        assert receiver.mode.state == "connected"
        assert len(receiver.taken) == 1


async def test_a_connection_without_a_greeting_is_given_up(slack: LocalSlack, sleeper: Sleeper) -> None:
    slack.sockets.silent = 2
    async with receiving(slack, sleeper, patience=0.1):
        await slack.sockets.connected()
        assert slack.sockets.handshakes == [True] * 3
        await until(slack, lambda: len(slack.sockets.connections) == 1)


async def test_a_connection_that_answers_no_ping_is_replaced(slack: LocalSlack, sleeper: Sleeper) -> None:
    async with receiving(slack, sleeper, heartbeat=0.1):
        (old,) = await slack.sockets.connected()
        old.mute = True
        await until(slack, lambda: old not in slack.sockets.connections and bool(slack.sockets.live))


async def test_slack_out_of_reach_is_tried_ever_more_slowly(
    slack: LocalSlack, sleeper: Sleeper, caplog: pytest.LogCaptureFixture
) -> None:
    slack.fail("apps.connections.open", status=500, times=3)
    slack.fail("apps.connections.open", status=429, retry_after=45)
    async with receiving(slack, sleeper):
        await slack.sockets.connected()
    assert sleeper.slept == [*PAUSES[1:3], 45.0]


async def test_a_refused_token_is_told_once_and_tried_seldom(
    slack: LocalSlack, sleeper: Sleeper, caplog: pytest.LogCaptureFixture, faults: None
) -> None:
    slack.fail("apps.connections.open", error="invalid_auth", times=3)
    async with receiving(slack, sleeper):
        await slack.sockets.connected()
    assert sleeper.slept == [PAUSES[-1]] * 3
    told = [record.getMessage() for record in caplog.records if record.levelno == logging.ERROR]
    assert told == ["Slack refuses SLACK_APP_TOKEN (invalid_auth): it needs connections:write."]


async def test_an_app_without_socket_mode_is_told_of_and_waited_for(
    slack: LocalSlack, sleeper: Sleeper, caplog: pytest.LogCaptureFixture
) -> None:
    slack.sockets.enabled = False
    async with receiving(slack, sleeper) as receiver:
        await until(slack, lambda: receiver.mode.state == "link_disabled")
        assert "Socket Mode is switched off" in caplog.text
        slack.sockets.enabled = True
        await slack.sockets.connected()
        await slack.say(ANN, "hi")
        assert receiver.mode.state == "connected"


async def test_stopping_acknowledges_what_was_taken_and_leaves_the_rest(slack: LocalSlack, sleeper: Sleeper) -> None:
    async with receiving(slack, sleeper) as receiver:
        await slack.sockets.connected()
        receiver.gate.clear()
        taken = asyncio.create_task(slack.say(ANN, "hi"))
        await receiver.started.wait()
        (connection,) = receiver.mode._connections
        stopping = asyncio.create_task(receiver.mode.stop(5.0))
        await asyncio.wait({connection.reading})
        left = asyncio.create_task(slack.send_event({"type": "app_mention"}))
        await until(slack, lambda: len(slack.sockets.connections[0].envelopes) == 2)
        receiver.gate.set()
        await stopping
        await taken
        assert slack.deliveries[0].ok
        assert (await left).attempts[0].failure == "connection_failed"
        assert len(receiver.taken) == 1


async def test_what_is_not_readable_is_passed_over(
    slack: LocalSlack, sleeper: Sleeper, caplog: pytest.LogCaptureFixture
) -> None:
    async with receiving(slack, sleeper) as receiver:
        (connection,) = await slack.sockets.connected()
        for message in ("", "not json", "[]", "{}", '{"type": "new"}', '{"envelope_id": 5}', '{"a": "\\ud800"}'):
            await connection.socket.send_str(message)
        await slack.say(ANN, "hi")
        assert [body["event"]["text"] for body in receiver.taken] == ["hi"]


@pytest.mark.parametrize(
    ("response", "answer"),
    [
        (BoltResponse(status=200, body={"text": "a", "blocks": []}), {"text": "a", "blocks": []}),
        (BoltResponse(status=200, body="plain"), {"text": "plain"}),
    ],
)
def test_the_answer_is_the_body(response: BoltResponse, answer: dict[str, Any]) -> None:
    assert answer_in(response) == answer


# Which way, by the credentials


def given(*names: str) -> Settings:
    every = ("slack_bot_token", "slack_signing_secret", "slack_app_token", "slack_client_id", "slack_client_secret")
    values = {name: "x" if name in names else None for name in every}
    return Settings(_env_file=None, **values)  # type: ignore[arg-type, call-arg]


BOT, SECRET, APP = "slack_bot_token", "slack_signing_secret", "slack_app_token"


@pytest.mark.parametrize(
    ("names", "mode"),
    [((), "local"), ((BOT, SECRET), "http"), ((BOT, APP), "socket"), ((BOT, SECRET, APP), "socket")],
)
def test_the_credentials_choose_the_way(names: tuple[str, ...], mode: str) -> None:
    assert mode_of(given(*names)) == mode


@pytest.mark.parametrize("names", [(BOT,), (SECRET,), (APP,), (SECRET, APP), ("slack_client_id",)])
def test_an_incomplete_set_is_refused(names: tuple[str, ...]) -> None:
    with pytest.raises(SettingsError, match=r"SLACK_\w+ (is|are) set"):
        mode_of(given(*names))


@pytest.mark.parametrize(
    ("way", "names", "said"),
    [
        ("http", (BOT, APP), "python -m bot socket"),
        ("http", (), "SLACK_SIGNING_SECRET"),
        ("socket", (BOT, SECRET), "python -m bot serve"),
        ("socket", (APP,), "SLACK_BOT_TOKEN"),
        ("worker", (APP, SECRET), "SLACK_BOT_TOKEN"),
    ],
)
def test_a_way_says_what_it_needs(way: Any, names: tuple[str, ...], said: str) -> None:
    with pytest.raises(SettingsError, match=said):
        credentials_for(given(*names), way)


def test_a_way_gets_what_it_needs_alone() -> None:
    every = given(BOT, SECRET, APP)
    assert credentials_for(every, "http").app_token is None
    assert credentials_for(every, "socket").signing_secret is None


# The process


async def run(folder: Path, *arguments: str, **environment: str) -> asyncio.subprocess.Process:
    plain = {name: value for name, value in os.environ.items() if name in ("PATH", "HOME", "LANG", "TMPDIR")}
    return await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "bot", *arguments),
        cwd=folder,
        env={**plain, "PYTHONPATH": str(ROOT), **environment},
        stdin=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.PIPE,
    )


@pytest.mark.parametrize(("arguments", "more"), [(["socket"], {}), ([], {"PORT": "0"})])
async def test_the_process_serves_until_sigterm(
    slack: LocalSlack, start: Start, arguments: list[str], more: dict[str, str]
) -> None:
    process = await run(
        Path(start.database.removeprefix("sqlite+aiosqlite:///")).parent,
        *arguments,
        SLACK_BOT_TOKEN=slack.bot_token,
        SLACK_APP_TOKEN=slack.app_token,
        SLACK_API_URL=slack.api_url,
        DATABASE_URL=start.database,
        **more,
    )
    try:
        await slack.sockets.connected(within=BUSY_SECONDS)
        assert (await slack.command(ANN, "/genai-role mlops")).text.startswith("MLOps Engineer")
        process.send_signal(signal.SIGTERM)
        _, said = await asyncio.wait_for(process.communicate(), BUSY_SECONDS)
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    assert process.returncode == 0, said
    assert b"Serving Slack over Socket Mode" in said
    # It listens where it is told to, and nowhere otherwise.
    assert (b"Health at http://127.0.0.1:" in said) == ("PORT" in more)
    assert b"ticket" not in said and b"xapp-" not in said and b"xoxb-" not in said
    assert slack.sockets.connections == []


async def test_the_process_ends_with_2_where_a_token_is_missing(tmp_path: Path) -> None:
    process = await run(tmp_path, "socket", SLACK_APP_TOKEN="xapp-1")
    _, said = await asyncio.wait_for(process.communicate(), BUSY_SECONDS)
    assert (process.returncode, said) == (
        2,
        b"SLACK_BOT_TOKEN and SLACK_APP_TOKEN are both needed for Socket Mode.\n",
    )
