"""How what people declared stays fresh: when somebody is asked "still right?", and when it fades.

A quarter after a person confirmed a declaration they are asked; every two weeks again without an answer, three times
in all. Then it fades from suggestions, and the person is told once. People are written to in working hours only.

Working hours are Monday to Friday, 9 to 17, where the person is by their profile. What that does not know: holidays,
part time, and places where the week begins on another day.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta, tzinfo
from functools import lru_cache
from zoneinfo import ZoneInfo

CHECK_AFTER = timedelta(days=91)
"""A quarter after it was confirmed, a person is asked whether a declaration is still right."""
ASK_AGAIN = timedelta(weeks=2)
"""So long an answer is waited for."""
MOST_UNANSWERED = 3
"""After so many questions in a row without an answer a declaration fades."""
BEGIN, END = time(9), time(17)
WORKDAYS = range(5)
"""Monday to Friday."""


@dataclass(frozen=True)
class Due:
    """Name a person who is to be written to, as the database returns it."""

    workspace: str
    user: str
    tz: str
    """The time zone of the kept profile; empty where there is none."""
    confirmed: datetime
    unanswered: int
    imported: bool = False
    """A file declared it, and the person has not confirmed it yet."""

    @property
    def fades(self) -> bool:
        """Tell whether the declaration fades now, instead of a further question."""
        return self.unanswered >= MOST_UNANSWERED


@lru_cache(maxsize=1_000)
def zone(tz: str) -> tzinfo:
    """Return a time zone by its name; UTC for a name that is not known here."""
    try:
        return ZoneInfo(tz)
    except (ValueError, LookupError, OSError):
        # Not a name, not known, or the name of a folder of zones.
        return UTC


def is_working_time(now: datetime, tz: str) -> bool:
    """Tell whether it is Monday to Friday, 9 to 17, in the time zone."""
    there = now.astimezone(zone(tz))
    return there.weekday() in WORKDAYS and BEGIN <= there.time() < END


def next_working_time(now: datetime, tz: str) -> datetime:
    """Return now, if it is working time in the time zone, or else when that begins next."""
    if is_working_time(now, tz):
        return now
    where = zone(tz)
    today = now.astimezone(where).date()
    mornings = (datetime.combine(today + timedelta(days=days), BEGIN, where).astimezone(UTC) for days in range(8))
    # Asked of each, not reckoned: a clock that is put forward may leave a morning out.
    return next(morning for morning in mornings if morning > now and is_working_time(morning, tz))
