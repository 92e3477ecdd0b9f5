"""Rows of what a team knows, for any file: once more they change nothing, and another workspace gets the same."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Sequence
from datetime import UTC, datetime
from itertools import count
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from knowledge.matching import Matcher
from knowledge.rows import csv_rows, json_rows
from knowledge.team import NOTHING, Alias, Known, TeamEntry
from knowledge.team_checks import Checker
from knowledge.team_rows import COLUMNS, Planned, cells_of, entry_of_cells, plan, rows_of
from tests.bundled import index

NOW = datetime(2026, 5, 4, 9, tzinfo=UTC)
IDS = count()
PHASES = [Phase.explicit, Phase.reuse, Phase.generate]
"""What fails is short enough, and making it shorter takes long."""
signs = st.characters(codec="utf-8", exclude_categories=("Cc", "Cs", "Zs", "Zl", "Zp"), exclude_characters=";")
words = st.lists(st.text(signs, min_size=1, max_size=6), min_size=1, max_size=3).map(" ".join)
# Few names, so that some meet.
names = st.sampled_from(["Falcon", "Heron", "GPU quota", "=1+1 birds"]) | words
entries = st.fixed_dictionaries(
    {"name": names, "answer": words | st.just("")},
    optional={
        "names": st.lists(names, max_size=2),
        "question": words,
        "roles": st.lists(st.sampled_from(["mlops-engineer", "data-engineer"]), max_size=2),
        "topics": st.lists(words, max_size=2),
        "state": st.sampled_from(["published", "retired", "proposed"]),
        "id": st.sampled_from(["team-elsewhere", "team-other"]),
    },
)
aliases = st.builds(
    lambda name, target: {"name": name, "alias_of": target},
    st.sampled_from(["Orakel", "Pythia", "Kassandra"]),
    st.sampled_from(["mlops-engineer", "data-engineer"]),
)
files: st.SearchStrategy[list[dict[str, Any]]] = st.lists(entries | aliases, max_size=5)


@pytest.fixture(scope="module")
def matcher() -> Matcher:
    return index().matcher


def planned(text: str, form: str, known: Known, matcher: Matcher) -> list[Planned]:
    rows = (
        json_rows(text, "entry", "x", "entries")
        if form == "json"
        else csv_rows(io.StringIO(text, newline=""), COLUMNS, "name", entry_of_cells)
    )
    return list(plan(rows, known, Checker(known, matcher), lambda: f"team-{next(IDS)}", "", NOW))


def after(known: Known, lines: Sequence[Planned]) -> Known:
    """Return what a workspace knows once all lines that can be used are written."""
    entries = {entry.id: entry for entry in known.entries}
    aliases = {alias.name: alias for alias in known.aliases}
    for one in lines:
        if isinstance(one.made, TeamEntry):
            entries[one.made.id] = one.made
        elif isinstance(one.made, Alias):
            aliases[one.made.name] = one.made
    return Known("1", tuple(entries.values()), tuple(aliases.values()))


def contents(known: Known) -> list[str]:
    said = [
        str((one.name, one.names, one.question, one.answer, one.roles, one.topics, one.state)) for one in known.entries
    ]
    return sorted([*said, *(str((one.name, one.entry_id)) for one in known.aliases)])


def written(known: Known, form: str) -> str:
    if form == "json":
        return json.dumps(list(rows_of(known)))
    table = io.StringIO(newline="")
    csv.writer(table, lineterminator="\n").writerows([COLUMNS, *map(cells_of, rows_of(known))])
    return table.getvalue()


@settings(phases=PHASES, max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(before=files, file=files)
def test_a_file_imported_once_more_changes_nothing(matcher: Matcher, before: list[Any], file: list[Any]) -> None:
    known = after(NOTHING, planned(json.dumps(before), "json", NOTHING, matcher))
    first = planned(json.dumps(file), "json", known, matcher)
    good = [row for row, one in zip(file, first, strict=True) if not one.problems]
    # A file is written as a whole: what can't be used is mended or left out first.
    first = planned(json.dumps(good), "json", known, matcher)
    if any(one.problems for one in first):
        return
    once = after(known, first)
    again = planned(json.dumps(good), "json", once, matcher)
    assert [(one.change, one.problems) for one in again] == [("same", ())] * len(good)
    assert contents(after(once, again)) == contents(once)


@pytest.mark.parametrize("form", ["json", "csv"])
def test_another_workspace_gets_the_same_and_once_more_nothing(matcher: Matcher, form: str) -> None:
    @settings(phases=PHASES, max_examples=40, deadline=None)
    @given(file=files)
    def hold(file: list[Any]) -> None:
        known = after(NOTHING, planned(json.dumps(file), "json", NOTHING, matcher))
        text = written(known, form)
        there = planned(text, form, NOTHING, matcher)
        assert [one.problems for one in there if one.problems] == []
        assert {one.change for one in there} <= {"new"}
        other = after(NOTHING, there)
        assert contents(other) == contents(known)
        assert {one.change for one in planned(text, form, other, matcher)} <= {"same"}

    hold()
