"""Start the local workspace and the bot beside it: a page in the browser, or a prompt."""

from __future__ import annotations

import asyncio
import secrets
import signal
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path

from .browser import Browser
from .history import History
from .slack import LocalSlack
from .stream import Step
from .workspace import Member

EVENTS_PATH = "/slack/events"


@dataclass(frozen=True, slots=True)
class RunningBot:
    """A bot that was started: its base address, what ends it, what makes it forget the workspace."""

    url: str
    stop: Callable[[], Awaitable[None]]
    reset: Callable[[], Awaitable[None]] | None = None


StartBot = Callable[[str, str, str], Awaitable[RunningBot]]
"""Given the Web API's base, the bot token and the signing secret: start the bot."""


async def run_local(
    start_bot: StartBot,
    *,
    members: Sequence[Member] | None = None,
    steps: Sequence[Step] = (),
    history: Path | None = None,
    ready: Callable[[LocalSlack], None] = lambda slack: None,
    prompt: Callable[[LocalSlack], Awaitable[None]] | None = None,
    stop: asyncio.Event | None = None,
    port: int = 0,
) -> None:
    """Run the workspace and the bot until SIGTERM or Ctrl-C, or until `prompt`, where there is one, ends.

    `ready` is told when both run; `history` is the file that keeps what was said. Raises OSError where the port is
    taken.
    """
    stop = stop or asyncio.Event()
    signals = _stop_on_signals(stop)
    token, secret = f"xoxb-local-{secrets.token_hex(12)}", secrets.token_hex(16)
    slack = LocalSlack(signing_secret=secret, bot_token=token, members=members, port=port, echo=True, timeout=10.0)
    bot: RunningBot | None = None

    async def reset() -> None:
        if bot is not None and bot.reset is not None:
            await bot.reset()

    slack.also_serve(Browser(slack, steps, reset).add_to)
    try:
        async with AsyncExitStack() as running:
            await running.enter_async_context(slack)
            # The bot first: it says best what is wrong with the place. It also ends first, so that its last words stay.
            bot = await start_bot(slack.api_url, token, secret)
            try:
                if history is not None:
                    await running.enter_async_context(History(slack.workspace, history))
            finally:
                running.push_async_callback(bot.stop)
            slack.bot_url = bot.url if bot.url.endswith(EVENTS_PATH) else bot.url.rstrip("/") + EVENTS_PATH
            ready(slack)
            await (stop.wait() if prompt is None else _until(stop, prompt(slack)))
    finally:
        for number in signals:
            asyncio.get_running_loop().remove_signal_handler(number)


async def _until(stop: asyncio.Event, prompt: Awaitable[None]) -> None:
    """Run the prompt until it ends or `stop` is set."""
    typing = asyncio.ensure_future(prompt)
    stopping = asyncio.create_task(stop.wait())
    try:
        await asyncio.wait({typing, stopping}, return_when=asyncio.FIRST_COMPLETED)
        if typing.done():
            typing.result()
    finally:
        for task in (typing, stopping):
            task.cancel()
        await asyncio.gather(typing, stopping, return_exceptions=True)


def _stop_on_signals(stop: asyncio.Event) -> list[signal.Signals]:
    """Set `stop` on SIGTERM and Ctrl-C; return the signals that are handled here."""
    handled = []
    for number in (signal.SIGTERM, signal.SIGINT):
        try:
            asyncio.get_running_loop().add_signal_handler(number, stop.set)
        except (NotImplementedError, RuntimeError):
            # Windows, or a loop outside of the main thread: the default handling stays.
            continue
        handled.append(number)
    return handled
