"""Tell whether content/weights.json was learned from the content as it is now."""

from __future__ import annotations

import json
from hashlib import sha256
from pathlib import Path
from typing import Literal

import knowledge
from tests.evals.score import HERE, rows

Part = Literal["questions", "titles"]
CONTENT = Path(knowledge.__file__).parent / "content"
ENTRIES = ("roles/*.yaml", "topics/*.yaml", "tools/*.yaml", "order.yaml", "words.yaml")
LEARNED_FROM: dict[Part, tuple[str, ...]] = {
    "questions": (
        *ENTRIES,
        "cues.yaml",
        *(f"examples/{name}.jsonl" for name in ("facets", "outside", "people", "questions")),
    ),
    "titles": (*ENTRIES, "titles.yaml", "examples/titles.jsonl"),
}
"""The files that fit.py and fit_titles.py learn from."""
TAUGHT: dict[Part, tuple[str, ...]] = {"questions": ("lookups", "oos", "questions", "who_kind"), "titles": ()}
"""The question files whose development half is learned from."""


def fingerprint(part: Part, content: Path = CONTENT, questions: Path = HERE / "questions") -> str:
    """Return a digest of everything that a part of the weights is learned from; held-out lines are not in it."""
    parts = [
        (file.relative_to(content).as_posix(), file.read_text("utf-8"))
        for pattern in LEARNED_FROM[part]
        for file in sorted(content.glob(pattern))
    ]
    taught = [(name, rows(questions / f"{name}.jsonl", "dev")) for name in TAUGHT[part]]
    return sha256(json.dumps([parts, taught], sort_keys=True).encode()).hexdigest()
