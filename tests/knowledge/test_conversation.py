"""What is kept of an answer, and how follow-ups are read by it."""

from __future__ import annotations

import pytest

from knowledge.answers import Subject
from knowledge.conversation import Conversation, load_follow_ups
from tests.bundled import CATALOG

FOLLOW_UPS = load_follow_ups(CATALOG)
TWO = Subject(roles=("data-engineer", "data-scientist"), listed=("data-engineer", "data-scientist"))
THREE = Subject(tools=("jax",), listed=("pytorch", "tensorflow", "jax"))


@pytest.mark.parametrize(
    ("said", "read"),
    [
        ("the first one", "Data Engineer"),
        ("what does the second role do", "what does Data Scientist do"),
        ("skills of the latter", "skills of Data Scientist"),
        ("and the other one", "and Data Scientist"),
        ("tell me about the last", "tell me about Data Scientist"),
    ],
)
def test_one_of_a_list_is_read_as_its_name(said: str, read: str) -> None:
    picked = FOLLOW_UPS.picked(said, TWO)
    assert picked is not None
    assert (picked.text, picked.among) == (read, ())


@pytest.mark.parametrize(("said", "before"), [("the third one", TWO), ("the other one", THREE)])
def test_what_is_not_plain_stays_open(said: str, before: Subject) -> None:
    picked = FOLLOW_UPS.picked(said, before)
    assert picked is not None
    assert [entry.id for entry in picked.among] == list(before.listed)


def test_the_other_one_is_the_one_that_was_not_spoken_of() -> None:
    picked = FOLLOW_UPS.picked("the other one", Subject(roles=("data-scientist",), listed=TWO.listed))
    assert picked is not None
    assert picked.text == "Data Engineer"


@pytest.mark.parametrize(
    ("said", "before"),
    [
        ("the first one to fine-tune a model", TWO),
        ("the former head of data", TWO),
        ("first we label the data", TWO),
        ("the second one", Subject(roles=("data-engineer",))),
        ("how does the other role check its prompts", THREE),
        ("the last one", Subject(listed=("an-entry-that-is-gone",))),
    ],
)
def test_other_words_pick_nothing(said: str, before: Subject) -> None:
    assert FOLLOW_UPS.picked(said, before) is None


@pytest.mark.parametrize(
    "said", ["who else", "anyone else for that", "who else knows kafka", "any others", "next one", "more people"]
)
def test_others_are_asked_for(said: str) -> None:
    assert FOLLOW_UPS.asks_who_else(said)


@pytest.mark.parametrize("said", ["who knows kafka", "what else does a data engineer do", "next steps"])
def test_others_are_not_asked_for(said: str) -> None:
    assert not FOLLOW_UPS.asks_who_else(said)


@pytest.mark.parametrize(
    ("said", "what"),
    [
        ("and the data engineer", "data engineer"),
        ("ok and what about mlops then", "mlops"),
        ("same for an ml engineer please", "ml engineer"),
        ("and the mlops one", "mlops"),
        ("the data engineer", None),
    ],
)
def test_of_what_the_same_is_asked(said: str, what: str | None) -> None:
    assert FOLLOW_UPS.moved_on_to(said) == what


def test_the_mark_of_a_person_is_no_id_and_means_nothing_elsewhere() -> None:
    here, there = Conversation("C1", "1.1"), Conversation("C1", "1.2")
    assert here.mark("U0ANN") == here.mark("U0ANN") != there.mark("U0ANN")
    assert "U0ANN" not in here.mark("U0ANN")
    assert here.mark("U0ANN") != here.mark("U0BEN")


def test_without_the_secret_nobody_can_work_out_whose_a_mark_is() -> None:
    known = {Conversation("C1", "1.1", secret=secret).mark("U0ANN") for secret in (b"", bytes(32), b"1" * 32)}
    assert len(known) == 3
    assert "11" not in repr(Conversation("C1", "1", secret=b"1" * 32))
