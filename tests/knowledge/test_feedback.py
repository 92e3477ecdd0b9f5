"""What is kept of a question: nothing that points at a person."""

from __future__ import annotations

import pytest

from knowledge.answers import Help, Subject, Suggestion
from knowledge.catalog import load_catalog
from knowledge.feedback import LONGEST_TEXT, asked, impersonal


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("who covers GDPR?", "who covers GDPR?"),
        ("<@U0ANN000001> asks in <#C0GENERAL01|general> <!here>", "asks in"),
        ("write to ann@example.org now", "write to … now"),
        ("write to <mailto:ann@example.org|ann@example.org>", "write to …"),
        ("see <https://intranet.example/ann|the page> and https://x.example/y", "see the page and …"),
        ("call +49 (30) 123-45 67 or 0171/2345678", "call … or …"),
        ("gpt-4o, top 10, in 2026", "gpt-4o, top 10, in 2026"),
        ("two\nlines\tand \x1b[31m \ud800 \u202e", "two lines and [31m"),
        ("日本語で  聞く", "日本語で 聞く"),
        ("x" * 5000, "x" * LONGEST_TEXT),
    ],
)
def test_what_points_at_somebody_is_taken_out(typed: str, kept: str) -> None:
    assert impersonal(typed) == kept


def test_of_a_search_for_people_only_entries_are_kept() -> None:
    subject = Subject(roles=("data-engineer",), topics=("anns own words",), tools=("dvc",))
    found = asked("who knows dvc", Suggestion("DVC", (), (), (), subject, 0.9), "1", load_catalog())
    assert found is not None
    assert (found.kind, found.entries) == ("people", ("dvc", "data-engineer"))


def test_nothing_is_learned_from_a_greeting() -> None:
    assert asked("hello", Help("greeting"), "1", load_catalog()) is None
