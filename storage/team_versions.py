"""The version of what a workspace knows itself, by which other processes see that it changed."""

from __future__ import annotations

import secrets
from typing import Any, cast

from sqlalchemy import update
from sqlalchemy.engine import CursorResult
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from storage.database import insert_into
from storage.tables import team_versions


async def renew_version(
    engine: AsyncEngine, connection: AsyncConnection, workspace: str, on: str | None = None
) -> bool:
    """Give the workspace another version; whoever writes does it first, which lets one write after the other.

    ``on``: only in the place of that version, or of none where it is empty; False where there is another one.
    """
    drawn, v = secrets.token_hex(8), team_versions.c
    first = insert_into(engine, team_versions).values(workspace=workspace, version=drawn)
    if on is None:
        renew: Any = first.on_conflict_do_update(index_elements=["workspace"], set_={"version": drawn})
    elif on:
        renew = update(team_versions).where(v.workspace == workspace, v.version == on).values(version=drawn)
    else:
        renew = first.on_conflict_do_nothing(index_elements=["workspace"])
    return cast("CursorResult[object]", await connection.execute(renew)).rowcount > 0
