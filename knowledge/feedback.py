"""What is kept of a question that the content should grow from; nothing in it says who asked."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal, assert_never

from knowledge.answers import (
    Answer,
    Candidates,
    Comparison,
    Help,
    NotKnown,
    Pair,
    RoleCard,
    Suggestion,
    TeamCard,
    ToolCard,
    TopicCard,
)
from knowledge.catalog import Catalog
from knowledge.team import TEAM_ID
from knowledge.text import strip_markup

Verdict = Literal["helpful", "not"]
RatedKind = Literal["card", "compare", "people"]
"""Kinds of answers that can be rated."""
Kind = Literal[RatedKind, "suggestions", "none"]
LONGEST_TEXT = 300
"""Signs of a question that are kept."""

# What points at one person or place, beside addresses of mail: those of the web, telephone numbers and the like.
_ADDRESS = re.compile(r"(?:https?://|www\.)\S+|\+?\d(?:[ ()/.-]*\d){6,}")


@dataclass(frozen=True)
class Asked:
    """Hold a question with what was answered."""

    id: str
    """Drawn for this one answer: a second vote on it replaces the first."""
    kind: Kind
    entries: tuple[str, ...]
    """Ids of what was shown, best first."""
    confidence: float
    text: str


def asked(text: str, answer: Answer, answer_id: str, catalog: Catalog) -> Asked | None:
    """Return what to keep of a question and its answer; None where there is nothing to learn, as from a greeting."""
    kind: Kind
    shown: tuple[str, ...]
    match answer:
        case RoleCard():
            kind, shown = "card", (answer.role.id,)
        case TopicCard():
            kind, shown = "card", (answer.topic.id,)
        case ToolCard():
            kind, shown = "card", (answer.tool.id,)
        case TeamCard():
            kind, shown = "card", (answer.entry.id,)
        case Comparison() | Pair():
            kind, shown = "compare", (answer.left.id, answer.right.id)
        case Suggestion(subject=about):
            kind, shown = "people", (*about.topics, *about.tools, *about.roles)
        case Candidates():
            kind, shown = "suggestions", tuple(entry.id for entry in answer.entries)
        case NotKnown():
            kind, shown = "none", tuple(role.id for role in answer.roles)
        case Help():
            return None
        case _:
            assert_never(answer)
    # A topic can be somebody's own words; those are not ours to keep here. The id of a team's entry holds none.
    known = (entry_id for entry_id in shown if catalog.entry(entry_id) or entry_id.startswith(TEAM_ID))
    entries = tuple(known)[:3]
    return Asked(answer_id, kind, entries, round(answer.confidence, 3), impersonal(text))


def impersonal(text: str) -> str:
    """Take out what points at somebody: mentions, links, addresses, long numbers; what is left is one short line."""
    plain = _ADDRESS.sub("…", strip_markup(text))
    words = "".join(sign if sign.isprintable() else " " for sign in plain).split()
    # Word by word: a pattern that looks for the @ takes time by the square of a long word.
    return " ".join("…" if "@" in word[1:] else word for word in words)[:LONGEST_TEXT]
