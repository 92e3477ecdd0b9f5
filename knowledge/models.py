"""The shape of the knowledge base: frozen, strict models that the YAML files in content/ are read into."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator

Id = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9]*(-[a-z0-9]+)*$", max_length=60)]
Phrase = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=120)]
Sentence = Annotated[str, StringConstraints(strip_whitespace=True, min_length=3, max_length=400)]
Source = Literal["guide", "ours"]
"""Where a statement comes from: the guide that the project started from, or this project itself."""


class Entry(BaseModel):
    """Forbid unknown keys and later changes, so that a typo in a file is an error and an entry can be shared."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class Statement(Entry):
    """Hold one sentence with its source; written in YAML as ``guide: …`` or ``ours: …``."""

    text: Sentence
    source: Source

    @model_validator(mode="before")
    @classmethod
    def _from_yaml(cls, data: Any) -> Any:
        if not isinstance(data, dict) or "text" in data:
            return data
        sources = [key for key in ("guide", "ours") if key in data]
        if len(sources) != 1:
            raise ValueError("say where it comes from: exactly one of 'guide:' and 'ours:'")
        rest = {key: value for key, value in data.items() if key != sources[0]}
        return {**rest, "text": data[sources[0]], "source": sources[0]}


class RoleNote(Statement):
    """Hold a sentence about another role."""

    role: Id


class Handover(Entry):
    """Say what two roles hand to each other: ``gives`` goes to the other role, ``gets`` comes from it."""

    role: Id
    gives: Sentence
    gets: Sentence
    source: Source = "ours"


class Example(Statement):
    """Hold the example contribution or task of a role, with code where code says it best."""

    language: Literal["python", "bash", "yaml", "sql"] | None = None
    code: Annotated[str, StringConstraints(max_length=1200)] | None = None


class Role(Entry):
    """Describe one role in full."""

    id: Id
    name: Phrase
    short: Annotated[str, StringConstraints(max_length=24)]
    """The name as it fits on a button."""
    emerging: bool = False
    names: tuple[Phrase, ...] = ()
    """Other names and short forms for the role: each leads here alone."""
    titles: tuple[Phrase, ...] = ()
    """Job titles, as people write them in a profile."""
    tasks: tuple[Phrase, ...] = Field(min_length=8)
    """Tasks and subjects that belong to this role, as people would type them."""
    summary: tuple[Statement, ...] = Field(min_length=1, max_length=3)
    responsibilities: tuple[Statement, ...] = Field(min_length=2)
    skills: tuple[Statement, ...] = Field(min_length=2)
    example: Example
    delivers: tuple[Statement, ...] = Field(min_length=2)
    success_measures: tuple[Statement, ...] = Field(min_length=2)
    decides: tuple[Statement, ...] = Field(min_length=1)
    does_not_decide: tuple[Statement, ...] = Field(min_length=1)
    works_with: tuple[Handover, ...] = Field(min_length=2)
    ask_about: tuple[Statement, ...] = Field(min_length=2)
    confused_with: tuple[RoleNote, ...] = Field(min_length=1)
    grows_from: tuple[RoleNote, ...] = Field(min_length=1)
    questions: tuple[Phrase, ...] = Field(min_length=6)
    """Questions that this entry answers, as people ask them."""


class Topic(Entry):
    """Answer one general subject or frequently asked question."""

    id: Id
    name: Phrase
    question: Phrase
    """The question that the entry answers, in full."""
    names: tuple[Phrase, ...] = Field(min_length=2)
    """Other names for the subject: each leads here alone."""
    answer: tuple[Statement, ...] = Field(min_length=1, max_length=3)
    details: tuple[Statement, ...] = Field(min_length=2)
    roles: tuple[Id, ...] = Field(min_length=1)
    """Whose field it is, best first."""
    tools: tuple[Id, ...] = ()
    related: tuple[Id, ...] = ()
    questions: tuple[Phrase, ...] = Field(min_length=6)


class Tool(Entry):
    """Explain one tool, framework, metric, database, method or law in a line, and who uses it for what."""

    id: Id
    name: Phrase
    kind: Literal[
        "framework", "language", "cloud", "platform", "data", "database", "metric", "model", "method", "law", "practice"
    ]
    names: tuple[Phrase, ...] = ()
    """Other names and spellings: each leads here alone."""
    summary: tuple[Statement, ...] = Field(min_length=1, max_length=2)
    used_by: tuple[RoleNote, ...] = Field(min_length=1)
    """The roles that use it and for what, best first."""
    common_word: bool = False
    """The name is also an everyday word ("R", "Rouge", "agile"): alone it is found, inside a sentence only beside
    other words of the field."""
