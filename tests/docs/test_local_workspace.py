"""What is written about the local workspace is true: its example runs, its names exist, its pictures are shown."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest_asyncio

from bot.demo import bot_starter
from bot.local import LocalSlack
from bot.local.run import EVENTS_PATH, RunningBot
from bot.settings import Settings
from tests.conftest import MakeGuide
from tests.docs.pages import PAGES, ROOT, blocks, code, read, section

PAGE = ROOT / "docs" / "local-workspace.md"
StartBot = Callable[[str, str, str], Awaitable[str]]


@pytest_asyncio.fixture
async def start_bot(database: str, make_guide: MakeGuide) -> AsyncIterator[StartBot]:
    settings = Settings(_env_file=None)  # type: ignore[call-arg]  # known to pydantic-settings, not to mypy
    running: list[RunningBot] = []

    async def start(api_url: str, token: str, secret: str) -> str:
        running.append(await bot_starter(settings, database, make_guide=make_guide)(api_url, token, secret))
        return running[0].url + EVENTS_PATH

    yield start
    for bot in running:
        await bot.stop()


async def test_the_example_is_a_test_that_passes(start_bot: StartBot) -> None:
    (example,) = blocks(read(PAGE), "python")
    names: dict[str, Any] = {}
    exec(example, names)  # noqa: S102
    await names["test_a_look_up"](start_bot)


def test_what_it_names_of_the_stand_in_exists() -> None:
    named = [name for name in code(section(PAGE, "For tests")) if re.fullmatch(r"(slack\.)?[a-z_]+", name)]
    names = {name.removeprefix("slack.") for name in named} - {"start_bot"}
    assert names and sorted(name for name in names if not hasattr(LocalSlack, name)) == []


def test_every_picture_is_shown() -> None:
    pictures = {picture.name for picture in (ROOT / "docs" / "images").iterdir()}
    shown = {name for page in PAGES for name in re.findall(r"images/([\w-]+\.png)", read(page))}
    assert pictures == shown
