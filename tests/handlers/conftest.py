"""What tests of who may do what share: the bot's tables, looked at from beside."""

from __future__ import annotations

import sqlite3
from collections.abc import Collection, Iterator, Set
from contextlib import closing

import pytest

from bot.app import Bot
from storage.tables import metadata


class Tables:
    """Every row of the tables as text, as a connection beside the bot's own engine sees them.

    They are looked at some ten thousand times, and mostly nothing was written meanwhile: they are read anew only where
    another connection has committed something, which SQLite tells.
    """

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._connection.row_factory = sqlite3.Row
        self._version = -1
        self._found: dict[tuple[frozenset[str], frozenset[str]], set[str]] = {}

    def rows(self, leave_out: Collection[str] = (), without: Collection[str] = ()) -> set[str]:
        """Return the rows of all tables but some, without some columns."""
        [version] = self._connection.execute("PRAGMA data_version").fetchone()
        if version != self._version:
            self._version = version
            self._found.clear()
        asked = frozenset(leave_out), frozenset(without)
        if asked not in self._found:
            self._found[asked] = set(self._read(*asked))
        return self._found[asked]

    def _read(self, leave_out: Set[str], without: Set[str]) -> Iterator[str]:
        for name in metadata.tables.keys() - leave_out:
            for row in self._connection.execute(f"SELECT * FROM {name}"):  # noqa: S608 - a table of ours
                yield f"{name} {[(key, row[key]) for key in row.keys() if key not in without]}"  # noqa: SIM118


@pytest.fixture
def tables(bot: Bot) -> Iterator[Tables]:
    with closing(sqlite3.connect(str(bot.engine.url.database))) as connection:
        yield Tables(connection)
