"""Questions to people, for tests."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta

from knowledge.answers import Subject
from knowledge.asking import Applied, Ask, Askee, Asker
from storage.asks import SqlAsks
from storage.people import SqlPeople

NOW = datetime(2026, 5, 4, 9, tzinfo=UTC)


class Asks(SqlAsks):
    """Questions whose people declare something first, where they did not."""

    async def create(self, ask: Ask, now: datetime) -> Applied:
        people = SqlPeople(self._engine, random.Random(1), now=lambda: now)
        for one in ask.people:
            if not await people.declares(ask.workspace, one.user):
                await people.declare(ask.workspace, one.user, {"prompt-engineer": "lead"}, {}, now)
        return await super().create(ask, now)


def new_ask(
    ask_id: str,
    asker: str,
    workspace: str = "T1",
    *,
    asked: str | None = None,
    question: str = "How do we version prompts?",
    now: datetime = NOW,
    anonymous: bool = False,
    to_curators: bool = False,
) -> Ask:
    """Return a question as it is put, to one person or to whoever fits best."""
    return Ask(
        workspace=workspace,
        id=ask_id,
        state="asked" if asked else "seeking",
        question=question,
        subject=Subject(roles=("prompt-engineer",)),
        about="Prompt Engineer",
        anonymous=anonymous,
        urgent=False,
        to_curators=to_curators,
        created=now,
        ends=now + timedelta(days=30),
        due=now + timedelta(days=30) if asked else now,
        asker=Asker(asker),
        people=(Askee(asked, "named", shown=True),) if asked else (),
    )
