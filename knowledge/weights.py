"""Read what tests/evals/fit.py has learned: numbers in content/weights.json, large tables in content/tables.npz."""

from __future__ import annotations

import json
from importlib.resources import files
from typing import Any

import numpy as np

NAMES = ("features", "run_names")
"""What the rows of the classifier's tables are called: those of features, and those of runs."""
TABLES = ("words", "runs", "facets", "facet_runs")
"""The classifier's tables; each is two arrays of tables.npz, and its scales in weights.json."""


def load_numbers() -> dict[str, Any]:
    """Read all but the tables."""
    numbers: dict[str, Any] = json.loads((files("knowledge") / "content" / "weights.json").read_text("utf-8"))
    return numbers


def load_weights() -> dict[str, Any]:
    """Read everything, each table as knowledge.classifier.Table takes it."""
    weights = load_numbers()
    with (files("knowledge") / "content" / "tables.npz").open("rb") as file, np.load(file) as arrays:
        weights["classifier"] |= {name: arrays[name] for name in NAMES}
        for table in TABLES:
            weights["classifier"][table] |= {part: arrays[f"{table}_{part}"] for part in ("rarities", "weights")}
    return weights
