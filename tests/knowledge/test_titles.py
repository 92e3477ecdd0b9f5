"""Titles of profiles: which roles they suggest, and what they must not suggest."""

from __future__ import annotations

import pytest

from knowledge.examples import TITLES, load_examples
from knowledge.titles import MOST_ROLES, Titles, load_titles
from tests.bundled import CATALOG


@pytest.fixture(scope="module")
def titles() -> Titles:
    return load_titles(CATALOG)


@pytest.mark.parametrize(
    ("title", "role"),
    [
        ("Machine Learning Engineer", "machine-learning-engineer"),
        ("she/her | Sr. Data Eng | 🐶 :wave:", "data-engineer"),
        ("Head of Data Science, APAC", "data-scientist"),
        ("VP Product – GenAI", "ai-product-manager"),
        ("Staff UX Designer (AI assistants)", "ai-ux-designer"),
        ("QA Lead @ LLM products", "ai-qa-specialist"),
        ("Data Scientist at Northwind Railways", "data-scientist"),
        ("AI PM, ex-Contoso", "ai-product-manager"),
        ("Former lawyer turned prompt engineer", "prompt-engineer"),
        ("ML Engineer (m/w/d)", "machine-learning-engineer"),
        ("Entwickler:in für maschinelles Lernen", "machine-learning-engineer"),
        ("Ingénieur·e en apprentissage automatique", "machine-learning-engineer"),
        ("Ingeniera de datos", "data-engineer"),
        ("Cientista de dados sênior", "data-scientist"),
        ("Leiterin KI-Governance", "ai-governance-specialist"),
        ("Arquiteta de infraestrutura de IA", "ai-infrastructure-architect"),
        ("Chercheuse en intelligence artificielle", "ai-research-scientist"),
    ],
)
def test_a_title_suggests_its_role(titles: Titles, title: str, role: str) -> None:
    assert titles.roles(title) == (role,)


@pytest.mark.parametrize(
    "title",
    [
        "Accountant",
        "Data Entry Clerk, nights",
        "Train driver",
        "Product Designer, Checkout",
        "UX Writer",
        "QA Tester",
        "BI Analyst",
        "Cloud Architect",
        "Food Scientist",
        "Fire safety engineer",
        "Swimwear model",
        "Buchhalterin",
        "Recruiter | we are hiring ML engineers",
        "Looking for a data engineer",
        "Executive Assistant to the VP of Machine Learning",
        "Ex-data scientist, now baker",
        "Former ML engineer",
        "Aspiring data scientist",
        "they/them",
        "🤖",
        "",
        "@",
        "<@U123> <!here>",
    ],
)
def test_a_title_suggests_nothing(titles: Titles, title: str) -> None:
    assert titles.roles(title) == ()


def test_two_names_side_by_side_are_two_roles(titles: Titles) -> None:
    assert set(titles.roles("Data Scientist / ML Engineer")) == {"data-scientist", "machine-learning-engineer"}
    assert set(titles.roles("Prompt engineer and MLOps engineer")) == {"prompt-engineer", "mlops-engineer"}


def test_every_name_of_a_role_suggests_it() -> None:
    found = load_titles(CATALOG)
    assert [role.name for role in CATALOG.roles.values() if found.roles(role.name) != (role.id,)] == []


def test_no_more_roles_than_fit(titles: Titles) -> None:
    everything = " / ".join(role.name for role in CATALOG.roles.values())
    assert len(titles.roles(everything)) <= MOST_ROLES
    assert titles.roles("x" * 100_000) == titles.roles("| " * 50_000) == ()


def test_a_title_is_read_the_same_in_capitals(titles: Titles) -> None:
    assert titles.roles("SENIOR PROMPT ENGINEER") == titles.roles("senior prompt engineer") == ("prompt-engineer",)


def test_the_weights_fit_the_examples(titles: Titles) -> None:
    """They were learned from these; far less means that examples or rules changed, and the weights did not."""
    examples = load_examples(TITLES, CATALOG)
    right = sum(titles.roles(e.text)[:1] == () if not e.roles else titles.roles(e.text)[:1] != () for e in examples)
    assert right / len(examples) > 0.97
