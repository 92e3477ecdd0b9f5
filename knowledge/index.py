"""Understand a text: what kind of question it is, which entries fit it, and how sure each is."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

from knowledge.catalog import Catalog
from knowledge.classifier import Classifier, Judgement
from knowledge.confidence import FEW_WORDS, LITTLE, UNSURE, Confidence, Signals, Sureness, signals
from knowledge.finding import Finder
from knowledge.glossaries import load_glossaries
from knowledge.languages import Translator
from knowledge.matching import Match, Matcher
from knowledge.models import Role, Topic
from knowledge.questions import NAME_SIGN, ROLE_SIGN, Intent, Questions, Via, load_questions
from knowledge.reading import Reading
from knowledge.text import load_reader
from knowledge.weights import load_weights

LEAST_OF_TOPIC, LEAD_OF_TOPIC = 2.0, 2.0
"""From this score on, and so many times that of the best role, a topic is the answer where a role seems asked for."""
_REJECTS = re.compile(r"\b(?:not|\w*n't|nothing|except|besides|rather|instead|other|but|apart)\b", re.IGNORECASE)
"""Without one of these words a text rejects nothing."""
SEEKS_COLLEAGUE: Mapping[Via, float] = {"command": 1.0, "mention": -0.1, "dm": -0.1}
"""Above this, a text is taken for a search for a colleague; a command says so with "who"."""


@dataclass(frozen=True)
class Understanding:
    """Hold what a text was understood as."""

    intent: Intent
    reading: Reading
    judgement: Judgement
    matches: Sequence[Match]
    """The entries that anything speaks for, best first."""
    cues: Sequence[str]
    index: Index

    @cached_property
    def fields(self) -> Sequence[Match]:
        """Return roles alone, best first."""
        return self.index.matcher.fields(self.matches)

    @property
    def best(self) -> Match | None:
        """Return the match to show: a role where one is asked for or named, else whatever fits best."""
        named = [match for match in self.matches if match.named and isinstance(match.entry, Role)]
        if named and (self.intent.part or self.intent.facet in ("skills", "responsibilities", "example")):
            return named[0]
        if self.reading.content and self.reading.strange == self.reading.content and not self.reading.spans:
            return None  # not one word of it is known
        role_wanted = self.intent.wants_role and not self._asks_of_teams
        found = self.fields if role_wanted or self.intent.kind == "people" else self.matches
        return found[0] if found else None

    @property
    def _asks_of_teams(self) -> bool:
        """Tell whether a topic is asked for though a role seems to be: "who usually makes up an AI team?"."""
        first = self.matches[0] if self.matches else None
        if self.intent.kind != "knowledge" or first is None or not isinstance(first.entry, Topic):
            return False
        of_role = next((match.score for match in self.matches if isinstance(match.entry, Role)), 0.0)
        return first.score > max(LEAST_OF_TOPIC, LEAD_OF_TOPIC * of_role)

    def signals(self, match: Match) -> Signals:
        """Return what the confidence in a match is computed from."""
        return signals(match, self.matches, self.reading, self.intent, self.judgement, self.cues)

    def sureness(self, match: Match) -> Sureness:
        """Return how likely it is that the text is ours to answer, and that the match is right."""
        found = self.index.confidence.of(self.signals(match))
        says_little = not match.named and self.reading.weight < LITTLE and len(self.reading.tokens) <= FEW_WORDS
        if not says_little:
            return found
        # Offered at most; a hair above the threshold, or the product of the two may be rounded to just below it.
        return replace(found, right=min(found.right, UNSURE * (1 + 1e-9) / max(found.ours, UNSURE)))

    def of_field(self, match: Match) -> float:
        """Return how likely it is that the text lies in the field of a role, whether it is ours to answer or not."""
        return self.index.confidence.of_field(self.signals(match))

    def sure(self, match: Match) -> float:
        """Return how likely it is that the match is what was meant, from 0 to 1."""
        return self.sureness(match).confidence


class Index:
    """Hold all that reads questions; built once, read by every question."""

    def __init__(self, matcher: Matcher, questions: Questions, weights: Mapping[str, Any]) -> None:
        self.matcher = matcher
        self.questions = questions
        self.classifier = Classifier(weights["classifier"], matcher.catalog)
        self.confidence = Confidence(weights["confidence"])

    @cached_property
    def finder(self) -> Finder:
        """Return what finds entries by what somebody types into a search box."""
        return Finder(self.matcher.catalog)

    def without_rejected(self, text: str) -> str:
        """Leave out the names that a text says it is not about: "a data engineer, not a data scientist"."""
        if not _REJECTS.search(text):
            return text
        reading = self.matcher.read(self.questions.plain(text)[0])
        typed = [token.typed for token in reading.tokens]
        for span in reversed(reading.spans):
            sign = ROLE_SIGN if span.entry_id in self.matcher.catalog.roles else NAME_SIGN
            typed[span.start : span.stop] = [sign + " ".join(typed[span.start : span.stop]) + sign]
        marked = " ".join(typed)
        kept = self.questions.without_rejected(marked)
        # A text that rejects nothing stays as it was typed, signs and all.
        return (
            text
            if kept == marked
            else kept.replace(ROLE_SIGN, "").replace(NAME_SIGN, "") + ("?" if reading.asks else "")
        )

    def understand(self, text: str, via: Via = "mention") -> Understanding:
        """Read a text, judge it, and rank the entries for it."""
        plain, bare = self.questions.plain(text)
        reading = self.matcher.read(plain)
        cues = self.questions.cues(bare)
        judgement = self.classifier.judge(reading, cues)
        roles = {span.entry_id for span in reading.spans if span.entry_id in self.matcher.catalog.roles}
        # "Who codes more, a data scientist or a data engineer?"
        compares = judgement.facet == "compare" and len(roles) == 2
        seeks_colleague = judgement.people > SEEKS_COLLEAGUE[via] and not compares
        intent = self.questions.understand(text, via, seeks_colleague=seeks_colleague, facet=judgement.facet)
        if intent.text != bare:
            reading = self.matcher.read(intent.text)
        return Understanding(intent, reading, judgement, self.matcher.match(reading, judgement), cues, self)


def load_matcher(catalog: Catalog) -> Matcher:
    """Build the search index over the catalog."""
    return Matcher(catalog, load_reader())


def load_index(catalog: Catalog) -> Index:
    """Build what reads questions over the bundled content."""
    return Index(load_matcher(catalog), load_questions(), load_weights())


def load_translator(matcher: Matcher) -> Translator:
    """Build what reads questions in other languages: the glossaries, less the words that English has too."""
    reader = matcher.reader

    def is_english(word: str) -> bool:
        token = reader.tokens([word])[0]
        # "Suche" ends up as "such": a small word counts as it is written.
        forms = (word.removesuffix(ending) for ending in ("", "s", "ed", "ing"))
        small = token.stem in reader.stop
        return any(form in reader.stop_words for form in forms) if small else matcher.knows(token)

    return Translator(load_glossaries(), is_english, is_small=reader.stop_words.__contains__)
