"""The closed union of answers that the guide gives; whoever renders one matches it to the end."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from knowledge.glossaries import Language
from knowledge.models import Role, RoleNote, Tool, Topic
from knowledge.people import PassedOver, Person
from knowledge.team import TeamEntry

Facet = Literal["summary", "responsibilities", "skills", "example", "people", "compare"]

Part = Literal["delivers", "success_measures", "decides", "works_with", "ask_about", "grows_from"]


@dataclass(frozen=True)
class Subject:
    """Name what an answer is about, by id, best first; a follow-up question falls back on it."""

    roles: tuple[str, ...] = ()
    topics: tuple[str, ...] = ()
    tools: tuple[str, ...] = ()
    # What follows is filled in where the subject is kept for follow-ups: knowledge/conversation.py.
    listed: tuple[str, ...] = ()
    """The entries that the answer listed, in order: "the second one"."""
    named: tuple[str, ...] = ()
    """Marks of the people who were named: "who else?"."""
    facet: Facet = "summary"
    part: Part | None = None
    """What was asked of the subject: "and the data engineer?"."""

    def __bool__(self) -> bool:
        return bool(self.roles or self.topics or self.tools or self.listed)


@dataclass(frozen=True, kw_only=True)
class _Answer:
    """Hold what every answer has."""

    asked_in: Language | None = None
    """The language of the question where it was not English; answers are English always."""
    renamed: tuple[tuple[str, str], ...] = ()
    """Words of this workspace that stood in the question, each with the bundled entry that it is the word for."""
    names_people: bool = True
    """False where colleagues are left out, as whoever reads it is no member of this workspace."""


@dataclass(frozen=True)
class RoleCard(_Answer):
    """Explain a role; ``facet`` says which part was asked for, ``others`` are roles that fit nearly as well."""

    role: Role
    facet: Facet
    tools: tuple[tuple[Tool, RoleNote], ...]
    holders: tuple[Person, ...]
    others: tuple[Role, ...]
    subject: Subject
    confidence: float
    part: Part | None = None
    """The part of the entry that was asked for where it is none of the facets."""
    by_field: bool = False
    """The text neither names the role nor asks for it: it is about something that lies in the role's field."""


@dataclass(frozen=True)
class TopicCard(_Answer):
    """Answer one of the general subjects or frequently asked questions."""

    topic: Topic
    roles: tuple[Role, ...]
    tools: tuple[Tool, ...]
    subject: Subject
    confidence: float
    facet: Facet = "summary"


@dataclass(frozen=True)
class ToolCard(_Answer):
    """Explain a tool, metric or law and who uses it for what."""

    tool: Tool
    users: tuple[tuple[Role, RoleNote], ...]
    subject: Subject
    confidence: float
    facet: Facet = "summary"


@dataclass(frozen=True)
class Comparison(_Answer):
    """Put two roles side by side; ``confusions`` clear up what people mix up between them."""

    left: Role
    right: Role
    confusions: tuple[tuple[Role, RoleNote], ...]
    tools: tuple[tuple[tuple[Tool, RoleNote], ...], tuple[tuple[Tool, RoleNote], ...]]
    subject: Subject
    confidence: float
    facet: Facet = "compare"
    beside: tuple[Role | Topic | Tool, ...] = ()
    """What was named beside the two, and is not compared."""


@dataclass(frozen=True)
class Pair(_Answer):
    """Put two entries side by side of which at least one is no role."""

    left: Role | Topic | Tool
    right: Role | Topic | Tool
    subject: Subject
    confidence: float
    facet: Facet = "compare"
    beside: tuple[Role | Topic | Tool, ...] = ()
    """What was named beside the two, and is not compared."""


@dataclass(frozen=True)
class Suggestion(_Answer):
    """Name whom to ask: ``people`` declared the topic or best-fitting role; ``nearest`` only where nobody did."""

    asked_for: str
    """The topic or role in words, as a person would read it."""
    roles: tuple[Role, ...]
    people: tuple[Person, ...]
    nearest: tuple[Person, ...]
    subject: Subject
    confidence: float
    facet: Facet = "people"
    further: bool = False
    """Others were asked for than those who were named before."""
    passed_over: PassedOver = field(default=PassedOver())
    """Who declared the very thing and is not named, counted where nobody is named for it."""


@dataclass(frozen=True)
class Candidates(_Answer):
    """Offer up to three entries where none is certain."""

    entries: tuple[Role | Topic | Tool, ...]
    subject: Subject
    confidence: float


@dataclass(frozen=True)
class Help(_Answer):
    """Say in a line what the bot is for; ``occasion`` is what called for it."""

    occasion: Literal["asked", "empty", "greeting", "thanks", "compare", "who"]
    subject: Subject = field(default=Subject())
    confidence: float = 1.0


@dataclass(frozen=True)
class NotKnown(_Answer):
    """Say honestly that the knowledge does not hold it; ``roles`` are those whose field it is, if anybody's."""

    roles: tuple[Role, ...]
    holders: tuple[Person, ...]
    subject: Subject
    confidence: float


@dataclass(frozen=True)
class TeamCard(_Answer):
    """Answer from what this workspace knows; an entry without an answer says whose field it is and ``whom`` to ask."""

    entry: TeamEntry
    roles: tuple[Role, ...]
    subject: Subject
    confidence: float
    whom: Suggestion | None = None
    facet: Facet = "summary"


Answer = RoleCard | TopicCard | ToolCard | TeamCard | Comparison | Pair | Suggestion | Candidates | Help | NotKnown
