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


async def run_demo(settings: Settings) -> None:
    """Run until the person at the prompt leaves, or until SIGTERM."""

    async def start_bot(api_url: str, token: str, secret: str) -> tuple[str, Stop]:
        file = user_data_path("genai-roles-bot") / "local.sqlite3"
        bot = build_app(
            settings.model_copy(
                update={
                    "slack_api_url": api_url,
                    "slack_bot_token": SecretStr(token),
                    "slack_signing_secret": SecretStr(secret),
                    "database_url": settings.database_url or f"sqlite+aiosqlite:///{file}",
                }
            )
        )
        base, stop = await start_site(bot, "127.0.0.1", 0)
        if not await bot.people.count(DEMO_WORKSPACE):
            await fill(bot.people, bot.guide, DEMO_WORKSPACE, read_team(Path(DEMO_TEAM)), datetime.now(UTC))
        return base, stop

    await run_local(start_bot)
