"""The examples that the bot learns from."""

from __future__ import annotations

from pathlib import Path

import pytest

from knowledge import examples
from knowledge.errors import ContentError
from knowledge.examples import FILES, QUESTIONS, load_examples
from tests.bundled import CATALOG


@pytest.mark.parametrize("name", FILES)
def test_every_example_is_valid(name: str) -> None:
    assert len(load_examples(name, CATALOG)) > 500


def test_every_problem_of_a_file_is_said_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "content" / "examples"
    folder.mkdir(parents=True)
    lines = ['{"text": "a", "roles": ["no-such-role"]}', "no JSON", '{"text": "b", "surprise": 1}', '{"text": "a"}']
    (folder / "questions.jsonl").write_text("\n".join(lines), "utf-8")
    monkeypatch.setattr(examples, "files", lambda _package: tmp_path)
    with pytest.raises(ContentError) as caught:
        load_examples(QUESTIONS, CATALOG)
    said = "\n".join(caught.value.problems)
    assert len(caught.value.problems) == 4
    assert "examples/questions.jsonl:1: there is no 'no-such-role'" in said
    assert "examples/questions.jsonl:2:" in said
    assert "examples/questions.jsonl:3:" in said
    assert "twice: 'a'" in said
