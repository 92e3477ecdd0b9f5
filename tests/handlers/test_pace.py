"""A fair pace: who asks too much is told so once, kindly, and answered again after the minute."""

from __future__ import annotations

import pytest

from bot.app import Bot
from bot.local import LocalSlack
from handlers.pace import MOST_A_MINUTE, Budget, Pace
from tests.conftest import ANN, BEN, Clock, settled


async def test_who_asks_too_much_is_told_so_once(slack: LocalSlack, bot: Bot, clock: Clock) -> None:
    for _ in range(MOST_A_MINUTE + 3):
        await slack.say(ANN, "mlops")
    await settled(bot)
    told = [m.text for m in slack.workspace.messages if m.from_bot]
    assert len(told) == MOST_A_MINUTE + 1
    assert told[-1].startswith(f"That is more than {MOST_A_MINUTE} questions")
    other = await slack.say(BEN, "mlops")
    await settled(bot)
    assert len(slack.replies(other)) == 1
    clock.move(minutes=1)
    again = await slack.say(ANN, "mlops")
    await settled(bot)
    assert slack.replies(again)[-1].text.startswith("MLOps Engineer")


def test_the_same_message_gets_the_same_verdict(clock: Clock) -> None:
    pace = Pace(clock.now)
    first = [pace.judge("T1", "U1", str(ts)) for ts in range(MOST_A_MINUTE + 2)]
    assert first[-2:] == ["say so", "ignore"]
    assert [pace.judge("T1", "U1", str(ts)) for ts in range(MOST_A_MINUTE + 2)] == first


def test_a_backlog_is_judged_by_when_it_was_asked(clock: Clock) -> None:
    pace = Pace(clock.now)
    asked = [str(clock.seconds() + 60 * number) for number in range(MOST_A_MINUTE + 5)]
    assert [pace.judge("T1", "U1", ts) for ts in asked] == ["answer"] * len(asked)


def test_a_burst_is_limited_in_whatever_order_it_is_worked_off(clock: Clock) -> None:
    pace = Pace(clock.now)
    verdicts = [pace.judge("T1", "U1", str(ts)) for ts in reversed(range(MOST_A_MINUTE + 5))]
    assert verdicts == ["answer"] * MOST_A_MINUTE + ["say so"] + ["ignore"] * 4


def test_whoever_spent_nothing_for_longest_is_forgotten_first(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("handlers.pace.MOST_PEOPLE", 2)
    budget = Budget(clock.monotonic)
    assert [budget.spend(who, 2) for who in ("ann", "ben", "ann", "cai")] == [True] * 4
    assert [budget.spent(who) for who in ("ann", "ben", "cai")] == [2, 0, 1]
    assert not budget.spend("ann", 2)
    clock.move(minutes=1)
    assert budget.spend("ann", 2)


def test_who_spent_something_is_not_known_any_more_a_minute_later(clock: Clock) -> None:
    budget = Budget(clock.monotonic)
    for who, seconds in (("ann", 30), ("ben", 20), ("ann", 30), ("cai", 10)):
        assert budget.spend(who, 2)
        clock.move(seconds=seconds)
    assert budget.spent("dee") == 0
    assert [*budget._spent] == ["ann", "cai"]
    assert budget.spent("ann") == 1
