"""Socket Mode: the bot connects, and what Slack has to say comes over its connections in envelopes."""

from __future__ import annotations

import asyncio
import json
import secrets
import time
from collections.abc import Mapping
from dataclasses import dataclass, field

import aiohttp
from aiohttp import WSMsgType, web

from .delivery import Attempt, Delivery
from .workspace import JSON, Workspace

MOST_CONNECTIONS = 10
LINK_PATH = "/link/"
ANSWERED = frozenset({"view_submission", "block_suggestion"})
"""Interactions whose acknowledgement may carry an answer; the one to a button may not, as over HTTP."""


class NotConnected(Exception):
    """Report that no connection is there, or that it was lost before it acknowledged."""


@dataclass(slots=True, eq=False)
class Connection:
    """One WebSocket of the bot."""

    number: int
    socket: web.WebSocketResponse
    taking: bool = True
    mute: bool = False
    envelopes: list[str] = field(default_factory=list)
    pongs: list[bytes] = field(default_factory=list)


@dataclass(slots=True)
class Sockets:
    """Hold the bot's connections, and send each envelope over one of them, in turn.

    `enabled` is the app's Socket Mode switch. Of what comes next, `refusals` handshakes are refused whatever their
    ticket, `silent` connections are not greeted, and `losses` acknowledgements are lost with their connection.
    `strays` is what the bot sent that nobody waits for, and answers where none is accepted.
    """

    workspace: Workspace
    enabled: bool = True
    refusals: int = 0
    silent: int = 0
    losses: int = 0
    connections: list[Connection] = field(default_factory=list)
    handshakes: list[bool] = field(default_factory=list)
    strays: list[JSON] = field(default_factory=list)
    _tickets: set[str] = field(default_factory=set)
    _waiting: dict[str, tuple[Connection, asyncio.Future[JSON]]] = field(default_factory=dict)
    _late: set[str] = field(default_factory=set)
    _turn: int = 0

    def new_ticket(self) -> str:
        """Return the path and query of a new address, good for one connection."""
        ticket = secrets.token_hex(16)
        self._tickets.add(ticket)
        return f"{LINK_PATH}?ticket={ticket}&app_id={self.workspace.app_id}"

    @property
    def live(self) -> list[Connection]:
        """Return the connections that envelopes are sent over."""
        return [one for one in self.connections if one.taking and not one.socket.closed]

    async def connected(self, count: int = 1, within: float = 5.0) -> list[Connection]:
        """Wait until so many connections take envelopes; return them."""
        return await self.workspace.wait_until(
            lambda: self.live if len(self.live) == count else None, within, f"{count} connections of the bot"
        )

    async def accept(self, request: web.Request) -> web.StreamResponse:
        """Take a connection with a good ticket, greet it, and read until it ends."""
        ticket = request.query.get("ticket", "")
        good = ticket in self._tickets and self.refusals <= 0
        self.refusals = max(0, self.refusals - 1)
        self._tickets.discard(ticket)
        self.handshakes.append(good)
        self.workspace.changed()
        if not good:
            return web.Response(status=403, text="ticket not valid")
        socket = web.WebSocketResponse(autoping=False, timeout=0.2)
        await socket.prepare(request)
        connection = Connection(len(self.handshakes), socket)
        refused = "link_disabled" if not self.enabled else ""
        if len(self.connections) >= MOST_CONNECTIONS:
            refused = "too_many_websockets"
        if refused:
            await socket.send_json(_disconnect(refused))
            await socket.close()
            return socket
        if self.silent > 0:
            self.silent -= 1
            connection.taking = False
        else:
            await socket.send_json(self._hello())
        self.connections.append(connection)
        self.workspace.changed()
        try:
            await self._read(connection)
        finally:
            self.connections.remove(connection)
            self._lose(connection)
            self.workspace.changed()
        return socket

    def _hello(self) -> JSON:
        return {
            "type": "hello",
            "num_connections": len(self.connections) + 1,
            "debug_info": {"host": "applink-local", "build_number": 1, "approximate_connection_time": 18060},
            "connection_info": {"app_id": self.workspace.app_id},
        }

    async def _read(self, connection: Connection) -> None:
        async for message in connection.socket:
            if message.type is WSMsgType.PING and not connection.mute:
                await connection.socket.pong(message.data)
            elif message.type is WSMsgType.PONG:
                connection.pongs.append(bytes(message.data))
                self.workspace.changed()
            elif message.type is WSMsgType.TEXT and self.losses > 0:
                self.losses -= 1
                connection.taking = False
                await connection.socket.close()
            elif message.type is WSMsgType.TEXT:
                self._acknowledge(connection, json.loads(message.data))

    def _acknowledge(self, connection: Connection, answer: JSON) -> None:
        number = str(answer.get("envelope_id"))
        waiting = self._waiting.get(number)
        # An envelope is acknowledged on the connection that it came over.
        if waiting is not None and waiting[0] is connection and not waiting[1].done():
            waiting[1].set_result(answer)
        elif number in self._late:
            self._late.discard(number)
        else:
            self.strays.append(answer)

    def _lose(self, connection: Connection) -> None:
        for place, answer in self._waiting.values():
            if place is connection and not answer.done():
                answer.set_exception(NotConnected())

    async def deliver(self, envelope: JSON, deadline: float) -> JSON:
        """Send an envelope over the next connection; return its acknowledgement.

        Raises NotConnected, or TimeoutError after the deadline.
        """
        live = self.live
        if not live:
            raise NotConnected
        self._turn += 1
        connection = live[self._turn % len(live)]
        number = str(envelope["envelope_id"])
        answer: asyncio.Future[JSON] = asyncio.get_running_loop().create_future()
        self._waiting[number] = connection, answer
        try:
            async with asyncio.timeout(deadline):
                connection.envelopes.append(number)
                self.workspace.changed()
                try:
                    await connection.socket.send_json(envelope)
                except ConnectionError as error:
                    raise NotConnected from error
                return await answer
        except TimeoutError:
            self._late.add(number)
            raise
        finally:
            del self._waiting[number]

    # Misbehaving on demand

    async def disconnect(self, reason: str = "warning", connection: Connection | None = None) -> None:
        """Tell a connection (without one: all) that it will end; after a warning it still takes envelopes."""
        for one in [connection] if connection else list(self.connections):
            one.taking = one.taking and reason == "warning"
            await one.socket.send_json(_disconnect(reason))
        self.workspace.changed()

    async def drop(self, connection: Connection | None = None) -> None:
        """Close a connection (without one: all) without a word before."""
        for one in [connection] if connection else list(self.connections):
            one.taking = False
            await one.socket.close()

    async def ping(self, connection: Connection, data: bytes = b"Ping from applink-local", within: float = 5.0) -> None:
        """Ping a connection, and wait until the same bytes come back."""
        await connection.socket.ping(data)
        await self.workspace.wait_until(lambda: data in connection.pongs or None, within, "the pong")


def _disconnect(reason: str) -> JSON:
    return {"type": "disconnect", "reason": reason, "debug_info": {"host": "applink-local"}}


@dataclass(slots=True)
class SocketDelivery(Delivery):
    """Deliver over the bot's connections what `Delivery` posts; deadline, retries and what is noted are the same."""

    sockets: Sockets = field(kw_only=True)

    async def form(self, fields: Mapping[str, str], kind: str) -> Attempt:
        """Send a slash command."""
        return await self._send("slash_commands", dict(fields), kind, accepts=True)

    async def interaction(self, payload: JSON) -> Attempt:
        """Send an interaction."""
        kind = str(payload["type"])
        return await self._send("interactive", payload, kind, accepts=kind in ANSWERED)

    async def json(self, body: JSON, kind: str) -> Attempt:
        """Send what is no event of a workspace (app_rate_limited), once."""
        return await self._send("events_api", body, kind)

    async def _send_event(self, envelope: JSON, kind: str, retry: int = 0, reason: str = "") -> Attempt:
        return await self._send("events_api", envelope, kind, retry=retry, reason=reason)

    async def post(self, body: bytes, headers: Mapping[str, str], *, kind: str = "raw", retry: int = 0) -> Attempt:
        """Refuse: there is no address to post to."""
        raise RuntimeError("over Socket Mode nothing is posted to the bot")

    async def _send(
        self, envelope_type: str, payload: JSON, kind: str, *, accepts: bool = False, retry: int = 0, reason: str = ""
    ) -> Attempt:
        envelope: JSON = {
            "envelope_id": secrets.token_hex(8),
            "type": envelope_type,
            "payload": payload,
            "accepts_response_payload": accepts,
        }
        if envelope_type == "events_api":
            envelope |= {"retry_attempt": retry, "retry_reason": reason}
        started = time.perf_counter()
        status, text, failure = 0, "", ""
        try:
            answer = await self.sockets.deliver(envelope, self.deadline)
        except TimeoutError:
            failure = "http_timeout"
        except NotConnected:
            failure = "connection_failed"
        else:
            status = 200
            if "payload" in answer and accepts:
                text = json.dumps(answer["payload"])
            elif "payload" in answer:
                self.sockets.strays.append(answer)
        spent = (time.perf_counter() - started) * 1000
        return self._noted(Attempt(status, text, failure, spent, retry, {}, kind, json.dumps(envelope)))


def link(sockets: Sockets, site: web.Application) -> None:
    """Add the address that the bot connects to."""
    site.router.add_get(LINK_PATH, sockets.accept)


async def close(sockets: Sockets) -> None:
    """End every connection."""
    for connection in list(sockets.connections):
        await connection.socket.close(code=aiohttp.WSCloseCode.GOING_AWAY)
