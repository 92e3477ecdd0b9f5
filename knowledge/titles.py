"""Propose roles for the title in a person's profile: "Sr. PM – AI Platform 🚀 ex-Contoso".

What a look-up may find, a title must not suggest: "UX Designer" leads to the UX designer for AI systems, and most UX
designers are none. So a title is judged by what was learned from examples: a linear classifier over its words, their
kinds (content/titles.yaml), pairs of these, and the catalog's names that whole parts of the title are.
tests/evals/fit_titles.py learns its weights.
"""

from __future__ import annotations

import re
import unicodedata
from array import array
from base64 import b64decode
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from math import exp, sqrt
from typing import Annotated, Any

from pydantic import AfterValidator, Field, StringConstraints, model_validator

from knowledge.catalog import Catalog
from knowledge.content_files import each_once, load_file
from knowledge.errors import ContentError
from knowledge.models import Entry
from knowledge.text import OneWord, Reader, load_reader, strip_markup
from knowledge.weights import load_numbers

NONE = "<none>"
"""The label of titles that suggest no role."""
LONGEST = 500
"""Letters that are read; Slack allows fewer in a title."""
MOST_ROLES = 3
WANTED = 0.5
"""How likely it must be that the title suggests any role."""
CLEAR = 0.3
"""How likely the best role must be, where any is suggested."""

_GENDERED = re.compile(r"(?<=\w)(?:[:*_·/]in(?:nen)?|·e|\(e\)|/-?in|\(in\))(?!\w)")
_INITIALS = re.compile(r"\((?:[mwdfhx]\s*[/|]\s*)+[mwdfhx]\)|(?<!\w)(?:m/w/d|w/m/d|f/h|h/f)(?!\w)")
_PART = re.compile(r"\s[-~]+\s|//|[|,;:()\[\]{}•·–—+>→⟶\n\"“”]|(?=@)|(?=\bat\b)")
_AND = re.compile(r"[/|&+•·]|\b(?:and|und|et|y|e)\b", re.IGNORECASE)
_WORD = re.compile(r"[^\W_]+|@")
KIND = re.compile(r"{(\w+)}")
"""A word of a kind, in a pattern."""


@dataclass(frozen=True)
class Part:
    """Hold one part of a title, between two signs: its words, reduced to their stems."""

    stems: tuple[str, ...]
    head: str
    """What the part says that somebody is: the last word, or the last before "of"."""
    place: bool
    """It says where somebody works."""


def _alternatives(text: str) -> str:
    listed = [" ".join(choice.split()) for choice in text.split("|")]
    if not all(listed):
        raise ValueError("there is nothing between two |, so it would be found everywhere")
    each_once(tuple(listed))
    return text


Text = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1)]
"""Words with spaces between them; of several languages, so some stand there twice."""
Alternatives = Annotated[str, AfterValidator(_alternatives)]
"""Phrases with | between them."""


class TitleRules(Entry):
    """Hold what content/titles.yaml says."""

    words: dict[OneWord, str]
    """What has no English is left out."""
    rank: Text
    empty: Text
    of: Text
    place: Text
    past: Text
    seeks: Alternatives
    turned: Alternatives
    kinds: dict[str, Text]
    not_in_profiles: Annotated[tuple[Text, ...], AfterValidator(each_once)]
    patterns: dict[str, Annotated[tuple[Text, ...], Field(min_length=1), AfterValidator(each_once)]]

    @model_validator(mode="after")
    def _kinds_are_known(self) -> TitleRules:
        for label, patterns in self.patterns.items():
            for pattern in patterns:
                unknown = [kind for kind in KIND.findall(pattern) if kind not in self.kinds]
                if unknown:
                    raise ValueError(f"patterns: {label}: there is no kind {unknown[0]!r}, as in {pattern!r}")
        return self


class TitleReader:
    """Read titles into parts and features."""

    def __init__(self, catalog: Catalog, reader: Reader, rules: TitleRules) -> None:
        self._reader = reader
        self._words: Mapping[str, list[str]] = {word: english.split() for word, english in rules.words.items()}
        self._rank, self._empty, self._of, self._place, self._past = (
            frozenset(listed.split()) for listed in (rules.rank, rules.empty, rules.of, rules.place, rules.past)
        )
        self._seeks = re.compile(rf"\b(?:{_either(rules.seeks)})\b.*")
        self._turned = re.compile(rf"^.*\b(?:{_either(rules.turned)})\b")
        self._kinds: dict[str, list[str]] = {}
        for kind, listed in rules.kinds.items():
            for stem in {token.stem for word in listed.split() for token in reader.read(word)}:
                self._kinds.setdefault(stem, []).append(f"<{kind}>")
        left_out = {self._key(name) for name in rules.not_in_profiles}
        self.names: dict[frozenset[str], str] = {}
        """The catalog's names and titles that suggest their role in a profile too, in any order of their words."""
        for role in catalog.roles.values():
            for name in (role.name, *role.names, *role.titles):
                key = self._key(name)
                if key and key not in left_out:
                    self.names.setdefault(key, role.id)

    def _key(self, name: str) -> frozenset[str]:
        return frozenset(stem for part in self.parts(name) for stem in part.stems)

    def parts(self, title: str) -> list[Part]:
        """Split a title at its signs; what somebody was, would like to be or seeks others for is left out."""
        text = strip_markup(title[:LONGEST]).casefold().replace("ß", "ss")
        text = "".join(letter for letter in unicodedata.normalize("NFKD", text) if not unicodedata.combining(letter))
        text = _GENDERED.sub("", _INITIALS.sub(" ", text)).replace("c++", "cpp")
        found = [self._part(part) for part in _PART.split(self._seeks.sub("", text))]
        return [part for part in found if part.stems]

    def _part(self, text: str) -> Part:
        typed: list[str] = []
        for word in _WORD.findall(self._turned.sub("", text)):
            if word in self._past:
                break
            typed += self._words.get(word, [word])
        place = bool(typed) and typed[0] in self._place
        if place:
            del typed[0]
        of = next((at for at, word in enumerate(typed) if at and word in self._of), len(typed))
        before, behind = (self._stems(words) for words in (typed[:of], typed[of:]))
        stems = (*before, *behind)
        return Part(stems, (before or behind or ("",))[-1], place)

    def _stems(self, typed: Sequence[str]) -> tuple[str, ...]:
        kept = [word for word in typed if word not in self._rank and word not in self._empty]
        return tuple(token.stem for token in self._reader.tokens(kept))

    def features(self, title: str) -> Iterator[str]:
        """Give the features of a title, some of them twice."""
        parts = self.parts(title)
        said = [part for part in parts if not part.place] or parts
        if not said:
            return
        yield from (f"is {role}" for role in self.named(parts))
        everywhere = [word for part in parts for stem in part.stems for word in self._with_kinds(stem)]
        field = "<ai>" in everywhere
        yield "<ai>" if field else "no <ai>"
        for part in parts:
            where = "@" if part.place else ""
            ways = [self._with_kinds(stem) for stem in part.stems]
            yield from (where + way for word in ways for way in word)
            if not part.place:
                for one, other in combinations(ways, 2):
                    yield from (_pair(a, b) for a in one for b in other)
                for way in self._with_kinds(part.head):
                    yield f"{way} $"
                    yield f"{way} $ {field}"
        for way in self._with_kinds(said[0].head):
            yield f"^ {way}"
            yield f"^ {way} {field}"
            yield from (f"^ {way} + {word}" for word in set(everywhere) if word.startswith("<"))
        yield from (_pair(*pair) for pair in combinations(sorted({w for w in everywhere if w.startswith("<")}), 2))

    def named(self, parts: Sequence[Part]) -> list[str]:
        """Return the roles of which a part of the title, two that follow each other, or the whole is a name."""
        found: list[str] = []
        stems = [part.stems for part in parts if not part.place]
        for length in sorted({1, 2, len(stems)}):
            for at in range(len(stems) - length + 1):
                role = self.names.get(frozenset(stem for part in stems[at : at + length] for stem in part))
                if role and role not in found:
                    found.append(role)
        return found

    def named_side_by_side(self, title: str) -> list[str]:
        """Return the roles whose names the title joins by "and" or a sign for it."""
        found: list[str] = []
        for side in _AND.split(title[:LONGEST]):
            parts = self.parts(side)
            if len(parts) == 1 and (role := self.names.get(frozenset(parts[0].stems))) and not parts[0].place:
                found.append(role)
        return list(dict.fromkeys(found))

    def _with_kinds(self, stem: str) -> list[str]:
        return [stem, *self._kinds.get(stem, ())]


class Titles:
    """Propose roles for profile titles; ``weights`` is what fit_titles.py learned."""

    def __init__(self, reader: TitleReader, weights: Mapping[str, Any]) -> None:
        self.reader = reader
        self._features: Mapping[str, tuple[float, str]] = weights["features"]
        self._labels: list[str] = weights["labels"]
        self._constants: list[float] = weights["constants"]
        self._scales: list[float] = weights["scales"]

    def roles(self, title: str) -> tuple[str, ...]:
        """Return the ids of the roles that a title suggests, best first; none where it suggests none."""
        found = choose(self.likely(title))
        named = self.reader.named_side_by_side(title) if found else []
        if named and found[0] in named:
            # Two names side by side are two roles: "Data Scientist / ML Engineer".
            found = (*found, *(role for role in named if role not in found))
        return found[:MOST_ROLES]

    def likely(self, title: str) -> dict[str, float]:
        """Return how likely each role is, and none of them."""
        totals: Sequence[float] = [0.0] * len(self._labels)
        square = 0.0
        for feature in set(self.reader.features(title)):
            learned = self._features.get(feature)
            if learned is not None:
                rarity, packed = learned
                square += rarity * rarity
                totals = [total + weight for total, weight in zip(totals, array("b", b64decode(packed)), strict=True)]
        norm = sqrt(square) or 1.0
        logits = [
            constant + scale * total / norm
            for constant, scale, total in zip(self._constants, self._scales, totals, strict=True)
        ]
        most = max(logits)
        powers = [exp(logit - most) for logit in logits]
        return {label: power / sum(powers) for label, power in zip(self._labels, powers, strict=True)}


def choose(likely: Mapping[str, float]) -> tuple[str, ...]:
    """Return the role to propose, or nothing where that is likelier, or no role is clear."""
    found = sorted((label for label in likely if label != NONE), key=lambda label: -likely[label])
    any_role = 1 - likely[NONE]
    if not found or any_role < WANTED or likely[found[0]] < CLEAR * any_role:
        return ()
    return (found[0],)


def _either(listed: str) -> str:
    return "|".join(re.escape(" ".join(choice.split())).replace(r"\ ", r"\s+") for choice in listed.split("|"))


def _pair(one: str, other: str) -> str:
    return f"{one}+{other}" if one <= other else f"{other}+{one}"


def load_titles(catalog: Catalog) -> Titles:
    """Build what proposes roles over the bundled content."""
    return Titles(load_title_reader(catalog), load_numbers()["titles"])


def load_title_reader(catalog: Catalog) -> TitleReader:
    """Build what reads titles by the bundled rules. Raises ContentError where they name what there is not."""
    rules = load_file("titles.yaml", TitleRules)
    unknown = [label for label in rules.patterns if label not in catalog.roles and label != NONE]
    if unknown:
        raise ContentError([f"titles.yaml: patterns: there is no role {label!r}" for label in unknown])
    return TitleReader(catalog, load_reader(), rules)
