"""Finding the entry for a text."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from knowledge.models import Role, Tool, Topic
from knowledge.questions import Via
from tests.bundled import CATALOG, index

INDEX = index()
MATCHER = INDEX.matcher
NAMES = MATCHER.names
ENTRIES = list(CATALOG)


def first(text: str, via: Via = "command") -> tuple[str, bool]:
    """Return the id of the entry that fits best, and whether it would be shown as the answer."""
    exact = NAMES.named_exactly(text)
    if exact is not None:
        return exact.id, True
    understood = INDEX.understand(text, via)
    alone = NAMES.named_alone(understood.reading)
    if alone is not None:
        return alone.id, True
    best = understood.best
    return (best.entry.id, understood.sureness(best).enough) if best else ("", False)


@pytest.mark.parametrize("entry", ENTRIES, ids=lambda entry: entry.id)
def test_every_entry_is_found_by_its_plain_name(entry: Role | Topic | Tool) -> None:
    found, sure = first(entry.name)
    assert found == entry.id
    assert sure


@pytest.mark.parametrize("entry", ENTRIES, ids=lambda entry: entry.id)
def test_every_entry_is_found_by_each_other_name(entry: Role | Topic | Tool) -> None:
    assert {name: first(name)[0] for name in entry.names} == dict.fromkeys(entry.names, entry.id)


@pytest.mark.parametrize("asked", ["what is {}?", "what's {}", "tell me about {} please", "explain {}"])
@pytest.mark.parametrize("entry", ENTRIES, ids=lambda entry: entry.id)
def test_every_entry_is_found_by_asking_what_it_is(entry: Role | Topic | Tool, asked: str) -> None:
    found = NAMES.named_alone(INDEX.understand(asked.format(entry.name)).reading)
    assert found is entry


@pytest.mark.parametrize("topic", CATALOG.topics.values(), ids=lambda topic: topic.id)
def test_every_topic_is_found_by_its_question(topic: Topic) -> None:
    found, sure = first(topic.question, "mention")
    assert found == topic.id
    assert sure


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


def test_no_word_of_english_is_taken_for_a_mistyped_name() -> None:
    """What is missing goes into `everyday` of content/words.yaml."""
    reader = MATCHER.reader
    english = Path(__file__).with_name("english_words.txt").read_text("utf-8").split()
    assert len(english) > 30_000
    # "MOps" is MLOps more often than a mop, being experienced is about experience, and nobody writes "clipt".
    english = [word for word in english if word not in ("mops", "experienced", "clipt")]

    def mistaken(*words: str) -> bool:
        return NAMES.corrected(words) != reader.tokens(words)

    # In a sentence longer words are read as a name's sooner. Asked right after, the nearest name is still remembered.
    assert [word for word in english if mistaken(word) or mistaken("a", word, "of", "birds")] == []


def test_an_everyday_word_completes_a_mistyped_name() -> None:
    assert first("jupiter notebook")[0] == "jupyter"


@pytest.mark.parametrize(
    "everyday", ["lawyer", "parking", "we need a lawyer", "cats", "lunch", "mango", "what's chrome?"]
)
def test_everyday_words_are_not_taken_for_typing_errors(everyday: str) -> None:
    assert not first(everyday, "mention")[1]


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
    understood = INDEX.understand(text)
    assert all(0 <= understood.sure(match) <= 1 for match in understood.matches)


@pytest.mark.parametrize("via", ["command", "mention"])
@pytest.mark.parametrize(
    "text", ["what is the salary of a data engineer", "how much does an MLOps engineer earn?", "zxqv wplk"]
)
def test_pay_and_gibberish_are_answered_nowhere(text: str, via: Via) -> None:
    assert not first(text, via)[1]


@pytest.mark.parametrize(
    "text",
    [
        "price of an H100",
        "when is the data science standup",
        "where is the roadmap document",
        "who founded OpenAI",
        "remind me to call the MLOps team",
        "are we hiring data engineers",
        "pip install fails for torch",
        "role of vitamin D",
        "blockchain yield farming",
    ],
)
def test_what_no_entry_holds_is_not_answered(text: str) -> None:
    assert not first(text, "mention")[1]


@pytest.mark.parametrize(
    ("text", "entry"),
    [
        ("who watches deployed models for drift", "mlops-engineer"),
        ("how are prompts stored in a database", "faq-prompt-storage"),
        ("how do we secure sensitive data", "faq-data-security"),
        ("what tools does an MLOps engineer use", "mlops-engineer"),
        ("which role keeps the cost of GPUs down", "ai-infrastructure-architect"),
        ("what are the best practices?", "best-practices"),
    ],
)
def test_what_entries_hold_is_answered(text: str, entry: str) -> None:
    assert first(text, "mention") == (entry, True)


@pytest.mark.parametrize(("text", "is_title"), [("our prompt engineer quit", True), ("our prompts are long", False)])
def test_a_role_is_called_by_its_title_or_by_its_work(text: str, is_title: bool) -> None:
    reading = MATCHER.read(text)
    assert [NAMES.is_title(reading, span) for span in reading.spans] == [is_title]
