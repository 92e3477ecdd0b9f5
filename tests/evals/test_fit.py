"""The weights are those of the content."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from knowledge.weights import load_numbers
from tests.evals.fingerprint import CONTENT, Part, fingerprint
from tests.evals.score import HERE
from tests.evals.writing import together

PARTS: tuple[Part, ...] = ("questions", "titles")


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    shutil.copytree(CONTENT, tmp_path / "content")
    shutil.copytree(HERE / "questions", tmp_path / "questions")
    return tmp_path


def of(folder: Path) -> dict[Part, str]:
    return {part: fingerprint(part, folder / "content", folder / "questions") for part in PARTS}


def changed(folder: Path) -> list[str]:
    now = of(folder)
    return [part for part in PARTS if now[part] != fingerprint(part)]


def add(file: Path, text: str) -> None:
    file.write_text(file.read_text("utf-8") + text, "utf-8")


def test_the_weights_were_learned_from_the_content_as_it_is() -> None:
    now = {part: fingerprint(part) for part in PARTS}
    assert load_numbers().get("fingerprint") == now, "the content changed: run make fit and make eval"


@pytest.mark.parametrize(
    ("file", "parts"),
    [
        ("roles/mlops-engineer.yaml", ["questions", "titles"]),
        ("topics/faq-rag.yaml", ["questions", "titles"]),
        ("tools/dvc.yaml", ["questions", "titles"]),
        ("words.yaml", ["questions", "titles"]),
        ("cues.yaml", ["questions"]),
        ("examples/people.jsonl", ["questions"]),
        ("examples/titles.jsonl", ["titles"]),
        ("titles.yaml", ["titles"]),
        ("languages/de.yaml", []),
        ("weights.json", []),
    ],
)
def test_a_change_shows_in_what_is_learned_from_it(copy: Path, file: str, parts: list[str]) -> None:
    add(copy / "content" / file, "\n")
    assert changed(copy) == parts


@pytest.mark.parametrize(("split", "parts"), [("dev", ["questions"]), ("held-out", [])])
def test_a_new_question_shows_where_it_is_learned_from(copy: Path, split: str, parts: list[str]) -> None:
    add(copy / "questions" / "lookups.jsonl", json.dumps({"text": "a new one", "split": split}) + "\n")
    assert changed(copy) == parts


def test_words_and_facets_share_their_rows() -> None:
    def table(names: list[str], *rows: list[int]) -> dict[str, Any]:
        rarities = np.arange(1, len(names) + 1, dtype=np.float32)
        return {"names": names, "scales": [1.0], "rarities": rarities, "weights": np.array(rows, np.int8)}

    learned = {"words": table(["a", "c"], [1], [3]), "runs": table(["ccc"], [5])}
    facets = {"facets": table(["b", "c"], [7], [8]), "facet_runs": table(["bbb"], [9]), "facet_constants": [0.5]}
    found = together(learned, facets)
    assert found["features"].tolist() == [b"a", b"b", b"c"]
    assert found["run_names"].tolist() == [b"bbb", b"ccc"]
    assert found["words"]["weights"].tolist() == [[1], [0], [3]]
    assert found["words"]["rarities"].tolist() == [1, 0, 2]
    assert found["facets"]["weights"].tolist() == [[0], [7], [8]]
    assert found["facets"]["rarities"].tolist() == [0, 1, 2]
    assert found["runs"]["weights"].tolist() == [[0], [5]]
    assert found["facet_runs"]["weights"].tolist() == [[9], [0]]
    assert found["facet_constants"] == [0.5]
