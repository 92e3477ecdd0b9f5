"""What kind of question a text is."""

from __future__ import annotations

from importlib.resources import files

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from knowledge.questions import Questions, Via

QUESTIONS = Questions(yaml.safe_load((files("knowledge") / "content" / "cues.yaml").read_text("utf-8")))


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
    assert QUESTIONS.understand(text).kind == kind


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
        ("which role is responsible for drift", "summary"),
    ],
)
def test_facet(text: str, facet: str) -> None:
    assert QUESTIONS.understand(text).facet == facet


def test_command_who_asks_for_people_in_any_wording() -> None:
    intent = QUESTIONS.understand("who kafka", "command")
    assert (intent.kind, intent.text) == ("people", "kafka")


@pytest.mark.parametrize(
    "text",
    [
        "what is the salary of a data engineer",
        "price of an H100",
        "when is the data science standup",
        "where is the roadmap document",
        "who founded OpenAI",
        "remind me to call the MLOps team",
        "are we hiring data engineers",
    ],
)
def test_what_no_entry_holds_is_outside(text: str) -> None:
    assert QUESTIONS.understand(text).outside


def test_support_is_not_in_the_knowledge_but_in_a_field() -> None:
    intent = QUESTIONS.understand("pip install fails for torch")
    assert intent.support
    assert not intent.outside


@pytest.mark.parametrize(
    "text",
    [
        "who watches deployed models for drift",
        "how are prompts stored in a database",
        "how do we secure sensitive data",
        "what tools does an MLOps engineer use",
        "which role keeps the cost of GPUs down",
    ],
)
def test_what_entries_hold_is_not_outside(text: str) -> None:
    assert not QUESTIONS.understand(text).outside


def test_sides_of_a_comparison() -> None:
    intent = QUESTIONS.understand("what's the difference between an ML engineer and an MLOps engineer?")
    assert intent.sides == ("an ml engineer", "an mlops engineer")


@given(st.text(max_size=400), st.sampled_from(["command", "mention", "dm"]))
def test_any_text_is_understood(text: str, via: Via) -> None:
    assert QUESTIONS.understand(text, via).kind
