"""Conversations: what is kept of the last answer, and how a follow-up is read by it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from hashlib import blake2s
from typing import Annotated

from pydantic import AfterValidator

from knowledge.answers import (
    Answer,
    Candidates,
    Comparison,
    Help,
    NotKnown,
    Pair,
    RoleCard,
    Subject,
    Suggestion,
    TeamCard,
    ToolCard,
    TopicCard,
)
from knowledge.catalog import AnyEntry, Catalog
from knowledge.content_files import each_once, load_file
from knowledge.models import Entry, Role
from knowledge.patterns import Pattern, Patterns, any_of, with_groups
from knowledge.people import MOST_PEOPLE, Person

THREAD_LIFE = timedelta(days=1)
DIRECT_LIFE = timedelta(hours=1)
"""How long a conversation keeps its subject: a thread, and direct messages outside one."""
DIRECT = "direct"
"""The thread name for direct messages outside a thread."""

_ORDINALS = {"first": 0, "1st": 0, "former": 0, "second": 1, "2nd": 1, "latter": 1, "third": 2, "3rd": 2, "last": -1}
_OTHER = "other"
_WHICH = re.compile(r"\(\?P<which>(?P<words>[\w|]*)\)")


@dataclass(frozen=True)
class Conversation:
    """Name a conversation whose subject is kept."""

    channel: str
    thread: str
    is_new: bool = False
    """Nothing was said in it before: there is no subject to look for."""
    secret: bytes = field(default=b"", repr=False)
    """The workspace's own: without it nobody can work out whose a mark is."""

    @property
    def life(self) -> timedelta:
        """Return how long the subject is kept."""
        return DIRECT_LIFE if self.thread == DIRECT else THREAD_LIFE

    def mark(self, user: str) -> str:
        """Return by what a person is known again in this conversation, and in no other; it holds no id."""
        said = f"{self.channel} {self.thread} {user}".encode()
        return blake2s(said, digest_size=8, key=self.secret).hexdigest()


def named_in(answer: Answer) -> Sequence[Person]:
    """Return whom an answer names; they are known again by marks, which take the workspace's secret."""
    match answer:
        case RoleCard() | NotKnown():
            return answer.holders
        case Suggestion():
            return answer.people or answer.nearest
        case TeamCard():
            return (answer.whom.people or answer.whom.nearest) if answer.whom else ()
        case _:
            return ()


def kept(answer: Answer, before: Subject | None, conversation: Conversation, asker: str | None) -> Subject:
    """Return what a follow-up needs of an answer, and of what was kept before it."""
    # A card shows so many of those who hold the role, and to none of them their own name.
    marks = tuple(conversation.mark(one.user) for one in named_in(answer) if one.user != asker)[:MOST_PEOPLE]
    if isinstance(answer, Candidates):
        # Nothing was settled: the subject stays what it was.
        return replace(before or Subject(), listed=tuple(entry.id for entry in answer.entries))
    subject = answer.subject
    match answer:
        case RoleCard():
            subject = replace(subject, facet=answer.facet, part=answer.part, named=marks)
            return replace(subject, listed=_listed(answer.role, (answer.role, *answer.others), before))
        case ToolCard():
            return replace(subject, listed=_listed(answer.tool, [role for role, _ in answer.users], before))
        case TopicCard():
            return replace(subject, listed=_listed(answer.topic, (), before))
        case Comparison() | Pair():
            entries = (answer.left, answer.right, *answer.beside)
            return replace(subject, facet="compare", listed=tuple(entry.id for entry in entries))
        case Suggestion():
            earlier = before.named if before and answer.further else ()
            return replace(subject, facet="people", named=(*earlier, *marks))
        case NotKnown() | TeamCard():
            return replace(subject, named=marks)
        case Help():
            return subject


def _listed(entry: AnyEntry, entries: Sequence[AnyEntry], before: Subject | None) -> tuple[str, ...]:
    """Return what a card lists; one that was picked from a list leaves the list as it is."""
    if before and entry.id in before.listed:
        return before.listed
    return tuple(one.id for one in entries) if len(entries) > 1 else ()


@dataclass(frozen=True)
class Picked:
    """Hold what was picked of a list: a text that names it, or, where that is not plain, all that it may be."""

    text: str
    entry: AnyEntry | None = None
    among: tuple[AnyEntry, ...] = ()


def _picks_known(cue: str) -> str:
    found = _WHICH.search(cue)
    words = found["words"].split("|") if found else ["?"]
    if unknown := [word for word in words if word not in _ORDINALS and word != _OTHER]:
        known = ", ".join((*_ORDINALS, _OTHER))
        raise ValueError(f"(?P<which>…) takes some of these, with | between them, not {unknown[0]!r}: {known}")
    return cue


class FollowUpCues(Entry):
    """Hold what content/follow_ups.yaml says."""

    picks: Annotated[
        tuple[Annotated[Pattern, with_groups("what", "which"), AfterValidator(_picks_known)], ...],
        AfterValidator(each_once),
    ]
    who_else: Patterns
    moves_on: Annotated[tuple[Annotated[Pattern, with_groups("what")], ...], AfterValidator(each_once)]


class FollowUps:
    """Read what is said only in view of the last answer."""

    def __init__(self, cues: FollowUpCues, catalog: Catalog) -> None:
        self._catalog = catalog
        self._picks = [re.compile(cue) for cue in cues.picks]
        self._who_else = any_of(cues.who_else)
        self._moves_on = [re.compile(cue) for cue in cues.moves_on]

    def picked(self, bare: str, before: Subject) -> Picked | None:
        """Read "the second one" as what stood second in the last answer; None where nothing of a list is picked."""
        match = next((found for cue in self._picks if (found := cue.search(bare))), None)
        listed = self._entries(before.listed)
        if match is None or not listed:
            return None
        word = match["which"]
        if word == _OTHER:
            spoken_of = {*before.roles, *before.topics, *before.tools}
            # Where all were spoken of, the other one of two is the second.
            rest = [entry for entry in listed if entry.id not in spoken_of] or listed
            picked = rest[-1] if len(rest) == 1 or len(listed) == 2 else None
        else:
            at = _ORDINALS[word]
            picked = listed[at] if at < len(listed) else None
        if picked is None:
            # A text that says more may be about something else.
            return Picked(bare, among=tuple(listed)) if match.span() == (0, len(bare)) else None
        name = picked.short if isinstance(picked, Role) else picked.name
        return Picked(f"{bare[: match.start('what')]}{name}{bare[match.end('what') :]}", picked)

    def asks_who_else(self, bare: str) -> bool:
        """Tell whether people are wanted beside those who were named."""
        return bool(self._who_else.search(bare))

    def moved_on_to(self, bare: str) -> str | None:
        """Return of what the same is asked as before: "and the data engineer?"."""
        match = next((found for cue in self._moves_on if (found := cue.fullmatch(bare))), None)
        return match["what"] if match else None

    def _entries(self, ids: Iterable[str]) -> list[AnyEntry]:
        # What is kept may be older than the content.
        return [entry for one in ids if (entry := self._catalog.entry(one)) is not None]


def load_follow_ups(catalog: Catalog) -> FollowUps:
    """Build what reads follow-ups by the bundled cues."""
    return FollowUps(load_file("follow_ups.yaml", FollowUpCues), catalog)
