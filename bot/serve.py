"""Run the web site until a signal ends it."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Awaitable, Callable

from aiohttp import web

from bot.app import Bot, build_app
from bot.settings import Settings

Stop = Callable[[], Awaitable[None]]


async def start_site(bot: Bot, host: str, port: int) -> tuple[str, Stop]:
    """Start the bot and listen; return the base address and what stops it again."""
    await bot.start()
    runner = web.AppRunner(bot.site(), access_log=None, handle_signals=False)
    await runner.setup()
    site = web.TCPSite(runner, host, port)
    await site.start()
    address = runner.addresses[0]

    async def stop() -> None:
        # Listening ends first, then what was taken is finished.
        await runner.cleanup()
        await bot.stop()

    return f"http://{address[0]}:{address[1]}", stop


async def serve(settings: Settings, say: Callable[[str], None]) -> None:
    """Serve Slack over HTTP until SIGTERM or SIGINT."""
    bot = build_app(settings)
    ended = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, ended.set)
    base, stop = await start_site(bot, settings.host, settings.port)
    say(f"Serving Slack over HTTP at {base}/slack/events")
    await ended.wait()
    await stop()
