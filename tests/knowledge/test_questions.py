"""What kind of question a text is."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from knowledge.questions import Via
from tests.bundled import index

INDEX = index()
QUESTIONS = INDEX.questions


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("hi", "greeting"),
        ("Good morning team!", "greeting"),
        ("thanks a lot", "thanks"),
        ("help", "help"),
        ("what can you do?", "help"),
        (":wave:", "empty"),
        ("<@U0BOT>", "empty"),
        ("who is our data engineer?", "people"),
        ("anyone here good with airflow?", "people"),
        ("point me to someone who knows GDPR", "people"),
        ("whom should I ask about drift", "people"),
        ("does anyone know what RAG means?", "knowledge"),
        ("who usually owns evaluation in a typical team?", "knowledge"),
        ("what does the person who fine-tunes do", "knowledge"),
        ("which role watches for drift", "knowledge"),
        ("data scientist vs data engineer", "compare"),
    ],
)
def test_kind(text: str, kind: str) -> None:
    assert INDEX.understand(text).intent.kind == kind


@pytest.mark.parametrize(
    ("text", "facet"),
    [
        ("what is an MLOps engineer", "summary"),
        ("what does an MLOps engineer do", "responsibilities"),
        ("duties of a data scientist", "responsibilities"),
        ("skills of a data scientist", "skills"),
        ("does a prompt engineer need to know python", "skills"),
        ("which tools does a data engineer use", "skills"),
        ("example of what a model trainer does", "example"),
        ("which abilities make a great UX designer for AI", "skills"),
        ("what keeps an MLOps engineer busy", "responsibilities"),
        ("explain the model trainer to me in one sentence", "summary"),
        ("show me something a prompt engineer made", "example"),
        ("which role is responsible for drift", "summary"),
    ],
)
def test_facet(text: str, facet: str) -> None:
    assert INDEX.understand(text).intent.facet == facet


def test_command_who_asks_for_people_in_any_wording() -> None:
    intent = QUESTIONS.understand("who kafka", "command")
    assert (intent.kind, intent.text) == ("people", "kafka")


def test_sides_of_a_comparison() -> None:
    intent = QUESTIONS.understand("what's the difference between an ML engineer and an MLOps engineer?")
    assert intent.sides == ("an ml engineer", "an mlops engineer")


@given(st.text(max_size=400), st.sampled_from(["command", "mention", "dm"]))
def test_any_text_is_understood(text: str, via: Via) -> None:
    assert QUESTIONS.understand(text, via).kind
