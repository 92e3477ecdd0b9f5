"""What tests of the process share."""

from __future__ import annotations

import logging
import os
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import pytest_asyncio

from bot.app import Bot
from bot.local import LocalSlack
from bot.settings import Settings
from tests.bot.installing import Browser, Many
from tests.conftest import Start

LEVELS_SET = ("aiohttp.access", "alembic")


@pytest.fixture
def root_logging() -> Iterator[logging.Logger]:
    """The root logger without pytest's handlers, which setting logging up would close; afterwards all is as before."""
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    levels = {name: logging.getLogger(name).level for name in LEVELS_SET}
    root.handlers.clear()
    yield root
    root.handlers[:] = handlers
    root.setLevel(level)
    for name, before in levels.items():
        logging.getLogger(name).setLevel(before)


@pytest.fixture
def environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, root_logging: logging.Logger) -> dict[str, str]:
    """An empty environment and folder, and a database that is not there yet."""
    for name in list(os.environ):
        if name in {field.upper() for field in Settings.model_fields}:
            monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)
    return {"DATABASE_URL": f"sqlite+aiosqlite:///{tmp_path}/bot.sqlite3"}


@pytest.fixture
def many(slack: LocalSlack, start: Start) -> Many:
    """Bots that many workspaces may install."""
    return Many(slack, start)


@pytest_asyncio.fixture
async def served(many: Many) -> AsyncIterator[tuple[Bot, Browser]]:
    """Such a bot, and a browser that comes to it."""
    async with many() as served:
        yield served
