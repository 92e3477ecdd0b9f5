"""Run the web site, Socket Mode or the worker until a signal ends it."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Awaitable, Callable

from aiohttp import web

from bot.app import Bot, Work, build_app
from bot.settings import Settings

Stop = Callable[[], Awaitable[None]]


async def start_site(bot: Bot, host: str, port: int) -> tuple[str, Stop]:
    """Start the bot and listen; return the base address and what stops it again."""
    await bot.start()
    base, close = await listen(bot, host, port)

    async def stop() -> None:
        # Listening ends first, then what was taken is finished.
        await close()
        await bot.stop()

    return base, stop


async def listen(bot: Bot, host: str, port: int) -> tuple[str, Stop]:
    """Listen; return the base address and what ends it."""
    runner = web.AppRunner(bot.site(), access_log=None, handle_signals=False)
    await runner.setup()
    site = web.TCPSite(runner, host, port)
    await site.start()
    address = runner.addresses[0]
    return f"http://{address[0]}:{address[1]}", runner.cleanup


async def start_socket(bot: Bot) -> Stop:
    """Start the bot and connect it to Slack; return what stops it again."""
    assert bot.socket_mode is not None, "build_app was not told to"
    await bot.start()
    bot.socket_mode.start()
    return bot.stop


async def serve_socket(settings: Settings, say: Callable[[str], None]) -> None:
    """Serve Slack over Socket Mode until SIGTERM or SIGINT; health is served where PORT is set."""
    bot = build_app(settings, over_socket=True)
    ended = _signalled()
    stop = await start_socket(bot)
    close: Stop | None = None
    say("Serving Slack over Socket Mode")
    if "port" in settings.model_fields_set:
        base, close = await listen(bot, settings.host, settings.port)
        say(f"Health at {base}/healthz and {base}/readyz")
    await ended.wait()
    if close is not None:
        await close()
    await stop()


async def serve(settings: Settings, say: Callable[[str], None], work: Work = "all") -> None:
    """Serve Slack over HTTP until SIGTERM or SIGINT; ``web`` leaves the events to worker processes."""
    bot = build_app(settings, work=work)
    ended = _signalled()
    base, stop = await start_site(bot, settings.host, settings.port)
    say(f"Serving Slack over HTTP at {base}/slack/events")
    await ended.wait()
    await stop()


async def work_only(settings: Settings, say: Callable[[str], None]) -> None:
    """Work the inbox off, without HTTP, until SIGTERM or SIGINT."""
    bot = build_app(settings, work="worker")
    ended = _signalled()
    await bot.start()
    say("Working the inbox off")
    await ended.wait()
    await bot.stop()


def _signalled() -> asyncio.Event:
    ended = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, ended.set)
    return ended
