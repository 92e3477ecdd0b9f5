"""Read a text against the catalog's names: correct typing errors, find the names in it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

from rapidfuzz import process
from rapidfuzz.distance import OSA

from knowledge.catalog import AnyEntry, Catalog
from knowledge.errors import ContentError
from knowledge.models import Role
from knowledge.text import Reader, Token, key_of, words

LONGEST_NAME = 8
TITLE_STRENGTH = 0.95
LONG, CERTAIN = 8, 9
"""Letters from which on a mistyped word is corrected though it stands alone, and wherever it stands."""


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

    text: str
    """The text as it was read, in lower case."""

    @property
    def asks(self) -> bool:
        """Tell whether the text ends in a question mark."""
        return self.text.endswith("?")

    @property
    def weight(self) -> float:
        """Return the weight of all words together."""
        return sum(self.weights)

    @property
    def beside(self) -> float:
        """Return the share of the text's weight that stands beside the names in it."""
        named = sum(sum(self.weights[span.start : span.stop]) for span in self.spans)
        return 1 - named / (self.weight or 1.0)


class Names:
    """Hold every name, other name and job title of the catalog; built once.

    ``knows`` tells whether any entry uses a word. Raises ContentError where two entries have names that differ only in
    endings or spelling.
    """

    def __init__(self, catalog: Catalog, reader: Reader, knows: Callable[[Token], bool]) -> None:
        self._catalog = catalog
        self._reader = reader
        self._knows = knows
        self._nearest_word = lru_cache(maxsize=10_000)(self._find_nearest_word)
        self._names: dict[tuple[str, ...], tuple[AnyEntry, str]] = {}
        problems: list[str] = []
        for entry in catalog:
            for kind, names in (("title", _titles(entry)), ("name", (entry.name, *entry.names))):
                for name in names:
                    stems = tuple(token.stem for token in reader.read(name))
                    if stems and self._names.setdefault(stems, (entry, kind))[0] is not entry:
                        problems.append(f"{entry.id}: the name {name!r} leads to {self._names[stems][0].id} already")
        if problems:
            raise ContentError(problems)
        self._starts = {name[0] for name in self._names}
        all_names = [name for entry in catalog for name in (entry.name, *entry.names)]
        all_titles = [title for entry in catalog for title in _titles(entry)]
        self._name_words = sorted(
            {word for name in (*all_names, *all_titles) for word in words(name) if len(word) >= 4}
        )
        self._split_names = {
            "".join(parts): tuple(parts)
            for name in all_names
            if len(parts := words(name)) > 1 and len("".join(parts)) >= LONG
        }
        self._questions = {
            key_of(question): topic
            for topic in catalog.topics.values()
            for question in (topic.question, *topic.questions)
        }

    def named(self, stems: Sequence[str]) -> AnyEntry | None:
        """Return the entry that has a name with exactly these stems."""
        found = self._names.get(tuple(stems))
        return found[0] if found else None

    def is_title(self, reading: Reading, span: Span) -> bool:
        """Tell whether a role is called there as whoever holds it is, not by its work: "prompt engineer", "prompts"."""
        role = self._catalog.roles.get(span.entry_id)
        said = [token.stem for token in reading.tokens[span.start : span.stop]]
        return role is not None and (
            span.kind == "title"
            or any(said == [token.stem for token in self._reader.read(name)] for name in (role.name, role.short))
        )

    def named_exactly(self, text: str) -> AnyEntry | None:
        """Return the entry whose name, or whose question, the whole text is, typing errors and seniority aside."""
        typed = words(text)
        asked = self._catalog.entry(text.strip()) or self._questions.get(" ".join(typed))
        if asked is not None:
            return asked
        tokens = self.corrected(typed)
        while (found := self.named([token.stem for token in tokens])) is None:
            if len(tokens) < 2 or tokens[0].stem not in self._reader.seniority:
                return None
            tokens = tokens[1:]
        return found

    def named_alone(self, reading: Reading) -> AnyEntry | None:
        """Return the entry that the text names and says nothing else about: "what is LangChain?"."""
        stems = [token.stem for token in reading.tokens]
        stop = self._reader.stop
        first = next((at for at, stem in enumerate(stems) if stem not in stop), len(stems))
        last = next((at for at in range(len(stems), 0, -1) if stems[at - 1] not in stop), 0)
        # The words around may be part of the name: "Why generative AI needs databases".
        for start in range(first + 1):
            for end in range(len(stems), max(last, start) - 1, -1):
                found = self.named(stems[start:end])
                if found is not None:
                    return found
        return None

    def corrected(self, typed: Sequence[str]) -> list[Token]:
        """Read words; names typed as one word are taken apart, mistyped words read as the nearest word of a name.

        A correction stands only where it completes a name of several words, is long enough to leave little doubt, or
        is all that was typed: "lawyer" inside a sentence is not a mistyped "layer". An everyday word is one only in the
        first case.
        """
        typed = [part for word in typed for part in self._split(word)]
        near = [self._nearest_word(word) for word in typed]
        if not any(near):
            return self._reader.tokens(typed)
        corrected = [found[0] if found else word for word, found in zip(typed, near, strict=True)]
        tokens = self._reader.tokens(corrected)
        alone = sum(token.stem not in self._reader.stop for token in tokens) == 1
        spans = list(self.spans(tokens))
        completed = {
            word
            for span in spans
            if span.stop - span.start > 1
            for token in tokens[span.start : span.stop]
            for word in token.typed.split()
        }
        named_alone = {word for span in spans if alone for word in tokens[span.start].typed.split()}

        def stands(word: str, read_as: str, distance: int) -> bool:
            if word in self._reader.everyday:
                # "Evolution" is no mistyped "evaluation", but "jupiter notebook" is Jupyter's.
                return read_as in completed
            if read_as in completed or read_as in named_alone:
                return not alone or len(read_as) >= LONG or distance == 1
            return len(read_as) >= CERTAIN

        return self._reader.tokens(
            [found[0] if found and stands(word, *found) else word for word, found in zip(typed, near, strict=True)]
        )

    def _split(self, word: str) -> tuple[str, ...]:
        known = self._knows(self._reader.tokens([word])[0])
        return (word,) if known else self._split_names.get(word, (word,))

    def _find_nearest_word(self, word: str) -> tuple[str, int] | None:
        """Return the word of a name that is nearest to one that nothing knows, with its distance."""
        if len(word) < 4 or not word.isascii() or not word.isalpha():
            return None
        if self._knows(self._reader.tokens([word])[0]):
            return None
        most = 1 if len(word) < 6 else 2
        found = process.extractOne(word, self._name_words, scorer=OSA.distance, score_cutoff=most)
        return (str(found[0]), int(found[1])) if found and found[0][0] == word[0] else None

    def spans(self, tokens: Sequence[Token]) -> Iterator[Span]:
        """Give the names in a text, longest first where they overlap."""
        stems = [token.stem for token in tokens]
        at = 0
        while at < len(stems):
            if stems[at] in self._starts:
                for length in range(min(LONGEST_NAME, len(stems) - at), 0, -1):
                    found = self._names.get(tuple(stems[at : at + length]))
                    if found is not None:
                        entry, kind = found
                        strength = TITLE_STRENGTH if kind == "title" else 1.0
                        yield Span(at, at + length, entry.id, kind, strength)
                        at += length - 1
                        break
            at += 1


def _titles(entry: AnyEntry) -> tuple[str, ...]:
    return entry.titles if isinstance(entry, Role) else ()
