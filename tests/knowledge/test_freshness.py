"""When people are written to: working hours where they are, and nothing else."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from knowledge.freshness import ASK_AGAIN, BEGIN, CHECK_AFTER, END, Due, is_working_time, next_working_time, zone

ZONES = ("Europe/Berlin", "Asia/Tokyo", "America/Lima", "Asia/Kathmandu", "Pacific/Auckland", "America/New_York", "")


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("now", "tz", "then"),
    [
        # A Monday.
        ("2026-03-02T09:30", "", "2026-03-02T09:30"),
        ("2026-03-02T08:59:59", "UTC", "2026-03-02T09:00"),
        ("2026-03-02T16:59:59", "UTC", "2026-03-02T16:59:59"),
        ("2026-03-02T17:00", "UTC", "2026-03-03T09:00"),
        # In Tokyo it is 18:30, in Lima half past four in the morning.
        ("2026-03-02T09:30", "Asia/Tokyo", "2026-03-03T00:00"),
        ("2026-03-02T09:30", "America/Lima", "2026-03-02T14:00"),
        # Friday evening, Saturday, Sunday.
        ("2026-03-06T17:00", "UTC", "2026-03-09T09:00"),
        ("2026-03-07T12:00", "UTC", "2026-03-09T09:00"),
        ("2026-03-08T12:00", "UTC", "2026-03-09T09:00"),
        # Sunday in UTC is Monday in Auckland, and Monday still Sunday in Honolulu.
        ("2026-03-08T20:30", "Pacific/Auckland", "2026-03-08T20:30"),
        ("2026-03-09T09:30", "Pacific/Honolulu", "2026-03-09T19:00"),
        # The clocks are put forward in Berlin on the last Sunday of March.
        ("2026-03-27T17:00", "Europe/Berlin", "2026-03-30T07:00"),
        # Samoa had no 30th of December 2011, a Friday.
        ("2011-12-30T03:30", "Pacific/Apia", "2012-01-01T19:00"),
    ],
)
def test_the_next_working_time(now: str, tz: str, then: str) -> None:
    assert next_working_time(at(now), tz) == at(then)


@given(
    st.datetimes(datetime(2000, 1, 1), datetime(2037, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001
    st.sampled_from(ZONES),
)
def test_it_is_working_time_then_and_not_before(now: datetime, tz: str) -> None:
    then = next_working_time(now, tz)
    there = then.astimezone(zone(tz))
    assert there.weekday() < 5
    assert BEGIN <= there.time() < END
    assert timedelta(0) <= then - now < timedelta(days=3)
    assert then == now or not is_working_time(then - timedelta(seconds=1), tz)


@pytest.mark.parametrize(
    "tz", ["", "Middle-earth/Shire", "Europe", "../../etc/passwd", "/etc/localtime", "a" * 64, "\0"]
)
def test_a_time_zone_that_is_not_known_is_utc(tz: str) -> None:
    assert zone(tz) == UTC


@pytest.mark.parametrize(("unanswered", "fades"), [(0, False), (2, False), (3, True), (4, True)])
def test_after_three_questions_without_an_answer_it_fades(unanswered: int, fades: bool) -> None:
    assert Due("T1", "ann", "", at("2026-01-01"), unanswered).fades is fades


def test_what_is_promised() -> None:
    assert (CHECK_AFTER.days, ASK_AGAIN.days) == (91, 14)
