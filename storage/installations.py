"""Where the app is installed by OAuth, with the tokens sealed for their row."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from sqlalchemy import RowMapping, delete, func, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from storage.database import insert_into, only_writer_for
from storage.tables import installations as table
from storage.tables import keys_of, place_of, removals, used_states
from storage.underway import forgotten_since

REFRESH_LEASE = timedelta(seconds=30)
"""How long a process may take to renew a token before another one may try; longer than a call to Slack takes."""
STATES_LAST = timedelta(minutes=10)
t = table.c


Stamp = tuple[int, datetime | None]


@dataclass(frozen=True)
class Installation:
    """Hold one installation; ``workspace`` is the enterprise id where it is for all of an organisation."""

    workspace: str
    token: str = field(repr=False)
    scopes: tuple[str, ...]
    app_id: str
    bot_id: str
    bot_user: str
    installer: str | None
    enterprise: str | None = None
    org_wide: bool = False
    url: str = ""
    refresh_token: str = field(default="", repr=False)
    expires_at: datetime | None = None
    refresh_until: datetime | None = None
    installed_at: datetime | None = None
    version: int = 0
    changed_at: datetime | None = None

    @property
    def stamp(self) -> Stamp:
        """Return what tells this from what stands there before or after."""
        return self.version, self.changed_at


async def only_one_for(connection: AsyncConnection, workspace: str, *users: str) -> None:
    """Let nobody else save an installation there, remove it or delete what is left; a transaction's first statement.

    Nobody else writes about the people either.
    """
    await only_writer_for(connection, workspace, "", *users)


async def keep_rest(connection: AsyncConnection, workspace: str) -> None:
    """Leave what was to be deleted after a removal: the app is back."""
    pending = (removals.c.workspace == workspace) & removals.c.delete_at.is_not(None)
    await connection.execute(update(removals).where(pending).values(delete_at=None))


class Asking(NamedTuple):
    """Hold what is to be known of an installation to ask its installer for scopes: not the token."""

    workspace: str
    scopes: tuple[str, ...]
    installer: str | None


class SqlInstallations:
    """Keep one row for each workspace or organisation."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def find(self, workspace: str) -> Installation | None:
        """Return the installation. Raises KeysError where no key opens its token."""
        async with self._engine.connect() as connection:
            row = (await connection.execute(select(table).where(t.workspace == workspace))).mappings().first()
        return self._opened(row) if row is not None else None

    async def save(self, found: Installation, asked_for: Sequence[str], now: datetime) -> bool:
        """Keep an installation, in the place of an earlier one; returns whether it is new.

        ``asked_for`` are the scopes that need not be asked for again. What was to be deleted after a removal stays.
        """
        values: dict[str, Any] = {
            "user_id": found.installer,
            "enterprise_id": found.enterprise,
            "org_wide": found.org_wide,
            "app_id": found.app_id,
            "bot_id": found.bot_id,
            "bot_user_id": found.bot_user,
            "url": found.url,
            "scopes": ",".join(found.scopes),
            "asked_for": ",".join(asked_for),
            **self._sealed(found.workspace, found.token, found.refresh_token),
            "expires_at": found.expires_at,
            "refresh_until": None,
            "installed_at": now,
            "changed_at": now,
        }
        upsert = insert_into(self._engine, table).values(workspace=found.workspace, version=1, **values)
        upsert = upsert.on_conflict_do_update(index_elements=["workspace"], set_={**values, "version": t.version + 1})
        async with self._engine.begin() as connection:
            await only_one_for(connection, found.workspace, *filter(None, [found.installer]))
            version = await connection.scalar(upsert.returning(t.version))
            if await forgotten_since(connection, found.workspace, [found.installer or ""]):
                await connection.execute(update(table).where(t.workspace == found.workspace).values(user_id=None))
            await keep_rest(connection, found.workspace)
        return bool(version == 1)

    async def count(self) -> int:
        """Return how many there are."""
        async with self._engine.connect() as connection:
            return await connection.scalar(select(func.count()).select_from(table)) or 0

    async def first_of(self, workspaces: Sequence[str]) -> str | None:
        """Return the first of these that has the app."""
        async with self._engine.connect() as connection:
            there = set(await connection.scalars(select(t.workspace).where(t.workspace.in_(workspaces))))
        return next((workspace for workspace in workspaces if workspace in there), None)

    async def teams_of(self, organisation: str) -> Sequence[str]:
        """Return the teams of an organisation that have installed the app themselves."""
        query = select(t.workspace).where(t.enterprise_id == organisation)
        async with self._engine.connect() as connection:
            return sorted(set(await connection.scalars(query)) - {organisation})

    # What other processes changed

    async def changed(self, since: datetime) -> Mapping[str, Stamp | None]:
        """Return the stamps of what was changed since then; None for what was removed and is not back."""
        gone = select(removals.c.workspace).where(removals.c.removed_at >= since)
        changed = select(t.workspace, t.version, t.changed_at).where(t.changed_at >= since)
        async with self._engine.connect() as connection:
            stamps: dict[str, Stamp | None] = dict.fromkeys(await connection.scalars(gone))
            rows = (await connection.execute(changed)).all()
        return stamps | {row.workspace: (row.version, row.changed_at) for row in rows}

    # Tokens that rotate

    async def expiring(self, before: datetime) -> Sequence[str]:
        """Return the workspaces whose token expires by then, the first ones first."""
        query = select(t.workspace).where(t.expires_at <= before).order_by(t.expires_at)
        async with self._engine.connect() as connection:
            return list(await connection.scalars(query))

    async def claim_refresh(self, found: Installation, now: datetime) -> bool:
        """Take it on to renew a token; False where another process does, or has."""
        free = or_(t.refresh_until.is_(None), t.refresh_until <= now)
        return await self._change(found.workspace, {"refresh_until": now + REFRESH_LEASE}, free & _same(found))

    async def refreshed(
        self, found: Installation, token: str, refresh_token: str, expires_at: datetime, now: datetime
    ) -> bool:
        """Keep the new token, unless the app was installed again or removed meanwhile."""
        values = {
            **self._sealed(found.workspace, token, refresh_token),
            "expires_at": expires_at,
            "refresh_until": None,
            "changed_at": now,
            "version": t.version + 1,
        }
        return await self._change(found.workspace, values, _same(found))

    async def release_refresh(self, found: Installation) -> None:
        """Let others try."""
        await self._change(found.workspace, {"refresh_until": None}, _same(found))

    # Scopes

    async def without(self, scopes: Sequence[str]) -> Sequence[Asking]:
        """Return the installations whose installer was not asked for these scopes yet."""
        asked = ",".join(scopes)
        # Two ranges of the index, where "other than" would read every row.
        query = select(t.workspace, t.scopes, t.user_id).where(or_(t.asked_for < asked, t.asked_for > asked))
        async with self._engine.connect() as connection:
            rows = (await connection.execute(query)).all()
        return [Asking(row.workspace, _scopes(row.scopes), row.user_id) for row in rows]

    async def asked_for(self, workspace: str, scopes: Sequence[str]) -> bool:
        """Note that the installer is asked for these scopes; False where another process has done so."""
        asked = ",".join(scopes)
        return await self._change(workspace, {"asked_for": asked}, t.asked_for != asked)

    async def lacking(self, scopes: Sequence[str]) -> Mapping[str, Sequence[str]]:
        """Return which of these scopes were not granted, by workspace, where any was not."""
        async with self._engine.connect() as connection:
            rows = (await connection.execute(select(t.workspace, t.scopes))).all()
        lacking = {row.workspace: [s for s in scopes if s not in row.scopes.split(",")] for row in rows}
        return {workspace: missing for workspace, missing in lacking.items() if missing}

    # States

    async def use_state(self, state: str, now: datetime) -> bool:
        """Use a state up; False where it was used before."""
        mark = hashlib.sha256(state.encode()).hexdigest()
        insert = insert_into(self._engine, used_states).values(mark=mark, used_at=now)
        async with self._engine.begin() as connection:
            # Older ones are refused for their age.
            await connection.execute(delete(used_states).where(used_states.c.used_at < now - STATES_LAST))
            return (await connection.execute(insert.on_conflict_do_nothing())).rowcount == 1

    def _sealed(self, workspace: str, token: str, refresh_token: str) -> dict[str, str]:
        keys = keys_of(self._engine.dialect)
        return {
            "token": keys.seal(token, place_of(t.token, workspace)),
            "refresh_token": keys.seal(refresh_token, place_of(t.refresh_token, workspace)) if refresh_token else "",
        }

    def _opened(self, row: RowMapping) -> Installation:
        keys, workspace = keys_of(self._engine.dialect), row["workspace"]
        refresh = row["refresh_token"]
        return Installation(
            workspace,
            keys.unseal(row["token"], place_of(t.token, workspace)),
            _scopes(row["scopes"]),
            row["app_id"],
            row["bot_id"],
            row["bot_user_id"],
            row["user_id"],
            row["enterprise_id"],
            row["org_wide"],
            row["url"],
            keys.unseal(refresh, place_of(t.refresh_token, workspace)) if refresh else "",
            row["expires_at"],
            row["refresh_until"],
            row["installed_at"],
            row["version"],
            row["changed_at"],
        )

    async def _change(self, workspace: str, values: Mapping[str, Any], condition: Any) -> bool:
        async with self._engine.begin() as connection:
            return await _update(connection, workspace, values, condition)


async def _update(connection: AsyncConnection, workspace: str, values: Mapping[str, Any], condition: Any) -> bool:
    result = await connection.execute(update(table).where(t.workspace == workspace, condition).values(**values))
    return int(result.rowcount) == 1


def _scopes(kept: str) -> tuple[str, ...]:
    return tuple(filter(None, kept.split(",")))


def _same(found: Installation) -> Any:
    # The version alone begins anew where the app was removed and is back.
    return (t.version == found.version) & (t.changed_at == found.changed_at)
