"""The command line: roles for profile titles."""

from __future__ import annotations

import json

import pytest
from click.testing import CliRunner, Result

from bot.__main__ import main


def suggest(*arguments: str, lines: str = "") -> Result:
    return CliRunner().invoke(main, ["suggest", *arguments], input=lines)


def test_lines_come_out_in_the_order_in_which_they_went_in() -> None:
    titles = ["Prompt Engineer ✨", "Accountant", "", "MLOps Lead"]
    lines = "\n\n".join(json.dumps({"title": title, "id": 7}) for title in titles)
    result = suggest("--batch", lines=lines)
    assert result.exit_code == 0
    assert [json.loads(line) for line in result.stdout.splitlines()] == [
        {"roles": ["prompt-engineer"]},
        {"roles": []},
        {"roles": []},
        {"roles": ["mlops-engineer"]},
    ]
    assert result.stderr == ""


@pytest.mark.parametrize("bad", ["no json", '{"text": "Accountant"}', '{"title": 7}', "[]"])
def test_a_bad_line_ends_it_with_its_number(bad: str) -> None:
    result = suggest("--batch", lines='{"title": "Data Engineer"}\n' + bad + "\n")
    assert result.exit_code == 2
    assert result.stderr.startswith("line 2: ")
    assert [json.loads(line) for line in result.stdout.splitlines()] == [{"roles": ["data-engineer"]}]


def test_one_title_needs_no_quotes() -> None:
    assert json.loads(suggest("Data", "Scientist").stdout) == {"roles": ["data-scientist"]}


def test_without_a_title_it_says_what_to_type() -> None:
    result = suggest()
    assert result.exit_code == 2
    assert "python -m bot suggest" in result.stderr
    assert result.stdout == ""
