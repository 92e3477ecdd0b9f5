"""Count what the replies were worth: by set, by kind of line, by role, and by how sure they were."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from tests.evals.score import FIELDS, KNOWLEDGE, SILENT, TITLES, WHO, WHO_KIND, Outcome, hits

BINS = 10
FEW = 5
"""Kinds of fewer lines than this are counted together."""
NO_ANSWER, OTHER_KIND = "no answer", "another kind of answer"
Key = TypeVar("Key", bound=Hashable)


@dataclass(frozen=True)
class Tally:
    """Hold the figures of one set; None where a figure says nothing of the set."""

    lines: int
    right: float
    in_top: float | None
    facet: float | None
    answered: float
    false_answers: int | None
    named_wrongly: int | None


@dataclass(frozen=True)
class Bin:
    """Hold the answers that were about as sure as each other."""

    lines: int
    confidence: float
    """The mean of what was said."""
    right: float
    """The share that was right."""


@dataclass(frozen=True)
class RoleTally:
    """Hold how often what is a role's was found, and what was most often taken for it."""

    lines: int
    right: int
    confused_with: str
    confusions: int


def grouped(outcomes: Iterable[Outcome], by: Callable[[Outcome], Key]) -> dict[Key, list[Outcome]]:
    """Return the outcomes by a key, in the order in which the keys came."""
    found: dict[Key, list[Outcome]] = defaultdict(list)
    for outcome in outcomes:
        found[by(outcome)].append(outcome)
    return dict(found)


def share(truths: Sequence[bool]) -> float:
    return sum(truths) / len(truths) if truths else 0.0


def tally(outcomes: Sequence[Outcome]) -> Tally:
    """Count the outcomes of one set."""
    kind = outcomes[0].asked.set
    ranked = kind in (*KNOWLEDGE, *FIELDS, WHO_KIND)
    facets = [outcome.facet_right for outcome in outcomes if outcome.facet_right is not None]
    return Tally(
        len(outcomes),
        share([outcome.right for outcome in outcomes]),
        share([outcome.in_top for outcome in outcomes]) if ranked else None,
        share(facets) if facets else None,
        share([outcome.answered for outcome in outcomes]),
        sum(not outcome.right for outcome in outcomes) if kind in SILENT else None,
        sum(outcome.named_wrongly for outcome in outcomes) if kind in (WHO, TITLES) else None,
    )


def reliability(outcomes: Iterable[Outcome]) -> list[Bin]:
    """Put the answers into ten bins of confidence; empty ones are left out."""
    found: dict[int, list[tuple[float, bool]]] = defaultdict(list)
    for outcome in outcomes:
        if outcome.confidence is not None:
            at = min(int(outcome.confidence * BINS), BINS - 1)
            found[at].append((outcome.confidence, outcome.best_right))
    return [
        Bin(len(pairs), sum(sure for sure, _ in pairs) / len(pairs), share([right for _, right in pairs]))
        for _, pairs in sorted(found.items())
    ]


def calibration_error(bins: Sequence[Bin]) -> float:
    """Return the expected calibration error: how far what is said is from what is right, each answer counting once."""
    total = sum(one.lines for one in bins)
    return sum(one.lines * abs(one.confidence - one.right) for one in bins) / total if total else 0.0


def confusion(outcome: Outcome) -> str:
    """Return the id of what was said instead of what is right."""
    if not outcome.answered or not outcome.first:
        return NO_ANSWER
    # A card where a colleague was sought is about the right role all the same.
    said = hits(outcome.asked.row, outcome.got.roles[:1], outcome.got.topics[:1])
    return OTHER_KIND if said else outcome.first


def by_role(outcomes: Iterable[Outcome], roles: Iterable[str]) -> dict[str, RoleTally]:
    """Count the lines whose right answer is one role, for each role."""
    lines = grouped(
        (one for one in outcomes if one.asked.set in (*KNOWLEDGE, WHO_KIND) and one.asked.variety != "compare"),
        lambda one: "" if one.asked.row.get("topics") else next(iter(one.asked.row["roles"]), ""),
    )
    found = {}
    for role in roles:
        of_role = lines.get(role, [])
        wrong = Counter(confusion(one) for one in of_role if not one.right)
        most, times = min(wrong.items(), key=lambda pair: (-pair[1], pair[0]), default=("", 0))
        found[role] = RoleTally(len(of_role), sum(one.right for one in of_role), most, times)
    return found


def worst_confusions(outcomes: Iterable[Outcome]) -> list[tuple[str, str, int]]:
    """Return what was taken for what, and how often, most often first."""
    pairs: Counter[tuple[str, str]] = Counter()
    for one in outcomes:
        if one.asked.set in (*KNOWLEDGE, WHO_KIND) and one.asked.variety != "compare" and not one.right:
            wanted = next(iter((*(one.asked.row.get("topics") or ()), *one.asked.row["roles"])))
            pairs[wanted, confusion(one)] += 1
    return sorted(((*pair, times) for pair, times in pairs.items()), key=lambda row: (-row[2], row))


def by_variety(outcomes: Sequence[Outcome]) -> dict[tuple[str, str], tuple[int, float]]:
    """Return lines and share right for each kind of line in each set."""

    def named(one: Outcome) -> tuple[str, str]:
        return one.asked.set, one.asked.variety.partition(":")[0].strip()

    many = {key for key, found in grouped(outcomes, named).items() if len(found) >= FEW}
    groups = grouped(outcomes, lambda one: named(one) if named(one) in many else (one.asked.set, "others"))
    return {key: (len(found), share([one.right for one in found])) for key, found in sorted(groups.items()) if key[1]}
