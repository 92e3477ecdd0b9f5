"""Rank the entries of the catalog for a text.

Three kinds of evidence are put together:

- names: an entry's name, other names and job titles, found word for word in the text (endings and typing errors aside);
- phrases: the tasks and questions written beside each entry; the nearest one counts (Tversky's index over words
  weighted by how few entries use them, https://en.wikipedia.org/wiki/Tversky_index);
- body: all words of the entry (BM25, https://en.wikipedia.org/wiki/Okapi_BM25).

Every threshold stands in this file.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from math import log

from rapidfuzz import process
from rapidfuzz.distance import OSA

from knowledge.catalog import AnyEntry, Catalog
from knowledge.models import Role, Statement, Tool, Topic
from knowledge.text import Reader, Token, words

SURE = 0.5
"""From this confidence on, an entry is shown as the answer."""
UNSURE = 0.28
"""From this confidence on, an entry is offered as a candidate."""

STOP_WEIGHT = 0.02
WEAK_WEIGHT = 0.25
LONGEST_NAME = 8
# Tversky's index: what the text has beyond the phrase counts more than what the phrase has beyond the text.
BEYOND_TEXT = 0.55
BEYOND_PHRASE = 0.30
BM25_K = 1.2
BM25_B = 0.4
TITLE_STRENGTH = 0.95
CERTAIN_LENGTH = 9
TOPIC_FIELD = 0.85
TOOL_FIELD = 0.95


@dataclass(frozen=True)
class Span:
    """Mark words of the text that are a name of an entry."""

    start: int
    stop: int
    entry_id: str
    kind: str
    """``name`` or ``title``."""
    strength: float
    """1 for a name typed as it is written, less with typing errors."""


@dataclass(frozen=True)
class Match:
    """Hold an entry with its confidence from 0 to 1."""

    entry: AnyEntry
    confidence: float
    named: bool
    """The text holds a name of the entry word for word."""


@dataclass(frozen=True)
class Reading:
    """Hold a text as the matcher reads it."""

    tokens: tuple[Token, ...]
    weights: tuple[float, ...]
    spans: tuple[Span, ...]
    unknown: float
    """The share of the text's weight in words that no entry uses."""

    content: int
    """How many words say something about a subject."""

    @property
    def weight(self) -> float:
        """Return the weight of all words together."""
        return sum(self.weights)

    @property
    def beside(self) -> float:
        """Return the share of the text's weight that stands beside the names in it."""
        named = sum(sum(self.weights[span.start : span.stop]) for span in self.spans)
        return 1 - named / (self.weight or 1.0)


@dataclass
class _Phrase:
    entry: int
    stems: tuple[str, ...]
    weight: float = 0.0


@dataclass
class _Evidence:
    name: float = 0.0
    share: float = 0.0
    phrase: float = 0.0
    second: float = 0.0
    body: float = 0.0
    features: dict[str, float] = field(default_factory=dict)


class Matcher:
    """Hold the catalog's search index; built once, read by every question."""

    def __init__(self, catalog: Catalog, reader: Reader) -> None:
        self.catalog = catalog
        self.reader = reader
        self._entries: list[AnyEntry] = list(catalog)
        self._at = {entry.id: at for at, entry in enumerate(self._entries)}
        self._names: dict[tuple[str, ...], tuple[int, str]] = {}
        phrases: list[_Phrase] = []
        bodies: list[dict[str, float]] = []
        for at, entry in enumerate(self._entries):
            counts: dict[str, float] = defaultdict(float)
            for text, weight, is_phrase in _texts(entry):
                stems = [token.stem for token in reader.read(text)]
                for stem in stems:
                    counts[stem] += weight
                if is_phrase and stems:
                    phrases.append(_Phrase(at, tuple(dict.fromkeys(stems))))
            bodies.append(counts)
            for kind, names in (
                ("title", entry.titles if isinstance(entry, Role) else ()),
                ("name", (entry.name, *entry.names)),
            ):
                for name in names:
                    stems_of = tuple(token.stem for token in reader.read(name))
                    if stems_of:
                        self._names[stems_of] = (at, kind)
        self._idf = self._rarity(bodies)
        self._rarest = max(self._idf.values())
        self._body = self._bm25(bodies)
        self._by_word: dict[str, list[int]] = defaultdict(list)
        self._phrases = phrases
        for number, phrase in enumerate(phrases):
            phrase.weight = sum(self.weight_of(stem) for stem in phrase.stems)
            for stem in phrase.stems:
                if stem not in reader.stop:
                    self._by_word[stem].append(number)
        self._name_words = sorted(
            {
                word
                for entry in self._entries
                for name in (entry.name, *entry.names, *(entry.titles if isinstance(entry, Role) else ()))
                for word in words(name)
                if len(word) >= 4
            }
        )
        self._vocabulary = set(self._idf) | reader.stop | reader.weak
        self._starts = {name[0] for name in self._names}

    def _rarity(self, bodies: Sequence[Mapping[str, float]]) -> dict[str, float]:
        counts: dict[str, int] = defaultdict(int)
        for body in bodies:
            for stem in body:
                counts[stem] += 1
        return {stem: log(1 + len(bodies) / count) for stem, count in counts.items()}

    def _bm25(self, bodies: Sequence[Mapping[str, float]]) -> dict[str, list[tuple[int, float]]]:
        lengths = [sum(body.values()) for body in bodies]
        mean = sum(lengths) / len(lengths)
        index: dict[str, list[tuple[int, float]]] = defaultdict(list)
        for at, body in enumerate(bodies):
            norm = BM25_K * (1 - BM25_B + BM25_B * lengths[at] / mean)
            for stem, count in body.items():
                # Saturated to at most 1, so that a text's body score is the share of its weight that the entry explains.
                index[stem].append((at, count / (count + norm)))
        return index

    def weight_of(self, stem: str) -> float:
        """Return how much a word says: nothing for "the", most for a word that one entry alone uses."""
        if stem in self.reader.stop:
            return STOP_WEIGHT
        weight = self._idf.get(stem, self._rarest)
        return WEAK_WEIGHT * weight if stem in self.reader.weak else weight

    def read(self, text: str) -> Reading:
        """Read a text: correct typing errors towards words of names, find the names in it, weigh its words."""
        tokens = self._corrected(words(text))
        weights = [self.weight_of(token.stem) for token in tokens]
        total = sum(weights) or 1.0
        unknown = sum(
            weight for token, weight in zip(tokens, weights, strict=True) if token.stem not in self._vocabulary
        )
        empty = self.reader.stop | self.reader.weak
        content = sum(token.stem not in empty for token in tokens)
        return Reading(tuple(tokens), tuple(weights), tuple(self._spans(tokens)), unknown / total, content)

    def topic_key(self, label: str) -> str:
        """Return the key of a topic as typed: the entry that it names, else its words without endings."""
        stems = tuple(token.stem for token in self.reader.read(label))
        found = self._names.get(stems)
        return self._entries[found[0]].id if found else " ".join(stems)[:120]

    def topic_keys(self, reading: Reading, longest: int) -> list[str]:
        """Return the keys of topics that the text may name, longest first: names in it, and runs of its words."""
        inside_role = {
            at for span in reading.spans if span.entry_id in self.catalog.roles for at in range(span.start, span.stop)
        }
        keys = [span.entry_id for span in reading.spans if span.entry_id not in self.catalog.roles]
        empty = self.reader.stop | self.reader.weak
        stems = [token.stem for token in reading.tokens]
        for length in range(min(longest, len(stems)), 0, -1):
            for at in range(len(stems) - length + 1):
                run = stems[at : at + length]
                if run[0] in self.reader.stop or run[-1] in self.reader.stop or all(stem in empty for stem in run):
                    continue
                if not all(place in inside_role for place in range(at, at + length)):
                    keys.append(" ".join(run))
        return list(dict.fromkeys(keys))

    def fields(self, matches: Sequence[Match]) -> list[Match]:
        """Return roles alone, best first: a role fits as well as the best of what belongs to it."""
        best: dict[str, Match] = {}
        for match in matches:
            owners = (
                [(match.entry.id, 1.0)]
                if isinstance(match.entry, Role)
                else [(role, TOPIC_FIELD * 0.9**at) for at, role in enumerate(match.entry.roles)]
                if isinstance(match.entry, Topic)
                else [(note.role, TOOL_FIELD * 0.9**at) for at, note in enumerate(match.entry.used_by)]
            )
            for role, share in owners:
                value = match.confidence * share
                if role not in best or value > best[role].confidence:
                    named = match.named and isinstance(match.entry, Role)
                    best[role] = Match(self.catalog.roles[role], value, named)
        return sorted(best.values(), key=lambda match: (-match.confidence, match.entry.id))

    def _corrected(self, typed: Sequence[str]) -> list[Token]:
        """Read words, mistyped ones as the nearest word of a name, where that makes a name.

        A correction stands only where it completes a name of several words, is long enough to leave little doubt, or
        is all that was typed: "lawyer" inside a sentence is not a mistyped "layer".
        """
        near = [self._nearest_word(word) for word in typed]
        if not any(near):
            return self.reader.tokens(typed)
        tokens = self.reader.tokens([right or word for word, right in zip(typed, near, strict=True)])
        content = [token for token in tokens if token.stem not in self.reader.stop]
        corrected = {right for right in near if right and len(right) < CERTAIN_LENGTH}
        for span in self._spans(tokens):
            if span.stop - span.start > 1 or len(content) == 1:
                for token in tokens[span.start : span.stop]:
                    corrected -= set(token.typed.split())
        return self.reader.tokens(
            [right if right and right not in corrected else word for word, right in zip(typed, near, strict=True)]
        )

    def _nearest_word(self, word: str) -> str | None:
        if len(word) < 4 or not word.isascii() or not word.isalpha():
            return None
        if self.reader.tokens([word])[0].stem in self._vocabulary:
            return None
        most = 1 if len(word) < 7 else 2
        found = process.extractOne(word, self._name_words, scorer=OSA.distance, score_cutoff=most)
        return str(found[0]) if found and found[0][0] == word[0] else None

    def _spans(self, tokens: Sequence[Token]) -> Iterator[Span]:
        stems = [token.stem for token in tokens]
        at = 0
        while at < len(stems):
            if stems[at] in self._starts:
                for length in range(min(LONGEST_NAME, len(stems) - at), 0, -1):
                    found = self._names.get(tuple(stems[at : at + length]))
                    if found is not None:
                        entry, kind = found
                        strength = TITLE_STRENGTH if kind == "title" else 1.0
                        yield Span(at, at + length, self._entries[entry].id, kind, strength)
                        at += length - 1
                        break
            at += 1

    def match(self, reading: Reading, kinds: tuple[type, ...] = (Role, Topic, Tool)) -> list[Match]:
        """Return the entries that have any evidence for them, best first."""
        evidence = self.evidence(reading)
        found = [
            Match(entry, confidence(proof, reading), proof.name > 0)
            for at, proof in evidence.items()
            if isinstance(entry := self._entries[at], kinds)
        ]
        return sorted(found, key=lambda match: (-match.confidence, match.entry.id))

    def evidence(self, reading: Reading) -> dict[int, _Evidence]:
        """Collect what speaks for each entry."""
        evidence: dict[int, _Evidence] = defaultdict(_Evidence)
        total = reading.weight or 1.0
        for span in reading.spans:
            proof = evidence[self._at[span.entry_id]]
            weight = sum(reading.weights[span.start : span.stop])
            proof.name = max(proof.name, span.strength)
            proof.share = max(proof.share, weight / total * span.strength)
        weight_by_stem = {token.stem: weight for token, weight in zip(reading.tokens, reading.weights, strict=True)}
        text_weight = sum(weight_by_stem.values()) or 1.0
        common: dict[int, float] = defaultdict(float)
        for stem, weight in weight_by_stem.items():
            for number in self._by_word.get(stem, ()):
                common[number] += weight
            if stem not in self.reader.stop:
                for at, saturation in self._body.get(stem, ()):
                    evidence[at].body += weight * saturation / text_weight
        for number, both in common.items():
            phrase = self._phrases[number]
            score = both / (both + BEYOND_TEXT * (text_weight - both) + BEYOND_PHRASE * (phrase.weight - both))
            proof = evidence[phrase.entry]
            if score > proof.phrase:
                proof.phrase, proof.second = score, proof.phrase
            elif score > proof.second:
                proof.second = score
        return evidence


def confidence(proof: _Evidence, reading: Reading) -> float:
    """Fuse the evidence for one entry into one number from 0 to 1."""
    fused = 0.55 * proof.phrase + 0.15 * proof.second + 0.45 * proof.body
    if proof.name:
        fused = max(
            fused, 0.35 * proof.name + 0.65 * proof.share, 0.5 * proof.name * (1 - reading.unknown) + 0.5 * fused
        )
    return min(1.0, fused)


def _texts(entry: AnyEntry) -> Iterator[tuple[str, float, bool]]:
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
