"""Moments that rows go by."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

NEVER = datetime(1970, 1, 1, tzinfo=UTC)
FAR = datetime(9000, 1, 1, tzinfo=UTC)


def monday_of(now: datetime) -> date:
    """Return the first day of the week that a time is in, in UTC."""
    today = now.astimezone(UTC).date()
    return today - timedelta(days=today.weekday())
