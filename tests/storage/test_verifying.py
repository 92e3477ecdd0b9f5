"""Whose turn it is to say whether entries are still right, with several processes over one database."""

from __future__ import annotations

import asyncio
from datetime import timedelta

from sqlalchemy.ext.asyncio import AsyncEngine

from knowledge.verifying import WAIT, ToVerify
from storage.database import open_engine
from storage.verifying import SqlVerifications
from tests.databases import KEYS
from tests.storage.conftest import NOW


async def test_of_two_processes_with_two_entries_of_one_author_one_writes(engine: AsyncEngine, address: str) -> None:
    other = open_engine(address, KEYS)
    processes = [SqlVerifications(engine), SqlVerifications(other)]
    for day in range(4):
        now = NOW + timedelta(days=day)
        entries = [ToVerify("T1", f"team-{day}{at}", now, "U0BEN", "") for at in range(2)]
        moves = (one.move(entry, 1, now + WAIT, writes=True) for one, entry in zip(processes, entries, strict=True))
        assert sorted(await asyncio.gather(*moves)) == [False, True], day
        # What is no message, and what goes to somebody else, is taken all the same.
        assert await processes[0].move(ToVerify("T1", f"left-{day}", now, "U0BEN", ""), 3, now + WAIT)
        assert await processes[1].move(ToVerify("T1", f"x-{day}", now, f"U{day}", ""), 1, now + WAIT, writes=True)
    await other.dispose()
