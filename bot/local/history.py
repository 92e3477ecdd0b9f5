"""What outlives a restart of the local workspace: what was said, and who joined, in an SQLite file of its own."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterable
from dataclasses import asdict, fields
from pathlib import Path

import aiosqlite

from .workspace import JSON, Member, Message, Workspace

KEPT = 2_000
"""How many messages come back after a restart, the newest."""
TABLES = """
CREATE TABLE IF NOT EXISTS messages (
    ts TEXT NOT NULL, channel TEXT NOT NULL, body TEXT NOT NULL, PRIMARY KEY (ts, channel)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS members (id TEXT PRIMARY KEY, body TEXT NOT NULL) WITHOUT ROWID;
"""
SAID = "INSERT INTO messages VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET body = excluded.body"
DELETED = "DELETE FROM messages WHERE ts = ? AND channel = ?"
JOINED = "INSERT INTO members VALUES (?, ?) ON CONFLICT DO NOTHING"

NOT_KEPT = ("arguments", "offered")
"""Of a message: what tests look at, and what a menu has been searched for."""


class History:
    """Keep a workspace's messages and members in a file; `async with` loads them, then writes what changes.

    Ephemeral messages are not kept: Slack, too, forgets them when a client is reloaded.
    """

    def __init__(self, workspace: Workspace, file: Path) -> None:
        self._workspace, self._file = workspace, file
        self._first = set(workspace.members)
        self._touched, self._generation = 0, workspace.generation
        self._joined: set[str] = set()
        self._leaving = False

    async def __aenter__(self) -> History:
        """Read the file, and begin to follow the workspace."""
        self._file.parent.mkdir(parents=True, exist_ok=True)
        self._connection = await aiosqlite.connect(self._file)
        await self._connection.executescript(f"PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; {TABLES}")
        await self._load()
        self._task = asyncio.create_task(self._follow())
        return self

    async def __aexit__(self, *_: object) -> None:
        """Write what is not written yet, and let go of the file."""
        self._leaving = True
        self._workspace.changed()
        try:
            await self._task
        finally:
            await self._connection.close()

    async def _load(self) -> None:
        workspace = self._workspace
        async with self._connection.execute("SELECT body FROM members") as rows:
            joined = [Member(**_known(Member, json.loads(body))) async for (body,) in rows]
        newest = f"SELECT body FROM (SELECT ts, body FROM messages ORDER BY ts DESC LIMIT {KEPT}) ORDER BY ts"  # noqa: S608
        async with self._connection.execute(newest) as rows:
            said = [Message(**_known(Message, json.loads(body))) async for (body,) in rows]
        workspace.add_members(joined)
        self._joined = {member.id for member in joined}
        for message in said:
            if message.channel not in workspace.channels and message.channel.startswith("D"):
                workspace.dm("U" + message.channel[1:])
        workspace.messages[:0] = [message for message in said if message.channel in workspace.channels]

    async def _follow(self) -> None:
        while not self._leaving:
            change = self._workspace.next_change()
            await self._write()
            await change.wait()
        await self._write()

    async def _write(self) -> None:
        workspace = self._workspace
        emptied = self._generation != workspace.generation
        if emptied:
            self._generation, self._touched, self._joined = workspace.generation, 0, set()
        touched = workspace.touched[self._touched :]
        joined = [m for id_, m in workspace.members.items() if id_ not in self._first | self._joined]
        if not (touched or joined or emptied):
            return
        self._touched += len(touched)
        self._joined |= {member.id for member in joined}
        kept = [message for message in touched if message.ephemeral_to is None]
        gone = [(m.ts, m.channel) for m in kept if m.deleted]
        rows = [(m.ts, m.channel, json.dumps(_body(m))) for m in kept if not m.deleted]
        if emptied:
            await self._connection.executescript("DELETE FROM messages; DELETE FROM members;")
        await self._connection.executemany(SAID, rows)
        await self._connection.executemany(DELETED, gone)
        await self._connection.executemany(JOINED, [(m.id, json.dumps(asdict(m))) for m in joined])
        await self._connection.commit()


def _body(message: Message) -> JSON:
    return {name: value for name, value in asdict(message).items() if name not in NOT_KEPT}


def _known(kind: type[Member] | type[Message], body: JSON) -> JSON:
    """Return what this version knows of a row: an older or newer one may have had other fields."""
    names: Iterable[str] = (field.name for field in fields(kind))
    return {name: body[name] for name in names if name in body}
