"""Turn a text of one language into rough English, by the language's glossary.

Nothing here understands grammar: what the matcher needs of a question is its words, in about the order that English has
them.
"""

from __future__ import annotations

import re
import unicodedata
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Callable, Iterator
from functools import cached_property, lru_cache
from typing import Any

from snowballstemmer import algorithms, stemmer

from knowledge.glossaries import Glossary
from knowledge.text import strip_markup, words

STEMMED = 4
"""Letters from which on endings are taken off."""
LONGEST_WORD = 40
"""Letters from which on a word is left as it is."""
SHORTEST_PART = 3
"""Letters of the shorter part of a compound."""
LINKS = ("", "s", "n", "en", "es")
"""What stands between the parts of a German compound."""
CACHED = 10_000
JAPANESE = re.compile(r"[\u3005\u3041-\u30ff\u4e00-\u9fff]")

_UMLAUTS = {"ae": "ä", "oe": "ö", "ue": "ü"}
_UMLAUT = re.compile("|".join(_UMLAUTS))
_SPELT_OUT = str.maketrans({umlaut: spelt for spelt, umlaut in _UMLAUTS.items()})
_EE = re.compile(r"ee(?=s?$)")
_BESIDE_JAPANESE = re.compile(r"(?<=[\u3005\u3041-\u30ff\u4e00-\u9fff])\s+|\s+(?=[\u3005\u3041-\u30ff\u4e00-\u9fff])")


class Words:
    """Read a language that puts spaces between words: the longest phrase first, each word as typed or by its stem."""

    def __init__(self, glossary: Glossary, is_english: Callable[[str], bool]) -> None:
        self.language = glossary.language
        self.phrases = glossary.phrases
        self.vocabulary = {word for phrase in glossary.phrases for word in phrase.split()}
        self._is_english = is_english
        name = glossary.language.name.casefold()
        self._stem = lru_cache(CACHED)(stemmer(name).stemWord if name in algorithms() else str)
        self.forms = lru_cache(CACHED)(self._forms)
        self._compounds = glossary.language.code == "de"
        self._two_genders = glossary.language.code in ("es", "pt")

    @property
    def latin(self) -> set[str]:
        """Return the words in Latin letters."""
        return {word for word in self.vocabulary if len(word) > 1 and word[0] < "\u0250"}

    def plain(self, word: str) -> tuple[str, ...]:
        """Return how a word is typed without its accents; German spells its umlauts out, too: "fuer"."""
        if word.isascii():
            return ()
        return (without_accents(word), *([word.translate(_SPELT_OUT)] if self._compounds else ()))

    # What follows is built by the first question in the language.

    @cached_property
    def _sorted(self) -> list[tuple[str, str]]:
        return sorted((without_accents(word), word) for word in self.vocabulary)

    @cached_property
    def _accented(self) -> dict[str, list[str]]:
        found = defaultdict(list)
        for word in sorted(self.vocabulary):
            for plain in self.plain(word):
                found[plain].append(word)
        return found

    @cached_property
    def _tree(self) -> dict[str, Any]:
        tree: dict[str, Any] = {}
        for phrase, english in self.phrases.items():
            at = tree
            for word in phrase.split():
                at = at.setdefault(word, {})
            at[""] = english
        return tree

    def english(self, text: str) -> str:
        """Return the text in rough English; words that are not in the glossary stay."""
        typed = words(strip_markup(text).replace("'", " "))
        said = []
        at = 0
        while at < len(typed):
            length, english = self._longest(typed, at)
            said.append(english if length else self._word(typed[at]))
            at += length or 1
        # A question mark at the end is a cue of its own.
        return " ".join(said) + "?" * text.rstrip().endswith("?")

    def _longest(self, typed: list[str], start: int) -> tuple[int, str]:
        best = (0, "")
        ways = [self._tree]
        for at in range(start, len(typed)):
            # The form as typed comes first, and is the one that counts among phrases of the same length.
            ways = [way[form] for way in ways for form in self.forms(typed[at]) if form in way]
            if not ways:
                break
            whole = next((way[""] for way in ways if "" in way), None)
            if whole is not None:
                best = (at + 1 - start, whole)
        return best

    def _forms(self, word: str) -> tuple[str, ...]:
        """Return the words of the glossary that a word may be: as typed, with its accents, with another ending."""
        found = list(self.inflected(word))
        if word.isascii():
            found += self._with_accents(word)
        elif not found and (plain := without_accents(word)) != word:
            found += self.forms(plain)
        return tuple(dict.fromkeys(found))

    def inflected(self, word: str) -> Iterator[str]:
        """Give the words of the glossary that a word is plainly a form of."""
        if word in self.vocabulary:
            yield word
        yield from self._accented.get(word, ())
        if STEMMED <= len(word) < LONGEST_WORD:
            stem = self._stem(word)
            yield from (near for near in self._near(word) if self._stem(near) == stem)
            if self._two_genders:
                # The stemmer takes some of these for verbs: ingeniera, ingeniero.
                yield from (other for other in _masculine(word) if other in self.vocabulary)

    def _with_accents(self, word: str) -> Iterator[str]:
        """Give the words that a word typed without its accents may be."""
        for accented in self._accented.get(word, ()):
            yield from self.forms(accented)
        if self._compounds and (restored := _with_umlauts(word)) != word:
            yield from self.forms(restored)
        if STEMMED <= len(word) < LONGEST_WORD:
            # Without its accents a word may have another stem: "etiquetees" ends in none of the endings of French.
            stems = {self._stem(word), without_accents(self._stem(_EE.sub("ée", word)))}
            yield from (near for near in self._near(word) if without_accents(self._stem(near)) in stems)

    def _near(self, word: str) -> Iterator[str]:
        start = without_accents(word)[: STEMMED - 1]
        for at in range(bisect_left(self._sorted, (start,)), len(self._sorted)):
            plain, near = self._sorted[at]
            if not plain.startswith(start):
                return
            if len(near) >= STEMMED:
                yield near

    def _word(self, word: str) -> str:
        parts = self.parts(word) or self.parts(_with_umlauts(word))
        if not parts and self._is_english(plain := without_accents(word)):
            return plain  # "visión"
        return " ".join(self.phrases.get(part, part) for part in parts or (word,))

    def parts(self, word: str) -> tuple[str, ...]:
        """Take a compound apart; nothing where it is none, or a part is unknown."""
        if not self._compounds or not 2 * STEMMED <= len(word) < LONGEST_WORD:
            return ()
        for at in range(len(word) - SHORTEST_PART, SHORTEST_PART - 1, -1):
            first = next((part for link in LINKS if (part := self._first_part(word[:at], link))), None)
            if first is not None:
                second = next((form for form in self.inflected(word[at:]) if form in self.phrases), None)
                if second is not None or self._is_part(word[at:]):
                    return first, second or word[at:]
        return ()

    def _first_part(self, word: str, link: str) -> str | None:
        part = word.removesuffix(link)
        if not word.endswith(link) or len(part) < SHORTEST_PART:
            return None
        known = next((form for form in (part, *self._accented.get(part, ())) if form in self.phrases), None)
        # An English word is not linked: "Promptvorlage".
        return known or (part if not link and self._is_part(part) else None)

    def _is_part(self, word: str) -> bool:
        return word in self.phrases or (len(word) >= STEMMED and self._is_english(word))


class Substrings:
    """Read a language without spaces: the longest phrase that stands at a place; Latin letters only as whole words."""

    def __init__(self, glossary: Glossary, is_english: Callable[[str], bool]) -> None:
        self.language = glossary.language
        self.phrases = glossary.phrases
        self.vocabulary: frozenset[str] = frozenset()

    @cached_property
    def _by_sign(self) -> dict[str, list[tuple[str, str]]]:
        found: dict[str, list[tuple[str, str]]] = defaultdict(list)
        for phrase, english in self.phrases.items():
            phrase = _BESIDE_JAPANESE.sub("", phrase)
            found[phrase[0]].append((phrase, english))
        for known in found.values():
            known.sort(key=lambda pair: -len(pair[0]))
        return found

    def english(self, text: str) -> str:
        """Return the text in rough English; what is not in the glossary stays."""
        return " ".join(" ".join(piece for piece, _ in self._pieces(text)).split())

    def covers(self, text: str) -> bool:
        """Tell whether the glossary has most of the text: kanji alone may be Chinese."""
        pieces = list(self._pieces(text))
        known = sum(length for _, length in pieces)
        return 2 * known > known + sum(len(JAPANESE.findall(piece)) for piece, length in pieces if not length)

    def _pieces(self, text: str) -> Iterator[tuple[str, int]]:
        """Give what the text says, piece by piece, each with how many signs of the text a known phrase covers."""
        text = _BESIDE_JAPANESE.sub("", strip_markup(text).casefold())
        at = since = 0
        while at < len(text):
            found = next((pair for pair in self._by_sign.get(text[at], ()) if _stands(pair[0], text, at)), None)
            if found is None:
                at += 1
                continue
            yield text[since:at], 0
            yield found[1], len(found[0])
            at = since = at + len(found[0])
        yield text[since:], 0


def _stands(phrase: str, text: str, at: int) -> bool:
    end = at + len(phrase)
    if not text.startswith(phrase, at):
        return False
    starts_inside = at > 0 and _is_latin(phrase[0]) and _is_latin(text[at - 1])
    ends_inside = end < len(text) and _is_latin(phrase[-1]) and _is_latin(text[end])
    return not (starts_inside or ends_inside)


def _masculine(word: str) -> Iterator[str]:
    for feminine, masculine in (("a", "o"), ("as", "os"), ("ora", "or"), ("oras", "ores")):
        if word.endswith(feminine):
            yield word.removesuffix(feminine) + masculine


def _with_umlauts(word: str) -> str:
    return _UMLAUT.sub(lambda match: _UMLAUTS[match.group()], word) if word.isascii() else word


def _is_latin(sign: str) -> bool:
    return sign.isascii() and sign.isalnum()


def without_accents(word: str) -> str:
    """Return a word with plain letters in the place of accented ones."""
    return "".join(sign for sign in unicodedata.normalize("NFD", word) if not unicodedata.combining(sign))
