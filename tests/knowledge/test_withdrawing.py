"""Who says of themself what they do no longer, and who says something else."""

from __future__ import annotations

import pytest

from knowledge.introducing import LONGEST
from knowledge.matching import Matcher
from knowledge.people import Declaration
from knowledge.withdrawing import Ended, may_withdraw, withdrawn
from tests.bundled import index

DECLARED = Declaration(
    {"data-engineer": "lead", "mlops-engineer": "lead", "prompt-engineer": "learning"},
    {"airflow": "Airflow", "dbt": "dbt", "kafka": "Kafka", "falcon": "Falcon"},
)
DATA, MLOPS = Ended(("data-engineer",)), Ended(("mlops-engineer",))


@pytest.fixture(scope="module")
def matcher() -> Matcher:
    return index().matcher


@pytest.mark.parametrize(
    ("said", "ended"),
    [
        ("I no longer do data engineering", DATA),
        ("<@U0BOT> I don’t do MLOps any more.", MLOPS),
        ("hi, i dont do mlops anymore!", MLOPS),
        ("I don't do MLOps", MLOPS),
        ("I don't do Falcon, thanks", Ended((), ("falcon",))),
        ("I'm no longer a data engineer", DATA),
        ("I am not the MLOps lead any longer", MLOPS),
        ("I stopped doing prompt engineering", Ended(("prompt-engineer",))),
        ("I no longer know Airflow, dbt, and Kafka", Ended((), ("airflow", "dbt", "kafka"))),
        ("I no longer do data engineering. I don't do MLOps any more", Ended(("data-engineer", "mlops-engineer"))),
        ("Please remove Kubernetes from my topics", Ended((), (), ("Kubernetes",))),
        ("I no longer do data engineering, I do MLOps now", DATA),
        ("I no longer do data engineering, but I do MLOps now", DATA),
        ("I'm no longer a data engineer. I'm a team lead now", DATA),
        ("I no longer do looms or Falcon", Ended((), ("falcon",), ("looms",))),
        ("I no longer do looms", Ended((), (), ("looms",))),
        ("I no longer do anything", Ended(everything=True)),
    ],
)
def test_what_people_say_that_they_do_no_longer(matcher: Matcher, said: str, ended: Ended) -> None:
    assert may_withdraw(said) and withdrawn(said, DECLARED, matcher) == ended


@pytest.mark.parametrize(
    "said",
    [
        "I no longer know what a data engineer does",
        "I no longer know the data engineer",
        "I no longer do that",
        "I no longer do data engineering, who does it now?",
        "I no longer do data engineering, explain RAG",
        "I no longer do data engineering. Airflow",
        "I don't do data engineering, thanks, Airflow",
        "I don't do looms",
        "I'm not a data engineer",
        "I'm no longer sure",
        "I don't know Kubernetes",
        "my boss says I no longer do data engineering",
        "does a data engineer no longer do ETL",
        "remove me from the directory",
        "what do I no longer have to do",
        "I do data engineering",
        "I'm a data engineer, thanks",
        "",
        "I no longer do data engineering " * (LONGEST // 20),
    ],
)
def test_what_is_something_else(matcher: Matcher, said: str) -> None:
    assert withdrawn(said, DECLARED, matcher) is None
