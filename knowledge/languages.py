"""Read questions in other languages: say which language a text is in, and have it turned into rough English."""

from __future__ import annotations

import re
import unicodedata
from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from itertools import chain

from knowledge.glossaries import Glossary, Language
from knowledge.text import words
from knowledge.translating import CACHED, JAPANESE, LONGEST_WORD, Substrings, Words

SMALL_WORD, WORTH = 2, 1
"""What a small word of a language ("und", "kya") and any other word speak for it."""
QUOTED = 2
"""So many small English words make a text English that holds some words in another script."""

_LETTERS = re.compile(r"[^\W\d_]+")
_KANA = re.compile(r"[\u3041-\u30ff]")
_DEVANAGARI = re.compile(r"[\u0900-\u097f]")
# Letters that settle between languages that share the words of a text.
_OWN_LETTERS = {"de": "äöü", "es": "ñ¿¡", "fr": "èêëîûœ", "pt": "ãõ"}


@dataclass(frozen=True)
class Translation:
    """Hold a text in rough English, and the language it was in."""

    english: str
    language: Language


class Translator:
    """Translate questions word by word; built once.

    ``is_english`` tells whether English or the knowledge base has a word; ``is_small`` whether it is a small English
    word, that says nothing about a subject.
    """

    def __init__(
        self, glossaries: tuple[Glossary, ...], is_english: Callable[[str], bool], is_small: Callable[[str], bool]
    ) -> None:
        self._is_english = is_english
        self._is_small = is_small
        self._read_by = {
            glossary.language.code: (Substrings if glossary.language.code == "ja" else Words)(glossary, is_english)
            for glossary in glossaries
        }
        also_english = frozenset[str]().union(*(glossary.also_english for glossary in glossaries))
        self._also_english = also_english
        self._speaks_for: dict[str, set[str]] = defaultdict(set)
        for code, reader in self._read_by.items():
            if isinstance(reader, Words):
                for word in reader.latin - also_english:
                    self._speaks_for[word].add(code)
                    for plain in reader.plain(word):
                        if plain not in also_english:
                            self._speaks_for[plain].add(code)
        self._shown_by = lru_cache(CACHED)(self._shown_by_word)

    def translate(self, text: str) -> Translation | None:
        """Return a text in rough English; None where it is English or in no language that is known."""
        code = self._code_of(text)
        if code is None:
            return None
        reader = self._read_by[code]
        return Translation(reader.english(text), reader.language)

    def _code_of(self, text: str) -> str | None:
        if not text.isascii():
            text = unicodedata.normalize("NFKC", text)
            by_script = self._by_script(text)
            if by_script is not None:
                return by_script
        typed = _LETTERS.findall(text.casefold())
        shown = [weights for word in typed if (weights := self._shown_by(word))]
        if not shown:
            return None
        scores: dict[str, int] = defaultdict(int)
        for code, weight in chain.from_iterable(shown):
            scores[code] += weight
        return self._best(scores, typed, text)

    def _by_script(self, text: str) -> str | None:
        code = "hi" if _DEVANAGARI.search(text) else "ja" if JAPANESE.search(text) else None
        if code not in self._read_by or self._small_english(text.casefold().split()) >= QUOTED:
            return None
        reader = self._read_by[code]
        if isinstance(reader, Substrings) and not _KANA.search(text) and not reader.covers(text):
            return None
        return code

    def _best(self, scores: Mapping[str, int], typed: list[str], text: str) -> str | None:
        def order(code: str) -> tuple[int, int, int]:
            own = sum(letter in text.casefold() for letter in _OWN_LETTERS.get(code, ""))
            return scores[code], own, sum(word in self._read_by[code].vocabulary for word in typed)

        best = max(scores, key=order)
        against = self._small_english([word for word in typed if word not in self._read_by[best].vocabulary])
        return best if scores[best] > against else None

    def _small_english(self, typed: list[str]) -> int:
        return sum(word.isascii() and self._is_small(word) for word in typed)

    def _shown_by_word(self, word: str) -> tuple[tuple[str, int], ...]:
        """Say for which languages a word speaks, and how much."""
        if not 1 < len(word) < LONGEST_WORD or word in self._also_english or self._is_english(word):
            return ()
        codes = self._speaks_for.get(word)
        if codes is None:
            return self._shown_by_form(word)
        return tuple((code, SMALL_WORD if self._is_small_in(code, word) else WORTH) for code in sorted(codes))

    def _shown_by_form(self, word: str) -> tuple[tuple[str, int], ...]:
        """Say for which languages another form of a known word speaks, or a compound of known words."""
        readers = ((code, reader) for code, reader in self._read_by.items() if isinstance(reader, Words))
        return tuple(
            (code, WORTH)
            for code, reader in readers
            if any(part in self._speaks_for for part in (*reader.inflected(word), *reader.parts(word)))
        )

    def _is_small_in(self, code: str, word: str) -> bool:
        english = self._read_by[code].phrases.get(word)
        return english is not None and all(self._is_small(part) for part in words(english))
