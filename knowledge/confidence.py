"""Say how likely it is that a match is what was meant: that the text is ours to answer, and that the match is right.

Two logistic regressions over the evidence and over its products by twos: how much a word's silence weighs depends on
whether a role is named, and so on. Their weights are learned by tests/evals/fit.py on examples that the classifier had
not seen, so that the confidence is the share that is right; see docs/retrieval.md.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import astuple, dataclass
from math import exp

import numpy as np

from knowledge.classifier import Judgement
from knowledge.matching import Match
from knowledge.models import Tool
from knowledge.questions import AGAINST, Intent
from knowledge.reading import Reading

OURS = {"command": 0.3, "people": 0.75, "knowledge": 0.65}
"""From this probability on, that a text is ours to answer, it is answered: a command is seldom anything but a look-up,
and a search for people that is not ours only finds that nobody has declared it."""
OURS_ALL_THE_SAME = {"command": 0.97, "people": 0.8, "knowledge": 0.8}
"""The same, where a cue speaks for a question that is not ours: pay, prices, dates, requests …"""
LITTLE, FEW_WORDS = 2.0, 3
"""Weight below which so few words, without a name among them, say too little to be sure of anything: "model" fits
everything. More words say something together, each of which says little."""
FIELD = 0.4
"""From this probability on, that what is not in the knowledge lies in a role's field, the role is named."""
SURE = 0.25
"""From this confidence on, an entry is shown as the answer, where the text is ours to answer."""
UNSURE = 0.22
"""From this confidence on, an entry is offered as a candidate."""


@dataclass(frozen=True)
class Signals:
    """Hold what the confidence is computed from: shares, yes or no (0 or 1), and what the classifier says."""

    score: float
    phrase: float
    second: float
    body: float
    named: float
    share: float
    learned: float
    unknown: float
    strange: float
    content: float
    strange_share: float
    lead: float
    """How far the match leads the next one."""
    is_tool: float
    is_common_word: float
    wants_role: float
    wants_person: float
    has_facet: float
    is_command: float
    names_role: float
    silent: float
    outside: float
    people: float
    against: float
    """How many kinds of cues speak for a question that is not ours."""
    wants_support: float


@dataclass(frozen=True)
class Sureness:
    """Hold two probabilities."""

    ours: float
    """That the text is ours to answer."""
    right: float
    """That the match is right, if it is."""
    wanted: float
    """From which probability on, that the text is ours, it is answered."""

    @property
    def confidence(self) -> float:
        """Return how likely it is that the match is what was meant."""
        return self.ours * self.right

    @property
    def enough(self) -> bool:
        """Tell whether to show the match as the answer."""
        return self.is_ours and self.confidence >= SURE

    @property
    def is_ours(self) -> bool:
        """Tell whether the text is taken to be ours to answer."""
        return self.ours >= self.wanted


class Confidence:
    """Turn signals into probabilities; ``weights`` holds a square matrix each: what two values weigh together.

    The first value is 1, the others are the signals: its row holds the constant and what a signal weighs alone.
    """

    def __init__(self, weights: Mapping[str, Sequence[Sequence[float]]]) -> None:
        self._weights = np.array([weights["ours"], weights["right"]])
        self._field = np.array(weights["field"])

    def of(self, signals: Signals) -> Sureness:
        """Return how likely it is that the text is ours to answer, and that the match is right."""
        values = np.array((1.0, *astuple(signals)))
        kind = "command" if signals.is_command else "people" if signals.wants_person else "knowledge"
        doubtful = signals.against and signals.names_role
        wanted = (OURS_ALL_THE_SAME if doubtful else OURS)[kind]
        ours, right = (self._weights @ values @ values).tolist()
        return Sureness(_probability(ours), _probability(right), wanted)

    def of_field(self, signals: Signals) -> float:
        """Return how likely it is that the text lies in the field of the role that was matched."""
        values = np.array((1.0, *astuple(signals)))
        return _probability(float(self._field @ values @ values))


def _probability(total: float) -> float:
    return 1 / (1 + exp(-max(-30.0, min(30.0, total))))


def signals(
    match: Match,
    others: Sequence[Match],
    reading: Reading,
    intent: Intent,
    judgement: Judgement,
    cues: Collection[str],
) -> Signals:
    """Collect the signals for a match; ``others`` are all matches of the text, ``cues`` those found in it."""
    proof = match.evidence
    next_best = max(
        (m.score for m in others if m.entry is not match.entry and m.entry is not match.source), default=0.0
    )
    is_tool = isinstance(match.source, Tool)
    return Signals(
        score=min(match.score, 4.0),
        phrase=proof.phrase,
        second=proof.second,
        body=proof.body,
        named=proof.named,
        share=proof.share,
        learned=proof.learned,
        unknown=reading.unknown,
        strange=min(reading.strange, 5) / 5,
        content=min(reading.content, 10) / 10,
        strange_share=reading.strange / max(1, reading.content),
        lead=match.score - next_best,
        is_tool=float(is_tool),
        is_common_word=float(isinstance(match.source, Tool) and match.source.common_word),
        wants_role=float(intent.wants_role),
        wants_person=float(intent.kind == "people"),
        has_facet=float(intent.facet not in ("summary", "people")),
        is_command=float(intent.via == "command"),
        names_role=float(proof.named > 0 and not is_tool),
        silent=judgement.silent,
        outside=judgement.outside,
        people=judgement.people,
        against=float(len(AGAINST.intersection(cues))),
        wants_support=float("support" in cues),
    )
