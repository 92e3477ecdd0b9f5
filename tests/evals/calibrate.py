"""Fit the weights of knowledge/confidence.py on the development questions, and print them.

Plain logistic regression by gradient descent: a few hundred rows need no library. Questions outside the field count
once as a mention, and lightly as a command, where people seldom type anything else than a look-up.
"""

from __future__ import annotations

import math
from dataclasses import astuple, fields

from knowledge.catalog import load_catalog
from knowledge.confidence import Signals, signals
from knowledge.guide import load_index
from knowledge.matching import Matcher
from knowledge.models import Tool, Topic
from knowledge.questions import Questions, Via
from tests.evals.score import HERE, Row, rows

LIGHT = 0.3
PENALTY = 0.3
STEPS = 6000


def sample(matcher: Matcher, questions: Questions, text: str, via: Via, want: set[str]) -> tuple[Signals, bool] | None:
    intent = questions.understand(text, via)
    if intent.kind not in ("people", "knowledge") or intent.outside:
        return None
    reading = matcher.read(intent.text)
    matches = matcher.match(reading)
    role_only = intent.wants_role or intent.kind == "people"
    found = matcher.fields(matches) if role_only else matches
    if not found:
        return None
    best = found[0]
    got = {best.entry.id}
    if isinstance(best.entry, Topic):
        got.add(best.entry.roles[0])
    elif isinstance(best.entry, Tool):
        got = {best.entry.used_by[0].role}
    return signals(best, matches, reading, intent), bool(got & want)


def samples(split: str) -> list[tuple[Signals, bool, float]]:
    matcher, questions = load_index(load_catalog())
    found: list[tuple[Signals, bool, float]] = []

    def add(row: Row, via: Via, weight: float = 1.0) -> None:
        text = row.get("text", "")
        if row.get("facet") == "compare" or not text:
            return
        if text.startswith("/genai-role "):
            text, via = text.removeprefix("/genai-role "), "command"
        want = {*(row.get("roles") or row.get("topic_roles") or ()), *(row.get("topics") or ())}
        one = sample(matcher, questions, text, via, want)
        if one is not None:
            found.append((*one, weight))

    for folder in ("questions", "development"):
        for name in ("lookups", "questions", "who_kind", "who", "oos"):
            file = HERE / folder / f"{name}.jsonl"
            if not file.exists() or (folder == "development" and split != "dev"):
                continue
            for row in rows(file, split if folder == "questions" else None):
                add(row, "command" if name == "lookups" else "mention")
                if name == "oos":
                    add(row, "command", LIGHT)
    return found


def fit(data: list[tuple[Signals, bool, float]]) -> tuple[list[float], float]:
    """Return the weights and the constant."""
    inputs = [astuple(found) for found, _, _ in data]
    weights, constant = [0.0] * len(inputs[0]), 0.0
    total = sum(weight for _, _, weight in data)
    for step in range(STEPS):
        gradient, constant_gradient = [PENALTY * w for w in weights], 0.0
        for values, (_, right, share) in zip(inputs, data, strict=True):
            told = 1 / (1 + math.exp(-(constant + sum(w * v for w, v in zip(weights, values, strict=True)))))
            error = share * (told - right)
            constant_gradient += error
            for at, value in enumerate(values):
                gradient[at] += error * value
        rate = 4.0 / total / (1 + step / STEPS)
        weights = [w - rate * g for w, g in zip(weights, gradient, strict=True)]
        constant -= rate * constant_gradient
    return weights, constant


def main() -> None:
    weights, constant = fit(samples("dev"))
    print("WEIGHTS = Signals(")
    for field, weight in zip(fields(Signals), weights, strict=True):
        print(f"    {field.name}={weight:.2f},")
    print(f")\nCONSTANT = {constant:.2f}")


if __name__ == "__main__":
    main()
