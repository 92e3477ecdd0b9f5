"""Questions to people, for tests."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from knowledge.answers import Subject
from knowledge.asking import Ask, Askee, Asker

NOW = datetime(2026, 5, 4, 9, tzinfo=UTC)


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
