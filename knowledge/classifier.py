"""Say what a text is about, and whether it is ours to answer, by what was learned from examples.

A linear classifier over words, pairs of words, frames (the function words of the text, with names and everything
else replaced by placeholders) and runs of characters, which tell "horoscopes" from "histograms" though neither was
seen before. tests/evals/fit.py learns the weights from content/examples/ and writes them to content/. Which part of a
role is asked for is learned apart, from examples of its own.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from math import sqrt
from typing import Any

import numpy as np

from knowledge.answers import Facet
from knowledge.catalog import Catalog
from knowledge.models import Role, Topic
from knowledge.reading import Reading

SILENT, OUTSIDE, PEOPLE = "<silent>", "<outside>", "<people>"
"""What is said of a text beside its entry: it is not ours to answer; it is nobody's field; it seeks a colleague."""

SAID = (SILENT, OUTSIDE, PEOPLE)
"""The last labels, in this order."""
FACETS: tuple[Facet, ...] = ("summary", "responsibilities", "skills", "example", "compare")
"""What a question may want of a role: a part of its entry, or to see it beside another."""
LONGEST_FRAME = 4
RUNS = (3, 4)
"""Lengths of the runs of characters."""
_ANYTHING = "*"
Rows = np.ndarray[Any, np.dtype[np.intp]]


@dataclass(frozen=True)
class Judgement:
    """Hold what the classifier makes of a text."""

    entries: Mapping[str, float]
    """How much speaks for each role and topic: about 1 for a sure one, about 0 for the others."""
    silent: float
    """Above 0: more like the examples that must get no answer than like those that must."""
    outside: float
    """Above 0: more like what is nobody's field than like what is somebody's."""
    people: float
    """Above 0: more like a search for a colleague than like anything else."""
    facet: Facet
    """What is wanted of the role, if one is what the text is about."""


class Names:
    """Hold the names of features, sorted, in one array: of text in a dict each would be two objects."""

    def __init__(self, names: np.ndarray[Any, np.dtype[np.bytes_]]) -> None:
        self._names = names

    def rows(self, features: Iterable[str]) -> Rows:
        """Return where those of the features stand that are known, in the order in which they are given."""
        # The array cuts what is longer than its names, and a NUL at the end.
        wanted = [
            name
            for feature in features
            if len(name := feature.encode("utf-8", "surrogatepass")) <= self._names.itemsize and name[-1:] != b"\0"
        ]
        found = np.array(wanted, self._names.dtype)
        nearest = np.minimum(self._names.searchsorted(found), len(self._names) - 1)
        rows: Rows = nearest[self._names[nearest] == found]
        return rows


class Table:
    """Hold what was learned for each feature: how rare it is, and a weight a label.

    ``packed`` is as knowledge/weights.py reads it: rarities (float32; 0 for a feature that was not learned from) and
    weights (one signed byte a label, times the label's scale).
    """

    def __init__(self, packed: Mapping[str, Any]) -> None:
        self._rarity = packed["rarities"]
        self._weights = packed["weights"]
        self._scales = np.array(packed["scales"])

    def total(self, rows: Rows) -> np.ndarray[Any, np.dtype[np.float64]]:
        """Return what the features of one text say for each label, as if they were a vector of length one."""
        rows = rows[self._rarity[rows] > 0]
        if not len(rows):
            return np.zeros(len(self._scales))
        rarity = self._rarity[rows]
        summed: np.ndarray[Any, np.dtype[np.float64]] = self._weights[rows].sum(axis=0, dtype=np.int32) * self._scales
        return summed / sqrt(rarity @ rarity)


class Classifier:
    """Judge texts; ``weights`` is what tests/evals/fit.py has learned."""

    def __init__(self, weights: Mapping[str, Any], catalog: Catalog) -> None:
        self._catalog = catalog
        self._frame_words = frozenset(weights["frame_words"])
        self._labels: list[str] = weights["labels"]
        self._constants = np.array(weights["constants"])
        self._features = Names(weights["features"])
        self._run_names = Names(weights["run_names"])
        self._words = Table(weights["words"])
        self._runs = Table(weights["runs"])
        self._facets = Table(weights["facets"])
        self._facet_runs = Table(weights["facet_runs"])
        self._facet_constants = np.array(weights["facet_constants"])

    def judge(self, reading: Reading, cues: Iterable[str]) -> Judgement:
        """Judge a text as read, with the cues found in it."""
        found = self._features.rows(dict.fromkeys(features(reading, cues, self._catalog, self._frame_words)))
        found_runs = self._run_names.rows(dict.fromkeys(runs(reading.text)))
        totals = self._constants + self._words.total(found) + self._runs.total(found_runs)
        *entries, silent, outside, people = totals.tolist()
        facets = self._facet_constants + self._facets.total(found) + self._facet_runs.total(found_runs)
        return Judgement(
            dict(zip(self._labels, entries, strict=False)), silent, outside, people, FACETS[int(facets.argmax())]
        )


def runs(text: str) -> Iterator[str]:
    """Give the runs of characters of a text."""
    padded = f" {text} "
    return (padded[at : at + length] for length in RUNS for at in range(len(padded) - length + 1))


def features(reading: Reading, cues: Iterable[str], catalog: Catalog, frame_words: frozenset[str]) -> Iterator[str]:
    """Give the features of a text: words, pairs of words, frames, cues."""
    stems = [token.stem for token in reading.tokens]
    yield from stems
    yield from (f"{one} {two}" for one, two in zip(["^", *stems], [*stems, "$"], strict=True))
    frame = _frame(reading, catalog, frame_words)
    yield from (part for part in frame if part.startswith("<"))
    for length in range(2, LONGEST_FRAME + 1):
        yield from ("~" + " ".join(frame[at : at + length]) for at in range(len(frame) - length + 1))
    yield from (f"cue {cue}" for cue in cues)


def _frame(reading: Reading, catalog: Catalog, frame_words: frozenset[str]) -> list[str]:
    """Return the text with names as their kinds and what is not a function word as ``*``, repeats dropped."""
    kinds: dict[int, str] = {}
    for span in reading.spans:
        entry = catalog.entry(span.entry_id)
        kind = "<role>" if isinstance(entry, Role) else "<topic>" if isinstance(entry, Topic) else "<tool>"
        kinds.update(dict.fromkeys(range(span.start, span.stop), kind))
    frame = ["^"]
    for at, token in enumerate(reading.tokens):
        for word in [kinds[at]] if at in kinds else token.typed.split():
            part = word if at in kinds or word in frame_words else _ANYTHING
            if part != frame[-1] or part in frame_words:
                frame.append(part)
    frame.append("?" if reading.asks else "$")
    return frame
