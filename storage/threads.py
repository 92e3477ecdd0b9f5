"""What conversations are about; implements the guide's ``Threads`` port."""

from __future__ import annotations

import secrets
from dataclasses import asdict
from datetime import datetime
from typing import Any

from sqlalchemy import delete, select
from sqlalchemy.ext.asyncio import AsyncEngine

from knowledge.answers import Subject
from storage.database import for_single_statements, insert_into, only_writer_for
from storage.keys import UnknownKey
from storage.marks import known_key, workspace_key
from storage.tables import threads
from storage.underway import forgotten_since


class SqlThreads:
    """Keep the subject of each conversation: ids of entries and what was asked of them, never what was said."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine
        self._single = for_single_statements(engine)
        # Made once, as it is made out of many parts.
        upsert = insert_into(engine, threads)
        about = {name: upsert.excluded[name] for name in ("user_id", "subject", "touched_at")}
        self._upsert = upsert.on_conflict_do_update(index_elements=["workspace", "channel", "thread"], set_=about)

    async def subject(self, workspace: str, channel: str, thread: str, since: datetime) -> Subject | None:
        """Return the subject, if it was touched since then."""
        query = select(threads.c.subject).where(
            threads.c.workspace == workspace,
            threads.c.channel == channel,
            threads.c.thread == thread,
            threads.c.touched_at >= since,
        )
        async with self._single.connect() as connection:
            found = await connection.scalar(query)
        if not found:
            return None
        fields: dict[str, Any] = {
            field: tuple(value) if isinstance(value, list) else value for field, value in found.items()
        }
        return Subject(**fields)

    async def remember(
        self, workspace: str, channel: str, thread: str, user: str, subject: Subject, now: datetime
    ) -> None:
        """Set the subject; not of whoever was forgotten since they asked."""
        key = {"workspace": workspace, "channel": channel, "thread": thread}
        row = {**key, "user_id": user, "subject": asdict(subject), "touched_at": now}
        async with self._engine.begin() as connection:
            # A power cut may take the subject of a conversation back.
            await only_writer_for(connection, workspace, user, lasting=False)
            if not await forgotten_since(connection, workspace, (user,)):
                await connection.execute(self._upsert, row)

    async def secret(self, workspace: str) -> bytes:
        """Return the key of the workspace's marks; drawn where there is none yet.

        Where it can't be read here it is one for this once: a question is answered all the same. It is read each time:
        another is drawn where the app was removed and is back, and every process has to mark by the same.
        """
        try:
            async with self._single.connect() as connection:
                known = await known_key(connection, workspace)
            if known is not None:
                return known
            async with self._engine.begin() as connection:
                return await workspace_key(self._engine, connection, workspace)
        except UnknownKey:
            return secrets.token_bytes(32)

    async def prune(self, before: datetime) -> int:
        """Delete the conversations that nobody touched since then, in every workspace."""
        async with self._engine.begin() as connection:
            result = await connection.execute(delete(threads).where(threads.c.touched_at < before))
        return result.rowcount
