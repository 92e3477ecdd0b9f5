"""A server in a process of its own."""

from __future__ import annotations

import asyncio
import os
import re
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import aiohttp

from tests.benchmarks.traffic import SECRET, TOKEN

ROOT = Path(__file__).parents[2]
ADDRESS = re.compile(r"(http://127\.0\.0\.1:\d+)/slack/events")
START_SECONDS = 20.0


@dataclass(frozen=True)
class Server:
    """A running server: where it listens, its process, and how long it took from exec to ready."""

    base: str
    pid: int
    ready_seconds: float

    @property
    def events(self) -> str:
        """Return the address that Slack would post to."""
        return f"{self.base}/slack/events"

    def resident_megabytes(self) -> float:
        """Return the resident memory of the process."""
        found = subprocess.run(["ps", "-o", "rss=", "-p", str(self.pid)], capture_output=True, text=True, check=True)  # noqa: S603, S607
        return int(found.stdout) / 1024


@asynccontextmanager
async def serving(arguments: list[str], folder: Path, settings: dict[str, str]) -> AsyncIterator[Server]:
    """Run a module of the project until the block ends.

    It runs in a folder without anything of the project, so that no .env file changes what is measured.
    """
    plain = {name: value for name, value in os.environ.items() if name in ("PATH", "HOME", "LANG", "TMPDIR")}
    started = time.perf_counter()
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        *arguments,
        cwd=folder,
        env={**plain, "PYTHONPATH": str(ROOT), **settings},
        stderr=asyncio.subprocess.PIPE,
    )
    assert process.stderr is not None
    try:
        async with asyncio.timeout(START_SECONDS):
            base = await _address(process.stderr)
            await _ready(f"{base}/readyz")
        taken = time.perf_counter() - started
        # What it logs from now on is read and dropped: a full pipe would hold it up.
        drain = asyncio.create_task(process.stderr.read())
        yield Server(base, process.pid, taken)
        drain.cancel()
    finally:
        if process.returncode is None:
            process.terminate()
            await process.wait()


async def _address(log: asyncio.StreamReader) -> str:
    said = []
    async for line in log:
        said.append(line.decode())
        if found := ADDRESS.search(said[-1]):
            return found.group(1)
    raise RuntimeError(f"the server did not start:\n{''.join(said)}")


async def _ready(url: str) -> None:
    async with aiohttp.ClientSession() as session:
        status = 0
        while status != 200:
            async with session.get(url) as response:
                status = response.status


def bot_settings(api_url: str, database: Path) -> dict[str, str]:
    """Return the environment of the real bot on a free port of loopback."""
    return {
        "SLACK_API_URL": api_url,
        "SLACK_BOT_TOKEN": TOKEN,
        "SLACK_SIGNING_SECRET": SECRET,
        "DATABASE_URL": f"sqlite+aiosqlite:///{database}",
        "PORT": "0",
        "LOG_LEVEL": "WARNING",
    }
