"""Finding by the beginnings of words: what the order of words finds is what reading every name would."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from knowledge.finding import Finder
from knowledge.models import Tool, Topic
from knowledge.text import words
from tests.bundled import CATALOG

FINDER = Finder(CATALOG)
SUBJECTS: list[Tool | Topic] = [*CATALOG.tools.values(), *CATALOG.topics.values()]
NAMES = [(entry.id, words(name)) for entry in SUBJECTS for name in (entry.name, *entry.names)]
WORDS = sorted({word for _, name in NAMES for word in name})
BEGINNINGS = st.builds(lambda word, length: word[:length], st.sampled_from(WORDS), st.integers(1, 8))


@given(st.lists(BEGINNINGS, min_size=1, max_size=3))
def test_every_subject_is_found_that_has_a_word_for_each_beginning(typed: list[str]) -> None:
    fitting = {id_ for id_, name in NAMES if all(any(word.startswith(start) for word in name) for start in typed)}
    found = [one.id for one in FINDER.subjects(" ".join(typed))]
    assert len(found) == len(set(found)) == min(len(fitting), 100)
    assert set(found) <= fitting


def test_own_names_come_before_other_names_and_tools() -> None:
    assert next(one.id for one in FINDER.roles("mlops")) == "mlops-engineer"
    assert next((one.id, one.by) for one in FINDER.roles("kubernetes")) == ("mlops-engineer", "Kubernetes")
    assert {one.id for one in FINDER.roles("")} == set(CATALOG.roles)
    assert FINDER.subjects("") == ()
