"""What `python -m bot insights` says of the questions that were kept."""

from __future__ import annotations

import asyncio
import json
import logging
import shutil
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from hypothesis import given
from hypothesis import strategies as st

from bot.__main__ import main
from bot.insights import clusters, linked
from knowledge.feedback import Asked, Kind
from knowledge.index import Index
from storage.database import migrate, open_engine
from storage.feedback import KEEP, SqlFeedback
from tests import bundled
from tests.databases import BOTH, KEY, KEYS


@pytest.fixture(scope="module")
def index() -> Index:
    return bundled.index()


@pytest.fixture(params=BOTH)
def environment(request: pytest.FixtureRequest, environment: dict[str, str], empty_database: Path) -> dict[str, str]:
    """The environment with a database at head, without rows, of each kind."""
    if request.param == "sqlite":
        shutil.copy(empty_database, environment["DATABASE_URL"].partition(":///")[2])
        return environment | {"ENCRYPTION_KEYS": KEY}
    return {"DATABASE_URL": request.getfixturevalue("postgres"), "ENCRYPTION_KEYS": KEY}


def in_database(address: str, do: Callable[[SqlFeedback], Awaitable[object]]) -> None:
    async def run() -> None:
        engine = open_engine(address, KEYS)
        await do(SqlFeedback(engine))
        await engine.dispose()

    asyncio.run(run())


def asked(text: str, kind: Kind = "none", *entries: str) -> Asked:
    # Each question is another answer's: the id is drawn from a counter.
    asked.count = getattr(asked, "count", 0) + 1  # type: ignore[attr-defined]
    return Asked(str(asked.count), kind, entries, 0.25, text)  # type: ignore[attr-defined]


def fill(address: str, unanswered: list[str], disliked: list[tuple[str, str]] = []) -> None:  # noqa: B006 - read only
    async def write(feedback: SqlFeedback) -> None:
        now = datetime.now(UTC)
        for text in unanswered:
            await feedback.unanswered("T1", asked(text), now)
        for text, entry in disliked:
            await feedback.vote("T1", asked(text, "card", entry), "not", now)
        await feedback.vote("T1", asked("fine", "card", "mlops-engineer"), "helpful", now)

    in_database(address, write)


def insights(environment: dict[str, str], *arguments: str) -> Result:
    result = CliRunner().invoke(main, ["insights", *arguments], env=environment)
    assert result.exit_code == 0, result.output
    return result


def test_groups_are_listed_largest_first(environment: dict[str, str], caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    fill(
        environment["DATABASE_URL"],
        [
            "how much does a gpu cluster cost",
            "what is the cost of GPU clusters?",
            "zebracorns",
            "cost of a gpu cluster",
            "gpu clusters cost",
        ],
        [("who tunes prompts for models", "model-trainer"), ("who is tuning the prompts of models", "model-trainer")],
    )
    result = insights(environment)
    nearest, shown = (line for line in result.stdout.splitlines() if "; nearest: " in line or line.startswith("4 × "))
    assert "ai-infrastructure-architect" in nearest
    assert shown.startswith("2 × shown: Model Trainer and Fine-Tuning Specialist (model-trainer); nearest: ")
    assert result.stdout.splitlines() == [
        "In the last 30 days: questions without an answer 5, answers rated helpful 1, not helpful 2.",
        "",
        "Without an answer",
        nearest,
        "    cost of a gpu cluster",
        "    gpu clusters cost",
        "    how much does a gpu cluster cost",
        "1 × near to nothing",
        "    zebracorns",
        "",
        "Not helpful",
        shown,
        "    who is tuning the prompts of models",
        "    who tunes prompts for models",
    ]
    assert "gpu cluster" not in result.stderr + caplog.text


def test_as_json(environment: dict[str, str]) -> None:
    fill(environment["DATABASE_URL"], ["zebracorns"], [("what is mlops", "mlops-engineer")])
    assert json.loads(insights(environment, "--json", "--days", "7").stdout) == {
        "days": 7,
        "questions_unanswered": 1,
        "votes_helpful": 1,
        "votes_not_helpful": 1,
        "unreadable": 0,
        "unanswered": [{"size": 1, "nearest": None, "shown": {}, "confidence": 0.25, "examples": ["zebracorns"]}],
        "disliked": [
            {
                "size": 1,
                "nearest": "mlops-engineer",
                "shown": {"mlops-engineer": 1},
                "confidence": 0.25,
                "examples": ["what is mlops"],
            }
        ],
    }


def test_a_sentence_where_there_is_nothing(environment: dict[str, str]) -> None:
    said = insights(environment, "--days", "3").stdout
    assert (
        said == "Nothing to learn from: the last 3 days hold no question without an answer, and no disliked answer.\n"
    )


def test_a_lost_key_is_said(environment: dict[str, str]) -> None:
    fill(environment["DATABASE_URL"], ["zebracorns"])
    from storage.keys import new_key

    said = insights(environment | {"ENCRYPTION_KEYS": new_key()}).stdout
    assert said.startswith("Questions that can't be read, since the key that they were written with is missing: 1.")


def test_an_old_schema_and_a_missing_database_are_said(environment: dict[str, str], tmp_path: Path) -> None:
    missing = f"sqlite+aiosqlite:///{tmp_path}/missing/bot.sqlite3"
    assert insights({"DATABASE_URL": missing}).stdout.startswith("Nothing to learn from")
    assert not (tmp_path / "missing").exists()

    old = f"sqlite+aiosqlite:///{tmp_path}/old.sqlite3"
    in_database(old, lambda feedback: migrate(feedback._engine, "0002"))
    result = CliRunner().invoke(main, ["insights"], env={"DATABASE_URL": old, "ENCRYPTION_KEYS": KEY})
    assert (result.exit_code, result.stderr) == (
        2,
        "The database's schema is not current. Run: python -m bot migrate\n",
    )


def test_one_cannot_look_back_further_than_questions_are_kept() -> None:
    (days,) = [option for option in main.commands["insights"].params if option.name == "days"]
    assert getattr(days.type, "max", None) == KEEP.days == days.default


# Groups


@pytest.mark.parametrize(
    ("one", "other", "near"),
    [
        ("what is the salary of a data engineer", "data engineers' salaries?", True),
        ("kubernetes pod restart", "restart a kuberntes pod", True),
        ("data", "what is the salary of a data engineer", False),
        ("who pays", "token limits of gpt", False),
        ("what is it", "what is it?", True),
        ("", "", True),
    ],
)
def test_what_is_near(index: Index, one: str, other: str, near: bool) -> None:
    assert len(clusters([asked(one), asked(other)], index)) == (1 if near else 2)


def test_three_examples_the_commonest_first(index: Index) -> None:
    texts = ["zebra price c", "zebra price b", "zebra price b", "zebra price a", "zebra price d"]
    (cluster,) = clusters([asked(text) for text in texts], index)
    assert cluster.examples == ("zebra price b", "zebra price a", "zebra price c")
    assert cluster.size == 5


WORDS = st.sampled_from(["gpu", "cost", "data", "salary", "zebra", "engineer", "prompt"])
TEXTS = st.lists(st.lists(WORDS, max_size=4).map(" ".join), max_size=12)


@given(TEXTS, st.randoms(use_true_random=False))
def test_the_same_questions_give_the_same_groups_in_any_order(index: Index, texts: list[str], rng: object) -> None:
    questions = [asked(text) for text in texts]
    shuffled = list(questions)
    rng.shuffle(shuffled)  # type: ignore[attr-defined]
    found = clusters(questions, index)
    assert clusters(shuffled, index) == found
    assert sum(cluster.size for cluster in found) == len(questions)
    assert [cluster.size for cluster in found] == sorted((cluster.size for cluster in found), reverse=True)


@given(st.lists(st.text(max_size=20), unique=True, max_size=15))
def test_every_key_is_in_one_group(keys: list[str]) -> None:
    assert sorted(key for group in linked(sorted(keys)) for key in group) == sorted(keys)
