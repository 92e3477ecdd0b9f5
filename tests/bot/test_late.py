"""Work that takes longer than Slack waits: one moment, then the answer."""

from __future__ import annotations

import asyncio
import json
import logging
import re
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from aiohttp import ClientSession
from slack_bolt.response import BoltResponse
from slack_sdk.web.async_client import AsyncWebClient

from bot import app
from bot.app import Bot
from bot.local import GENERAL, LocalSlack
from handlers.errors import on_error
from handlers.late import late_answer
from knowledge.people import Declaration
from tests.conftest import ANN, BOUNDS, LATE_SECONDS, Start, rows, settled
from tests.docs.pages import ROOT


class Gate:
    """Hold the reading of declarations back until it is opened, while nobody waits for it."""

    def __init__(self, bot: Bot, patch: pytest.MonkeyPatch) -> None:
        self.open = asyncio.Event()
        self._read = bot.people.declaration
        patch.setattr(bot.people, "declaration", self._declaration)
        patch.setattr("bot.intake.PATIENCE", LATE_SECONDS)
        patch.setattr("handlers.replies.MODAL_SECONDS", LATE_SECONDS)

    async def _declaration(self, workspace: str, user: str) -> Declaration:
        await self.open.wait()
        return await self._read(workspace, user)


@pytest_asyncio.fixture
async def gate(bot: Bot, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Gate]:
    """A database that answers only when the test says so."""
    gate = Gate(bot, monkeypatch)
    yield gate
    gate.open.set()


async def test_a_late_command_says_one_moment_and_answers_by_its_response_url(
    slack: LocalSlack, bot: Bot, gate: Gate
) -> None:
    reply = await slack.command(ANN, "/genai-role my data")
    assert reply.text.startswith("One moment")
    gate.open.set()
    await settled(bot)
    shown = [m.text for m in slack.workspace.messages if m.from_bot]
    assert shown[-1].startswith("What I keep about you")


async def test_a_modal_opens_in_time_and_is_filled_later(slack: LocalSlack, bot: Bot, gate: Gate) -> None:
    await slack.command(ANN, "/genai-role me")
    await slack.wait_for_call("views.open")
    opened = slack.open_view(ANN)
    assert opened is not None
    assert "One moment" in str(opened.blocks)
    gate.open.set()
    await settled(bot)
    filled = slack.open_view(ANN)
    assert filled is not None
    assert filled.callback_id == "declaration"


async def test_a_modal_that_is_closed_before_it_is_filled_stays_closed_and_nothing_is_said_of_it(
    slack: LocalSlack, bot: Bot, gate: Gate
) -> None:
    await slack.command(ANN, "/genai-role me")
    await slack.wait_for_call("views.open")
    await slack.close(ANN)
    said = len(slack.workspace.messages)
    gate.open.set()
    await settled(bot)
    assert slack.open_view(ANN) is None
    assert len(slack.workspace.messages) == said
    # Slack's refusal was expected.
    assert slack.api.calls.pop().error == "not_found"


async def test_a_late_submission_closes_the_modal_and_reports_by_direct_message(
    slack: LocalSlack, bot: Bot, monkeypatch: pytest.MonkeyPatch
) -> None:
    view = (await slack.command(ANN, "/genai-role me")).view
    assert view is not None
    gate = Gate(bot, monkeypatch)
    saved = await slack.submit(ANN, view, {"topics": "GDPR"})
    assert saved.closed
    gate.open.set()
    await settled(bot)
    told = [m for m in slack.workspace.messages if m.from_bot and m.channel == slack.dm(ANN)]
    assert "Saved" in told[-1].text
    assert len(await rows(bot, "declarations")) == 1


async def test_a_form_that_comes_too_late_is_not_shown_as_if_it_had_been_sent(slack: LocalSlack, bot: Bot) -> None:
    sure = {
        "type": "modal",
        "submit": {"type": "plain_text", "text": "Erase"},
        "blocks": [{"type": "section", "text": {"text": "All is deleted at once."}}],
    }
    work: asyncio.Future[BoltResponse] = asyncio.get_running_loop().create_future()
    work.set_result(BoltResponse(status=200, body=json.dumps({"response_action": "push", "view": sure})))
    client = AsyncWebClient(slack.bot_token, base_url=slack.api_url)
    await late_answer({"type": "view_submission", "user": {"id": ANN}}, work, client)
    told = [message.text for message in slack.workspace.messages if message.from_bot]
    assert told == ["That took too long, and nothing was changed. Please open the form again."]


async def test_a_late_answer_whose_response_url_is_broken_comes_as_a_direct_message(
    slack: LocalSlack, bot: Bot, gate: Gate
) -> None:
    await slack.command(ANN, "/genai-role my data")
    slack.workspace.response_urls.clear()
    gate.open.set()
    await settled(bot)
    told = [m for m in slack.workspace.messages if m.from_bot and m.channel == slack.dm(ANN)]
    assert told[-1].text.startswith("What I keep about you")
    # Slack's refusal was expected.
    slack.api.calls[:] = [call for call in slack.api.calls if call.method != "response_url"]


async def test_stopping_says_that_a_late_answer_does_not_come(
    slack: LocalSlack, start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(app, "DRAIN_SECONDS", 0.01)
    async with start() as bot:
        never: asyncio.Future[Declaration] = asyncio.get_running_loop().create_future()

        async def declaration(workspace: str, user: str) -> Declaration:
            return await never

        monkeypatch.setattr(bot.people, "declaration", declaration)
        monkeypatch.setattr("bot.intake.PATIENCE", LATE_SECONDS)
        assert (await slack.command(ANN, "/genai-role my data")).text.startswith("One moment")
    shown = [m.text for m in slack.workspace.messages if m.from_bot]
    assert shown[-1].startswith("Sorry, I was stopped")


def test_no_other_test_is_about_how_fast_the_machine_is() -> None:
    """Whatever the bot waits for by the wall clock has its bound lifted in tests; a call to Slack has 20 seconds."""
    waits = re.compile(r"(?:asyncio\.timeout\(|\btimeout=)([A-Z_]+)\b")
    found = {
        f"{folder}.{file.stem}.{name}"
        for folder in ("bot", "handlers")
        for file in (ROOT / folder).glob("*.py")
        for name in waits.findall(file.read_text(encoding="utf-8"))
    }
    assert "bot.intake.PATIENCE" in found
    assert found - {"bot.slack.SLACK_SECONDS"} <= set(BOUNDS)


@pytest.mark.usefixtures("faults")
async def test_a_late_answer_that_fails_is_an_apology(slack: LocalSlack, bot: Bot) -> None:
    work = asyncio.get_running_loop().create_future()
    work.set_exception(ValueError("broken"))
    await late_answer({"command": "/genai-role", "user_id": ANN}, work, bot.clients[0])
    assert slack.workspace.messages[-1].text.startswith("Sorry, something went wrong")


@pytest.mark.usefixtures("faults")
async def test_stopping_goes_on_where_a_step_fails(
    bot: Bot, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async def gone(_seconds: float) -> None:
        raise OSError("the database is gone")

    monkeypatch.setattr(bot.worker, "stop", gone)
    await bot.stop()
    assert "stopping: the worker failed" in caplog.text
    assert all(client.session is None or client.session.closed for client in bot.clients)
    monkeypatch.undo()
    caplog.set_level(logging.INFO)


async def test_a_whisper_whose_blocks_are_refused_comes_as_text(slack: LocalSlack, bot: Bot) -> None:
    slack.fail("chat.postEphemeral", error="msg_blocks_too_long")
    await slack.say(ANN, "<@BOT> my data", GENERAL)
    await settled(bot)
    told = slack.workspace.messages[-1]
    assert (told.ephemeral_to, told.blocks) == (ANN, [])
    assert told.text.startswith("What I keep about you")


async def test_a_whisper_that_the_channel_does_not_take_is_a_direct_message(slack: LocalSlack, bot: Bot) -> None:
    slack.fail("chat.postEphemeral", error="is_archived")
    await slack.say(ANN, "<@BOT> my data", GENERAL)
    await settled(bot)
    assert slack.workspace.messages[-1].channel == slack.dm(ANN)
    assert "What I keep about you" in slack.workspace.messages[-1].text


@pytest.mark.usefixtures("faults")
async def test_readyz_does_not_wait_for_a_database_that_hangs(
    slack: LocalSlack, bot: Bot, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def hangs(_connection: object) -> str:
        await asyncio.Event().wait()
        return ""

    monkeypatch.setattr(app, "schema_version", hangs)
    monkeypatch.setattr(app, "READY_SECONDS", 0.01)
    address = str(slack.bot_url).replace("/slack/events", "/readyz")
    async with ClientSession() as session, session.get(address) as response:
        assert (response.status, (await response.json())["database"]) == (503, "unreachable")


@pytest.mark.usefixtures("faults")
async def test_an_apology_whose_response_url_is_broken_is_a_direct_message(slack: LocalSlack, bot: Bot) -> None:
    body = {
        "type": "block_actions",
        "user": {"id": ANN},
        "response_url": f"{slack.api_url.removesuffix('/api/')}/response/long-gone",
    }
    await on_error(ValueError("broken"), body, {"client": bot.clients[0]})
    assert slack.workspace.messages[-1].channel == slack.dm(ANN)
    slack.api.calls[:] = [call for call in slack.api.calls if call.method != "response_url"]
