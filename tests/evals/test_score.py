"""A reply is judged by what its line asks for."""

from __future__ import annotations

from typing import Any

import pytest

from bot.ask import Reply
from tests.evals.score import (
    DESCRIPTIONS,
    LOOK_UPS,
    NOT_WHO,
    OUTSIDE,
    QUESTIONS,
    TITLES,
    WHO,
    WHO_KIND,
    Asked,
    Outcome,
    judge,
    lines,
)
from tests.evals.tally import by_role, by_variety, calibration_error, reliability, tally, worst_confusions


def reply(kind: Any, *roles: str, **more: Any) -> Reply:
    return Reply(kind=kind, roles=list(roles), confidence=0.5, text="", **more)


def judged(name: str, row: dict[str, Any], got: Reply, confidence: float | None = None) -> Outcome:
    found = judge(Asked("held-out", name, {"text": "said", **row}), got)
    return Outcome(found.asked, got, found.right, found.in_top, confidence=confidence, best_right=found.right)


OPS = {"roles": ["mlops-engineer"], "facet": "summary"}
BOTH = {"roles": ["data-engineer", "data-scientist"], "facet": "compare"}
NAMED = {"must_top": ["U1"], "acceptable": ["U1", "U2"], "never": ["U9"]}
NOBODY = {"must_top": [], "acceptable": ["U2"], "never": ["U9"]}


@pytest.mark.parametrize(
    ("name", "row", "got", "right"),
    [
        (QUESTIONS, OPS, reply("card", "mlops-engineer"), True),
        (QUESTIONS, OPS, reply("card", "data-engineer", "mlops-engineer"), False),
        (QUESTIONS, OPS, reply("none", "mlops-engineer"), False),
        (LOOK_UPS, {**OPS, "roles": [], "topics": ["faq-rag"]}, reply("card", topics=["faq-rag"]), True),
        (QUESTIONS, BOTH, reply("compare", "data-scientist", "data-engineer"), True),
        (QUESTIONS, BOTH, reply("card", "data-scientist", "data-engineer"), False),
        (OUTSIDE, {"why": "greeting"}, reply("help"), True),
        (OUTSIDE, {"why": "weather"}, reply("none", "data-engineer"), True),
        (OUTSIDE, {"why": "weather"}, reply("people", "data-engineer"), False),
        (NOT_WHO, {"expect": "knowledge"}, reply("card", "data-engineer"), True),
        (NOT_WHO, {"expect": "knowledge"}, reply("people", "data-engineer"), False),
        (NOT_WHO, {"expect": "none"}, reply("none"), True),
        (WHO_KIND, {"roles": ["mlops-engineer"]}, reply("people", "mlops-engineer"), True),
        (WHO_KIND, {"roles": ["mlops-engineer"]}, reply("card", "mlops-engineer"), False),
        (DESCRIPTIONS, {"roles": ["mlops-engineer"]}, reply("none", "mlops-engineer"), True),
        (DESCRIPTIONS, {"roles": ["mlops-engineer"]}, reply("none"), False),
        (TITLES, {"roles": []}, reply("none"), True),
        (TITLES, {"roles": []}, reply("card", "mlops-engineer"), False),
        (TITLES, {"roles": ["mlops-engineer"]}, reply("card", "mlops-engineer"), True),
        (WHO, NAMED, reply("people", people=["U1", "U2"]), True),
        (WHO, NAMED, reply("people", people=["U2", "U1"]), False),
        (WHO, NAMED, reply("people", people=["U1", "U3"]), False),
        (WHO, NOBODY, reply("people", nearest=["U2"]), True),
        (WHO, NOBODY, reply("none"), False),
    ],
)
def test_what_is_right(name: str, row: dict[str, Any], got: Reply, right: bool) -> None:
    assert judged(name, row, got).right is right


def test_one_of_the_first_three_is_near() -> None:
    found = [
        judged(QUESTIONS, OPS, reply("card", *roles))
        for roles in (["a", "b", "mlops-engineer"], ["a", "b", "c", "mlops-engineer"])
    ]
    assert (tally(found).right, tally(found).in_top) == (0.0, 0.5)


def test_who_must_not_be_named_is_counted() -> None:
    replies = [reply("people", people=["U1", "U9"]), reply("people", people=["U1"]), reply("people", nearest=["U9"])]
    outcomes = [judge(Asked("development", WHO, {"text": "said", **NAMED}), got) for got in replies]
    assert tally(outcomes).named_wrongly == 2


def test_a_false_answer_is_one_where_there_should_be_none() -> None:
    found = [judged(OUTSIDE, {"why": "weather"}, reply(kind)) for kind in ("none", "card", "people", "help")]
    assert tally(found).false_answers == 2


def test_a_role_is_counted_with_what_was_taken_for_it() -> None:
    got = [reply("card", "mlops-engineer"), *[reply("card", "data-engineer")] * 2, reply("none")]
    found = [judged(QUESTIONS, OPS, one) for one in got]
    counted = by_role(found, ["mlops-engineer", "data-engineer"])
    ops = counted["mlops-engineer"]
    assert (ops.lines, ops.right, ops.confused_with, ops.confusions) == (4, 1, "data-engineer", 2)
    assert counted["data-engineer"].lines == 0
    assert worst_confusions(found) == [("mlops-engineer", "data-engineer", 2), ("mlops-engineer", "no answer", 1)]


def test_the_right_role_in_the_wrong_kind_of_answer_is_no_confusion_of_roles() -> None:
    found = [judged(WHO_KIND, {"roles": ["mlops-engineer"]}, reply("card", "mlops-engineer"))]
    assert worst_confusions(found) == [("mlops-engineer", "another kind of answer", 1)]


def test_kinds_of_few_lines_are_counted_together() -> None:
    kinds = ["near-miss: pay", *["near-miss: schedule"] * 4, "food", "HR"]
    found = [judged(OUTSIDE, {"why": why}, reply("card" if why == "food" else "none")) for why in kinds]
    assert by_variety(found) == {(OUTSIDE, "near-miss"): (5, 1.0), (OUTSIDE, "others"): (2, 0.5)}


def test_confidence_that_is_kept_has_no_error() -> None:
    sure = [judged(QUESTIONS, OPS, reply("card", "mlops-engineer"), 1.0)] * 4
    half = [judged(QUESTIONS, OPS, reply("card", role), 0.5) for role in ("mlops-engineer", "data-engineer")]
    assert calibration_error(reliability([*sure, *half])) == 0
    # A line that is not looked at for confidence is in no bin.
    assert [one.lines for one in reliability([*sure, *half, judged(QUESTIONS, OPS, reply("none"))])] == [2, 4]


def test_confidence_that_is_not_kept_is_an_error() -> None:
    wrong = [judged(QUESTIONS, OPS, reply("card", "data-engineer"), 0.9)] * 2
    right = [judged(QUESTIONS, OPS, reply("card", "mlops-engineer"), 0.5)] * 2
    assert calibration_error(reliability([*wrong, *right])) == pytest.approx(0.7)


def test_lines_that_are_learned_from_are_not_scored() -> None:
    asked = list(lines())
    assert {one.asked.folder for one in (judge(one, reply("none")) for one in asked)} == {
        "development",
        "held-out",
        "release",
        "blind",
        "fresh",
        "unseen",
        "borders",
    }
    assert not [one for one in asked if one.row.get("split") == "dev"]
