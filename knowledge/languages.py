"""Read questions in other languages: say which language a text is in, and turn it into rough English for the matcher.

The words are content/languages/*.yaml. Nothing here understands grammar: what the matcher needs of a question is its
words, in about the order that English has them.
"""

from __future__ import annotations

import re
import unicodedata
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache
from importlib.resources import files
from importlib.resources.abc import Traversable
from itertools import chain
from typing import Any

import yaml
from snowballstemmer import algorithms, stemmer

from knowledge.catalog import Loader
from knowledge.errors import ContentError
from knowledge.text import WORD, strip_markup, words

SMALL_WORD, WORTH = 2, 1
"""What a small word of a language ("und", "kya") and any other word speak for it."""
QUOTED = 2
"""So many small English words make a text English that holds some words in another script."""
STEMMED = 4
"""Letters from which on endings are taken off."""
LONGEST_WORD = 40
"""Letters from which on a word is left as it is."""
SHORTEST_PART = 3
"""Letters of the shorter part of a compound."""
LINKS = ("", "s", "n", "en", "es")
"""What stands between the parts of a German compound."""
CACHED = 10_000

_LETTERS = re.compile(r"[^\W\d_]+")
_KANA = re.compile(r"[\u3041-\u30ff]")
_JAPANESE = re.compile(r"[\u3005\u3041-\u30ff\u4e00-\u9fff]")
_DEVANAGARI = re.compile(r"[\u0900-\u097f]")
_BESIDE_JAPANESE = re.compile(r"(?<=[\u3005\u3041-\u30ff\u4e00-\u9fff])\s+|\s+(?=[\u3005\u3041-\u30ff\u4e00-\u9fff])")
_LINE = re.compile(rf"({WORD}(?: {WORD})*): (\S.*)")
# Letters that settle between languages that share the words of a text.
_OWN_LETTERS = {"de": "äöü", "es": "ñ¿¡", "fr": "èêëîûœ", "pt": "ãõ"}
_FIELDS = {"name", "notice", "phrases", "also_english"}


@dataclass(frozen=True)
class Language:
    """Name a language; ``notice`` says in it that it is read, and that answers are in English."""

    code: str
    name: str
    notice: str


@dataclass(frozen=True)
class Translation:
    """Hold a text in rough English, and the language it was in."""

    english: str
    language: Language


@dataclass(frozen=True)
class Glossary:
    """Hold the words of one language: phrases with their English, and words that do not tell it from English."""

    language: Language
    phrases: Mapping[str, str]
    also_english: frozenset[str]


def load_glossaries(content: Traversable | None = None) -> tuple[Glossary, ...]:
    """Read all glossaries.

    Raises ContentError with every problem found, not only the first.
    """
    root = content if content is not None else files("knowledge") / "content"
    problems: list[str] = []
    found = []
    for file in sorted((root / "languages").iterdir(), key=lambda file: file.name):
        if file.name.endswith(".yaml"):
            where = f"languages/{file.name}"
            try:
                parsed = yaml.load(file.read_text("utf-8"), Loader)  # noqa: S506 - a safe loader
            except UnicodeDecodeError:
                problems.append(f"{where}: not UTF-8")
            except yaml.YAMLError as error:
                problems.append(f"{where}: not readable as YAML: {' '.join(str(error).split())}")
            else:
                found.append(_glossary(file.name.removesuffix(".yaml"), parsed, where, problems))
    if problems:
        raise ContentError(problems)
    return tuple(found)


def _glossary(code: str, parsed: object, where: str, problems: list[str]) -> Glossary:
    fields: dict[str, object] = parsed if isinstance(parsed, dict) else {}
    problems.extend(f"{where}: {field}: unknown" for field in fields if field not in _FIELDS)
    texts = {"also_english": ""} | {field: text for field, text in fields.items() if isinstance(text, str)}
    for field in sorted(_FIELDS - texts.keys()):
        problems.append(f"{where}: {field}: a text is needed")
        texts[field] = ""
    phrases: dict[str, str] = {}
    for line in _comparable(texts["phrases"]).splitlines():
        read = _LINE.fullmatch(line)
        if read is not None:
            phrase, english = read.groups()
            if phrase in phrases:
                problems.append(f"{where}: phrases: {phrase!r} stands there twice")
            phrases[phrase] = english
        elif line and not line.startswith("#"):
            problems.append(f"{where}: phrases: {line!r} is not 'phrase: english', with no sign in the phrase")
    also_english = frozenset(_comparable(texts["also_english"]).split())
    return Glossary(Language(code, texts["name"], texts["notice"]), phrases, also_english)


def _comparable(text: str) -> str:
    return unicodedata.normalize("NFKC", text).casefold()


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
            glossary.language.code: (_Substrings if glossary.language.code == "ja" else _Words)(glossary, is_english)
            for glossary in glossaries
        }
        also_english = frozenset[str]().union(*(glossary.also_english for glossary in glossaries))
        self._also_english = also_english
        self._speaks_for: dict[str, set[str]] = defaultdict(set)
        for code, reader in self._read_by.items():
            if isinstance(reader, _Words):
                for word in reader.latin - also_english:
                    self._speaks_for[word].add(code)
                    if not word.isascii() and (plain := _without_accents(word)) not in also_english:
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
        code = "hi" if _DEVANAGARI.search(text) else "ja" if _JAPANESE.search(text) else None
        if code not in self._read_by or self._small_english(text.casefold().split()) >= QUOTED:
            return None
        reader = self._read_by[code]
        if isinstance(reader, _Substrings) and not _KANA.search(text) and not reader.covers(text):
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
        readers = ((code, reader) for code, reader in self._read_by.items() if isinstance(reader, _Words))
        return tuple(
            (code, WORTH)
            for code, reader in readers
            if any(part in self._speaks_for for part in (*reader.forms(word), *reader.parts(word)))
        )

    def _is_small_in(self, code: str, word: str) -> bool:
        english = self._read_by[code].phrases.get(word)
        return english is not None and all(self._is_small(part) for part in words(english))


class _Words:
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

    # What follows is built by the first question in the language.

    @cached_property
    def _sorted(self) -> list[str]:
        return sorted(self.vocabulary)

    @cached_property
    def _accented(self) -> dict[str, str]:
        return {_without_accents(word): word for word in self._sorted if not word.isascii()}

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
        found = [word] if word in self.vocabulary else []
        if word.isascii() and word in self._accented:
            found.append(self._accented[word])
        if STEMMED <= len(word) < LONGEST_WORD:
            stem = self._stem(word)
            found += [near for near in self._near(word) if near not in found and self._stem(near) == stem]
            if self._two_genders:
                # The stemmer takes some of these for verbs: ingeniera, ingeniero.
                found += [other for other in _masculine(word) if other in self.vocabulary and other not in found]
        return tuple(found)

    def _near(self, word: str) -> Iterator[str]:
        start = word[: STEMMED - 1]
        for at in range(bisect_left(self._sorted, start), len(self._sorted)):
            near = self._sorted[at]
            if not near.startswith(start):
                return
            if len(near) >= STEMMED:
                yield near

    def _word(self, word: str) -> str:
        return " ".join(self.phrases.get(part, part) for part in self.parts(word) or (word,))

    def parts(self, word: str) -> tuple[str, ...]:
        """Take a compound apart; nothing where it is none, or a part is unknown."""
        if not self._compounds or not 2 * STEMMED <= len(word) < LONGEST_WORD:
            return ()
        for at in range(len(word) - SHORTEST_PART, SHORTEST_PART - 1, -1):
            first = next((part for link in LINKS if (part := self._first_part(word[:at], link))), None)
            if first is not None:
                second = next((form for form in self.forms(word[at:]) if form in self.phrases), None)
                if second is not None or self._is_part(word[at:]):
                    return first, second or word[at:]
        return ()

    def _first_part(self, word: str, link: str) -> str | None:
        part = word.removesuffix(link)
        if not word.endswith(link) or len(part) < SHORTEST_PART:
            return None
        # An English word is not linked: "Promptvorlage".
        known = part in self.phrases if link else self._is_part(part)
        return part if known else None

    def _is_part(self, word: str) -> bool:
        return word in self.phrases or (len(word) >= STEMMED and self._is_english(word))


class _Substrings:
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
        return 2 * known > known + sum(len(_JAPANESE.findall(piece)) for piece, length in pieces if not length)

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


def _is_latin(sign: str) -> bool:
    return sign.isascii() and sign.isalnum()


def _without_accents(word: str) -> str:
    return "".join(sign for sign in unicodedata.normalize("NFD", word) if not unicodedata.combining(sign))
