"""`python -m bot worker`: a process beside those that take requests, watched by its health."""

from __future__ import annotations

import asyncio
import re
import signal
import socket
from pathlib import Path

import aiohttp
import pytest

from bot.local import LocalSlack
from tests.bot.test_socket import run
from tests.conftest import BUSY_SECONDS, Start
from tests.databases import KEY, ON_POSTGRES


@ON_POSTGRES
@pytest.mark.parametrize("oauth", [False, True])
async def test_a_worker_tells_its_health_where_it_is_told_a_port_and_takes_no_requests(
    slack: LocalSlack, start: Start, tmp_path: Path, oauth: bool
) -> None:
    app = {"SLACK_CLIENT_ID": "1.2", "SLACK_CLIENT_SECRET": "c", "SLACK_SIGNING_SECRET": slack.signing_secret}
    process = await run(
        tmp_path,
        "worker",
        **(app if oauth else {"SLACK_BOT_TOKEN": slack.bot_token}),
        SLACK_API_URL=slack.api_url,
        DATABASE_URL=start.database,
        ENCRYPTION_KEYS=KEY,
        PORT="0",
    )
    assert process.stderr is not None
    try:
        async with asyncio.timeout(BUSY_SECONDS), aiohttp.ClientSession() as session:
            said = b""
            while not (found := re.search(rb"Health at (\S+)/healthz", said)):
                line = await process.stderr.readline()
                assert line, said
                said += line
            base = found[1].decode()
            for path, status in {"healthz": 200, "readyz": 200, "slack/events": 404, "slack/install": 404}.items():
                async with session.get(f"{base}/{path}") as response:
                    assert (path, response.status) == (path, status)
        process.send_signal(signal.SIGTERM)
        await asyncio.wait_for(process.wait(), BUSY_SECONDS)
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    assert process.returncode == 0


@ON_POSTGRES
async def test_a_worker_with_the_port_of_the_web_process_warns_once_and_works_without_health(
    slack: LocalSlack, start: Start, tmp_path: Path
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as web:
        port = web.getsockname()[1]
        process = await run(
            tmp_path,
            "worker",
            SLACK_BOT_TOKEN=slack.bot_token,
            SLACK_SIGNING_SECRET=slack.signing_secret,
            SLACK_API_URL=slack.api_url,
            DATABASE_URL=start.database,
            ENCRYPTION_KEYS=KEY,
            PORT=str(port),
        )
        assert process.stderr is not None
        try:
            said = b""
            async with asyncio.timeout(BUSY_SECONDS):
                while b"is taken" not in said:
                    line = await process.stderr.readline()
                    assert line, said
                    said += line
                process.send_signal(signal.SIGTERM)
                said += await process.stderr.read()
                await process.wait()
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()
    assert process.returncode == 0, said
    assert b"Working the inbox off" in said
    warnings = [line for line in said.splitlines() if b"WARNING" in line]
    assert len(warnings) == 1
    assert f"PORT {port} of HOST 127.0.0.1 is taken".encode() in warnings[0]
    assert b"give the worker a PORT of its own, or none." in warnings[0]
