"""Topics that people declared: which there are, and how they are spelled."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache

from sqlalchemy import CompoundSelect, bindparam, func, literal, select, true, union_all

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
        keys = list(dict.fromkeys(keys))[:MOST_SPELLINGS]
        if not keys:
            return {}
        given = {"workspace": workspace, "without": without, **{f"key_{at}": key for at, key in enumerate(keys)}}
        async with self._engine.connect() as connection:
            rows = (await connection.execute(_spellings(len(keys)), given)).all()
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


@lru_cache(maxsize=MOST_SPELLINGS)
def _spellings(count: int) -> CompoundSelect[str, str]:
    """Return the query for so many keys, made once: making it for forty takes some 4 ms."""
    d = declarations.c
    firsts = [
        select(d.key, d.label)
        .where(d.workspace == bindparam("workspace"), d.kind == "topic", d.key == bindparam(f"key_{at}"))
        .where(d.suggestible == true(), d.user_id != bindparam("without"))
        .order_by(d.out_of_office, d.level, d.away, d.suggested_at, d.lot)
        .limit(1)
        .subquery()
        for at in range(count)
    ]
    return union_all(*(select(first) for first in firsts))
