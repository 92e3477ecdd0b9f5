"""The local workspace with the bot in it: a demo team, or nobody but you."""

from __future__ import annotations

import sys
import webbrowser
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path

import click
from platformdirs import user_data_path
from pydantic import SecretStr

from bot.app import MakeGuide, build_app
from bot.ask import TeamMember, fill, read_team
from bot.local import DEMO_TEAM, GENERAL, LocalSlack, Member
from bot.local.run import RunningBot, StartBot, run_local
from bot.local.stream import Step
from bot.serve import can_listen, start_site
from bot.settings import Settings, SettingsError, has_display
from handlers import ids
from knowledge.guide import load_guide
from storage.database import sqlite_file

DEMO_WORKSPACE = "T0LOCAL0001"
YOU = Member("U0YOU000001", "You", title="", admin=True)
PRIYA = "U0PRIYA0001"


def first_steps(somebody: str) -> list[Step]:
    """Return what the page proposes to try first; `somebody` declares a role."""
    name = "Priya" if somebody == PRIYA else "yourself"
    return [
        Step(
            "look-up",
            "Look up a role",
            "Type /genai-role mlops. Only you see the answer.",
            "slash_commands",
            "mlops",
            fill="/genai-role mlops",
            channel=GENERAL,
        ),
        Step(
            "ask",
            "Ask who can help",
            "Mention the bot in a channel; it answers in the thread.",
            "app_mention",
            "ethics review",
            fill="@genai-roles who covers ethics review?",
            channel=GENERAL,
        ),
        Step(
            "declare",
            f"Declare a role as {name}",
            "Type /genai-role me, choose a role, and save.",
            "view_submission",
            ids.VIEW_DECLARE,
            fill="/genai-role me",
            user=somebody,
            channel=GENERAL,
        ),
    ]


async def run_demo(
    settings: Settings,
    database: str | None = None,
    *,
    empty: bool = False,
    terminal: bool = False,
    browser: bool = True,
) -> None:
    """Run until SIGTERM or Ctrl-C; ``database`` takes the place of the workspace's own file.

    ``empty`` starts without the demo team; ``terminal`` opens a prompt here, else ``browser`` opens the page where
    somebody sits at a screen. Raises SettingsError where PORT is set and taken.
    """
    own = own_file(empty=empty)

    def ready(slack: LocalSlack) -> None:
        click.echo(f"Local workspace: {slack.page_url}")
        click.echo(f"Local workspace at {slack.api_url}, bot at {slack.bot_url}; SIGTERM stops them.")
        if browser and not terminal and sys.stdout.isatty() and has_display():
            webbrowser.open(slack.page_url)

    async def prompt(slack: LocalSlack) -> None:
        from bot.local.terminal import run_at_terminal

        await run_at_terminal(slack)

    await run_local(
        bot_starter(settings, database, own=own, empty=empty),
        members=[YOU] if empty else None,
        steps=first_steps(YOU.id if empty else PRIYA),
        history=_beside(sqlite_file(database) if database else own),
        ready=ready,
        prompt=prompt if terminal else None,
        port=await _port(settings),
    )


def bot_starter(
    settings: Settings,
    database: str | None = None,
    *,
    own: Path | None = None,
    empty: bool = False,
    make_guide: MakeGuide = load_guide,
    now: Callable[[], datetime] = lambda: datetime.now(UTC),
) -> StartBot:
    """Return what starts the bot with the team declared in it; a guide that was read before can be given by tests."""

    async def start_bot(api_url: str, token: str, secret: str) -> RunningBot:
        bot = build_app(local_settings(settings, database, api_url, token, secret, own), now=now, make_guide=make_guide)
        base, stop = await start_site(bot, "127.0.0.1", 0)
        team: Sequence[TeamMember] = () if empty else read_team(Path(DEMO_TEAM), bot.guide.catalog.roles)

        async def declare() -> None:
            await fill(bot.people, bot.guide, DEMO_WORKSPACE, team, now())

        async def reset() -> None:
            await bot.people.forget_workspace(DEMO_WORKSPACE)
            await declare()

        if not await bot.people.count(DEMO_WORKSPACE):
            await declare()
        return RunningBot(base, stop, reset)

    return start_bot


async def _port(settings: Settings) -> int:
    """Return PORT where it is set, else its default or, where that is taken, a free one."""
    try:
        await can_listen("127.0.0.1", settings.port)
    except SettingsError:
        if "port" in settings.model_fields_set:
            raise
        return 0
    return settings.port


def _beside(file: Path | None) -> Path | None:
    return file and file.with_name(f"{file.stem}.workspace{file.suffix}")


def own_file(*, empty: bool = False) -> Path:
    """Return the file that holds what the bot keeps of the local workspace."""
    return user_data_path("genai-roles-bot") / ("local-empty.sqlite3" if empty else "local.sqlite3")


def local_settings(
    settings: Settings, database: str | None, api_url: str, token: str, secret: str, own: Path | None = None
) -> Settings:
    """Return settings for the local workspace: the team of a demo must never get into DATABASE_URL."""
    return settings.model_copy(
        update={
            "slack_api_url": api_url,
            "slack_bot_token": SecretStr(token),
            "slack_signing_secret": SecretStr(secret),
            "https_proxy": None,
            "database_url": database or f"sqlite+aiosqlite:///{own or own_file()}",
            # Its own file has a key beside it.
            "encryption_keys": settings.encryption_keys if database else None,
        }
    )
