"""Write what was learned where knowledge/weights.py reads it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

import knowledge
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
