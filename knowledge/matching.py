"""Rank the entries of the catalog for a text.

Four kinds of evidence are put together:

- names: an entry's name, other names and job titles, found word for word in the text (endings and typing errors aside);
- phrases: the tasks and questions written beside each entry; the nearest one counts, the next one for confidence alone
  (Tversky's index over words weighted by how few entries use them, https://en.wikipedia.org/wiki/Tversky_index);
- body: all words of the entry (BM25, https://en.wikipedia.org/wiki/Okapi_BM25);
- learned: what the classifier makes of the text (knowledge/classifier.py).

How sure a match is, is said apart from its place in the order: see knowledge/confidence.py.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import log
from typing import Any

import numpy as np

from knowledge.catalog import AnyEntry, Catalog
from knowledge.classifier import Judgement
from knowledge.models import Role, Statement, Tool, Topic
from knowledge.reading import Names, Reading
from knowledge.text import Reader, Token, words

STOP_WEIGHT = 0.02
WEAK_WEIGHT = 0.25
# Tversky's index: what the text has beyond the phrase counts more than what the phrase has beyond the text.
BEYOND_TEXT = 0.55
BEYOND_PHRASE = 0.30
BM25_K = 1.2
BM25_B = 0.4

LEARNED_OF_TOOL = 0.75
"""A tool gets this share of what was learned for the first of its roles."""
MOST = 24
"""So many entries are looked at further."""
TOPIC_FIELD, TOOL_FIELD = 0.5, 0.75
"""A topic or tool speaks for the first of its roles by this much, by a tenth less for each next one."""
FIELD_STEP = 0.9
Numbers = np.ndarray[Any, np.dtype[np.float64]]


@dataclass
class Evidence:
    """Hold what speaks for one entry; every number but ``named`` is a share from 0 to 1."""

    named: float = 0.0
    """How strong a name of the entry stands in the text: 0 for none."""
    share: float = 0.0
    """The share of the text's weight that the name covers."""
    phrase: float = 0.0
    second: float = 0.0
    body: float = 0.0
    learned: float = 0.0


@dataclass(frozen=True)
class Balance:
    """Say how much each part of the evidence counts.

    Near to what a conditional logit found best for 7,000 lines by six hands of whom the classifier had learned nothing;
    docs/retrieval.md says what each is worth.
    """

    named: float = 0.25
    share: float = 0.5
    phrase: float = 1.0
    body: float = 1.2
    learned: float = 3.0


BALANCE = Balance()


@dataclass(frozen=True)
class Match:
    """Hold an entry with what speaks for it; ``source`` is the entry that the evidence was found at."""

    entry: AnyEntry
    score: float
    evidence: Evidence
    source: AnyEntry

    @property
    def named(self) -> bool:
        """Tell whether the text holds a name of the entry itself."""
        return self.evidence.named > 0 and self.source is self.entry


class Matcher:
    """Hold the catalog's search index; built once, read by every question.

    Raises ContentError where two entries have names that differ only in endings or spelling.
    """

    def __init__(self, catalog: Catalog, reader: Reader, balance: Balance = BALANCE) -> None:
        self.catalog = catalog
        self.reader = reader
        self._balance = balance
        self._entries: list[AnyEntry] = list(catalog)
        self._at = {entry.id: at for at, entry in enumerate(self._entries)}
        phrases: list[tuple[int, tuple[str, ...]]] = []
        bodies: list[dict[str, float]] = []
        for at, entry in enumerate(self._entries):
            counts: dict[str, float] = defaultdict(float)
            for text, weight, is_phrase in texts(entry):
                stems = [token.stem for token in reader.read(text)]
                for stem in stems:
                    counts[stem] += weight
                if is_phrase and stems:
                    phrases.append((at, tuple(dict.fromkeys(stems))))
            bodies.append(counts)
        self._idf = self._rarity(bodies)
        self._rarest = max(self._idf.values())
        self._body = self._bm25(bodies)
        self._vocabulary = set(self._idf) | reader.stop | reader.weak
        self._empty = reader.stop | reader.weak
        self.names = Names(catalog, reader, self.knows)
        # Phrases stand in the order of their entries, so that each entry's are one slice.
        self._phrase_weights = np.array([sum(self.weight_of(stem) for stem in stems) for _, stems in phrases])
        self._phrase_starts = np.searchsorted([at for at, _ in phrases], range(len(self._entries)))
        self._phrase_counts = np.diff(self._phrase_starts, append=len(phrases))
        by_word: dict[str, list[int]] = defaultdict(list)
        for number, (_, phrase) in enumerate(phrases):
            for stem in phrase:
                if stem not in reader.stop:
                    by_word[stem].append(number)
        self._by_word = {stem: np.array(numbers) for stem, numbers in by_word.items()}
        owners = [entry.used_by[0].role if isinstance(entry, Tool) else entry.id for entry in self._entries]
        labels = [*catalog.roles, *catalog.topics]
        self._label_of_entry = np.array([labels.index(owner) for owner in owners])
        self._learned_share = np.array([LEARNED_OF_TOOL if isinstance(e, Tool) else 1.0 for e in self._entries])

    def _rarity(self, bodies: Sequence[Mapping[str, float]]) -> dict[str, float]:
        counts: dict[str, int] = defaultdict(int)
        for body in bodies:
            for stem in body:
                counts[stem] += 1
        return {stem: log(1 + len(bodies) / count) for stem, count in counts.items()}

    def _bm25(self, bodies: Sequence[Mapping[str, float]]) -> dict[str, Numbers]:
        lengths = [sum(body.values()) for body in bodies]
        mean = sum(lengths) / len(lengths)
        index: dict[str, Numbers] = defaultdict(lambda: np.zeros(len(bodies)))
        for at, body in enumerate(bodies):
            norm = BM25_K * (1 - BM25_B + BM25_B * lengths[at] / mean)
            for stem, count in body.items():
                # At most 1, so that a text's body score is the share of its weight that the entry explains.
                index[stem][at] = count / (count + norm)
        return dict(index)

    def weight_of(self, stem: str) -> float:
        """Return how much a word says: nothing for "the", most for a word that one entry alone uses."""
        if stem in self.reader.stop:
            return STOP_WEIGHT
        weight = self._idf.get(stem, self._rarest)
        return WEAK_WEIGHT * weight if stem in self.reader.weak else weight

    def read(self, text: str) -> Reading:
        """Read a text: correct typing errors towards words of names, find the names in it, weigh its words."""
        tokens = self.names.corrected(words(text))
        weights = [self.weight_of(token.stem) for token in tokens]
        total = sum(weights) or 1.0
        unknown = sum(weight for token, weight in zip(tokens, weights, strict=True) if not self.knows(token))
        content = [token for token in tokens if token.stem not in self._empty]
        return Reading(
            tuple(tokens),
            tuple(weights),
            tuple(self.names.spans(tokens)),
            unknown / total,
            len(content),
            sum(not self.knows(token) for token in content),
            text.strip(),
        )

    def topic_key(self, label: str) -> str:
        """Return the key of a topic as typed: the entry that it names, else its words without endings."""
        stems = tuple(token.stem for token in self.reader.read(label))
        found = self.names.named(stems)
        return found.id if found else self.key_of_words(label)

    def key_of_words(self, typed: str) -> str:
        """Return the words of a topic without endings, as the keys of topics are that name no entry."""
        return " ".join(token.stem for token in self.reader.read(typed))[:120]

    def topic_keys(self, reading: Reading, longest: int) -> list[str]:
        """Return the keys of topics that the text may name, longest first: names in it, and runs of its words."""
        inside_role = {
            at for span in reading.spans if span.entry_id in self.catalog.roles for at in range(span.start, span.stop)
        }
        keys = [span.entry_id for span in reading.spans if span.entry_id not in self.catalog.roles]
        stems = [token.stem for token in reading.tokens]
        for length in range(min(longest, len(stems)), 0, -1):
            for at in range(len(stems) - length + 1):
                run = stems[at : at + length]
                if (
                    run[0] in self.reader.stop
                    or run[-1] in self.reader.stop
                    or all(stem in self._empty for stem in run)
                ):
                    continue
                if not all(place in inside_role for place in range(at, at + length)):
                    keys.append(" ".join(run))
        return list(dict.fromkeys(keys))

    def fields(self, matches: Sequence[Match]) -> list[Match]:
        """Return roles alone, best first: a role fits as well as the best of what belongs to it."""
        best: dict[str, Match] = {}
        for match in matches:
            for role, share in _owners(match.entry):
                score = match.score * share
                if role not in best or score > best[role].score:
                    best[role] = Match(self.catalog.roles[role], score, match.evidence, match.entry)
        return sorted(best.values(), key=lambda match: (-match.score, match.entry.id))

    def knows(self, token: Token) -> bool:
        """Tell whether any entry uses the word."""
        return token.stem in self._vocabulary

    def match(self, reading: Reading, judgement: Judgement) -> list[Match]:
        """Return the entries that most speaks for, best first."""
        count = len(self._entries)
        named, share, body = np.zeros(count), np.zeros(count), np.zeros(count)
        total = reading.weight or 1.0
        for span in reading.spans:
            at = self._at[span.entry_id]
            weight = sum(reading.weights[span.start : span.stop])
            named[at] = max(named[at], span.strength)
            share[at] = max(share[at], weight / total * span.strength)
        weight_by_stem = {token.stem: weight for token, weight in zip(reading.tokens, reading.weights, strict=True)}
        text_weight = sum(weight_by_stem.values()) or 1.0
        common = np.zeros(len(self._phrase_weights))
        for stem, weight in weight_by_stem.items():
            if stem in self._by_word:
                common[self._by_word[stem]] += weight
            if stem in self._body and stem not in self.reader.stop:
                body += weight / text_weight * self._body[stem]
        beyond = BEYOND_TEXT * (text_weight - common) + BEYOND_PHRASE * (self._phrase_weights - common)
        near = common / np.maximum(common + beyond, 1e-9)
        phrase = np.maximum.reduceat(near, self._phrase_starts)
        # The nearest of each entry set aside, the next one is the second.
        nearest = near == np.repeat(phrase, self._phrase_counts)
        second = np.maximum.reduceat(np.where(nearest, 0.0, near), self._phrase_starts)
        learned = np.array([*judgement.entries.values()])[self._label_of_entry] * self._learned_share
        counts = self._balance
        scores = counts.named * named + counts.share * share + counts.phrase * phrase + counts.body * body
        scores += counts.learned * learned
        best = np.argsort(-scores, kind="stable")[:MOST]
        columns = (scores, named, share, phrase, second, body, learned)
        return [
            Match(self._entries[at], score, Evidence(*evidence), self._entries[at])
            for at, score, *evidence in zip(best.tolist(), *(column[best].tolist() for column in columns), strict=True)
        ]


def _owners(entry: AnyEntry) -> list[tuple[str, float]]:
    """Return the roles that an entry belongs to, with how much it speaks for each."""
    if isinstance(entry, Role):
        return [(entry.id, 1.0)]
    if isinstance(entry, Topic):
        return [(role, TOPIC_FIELD * FIELD_STEP**at) for at, role in enumerate(entry.roles)]
    return [(note.role, TOOL_FIELD * FIELD_STEP**at) for at, note in enumerate(entry.used_by)]


def texts(entry: AnyEntry) -> Iterator[tuple[str, float, bool]]:
    """Give every text of an entry with its weight in the body, and whether it stands as a phrase of its own."""
    yield entry.name, 4.0, True
    for name in entry.names:
        yield name, 3.0, True
    if isinstance(entry, Role):
        for title in entry.titles:
            yield title, 2.0, True
        for task in entry.tasks:
            yield task, 3.0, True
    if isinstance(entry, Topic):
        yield entry.question, 3.0, True
    if not isinstance(entry, Tool):
        for question in entry.questions:
            yield question, 1.5, True
    for statement in _statements(entry):
        yield statement.text, 1.0, False


def _statements(entry: AnyEntry) -> Iterable[Statement]:
    if isinstance(entry, Role):
        yield from (
            *entry.summary,
            *entry.responsibilities,
            *entry.skills,
            *entry.delivers,
            *entry.ask_about,
            *entry.decides,
        )
    elif isinstance(entry, Topic):
        yield from (*entry.answer, *entry.details)
    else:
        yield from (*entry.summary, *entry.used_by)
