"""Questions that the content should grow from; implements the ``Feedback`` port.

Until somebody votes nothing is kept of a question that was answered: it travels, sealed, in the buttons of its answer.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import delete, func, or_, select
from sqlalchemy.ext.asyncio import AsyncEngine

from knowledge.feedback import Asked, Verdict
from knowledge.workspaces import DEFAULT_DAYS
from storage.database import insert_into
from storage.keys import KeysError
from storage.tables import asked as table
from storage.tables import keys_of, place_of
from storage.workspaces import gone_on, question_days

KEEP = timedelta(days=DEFAULT_DAYS)
"""How long a question or a vote is kept, where the settings of its workspace say nothing else."""
MOST_READ = 2_000
"""Questions that are read at once, the newest of them."""


@dataclass(frozen=True)
class Learned:
    """Hold what there is to learn from, newest first; ``unreadable`` counts questions whose key is gone."""

    unanswered: Sequence[Asked]
    disliked: Sequence[Asked]
    unreadable: int
    helpful_votes: int
    unhelpful_votes: int
    unanswered_questions: int


class SqlFeedback:
    """Keep questions encrypted with the keys that the engine was opened with, without a person."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    def seal(self, workspace: str, asked: Asked) -> str:
        """Return the question as a token for the workspace; the text of the longest fits the value of a button."""
        fields = (asked.id, asked.kind, asked.entries, asked.confidence, asked.text)
        return keys_of(self._engine.dialect).seal(_JSON.encode(fields), _token(workspace))

    def opened(self, workspace: str, sealed: str) -> Asked | None:
        """Return what was sealed for the workspace; the token tells by itself whether it is ours and whole."""
        try:
            opened = keys_of(self._engine.dialect).unseal(sealed, _token(workspace))
            answer_id, kind, entries, confidence, text = json.loads(opened)
        except (KeysError, ValueError):
            return None
        return Asked(answer_id, kind, tuple(entries), confidence, text)

    async def unanswered(self, workspace: str, asked: Asked, now: datetime) -> None:
        """Keep the question, where the workspace has questions kept."""
        await self._write(workspace, asked, None, now)

    async def vote(self, workspace: str, asked: Asked, verdict: Verdict, now: datetime) -> bool:
        """Keep the vote, one for an answer; a question whose answer helped after all is erased."""
        kept = replace(asked, text=asked.text if verdict == "not" else "")
        return await self._write(workspace, kept, verdict, now)

    async def since(self, since: datetime, now: datetime) -> Learned:
        """Return what there is to learn from since that day, in every workspace; at most 2,000 questions.

        What is to be gone by now counts as gone, though no process has deleted it yet.
        """
        recent = table.c.noted_on >= since.astimezone(UTC).date()
        recent &= table.c.gone_on > now.astimezone(UTC).date()
        query = (
            select(table)
            .where(recent, or_(table.c.verdict.is_(None), table.c.verdict == "not"))
            .order_by(table.c.noted_on.desc(), table.c.id)
            .limit(MOST_READ)
        )
        counted = select(table.c.verdict, func.count().label("rows")).where(recent)
        async with self._engine.connect() as connection:
            rows = (await connection.execute(query)).all()
            counts = (await connection.execute(counted.group_by(table.c.verdict))).all()
        found: dict[str | None, list[Asked]] = {None: [], "not": []}
        unreadable, keys = 0, keys_of(self._engine.dialect)
        for row in rows:
            try:
                # One by one: a question of a lost key must not hide all others.
                text = keys.unseal(row.question, _place(row.workspace, row.id), unbound=True) if row.question else ""
            except KeysError:
                unreadable += 1
            else:
                entry = Asked(row.id, row.kind, tuple(row.entries), row.confidence, text)
                found[row.verdict].append(entry)
        count = {row.verdict: row.rows for row in counts}
        return Learned(
            found[None],
            found["not"],
            unreadable,
            helpful_votes=count.get("helpful", 0),
            unhelpful_votes=count.get("not", 0),
            unanswered_questions=count.get(None, 0),
        )

    async def prune(self, now: datetime) -> int:
        """Delete what was kept for as long as its workspace wants it."""
        today = now.astimezone(UTC).date()
        async with self._engine.begin() as connection:
            result = await connection.execute(delete(table).where(table.c.gone_on <= today))
        return result.rowcount

    async def _write(self, workspace: str, asked: Asked, verdict: Verdict | None, now: datetime) -> bool:
        async with self._engine.begin() as connection:
            days = await question_days(connection, workspace)
            if not days:
                return True
            row = self._row(workspace, asked, verdict, now, days)
            if verdict is not None:
                row = row.on_conflict_do_update(
                    index_elements=["workspace", "id"],
                    set_={name: row.excluded[name] for name in ("verdict", "question", "noted_on", "gone_on")},
                    where=table.c.verdict.is_distinct_from(verdict),
                )
            result = await connection.execute(row)
        return int(result.rowcount) == 1

    def _row(self, workspace: str, asked: Asked, verdict: Verdict | None, now: datetime, days: int) -> Any:
        return insert_into(self._engine, table).values(
            workspace=workspace,
            id=asked.id,
            noted_on=now.astimezone(UTC).date(),
            kind=asked.kind,
            entries=list(asked.entries),
            confidence=asked.confidence,
            verdict=verdict,
            # It tells no time, which would lead back to the event, and so to a person.
            question=keys_of(self._engine.dialect).seal(asked.text, _place(workspace, asked.id)) if asked.text else "",
            gone_on=gone_on(now, days),
        )


_JSON = json.JSONEncoder(ensure_ascii=False)


def _token(workspace: str) -> str:
    return json.dumps(["vote", workspace])


def _place(workspace: str, answer_id: str) -> str:
    return place_of(table.c.question, workspace, answer_id)
