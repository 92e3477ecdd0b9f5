"""The bot as a child process that is killed and started again, and the database behind it."""

from __future__ import annotations

import asyncio
import os
import random
import signal
import socket
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import aiohttp
import asyncpg  # type: ignore[import-untyped]  # it has no types
from sqlalchemy import make_url

from .standin import SECRET, TOKEN, StandIn

ROOT = Path(__file__).parents[2]
START_SECONDS = 30.0
POSTGRES = "postgresql://root@127.0.0.1:5432/test"


def free_port() -> int:
    """Return a port of loopback that nobody listens on."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


@dataclass(frozen=True)
class Kill:
    """A SIGKILL: which life of which process it ended, and when."""

    process: str
    at: float


@dataclass
class Process:
    """`python -m bot serve`, again and again on one port; each life has a name of its own."""

    name: str
    slack: StandIn
    folder: Path
    settings: dict[str, str]
    port: int = field(default_factory=free_port)
    lives: int = 0
    kills: list[Kill] = field(default_factory=list)
    _running: asyncio.subprocess.Process | None = None

    @property
    def url(self) -> str:
        """Return where Slack posts to."""
        return f"http://127.0.0.1:{self.port}/slack/events"

    @property
    def log(self) -> Path:
        """Return the file that all lives log to."""
        return self.folder / f"{self.name}.log"

    async def start(self) -> None:
        """Start a life; does not wait until it listens."""
        self.lives += 1
        environment = {name: value for name, value in os.environ.items() if name in ("PATH", "HOME", "LANG", "TMPDIR")}
        with self.log.open("ab") as log:
            self._running = await asyncio.create_subprocess_exec(
                sys.executable,
                "-m",
                "bot",
                "serve",
                cwd=self.folder,
                env={
                    **environment,
                    "PYTHONPATH": str(ROOT),
                    "SLACK_API_URL": self.slack.url(f"{self.name}.{self.lives}"),
                    "SLACK_BOT_TOKEN": TOKEN,
                    "SLACK_SIGNING_SECRET": SECRET,
                    "PORT": str(self.port),
                    "LOG_LEVEL": "WARNING",
                    **self.settings,
                },
                stdout=log,
                stderr=log,
            )

    async def ready(self) -> None:
        """Wait until it can work."""
        async with asyncio.timeout(START_SECONDS), aiohttp.ClientSession() as session:
            while True:
                if self._running is not None and self._running.returncode is not None:
                    raise RuntimeError(f"the bot ended by itself:\n{self.log.read_text()[-2000:]}")
                try:
                    async with session.get(f"http://127.0.0.1:{self.port}/readyz") as response:
                        if response.status == 200:
                            return
                except aiohttp.ClientError:
                    pass
                await asyncio.sleep(0.02)

    async def kill(self) -> None:
        """End this life by SIGKILL."""
        if self._running is None:
            return
        self.kills.append(Kill(f"{self.name}.{self.lives}", time.monotonic()))
        self._running.kill()
        await self._running.wait()
        self._running = None

    async def end(self) -> int | None:
        """End this life by SIGTERM; return its exit status."""
        if self._running is None:
            return None
        if self._running.returncode is None:
            self._running.send_signal(signal.SIGTERM)
        return await self._running.wait()


async def kill_at_random(rng: random.Random, processes: list[Process], kills: int, longest: float) -> None:
    """Kill one process or the other so often, and start it again at once; one works so many seconds at most."""
    for _ in range(kills):
        process = rng.choice(processes)
        if rng.random() < 0.8:
            # From the first moment of its work, when it takes up what its last life left, to well into it.
            await process.ready()
            await asyncio.sleep(rng.uniform(0.0, longest) / len(processes))
        else:
            # Or before it is ready.
            await asyncio.sleep(rng.uniform(0.3, 1.5))
        await process.kill()
        await process.start()


@asynccontextmanager
async def postgres_database(server: str = POSTGRES) -> AsyncIterator[str]:
    """Make a database of the run's own on a PostgreSQL server, and drop it afterwards."""
    name = f"chaos_{os.getpid()}_{time.monotonic_ns()}"
    admin = await asyncpg.connect(server)
    try:
        await admin.execute(f"CREATE DATABASE {name}")
        try:
            yield make_url(server).set(database=name).render_as_string(hide_password=False)
        finally:
            await admin.execute(f"DROP DATABASE {name} WITH (FORCE)")
    finally:
        await admin.close()
