"""Turn what people type into comparable words."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from functools import lru_cache
from typing import Annotated, NamedTuple

from pydantic import AfterValidator, Field
from snowballstemmer import stemmer

from knowledge.content_files import load_file, twice
from knowledge.models import Entry

# What Slack puts around references: <@U1>, <#C1|general>, <!here>, <https://x|label>; and :emoji: codes.
_MENTION = re.compile(r"<[@#!][^>]*>")
_LINK = re.compile(r"<(?:https?|mailto):[^|>]*(?:\|([^>]*))?>")
_EMOJI = re.compile(r"(?<![\w:]):[a-z0-9_+'-]+:(?![\w:])", re.IGNORECASE)
_APOSTROPHES = {"’": "'", "‘": "'", "`": " ", "“": " ", "”": " "}
# Names that carry their meaning in a sign, before signs are dropped.
_SIGNED = (
    ("++", re.compile(r"\bc\+\+", re.IGNORECASE), " cpp "),
    ("/", re.compile(r"\ba\s*/\s*b\b", re.IGNORECASE), " ab "),
)
WORD = r"(?:[^\W_]|[\u0300-\u036f\u0900-\u0903\u093a-\u094f])+"
"""A word is letters and digits of any script; combining marks belong to it (Hindi vowels are marks)."""
_WORD = re.compile(WORD + r"(?:'[a-z]+)?")
_PLAIN = re.compile(r"[a-z0-9]+(?:'[a-z]+)?")


def strip_markup(text: str) -> str:
    """Remove Slack's markup: mentions, channel references, link wrappers, emoji codes, code ticks."""
    text = unicodedata.normalize("NFKC", text)
    for sign, plain in _APOSTROPHES.items():
        text = text.replace(sign, plain)
    text = text.replace("&amp;", "&").replace("&lt;", "<").replace("&gt;", ">")
    text = _LINK.sub(lambda match: f" {match.group(1) or ''} ", text)
    text = _MENTION.sub(" ", text)
    # Without the sign there is nothing to look for, and a start reads ten thousand texts.
    return _EMOJI.sub(" ", text) if ":" in text else text


def words(text: str) -> list[str]:
    """Split a text into lower-case words without signs; ``C++`` is ``cpp``, ``A/B`` is ``ab``."""
    text = strip_markup(text)
    for sign, pattern, replacement in _SIGNED:
        if sign in text:
            text = pattern.sub(replacement, text)
    return _WORD.findall(text.casefold())


def key_of(text: str) -> str:
    """Return the form by which names are compared: the words, joined by single spaces."""
    return " ".join(words(text))


class Token(NamedTuple):
    """Hold one word of a text: as typed, and reduced to its stem."""

    typed: str
    stem: str


def _one_word(text: str) -> str:
    if not _PLAIN.fullmatch(text):
        raise ValueError(f"{text!r} is not one word in lower case")
    return text


def _some_words(text: str) -> str:
    if " " not in text:
        raise ValueError(f"{text!r} is one word alone: that belongs into spellings")
    return " ".join(map(_one_word, text.split(" ")))


def _listed_words(text: str) -> str:
    listed = text.split()
    if not listed:
        raise ValueError("there is no word in it")
    if doubled := twice(listed):
        raise ValueError(f"{', '.join(map(repr, doubled))} stands there twice")
    return " ".join(map(_one_word, listed))


OneWord = Annotated[str, AfterValidator(_one_word)]
ListedWords = Annotated[str, AfterValidator(_listed_words)]


class Words(Entry):
    """Hold what content/words.yaml says."""

    spellings: dict[OneWord, OneWord]
    phrases: Annotated[dict[Annotated[str, AfterValidator(_some_words)], OneWord], Field(min_length=1)]
    stop: ListedWords
    weak: ListedWords
    seniority: ListedWords
    everyday: ListedWords


class Reader:
    """Read texts into tokens: spellings unified, words that are one idea joined, endings removed."""

    def __init__(self, content: Words) -> None:
        self._spellings = content.spellings
        self._phrases = {tuple(phrase.split()): joined for phrase, joined in content.phrases.items()}
        self._longest = max(len(phrase) for phrase in self._phrases)
        self._starts = {phrase[0] for phrase in self._phrases}
        self._stem = lru_cache(maxsize=20_000)(stemmer("english").stemWord)
        self.stop_words = frozenset(content.stop.split())
        self.stop = frozenset(self._stem(word) for word in self.stop_words)
        self.weak = frozenset(self._stem(self._spellings.get(word, word)) for word in content.weak.split())
        self.seniority = frozenset(self._stem(word) for word in content.seniority.split())
        self.everyday = frozenset(content.everyday.split())

    def read(self, text: str) -> list[Token]:
        """Return the tokens of a text, in order."""
        return self.tokens(words(text))

    def tokens(self, typed: Sequence[str]) -> list[Token]:
        """Return the tokens of words that were split already."""
        found: list[Token] = []
        at = 0
        while at < len(typed):
            if typed[at] in self._starts:
                for length in range(min(self._longest, len(typed) - at), 1, -1):
                    joined = self._phrases.get(tuple(typed[at : at + length]))
                    if joined is not None:
                        found.append(Token(" ".join(typed[at : at + length]), self._stem(joined)))
                        at += length
                        break
                else:
                    found.append(self._token(typed[at]))
                    at += 1
            else:
                found.append(self._token(typed[at]))
                at += 1
        return found

    def _token(self, word: str) -> Token:
        plain = self._spellings.get(word)
        if plain is None:
            plain = self._spellings.get(word.removesuffix("'s"), word.removesuffix("'s"))
        return Token(word, self._stem(plain))


def load_reader() -> Reader:
    """Build what reads texts by the bundled words."""
    return Reader(load_file("words.yaml", Words))
