"""Under what people stand in the directory: written with every change of what they declared, and of who they are."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from sqlalchemy import bindparam, delete, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from knowledge.directory import name_key, name_parts
from storage.tables import declarations, listings

# Built once, as they are asked with every declaration and every profile.
_DECLARED = select(declarations.c.kind, declarations.c.key).where(
    declarations.c.workspace == bindparam("of"), declarations.c.user_id == bindparam("who")
)
_OWN = (listings.c.workspace == bindparam("of")) & (listings.c.user_id == bindparam("who"))
_THERE = select(listings.c.kind, listings.c.key, listings.c.name).where(_OWN)
_NO_MORE = delete(listings).where(_OWN)


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
    person = {"of": workspace, "who": user}
    wanted: list[dict[str, Any]] = []
    if name is not None:
        found = (await connection.execute(_DECLARED, person)).all()
        wanted = rows_for(workspace, user, name, ((row.kind, row.key) for row in found))
    there = await connection.execute(_THERE, person)
    if {tuple(row) for row in there} == {(row["kind"], row["key"], row["name"]) for row in wanted}:
        return
    await connection.execute(_NO_MORE, person)
    if wanted:
        await connection.execute(insert(listings), wanted)
