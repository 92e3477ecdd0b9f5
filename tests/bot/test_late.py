"""Work that takes longer than Slack waits: one moment, then the answer."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from bot.app import Bot
from bot.local import LocalSlack
from handlers import replies
from knowledge.people import Declaration
from tests.conftest import ANN, rows, settled


class Gate:
    """Hold the reading of declarations back until it is opened."""

    def __init__(self) -> None:
        self.open = asyncio.Event()


@pytest_asyncio.fixture
async def gate(bot: Bot, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Gate]:
    """A database that answers only when the test says so; patience is short."""
    gate = Gate()
    read = bot.people.declaration

    async def declaration(workspace: str, user: str) -> Declaration:
        await gate.open.wait()
        return await read(workspace, user)

    monkeypatch.setattr(bot.people, "declaration", declaration)
    monkeypatch.setattr(bot.intake, "_patience", 0.05)
    monkeypatch.setattr(replies, "MODAL_SECONDS", 0.02)
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
    opened = slack.open_view(ANN)
    assert opened is not None
    assert "One moment" in str(opened.blocks)
    gate.open.set()
    await settled(bot)
    filled = slack.open_view(ANN)
    assert filled is not None
    assert filled.callback_id == "declaration"


async def test_a_late_submission_closes_the_modal_and_reports_by_direct_message(
    slack: LocalSlack, bot: Bot, gate: Gate
) -> None:
    gate.open.set()
    view = (await slack.command(ANN, "/genai-role me")).view
    assert view is not None
    gate.open.clear()
    saved = await slack.submit(ANN, view, {"topics": "GDPR"})
    assert saved.closed
    gate.open.set()
    await settled(bot)
    told = [m for m in slack.workspace.messages if m.from_bot and m.channel == slack.dm(ANN)]
    assert "Saved" in told[-1].text
    assert len(await rows(bot, "declarations")) == 1
