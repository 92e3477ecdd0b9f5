"""A fair pace for each person: so many questions a minute, and so much else at once, lest one crowd out the others."""

from __future__ import annotations

from bisect import insort
from collections import OrderedDict, deque
from collections.abc import Callable
from datetime import datetime
from typing import Literal

from handlers.blocks.message import Message, message, section
from handlers.payloads import Actor

MOST_A_MINUTE = 20
MINUTE = 60.0
MOST_PEOPLE = 10_000
"""People whose pace is kept in memory; whoever asked longest ago makes room."""
MOST_SEARCHES = 50
"""Searches in menus at once: Slack asks at every pause in typing, nobody types faster for long."""
MOST_PRESSES = 60
"""Commands, shortcuts and presses of buttons at once: six a second are more than a hand can do."""
AT_ONCE = 10.0
TOO_MUCH_AT_ONCE = "That was a lot at once. Try again in a few seconds."
Verdict = Literal["answer", "say so", "ignore"]
Monotonic = Callable[[], float]
"""Seconds that go on evenly: a clock that is set back locks nobody out."""


class Pace:
    """Judge each question of a person by those of the same minute.

    A question counts when it was asked, not when it is worked off: what waited while the bot was down came at a fair
    pace all the same. Each process keeps its own count.
    """

    def __init__(self, now: Callable[[], datetime]) -> None:
        self._now = now
        # In the order of asking: the newest that were answered.
        self._asked: OrderedDict[tuple[str, str], list[float]] = OrderedDict()
        self._told: dict[tuple[str, str], str] = {}

    def judge(self, workspace: str, user: str, message_ts: str) -> Verdict:
        """Say whether to answer; one who asks too much is told so once, until the pace is fair again.

        The same message gets the same verdict, however often it is tried.
        """
        who, at = (workspace, user), self._seconds(message_ts)
        asked = self._asked.setdefault(who, [])
        self._asked.move_to_end(who)
        while len(self._asked) > MOST_PEOPLE:
            gone, _ = self._asked.popitem(last=False)
            self._told.pop(gone, None)
        if at in asked:
            return "answer"
        insort(asked, at)
        # Threads are worked off beside each other, not always in the order of asking: no minute may hold too many.
        if any(last - first < MINUTE for first, last in zip(asked, asked[MOST_A_MINUTE:], strict=False)):
            asked.remove(at)
            return "say so" if self._told.setdefault(who, message_ts) == message_ts else "ignore"
        del asked[: -2 * MOST_A_MINUTE]
        self._told.pop(who, None)
        return "answer"

    def _seconds(self, message_ts: str) -> float:
        try:
            return float(message_ts)
        except ValueError:
            return self._now().timestamp()


class Bursts:
    """Judge what a person does by how much they did right before. Each process keeps its own count."""

    def __init__(self, monotonic: Monotonic, most: int) -> None:
        self._monotonic = monotonic
        self._most = most
        # In the order of coming: when each person's last ones were that were answered.
        self._answered: OrderedDict[tuple[str, str], deque[float]] = OrderedDict()

    def is_fair(self, actor: Actor) -> bool:
        """Tell whether to answer one more; what is not answered does not count."""
        who, now = (actor.workspace, actor.user), self._monotonic()
        answered = self._answered.setdefault(who, deque())
        self._answered.move_to_end(who)
        if len(self._answered) > MOST_PEOPLE:
            self._answered.popitem(last=False)
        while answered and now - answered[0] >= AT_ONCE:
            answered.popleft()
        if len(answered) >= self._most:
            return False
        answered.append(now)
        return True


class Budget:
    """Count what is spent in a minute for each workspace, or whoever else. Each process keeps its own count.

    Who it was is not kept for longer than until somebody comes after that minute: it may be an address.
    """

    def __init__(self, monotonic: Monotonic) -> None:
        self._monotonic = monotonic
        # Whoever spent nothing for longest comes first, and makes room.
        self._spent: OrderedDict[str, deque[float]] = OrderedDict()
        # For whom it was used up, and since when that has been said.
        self._said: OrderedDict[str, float] = OrderedDict()

    def spent(self, who: str) -> int:
        """Return how much it was within the last minute."""
        since = self._monotonic() - MINUTE
        while self._spent and next(iter(self._spent.values()))[-1] <= since:
            self._spent.popitem(last=False)
        spent = self._spent.get(who, deque())
        while spent and spent[0] <= since:
            spent.popleft()
        return len(spent)

    def spend(self, who: str, most: int) -> bool:
        """Count one more, unless it was as many as ``most`` already."""
        if self.spent(who) >= most:
            return False
        self._spent.setdefault(who, deque()).append(self._monotonic())
        self._spent.move_to_end(who)
        if len(self._spent) > MOST_PEOPLE:
            self._spent.popitem(last=False)
        return True

    def is_news(self, who: str) -> bool:
        """Tell whether to say that it is used up: once in a minute, however many are refused in it."""
        now = self._monotonic()
        while self._said and next(iter(self._said.values())) <= now - MINUTE:
            self._said.popitem(last=False)
        if who in self._said:
            return False
        self._said[who] = now
        return True


def too_fast() -> Message:
    """Say kindly that it is too much at once."""
    text = f"That is more than {MOST_A_MINUTE} questions in a minute. I answer again when the minute is over."
    return message([text], [section(text)])
