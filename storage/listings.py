"""Under what people stand in the directory: written with every change of what they declared, and of who they are."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from sqlalchemy import delete, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from knowledge.directory import name_key, name_parts
from storage.tables import declarations, listings


def rows_for(workspace: str, user: str, name: str, declared: Iterable[tuple[str, str]]) -> list[dict[str, Any]]:
    """Return the rows of a person who stands in the directory; ``declared`` are kinds and keys."""
    sorted_by = name_key(name, user)
    under = [
        ("all", ""),
        *((kind, key) for kind, key in declared if kind in ("role", "topic")),
        *(("name", part) for part in name_parts(sorted_by)),
    ]
    return [
        {"workspace": workspace, "kind": kind, "key": key, "name": sorted_by, "user_id": user} for kind, key in under
    ]


async def list_anew(connection: AsyncConnection, workspace: str, user: str, name: str | None) -> None:
    """Write under what a person stands in the directory, where that has changed; nothing where ``name`` is None."""
    own = (listings.c.workspace == workspace) & (listings.c.user_id == user)
    wanted: list[dict[str, Any]] = []
    if name is not None:
        d = declarations.c
        declared = select(d.kind, d.key).where(d.workspace == workspace, d.user_id == user)
        found = (await connection.execute(declared)).all()
        wanted = rows_for(workspace, user, name, ((row.kind, row.key) for row in found))
    there = await connection.execute(select(listings.c.kind, listings.c.key, listings.c.name).where(own))
    if {tuple(row) for row in there} == {(row["kind"], row["key"], row["name"]) for row in wanted}:
        return
    await connection.execute(delete(listings).where(own))
    if wanted:
        await connection.execute(insert(listings), wanted)
