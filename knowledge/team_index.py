"""Find what a workspace knows in a text: its own words for bundled entries, its entries by name, the nearest question.

A question is near where it shares most of the weight of its words with that of an entry (Tversky's index, as in
knowledge/matching.py). The bar is set for silence: a wrong answer in the team's name is worse than none. What it is
measured on stands in tests/knowledge/test_team_index.py.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from math import log
from typing import NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray
from rapidfuzz import process
from rapidfuzz.distance import OSA

from knowledge.matching import Matcher
from knowledge.team import Known, TeamEntry
from knowledge.text import WORD, Token, key_of, strip_markup, words

NEAR, NEAR_NAME = 0.65, 0.7
"""From this similarity on an entry answers: of its question, and of a name that stands among other words."""
BEYOND_TEXT, BEYOND_PHRASE = 0.55, 0.45
"""What either has beyond the other counts against them; it counts more than among bundled entries, which are known to
be about one field."""
ALIKE, MOST_ALIKE = 0.35, 3
"""From this similarity on a question is shown to a curator as one that may be the same."""
OTHER_WORD = 0.75
"""What is left of the similarity where one asks where, and the other when."""
FEWEST_COMMON, ALMOST = 2, 0.9
"""So many words of weight a text shares with a question, or the two are all but equal."""
EDGE = 3
"""So many of the small words around a name may belong to it: "The Hub"."""
SHORTEST_MISTYPED, LONG = 5, 8
"""Letters from which on a word may be mistyped in one place, and in two."""
MOST_MISTYPED = 6
"""Words of one text that are looked for among mistyped ones: each costs time."""
LONGEST_QUESTION = 600
"""Signs of a text that are held against questions; nobody asks in more, and reading takes time by the sign."""
MOST_FOUND = 20
_ASKS = re.compile(r"\b(?:who|where|when|why|how (?:long|much|many|often)|how|what|which)", re.IGNORECASE)
_PLAIN = ("how", "what", "which")
_WORD = re.compile(WORD + r"(?:['’][a-zA-Z]+)?")
FloatArray = NDArray[np.float64]
T = TypeVar("T")
Stems = tuple[str, ...]


@dataclass(frozen=True)
class Near:
    """Hold the entry that a text is near to, and how near."""

    entry: TeamEntry
    score: float


@dataclass(frozen=True)
class Renamed:
    """Hold a text in bundled words, and which of the team's words stood for what."""

    text: str
    aliases: tuple[tuple[str, str], ...]


class _Runs(dict[Stems, T]):
    """Hold what runs of words stand for, and how long the longest is that begins with a word."""

    def __init__(self) -> None:
        super().__init__()
        self.longest: dict[str, int] = {}

    def add(self, stems: Stems, meant: T) -> None:
        """Let the first who claims a run of words have it."""
        self.setdefault(stems, meant)
        self.longest[stems[0]] = max(self.longest.get(stems[0], 0), len(stems))


class _Phrase(NamedTuple):
    """Hold a phrase as it was read: its stems, the words in it that may be mistyped, and by which word it asks."""

    stems: Stems
    typed: tuple[str, ...]
    asks: str


class Team:
    """Hold the index of what a workspace knows; built once for each version of it."""

    def __init__(self, known: Known, matcher: Matcher, before: Team | None = None) -> None:
        """Build the index; what ``before`` has read of entries that are the same is not read again."""
        self.known = known
        self._reader = matcher.reader
        self._weight_in_bundled = matcher.weight_of
        self._knows: Callable[[Token], bool] = matcher.knows
        self.entries = {entry.id: entry for entry in known.entries if entry.state == "published"}
        self._aliases: _Runs[tuple[str, str]] = _Runs()
        for alias in known.aliases:
            bundled = matcher.catalog.entry(alias.entry_id)
            if bundled is not None and (stems := self._stems_of_words(words(alias.name))):
                self._aliases.add(stems, (alias.name, bundled.name))
        self._read = lru_cache(maxsize=64)(self._read_text)
        self._phrases: dict[str, tuple[_Phrase, ...]] = {
            entry.id: before._phrases[entry.id]
            if before is not None and before.entries.get(entry.id) == entry
            else self._phrases_of(entry)
            for entry in self.entries.values()
        }
        self._index()

    def __bool__(self) -> bool:
        return bool(self.entries or self._aliases)

    def _index(self) -> None:
        self._names: _Runs[TeamEntry] = _Runs()
        self._questions: dict[str, TeamEntry] = {}
        self._asking: list[tuple[TeamEntry, str]] = []
        phrases: list[Stems] = []
        users: dict[str, set[str]] = defaultdict(set)
        by_word: dict[str, list[int]] = defaultdict(list)
        self._spelled: dict[tuple[str, int], dict[str, None]] = defaultdict(dict)
        for entry in self.entries.values():
            self._questions.setdefault(key_of(entry.question), entry)
            for at, (stems, typed, asks) in enumerate(self._phrases[entry.id]):
                if not stems:
                    continue
                for word in typed:
                    self._spelled[word[0], len(word)][word] = None
                for stem in set(stems) - self._reader.stop:
                    users[stem].add(entry.id)
                    if not at:
                        by_word[stem].append(len(phrases))
                if at:
                    self._names.add(stems, entry)
                else:
                    self._asking.append((entry, asks))
                    phrases.append(tuple(dict.fromkeys(stems)))
        self._questions.pop("", None)
        self._used_by = {stem: len(found) for stem, found in users.items()}
        self._weigh = lru_cache(maxsize=20_000)(self._weight_of)
        self._nearest_word = lru_cache(maxsize=5_000)(self._find_nearest_word)
        self._by_word = {stem: np.array(numbers) for stem, numbers in by_word.items()}
        self._weights = np.array([sum(map(self._weigh, stems)) for stems in phrases])

    def _phrases_of(self, entry: TeamEntry) -> tuple[_Phrase, ...]:
        """Read the question of an entry, and then its names."""
        read: list[_Phrase] = []
        for phrase in (entry.question, entry.name, *entry.names):
            tokens = self._reader.read(phrase)
            typed = [word for token in tokens for word in token.typed.split() if len(word) >= SHORTEST_MISTYPED]
            read.append(_Phrase(tuple(token.stem for token in tokens), tuple(typed), _asks(phrase)))
        return tuple(read)

    def in_bundled_words(self, text: str) -> Renamed | None:
        """Put the names of bundled entries in place of the team's words for them; None where none stands there."""
        if not self._aliases:
            return None
        plain = strip_markup(text)
        places = list(_WORD.finditer(plain))
        typed = [words(place.group()) for place in places]
        stems = [self._stems_of_words(parts) for parts in typed]
        found = list(_runs([stem[0] if stem else "" for stem in stems], self._aliases))
        if not found:
            return None
        for start, stop, (_, bundled) in reversed(found):
            plain = plain[: places[start].start()] + bundled + plain[places[stop - 1].end() :]
        return Renamed(plain, tuple(dict.fromkeys(alias for _, _, alias in found)))

    def named(self, text: str) -> TeamEntry | None:
        """Return the entry whose question a text is, or that it names and says nothing else about."""
        if not self.entries:
            return None
        asked = self._questions.get(key_of(text))
        if asked is not None:
            return asked
        stems = [token.stem for token in self._read(text)]
        content = [at for at, stem in enumerate(stems) if stem not in self._reader.stop]
        first, last = (content[0], content[-1] + 1) if content else (0, len(stems))
        for start in range(max(0, first - EDGE), first + 1):
            for stop in range(min(len(stems), last + EDGE), last - 1, -1):
                found = self._names.get(tuple(stems[start:stop]))
                if found is not None:
                    return found
        return None

    def named_in(self, text: str) -> TeamEntry | None:
        """Return the entry that a text names, among whatever else it says: the one with the longest name."""
        if not self.entries:
            return None
        found = list(_runs([token.stem for token in self._read(text)], self._names))
        return max(found, key=lambda one: one[1] - one[0])[2] if found else None

    def nearest(self, text: str) -> Near | None:
        """Return the entry whose question a text is nearest to, where it is near enough; the first of equals."""
        if not self.entries:
            return None
        tokens = self._read(text[:LONGEST_QUESTION])
        found = [self._by_name(tokens), self._by_question(tokens, _asks(text))]
        return max((one for one in found if one is not None), key=lambda one: one.score, default=None)

    def _by_name(self, tokens: Sequence[Token]) -> Near | None:
        """Return the entry whose name stands in the text, where the name is most of it."""
        runs = list(_runs([token.stem for token in tokens], self._names))
        if not runs:
            return None
        weights = [self._weigh(token.stem) for token in tokens]
        start, stop, entry = max(runs, key=lambda run: sum(weights[run[0] : run[1]]))
        common = sum(weights[start:stop])
        near = common / ((common + BEYOND_TEXT * (sum(weights) - common)) or 1.0)
        return Near(entry, near) if near >= NEAR_NAME else None

    def alike(self, text: str) -> Sequence[TeamEntry]:
        """Return at most three entries that a question may be another wording of; a person judges that."""
        near, _ = self._nearness(self._read(text))
        order = [int(at) for at in np.argsort(-near, kind="stable")[:MOST_FOUND] if near[at] >= ALIKE]
        first = [self.named(text), self.named_in(text)]
        found = [*filter(None, first), *(self._asking[at][0] for at in order)]
        return list({entry.id: entry for entry in found}.values())[:MOST_ALIKE]

    def _by_question(self, tokens: Sequence[Token], asks: str) -> Near | None:
        if not self._asking:
            return None
        near, shared = self._nearness(tokens)
        near[(near < NEAR) | (shared < FEWEST_COMMON) & (near < ALMOST)] = 0.0
        # Few are left: how each asks is looked at one by one.
        best = [
            Near(entry, float(near[at]) * (OTHER_WORD if _differ(asks, asked) else 1.0))
            for at in np.argsort(-near, kind="stable")[:MOST_FOUND].tolist()
            for entry, asked in [self._asking[at]]
        ]
        found = max(best, key=lambda one: one.score)
        return found if found.score >= NEAR else None

    def _nearness(self, tokens: Sequence[Token]) -> tuple[FloatArray, FloatArray]:
        """Return for every question how near a text is to it, and how many words of weight they share."""
        weights = {token.stem: self._weigh(token.stem) for token in tokens}
        total = sum(weights.values())
        common, shared = np.zeros(len(self._asking)), np.zeros(len(self._asking))
        for stem, weight in weights.items():
            numbers = self._by_word.get(stem)
            if numbers is not None:
                common[numbers] += weight
                shared[numbers] += stem not in self._reader.weak
        beyond = BEYOND_TEXT * (total - common) + BEYOND_PHRASE * (self._weights - common)
        return common / np.maximum(common + beyond, 1e-9), shared

    def beginning_with(self, typed: str) -> Sequence[TeamEntry]:
        """Return at most twenty entries that what was typed fits: each word begins one of the entry's names."""
        wanted = words(typed)
        return [
            entry
            for entry in self.entries.values()
            if any(_begins(wanted, name) for name in (entry.name, *entry.names))
        ][:MOST_FOUND]

    def _read_text(self, text: str) -> tuple[Token, ...]:
        """Read a text; words that nothing knows are read as the nearest word of an entry."""
        typed = words(text)
        strange = [at for at, word in enumerate(typed) if len(word) >= SHORTEST_MISTYPED and self._is_strange(word)]
        for at in strange[:MOST_MISTYPED]:
            typed[at] = self._nearest_word(typed[at]) or typed[at]
        return tuple(self._reader.tokens(typed))

    def _is_strange(self, word: str) -> bool:
        if not (word.isascii() and word.isalpha()):
            return False
        token = self._reader.tokens([word])[0]
        return token.stem not in self._by_word and not self._knows(token)

    def _find_nearest_word(self, word: str) -> str | None:
        most = 2 if len(word) >= LONG else 1
        lengths = range(len(word) - most, len(word) + most + 1)
        alike = [known for length in lengths for known in self._spelled.get((word[0], length), ())]
        found = process.extractOne(word, alike, scorer=OSA.distance, score_cutoff=most)
        return str(found[0]) if found else None

    def _stems_of_words(self, typed: Sequence[str]) -> Stems:
        return tuple(self._reader.tokens([word])[0].stem for word in typed)

    def _weight_of(self, stem: str) -> float:
        """Return how much a word says: as in the bundled entries, less the more of the team's entries use it."""
        weight = self._weight_in_bundled(stem)
        used = self._used_by.get(stem, 0)
        if not used:
            return weight
        everybody = len(self.entries)
        return weight * log(1 + everybody / used) / log(1 + everybody)


def _asks(text: str) -> str:
    """Return by which word a text asks: "where", "how long"; nothing where by none."""
    found = _ASKS.search(text)
    return found.group().lower() if found else ""


def _differ(one: str, other: str) -> bool:
    return bool(one and other) and one != other and not (one in _PLAIN and other in _PLAIN)


def _begins(wanted: Sequence[str], name: str) -> bool:
    parts = words(name)
    return all(any(part.startswith(start) for part in parts) for start in wanted)


def _runs(stems: Sequence[str], known: _Runs[T]) -> Iterator[tuple[int, int, T]]:
    """Give the runs of words that are known, the longest where they overlap."""
    at = 0
    while at < len(stems):
        for length in range(min(known.longest.get(stems[at], 0), len(stems) - at), 0, -1):
            found = known.get(tuple(stems[at : at + length]))
            if found is not None:
                yield at, at + length, found
                at += length - 1
                break
        at += 1
