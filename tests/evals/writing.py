"""Put what was learned into the shape that the bot reads, and write it where knowledge/weights.py finds it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.feature_extraction.text import TfidfVectorizer

import knowledge
from knowledge.classifier import FACETS, SAID
from knowledge.confidence import Signals
from knowledge.weights import NAMES, TABLES

CONTENT = Path(knowledge.__file__).parent / "content"


def write_weights(weights: Mapping[str, Any], folder: Path = CONTENT) -> None:
    """Write everything that was learned."""
    classifier = weights["classifier"]
    arrays = {name: classifier[name] for name in NAMES}
    for table in TABLES:
        arrays |= {f"{table}_{part}": classifier[table][part] for part in ("rarities", "weights")}
    np.savez_compressed(folder / "tables.npz", **arrays)
    scales = {table: {"scales": classifier[table]["scales"]} for table in TABLES}
    numbers = {name: value for name, value in classifier.items() if name not in NAMES}
    write_numbers({**weights, "classifier": {**numbers, **scales}}, folder)


def write_numbers(numbers: Mapping[str, Any], folder: Path = CONTENT) -> None:
    """Write all but the tables."""
    text = json.dumps(numbers, ensure_ascii=False, separators=(",", ":"))
    (folder / "weights.json").write_text(text + "\n", "utf-8")


def packed(weights: list[Any], vectorizer: TfidfVectorizer) -> dict[str, Any]:
    """Return the weights as one byte each, with the names of the features that any is learned from, sorted."""
    table = np.array(weights) * vectorizer.idf_
    scales = np.abs(table).max(axis=1) / 127
    small = np.rint(table / scales[:, None]).astype(np.int8).T
    names = vectorizer.get_feature_names_out()
    kept = [at for at in range(len(names)) if small[at].any()]
    return {
        "names": [str(names[at]) for at in kept],
        "scales": [float(f"{scale:.5g}") for scale in scales],
        "rarities": vectorizer.idf_[kept].astype(np.float32),
        "weights": small[kept],
    }


def together(learned: Mapping[str, Any], facets: Mapping[str, Any]) -> dict[str, Any]:
    """Return what was learned as knowledge.classifier.Classifier takes it.

    Both have nearly the same features and runs: they share their rows, so that each is looked up once.
    """
    names = sorted({*learned["words"]["names"], *facets["facets"]["names"]})
    run_names = sorted({*learned["runs"]["names"], *facets["facet_runs"]["names"]})
    return {
        **learned,
        **facets,
        "features": _array_of(names),
        "run_names": _array_of(run_names),
        "words": _spread(learned["words"], names),
        "runs": _spread(learned["runs"], run_names),
        "facets": _spread(facets["facets"], names),
        "facet_runs": _spread(facets["facet_runs"], run_names),
    }


def _array_of(names: Sequence[str]) -> Any:
    return np.array([name.encode() for name in names])


def _spread(table: Mapping[str, Any], names: Sequence[str]) -> dict[str, Any]:
    """Return a table with a row for each of the names."""
    at = {name: row for row, name in enumerate(names)}
    rows = [at[name] for name in table["names"]]
    rarities = np.zeros(len(names), np.float32)
    weights = np.zeros((len(names), len(table["scales"])), np.int8)
    rarities[rows], weights[rows] = table["rarities"], table["weights"]
    return {"scales": table["scales"], "rarities": rarities, "weights": weights}


def blank_weights() -> dict[str, Any]:
    """Return weights of which nothing was learned."""
    values = 1 + len(Signals.__dataclass_fields__)
    zeros = [[0.0] * values] * values

    def nothing(labels: int) -> dict[str, Any]:
        rarities, weights = np.zeros(1, np.float32), np.zeros((1, labels), np.int8)
        return {"scales": [0.0] * labels, "rarities": rarities, "weights": weights}

    return {
        "classifier": {
            "labels": [*SAID],
            "constants": [0.0] * len(SAID),
            "frame_words": [],
            **dict.fromkeys(NAMES, np.array([b""])),
            "words": nothing(len(SAID)),
            "runs": nothing(len(SAID)),
            "facets": nothing(len(FACETS)),
            "facet_runs": nothing(len(FACETS)),
            "facet_constants": [0.0] * len(FACETS),
        },
        "confidence": {"ours": zeros, "right": zeros, "field": zeros},
    }
