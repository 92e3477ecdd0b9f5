"""SQLite's driver, which works in a thread of its own: waited for once a statement.

As SQLAlchemy uses it, the thread is waited for four times: for a cursor, for the statement, for its rows and for the
end of the cursor; and once more for the end of a transaction, also where none was begun. Each takes as long as a small
statement does, and longer where the machine is busy.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Sequence
from typing import Any, Self

from sqlalchemy import Dialect
from sqlalchemy.dialects.sqlite.aiosqlite import AsyncAdapt_aiosqlite_connection, AsyncAdapt_aiosqlite_cursor
from sqlalchemy.pool import ConnectionPoolEntry


def connect(dialect: Dialect, _record: ConnectionPoolEntry, given: Sequence[Any], named: dict[str, Any]) -> Any:
    """Open a connection that is waited for so; for the event ``do_connect`` of an engine."""
    made: Any = dialect.connect(*given, **named)
    return _Connection(made.dbapi, made.driver_connection)


class _AtOnce:
    """Run a statement, read its rows and close the cursor in one go; SQLAlchemy takes it for a cursor of the driver."""

    arraysize = 1

    def __init__(self, connection: Any) -> None:
        # Typed as anything: the driver has no public way to hand its thread a function. SQLAlchemy does it like this.
        self._connection = connection
        self._rows: list[Any] = []
        self.description: Any = None
        self.rowcount = -1
        self.lastrowid: int | None = None

    async def __aenter__(self) -> Self:
        return self

    async def execute(self, operation: str, parameters: Sequence[Any] = ()) -> None:
        await self._connection._execute(self._run, sqlite3.Cursor.execute, operation, parameters)

    async def executemany(self, operation: str, parameters: Sequence[Sequence[Any]]) -> None:
        await self._connection._execute(self._run, sqlite3.Cursor.executemany, operation, parameters)

    def _run(self, how: Callable[..., object], operation: str, parameters: Sequence[Any]) -> None:
        cursor = self._connection._conn.cursor()
        try:
            how(cursor, operation, parameters)
            self._rows = cursor.fetchall()
            self.description, self.rowcount, self.lastrowid = cursor.description, cursor.rowcount, cursor.lastrowid
        finally:
            cursor.close()

    async def fetchall(self) -> list[Any]:
        return self._rows

    async def close(self) -> None:
        pass


class _Cursor(AsyncAdapt_aiosqlite_cursor):
    __slots__ = ()

    def _make_new_cursor(self, connection: Any) -> Any:
        return _AtOnce(connection)


class _Connection(AsyncAdapt_aiosqlite_connection):
    __slots__ = ()

    _cursor_cls = _Cursor

    def commit(self) -> None:
        if self._open_transaction:
            super().commit()

    def rollback(self) -> None:
        if self._open_transaction:
            super().rollback()

    @property
    def _open_transaction(self) -> bool:
        driver: Any = self._connection
        # What only reads begins none; and what was committed is rolled back once more when it goes back to the pool.
        return driver._connection is not None and driver.in_transaction
