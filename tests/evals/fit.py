"""Learn the weights of the classifier and of the confidence from the examples, and write them into content/.

The confidence is learned on examples that the classifier had not seen: each fifth in turn is left out. No line of the
held-out question files is read.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import astuple, dataclass
from hashlib import sha256
from typing import Any, Literal

import numpy as np
from scipy.sparse import hstack
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.svm import LinearSVC

from knowledge.catalog import Catalog, load_catalog
from knowledge.classifier import FACETS, OUTSIDE, PEOPLE, SAID, SILENT, features, runs
from knowledge.examples import OUTSIDE as OUTSIDE_FILE
from knowledge.examples import PARTS, QUESTIONS, SEARCHES, Example, load_examples
from knowledge.index import Index, load_matcher
from knowledge.matching import texts
from knowledge.models import Tool, Topic
from knowledge.questions import Via, load_questions
from tests.evals.fingerprint import fingerprint
from tests.evals.fit_confidence import fields_of, learn_probability
from tests.evals.fit_titles import learn_titles
from tests.evals.score import HERE, rows
from tests.evals.writing import blank_weights, packed, together, write_weights

FOLDS = 5
ENTRY_TEXT = 0.6
"""What a sentence of an entry weighs beside an example."""
RARE = 2
"""A feature found in fewer texts than this is not learned from."""
OF_NO_PART = 0.3
"""What a question weighs that asks for no part of a role, beside one of which is known what it asks for."""
NO_SEARCH = 0.25
"""What a question for a part of a role weighs where it is learned what seeks a colleague: there are so many that
whatever names a role would seem to be none."""
NOBODY = "<nobody>"
"""The field of what is in no role's."""
SHORT = 3
"""What must get no answer is learned from as a command too, up to so many words, or where it names a role: that is what
commands look like."""
SELDOM = 0.25
"""What longer ones weigh as commands where the confidence is learned: commands seldom look like that."""
Kind = Literal["question", "search", "silent", "part"]
"""``part``: a question for a part of a role, of which only that it is ours is learned, not which role it is about."""


@dataclass(frozen=True)
class Line:
    """Hold an example with what it is an example of."""

    example: Example
    kind: Kind
    weight: float = 1.0
    """What it weighs where the confidence is learned."""

    @property
    def via(self) -> Via:
        return "command" if self.example.command else "mention"

    @property
    def fold(self) -> int:
        return sha256(self.example.text.encode()).digest()[0] % FOLDS


def all_lines(catalog: Catalog, names_role: Callable[[str], bool]) -> list[Line]:
    """Return the examples and the development half of the question files, in a fixed, mixed order.

    A question for a part of a role stands only where it names one: "and the skills?" alone is nothing to answer.
    """
    found = [Line(example, "question") for example in load_examples(QUESTIONS, catalog)]
    found += [Line(example, "search") for example in load_examples(SEARCHES, catalog)]
    for example in load_examples(PARTS, catalog):
        if names_role(example.text):
            found += [Line(example, "part"), Line(_typed(example), "part")]
    for example in load_examples(OUTSIDE_FILE, catalog):
        found.append(Line(example, "silent"))
        if len(example.text.split()) <= SHORT or names_role(example.text):
            found.append(Line(_typed(example), "silent"))
    kinds: dict[str, Kind] = {"lookups": "question", "questions": "question", "who_kind": "search", "oos": "silent"}
    for name, kind in kinds.items():
        for row in rows(HERE / "questions" / f"{name}.jsonl", "dev"):
            if "text" not in row or row.get("facet") == "compare":
                continue
            topics = tuple(topic for topic in row.get("topics") or () if topic in catalog.topics)
            example = Example(
                text=row["text"], command=name == "lookups", roles=tuple(row.get("roles") or ()), topics=topics
            )
            found.append(Line(example, "search" if row.get("facet") == "people" else kind))
    return sorted(found, key=lambda line: (sha256(line.example.text.encode()).digest(), line.example.command))


def _typed(example: Example) -> Example:
    """Return the example as if it was typed after the slash command."""
    return example.model_copy(update={"command": True})


def learn_classifier(
    lines: Sequence[Line],
    catalog: Catalog,
    found: Callable[[str], list[str]],
    plain: Callable[[str], str],
    words: Sequence[str],
) -> dict[str, Any]:
    """Learn one linear model a label: support vectors for entries, logistic regression for what is said beside them.

    ``found`` gives the features of a text, ``plain`` the text as its runs of characters are taken from it.
    """
    documents: list[tuple[str, str, float]] = [
        (text, entry.used_by[0].role if isinstance(entry, Tool) else entry.id, ENTRY_TEXT)
        for entry in catalog
        for text, _, _ in texts(entry)
    ]
    at_lines = len(documents)
    # Whose field a text is, is learned of what gets no answer too.
    documents += [
        (line.example.text, line.example.entry or line.example.field or NOBODY, float(line.kind != "part"))
        for line in lines
    ]
    inputs = Inputs(found, plain)
    read = inputs.learned_from([text for text, _, _ in documents])
    weights = np.array([weight for _, _, weight in documents])
    counts = weights > 0
    wanted = np.array([label for _, label, _ in documents])
    labels = [*catalog.roles, *catalog.topics]
    learned, constants = _separated(read[counts], wanted[counts], weights[counts], labels)

    said = {
        SILENT: [line.kind == "silent" for line in lines],
        OUTSIDE: [line.kind == "silent" and line.example.field is None for line in lines],
        PEOPLE: [line.kind == "search" for line in lines],
    }
    parts = np.array([line.kind == "part" for line in lines])
    for label in SAID:
        model = LogisticRegression(
            C=10, max_iter=3000, tol=1e-3, class_weight="balanced", solver="liblinear", dual=True, random_state=0
        ).fit(read[at_lines:], said[label], sample_weight=np.where(parts & (label == PEOPLE), NO_SEARCH, 1.0))
        learned.append(model.coef_[0])
        constants.append(model.intercept_[0])
    words_table, runs_table = inputs.tables(learned)
    return {
        "labels": [*labels, *SAID],
        "constants": [round(float(constant), 5) for constant in constants],
        "frame_words": list(words),
        "words": words_table,
        "runs": runs_table,
    }


class Inputs:
    """Turn texts into what is learned from: their features, and their runs of characters."""

    def __init__(self, found: Callable[[str], list[str]], plain: Callable[[str], str]) -> None:
        self._features = TfidfVectorizer(analyzer=found, binary=True, min_df=RARE)
        self._runs = TfidfVectorizer(analyzer=lambda text: [*runs(plain(text))], binary=True, min_df=RARE)

    def learned_from(self, texts: Sequence[str]) -> Any:
        """Return a sparse matrix with a row for each text, and keep which column is which."""
        return hstack([self._features.fit_transform(texts), self._runs.fit_transform(texts)]).tocsr()

    def tables(self, learned: Sequence[Any]) -> tuple[dict[str, Any], dict[str, Any]]:
        """Return the weights of each label, a row each, as the tables of features and of runs."""
        at = len(self._features.vocabulary_)
        return packed([row[:at] for row in learned], self._features), packed([row[at:] for row in learned], self._runs)


def _separated(inputs: Any, wanted: Any, weights: Any, labels: Sequence[str]) -> tuple[list[Any], list[float]]:
    """Learn to tell each of the labels from all others; return the weights and the constants in their order.

    They give about 1 for a text that has the label and about 0 for one that has not.
    """
    machine = LinearSVC(C=1, dual=True, tol=1e-2, max_iter=3000, random_state=0)
    machine.fit(inputs, wanted, sample_weight=weights)
    order = [list(machine.classes_).index(label) for label in labels]
    return [machine.coef_[at] / 2 for at in order], [(machine.intercept_[at] + 1) / 2 for at in order]


def learn_facets(catalog: Catalog, found: Callable[[str], list[str]], plain: Callable[[str], str]) -> dict[str, Any]:
    """Learn which part of a role is asked for, each against all others.

    What is asked about a topic, and what is typed after the command without a cue of another part, asks for the
    summary: without these, every unusual question would seem to ask for a part.
    """
    lines: list[tuple[str, str | None, float]] = [
        (example.text, example.facet, 1.0) for example in load_examples(PARTS, catalog)
    ]
    for name in ("lookups", "questions"):
        lines += [
            (row["text"], row["facet"], 1.0)
            for row in rows(HERE / "questions" / f"{name}.jsonl", "dev")
            if "text" in row and row.get("roles") and row["facet"] in FACETS
        ]
    for example in load_examples(QUESTIONS, catalog):
        if not example.roles or (example.command and not {f"cue {facet}" for facet in FACETS} & {*found(example.text)}):
            lines.append((example.text, "summary", OF_NO_PART))
    inputs = Inputs(found, plain)
    read = inputs.learned_from([text for text, _, _ in lines])
    weights = np.array([weight for _, _, weight in lines])
    learned, constants = _separated(read, np.array([facet for _, facet, _ in lines]), weights, FACETS)
    by_feature, by_run = inputs.tables(learned)
    return {
        "facets": by_feature,
        "facet_runs": by_run,
        "facet_constants": [round(float(constant), 5) for constant in constants],
    }


def frame_words(lines: Iterable[Line], index: Index) -> list[str]:
    """Return the words that frames keep: function words, and what searches for people often hold."""
    reader = index.matcher.reader
    counts: Counter[str] = Counter()
    for line in lines:
        if line.kind == "search":
            counts.update({word for token in reader.read(line.example.text) for word in token.typed.split()})
    empty = reader.stop | reader.weak
    often = {word for word, count in counts.items() if count >= 16}
    return sorted(often | {word for word, count in counts.items() if count >= 5 and reader.read(word)[0].stem in empty})


def plain_index(catalog: Catalog) -> Index:
    """Return an index of which nothing was learned: it reads, and finds names."""
    return Index(load_matcher(catalog), load_questions(), blank_weights())


def finds_role(index: Index) -> Callable[[str], bool]:
    """Return what tells whether a text names a role."""
    roles = index.matcher.catalog.roles
    return lambda text: any(span.entry_id in roles for span in index.matcher.read(index.questions.plain(text)[0]).spans)


def learn(catalog: Catalog) -> dict[str, Any]:
    """Learn everything; see the module."""
    blank = blank_weights()
    plain = plain_index(catalog)
    questions = plain.questions
    lines = all_lines(catalog, finds_role(plain))
    kept = frame_words(lines, plain)
    read: dict[str, list[str]] = {}

    def cleaned(text: str) -> str:
        return questions.plain(text)[0]

    def found(text: str) -> list[str]:
        if text not in read:
            lower, bare = questions.plain(text)
            reading = plain.matcher.read(lower)
            read[text] = list(features(reading, questions.cues(bare), catalog, frozenset(kept)))
        return read[text]

    facets = learn_facets(catalog, found, cleaned)
    inputs: list[tuple[float, ...]] = []
    right: list[bool] = []
    ours: list[bool] = []
    labelled: list[bool] = []
    weights: list[float] = []
    by_field: list[tuple[tuple[float, ...], bool, float]] = []
    typed = {line.example.text for line in lines if line.example.command}
    for fold in range(FOLDS):
        seen = [line for line in lines if line.fold != fold]
        learned = {
            "classifier": together(learn_classifier(seen, catalog, found, cleaned, kept), facets),
            "confidence": blank["confidence"],
        }
        index = Index(plain.matcher, questions, learned)
        left_out = [line for line in lines if line.fold == fold]
        left_out += [
            Line(_typed(line.example), "silent", SELDOM)
            for line in left_out
            if line.kind == "silent" and line.example.text not in typed
        ]
        for line in left_out:
            understood = index.understand(line.example.text, line.via)
            field = next(iter(understood.fields), None)
            if field is not None and line.kind != "part":
                weight = line.weight if line.kind == "silent" else SELDOM
                by_field.append(
                    (astuple(understood.signals(field)), field.entry.id in fields_of(line.example, catalog), weight)
                )
            best = understood.best
            if best is None or understood.intent.kind not in ("people", "knowledge"):
                continue
            inputs.append(astuple(understood.signals(best)))
            ours.append(line.kind != "silent")
            labelled.append(line.kind in ("question", "search"))
            weights.append(line.weight)
            ids = {best.entry.id}
            if isinstance(best.entry, Topic):
                ids.add(best.entry.roles[0])
            if isinstance(best.entry, Tool):
                ids.add(best.entry.used_by[0].role)
            right.append(bool(ids & {*line.example.roles, *line.example.topics, *line.example.tools}))
    values, known, counts = np.array(inputs, float), np.array(labelled), np.array(weights)
    return {
        "classifier": together(learn_classifier(lines, catalog, found, cleaned, kept), facets),
        "confidence": {
            "ours": learn_probability(values, np.array(ours), counts),
            "right": learn_probability(values[known], np.array(right)[known], counts[known]),
            "field": learn_probability(*(np.array(column, float) for column in zip(*by_field, strict=True))),
        },
    }


def main() -> None:
    catalog = load_catalog()
    # Taken first: what is changed while this runs was not learned.
    learned_from = {"questions": fingerprint("questions"), "titles": fingerprint("titles")}
    weights = {**learn(catalog), "titles": learn_titles(catalog), "fingerprint": learned_from}
    write_weights(weights)
    print(f"{len(weights['classifier']['features'])} features")


if __name__ == "__main__":
    main()
