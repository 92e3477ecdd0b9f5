"""Read from somebody's status whether they are out of office, or away; content/status.yaml holds the words."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from functools import lru_cache
from importlib.resources.abc import Traversable
from typing import Annotated

from pydantic import AfterValidator, Field, StringConstraints

from knowledge.content_files import each_once, load_file
from knowledge.models import Entry
from knowledge.people import Availability
from knowledge.text import words
from knowledge.translating import JAPANESE

_EMOJI = re.compile(r":([a-z0-9_+-]+):")
_CLAUSE_ENDS = re.compile(r"(?<=[?？])|[.,;:!()/|\n、。！・→–—]|\s-+\s")
_INITIALS = re.compile(r"\b(\w)\.(?=\w\b)")
_APOSTROPHE = re.compile("['’]")
_NUMBER = re.compile(r"\d+")
_ACCENTS = re.compile(r"[\u0300-\u036f]")


def said_by(text: str, emoji: str) -> Availability:
    """Return what a status says: its text, and its emoji as ``:name:``."""
    return _statuses().said_by(text, emoji)


def _with_words(phrase: str) -> str:
    if not _comparable(phrase).strip(" ?"):
        raise ValueError("there is no word in it, so it would be found everywhere")
    return phrase


Phrases = Annotated[
    tuple[Annotated[str, AfterValidator(_with_words)], ...], Field(min_length=1), AfterValidator(each_once)
]


class StatusWords(Entry):
    """Hold what content/status.yaml says."""

    out: Phrases
    away: Phrases
    something_else: Phrases
    taken_back_before: Phrases
    taken_back_behind: Phrases
    ends: Phrases
    emoji: Annotated[
        tuple[Annotated[str, StringConstraints(pattern=r"^[a-z0-9_+-]+$")], ...], AfterValidator(each_once)
    ]


def load_statuses(content: Traversable | None = None) -> Statuses:
    """Read the words of statuses. Raises ContentError with every problem found, not only the first."""
    return Statuses(load_file("status.yaml", StatusWords, content))


class Statuses:
    """Read statuses by words."""

    def __init__(self, words: StatusWords) -> None:
        self._emoji = frozenset(words.emoji)
        self._out, self._away, self._something_else = map(_any_of, (words.out, words.away, words.something_else))
        self._before, self._behind, self._ends = map(
            _any_of, (words.taken_back_before, words.taken_back_behind, words.ends)
        )

    def said_by(self, text: str, emoji: str) -> Availability:
        """Return what a status says; words that take it back also do so for the emoji beside them."""
        shown = {*_EMOJI.findall(emoji), *_EMOJI.findall(text)}
        clauses = [_comparable(clause) for clause in _CLAUSE_ENDS.split(_INITIALS.sub(r"\1 ", _EMOJI.sub(" ", text)))]
        said_out = [self._holds(self._out, clause) for clause in clauses]
        if any(said_out):
            return "ooo"
        taken_back = any(self._out.search(clause) or self._something_else.search(clause) for clause in clauses)
        if shown & self._emoji and not taken_back:
            return "ooo"
        return "away" if any(self._holds(self._away, clause) for clause in clauses) else "active"

    def _holds(self, phrases: re.Pattern[str], clause: str) -> bool:
        """Tell whether a clause says one of the phrases, and neither takes it back nor asks."""
        if clause.endswith("?"):
            return False
        clause = self._something_else.sub(" ", clause)
        return any(
            not self._before.search(clause[: found.start()] + " ")
            and not self._behind.search(self._ends.split(clause[found.end() :], maxsplit=1)[0] + " ")
            for found in phrases.finditer(clause)
        )


def _comparable(text: str) -> str:
    """Return the words of a text with a space around each, and a question mark behind what is a question."""
    plain = unicodedata.normalize("NFC", _ACCENTS.sub("", unicodedata.normalize("NFKD", text)))
    said = words(_NUMBER.sub("0", _APOSTROPHE.sub(" ", plain)))
    return f" {' '.join(said)} " + "?" * plain.rstrip().endswith("?")


def _any_of(phrases: Sequence[str]) -> re.Pattern[str]:
    """Return what finds the phrases in comparable text; of words only whole ones, the longest first."""
    found = (_comparable(phrase) for phrase in sorted(phrases, key=len, reverse=True))
    return re.compile("|".join(re.escape(one.strip()) if JAPANESE.search(one) else f"{one[:-1]}(?= )" for one in found))


@lru_cache(maxsize=1)
def _statuses() -> Statuses:
    return load_statuses()
