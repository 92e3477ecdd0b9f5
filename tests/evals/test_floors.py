"""The evaluation's floors: below them a change does not land."""

from __future__ import annotations

from tests.bundled import CATALOG
from tests.evals.floors import CALIBRATION_ERROR, FLOORS, NAMED_WRONGLY, below
from tests.evals.report import report
from tests.evals.score import score
from tests.evals.tally import Tally


async def test_every_set_is_above_its_floor() -> None:
    found = report(await score(timed=False), CATALOG.roles)
    assert not found.below, "\n".join(found.below)
    assert sorted(FLOORS) == sorted(found.sets)


def test_what_is_below_its_floor_is_said() -> None:
    good = {key: Tally(10, 1.0, None, None, 1.0, None, NAMED_WRONGLY) for key in FLOORS}
    assert below(good, 0.0) == []
    bad = {
        **good,
        ("release", "questions"): Tally(10, 0.5, None, None, 1.0, None, None),
        ("blind", "look-ups"): Tally(10, 1.0, None, 0.5, 1.0, None, None),
        ("development", "who"): Tally(10, 1.0, None, None, 1.0, None, 2),
    }
    assert below(bad, CALIBRATION_ERROR) == [
        f"release, questions: 0.500 right, the floor is {FLOORS['release', 'questions']}",
        "blind, look-ups: 0.500 show the right part, the floor is 0.95",
        "development, who: somebody who must not be is named in 2 lines",
        "calibration: the expected error is 0.070, it must stay under 0.07",
    ]
