"""Keeping an answer: with the consent of both sides a question and its answer become a proposed entry of the team.

Whoever asked and whoever answered each say yes or no, once; a yes can be taken back until a curator has published it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Literal, Protocol

from knowledge.asking import Ask, Asker
from knowledge.people import Terms
from knowledge.team import (
    LONGEST_ANSWER,
    LONGEST_NAME,
    LONGEST_QUESTION,
    LONGEST_TOPIC,
    MOST_ROLES,
    MOST_TOPICS,
    TEAM_ID,
    TeamEntry,
)

Side = Literal["asker", "answerer"]
Says = Literal["", "yes", "no"]
Outcome = Literal["open", "proposed", "published", "merged", "rejected"]
"""``open``: not both have said yes; ``rejected``: proposed, and not added. Only the first two can change.

There is none for a refusal: to the other side a no is no answer, and a yes that is taken back is as a curator's no.
"""
Settled = Literal["done", "late"]
"""What came of a curator's decision; ``late``: another one came first, or a consent was taken back."""


@dataclass(frozen=True)
class Keeping:
    """Hold what both sides said about a question and its answer, and what came of it."""

    entry_id: str
    outcome: Outcome = "open"
    asker_says: Says = ""
    answerer_says: Says = ""
    user: str = ""
    """Who answered; empty where that is not known any more."""
    shown_author: str = ""
    answer: str = ""

    @property
    def can_change(self) -> bool:
        """Tell whether what either side says still counts."""
        return self.outcome in ("open", "proposed")

    def says(self, side: Side) -> Says:
        """Return what one side said."""
        return self.asker_says if side == "asker" else self.answerer_says


@dataclass(frozen=True)
class Consent:
    """Hold what one side says."""

    side: Side
    yes: bool
    answer: str = ""
    """As the answerer wants it kept."""
    shown_author: str = ""
    asker: Asker | None = None
    """Where the asker's message stands: of who asked without their name that is known for this moment alone."""


class Keepings(Protocol):
    """Keep what both sides said, and make the entry of it; everything at once, or nothing."""

    async def of(self, workspace: str, ask_id: str) -> Keeping | None:
        """Return what was said about a question; None for nothing yet."""
        ...

    async def says(
        self, workspace: str, ask_id: str, consent: Consent, topics: Sequence[str], now: datetime
    ) -> Keeping | None:
        """Note what one side says, and return what came of it; None where there is nothing to be kept.

        Once the question itself is deleted, a consent can only be taken back.
        """
        ...

    async def publish(self, workspace: str, entry: TeamEntry, now: datetime) -> Settled:
        """Write a proposed entry as it is to be published."""
        ...

    async def reject(self, workspace: str, entry_id: str, now: datetime) -> Settled:
        """Delete a proposed entry."""
        ...

    async def merge(self, workspace: str, entry_id: str, into: str, wording: str, now: datetime) -> Settled:
        """Delete a proposed entry, and let another one answer its question too."""
        ...

    async def prune(self, now: datetime) -> int:
        """Delete what came to nothing, once its question is gone."""
        ...


def may_be_named(ask: Ask, user: str, terms: Terms) -> bool:
    """Tell whether a person who answered may be named with it: not who is hidden, nor who answered unnamed."""
    askee = ask.askee(user)
    return askee is not None and (askee.shown or askee.says_name) and terms.visibility == "open"


def wrote_alone(ask: Ask, user: str) -> bool:
    """Tell whether the answer is one person's own; not where others may have written some of it."""
    return [one.user for one in ask.people if one.wrote] == [user]


def own_words(ask: Ask) -> str:
    """Return the answer as far as it is whoever answered's own; empty where others may have written some of it."""
    by = ask.answerer
    return ask.answer[:LONGEST_ANSWER] if by is not None and wrote_alone(ask, by.user) else ""


def entry_id_of(ask_id: str) -> str:
    """Return the id of the entry that is made of a question: always the same one."""
    return TEAM_ID + ask_id[:24]


def with_consent(before: Keeping, consent: Consent) -> Keeping:
    """Return what is so after one side has said something; both yes proposes it, one no ends it for good."""
    if not before.can_change or before.says(consent.side) == "no":
        return before
    said: Says = "yes" if consent.yes else "no"
    if consent.side == "asker":
        after = replace(before, asker_says=said)
    else:
        after = replace(before, answerer_says=said, answer=consent.answer, shown_author=consent.shown_author)
    if "no" in (after.asker_says, after.answerer_says):
        outcome: Outcome = "rejected" if before.outcome == "proposed" else "open"
        return replace(after, outcome=outcome, answer="", shown_author="")
    both = after.asker_says == after.answerer_says == "yes"
    return replace(after, outcome="proposed" if both else "open")


def proposal(ask: Ask, keeping: Keeping, topics: Sequence[str], now: datetime) -> TeamEntry:
    """Return the entry that a curator is shown; without a name in it unless whoever answered wants that."""
    question = " ".join(ask.question.replace("\0", "").split())
    return TeamEntry(
        keeping.entry_id,
        shortened(question, LONGEST_NAME),
        question=shortened(question, LONGEST_QUESTION),
        answer=keeping.answer.replace("\0", ""),
        roles=ask.subject.roles[:MOST_ROLES],
        topics=tuple(topic for topic in topics if len(topic) <= LONGEST_TOPIC)[:MOST_TOPICS],
        source="kept",
        written_by=keeping.user if keeping.shown_author else "",
        shown_author=keeping.shown_author,
        state="proposed",
        changed_at=now,
    )


def shortened(text: str, longest: int) -> str:
    """Cut a text to whole words: what is left is still found by them."""
    if len(text) <= longest:
        return text
    head = text[: longest + 1].rpartition(" ")[0]
    return head or text[:longest]
