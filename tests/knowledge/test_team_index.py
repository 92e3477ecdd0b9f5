"""What a workspace knows is found by name and by the nearest question, and left alone where neither is near."""

from __future__ import annotations

import pytest

from knowledge.matching import Matcher
from knowledge.team import Alias, Known, TeamEntry
from knowledge.team_index import Team
from tests.bundled import index


def entry(name: str, question: str = "", *names: str) -> TeamEntry:
    return TeamEntry(f"team-{name}", name, names, question, "The answer.", state="published")


ENTRIES = (
    entry("GPU quota", "How do I get more GPU quota?"),
    entry("Project Falcon", "What is Project Falcon?", "Falcon"),
    entry("Model release process", "How is a model released to production here?", "release checklist"),
    entry("Holiday on-call", "Who is on call for the inference service over the holidays?"),
    entry("Customer data in prompts", "Are we allowed to put customer data into prompts?"),
    entry("Staging access", "How do I get access to the staging cluster?"),
    entry("Cloud costs", "Which cloud costs do I need approval for?"),
    entry("Gold set", "Where is the gold evaluation set for the support bot?"),
    entry("Vendor review", "How long does the security review of a new model vendor take?"),
    entry("Retraining", "When is the ranking model retrained?"),
)
RIGHT = {
    "GPU quota": (
        "how can I get more gpu quota",
        "I need more GPU quota",
        "gpu quota increase?",
        "how do I get gpu qouta",
    ),
    "Project Falcon": ("tell me about falcon", "whats project falcon", "FALCON?"),
    "Model release process": (
        "how do we release a model to production",
        "what's the process to release models into production",
        "release checklist",
    ),
    "Holiday on-call": ("who's on call for inference during the holidays?",),
    "Customer data in prompts": ("may I put customer data in a prompt?", "can we use customer data in prompts"),
    "Staging access": (
        "access to the staging cluster",
        "how do I access the staging cluster?",
        "acces to stagin cluster",
    ),
    "Cloud costs": ("which cloud costs need approval?", "do I need approval for cloud costs"),
    "Gold set": ("where is the gold eval set of the support bot", "where can I find the gold evaluation set?"),
    "Vendor review": (
        "how long does a security review of a model vendor take",
        "how long is the vendor security review",
    ),
    "Retraining": ("when will the ranking model be retrained",),
}
WRONG = (
    *("how do I get a laptop", "what is a GPU?", "how do I release memory on a GPU", "what does a prompt engineer do"),
    *("how do I put data into snowflake", "where is the office", "how is a model trained", "who is on holiday"),
    *("access to the database", "what does a data engineer do with customer data", "which cloud is best for training"),
    *("how do I evaluate a support bot", "what is security", "how long does training take", "when is lunch"),
    *(
        "which evaluation metric should I use",
        "how much does a gpu cost",
        "release notes of pytorch",
        "get more customers",
    ),
    *(
        "do I need approval for holidays",
        "how do I write a good prompt",
        "cluster analysis in python",
        "what is staging",
    ),
    *("how do I get access to GPUs in the cloud", "where is my data", "peregrine falcon facts for kids please"),
    *("does a data engineer review vendors", "who are our customers", "how do models in production fail"),
    *(
        "what is the quota for sales this quarter",
        "when is the gold evaluation set ready for the support bot's release",
    ),
)


@pytest.fixture(scope="module")
def matcher() -> Matcher:
    return index().matcher


@pytest.fixture(scope="module")
def team(matcher: Matcher) -> Team:
    return Team(
        Known("1", ENTRIES, (Alias("Orakel", "mlops-engineer"), Alias("the plumbers", "data-engineer"))), matcher
    )


def found(team: Team, text: str) -> str | None:
    named, near = team.named(text), team.nearest(text)
    return named.name if named else near.entry.name if near else None


@pytest.mark.parametrize(("text", "name"), [(text, name) for name, texts in RIGHT.items() for text in texts])
def test_what_is_near_is_found(team: Team, text: str, name: str) -> None:
    assert found(team, text) == name


@pytest.mark.parametrize("text", WRONG)
def test_what_is_not_near_is_left_alone(team: Team, text: str) -> None:
    assert found(team, text) is None


@pytest.mark.parametrize(
    ("typed", "read"),
    [
        ("who covers Orakel?", "who covers MLOps Engineer?"),
        ("orakels", "MLOps Engineer"),
        ("compare Orakel, and *the plumbers*!", "compare MLOps Engineer, and *Data Engineer*!"),
        ("what do Oracles do", None),
        ("plumbers", None),
        ("", None),
    ],
)
def test_a_word_of_the_team_is_read_as_the_entry_it_stands_for(team: Team, typed: str, read: str | None) -> None:
    renamed = team.in_bundled_words(typed)
    assert (renamed.text if renamed else None) == read


def test_only_what_is_published_answers(matcher: Matcher) -> None:
    held = (TeamEntry("team-1", "Falcon", answer="x"), TeamEntry("team-2", "Heron", answer="x", state="retired"))
    team = Team(Known("1", held), matcher)
    assert not team
    assert found(team, "Falcon") is None
    assert found(team, "Heron") is None


def test_a_small_word_that_begins_a_name_belongs_to_it(matcher: Matcher) -> None:
    team = Team(Known("1", (entry("The Hub"), entry("Hub"))), matcher)
    assert found(team, "what is the hub?") == "The Hub"
    assert found(team, "hub") == "Hub"


def test_an_index_built_after_another_finds_the_same(matcher: Matcher, team: Team) -> None:
    changed = (*ENTRIES[1:], entry("GPU quota", "Where do I order GPUs for experiments?"))
    after = Team(Known("2", changed), matcher, team)
    assert found(after, "where can I order gpus for experiments") == "GPU quota"
    assert found(after, "how do I access the staging cluster?") == "Staging access"
    fresh = Team(Known("2", changed), matcher)
    assert [found(after, text) for text in WRONG] == [found(fresh, text) for text in WRONG]
