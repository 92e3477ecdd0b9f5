"""How sure a match is: the share of such matches that are right, by logistic regression over what speaks for it.

The weights are fitted on the development questions by `python -m tests.evals.calibrate`, which prints them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import exp

from knowledge.matching import Match, Reading
from knowledge.models import Tool
from knowledge.questions import Intent

SURE = 0.38
"""From this confidence on, an entry is shown as the answer."""
UNSURE = 0.2
"""From this confidence on, an entry is offered as a candidate."""

LITTLE = 2.0
"""Weight below which a text without a name in it says too little to be sure of anything."""

# Words that mark a text as being about this field, as stems.
ANCHORS = frozenset(
    "ai genai llm ml model data prompt train dataset gpu mlop rag embed vector hallucin chatbot finetun".split()
)


@dataclass(frozen=True)
class Signals:
    """Hold what the confidence is computed from, each between about 0 and 2."""

    score: float
    phrase: float
    second: float
    body: float
    named: float
    share: float
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
    has_anchor: float


WEIGHTS = Signals(
    score=1.99,
    phrase=0.96,
    second=1.05,
    body=3.17,
    named=-0.02,
    share=0.55,
    unknown=-0.75,
    strange=-0.01,
    content=2.14,
    strange_share=-0.94,
    lead=0.72,
    is_tool=-2.04,
    is_common_word=-0.31,
    wants_role=2.85,
    wants_person=1.68,
    has_facet=0.53,
    is_command=1.46,
    names_role=1.37,
    has_anchor=0.88,
)
CONSTANT = -5.58

_WEIGHTS = tuple(vars(WEIGHTS).values())


def signals(match: Match, others: Sequence[Match], reading: Reading, intent: Intent) -> Signals:
    """Collect the signals for a match; ``others`` are all matches of the text."""
    proof = match.evidence
    next_best = max(
        (m.score for m in others if m.entry is not match.entry and m.entry is not match.source), default=0.0
    )
    is_tool = isinstance(match.source, Tool)
    return Signals(
        score=min(match.score, 2.0),
        phrase=proof.phrase,
        second=proof.second,
        body=proof.body,
        named=proof.named,
        share=proof.share,
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
        has_anchor=float(any(token.stem in ANCHORS for token in reading.tokens)),
    )


def confidence(match: Match, others: Sequence[Match], reading: Reading, intent: Intent) -> float:
    """Return how likely it is that the match is what was meant, from 0 to 1."""
    found = signals(match, others, reading, intent)
    if not match.named and reading.weight < LITTLE:
        # One word that many entries use, like "model": everything fits a little.
        return UNSURE
    total = CONSTANT + sum(weight * value for weight, value in zip(_WEIGHTS, vars(found).values(), strict=True))
    return 1 / (1 + exp(-total))
