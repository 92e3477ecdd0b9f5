"""Run the web site, Socket Mode or the worker until a signal ends it."""

from __future__ import annotations

import asyncio
import errno
import logging
import os
import signal
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager, suppress

from aiohttp import web

from bot.app import Bot, Work, build_app
from bot.headers import LONGEST_HEADER, quiet_logger
from bot.loop import made_to_stay
from bot.settings import Settings, SettingsError

Stop = Callable[[], Awaitable[None]]
logger = logging.getLogger(__name__)
_build = made_to_stay()(build_app)
SHUTDOWN_SECONDS = 3.0
"""How long requests under way are waited for: Slack has given them up by then."""
IDLE_SECONDS = 620.0
"""How long a connection may bring no whole head, however it trickles in.

Longer than any proxy keeps an idle connection, as a request on one that is being closed here would be lost; Google's
load balancers keep theirs longest, for 600 seconds.
"""


class PortTakenError(SettingsError):
    """Report that another process listens there."""


async def start_site(bot: Bot, host: str, port: int) -> tuple[str, Stop]:
    """Start the bot and listen; return the base address and what stops it again.

    Raises SettingsError where the bot can't start or the address can't be listened on.
    """
    # Asked first: a second process must not take events over before it finds the port taken.
    await can_listen(host, port)
    await _start(bot)
    try:
        base, close = await listen(bot, host, port)
    except SettingsError:
        await bot.stop()
        raise

    async def stop() -> None:
        # Listening ends first, then what was taken is finished.
        await close()
        await bot.stop()

    return base, stop


async def _start(bot: Bot) -> None:
    try:
        await bot.start()
    except SettingsError:
        await bot.stop()
        raise


async def listen(bot: Bot, host: str, port: int, *, idle: float = IDLE_SECONDS) -> tuple[str, Stop]:
    """Listen; return the base address and what ends it. Raises SettingsError where the address can't be had."""
    runner = web.AppRunner(
        bot.site(),
        access_log=None,
        logger=quiet_logger(),
        handle_signals=False,
        shutdown_timeout=SHUTDOWN_SECONDS,
        # Slack packs nothing, and what is packed may be a thousand times as much.
        auto_decompress=False,
        keepalive_timeout=idle,
        max_line_size=LONGEST_HEADER,
        max_field_size=LONGEST_HEADER,
    )
    await runner.setup()
    site = web.TCPSite(runner, host, port)
    try:
        with _listening(host, port):
            await site.start()
    except SettingsError:
        await runner.cleanup()
        raise
    address = runner.addresses[0]
    return f"http://{address[0]}:{address[1]}", runner.cleanup


async def can_listen(host: str, port: int) -> None:
    """Raise SettingsError where the address can't be listened on."""
    with _listening(host, port):
        bound = await asyncio.get_running_loop().create_server(asyncio.Protocol, host, port, start_serving=False)
        bound.close()
        await bound.wait_closed()


@contextmanager
def _listening(host: str, port: int) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        # asyncio writes a sentence of its own around the system's words.
        reason = os.strerror(error.errno) if error.errno and error.errno > 0 else error.strerror or str(error)
        kind = PortTakenError if error.errno == errno.EADDRINUSE else SettingsError
        raise kind(
            f"HOST {host}, PORT {port} can't be listened on: {reason}. Set another PORT, or stop what uses this one."
        ) from error


async def start_socket(bot: Bot) -> Stop:
    """Start the bot and connect it to Slack; return what stops it again."""
    assert bot.socket_mode is not None, "build_app was not told to"
    await _start(bot)
    bot.socket_mode.start()
    return bot.stop


async def serve_socket(settings: Settings, say: Callable[[str], None]) -> None:
    """Serve Slack over Socket Mode until SIGTERM or SIGINT; health is served where PORT is set."""
    bot = _build(settings, over_socket=True)
    await _until_signalled(bot, settings, start_socket, "Serving Slack over Socket Mode", say)


async def serve(settings: Settings, say: Callable[[str], None], work: Work = "all") -> None:
    """Serve Slack over HTTP until SIGTERM or SIGINT; ``web`` leaves the events to worker processes."""
    bot = _build(settings, work=work)
    ended = _signalled()
    base, stop = await start_site(bot, settings.host, settings.port)
    say(f"Serving Slack over HTTP at {base}/slack/events")
    await ended.wait()
    await stop()


async def work_only(settings: Settings, say: Callable[[str], None]) -> None:
    """Work the inbox off until SIGTERM or SIGINT; health is served where PORT is set and not taken."""
    bot = _build(settings, work="worker")
    # Its PORT may be that of the web process, from an environment that both share.
    await _until_signalled(bot, settings, _start, "Working the inbox off", say, unheeded=(PortTakenError,))


async def _until_signalled(
    bot: Bot,
    settings: Settings,
    start: Callable[[Bot], Awaitable[object]],
    begun: str,
    say: Callable[[str], None],
    *,
    unheeded: tuple[type[SettingsError], ...] = (),
) -> None:
    """Run what Slack does not come to over HTTP: it listens only where it is told on which port, for health.

    Where listening fails with one of ``unheeded``, that is a warning, and it runs without health.
    """
    ended = _signalled()
    with_health = "port" in settings.model_fields_set
    if with_health:
        with suppress(*unheeded):
            await can_listen(settings.host, settings.port)
    await start(bot)
    close: Stop | None = None
    try:
        say(begun)
        if with_health:
            try:
                base, close = await listen(bot, settings.host, settings.port)
            except unheeded:
                logger.warning(
                    "PORT %s of HOST %s is taken, so that no health is served here: give the worker a PORT of its own, "
                    "or none.",
                    settings.port,
                    settings.host,
                )
            else:
                say(f"Health at {base}/healthz and {base}/readyz")
        await ended.wait()
        if close is not None:
            await close()
    finally:
        await bot.stop()


def _signalled() -> asyncio.Event:
    ended = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, ended.set)
    return ended
