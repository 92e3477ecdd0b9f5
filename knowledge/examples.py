"""What the bot learns from: questions, searches for people, everyday talk, job titles, with what is right for each."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from importlib.resources import files
from typing import Annotated

from pydantic import StringConstraints, ValidationError

from knowledge.answers import Facet
from knowledge.catalog import Catalog
from knowledge.errors import ContentError
from knowledge.models import Entry, Id

Text = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=500)]
QUESTIONS, SEARCHES, OUTSIDE, PARTS, TITLES = "questions", "people", "outside", "facets", "titles"
"""The files of content/examples: questions for knowledge, searches for a colleague, what is not ours, questions for a
part of a role, job titles."""
FILES = (QUESTIONS, SEARCHES, OUTSIDE, PARTS, TITLES)


class Example(Entry):
    """Hold one text with what is right for it; ids are best first."""

    text: Text
    roles: tuple[Id, ...] = ()
    topics: tuple[Id, ...] = ()
    tools: tuple[Id, ...] = ()
    command: bool = False
    """Typed after the slash command."""
    field: Id | None = None
    """For what must get no answer: the role whose field it is all the same."""
    facet: Facet | None = None
    """For a question about a role: the part of it that is asked for."""

    @property
    def entry(self) -> str:
        """Return the id of the entry that fits best; "" where none does."""
        return next(iter((*self.topics, *self.roles)), "")


def load_examples(name: str, catalog: Catalog) -> list[Example]:
    """Read one file of examples. Raises ContentError with every problem found."""
    found: list[Example] = []
    problems: list[str] = []
    for number, line in _lines(name):
        try:
            example = Example.model_validate_json(line)
        except ValidationError as error:
            problems += [f"examples/{name}.jsonl:{number}: {detail['msg']}" for detail in error.errors()]
            continue
        kinds = ((catalog.roles, (*example.roles, *filter(None, [example.field]))), (catalog.topics, example.topics))
        problems += [
            f"examples/{name}.jsonl:{number}: there is no {id_!r} of that kind"
            for known, ids in (*kinds, (catalog.tools, example.tools))
            for id_ in ids
            if id_ not in known
        ]
        found.append(example)
    counts = Counter(example.text for example in found)
    twice = sorted(text for text, count in counts.items() if count > 1)
    problems += [f"examples/{name}.jsonl: twice: {text!r}" for text in twice]
    if problems:
        raise ContentError(problems)
    return found


def _lines(name: str) -> Iterator[tuple[int, str]]:
    text = (files("knowledge") / "content" / "examples" / f"{name}.jsonl").read_text("utf-8")
    return ((number, line) for number, line in enumerate(text.splitlines(), 1) if line.strip())
