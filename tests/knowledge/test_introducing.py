"""Who says of themself what they do, in plain words, and who says something else."""

from __future__ import annotations

import pytest

from knowledge.introducing import LONGEST, introduced
from knowledge.matching import Matcher
from knowledge.people import Level
from tests.bundled import index


@pytest.fixture(scope="module")
def matcher() -> Matcher:
    return index().matcher


@pytest.mark.parametrize(
    ("said", "roles", "topics"),
    [
        ("I'm the MLOps lead and know MLflow", {"mlops-engineer": "lead"}, ("MLflow",)),
        ("I do prompt engineering, still learning", {"prompt-engineer": "learning"}, ()),
        ("I'm a data engineer", {"data-engineer": "practitioner"}, ()),
        ("<@U0BOT> I am a senior data engineer.", {"data-engineer": "practitioner"}, ()),
        ("Hi! I’m our lead data scientist, nice to meet you", {"data-scientist": "lead"}, ()),
        ("im an mlops engineer at Contoso", {"mlops-engineer": "practitioner"}, ()),
        ("I work as a data engineer in the platform team", {"data-engineer": "practitioner"}, ()),
        (
            "I lead data engineering and I know Airflow, dbt and Kafka",
            {"data-engineer": "lead"},
            ("Airflow", "dbt", "Kafka"),
        ),
        ("I'm learning prompt engineering", {"prompt-engineer": "learning"}, ()),
        ("My role is AI Ethics and Policy Specialist", {"ai-ethics-specialist": "practitioner"}, ()),
        (
            "I'm a data engineer and I do prompt engineering",
            {"data-engineer": "practitioner", "prompt-engineer": "practitioner"},
            (),
        ),
        ("I'm a prompt engineer and can help others with LoRA", {"prompt-engineer": "practitioner"}, ("LoRA",)),
        ("I'm the head of data engineering here", {"data-engineer": "lead"}, ()),
        ("I know Airflow and Terraform", {}, ("Airflow", "Terraform")),
        ("Hi, you can ask me about k8s", {}, ("k8s",)),
        ("I'm a data engineer and know R&amp;D or Kafka", {"data-engineer": "practitioner"}, ("R&D", "Kafka")),
    ],
)
def test_what_people_say_that_they_do(
    matcher: Matcher, said: str, roles: dict[str, Level], topics: tuple[str, ...]
) -> None:
    found = introduced(said, matcher)
    assert found is not None
    assert (found.roles, found.topics) == (roles, topics)


@pytest.mark.parametrize(
    ("said", "roles", "topics", "unknown"),
    [
        ("I'm an engineering manager and know Kubernetes", {}, ("Kubernetes",), ("engineering manager",)),
        ("I'm a nurse at Contoso and know Python and weaving", {}, ("Python",), ("nurse", "weaving")),
        ("I'm the CTO. You can ask me about GDPR", {}, ("GDPR",), ("CTO",)),
        (
            "My job title is engineering manager and I do data engineering",
            {"data-engineer": "practitioner"},
            (),
            ("engineering manager",),
        ),
    ],
)
def test_what_is_not_known_of_it_is_told_apart(
    matcher: Matcher, said: str, roles: dict[str, Level], topics: tuple[str, ...], unknown: tuple[str, ...]
) -> None:
    found = introduced(said, matcher)
    assert found is not None
    assert (found.roles, found.topics, found.unknown) == (roles, topics, unknown)


@pytest.mark.parametrize(
    "said",
    [
        "I want to become a data engineer",
        "I'm looking for a data engineer",
        "I'm a data engineer, who can help me with Airflow?",
        "I'm not a data engineer",
        "I was a data engineer",
        "I'd like to be an MLOps engineer",
        "I need a prompt engineer",
        "I'm the manager of the data engineer",
        "I'm a data engineer and my pipeline is broken",
        "My boss says I'm the MLOps lead",
        "I'm interviewing a data engineer tomorrow",
        "what does a data engineer do",
        "I know a data engineer",
        "I know Airflow and the way to the station",
        "I know prompt engineering",
        "I use Terraform to ask you things",
        "ask me about it",
        "know Kubernetes",
        "I'm a data engineer in need of help",
        "If I'm a data engineer, what do I learn next",
        "I'm new to prompt engineering",
        "I'm a data engineer's manager",
        "I'm an engineering manager",
        "I'm a bit lost and know Python",
        "I'm looking for a job and know Python",
        "I'm an engineering manager and know my way",
        "data engineer",
        "I do prompt engineering, explain RAG to me",
        "I'm hiring a data engineer",
        "",
        "I'm a data engineer " * (LONGEST // 10),
    ],
)
def test_what_is_no_introduction(matcher: Matcher, said: str) -> None:
    assert introduced(said, matcher) is None
