"""The local workspace with the bot and a demo team in it."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from platformdirs import user_data_path
from pydantic import SecretStr

from bot.app import build_app
from bot.ask import fill, read_team
from bot.local import DEMO_TEAM
from bot.local.run import run_local
from bot.serve import Stop, start_site
from bot.settings import Settings

DEMO_WORKSPACE = "T0LOCAL0001"


async def run_demo(settings: Settings, database: str | None = None) -> None:
    """Run until the person at the prompt leaves, or until SIGTERM; ``database`` takes the place of its own file."""

    async def start_bot(api_url: str, token: str, secret: str) -> tuple[str, Stop]:
        bot = build_app(local_settings(settings, database, api_url, token, secret))
        base, stop = await start_site(bot, "127.0.0.1", 0)
        if not await bot.people.count(DEMO_WORKSPACE):
            team = read_team(Path(DEMO_TEAM), bot.guide.catalog.roles)
            await fill(bot.people, bot.guide, DEMO_WORKSPACE, team, datetime.now(UTC))
        return base, stop

    await run_local(start_bot)


def local_settings(settings: Settings, database: str | None, api_url: str, token: str, secret: str) -> Settings:
    """Return settings for the local workspace: the team of a demo must never get into DATABASE_URL."""
    own = user_data_path("genai-roles-bot") / "local.sqlite3"
    return settings.model_copy(
        update={
            "slack_api_url": api_url,
            "slack_bot_token": SecretStr(token),
            "slack_signing_secret": SecretStr(secret),
            "https_proxy": None,
            "database_url": database or f"sqlite+aiosqlite:///{own}",
            # Its own file has a key beside it.
            "encryption_keys": settings.encryption_keys if database else None,
        }
    )
