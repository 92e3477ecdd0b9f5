"""The guide: answers one question with one answer."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from importlib.resources import files
from typing import Any

import yaml

from knowledge.answers import (
    Answer,
    Candidates,
    Comparison,
    Facet,
    Help,
    NotKnown,
    Pair,
    Part,
    RoleCard,
    Subject,
    Suggestion,
    ToolCard,
    TopicCard,
)
from knowledge.catalog import AnyEntry, Catalog, Loader, load_catalog
from knowledge.confidence import SURE, UNSURE, confidence
from knowledge.matching import Match, Matcher, Reading
from knowledge.models import Role, Tool, Topic
from knowledge.people import MOST_PEOPLE, Candidate, Person, choose
from knowledge.ports import People, Threads
from knowledge.questions import Intent, Questions, Via
from knowledge.text import Reader

THREAD_LIFE = timedelta(days=1)
DIRECT_LIFE = timedelta(hours=1)
"""How long a conversation keeps its subject: a thread, and direct messages outside one."""
DIRECT = "direct"
"""The thread name for direct messages outside a thread."""

LONGEST_QUESTION = 2000
"""Signs of a question that are read."""
MOST_ROLES = 3
MOST_CANDIDATES = 3
FITTING_ROLES = 2
"""So many roles are looked at for people: the best-fitting one and one other."""
ROLE_SHARE = 0.72
"""Another role fits nearly as well from this share of the best one's score."""
ALONE = 0.5
"""A role's name stands alone where less than this share of the text's weight is beside it."""
LONGEST_TOPIC = 4
"""Words of a declared topic that are looked for in a question."""


@dataclass(frozen=True)
class Conversation:
    """Name a conversation whose subject is kept."""

    channel: str
    thread: str
    is_new: bool = False
    """Nothing was said in it before: there is no subject to look for."""


@dataclass(frozen=True)
class Question:
    """Hold one question as it came; ``asker`` is never suggested to themself."""

    workspace: str
    text: str
    via: Via = "mention"
    asker: str | None = None
    conversation: Conversation | None = None


class Guide:
    """Answer questions from the catalog, and from what members declared; one call a question."""

    def __init__(
        self,
        catalog: Catalog,
        matcher: Matcher,
        questions: Questions,
        people: People,
        threads: Threads,
        now: Callable[[], datetime],
    ) -> None:
        self.catalog = catalog
        self._matcher = matcher
        self._questions = questions
        self._people = people
        self._threads = threads
        self._now = now
        self.on_answer: Callable[[Answer], None] | None = None
        """Told every answer to a question, for counting."""

    async def ask(self, question: Question) -> Answer:
        """Answer a question and keep its subject for follow-ups."""
        question = replace(question, text=question.text[:LONGEST_QUESTION])
        exact = self._matcher.named_exactly(question.text)
        if exact is not None:
            answer: Answer = await self._card(question, exact, "summary", (), 1.0)
        else:
            intent = self._questions.understand(question.text, question.via)
            answer = await self._answer(question, intent, await self._subject_before(question))
        if self.on_answer is not None:
            self.on_answer(answer)
        if question.conversation and answer.subject:
            await self._threads.remember(
                question.workspace,
                question.conversation.channel,
                question.conversation.thread,
                question.asker or "",
                answer.subject,
                self._now(),
            )
        return answer

    async def _subject_before(self, question: Question) -> Subject | None:
        if question.conversation is None or question.conversation.is_new:
            return None
        thread = question.conversation.thread
        life = DIRECT_LIFE if thread == DIRECT else THREAD_LIFE
        return await self._threads.subject(
            question.workspace, question.conversation.channel, thread, self._now() - life
        )

    async def _answer(self, question: Question, intent: Intent, before: Subject | None) -> Answer:
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
                compared = self._compared(intent, before)
                if compared is not None:
                    return compared
                if intent.sides is None:
                    return Help("compare")
            case "who" | "people":
                return await self._whom_to_ask(question, intent, before)
            case "knowledge":
                pass
        return await self._explain(question, intent, before)

    # Explaining

    async def _explain(self, question: Question, intent: Intent, before: Subject | None) -> Answer:
        reading = self._matcher.read(intent.text)
        matches = self._matcher.match(reading)
        if before and self._follows_up(intent, reading, matches):
            carried = self._entry_of(before)
            if carried is not None:
                return await self._card(question, carried, intent.facet, (), 0.9)
        alone = self._matcher.named_alone(reading)
        if alone is not None and intent.facet in ("summary", "compare") and not (intent.wants_role or intent.part):
            return await self._card(question, alone, "summary", (), 1.0)
        if intent.sides is not None and intent.kind == "knowledge":
            named = [self._matcher.named_exactly(side) for side in intent.sides]
            if all(isinstance(entry, Role) for entry in named):
                both = self._side_by_side([(entry, 1.0) for entry in named if entry is not None])
                if both is not None:
                    return both
        best = self._best(intent, matches)
        if best is None:
            return NotKnown((), (), Subject(), 0.0)
        sure = confidence(best, matches, reading, intent)
        if intent.outside:
            return NotKnown((), (), Subject(), sure)
        if intent.support:
            return await self._not_known(question, best, sure, matches)
        if sure >= SURE:
            others = tuple(
                match.entry
                for match in matches
                if isinstance(match.entry, Role)
                and match.entry is not best.entry
                and match.score >= ROLE_SHARE * best.score
            )[: MOST_ROLES - 1]
            facet: Facet = "summary" if intent.facet == "compare" else intent.facet
            return await self._card(question, best.entry, facet, others, sure, intent.part)
        if question.via == "command" and sure >= UNSURE:
            near = [match.entry for match in matches[:MOST_CANDIDATES] if match.score >= best.score / 2]
            return Candidates(tuple(dict.fromkeys([best.entry, *near]))[:MOST_CANDIDATES], Subject(), sure)
        return NotKnown((), (), Subject(), sure)

    def _best(self, intent: Intent, matches: Sequence[Match]) -> Match | None:
        """Choose the entry to show: a role where one is asked for or named, else whatever fits best."""
        named = [match for match in matches if match.named and isinstance(match.entry, Role)]
        if named and (intent.part or intent.facet in ("skills", "responsibilities", "example")):
            return named[0]
        found = self._matcher.fields(matches) if intent.wants_role else matches
        return found[0] if found else None

    def _follows_up(self, intent: Intent, reading: Reading, matches: Sequence[Match]) -> bool:
        """Tell whether the text leaves its subject to the conversation."""
        best = matches[0] if matches else None
        if best is None or reading.content == 0:
            return intent.facet in ("skills", "responsibilities", "example") or intent.refers_back
        if best.named and not isinstance(best.entry, Tool):
            return False
        if intent.refers_back and intent.facet != "summary":
            return True
        part = intent.facet in ("skills", "responsibilities", "example") and not reading.strange
        return part and confidence(best, matches, reading, intent) < SURE

    def _entry_of(self, subject: Subject) -> AnyEntry | None:
        for entry_id in (*subject.topics, *subject.roles, *subject.tools):
            entry = self.catalog.entry(entry_id)
            if entry is not None and (isinstance(entry, Role) or entry_id not in subject.roles):
                return entry
        return None

    async def _not_known(self, question: Question, best: Match, sure: float, matches: Sequence[Match]) -> NotKnown:
        fields = self._matcher.fields(matches) if sure >= SURE or best.named else []
        roles = tuple(match.entry for match in fields[:1] if isinstance(match.entry, Role))
        holders = await self._holders(question.workspace, roles[0].id) if roles else ()
        return NotKnown(roles, holders, Subject(roles=tuple(role.id for role in roles)), 1 - sure)

    async def show(self, workspace: str, entry_id: str) -> Answer | None:
        """Return the card of an entry, or None where there is no such entry."""
        entry = self.catalog.entry(entry_id)
        return None if entry is None else await self._card(Question(workspace, ""), entry, "summary", (), 1.0)

    async def _card(
        self,
        question: Question,
        entry: AnyEntry,
        facet: Facet,
        others: tuple[Role, ...],
        confidence: float,
        part: Part | None = None,
    ) -> RoleCard | TopicCard | ToolCard:
        match entry:
            case Role():
                return RoleCard(
                    entry,
                    facet,
                    self.catalog.tools_of[entry.id],
                    await self._holders(question.workspace, entry.id),
                    others,
                    Subject(roles=(entry.id, *(other.id for other in others))),
                    confidence,
                    part,
                )
            case Topic():
                return TopicCard(
                    entry,
                    tuple(self.catalog.roles[role] for role in entry.roles),
                    tuple(self.catalog.tools[tool] for tool in entry.tools),
                    Subject(roles=entry.roles, topics=(entry.id,)),
                    confidence,
                )
            case Tool():
                return ToolCard(
                    entry,
                    tuple((self.catalog.roles[note.role], note) for note in entry.used_by),
                    Subject(roles=tuple(note.role for note in entry.used_by), tools=(entry.id,)),
                    confidence,
                )

    async def _holders(self, workspace: str, role: str) -> tuple[Person, ...]:
        return choose(await self._people.holders(workspace, role), (), (role,), most=MOST_PEOPLE + 1)

    # Comparing

    def compare(self, left_id: str, right_id: str) -> Comparison | None:
        """Compare two roles by id; None where one is not a role or both are the same."""
        left, right = self.catalog.roles.get(left_id), self.catalog.roles.get(right_id)
        if left is None or right is None or left is right:
            return None
        confusions = tuple(
            (role, note)
            for role, other in ((left, right), (right, left))
            for note in role.confused_with
            if note.role == other.id
        )
        tools = (self.catalog.tools_of[left.id], self.catalog.tools_of[right.id])
        return Comparison(left, right, confusions, tools, Subject(roles=(left.id, right.id)), 1.0)

    def _compared(self, intent: Intent, before: Subject | None) -> Comparison | Pair | None:
        """Compare what the two sides name; a side that is only near to something is not taken for it."""
        if intent.sides is None:
            return None
        prior = self.catalog.roles.get(before.roles[0]) if before and before.roles else None
        found: list[tuple[AnyEntry, float]] = []
        for side in intent.sides:
            one = self._side(side)
            if one is None and prior is not None and self._questions.refers_back(side):
                one = (prior, 1.0)
            if one is not None:
                found.append(one)
        if len(found) == 1 and prior is not None and found[0][0] is not prior:
            found.insert(0, (prior, 1.0))
        return self._side_by_side(found)

    def _side(self, text: str) -> tuple[AnyEntry, float] | None:
        exact = self._matcher.named_exactly(text)
        if exact is not None:
            return exact, 1.0
        reading = self._matcher.read(text)
        alone = self._matcher.named_alone(reading)
        if alone is not None:
            return alone, 1.0
        matches = self._matcher.match(reading)
        roles = [match for match in matches if isinstance(match.entry, Role)]
        best = next((match for match in roles if match.named), matches[0] if matches else None)
        if best is None:
            return None
        sure = confidence(best, matches, reading, Intent("compare", text, "compare", "command"))
        return (best.entry, sure) if best.named or sure >= SURE else None

    def _side_by_side(self, found: Sequence[tuple[AnyEntry, float]]) -> Comparison | Pair | None:
        if len(found) < 2 or found[0][0] is found[1][0]:
            return None
        (left, left_sure), (right, right_sure) = found[:2]
        sure = min(left_sure, right_sure)
        if isinstance(left, Role) and isinstance(right, Role):
            both = self.compare(left.id, right.id)
            return replace(both, confidence=sure) if both else None
        parts = [self.subject_of(entry.id) or Subject() for entry in (left, right)]
        roles = tuple(dict.fromkeys(role for part in parts for role in part.roles))
        topics = tuple(topic for part in parts for topic in part.topics)
        tools = tuple(tool for part in parts for tool in part.tools)
        return Pair(left, right, Subject(roles, topics, tools), sure)

    # Whom to ask

    async def _whom_to_ask(self, question: Question, intent: Intent, before: Subject | None) -> Answer:
        reading = self._matcher.read(intent.text)
        matches = self._matcher.match(reading)
        fields = self._matcher.fields(matches)
        declared = await self._declared_topics(question.workspace, reading)
        sure = confidence(fields[0], matches, reading, intent) if fields else 0.0
        if sure < SURE and not declared:
            if before and (reading.content == 0 or intent.refers_back):
                return await self.suggest(question.workspace, before, question.asker)
            return NotKnown((), (), Subject(), sure)
        if intent.outside and not declared:
            return NotKnown((), (), Subject(), 1 - sure)
        subject = self._sought(reading, matches, fields) if sure >= SURE else Subject()
        topics = tuple(dict.fromkeys([*declared, *subject.topics]))
        subject = Subject(subject.roles, topics, subject.tools)
        return await self.suggest(question.workspace, subject, question.asker, confidence=max(sure, SURE))

    def _sought(self, reading: Reading, matches: Sequence[Match], fields: Sequence[Match]) -> Subject:
        """Say which roles, topics and tools a search for people is about."""
        top = matches[0].entry
        if isinstance(top, Tool):
            return Subject(tuple(note.role for note in top.used_by)[:FITTING_ROLES], (), (top.id,))
        if isinstance(top, Topic) and matches[0].named:
            return Subject(top.roles[:FITTING_ROLES], (top.id,))
        best = fields[0]
        if best.named and reading.beside < ALONE:
            return Subject((best.entry.id,))
        near = [match.entry.id for match in fields if match.score >= ROLE_SHARE * best.score]
        return Subject(tuple(near[:FITTING_ROLES]))

    async def suggest(self, workspace: str, subject: Subject, asker: str | None, confidence: float = 1.0) -> Suggestion:
        """Name at most three people for a subject, and note that they were suggested."""
        topics = [*subject.topics, *subject.tools]
        roles = list(subject.roles)
        rows = await self._people.candidates(workspace, topics=topics, roles=roles, without=asker)
        people = choose(rows, topics, roles)
        direct = {("topic", key) for key in topics} | {("role", role) for role in roles[:1]}
        nearest: tuple[Person, ...] = ()
        if not any((row.kind, row.key) in direct for row in rows):
            people, nearest = (), await self._nearest(workspace, rows, roles, asker)
        if people or nearest:
            await self._people.suggested(workspace, (people or nearest)[0].user, self._now())
        entry = self._entry_of(Subject(topics=subject.topics, tools=subject.tools) or subject)
        label = next((r.label for r in rows if r.kind == "topic"), "")
        return Suggestion(
            asked_for=label or (entry.name if entry else "that"),
            roles=tuple(self.catalog.roles[role] for role in roles if role in self.catalog.roles),
            people=people,
            nearest=nearest,
            subject=subject,
            confidence=confidence,
        )

    async def _nearest(
        self, workspace: str, rows: Sequence[Candidate], roles: Sequence[str], asker: str | None
    ) -> tuple[Person, ...]:
        """Return people of the other fitting roles, else of the roles that are most often confused with the first."""
        if not rows and roles:
            roles = [note.role for note in self.catalog.roles[roles[0]].confused_with]
            rows = await self._people.candidates(workspace, topics=(), roles=roles, without=asker)
        return choose(rows, (), roles)

    async def _declared_topics(self, workspace: str, reading: Reading) -> list[str]:
        keys = self._matcher.topic_keys(reading, LONGEST_TOPIC)
        return list(await self._people.declared_topics(workspace, keys)) if keys else []

    def topic_key(self, label: str) -> str:
        """Return the key of a topic as typed: the entry that it names, else its words without endings."""
        return self._matcher.topic_key(label)

    def subject_of(self, entry_id: str) -> Subject | None:
        """Return the subject that asking about an entry has."""
        entry = self.catalog.entry(entry_id)
        match entry:
            case Role():
                return Subject(roles=(entry.id,))
            case Topic():
                return Subject(roles=entry.roles[:FITTING_ROLES], topics=(entry.id,))
            case Tool():
                return Subject(roles=tuple(note.role for note in entry.used_by)[:FITTING_ROLES], tools=(entry.id,))
            case None:
                return None


def load_index(catalog: Catalog) -> tuple[Matcher, Questions]:
    """Build what reads questions: the search index over the catalog, and the cues."""

    def read(name: str) -> Any:
        text = (files("knowledge") / "content" / name).read_text("utf-8")
        return yaml.load(text, Loader)  # noqa: S506 - a safe loader

    return Matcher(catalog, Reader(read("words.yaml"))), Questions(read("cues.yaml"))


def load_guide(people: People, threads: Threads, now: Callable[[], datetime]) -> Guide:
    """Read the bundled content and build the guide over it."""
    catalog = load_catalog()
    return Guide(catalog, *load_index(catalog), people, threads, now)
