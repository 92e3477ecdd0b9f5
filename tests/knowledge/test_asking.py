"""The machine of questions to people: its table, its timers, and when people are written to."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from knowledge.asking import (
    FINAL,
    OPEN,
    TABLE,
    TIMERS,
    WAITING,
    Ask,
    Askee,
    Details,
    Event,
    State,
    change,
    may_write,
    patience_ends,
    when_to_write,
)
from tests.asks import NOW, new_ask

KEEP = timedelta(days=30)
EVENTS: tuple[Event, ...] = get_args(Event)
STATES: tuple[State, ...] = (*OPEN, *FINAL)


def in_state(state: State) -> Ask:
    """Return a question in a state, with the people who belong to it."""
    ask = replace(new_ask("1", "U0ASKER"), state=state, answer="Git.")
    people = [Askee("U0OLD", "best", True, "declined"), Askee("U0ANSWERED", "best", True, "answered")]
    if state in WAITING:
        people.append(Askee("U0HAS", "best", True))
    return replace(ask, people=tuple(people))


def details(event: Event) -> Details:
    new = Askee("U0NEXT", "best", True) if event in ("chosen", "hand_over") else None
    return Details(actor="U0HAS" if event != "answer" else "U0OLD", new=new, text="words", source="1.1")


def test_every_state_has_a_place() -> None:
    assert set(TIMERS) == set(STATES)
    assert {state for state, _ in TABLE} == set(OPEN)
    assert {event for _, event in TABLE} == set(EVENTS)
    assert {step.state for step in TABLE.values()} <= set(STATES)


@pytest.mark.parametrize("state", OPEN)
def test_every_state_that_is_not_final_has_a_timed_way_out(state: State) -> None:
    """By the clock alone, whoever does nothing: a final state, within a few steps."""
    now, seen = NOW, [state]
    while seen[-1] not in FINAL:
        event = TIMERS[seen[-1]][1] or "none_left"
        made = change(in_state(seen[-1]), event, now, KEEP, details(event))
        assert made is not None, (seen, event)
        assert made.due >= now
        assert made.state != seen[-1]
        seen.append(made.state)
        assert len(seen) < 7, seen


@pytest.mark.parametrize("state", OPEN)
def test_the_end_of_a_question_ends_it(state: State) -> None:
    if state == "answered":
        assert TABLE["answered", "end"].state == "closed"
    else:
        assert TABLE[state, "end"].state == "expired"


@pytest.mark.parametrize("state", FINAL)
@pytest.mark.parametrize("event", EVENTS)
def test_nothing_happens_after_the_end(state: State, event: Event) -> None:
    assert change(in_state(state), event, NOW, KEEP, details(event)) is None


@pytest.mark.parametrize(("state", "event"), TABLE)
def test_a_repeat_changes_nothing(state: State, event: Event) -> None:
    """The same click again: not in the table, not this person's any more, or known by its key."""
    ask = in_state(state)
    made = change(ask, event, NOW, KEEP, details(event))
    assert made is not None
    people = tuple(replace(one, outcome=made.outcomes.get(one.user, one.outcome)) for one in ask.people)
    after = replace(ask, state=made.state, people=people + ((made.new,) if made.new else ()), to_curators=True)
    again = change(after, event, NOW, KEEP, details(event))
    if event == "silence":
        # The clock's: each one is claimed by the version of the question.
        return
    if event == "snooze":
        assert again is not None
        assert again.state == made.state
    elif event == "answer":
        assert again is not None
        assert again.once == made.once
    else:
        assert again is None, again


@pytest.mark.parametrize("event", ["take", "hand_over", "decline", "snooze"])
@pytest.mark.parametrize("state", WAITING)
def test_only_whoever_has_the_question_moves_it_on(state: State, event: Event) -> None:
    given = details(event)
    assert change(in_state(state), event, NOW, KEEP, replace(given, actor="U0OLD")) is None
    assert change(in_state(state), event, NOW, KEEP, replace(given, actor="U0NOBODY")) is None


@pytest.mark.parametrize(("state", "event"), TABLE)
def test_at_most_one_person_has_a_question(state: State, event: Event) -> None:
    ask = in_state(state)
    made = change(ask, event, NOW, KEEP, details(event))
    assert made is not None
    people = [replace(one, outcome=made.outcomes.get(one.user, one.outcome)) for one in ask.people]
    has = [one.user for one in (*people, *([made.new] if made.new else [])) if one.outcome == "has"]
    assert len(has) == (1 if made.state in WAITING else 0), (made.state, has)


def test_whoever_passed_it_on_may_still_answer_and_a_stranger_may_not() -> None:
    ask = in_state("asked")
    assert (late := change(ask, "answer", NOW, KEEP, details("answer"))) is not None
    assert late.outcomes == {"U0HAS": "ended", "U0OLD": "answered"}
    assert change(ask, "answer", NOW, KEEP, Details(actor="U0STRANGER", text="words", source="1.1")) is None


PAGE = Path(__file__).parents[2] / "docs" / "asking.md"


def table_of_events() -> str:
    """Write the table as the page shows it."""
    lines = ["| in state | event | then | and |", "|---|---|---|---|"]
    lines += [
        f"| {state} | {event} | {step.state} | {', '.join(step.effects)} |" for (state, event), step in TABLE.items()
    ]
    return "\n".join(lines)


def table_of_timers() -> str:
    lines = ["| state | lasts until | then |", "|---|---|---|"]
    words: dict[State, str] = dict.fromkeys(FINAL, "everything about it is deleted")
    words["seeking"] = "chosen, or none_left"
    return "\n".join(
        [*lines, *(f"| {state} | {timer} | {event or words[state]} |" for state, (timer, event) in TIMERS.items())]
    )


def test_the_page_shows_the_tables() -> None:
    page = PAGE.read_text("utf-8")
    assert table_of_events() in page
    assert table_of_timers() in page


MONDAY_NIGHT = datetime(2026, 5, 4, 22, 10, tzinfo=UTC)
SATURDAY = datetime(2026, 5, 9, 11, tzinfo=UTC)


def test_people_are_written_to_in_working_hours_and_urgently_from_8_to_20() -> None:
    assert when_to_write(NOW, "Europe/Berlin", urgent=False) == NOW
    assert when_to_write(MONDAY_NIGHT, "Europe/Berlin", urgent=False) == datetime(2026, 5, 5, 7, tzinfo=UTC)
    assert when_to_write(MONDAY_NIGHT, "Europe/Berlin", urgent=True) == datetime(2026, 5, 5, 6, tzinfo=UTC)
    assert when_to_write(MONDAY_NIGHT, "Asia/Kathmandu", urgent=True) == datetime(2026, 5, 5, 2, 15, tzinfo=UTC)
    assert when_to_write(SATURDAY, "Europe/Berlin", urgent=True) == SATURDAY
    assert when_to_write(SATURDAY, "Europe/Berlin", urgent=False) == datetime(2026, 5, 11, 7, tzinfo=UTC)


ZONES = st.sampled_from(["Europe/Berlin", "Asia/Kathmandu", "America/Lima", "Pacific/Chatham", "", "nonsense"])


@given(minutes=st.integers(0, 60 * 24 * 400), tz=ZONES, urgent=st.booleans())
def test_nobody_is_written_to_at_night(minutes: int, tz: str, urgent: bool) -> None:
    now = NOW + timedelta(minutes=minutes)
    at = when_to_write(now, tz, urgent)
    assert may_write(at, tz, urgent)
    assert now <= at <= now + timedelta(days=4)
    assert patience_ends(now, tz, urgent) > now
