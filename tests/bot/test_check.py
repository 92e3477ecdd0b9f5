"""`python -m bot check`: everything that is wrong with the content files is said at once."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
BOOLEAN = (
    "Input should be a valid string; YAML reads yes, no, on and off as true and false, where they stand without quotes"
)


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


def broken(file: Path, *changes: tuple[str, str]) -> None:
    text = file.read_text("utf-8")
    for old, new in changes:
        assert old in text, old
        text = text.replace(old, new, 1)
    file.write_text(text, "utf-8")


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
        "status.yaml: out.0: there is no word in it, so it would be found everywhere",
        "status.yaml: away: Field required",
        f"status.yaml: taken_back_before.0: {BOOLEAN}",
        "status.yaml: emoji.0: String should match pattern '^[a-z0-9_+-]+$'",
        "status.yaml: awey: Extra inputs are not permitted",
    ]
    assert told[-1] == f"{len(told) - 1} problems."


def test_a_file_of_statuses_that_cannot_be_read_is_said_in_a_line(tree: Path) -> None:
    (tree / "knowledge/content/status.yaml").write_text("out: [", "utf-8")
    told = problems(tree)
    assert told[0].startswith("status.yaml: not readable as YAML: ") and told[1:] == ["1 problems."]


def test_the_shape_of_the_files_of_words_is_checked(tree: Path) -> None:
    content = tree / "knowledge/content"
    broken(content / "tools/jax.yaml", ("\nkind:", "\nname: Jacks\nkind:"))
    broken(
        content / "words.yaml",
        ("\nspellings:\n", "\nspellings:\n  Devops: ops\n  no: not\n"),
        ("\nphrases:\n", "\nphrases:\n  sre: reliability\n  site reliability: [sre]\n"),
        ("\nweak: >-\n", "\nweek: >-\n"),
        ("  senior sr junior", "  senior sr senior"),
    )
    broken(
        content / "cues.yaml",
        ("\ngreeting:\n  - 'hi'\n", "\ngreeting:\n  - 'hi'\n  - 'hi'\n  - ''\n"),
        ("\nthanks:\n", "\nthanks:\n  - '(?:thanks'\n"),
        ("\nhelp:\n", "\nhelp:\n  - '(?:help)?'\n"),
        ("(?P<a>", "(?P<c>"),
        ("\nmore:\n  - ", "\nmore: "),
        ("\npay:\n", "\npay: []\nwages:\n"),
    )
    broken(
        content / "follow_ups.yaml",
        ("(?P<which>first|", "(?P<which>fourth|"),
        ("\nwho_else:\n", "\nwho_else:\n  - 7\n"),
        ("(?P<what>.+?)", "(?:.+?)"),
    )
    broken(
        content / "titles.yaml",
        ("\n  ki: ai\n", "\n  ki: [ai]\n"),
        ("looking for|", "looking for||"),
        ("not_in_profiles:\n", "not_in_profiles:\n  - ds\n"),
    )
    broken(content / "order.yaml", ("  - data-engineer\n", "  - data-engineer\n  - data-engineer\n"))
    broken(
        content / "languages/de.yaml",
        ("also_english: >-\n", "also_english: [die]\nrest: >-\n"),
        ("name: German", "name: ' '"),
    )
    assert problems(tree) == [
        "tools/jax.yaml: not readable as YAML: line 3: the key 'name' stands there twice",
        "order.yaml: roles: 'data-engineer' stands there twice",
        "words.yaml: spellings.Devops: 'Devops' is not one word in lower case",
        f"words.yaml: spellings.0: {BOOLEAN}",
        "words.yaml: phrases.sre: 'sre' is one word alone: that belongs into spellings",
        "words.yaml: phrases.site reliability: Input should be a valid string",
        "words.yaml: weak: Field required",
        "words.yaml: seniority: 'senior' stands there twice",
        "words.yaml: week: Extra inputs are not permitted",
        "cues.yaml: greeting.2: there is nothing in it",
        "cues.yaml: thanks: '(?:thanks' is no regular expression: missing ), unterminated subpattern at position 0",
        "cues.yaml: help: '(?:help)?' is found in every text",
        "cues.yaml: sides.0: there is no group (?P<a>…) in it",
        "cues.yaml: more: Input should be a list",
        "cues.yaml: pay: List should have at least 1 item after validation, not 0",
        "cues.yaml: wages: Extra inputs are not permitted",
        "follow_ups.yaml: picks.0: (?P<which>…) takes some of these, with | between them, not 'fourth': "
        "first, 1st, former, second, 2nd, latter, third, 3rd, last, other",
        "follow_ups.yaml: who_else.0: Input should be a valid string",
        "follow_ups.yaml: moves_on.0: there is no group (?P<what>…) in it",
        "titles.yaml: words.ki: Input should be a valid string",
        "titles.yaml: seeks: there is nothing between two |, so it would be found everywhere",
        "titles.yaml: not_in_profiles: 'ds' stands there twice",
        "languages/de.yaml: rest: unknown",
        "languages/de.yaml: also_english: a text is needed",
        "languages/de.yaml: name: a text is needed",
        "25 problems.",
    ]


def test_a_title_to_learn_from_is_made_of_kinds_that_there_are(tree: Path) -> None:
    broken(tree / "knowledge/content/titles.yaml", ('"{ai} researcher"', '"{aj} researcher"'))
    assert problems(tree) == [
        "titles.yaml: patterns: ai-research-scientist: there is no kind 'aj', as in '{aj} researcher'",
        "1 problems.",
    ]


def test_a_role_a_key_and_a_file_that_are_not_as_they_should_be_are_named(tree: Path) -> None:
    content = tree / "knowledge/content"
    broken(content / "titles.yaml", ("\n  data-engineer: [", "\n  data-plumber: ["))
    broken(content / "cues.yaml", ("\nthanks:\n", "\ngreeting:\n  - 'moin'\n\nthanks:\n"))
    (content / "follow_ups.yaml").unlink()
    (content / "status.yaml").write_text("- ooo", "utf-8")
    assert problems(tree) == [
        "cues.yaml: not readable as YAML: line 33: the key 'greeting' stands there twice",
        "follow_ups.yaml: there is no such file",
        "status.yaml: Input should be keys with values",
        "titles.yaml: patterns: there is no role 'data-plumber'",
        "4 problems.",
    ]
