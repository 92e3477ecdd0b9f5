"""Learn from the examples which roles a profile title suggests, and write it into content/weights.json.

With ``check`` it writes nothing: each fifth of the examples is left out in turn, and scored by what the rest taught.
"""

from __future__ import annotations

import sys
from base64 import b64encode
from collections.abc import Iterator, Sequence
from hashlib import sha256
from random import Random
from typing import Any

import numpy as np
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression

from knowledge.catalog import Catalog, load_catalog
from knowledge.content_files import load_file
from knowledge.examples import TITLES, Example, load_examples
from knowledge.titles import KIND, NONE, TitleReader, TitleRules, Titles, choose, load_title_reader
from knowledge.weights import load_numbers
from tests.evals.fingerprint import fingerprint
from tests.evals.writing import write_numbers

FOLDS = 5
RARE = 2
"""A feature found in fewer titles than this is not learned from."""
STRENGTH = 60.0
FIRST, NEXT = 1.0, 0.3
"""What the first and each further role of an example weigh."""
NAME = 0.5
"""What a name of the catalog weighs beside an example."""
TIMES, MADE_UP = 6, 0.2
"""How many titles a pattern makes, and what each weighs beside an example."""
Row = tuple[str, str, float]


def taught(examples: Sequence[Example], catalog: Catalog, reader: TitleReader) -> list[Row]:
    """Return titles with a role and what it weighs: examples, and the catalog's names that suit a profile."""
    found: list[Row] = []
    for example in examples:
        labels = example.roles or (NONE,)
        shares = [FIRST, *[NEXT] * (len(labels) - 1)]
        found += [(example.text, label, share / sum(shares)) for label, share in zip(labels, shares, strict=True)]
    for role in catalog.roles.values():
        for name in (role.name, *role.names, *role.titles):
            if role.id in reader.named(reader.parts(name)):
                found.append((name, role.id, NAME))
            else:
                found.append((name, NONE, NAME))
    return found + list(made_up(load_file("titles.yaml", TitleRules)))


def made_up(rules: TitleRules) -> Iterator[Row]:
    """Give titles made of the patterns, each with words of the kinds that it names."""
    kinds = {kind: listed.split() for kind, listed in rules.kinds.items()}
    for label, patterns in rules.patterns.items():
        for pattern in patterns:
            named = KIND.findall(pattern)
            for at in range(TIMES if named else 1):
                # Drawn by the pattern itself: the same titles at every fit.
                title, drawn = pattern, Random(f"{pattern} {at}")
                for kind in named:
                    title = title.replace(f"{{{kind}}}", drawn.choice(kinds[kind]), 1)
                yield title, label, MADE_UP


def learn_titles(catalog: Catalog, examples: Sequence[Example] | None = None) -> dict[str, Any]:
    """Learn one softmax regression over the roles and none of them."""
    reader = load_title_reader(catalog)
    rows = taught(load_examples(TITLES, catalog) if examples is None else examples, catalog, reader)
    vectorizer = TfidfVectorizer(analyzer=lambda title: list(reader.features(title)), binary=True, min_df=RARE)
    inputs = vectorizer.fit_transform([title for title, _, _ in rows])
    model = LogisticRegression(C=STRENGTH, max_iter=300, tol=1e-3)
    model.fit(inputs, [label for _, label, _ in rows], sample_weight=[weight for _, _, weight in rows])
    table = model.coef_ * vectorizer.idf_
    scales = np.abs(table).max(axis=1) / 127
    packed = np.rint(table / scales[:, None]).astype(np.int8).T
    return {
        "labels": [str(label) for label in model.classes_],
        "constants": [round(float(constant), 5) for constant in model.intercept_],
        "scales": [float(f"{scale:.5g}") for scale in scales],
        "features": {
            name: [round(float(vectorizer.idf_[at]), 3), b64encode(packed[at].tobytes()).decode()]
            for name, at in sorted(vectorizer.vocabulary_.items())
        },
    }


def check(catalog: Catalog) -> list[tuple[Example, dict[str, float]]]:
    """Return every example with what was made of it by those in the other four fifths."""
    examples = sorted(load_examples(TITLES, catalog), key=lambda e: sha256(e.text.encode()).digest())
    reader = load_title_reader(catalog)
    found: list[tuple[Example, dict[str, float]]] = []
    for fold in range(FOLDS):
        seen = [example for at, example in enumerate(examples) if at % FOLDS != fold]
        titles = Titles(reader, learn_titles(catalog, seen))
        found += [(example, titles.likely(example.text)) for example in examples[fold::FOLDS]]
    return found


def main() -> None:
    catalog = load_catalog()
    if sys.argv[1:] == ["check"]:
        proposed = right = found = 0
        checked = check(catalog)
        for example, likely in checked:
            roles = choose(likely)
            proposed += len(roles)
            right += len(set(roles) & set(example.roles))
            found += bool(set(roles[:1]) & set(example.roles))
            if set(roles[:1]) != set(example.roles[:1]) and not set(roles[:1]) & set(example.roles):
                print(f"{example.text!r}: {roles}, want {example.roles}")
        print(f"precision {right / proposed:.3f}, recall {found / sum(bool(e.roles) for e, _ in checked):.3f}")
        return
    numbers = load_numbers()
    learned_from = {**numbers["fingerprint"], "titles": fingerprint("titles")}
    write_numbers({**numbers, "titles": learn_titles(catalog), "fingerprint": learned_from})


if __name__ == "__main__":
    main()
