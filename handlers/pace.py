"""A fair pace: so many questions a minute for each person, so that one cannot crowd out the others."""

from __future__ import annotations

from collections import OrderedDict, deque
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Literal

from handlers.blocks.message import Message, message, section

MOST_A_MINUTE = 20
MINUTE = timedelta(minutes=1)
MOST_PEOPLE = 10_000
"""People whose pace is kept in memory; whoever asked longest ago makes room."""
Verdict = Literal["answer", "say so", "ignore"]


class Pace:
    """Judge each question of a person by those of the last minute."""

    def __init__(self, now: Callable[[], datetime]) -> None:
        self._now = now
        self._asked: OrderedDict[tuple[str, str], deque[tuple[datetime, str]]] = OrderedDict()
        self._told: dict[tuple[str, str], str] = {}

    def judge(self, workspace: str, user: str, message_ts: str) -> Verdict:
        """Say whether to answer; one who asks too much is told so once, until the pace is fair again.

        The same message gets the same verdict, however often it is tried.
        """
        who, now = (workspace, user), self._now()
        asked = self._asked.setdefault(who, deque())
        self._asked.move_to_end(who)
        while len(self._asked) > MOST_PEOPLE:
            gone, _ = self._asked.popitem(last=False)
            self._told.pop(gone, None)
        while asked and now - asked[0][0] >= MINUTE:
            asked.popleft()
        if any(ts == message_ts for _, ts in asked):
            return "answer"
        if len(asked) < MOST_A_MINUTE:
            asked.append((now, message_ts))
            self._told.pop(who, None)
            return "answer"
        return "say so" if self._told.setdefault(who, message_ts) == message_ts else "ignore"


def too_fast() -> Message:
    """Say kindly that it is too much at once."""
    text = f"That is more than {MOST_A_MINUTE} questions in a minute. I answer again when the minute is over."
    return message([text], [section(text)])
