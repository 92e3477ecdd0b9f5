"""`python -m bot check`: everything that is wrong with the content files is said at once."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A copy of what `check` needs, whose content can be broken."""
    for package in ("bot", "handlers", "knowledge", "storage"):
        shutil.copytree(ROOT / package, tmp_path / package, ignore=shutil.ignore_patterns("__pycache__"))
    return tmp_path


def problems(tree: Path) -> list[str]:
    command = [sys.executable, "-m", "bot", "check"]
    result = subprocess.run(command, cwd=tree, capture_output=True, text=True, check=False)  # noqa: S603 - our own
    assert (result.returncode, result.stdout) == (1, ""), result.stderr
    return result.stderr.splitlines()


def test_the_words_of_statuses_are_checked_with_everything_else(tree: Path) -> None:
    content = tree / "knowledge/content"
    tool, words = content / "tools/dvc.yaml", content / "status.yaml"
    tool.write_text(tool.read_text("utf-8") + "colour: red\n", "utf-8")
    broken = words.read_text("utf-8").replace('  - "no"\n', "  - no\n", 1).replace("  - ooo\n", '  - "!!"\n', 1)
    broken = broken.replace("  - palm_tree\n", "  - ':palm_tree:'\n").replace("\naway:\n", "\nawey:\n")
    words.write_text(broken, "utf-8")
    told = problems(tree)
    assert "tools/dvc.yaml: colour: Extra inputs are not permitted" in told
    assert [line for line in told if line.startswith("status.yaml")] == [
        "status.yaml: out.0: Value error, there is no word in it, so it would be found everywhere",
        "status.yaml: away: Field required",
        "status.yaml: taken_back_before.0: Input should be a valid string",
        "status.yaml: emoji.0: String should match pattern '^[a-z0-9_+-]+$'",
        "status.yaml: awey: Extra inputs are not permitted",
    ]
    assert told[-1] == f"{len(told) - 1} problems."


def test_a_file_of_statuses_that_cannot_be_read_is_said_in_a_line(tree: Path) -> None:
    (tree / "knowledge/content/status.yaml").write_text("out: [", "utf-8")
    told = problems(tree)
    assert told[0].startswith("status.yaml: not readable as YAML: ") and told[1:] == ["1 problems."]
