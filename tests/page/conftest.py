"""A browser for all tests, and for each of them a workspace of its own with the real bot in it."""

from __future__ import annotations

import asyncio
import logging
import os
import shutil
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import get_args

import pytest
import pytest_asyncio
from playwright.async_api import Browser, expect

from bot.demo import PRIYA, YOU, bot_starter, first_steps
from bot.local import LocalSlack
from bot.local.run import run_local
from bot.settings import Settings
from tests.conftest import BUSY_SECONDS, MakeGuide, well_formed

from .chromium import MISSING, find_chromium, launched
from .seat import SIZES, Kind, Seat

MONDAY = datetime(2026, 6, 1, 14, tzinfo=UTC)
BEGUN = datetime.now(UTC)
Opened = Callable[[Kind], AbstractAsyncContextManager[Seat]]


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def browser() -> AsyncIterator[Browser]:
    executable = find_chromium()
    if executable is None:
        # Never skipped where everything has to be there.
        (pytest.fail if os.environ.get("CI") == "true" else pytest.skip)(MISSING)
    # What a test waits for comes when it comes: none fails because the machine is busy.
    expect.set_options(timeout=BUSY_SECONDS * 1_000)
    async with launched(executable) as browser:
        yield browser


def at_work() -> datetime:
    """Go on from a Monday afternoon in Europe, whenever the tests run: nobody is written to at night."""
    return MONDAY + (datetime.now(UTC) - BEGUN)


@asynccontextmanager
async def running(database: Path, make_guide: MakeGuide, *, empty: bool) -> AsyncIterator[LocalSlack]:
    """Run the local workspace as `make run` does, on a free port."""
    settings = Settings(_env_file=None)  # type: ignore[call-arg]  # known to pydantic-settings, not to mypy
    ready: asyncio.Future[LocalSlack] = asyncio.get_running_loop().create_future()
    stop = asyncio.Event()
    workspace = asyncio.create_task(
        run_local(
            bot_starter(settings, f"sqlite+aiosqlite:///{database}", empty=empty, make_guide=make_guide, now=at_work),
            members=[YOU] if empty else None,
            steps=first_steps(YOU.id if empty else PRIYA),
            history=database.with_name("workspace.sqlite3"),
            ready=ready.set_result,
            stop=stop,
        )
    )

    def ended(task: asyncio.Task[None]) -> None:
        # It did not start: whoever waits is told why.
        if not ready.done():
            ready.set_exception(task.exception() or EOFError("The workspace ended before it was ready."))

    workspace.add_done_callback(ended)
    slack = await ready
    slack.deadline = BUSY_SECONDS
    yield slack
    stop.set()
    await workspace


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def team_database(empty_database: Path, tmp_path_factory: pytest.TempPathFactory, make_guide: MakeGuide) -> Path:
    """A file in which the demo team has declared what it does; tests take copies."""
    file = Path(shutil.copy(empty_database, tmp_path_factory.mktemp("team") / "bot.sqlite3"))
    async with running(file, make_guide, empty=False):
        pass
    return file


@pytest_asyncio.fixture(loop_scope="session")
async def workspace(
    request: pytest.FixtureRequest,
    caplog: pytest.LogCaptureFixture,
    empty_database: Path,
    team_database: Path,
    tmp_path: Path,
    make_guide: MakeGuide,
) -> AsyncIterator[LocalSlack]:
    """The local workspace with the demo team; parametrised with "empty" it has you alone, as with --empty."""
    empty = getattr(request, "param", "") == "empty"
    file = Path(shutil.copy(empty_database if empty else team_database, tmp_path / "bot.sqlite3"))
    async with running(file, make_guide, empty=empty) as slack:
        yield slack
    if {"refusals", "strange_messages"}.isdisjoint(request.fixturenames):
        well_formed(slack)
    errors = [record for record in caplog.get_records("call") if record.levelno >= logging.ERROR]
    assert not errors, [record.getMessage() for record in errors]


@pytest.fixture
def strange_messages() -> None:
    """Ask for it where messages are posted that this bot would never send."""


@pytest.fixture
def opened(browser: Browser, workspace: LocalSlack, request: pytest.FixtureRequest) -> Opened:
    """Open the page in a browser that never saw it; at the end nothing may have been complained of."""

    @asynccontextmanager
    async def open_page(kind: Kind) -> AsyncIterator[Seat]:
        phone = kind == "phone"
        screenshots = bool(request.config.getoption("--screenshots"))
        context = await browser.new_context(
            viewport=SIZES[kind],
            has_touch=phone,
            is_mobile=phone,
            device_scale_factor=2 if phone and screenshots else 1,
            locale="en-US",
            timezone_id="Europe/Berlin",
        )
        context.set_default_timeout(BUSY_SECONDS * 1_000)
        seat = Seat(await context.new_page(), workspace.page_url, kind, screenshots)
        seat.watch()
        await seat.open()
        yield seat
        await context.close()
        assert not seat.trouble

    return open_page


@pytest_asyncio.fixture(loop_scope="session", params=get_args(Kind))
async def seat(opened: Opened, request: pytest.FixtureRequest) -> AsyncIterator[Seat]:
    """A person at the page, once at a desktop and once with a phone."""
    async with opened(request.param) as seat:
        yield seat


@pytest_asyncio.fixture(loop_scope="session")
async def desk(opened: Opened) -> AsyncIterator[Seat]:
    """A person at a desktop, for what no phone has."""
    async with opened("desktop") as seat:
        yield seat
