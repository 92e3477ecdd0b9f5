"""Rank the entries of the catalog for a text.

Three kinds of evidence are put together:

- names: an entry's name, other names and job titles, found word for word in the text (endings and typing errors aside);
- phrases: the tasks and questions written beside each entry; the nearest one counts (Tversky's index over words
  weighted by how few entries use them, https://en.wikipedia.org/wiki/Tversky_index);
- body: all words of the entry (BM25, https://en.wikipedia.org/wiki/Okapi_BM25).

How sure a match is, is said apart from its place in the order: see knowledge/confidence.py.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import log

from rapidfuzz import process
from rapidfuzz.distance import OSA

from knowledge.catalog import AnyEntry, Catalog
from knowledge.errors import ContentError
from knowledge.models import Role, Statement, Tool, Topic
from knowledge.text import Reader, Token, key_of, words

STOP_WEIGHT = 0.02
WEAK_WEIGHT = 0.25
LONGEST_NAME = 8
# Tversky's index: what the text has beyond the phrase counts more than what the phrase has beyond the text.
BEYOND_TEXT = 0.55
BEYOND_PHRASE = 0.30
BM25_K = 1.2
BM25_B = 0.4
TITLE_STRENGTH = 0.95
LONG, CERTAIN = 8, 9
"""Letters from which on a mistyped word is corrected though it stands alone, and wherever it stands."""

# How the evidence is put together; found on the development questions (tests/evals).
NEAREST_PHRASE, SECOND_PHRASE, BODY = 1.1, 0.65, 0.3
NAMED, NAME_SHARE = 0.5, 1.0
TOPIC_FIELD, TOOL_FIELD = 0.6, 0.75
"""A topic or tool speaks for the first of its roles by this much, by a tenth less for each next one."""
FIELD_STEP = 0.9


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

    @property
    def score(self) -> float:
        """Put the evidence together; the scale means nothing but order."""
        told = NEAREST_PHRASE * self.phrase + SECOND_PHRASE * self.second + BODY * self.body
        return max(told, NAMED * self.named + NAME_SHARE * self.share) if self.named else told


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
    strange: int
    """How many of these no entry uses."""

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


class Matcher:
    """Hold the catalog's search index; built once, read by every question.

    Raises ContentError where two entries have names that differ only in endings or spelling.
    """

    def __init__(self, catalog: Catalog, reader: Reader) -> None:
        self.catalog = catalog
        self.reader = reader
        self._entries: list[AnyEntry] = list(catalog)
        self._at = {entry.id: at for at, entry in enumerate(self._entries)}
        self._names: dict[tuple[str, ...], tuple[int, str]] = {}
        problems: list[str] = []
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
                    if stems_of and self._names.setdefault(stems_of, (at, kind))[0] != at:
                        other = self._entries[self._names[stems_of][0]]
                        problems.append(f"{entry.id}: the name {name!r} leads to {other.id} already")
        if problems:
            raise ContentError(problems)
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
        self._questions = {
            key_of(question): topic
            for topic in catalog.topics.values()
            for question in (topic.question, *topic.questions)
        }
        self._split_names = {
            "".join(parts): tuple(parts)
            for entry in self._entries
            for name in (entry.name, *entry.names)
            if len(parts := words(name)) > 1 and len("".join(parts)) >= LONG
        }
        self._vocabulary = set(self._idf) | reader.stop | reader.weak
        self._empty = reader.stop | reader.weak
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
                # At most 1, so that a text's body score is the share of its weight that the entry explains.
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
        unknown = sum(weight for token, weight in zip(tokens, weights, strict=True) if not self.knows(token))
        content = [token for token in tokens if token.stem not in self._empty]
        return Reading(
            tuple(tokens),
            tuple(weights),
            tuple(self._spans(tokens)),
            unknown / total,
            len(content),
            sum(not self.knows(token) for token in content),
        )

    def named_exactly(self, text: str) -> AnyEntry | None:
        """Return the entry whose name, or whose question, the whole text is, typing errors and seniority aside."""
        asked = self.catalog.entry(text.strip()) or self._questions.get(key_of(text))
        if asked is not None:
            return asked
        tokens = self._corrected(words(text))
        while len(tokens) > 1 and tokens[0].stem in self.reader.seniority:
            tokens = tokens[1:]
        found = self._names.get(tuple(token.stem for token in tokens))
        return self._entries[found[0]] if found else None

    def named_alone(self, reading: Reading) -> AnyEntry | None:
        """Return the entry that the text names and says nothing else about: "what is LangChain?"."""
        stems = [token.stem for token in reading.tokens]
        stop = self.reader.stop
        first = next((at for at, stem in enumerate(stems) if stem not in stop), len(stems))
        last = next((at for at in range(len(stems), 0, -1) if stems[at - 1] not in stop), 0)
        # The words around may be part of the name: "Why generative AI needs databases".
        for start in range(first + 1):
            for end in range(len(stems), max(last, start) - 1, -1):
                found = self._names.get(tuple(stems[start:end]))
                if found is not None:
                    return self._entries[found[0]]
        return None

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

    def _corrected(self, typed: Sequence[str]) -> list[Token]:
        """Read words; names typed as one word are taken apart, mistyped words read as the nearest word of a name.

        A correction stands only where it completes a name of several words, is long enough to leave little doubt, or
        is all that was typed: "lawyer" inside a sentence is not a mistyped "layer".
        """
        typed = [part for word in typed for part in self._split(word)]
        near = [self._nearest_word(word) for word in typed]
        if not any(near):
            return self.reader.tokens(typed)
        corrected = [found[0] if found else word for word, found in zip(typed, near, strict=True)]
        tokens = self.reader.tokens(corrected)
        alone = sum(token.stem not in self.reader.stop for token in tokens) == 1
        confirmed = {
            word
            for span in self._spans(tokens)
            if span.stop - span.start > 1 or alone
            for token in tokens[span.start : span.stop]
            for word in token.typed.split()
        }

        def stands(found: tuple[str, int]) -> bool:
            word, distance = found
            if word in confirmed and (not alone or len(word) >= LONG or distance == 1):
                return True
            return len(word) >= CERTAIN

        return self.reader.tokens(
            [found[0] if found and stands(found) else word for word, found in zip(typed, near, strict=True)]
        )

    def _split(self, word: str) -> tuple[str, ...]:
        known = self.knows(self.reader.tokens([word])[0])
        return (word,) if known else self._split_names.get(word, (word,))

    def _nearest_word(self, word: str) -> tuple[str, int] | None:
        """Return the word of a name that is nearest to one that nothing knows, with its distance."""
        if len(word) < 4 or not word.isascii() or not word.isalpha():
            return None
        if self.knows(self.reader.tokens([word])[0]):
            return None
        most = 1 if len(word) < 6 else 2
        found = process.extractOne(word, self._name_words, scorer=OSA.distance, score_cutoff=most)
        return (str(found[0]), int(found[1])) if found and found[0][0] == word[0] else None

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

    def match(self, reading: Reading) -> list[Match]:
        """Return the entries that anything speaks for, best first."""
        found = [
            Match(self._entries[at], proof.score, proof, self._entries[at])
            for at, proof in self.evidence(reading).items()
        ]
        return sorted(found, key=lambda match: (-match.score, match.entry.id))

    def evidence(self, reading: Reading) -> dict[int, Evidence]:
        """Collect what speaks for each entry."""
        evidence: dict[int, Evidence] = defaultdict(Evidence)
        total = reading.weight or 1.0
        for span in reading.spans:
            proof = evidence[self._at[span.entry_id]]
            weight = sum(reading.weights[span.start : span.stop])
            proof.named = max(proof.named, span.strength)
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


def _owners(entry: AnyEntry) -> list[tuple[str, float]]:
    """Return the roles that an entry belongs to, with how much it speaks for each."""
    if isinstance(entry, Role):
        return [(entry.id, 1.0)]
    if isinstance(entry, Topic):
        return [(role, TOPIC_FIELD * FIELD_STEP**at) for at, role in enumerate(entry.roles)]
    return [(note.role, TOOL_FIELD * FIELD_STEP**at) for at, note in enumerate(entry.used_by)]


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
