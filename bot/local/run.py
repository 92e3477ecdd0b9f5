"""Start the local workspace and the bot beside it, with a prompt where there is a terminal."""

from __future__ import annotations

import asyncio
import secrets
import signal
import sys
import threading
from collections.abc import Awaitable, Callable, Sequence

from rich.console import Console

from .dialog import Ask
from .slack import LocalSlack
from .terminal import run_terminal
from .workspace import Member

Stop = Callable[[], Awaitable[None]]
# Given the Web API's base, the bot token and the signing secret: start the bot, return its address and its stop.
StartBot = Callable[[str, str, str], Awaitable[tuple[str, Stop]]]
EVENTS_PATH = "/slack/events"


async def run_local(
    start_bot: StartBot,
    *,
    members: Sequence[Member] | None = None,
    write: Console | None = None,
    ask: Ask | None = None,
    stop: asyncio.Event | None = None,
    port: int = 0,
) -> None:
    """Run the workspace and the bot until the person leaves, or until SIGTERM where nobody is at a terminal.

    Without `ask` the prompt reads standard input if that is a terminal, and there is none otherwise.
    """
    write = write or Console(highlight=False)
    stop = stop or asyncio.Event()
    signals = _stop_on_signals(stop)
    token, secret = f"xoxb-local-{secrets.token_hex(12)}", secrets.token_hex(16)
    try:
        async with LocalSlack(
            signing_secret=secret, bot_token=token, members=members, port=port, echo=True, timeout=10.0
        ) as slack:
            base_url, stop_bot = await start_bot(slack.api_url, token, secret)
            slack.bot_url = base_url if base_url.endswith(EVENTS_PATH) else base_url.rstrip("/") + EVENTS_PATH
            try:
                if ask is None and sys.stdin.isatty():
                    ask = ask_stdin
                if ask is None:
                    # Whole, however narrow: what reads this line is seldom a person.
                    said = f"Local workspace at {slack.api_url}, bot at {slack.bot_url}; SIGTERM stops them."
                    write.print(said, soft_wrap=True)
                    await stop.wait()
                else:
                    await _until(stop, run_terminal(slack, ask, write))
            finally:
                await stop_bot()
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


async def ask_stdin(prompt: str) -> str | None:
    """Read a line from standard input without stopping the loop; None at its end.

    The thread is a daemon: a pool's thread would keep the process from ending while it waits for Enter.
    """
    loop = asyncio.get_running_loop()
    answer: asyncio.Future[str | None] = loop.create_future()

    def settle(line: str | None) -> None:
        if not answer.done():
            answer.set_result(line)

    def read() -> None:
        try:
            line: str | None = input(prompt)
        except (EOFError, ValueError):
            line = None
        try:
            loop.call_soon_threadsafe(settle, line)
        except RuntimeError:
            # The loop was closed while the line was typed.
            return

    threading.Thread(target=read, daemon=True).start()
    return await answer
