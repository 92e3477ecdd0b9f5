"""Who says of themself what they do no longer, and who says something else."""

from __future__ import annotations

import pytest

from knowledge.introducing import LONGEST
from knowledge.matching import Matcher
from knowledge.withdrawing import withdrawn
from tests.bundled import index


@pytest.fixture(scope="module")
def matcher() -> Matcher:
    return index().matcher


@pytest.mark.parametrize(
    ("said", "ended"),
    [
        ("I no longer do data engineering", [("data engineering", ["data-engineer"])]),
        ("<@U0BOT> I don’t do MLOps any more.", [("MLOps", ["mlops-engineer"])]),
        ("hi, i dont do mlops anymore!", [("mlops", ["mlops-engineer"])]),
        ("I'm no longer a data engineer", [("data engineer", ["data-engineer"])]),
        ("I am not the MLOps lead any longer", [("MLOps lead", ["mlops-engineer"])]),
        ("I stopped doing prompt engineering", [("prompt engineering", ["prompt-engineer"])]),
        ("I no longer know Airflow, dbt and Kafka", [("Airflow", []), ("dbt", []), ("Kafka", [])]),
        ("Please remove Kubernetes from my topics", [("Kubernetes", [])]),
        ("I no longer do data engineering, I do MLOps now", [("data engineering", ["data-engineer"])]),
        ("I no longer do Falcon", [("Falcon", [])]),
    ],
)
def test_what_people_say_that_they_do_no_longer(
    matcher: Matcher, said: str, ended: list[tuple[str, list[str]]]
) -> None:
    assert [(one.said, [*one.roles]) for one in withdrawn(said, matcher)] == ended


@pytest.mark.parametrize(
    "said",
    [
        "I no longer know what a data engineer does",
        "I no longer do that",
        "I no longer do data engineering, who does it now?",
        "I'm not a data engineer",
        "I don't know Kubernetes",
        "my boss says I no longer do data engineering",
        "does a data engineer no longer do ETL",
        "remove me from the directory",
        "what do I no longer have to do",
        "I do data engineering",
        "",
        "I no longer do data engineering " * (LONGEST // 20),
    ],
)
def test_what_is_something_else(matcher: Matcher, said: str) -> None:
    assert withdrawn(said, matcher) == ()
