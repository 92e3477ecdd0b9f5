"""A TCP proxy before a database, which can cut it off."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field


@dataclass
class Proxy:
    """Pass everything on to a port of loopback, until it is cut."""

    target: int
    port: int = 0
    _server: asyncio.Server | None = None
    _open: set[asyncio.StreamWriter] = field(default_factory=set)
    _passing: set[asyncio.Task[None]] = field(default_factory=set)

    async def start(self) -> None:
        """Listen, on the same port as before if it was cut."""
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", self.port, reuse_address=True)
        self.port = self._server.sockets[0].getsockname()[1]

    async def cut(self) -> None:
        """Refuse new connections and cut those that are open."""
        if self._server is not None:
            self._server.close()
            self._server = None
        for writer in list(self._open):
            writer.transport.abort()
        for task in list(self._passing):
            task.cancel()
        await asyncio.gather(*self._passing, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._passing.add(task)
        self._open.add(writer)
        onward: asyncio.StreamWriter | None = None
        try:
            answers, onward = await asyncio.open_connection("127.0.0.1", self.target)
            self._open.add(onward)
            there = asyncio.create_task(_pass(reader, onward))
            back = asyncio.create_task(_pass(answers, writer))
            try:
                await asyncio.wait({there, back}, return_when=asyncio.FIRST_COMPLETED)
            finally:
                there.cancel()
                back.cancel()
        except (OSError, asyncio.CancelledError):
            # Ended here: asyncio would report a cancelled connection as unhandled.
            pass
        finally:
            for end in (writer, onward):
                if end is not None:
                    self._open.discard(end)
                    end.transport.abort()
            self._passing.discard(task)


async def _pass(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
    except OSError:
        pass
