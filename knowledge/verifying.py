"""How what a team knows stays right: its author is asked after half a year, then reminded, then the curators are.

``VERIFY_AFTER`` in knowledge/team.py is how long an entry is taken to be right. After that the author gets one message
and, two weeks later, one reminder; after two more weeks the curators have two; then the entry is retired.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal, Protocol

WAIT = timedelta(weeks=2)
"""So long an answer is waited for, at each turn."""
Turn = Literal[0, 1, 2, 3]
"""To be asked, asked, reminded, left to the curators."""
Do = Literal["ask", "remind", "leave", "retire"]
TO_CURATORS: Turn = 3


@dataclass(frozen=True)
class ToVerify:
    """Name an entry whose next turn has come, as the database returns it."""

    workspace: str
    entry_id: str
    verify_by: datetime
    user: str
    """Whom to ask: who answered, or wrote it; empty where that is not known."""
    tz: str
    turn: Turn = 0
    seen: tuple[datetime, int] | None = None
    """What stood in the row when it was read; None for no row yet."""


def next_step(one: ToVerify, *, reachable: bool) -> tuple[Do, Turn]:
    """Return what is to be done, and the turn that it then is; ``reachable``: the author may be written to."""
    if one.turn >= TO_CURATORS:
        return "retire", TO_CURATORS
    if one.turn == 0 and reachable:
        return "ask", 1
    if one.turn == 1 and reachable:
        return "remind", 2
    return "leave", TO_CURATORS


class Verifications(Protocol):
    """Keep how far it is with asking whether entries are right; of several processes one takes a turn."""

    async def due(self, now: datetime, most: int) -> Sequence[ToVerify]:
        """Return the entries whose next turn has come, of all workspaces."""
        ...

    async def move(self, one: ToVerify, turn: Turn, due: datetime, *, writes: bool = False) -> bool:
        """Take the turn, or put it off; False where another process came first, or the entry was verified.

        ``writes``: the turn is a message to the author, who gets one a day: False where they had it, from any process.
        """
        ...

    async def asked_of(self, workspace: str, entry_id: str) -> str | None:
        """Return who was asked about an entry; None for nobody."""
        ...
