"""The evaluation's floors: below them a change does not land."""

from __future__ import annotations

import pytest

from tests.evals.score import HERE, Score, score_all

FLOORS = {
    "development": {
        "look-ups": 0.96,
        "questions": 0.93,
        "out of scope": 0.94,
        "not who": 0.9,
        "who": 0.9,
    },
    # Written by another hand than the content, and split: only the threshold of confidence was chosen with a look at
    # the held-out half.
    "questions": {
        "look-ups": 0.94,
        "questions": 0.84,
        "out of scope": 0.9,
        "not who": 0.88,
        "who, by kind": 0.78,
    },
}


@pytest.mark.parametrize("folder", FLOORS)
async def test_floors(folder: str) -> None:
    files = sorted((HERE / folder).glob("*.jsonl"))
    scores = await score_all(files, "held-out" if folder == "questions" else None)
    below = {name: scores[name].share for name, floor in FLOORS[folder].items() if scores[name].share < floor}
    assert not below, [line for name in below for line in scores[name].wrong]


async def test_nobody_is_named_who_must_not_be() -> None:
    scores = await score_all([HERE / "development" / "who.jsonl"], None)
    assert scores["who"].named_wrongly == 0


def test_a_score_counts_what_is_wrong() -> None:
    assert Score(total=4, right=3).share == 0.75
