"""Socket Mode: what Slack sends comes over a WebSocket that the bot opens, so that Slack needs no address of the bot.

The SDK's own client does not keep the connection: it tries a refused address for ever, it closes the old connection
before it opens the next, it loses count of its tasks, and it logs errors with the address, whose ticket lets
anybody in (slack_sdk/socket_mode/aiohttp/__init__.py). Here every attempt asks for a new address.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
from collections.abc import Awaitable, Callable
from typing import Any

from aiohttp import ClientError, ClientSession, ClientTimeout, ClientWebSocketResponse, ClientWSTimeout, WSMsgType
from slack_bolt.response import BoltResponse
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from bot.server import MalformedBody, parse
from bot.slack import limited_for, refusing_redirects
from handlers.errors import code_of

logger = logging.getLogger(__name__)
Take = Callable[[dict[str, Any]], Awaitable[BoltResponse]]
PATIENCE = 10.0
"""Seconds from asking for an address to Slack's hello; after that the attempt is given up, and its address with it."""
HEARTBEAT = 10.0
"""Seconds between pings; a connection that owes the answer for half of that is dead."""
LINGER = 60.0
"""Seconds for which an old connection is still read after the next one is there; Slack closes it well before."""
STEADY = 30.0
"""A connection that ends sooner, unasked, counts as a failed attempt."""
PAUSES = (0.0, 1.0, 5.0, 15.0, 30.0, 60.0)
"""Seconds before the next attempt, by how many have failed one after another. Slack allows few openings a minute."""
CLOSE_SECONDS = 2.0
RENEWALS = frozenset({"warning", "refresh_requested"})
"""Reasons with which Slack asks for the next connection while this one still works."""
LET_GO = {
    "link_disabled": "Socket Mode is switched off in the settings of the Slack app.",
    "too_many_websockets": "The Slack app has too many connections: ten are allowed.",
}
REFUSED = frozenset(
    {
        "invalid_auth",
        "not_authed",
        "not_allowed_token_type",
        "missing_scope",
        "account_inactive",
        "token_revoked",
        "token_expired",
    }
)
"""Answers about the token: trying again soon does not mend it."""


class NoConnection(Exception):
    """Report that an attempt to connect failed: Slack's word or ours for why, and how long to wait at least."""

    def __init__(self, reason: str, pause: float = 0.0) -> None:
        super().__init__(reason)
        self.reason = reason
        self.pause = pause


class Connection:
    """One WebSocket: read what comes, handle each envelope by itself, acknowledge what was taken."""

    def __init__(self, socket: ClientWebSocketResponse, take: Take) -> None:
        self._socket = socket
        self._take = take
        self._handling: set[asyncio.Task[None]] = set()
        self.reason = ""
        self.greeted = asyncio.Event()
        self.leaving = asyncio.Event()
        self.reading = asyncio.create_task(self._read())

    @property
    def live(self) -> bool:
        """Tell whether Slack sends over it."""
        return self.greeted.is_set() and not self.reading.done()

    async def _read(self) -> None:
        try:
            async for message in self._socket:
                if message.type is WSMsgType.TEXT:
                    self._receive(message.data)
        except ClientError as error:
            logger.info("Socket Mode: the connection broke (%s)", type(error).__name__)
        finally:
            self.reason = self.reason or "closed"
            self.leaving.set()

    def _receive(self, text: str) -> None:
        try:
            envelope = parse(text.encode(), "application/json")
        except MalformedBody as error:
            logger.warning("Socket Mode: a message was not readable: %s", error)
            return
        match envelope:
            case {"type": "hello"}:
                logger.info("Socket Mode: connected; connections of the app: %s", envelope.get("num_connections"))
                self.greeted.set()
            case {"type": "disconnect"}:
                self.reason = str(envelope.get("reason"))[:40]
                self.leaving.set()
            case {"envelope_id": str(), "payload": dict()}:
                task = asyncio.create_task(self._handle(envelope))
                self._handling.add(task)
                task.add_done_callback(self._handling.discard)
            case _:
                logger.info("Socket Mode: message of an unknown type: %s", str(envelope.get("type"))[:40])

    async def _handle(self, envelope: dict[str, Any]) -> None:
        """Take a payload; without an acknowledgement Slack sends an event again."""
        try:
            response = await self._take(envelope["payload"])
        except Exception:
            logger.exception("Socket Mode: an envelope could not be taken")
            return
        if response.status != 200:
            logger.info("Socket Mode: not acknowledged: %s", response.body)
            return
        answer = {"envelope_id": envelope["envelope_id"]}
        if envelope.get("accepts_response_payload") and response.body:
            answer["payload"] = answer_in(response)
        try:
            await self._socket.send_json(answer)
        except (ClientError, ConnectionError) as error:
            # An event stands in the inbox, and its repeat is acknowledged there.
            logger.info("Socket Mode: lost before it was acknowledged (%s)", type(error).__name__)

    async def close(self, seconds: float) -> None:
        """Read no more, acknowledge what was taken within the deadline, and close."""
        self.reading.cancel()
        await asyncio.gather(self.reading, return_exceptions=True)
        if self._handling:
            _, late = await asyncio.wait(self._handling, timeout=seconds)
            for task in late:
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)
        with contextlib.suppress(ClientError, ConnectionError, TimeoutError):
            await self._socket.close()


class SocketMode:
    """Keep a connection to Slack and hand what comes over it to ``take``.

    ``client`` is its alone. ``state`` is "off", "connecting", "connected", or why there is no connection.
    """

    def __init__(
        self,
        take: Take,
        client: AsyncWebClient,
        app_token: str,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        patience: float = PATIENCE,
        heartbeat: float = HEARTBEAT,
    ) -> None:
        self._take = take
        self._client = client
        # It waits here, longer than a call may take, and for as long as Slack asks.
        self._client.retry_handlers = []
        self._app_token = app_token
        self._sleep = sleep
        self._patience = patience
        self._heartbeat = heartbeat
        self._session: ClientSession | None = None
        self._keeping: asyncio.Task[None] | None = None
        self._connections: set[Connection] = set()
        self._retiring: set[asyncio.Task[None]] = set()
        self._problem = "off"

    @property
    def state(self) -> str:
        """Say how it is with the connection."""
        return "connected" if any(one.live for one in self._connections) else self._problem

    def start(self) -> None:
        """Connect, and stay connected until ``stop``."""
        self._problem = "connecting"
        # The whole of an attempt has one deadline; a connection itself has none.
        self._session = ClientSession(timeout=ClientTimeout(total=None), trace_configs=[refusing_redirects()])
        self._keeping = asyncio.create_task(self._keep(self._session))

    async def stop(self, seconds: float) -> None:
        """Take nothing more, acknowledge what was taken within the deadline, and close.

        What Slack has sent and nobody has read is not acknowledged: Slack sends it again, elsewhere or later.
        """
        if self._keeping is None or self._session is None:
            return
        tasks = [self._keeping, *self._retiring]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await asyncio.gather(*(one.close(seconds) for one in self._connections))
        self._connections.clear()
        await self._session.close()
        self._keeping = None
        self._problem = "off"

    async def _keep(self, session: ClientSession) -> None:
        failures = 0
        loop = asyncio.get_running_loop()
        while True:
            try:
                connection = await self._connect(session)
            except NoConnection as failed:
                await self._wait_after(failed, failures)
                failures += 1
                continue
            since = loop.time()
            # It works after all: should it end soon, the next attempt need not wait the longest.
            failures = min(failures, 3)
            await connection.leaving.wait()
            self._retire(connection)
            logger.info("Socket Mode: the connection ends (%s); opening the next one", connection.reason)
            if connection.reason in RENEWALS or loop.time() - since >= STEADY:
                failures = 0
                continue
            await self._wait_after(NoConnection(connection.reason), failures)
            failures += 1

    async def _connect(self, session: ClientSession) -> Connection:
        """Ask for an address, connect and wait for Slack's hello, all within the time for one attempt."""
        connection: Connection | None = None
        try:
            async with asyncio.timeout(self._patience):
                opened = await self._client.apps_connections_open(app_token=self._app_token)
                socket = await session.ws_connect(
                    str(opened["url"]),
                    heartbeat=self._heartbeat,
                    timeout=ClientWSTimeout(ws_close=CLOSE_SECONDS),
                    proxy=self._client.proxy,
                    ssl=self._client.ssl or True,
                )
                connection = Connection(socket, self._take)
                self._connections.add(connection)
                await self._greeting(connection)
                return connection
        except SlackApiError as error:
            problem = NoConnection(code_of(error), limited_for(error) or 0.0)
        except TimeoutError:
            problem = NoConnection("no answer in time")
        except NoConnection as error:
            problem = error
        except Exception as error:
            # Its text may hold the address, and the address holds the ticket: only its name is told.
            problem = NoConnection("unreachable" if isinstance(error, ClientError | OSError) else "failed")
            logger.warning("Socket Mode: connecting failed (%s)", type(error).__name__)
        if connection is not None:
            self._retire(connection)
        raise problem

    async def _greeting(self, connection: Connection) -> None:
        greeted = asyncio.create_task(connection.greeted.wait())
        leaving = asyncio.create_task(connection.leaving.wait())
        try:
            await asyncio.wait({greeted, leaving}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            greeted.cancel()
            leaving.cancel()
        if not connection.greeted.is_set():
            raise NoConnection(connection.reason)

    async def _wait_after(self, failed: NoConnection, failures: int) -> None:
        pause = max(failed.pause, PAUSES[-1] if failed.reason in REFUSED else PAUSES[min(failures, len(PAUSES) - 1)])
        if failed.reason != self._problem or not failures:
            # Once for each problem, however long it lasts.
            if failed.reason in REFUSED:
                logger.error("Slack refuses SLACK_APP_TOKEN (%s): it needs connections:write.", failed.reason)
            else:
                logger.warning("Socket Mode: %s", LET_GO.get(failed.reason, f"no connection ({failed.reason})"))
        self._problem = failed.reason
        if pause:
            await self._sleep(pause)

    def _retire(self, connection: Connection) -> None:
        """Read an old connection until Slack closes it: what it has sent there already it sends nowhere else."""

        async def retire() -> None:
            linger = LINGER if connection.greeted.is_set() else 0.0
            await asyncio.wait({connection.reading}, timeout=linger)
            await connection.close(self._patience)
            self._connections.discard(connection)

        task = asyncio.create_task(retire())
        self._retiring.add(task)
        task.add_done_callback(self._retiring.discard)


def answer_in(response: BoltResponse) -> dict[str, Any]:
    """Return the answer that goes into an acknowledgement: the JSON of the body, else its text."""
    content_type = (response.headers.get("content-type") or [""])[0]
    if content_type.startswith("application/json"):
        found = json.loads(response.body)
        return found if isinstance(found, dict) else {}
    return {"text": response.body}
