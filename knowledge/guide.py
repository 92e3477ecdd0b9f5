"""The guide: answers one question with one answer."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import datetime

from knowledge.answers import Answer, Candidates, Comparison, Help, NotKnown, Subject, Suggestion, TeamCard
from knowledge.catalog import AnyEntry, Catalog, load_catalog
from knowledge.comparing import Comparer, compare_roles, subject_of
from knowledge.conversation import Conversation, kept, load_follow_ups, named_in
from knowledge.explaining import MOST_CANDIDATES, Explainer
from knowledge.index import Index, Understanding, load_index, load_translator
from knowledge.languages import Translation, Translator
from knowledge.models import Role, Tool
from knowledge.people import MayName, PassedOver, named_freely
from knowledge.ports import People, TeamKnowledge, Threads
from knowledge.questions import Via
from knowledge.suggesting import NamedBefore, Suggester, ToAsk
from knowledge.team import TEAM_ID, NoTeam, TeamEntry
from knowledge.team_index import Team
from knowledge.teams import Teams, team_subject
from knowledge.vocabulary import Vocabulary
from knowledge.workspaces import Settings

LONGEST_QUESTION = 2000
"""Signs of a question that are read."""
logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Question:
    """Hold one question as it came; ``asker`` is never suggested to themself."""

    workspace: str
    text: str
    via: Via = "mention"
    asker: str | None = None
    conversation: Conversation | None = None
    said: str = ""
    """What was typed, where ``text`` is its translation, or says it in bundled words."""
    may_name: MayName = named_freely


class Guide(Vocabulary):
    """Answer questions from the catalog, what the workspace knows, and what members declared; one call a question."""

    def __init__(
        self,
        catalog: Catalog,
        index: Index,
        people: People,
        threads: Threads,
        now: Callable[[], datetime],
        translator: Translator | None = None,
        team: TeamKnowledge | None = None,
    ) -> None:
        super().__init__(catalog, index)
        self._teams = Teams(team or NoTeam(), index.matcher)
        self._threads = threads
        self._now = now
        self._translator = translator
        self._follow_ups = load_follow_ups(catalog)
        self._explainer = Explainer(catalog, index, people)
        self._comparer = Comparer(catalog, index)
        self._suggester = Suggester(catalog, index, people, now, self._teams)
        self.on_answer: Callable[[Answer], None] | None = None
        """Told every answer to a question, for counting."""
        self.settings_of: Callable[[str], Awaitable[Settings]] | None = None
        """Says whether a workspace wants other languages than English understood; without it all do."""

    async def ask(self, question: Question) -> Answer:
        """Answer a question and keep its subject for follow-ups."""
        async with self.answering(question) as answer:
            return answer

    @asynccontextmanager
    async def answering(self, question: Question) -> AsyncIterator[Answer]:
        """Answer a question and keep its subject for follow-ups once the block has brought the answer.

        Where that fails the conversation is as it was: tried again, the question is not read against its own answer.
        """
        if len(question.text) > LONGEST_QUESTION:
            question = replace(question, text=question.text[:LONGEST_QUESTION])
        team = await self._teams.of(question.workspace)
        renamed = team.in_bundled_words(question.text)
        typed = question.text
        if renamed is not None:
            question = replace(question, text=renamed.text[:LONGEST_QUESTION], said=typed)
        translation = await self._translated(question.workspace, question.text)
        if translation is not None:
            question = replace(question, text=translation.english, said=typed)
        if (asked := self._index.without_rejected(question.text)) != question.text:
            question = replace(question, text=asked)
        before = await self._subject_before(question)
        if before is not None and before.named:
            question = await self._with_secret(question)
        followed = await self._follow_up(question, team, before) if before else None
        answer = followed or await self._answer(question, team, before)
        if named_in(answer):
            question = await self._with_secret(question)
        if translation is not None:
            answer = replace(answer, asked_in=translation.language)
        if renamed is not None:
            answer = replace(answer, renamed=renamed.aliases)
        if self.on_answer is not None:
            self.on_answer(answer)
        yield answer
        if question.conversation:
            await self._keep(
                question, question.conversation, kept(answer, before, question.conversation, question.asker)
            )

    async def _translated(self, workspace: str, text: str) -> Translation | None:
        """Return what a text in another language is in English, where the workspace wants that understood."""
        translation = self._translator.translate(text) if self._translator else None
        if translation is not None and self.settings_of is not None:
            settings = await self.settings_of(workspace)
            translation = translation if settings.other_languages else None
        return translation

    async def _with_secret(self, question: Question) -> Question:
        """Read what marks are made by, once for an answer, and only where somebody is named or was."""
        at = question.conversation
        if at is None or at.secret:
            return question
        return replace(question, conversation=replace(at, secret=await self._threads.secret(question.workspace)))

    async def _subject_before(self, question: Question) -> Subject | None:
        at = question.conversation
        if at is None or at.is_new:
            return None
        return await self._threads.subject(question.workspace, at.channel, at.thread, self._now() - at.life)

    async def _keep(self, question: Question, at: Conversation, subject: Subject) -> None:
        if not subject:
            return
        try:
            await self._threads.remember(
                question.workspace, at.channel, at.thread, question.asker or "", subject, self._now()
            )
        except Exception:
            # A follow-up that is not understood is better than the same answer twice.
            logger.exception("what an answer was about could not be kept")

    async def _follow_up(self, question: Question, team: Team, before: Subject) -> Answer | None:
        """Answer what only the answer before makes plain: "the second one", "and the data engineer?"."""
        bare = self._index.questions.plain(question.text)[1]
        picked = self._follow_ups.picked(bare, before)
        if picked is not None:
            if picked.among:
                return Candidates(picked.among[:MOST_CANDIDATES], Subject(), 0.5)
            # The question mark is a cue of its own.
            named = replace(question, text=picked.text + "?" * question.text.rstrip().endswith("?"))
            answer = await self._follow_up(named, team, before) or await self._answer(named, team, before)
            if isinstance(answer, NotKnown) and picked.entry is not None:
                # With a name in it, a text must be a question of ours; with "one" it follows up.
                return await self._answer(question, team, subject_of(picked.entry))
            return answer
        what = self._follow_ups.moved_on_to(bare)
        if what is None:
            return None
        if before.facet == "people":
            own = team.named(what)
            subject = team_subject(own) if own else await self._suggester.topic_of(question.workspace, what)
            if subject is None:
                return None
            return await self.suggest(question.workspace, subject, question.asker, question.may_name)
        entry = self._index.matcher.names.named_exactly(what)
        if isinstance(entry, Role) and before.facet != "compare":
            return await self._explainer.card(
                question.workspace, entry, before.facet, before.part, may_name=question.may_name
            )
        # "And python?" has no part that could be carried on, but is a question all the same.
        return await self._explainer.card(question.workspace, entry) if isinstance(entry, Tool) else None

    async def _answer(self, question: Question, team: Team, before: Subject | None) -> Answer:
        own = team.named(question.said or question.text) or team.named(question.text)
        if own is not None:
            return await self._team_card(question, own, 1.0)
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
                own = team.named_in(question.said or question.text)
                if own is not None:
                    return await self.suggest(question.workspace, team_subject(own), question.asker, question.may_name)
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
        implied = self._comparer.implied(understood)
        if implied is not None:
            return implied
        if self._index.matcher.names.named_alone(understood.reading) is None:
            near = team.nearest(question.said or question.text) or team.nearest(question.text)
            if near is not None:
                return await self._team_card(question, near.entry, near.score)
        return await self._explainer.explain(question.workspace, understood, question.may_name)

    async def _team_card(self, question: Question, entry: TeamEntry, confidence: float) -> TeamCard:
        """Return the card of an entry of the workspace; one without an answer names whom to ask."""
        subject = team_subject(entry)
        whom = None
        if not entry.answer:
            whom = await self.suggest(question.workspace, subject, question.asker, question.may_name)
        roles = tuple(self.catalog.roles[role] for role in subject.roles if role in self.catalog.roles)
        return TeamCard(entry, roles, subject, confidence, whom)

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

    async def show(
        self, workspace: str, entry_id: str, may_name: MayName = named_freely, asker: str | None = None
    ) -> Answer | None:
        """Return the card of an entry, or None where there is no such entry."""
        own = (await self._teams.of(workspace)).entries.get(entry_id)
        if own is not None:
            return await self._team_card(Question(workspace, "", asker=asker, may_name=may_name), own, 1.0)
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
        """Count those who declared the very thing and are not named for it now, or later than others, by why."""
        return await self._suggester.passed_over(workspace, subject, asker, also_later=True)

    async def to_ask(self, workspace: str, subject: Subject, asker: str | None) -> Sequence[ToAsk]:
        """Return whom a question may be put to, best first; nobody is counted as suggested yet."""
        return await self._suggester.to_ask(workspace, subject, asker)

    async def about(self, workspace: str, subject: Subject) -> Sequence[str]:
        """Return the keys of what a subject is about, as people say what they are not to be asked about."""
        return await self._suggester.about(workspace, subject)

    async def sought(self, workspace: str, text: str) -> Subject:
        """Say what a question that is put to a person is about; an empty subject where that can't be told."""
        text = text[:LONGEST_QUESTION]
        team = await self._teams.of(workspace)
        own = team.named_in(text)
        if own is not None:
            return team_subject(own)
        renamed = team.in_bundled_words(text)
        plain = renamed.text[:LONGEST_QUESTION] if renamed else text
        translation = await self._translated(workspace, plain)
        return await self._suggester.sought(workspace, translation.english if translation else plain, text)

    async def team_answer(self, workspace: str, text: str) -> TeamEntry | None:
        """Return the workspace's own entry that answers a question already; None where none does."""
        team = await self._teams.of(workspace)
        text = text[:LONGEST_QUESTION]
        near = team.nearest(text)
        found = team.named(text) or (near.entry if near else None)
        return found if found is not None and found.answer else None

    async def alike(self, workspace: str, entry: TeamEntry) -> Sequence[TeamEntry]:
        """Return the workspace's published entries that are nearest to a proposed one, which may say the same."""
        return (await self._teams.of(workspace)).alike(entry.question or entry.name)

    def in_words(self, subject: Subject) -> str:
        """Say what a subject is about: the name of its first entry, or the words of a topic; empty for nothing."""
        named = self.named_of(subject)
        entry = self.catalog.entry(named)
        return entry.name if entry else named

    def named_of(self, subject: Subject) -> str:
        """Return the id that ``in_words`` goes by: that of the first entry, or a topic; empty for nothing."""
        entry = self._suggester.entry_of(Subject(topics=subject.topics, tools=subject.tools) or subject)
        words = [word for word in (*subject.topics, *subject.tools, *subject.roles) if not word.startswith(TEAM_ID)]
        return entry.id if entry else next(iter(words), "")

    async def others(self, workspace: str, text: str, *, without: Sequence[str]) -> tuple[AnyEntry, ...]:
        """Return the entries that fit a text best when those that were shown for it are left out."""
        translation = await self._translated(workspace, text)
        matches = self._index.understand(translation.english if translation else text).matches
        rest = [match for match in matches if match.entry.id not in without]
        return tuple(match.entry for match in rest if match.score >= rest[0].score / 2)[:MOST_CANDIDATES]

    async def subject_of(self, workspace: str, entry_id: str) -> Subject | None:
        """Return the subject that asking about an entry has, a bundled one or the workspace's own."""
        own = await self.team_entry(workspace, entry_id)
        if own is not None:
            return team_subject(own)
        entry = self.catalog.entry(entry_id)
        return subject_of(entry) if entry else None

    async def team_entry(self, workspace: str, entry_id: str) -> TeamEntry | None:
        """Return an entry of the workspace's own that answers, by its id."""
        return (await self._teams.of(workspace)).entries.get(entry_id)

    async def team_topics(self, workspace: str, typed: str) -> Sequence[str]:
        """Return the names of the workspace's own entries that something typed into a search box fits."""
        return [entry.name for entry in (await self._teams.of(workspace)).beginning_with(typed)]


def load_guide(
    people: People, threads: Threads, now: Callable[[], datetime], team: TeamKnowledge | None = None
) -> Guide:
    """Read the bundled content and build the guide over it."""
    catalog = load_catalog()
    index = load_index(catalog)
    return Guide(catalog, index, people, threads, now, load_translator(index.matcher), team)
