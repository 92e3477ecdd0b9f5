"""The guide: answers one question with one answer."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import lru_cache

from knowledge.answers import Answer, Candidates, Comparison, Help, NotKnown, Subject, Suggestion
from knowledge.catalog import AnyEntry, Catalog, load_catalog
from knowledge.comparing import Comparer, compare_roles, subject_of
from knowledge.conversation import Conversation, FollowUps, kept
from knowledge.explaining import MOST_CANDIDATES, Explainer
from knowledge.finding import Found
from knowledge.index import Index, Understanding, content, load_index, load_translator
from knowledge.introducing import Introduction, introduced
from knowledge.languages import Translation, Translator
from knowledge.models import Role, Tool
from knowledge.people import MayName, PassedOver, named_freely
from knowledge.ports import People, Threads
from knowledge.questions import Via
from knowledge.suggesting import NamedBefore, Suggester, ToAsk
from knowledge.text import key_of
from knowledge.titles import Titles, load_titles

LONGEST_QUESTION = 2000
"""Signs of a question that are read."""


@dataclass(frozen=True)
class Question:
    """Hold one question as it came; ``asker`` is never suggested to themself."""

    workspace: str
    text: str
    via: Via = "mention"
    asker: str | None = None
    conversation: Conversation | None = None
    said: str = ""
    """What was typed, where ``text`` is its translation."""
    may_name: MayName = named_freely


class Guide:
    """Answer questions from the catalog, and from what members declared; one call a question."""

    def __init__(
        self,
        catalog: Catalog,
        index: Index,
        people: People,
        threads: Threads,
        now: Callable[[], datetime],
        translator: Translator | None = None,
    ) -> None:
        self.catalog = catalog
        self._index = index
        self._threads = threads
        self._now = now
        self._translator = translator
        self._follow_ups = FollowUps(content("follow_ups.yaml"), catalog)
        self._explainer = Explainer(catalog, index, people)
        self._comparer = Comparer(catalog, index)
        self._suggester = Suggester(catalog, index, people, now)
        self.on_answer: Callable[[Answer], None] | None = None
        """Told every answer to a question, for counting."""

    async def ask(self, question: Question) -> Answer:
        """Answer a question and keep its subject for follow-ups."""
        question = replace(question, text=question.text[:LONGEST_QUESTION])
        translation = self._translated(question.text)
        if translation is not None:
            question = replace(question, text=translation.english, said=question.text)
        question = replace(question, text=self._index.without_rejected(question.text))
        before = await self._subject_before(question)
        answer = (await self._follow_up(question, before) if before else None) or await self._answer(question, before)
        if translation is not None:
            answer = replace(answer, asked_in=translation.language)
        if self.on_answer is not None:
            self.on_answer(answer)
        if question.conversation:
            await self._keep(
                question, question.conversation, kept(answer, before, question.conversation, question.asker)
            )
        return answer

    def _translated(self, text: str) -> Translation | None:
        return self._translator.translate(text) if self._translator else None

    async def _subject_before(self, question: Question) -> Subject | None:
        at = question.conversation
        if at is None or at.is_new:
            return None
        return await self._threads.subject(question.workspace, at.channel, at.thread, self._now() - at.life)

    async def _keep(self, question: Question, at: Conversation, subject: Subject) -> None:
        if subject:
            await self._threads.remember(
                question.workspace, at.channel, at.thread, question.asker or "", subject, self._now()
            )

    async def _follow_up(self, question: Question, before: Subject) -> Answer | None:
        """Answer what only the answer before makes plain: "the second one", "and the data engineer?"."""
        bare = self._index.questions.plain(question.text)[1]
        picked = self._follow_ups.picked(bare, before)
        if picked is not None:
            if picked.among:
                return Candidates(picked.among[:MOST_CANDIDATES], Subject(), 0.5)
            # The question mark is a cue of its own.
            named = replace(question, text=picked.text + "?" * question.text.rstrip().endswith("?"))
            answer = await self._follow_up(named, before) or await self._answer(named, before)
            if isinstance(answer, NotKnown) and picked.entry is not None:
                # With a name in it, a text must be a question of ours; with "one" it follows up.
                return await self._answer(question, subject_of(picked.entry))
            return answer
        what = self._follow_ups.moved_on_to(bare)
        if what is None:
            return None
        if before.facet == "people":
            subject = await self._suggester.topic_of(question.workspace, what)
            if subject is None:
                return None
            return await self.suggest(question.workspace, subject, question.asker, question.may_name)
        entry = self._index.matcher.names.named_exactly(what)
        if isinstance(entry, Role) and before.facet != "compare":
            return await self._explainer.card(
                question.workspace, entry, before.facet, before.part, may_name=question.may_name
            )
        return None

    async def _answer(self, question: Question, before: Subject | None) -> Answer:
        exact = self._index.matcher.names.named_exactly(question.text)
        if exact is not None:
            return await self._explainer.card(question.workspace, exact, may_name=question.may_name)
        understood = self._index.understand(question.text, question.via)
        others = self._named_before(question, understood, before)
        if others is not None and before and not understood.reading.content:
            return await self._suggester.suggest(
                question.workspace, before, question.asker, 1.0, others, question.may_name
            )
        intent = understood.intent
        match intent.kind:
            case "empty":
                return Help("empty")
            case "greeting":
                return Help("greeting")
            case "thanks":
                return Help("thanks")
            case "help":
                return Help("asked")
            case "who" if before is None:
                return Help("who")
            case "compare":
                compared = self._comparer.asked(understood, before)
                if compared is not None:
                    return compared
                if intent.sides is None:
                    return Help("compare")
            case "who" | "people":
                return await self._suggester.find(
                    question.workspace, question.asker, understood, before, question.said, others, question.may_name
                )
            case "knowledge":
                pass
        if before and self._follows_up(understood):
            carried = self._suggester.entry_of(before)
            if carried is not None:
                more = intent.more and isinstance(carried, Role)
                facet = "responsibilities" if more else intent.facet
                return await self._explainer.card(
                    question.workspace, carried, facet, confidence=0.9, may_name=question.may_name
                )
        return self._comparer.implied(understood) or await self._explainer.explain(
            question.workspace, understood, question.may_name
        )

    def _follows_up(self, understood: Understanding) -> bool:
        """Tell whether the text leaves its subject to the conversation."""
        intent, reading = understood.intent, understood.reading
        if intent.more:
            return True
        best = understood.matches[0] if understood.matches else None
        if best is None or reading.content == 0:
            return intent.facet in ("skills", "responsibilities", "example") or intent.refers_back
        if best.named and not isinstance(best.entry, Tool):
            return False
        if intent.refers_back and intent.facet != "summary":
            return True
        part = intent.facet in ("skills", "responsibilities", "example") and not reading.strange
        return part and not understood.sureness(best).enough

    def _named_before(
        self, question: Question, understood: Understanding, before: Subject | None
    ) -> NamedBefore | None:
        """Return what tells who was named in the conversation, where others than these are wanted."""
        at = question.conversation
        if (
            at is None
            or before is None
            or not before.named
            or not self._follow_ups.asks_who_else(understood.intent.text)
        ):
            return None
        return lambda user: at.mark(user) in before.named

    async def show(self, workspace: str, entry_id: str, may_name: MayName = named_freely) -> Answer | None:
        """Return the card of an entry, or None where there is no such entry."""
        entry = self.catalog.entry(entry_id)
        return None if entry is None else await self._explainer.card(workspace, entry, may_name=may_name)

    def compare(self, left_id: str, right_id: str) -> Comparison | None:
        """Compare two roles by id; None where one is not a role or both are the same."""
        return compare_roles(self.catalog, left_id, right_id)

    async def suggest(
        self, workspace: str, subject: Subject, asker: str | None, may_name: MayName = named_freely
    ) -> Suggestion:
        """Name at most three people for a subject, and note that they were suggested."""
        return await self._suggester.suggest(workspace, subject, asker, may_name=may_name)

    async def passed_over(self, workspace: str, subject: Subject, asker: str | None) -> PassedOver:
        """Count those who declared the very thing and are not named for it now, by why."""
        return await self._suggester.passed_over(workspace, subject, asker)

    async def to_ask(self, workspace: str, subject: Subject, asker: str | None) -> Sequence[ToAsk]:
        """Return whom a question may be put to, best first; nobody is counted as suggested yet."""
        return await self._suggester.to_ask(workspace, subject, asker)

    async def sought(self, workspace: str, text: str) -> Subject:
        """Say what a question that is put to a person is about; an empty subject where that can't be told."""
        text = text[:LONGEST_QUESTION]
        translation = self._translated(text)
        return await self._suggester.sought(workspace, translation.english if translation else text, text)

    def in_words(self, subject: Subject) -> str:
        """Say what a subject is about: the name of its first entry, or the words of a topic; empty for nothing."""
        entry = self._suggester.entry_of(Subject(topics=subject.topics, tools=subject.tools) or subject)
        return entry.name if entry else next(iter((*subject.topics, *subject.tools, *subject.roles)), "")

    def others(self, text: str, *, without: Sequence[str]) -> tuple[AnyEntry, ...]:
        """Return the entries that fit a text best when those that were shown for it are left out."""
        translation = self._translated(text)
        matches = self._index.understand(translation.english if translation else text).matches
        rest = [match for match in matches if match.entry.id not in without]
        return tuple(match.entry for match in rest if match.score >= rest[0].score / 2)[:MOST_CANDIDATES]

    def topic_key(self, label: str) -> str:
        """Return the key of a topic as typed: the entry that it names, else its words without endings."""
        return self._index.matcher.topic_key(label)

    def topic_start(self, typed: str) -> str:
        """Return what the keys of topics begin with that begin as was typed."""
        return self._index.matcher.key_of_words(typed)

    def spelled(self, key: str, typed: str, theirs: str | None) -> str:
        """Return the one spelling of a topic: ``theirs``, a colleague's, comes before what was typed.

        Short forms of an entry's name are spelled as the name: "k8s" is Kubernetes. Part of the name may stand for it:
        "Airflow".
        """
        entry = self.catalog.entry(key)
        for words in (theirs, typed):
            if words and (entry is None or set(key_of(words).split()) <= set(key_of(entry.name).split())):
                return words
        return entry.name if entry else typed

    def find_roles(self, typed: str) -> Sequence[Found]:
        """Return the roles that something typed into a search box fits: by names, titles and tools."""
        return self._index.finder.roles(typed)

    def find_subjects(self, typed: str) -> Sequence[Found]:
        """Return the tools and subjects that something typed into a search box fits."""
        return self._index.finder.subjects(typed)

    def introduction(self, text: str) -> Introduction | None:
        """Return what somebody says that they do; None where the text is anything else."""
        return introduced(text, self._index.matcher)

    def roles_of_title(self, title: str) -> tuple[str, ...]:
        """Return the roles that a title in a profile suggests; the first call takes half a second."""
        return _titles(self._index).roles(title) if title.strip() else ()

    def subject_of(self, entry_id: str) -> Subject | None:
        """Return the subject that asking about an entry has."""
        entry = self.catalog.entry(entry_id)
        return subject_of(entry) if entry else None


@lru_cache(maxsize=2)
def _titles(index: Index) -> Titles:
    return load_titles(index.matcher.catalog)


def load_guide(people: People, threads: Threads, now: Callable[[], datetime]) -> Guide:
    """Read the bundled content and build the guide over it."""
    catalog = load_catalog()
    index = load_index(catalog)
    return Guide(catalog, index, people, threads, now, load_translator(index.matcher))
