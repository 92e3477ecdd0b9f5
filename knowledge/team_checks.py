"""What an entry or an alias of a workspace must be like: said field by field, for forms and for lines of a file."""

from __future__ import annotations

from collections.abc import Sequence

from knowledge.matching import Matcher
from knowledge.team import (
    LONGEST_ANSWER,
    LONGEST_NAME,
    LONGEST_QUESTION,
    LONGEST_TOPIC,
    MOST_ALIASES,
    MOST_ENTRIES,
    MOST_NAMES,
    MOST_ROLES,
    MOST_TOPICS,
    Alias,
    Known,
    TeamEntry,
)
from knowledge.text import key_of

Problems = dict[str, str]
"""What is wrong, by field."""
Stems = tuple[str, ...]


class Checker:
    """Check entries and aliases against what the workspace knows; what was checked and fits counts as known."""

    def __init__(self, known: Known, matcher: Matcher) -> None:
        self._matcher = matcher
        self._catalog = matcher.catalog
        self._names: dict[Stems, TeamEntry] = {}
        self._questions: dict[str, TeamEntry] = {}
        self._aliases: dict[Stems, Alias] = {}
        self._spelled: set[str] = set()
        self._ids: set[str] = set()
        self._stems_of: dict[str, list[Stems]] = {}
        self._question_of: dict[str, str] = {}
        for entry in known.entries:
            self._take(entry)
        for alias in known.aliases:
            self._aliases[self._stems(alias.name)] = alias
            self._spelled.add(key_of(alias.name))

    def entry_named(self, name: str) -> TeamEntry | None:
        """Return the entry, retired ones aside, that has such a name."""
        return self._names.get(self._stems(name))

    def entry(self, entry: TeamEntry) -> Problems:
        """Return what is wrong with an entry; nothing of it is known yet, or an older form by the same id."""
        problems: Problems = {}
        if not self._stems(entry.name):
            problems["name"] = "A name is needed, of a word or two."
        elif len(entry.name) > LONGEST_NAME:
            problems["name"] = f"A name has at most {LONGEST_NAME} letters."
        self._check_list("names", entry.names, MOST_NAMES, LONGEST_NAME, problems)
        self._check_list("topics", entry.topics, MOST_TOPICS, LONGEST_TOPIC, problems)
        for field, text, longest in (
            ("question", entry.question, LONGEST_QUESTION),
            ("answer", entry.answer, LONGEST_ANSWER),
        ):
            if len(text) > longest:
                problems[field] = f"That is {len(text):,} letters; at most {longest:,} fit."
        unknown = next((role for role in entry.roles if role not in self._catalog.roles), None)
        if unknown is not None:
            problems["roles"] = f"There is no role {unknown[:60]!r}."
        elif len(entry.roles) > MOST_ROLES:
            problems["roles"] = f"These are {len(entry.roles)} roles; at most {MOST_ROLES} fit."
        elif not entry.answer and not entry.roles:
            problems["roles"] = "Without an answer, say at least whose field it is."
        for field, texts in (("name", (entry.name,)), ("names", entry.names)):
            for name in texts:
                taken = self._taken(name, entry.id)
                if taken:
                    problems.setdefault(field, taken)
        same = self._questions.get(key_of(entry.question)) if entry.question else None
        if same is not None and same.id != entry.id:
            problems.setdefault("question", f"“{same.name}” answers that question already.")
        texts = (entry.name, *entry.names, entry.question, entry.answer, *entry.topics)
        if any("\0" in text for text in texts):
            problems.setdefault("name", "A sign in it is no text.")
        if entry.id not in self._ids and len(self._ids) >= MOST_ENTRIES:
            problems.setdefault("name", f"Your team has {MOST_ENTRIES:,} entries; no more fit.")
        if not problems:
            self._take(entry)
        return problems

    def alias(self, alias: Alias) -> Problems:
        """Return what is wrong with a word for a bundled entry; one that is there already may lead elsewhere."""
        stems, name = self._stems(alias.name), alias.name
        there = self._aliases.get(stems)
        reader = self._matcher.reader
        bundled = self._matcher.names.named([token.stem for token in reader.read(name)]) or self._catalog.entry(name)
        problems: Problems = {}
        if not stems or "\0" in name:
            problems["name"] = "A word is needed, with letters in it."
        elif len(name) > LONGEST_NAME:
            problems["name"] = f"A word has at most {LONGEST_NAME} letters."
        elif all(stem in reader.stop or stem in reader.weak for stem in stems):
            problems["name"] = "That word stands in too many questions to lead anywhere."
        elif bundled is not None:
            problems["name"] = f"That names {bundled.name} already."
        elif stems in self._names:
            problems["name"] = f"Your team's entry “{self._names[stems].name}” has that name."
        elif there is not None and key_of(name) not in self._spelled:
            problems["name"] = f"“{there.name}” is your team's word for {self._meant(there)}, in any form."
        elif there is None and len(self._aliases) >= MOST_ALIASES:
            problems["name"] = f"Your team has {MOST_ALIASES:,} such words; no more fit."
        if self._catalog.entry(alias.entry_id) is None:
            problems["entry_id"] = "Choose what the word stands for: a role, a tool or a subject that I know."
        if not problems:
            self._aliases[stems] = alias
            self._spelled.add(key_of(name))
        return problems

    def _take(self, entry: TeamEntry) -> None:
        """Count the entry as known, in place of its older form; the names of retired ones are free again."""
        for stems in self._stems_of.pop(entry.id, ()):
            self._names.pop(stems, None)
        self._questions.pop(self._question_of.pop(entry.id, ""), None)
        self._ids.add(entry.id)
        if entry.state == "retired":
            return
        own = [self._stems(name) for name in (entry.name, *entry.names)]
        self._stems_of[entry.id] = [stems for stems in own if self._names.setdefault(stems, entry).id == entry.id]
        if entry.question and self._questions.setdefault(key_of(entry.question), entry).id == entry.id:
            self._question_of[entry.id] = key_of(entry.question)

    def _stems(self, name: str) -> Stems:
        return tuple(self._matcher.reader.tokens([word])[0].stem for word in key_of(name).split())

    def _taken(self, name: str, own: str) -> str:
        """Say to whom a name belongs already; nothing where it is free."""
        stems = self._stems(name)
        entry, alias = self._names.get(stems), self._aliases.get(stems)
        if entry is not None and entry.id != own:
            return f"Your team's entry “{entry.name}” has the name “{name[:LONGEST_NAME]}” already."
        if alias is not None:
            return f"“{alias.name}” is your team's word for {self._meant(alias)} already."
        return ""

    def _meant(self, alias: Alias) -> str:
        """Return what a word stands for; the entry may be gone from the knowledge by now."""
        entry = self._catalog.entry(alias.entry_id)
        return entry.name if entry is not None else "something that I don't know any more"

    def _check_list(self, field: str, words: Sequence[str], most: int, longest: int, problems: Problems) -> None:
        if len(words) > most:
            problems[field] = f"These are {len(words)}; at most {most} fit."
        for word in words:
            if len(word) > longest:
                problems[field] = f"“{word[:30]}…” is too long: at most {longest} letters each."
            elif not self._stems(word):
                problems[field] = "One of them has no letters in it."
