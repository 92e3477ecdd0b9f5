"""Put what was learned into the shape that the bot reads, and write it where knowledge/weights.py finds it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.feature_extraction.text import TfidfVectorizer

import knowledge
from knowledge.classifier import FACETS, SAID
from knowledge.confidence import Signals
from knowledge.weights import TABLES

CONTENT = Path(knowledge.__file__).parent / "content"


def write_weights(weights: Mapping[str, Any], folder: Path = CONTENT) -> None:
    """Write everything that was learned."""
    classifier = weights["classifier"]
    arrays: dict[str, Any] = {}
    for table in TABLES:
        packed = classifier[table]
        arrays[f"{table}_names"] = np.frombuffer("\n".join(packed["names"]).encode(), np.uint8)
        arrays |= {f"{table}_{part}": packed[part] for part in ("rarities", "weights")}
    np.savez_compressed(folder / "tables.npz", **arrays)
    scales = {table: {"scales": classifier[table]["scales"]} for table in TABLES}
    write_numbers({**weights, "classifier": {**classifier, **scales}}, folder)


def write_numbers(numbers: Mapping[str, Any], folder: Path = CONTENT) -> None:
    """Write all but the tables."""
    text = json.dumps(numbers, ensure_ascii=False, separators=(",", ":"))
    (folder / "weights.json").write_text(text + "\n", "utf-8")


def packed(weights: list[Any], vectorizer: TfidfVectorizer) -> dict[str, Any]:
    """Return the weights as knowledge.classifier.Table takes them."""
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


def blank_weights() -> dict[str, Any]:
    """Return weights of which nothing was learned."""
    values = 1 + len(Signals.__dataclass_fields__)
    zeros = [[0.0] * values] * values

    def nothing(labels: int) -> dict[str, Any]:
        no_rarities, no_weights = np.zeros(0, np.float32), np.zeros((0, labels), np.int8)
        return {"names": [], "scales": [0.0] * labels, "rarities": no_rarities, "weights": no_weights}

    return {
        "classifier": {
            "labels": [*SAID],
            "constants": [0.0] * len(SAID),
            "frame_words": [],
            "words": nothing(len(SAID)),
            "runs": nothing(len(SAID)),
            "facets": nothing(len(FACETS)),
            "facet_constants": [0.0] * len(FACETS),
        },
        "confidence": {"ours": zeros, "right": zeros, "field": zeros},
    }
