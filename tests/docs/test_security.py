"""The threat model names tests that there are, and the pages say what the code does."""

from __future__ import annotations

import ast
import re
from functools import cache

import pytest

from bot.server import MOST_BYTES
from handlers.pace import MOST_A_MINUTE
from tests.docs.pages import ROOT, code, read, section

PAGE = ROOT / "docs" / "security.md"
THREATS = section(PAGE, "Who could want what").splitlines()
ROWS = [[cell.strip() for cell in line.strip("|").split("|")] for line in THREATS if line.startswith("| ")][1:]


@cache
def names_of_tests() -> frozenset[str]:
    return frozenset(
        node.name
        for file in (ROOT / "tests").rglob("test_*.py")
        for node in ast.walk(ast.parse(read(file)))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name.startswith("test_")
    )


@pytest.mark.parametrize("row", ROWS, ids=[row[0] for row in ROWS])
def test_what_stops_a_threat_is_shown_by_tests_that_there_are(row: list[str]) -> None:
    _, stops, shown = row
    assert stops
    named = code(shown)
    # Where nothing shows it, the row says so.
    assert named or "gap" in shown.lower()
    assert sorted(set(named) - names_of_tests()) == []


def test_the_table_covers_what_it_has_to() -> None:
    subjects = " ".join(row[0].lower() for row in ROWS)
    needed = (
        *("forge", "replay", "tampered button", "private_metadata", "another workspace", "guest", "slack connect"),
        *("mrkdwn", "stolen copy of the database", "stolen backup", "malicious member", "curator", "administrator"),
        *("busy", "dependency", "log", "runs the bot"),
    )
    assert [one for one in needed if one not in subjects] == []


def test_the_bounds_are_those_of_the_code() -> None:
    page = re.sub(r"\s+", " ", read(PAGE))
    assert MOST_BYTES == 1024 * 1024 and "1 MiB" in page
    assert MOST_A_MINUTE == 20 and "twenty questions a minute" in page


def test_reporting_says_how_and_what_to_expect() -> None:
    page = read(ROOT / "SECURITY.md")
    for title in ("Reporting", "What to expect", "Supported versions"):
        assert section(ROOT / "SECURITY.md", title).strip()
    assert "docs/security.md" in page
