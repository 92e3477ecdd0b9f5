"""Topics that people declared: which there are, and how they are spelled."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sqlalchemy import func, literal, select, true, union_all

from storage.changing import Changing
from storage.tables import declarations

MOST_KEYS = 5_000
"""Topics looked for at once: a message may hold forty thousand signs, and SQLite bounds the variables of a query."""
MOST_SPELLINGS = 40
MOST_TOPICS_FOUND = 20
"""Topics of colleagues that are offered at once."""


class SqlTopics(Changing):
    """Look topics up by their keys."""

    async def declared_topics(self, workspace: str, keys: Sequence[str]) -> Sequence[str]:
        """Return those of the first 5,000 topic keys that somebody declared, in the given order."""
        keys = keys[:MOST_KEYS]
        d = declarations
        query = (
            select(d.c.key)
            .distinct()
            .where(d.c.workspace == workspace, d.c.kind == "topic", d.c.key.in_(keys), d.c.suggestible == true())
        )
        async with self._engine.connect() as connection:
            found = set((await connection.scalars(query)).all())
        return [key for key in keys if key in found]

    async def spellings(self, workspace: str, keys: Sequence[str], without: str) -> Mapping[str, str]:
        """Return one label for each key, from the first row of its index range."""
        d = declarations.c
        keys = list(dict.fromkeys(keys))[:MOST_SPELLINGS]
        if not keys:
            return {}
        firsts = [
            select(d.key, d.label)
            .where(d.workspace == workspace, d.kind == "topic", d.key == key, d.suggestible == true())
            .where(d.user_id != without)
            .order_by(d.out_of_office, d.level, d.away, d.suggested_at, d.lot)
            .limit(1)
            .subquery()
            for key in keys
        ]
        async with self._engine.connect() as connection:
            rows = (await connection.execute(union_all(*(select(first) for first in firsts)))).all()
        return {row.key: row.label for row in rows}

    async def topics_from(self, workspace: str, start: str) -> Sequence[str]:
        """Go from key to key along the index: as quick where a thousand people declared each of them."""
        d = declarations.c
        declared = (d.workspace == workspace) & (d.kind == "topic") & (d.suggestible == true())
        least = select(func.min(d.key)).where(declared, d.key >= start).scalar_subquery()
        found = select(least.label("key"), literal(1).label("place")).cte("found", recursive=True)
        after = select(func.min(d.key)).where(declared, d.key > found.c.key).scalar_subquery()
        # No upper end to the range: which sign comes last depends on how the database sorts.
        found = found.union_all(
            select(after, found.c.place + 1).where(found.c.key.is_not(None), found.c.place < MOST_TOPICS_FOUND)
        )
        async with self._engine.connect() as connection:
            keys = (await connection.scalars(select(found.c.key).where(found.c.key.is_not(None)))).all()
        return [key for key in keys if key.startswith(start)]
