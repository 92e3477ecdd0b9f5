"""Read from somebody's status whether they are out of office, or away; content/status.yaml holds the words."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from functools import lru_cache

from knowledge.index import content
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


class Statuses:
    """Read statuses; ``content`` is the parsed content/status.yaml."""

    def __init__(self, content: Mapping[str, Sequence[str]]) -> None:
        self._emoji = frozenset(content["emoji"])
        self._out, self._away, self._something_else, self._before, self._behind, self._ends = (
            _any_of(content[name])
            for name in ("out", "away", "something_else", "taken_back_before", "taken_back_behind", "ends")
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
    return Statuses(content("status.yaml"))
