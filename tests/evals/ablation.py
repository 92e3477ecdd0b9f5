"""Measure what each part of the matching is worth on the held-out lines, as a Markdown table for docs/retrieval.md.

A confidence of its own is learned for each row, on a fifth of the examples that the rest of it has not seen.
Comparisons and follow-ups are passed over: they are not decided by rank alone.
"""

from __future__ import annotations

import gc
import time
import tracemalloc
from collections.abc import Callable, Sequence
from dataclasses import astuple, dataclass, field, fields, replace
from statistics import median
from typing import TypeVar

import numpy as np
from rapidfuzz import fuzz, process, utils
from sklearn.linear_model import LogisticRegression

from knowledge.catalog import Catalog, load_catalog
from knowledge.classifier import Judgement, features
from knowledge.confidence import Signals
from knowledge.index import SEEKS_COLLEAGUE, Index, Understanding
from knowledge.matching import BALANCE, Balance, Matcher
from knowledge.models import Role, Topic
from knowledge.questions import Via
from knowledge.text import load_reader
from knowledge.weights import load_weights
from tests.evals.fit import (
    Line,
    all_lines,
    finds_role,
    frame_words,
    learn_classifier,
    learn_facets,
    plain_index,
)
from tests.evals.score import LOOK_UPS, OUTSIDE, QUESTIONS, Asked, hits, ids_of, lines
from tests.evals.writing import blank_weights, together

FALSE_ANSWERS = 0.05
"""The share of out-of-scope lines that may get an answer where what is answered is compared."""
TIMES = 5
"""Each time is the best of so many, for the machine may have other work."""
PARTS = tuple(part.name for part in fields(Balance))
LEARNED = ("learned", "silent", "outside", "people")
"""The signals that the classifier gives."""
Found = tuple[list[str], list[str], list[float]]
"""The roles and topics that would be shown, and what the confidence is computed from."""
Made = TypeVar("Made")


@dataclass(frozen=True)
class Variant:
    """Hold the matching with some of its parts left out."""

    name: str
    kept: tuple[str, ...] = PARTS

    @property
    def learned(self) -> bool:
        return "learned" in self.kept

    @property
    def left_out(self) -> dict[str, float]:
        return {part: 0.0 for part in PARTS if part not in self.kept}

    @property
    def kept_signals(self) -> list[int]:
        left_out = {*self.left_out, *(() if self.learned else LEARNED), *(() if "phrase" in self.kept else ("second",))}
        return [at for at, signal in enumerate(fields(Signals)) if signal.name not in left_out]

    def matcher(self, catalog: Catalog) -> Matcher:
        return Matcher(catalog, load_reader(), replace(BALANCE, **self.left_out))


VARIANTS = (
    Variant("BM25 over whole entries alone", ("body",)),
    Variant("names, phrases and BM25, without the classifier", ("named", "share", "phrase", "body")),
    Variant("the classifier alone", ("learned",)),
    Variant("everything"),
)


@dataclass
class Figures:
    """Hold one row of the table."""

    name: str
    look_ups: list[bool] = field(default_factory=list)
    questions: list[bool] = field(default_factory=list)
    sure: list[tuple[float, bool]] = field(default_factory=list)
    outside: list[float] = field(default_factory=list)
    taken: list[float] = field(default_factory=list)
    start: float = 0.0
    megabytes: float = 0.0

    def cells(self) -> list[str]:
        allowed = int(FALSE_ANSWERS * len(self.outside))
        floor = sorted(self.outside, reverse=True)[allowed]
        answered = [right for sure, right in self.sure if sure > floor]
        return [
            self.name,
            f"{np.mean(self.look_ups):.3f}",
            f"{np.mean(self.questions):.3f}",
            f"{len(answered) / len(self.sure):.3f}",
            f"{sum(answered) / len(self.sure):.3f}",
            f"{median(self.taken):.2f}",
            f"{self.start:.0f}",
            f"{self.megabytes:.1f}",
        ]


HEAD = (
    "what ranks",
    "look-ups",
    "questions",
    "answered",
    "answered rightly",
    "median ms",
    "start ms",
    "MB",
)


class Masked:
    """Understand texts with some of the parts left out."""

    def __init__(self, variant: Variant, index: Index) -> None:
        self.variant = variant
        self.index = index
        catalog = index.matcher.catalog
        self.nothing = Judgement(dict.fromkeys((*catalog.roles, *catalog.topics), 0.0), 0, 0, 0, "summary")

    def understand(self, text: str, via: Via) -> Understanding:
        index, questions = self.index, self.index.questions
        plain, bare = questions.plain(text)
        reading = index.matcher.read(plain)
        cues = questions.cues(bare)
        judgement = index.classifier.judge(reading, cues) if self.variant.learned else self.nothing
        intent = questions.understand(text, via, seeks_colleague=judgement.people > SEEKS_COLLEAGUE[via])
        if intent.text != bare:
            reading = index.matcher.read(intent.text)
        matches = index.matcher.match(reading, judgement)
        left_out = self.variant.left_out
        for match in matches:
            vars(match.evidence).update(left_out)  # no copies: the time of a row is not to be that of leaving out
        return Understanding(intent, reading, judgement, matches, cues, index)

    def find(self, text: str, via: Via) -> Found | None:
        """Return what would be shown; None where nothing speaks for anything."""
        understood = self.understand(text, via)
        best = understood.best
        if best is None or best.score <= 0 or understood.intent.kind not in ("people", "knowledge"):
            return None
        values = astuple(understood.signals(best))
        return *ids_of(best), [values[at] for at in self.variant.kept_signals]


class TokenSets:
    """Rank by RapidFuzz's token_set_ratio over names and questions; the ratio is the confidence."""

    def __init__(self, catalog: Catalog) -> None:
        texts = [
            (utils.default_process(text), entry)
            for entry in catalog
            for text in (entry.name, *entry.names, *(() if not isinstance(entry, Role | Topic) else entry.questions))
        ]
        self.texts = [text for text, _ in texts]
        self.entries = [entry for _, entry in texts]

    def find(self, text: str, via: Via) -> Found | None:
        best = process.extractOne(utils.default_process(text), self.texts, scorer=fuzz.token_set_ratio)
        if best is None:
            return None
        entry = self.entries[best[2]]
        if isinstance(entry, Role):
            return [entry.id], [], [best[1]]
        if isinstance(entry, Topic):
            return [entry.roles[0]], [entry.id], [best[1]]
        return [entry.used_by[0].role], [], [best[1]]


def asked() -> list[Asked]:
    """Return the held-out lines that rank alone decides."""
    return [
        one
        for one in lines()
        if one.folder == "held-out"
        and one.set in (LOOK_UPS, QUESTIONS, OUTSIDE)
        and one.variety not in ("follow-up", "compare")
    ]


def measure(name: str, find: Callable[[str, Via], Found | None], sure: Callable[[list[float]], float]) -> Figures:
    """Ask the held-out lines."""
    figures = Figures(name)
    for one in asked():
        taken = []
        for _ in range(TIMES):
            started = time.perf_counter()
            found = find(one.line.text, one.line.via)
            taken.append((time.perf_counter() - started) * 1000)
        figures.taken.append(min(taken))
        confidence = sure(found[2]) if found else 0.0
        if one.set == OUTSIDE:
            figures.outside.append(confidence)
            continue
        right = found is not None and hits(one.row, *found[:2])
        (figures.look_ups if one.set == LOOK_UPS else figures.questions).append(right)
        figures.sure.append((confidence, right))
    return figures


def cost(make: Callable[[], Made]) -> tuple[float, float]:
    """Return the milliseconds that making something takes, at best, and the megabytes that it holds."""
    taken = []
    for _ in range(TIMES):
        gc.collect()
        started = time.perf_counter()
        make()
        taken.append((time.perf_counter() - started) * 1000)
    gc.collect()
    tracemalloc.start()
    held = make()
    gc.collect()
    used = tracemalloc.get_traced_memory()[0] / 1e6
    tracemalloc.stop()
    del held
    return min(taken), used


def learn_confidence(masked: Masked, left_out: Sequence[Line]) -> Callable[[list[float]], float]:
    """Learn the confidence of one row on examples that its parts have not seen, as fit.py does: ours, and right."""
    inputs, ours, right = [], [], []
    for line in left_out:
        found = masked.find(line.example.text, line.via)
        if found is not None:
            inputs.append(found[2])
            ours.append(line.kind != "silent")
            right.append(hits({"roles": line.example.roles, "topics": line.example.topics}, *found[:2]))
    values, in_scope = np.array(inputs, float), np.array(ours)
    both = [
        LogisticRegression(max_iter=5000).fit(values, in_scope),
        LogisticRegression(max_iter=5000).fit(values[in_scope], np.array(right)[in_scope]),
    ]
    return lambda one: float(np.prod([model.predict_proba([one])[0, 1] for model in both]))


def main() -> None:
    catalog = load_catalog()
    plain = plain_index(catalog)
    questions = plain.questions
    examples = all_lines(catalog, finds_role(plain))
    seen = [line for line in examples if line.fold]
    left_out = [line for line in examples if not line.fold]
    words = frame_words(seen, plain)

    def cleaned(text: str) -> str:
        return questions.plain(text)[0]

    def found(text: str) -> list[str]:
        lower, bare = questions.plain(text)
        return list(features(plain.matcher.read(lower), questions.cues(bare), catalog, frozenset(words)))

    learned = {
        **blank_weights(),
        "classifier": together(
            learn_classifier(seen, catalog, found, cleaned, words), learn_facets(catalog, found, cleaned)
        ),
    }
    sets = TokenSets(catalog)
    rows = [measure("RapidFuzz's token_set_ratio over names and questions alone", sets.find, lambda values: values[0])]
    rows[0].start, rows[0].megabytes = cost(lambda: TokenSets(catalog))
    for variant in VARIANTS:

        def make(variant: Variant = variant) -> Masked:
            weights = load_weights() if variant.learned else blank_weights()
            return Masked(variant, Index(variant.matcher(catalog), questions, weights))

        half = Index(variant.matcher(catalog), questions, learned)
        figures = measure(variant.name, make().find, learn_confidence(Masked(variant, half), left_out))
        figures.start, figures.megabytes = cost(make)
        rows.append(figures)
    print(f"| {' | '.join(HEAD)} |", f"|{'---|' * len(HEAD)}", sep="\n")
    for row in rows:
        print(f"| {' | '.join(row.cells())} |")


if __name__ == "__main__":
    main()
