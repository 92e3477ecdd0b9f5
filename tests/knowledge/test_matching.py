"""Finding the entry for a text."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from knowledge.catalog import load_catalog
from knowledge.confidence import SURE, confidence
from knowledge.guide import load_index
from knowledge.models import Role, Tool, Topic
from knowledge.questions import Via

CATALOG = load_catalog()
MATCHER, QUESTIONS = load_index(CATALOG)
ENTRIES = list(CATALOG)


def first(text: str, via: Via = "command") -> tuple[str, float]:
    exact = MATCHER.named_exactly(text)
    if exact is not None:
        return exact.id, 1.0
    intent = QUESTIONS.understand(text, via)
    reading = MATCHER.read(intent.text)
    matches = MATCHER.match(reading)
    if not matches:
        return "", 0.0
    return matches[0].entry.id, confidence(matches[0], matches, reading, intent)


@pytest.mark.parametrize("entry", ENTRIES, ids=lambda entry: entry.id)
def test_every_entry_is_found_by_its_plain_name(entry: Role | Topic | Tool) -> None:
    found, sure = first(entry.name)
    assert found == entry.id
    assert sure >= SURE


@pytest.mark.parametrize("entry", ENTRIES, ids=lambda entry: entry.id)
def test_every_entry_is_found_by_each_other_name(entry: Role | Topic | Tool) -> None:
    assert {name: first(name)[0] for name in entry.names} == dict.fromkeys(entry.names, entry.id)


@pytest.mark.parametrize("asked", ["what is {}?", "what's {}", "tell me about {} please", "explain {}"])
@pytest.mark.parametrize("entry", ENTRIES, ids=lambda entry: entry.id)
def test_every_entry_is_found_by_asking_what_it_is(entry: Role | Topic | Tool, asked: str) -> None:
    intent = QUESTIONS.understand(asked.format(entry.name))
    found = MATCHER.named_alone(MATCHER.read(intent.text))
    assert found is entry


@pytest.mark.parametrize("topic", CATALOG.topics.values(), ids=lambda topic: topic.id)
def test_every_topic_is_found_by_its_question(topic: Topic) -> None:
    found, sure = first(topic.question, "mention")
    assert found == topic.id
    assert sure >= SURE


@pytest.mark.parametrize("role", CATALOG.roles.values(), ids=lambda role: role.id)
def test_every_role_is_found_by_its_titles_with_seniority(role: Role) -> None:
    assert {title: first(f"Senior {title}")[0] for title in role.titles} == dict.fromkeys(role.titles, role.id)


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("mlops engneer", "mlops-engineer"),
        ("data sceintist", "data-scientist"),
        ("promt engineer", "prompt-engineer"),
        ("kubernets", "kubernetes"),
        ("dataengineer", "data-engineer"),
        ("AI SAFTEY ENGINEER", "ai-safety-engineer"),
        ("ml-ops", "mlops-engineer"),
        ("M.L.Ops", "mlops-engineer"),
    ],
)
def test_typing_errors(typed: str, meant: str) -> None:
    assert first(typed)[0] == meant


@pytest.mark.parametrize("everyday", ["lawyer", "parking", "we need a lawyer", "cats", "lunch"])
def test_everyday_words_are_not_taken_for_typing_errors(everyday: str) -> None:
    assert first(everyday, "mention")[1] < SURE


def test_topic_keys_unify_spellings() -> None:
    assert MATCHER.topic_key("k8s") == MATCHER.topic_key("Kubernetes") == "kubernetes"
    assert MATCHER.topic_key("Model Cards") == MATCHER.topic_key("model card")
    assert MATCHER.topic_key("survey design") == MATCHER.topic_key("Survey designs")


def test_topic_keys_of_a_text_leave_the_name_of_a_role_alone() -> None:
    keys = MATCHER.topic_keys(MATCHER.read("who is the data engineer for survey design"), 4)
    assert "survey design" in keys
    assert "data" not in keys


@given(st.text(max_size=300))
@settings(max_examples=200)
def test_any_text_is_matched_within_bounds(text: str) -> None:
    assert 0 <= first(text)[1] <= 1
