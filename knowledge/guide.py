"""The guide: answers one question with one answer."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

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
from knowledge.catalog import AnyEntry, Catalog, load_catalog
from knowledge.confidence import SURE, UNSURE, Sureness
from knowledge.index import Index, Understanding, load_index, load_translator
from knowledge.languages import Translation, Translator
from knowledge.models import Role, Tool, Topic
from knowledge.people import MOST_PEOPLE, Candidate, Person, choose
from knowledge.ports import People, Threads
from knowledge.questions import AGAINST, Via
from knowledge.reading import Reading

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
OUTSIDE = 0.5
"""From this judgement on, even a question about a tool is taken to be nobody's field."""
FIELD, OUTSIDE_SHARE = 0.4, 0.15
"""What is not in the knowledge is a role's field from so much learned for the role on, less a share of what speaks
against its being anybody's."""
NOBODYS = AGAINST - {"support"}
"""Pay, prices, dates and the like are no role's field."""
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
    said: str = ""
    """What was typed, where ``text`` is its translation."""


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
        self._people = people
        self._threads = threads
        self._now = now
        self._translator = translator
        self.on_answer: Callable[[Answer], None] | None = None
        """Told every answer to a question, for counting."""

    async def ask(self, question: Question) -> Answer:
        """Answer a question and keep its subject for follow-ups."""
        question = replace(question, text=question.text[:LONGEST_QUESTION])
        translation = self._translated(question.text)
        if translation is not None:
            question = replace(question, text=translation.english, said=question.text)
        question = replace(question, text=self._index.without_rejected(question.text))
        exact = self._index.matcher.names.named_exactly(question.text)
        if exact is not None:
            answer: Answer = await self._card(question, exact, "summary", (), 1.0)
        else:
            understood = self._index.understand(question.text, question.via)
            answer = await self._answer(question, understood, await self._subject_before(question))
        if translation is not None:
            answer = replace(answer, asked_in=translation.language)
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

    def _translated(self, text: str) -> Translation | None:
        return self._translator.translate(text) if self._translator else None

    async def _subject_before(self, question: Question) -> Subject | None:
        if question.conversation is None or question.conversation.is_new:
            return None
        thread = question.conversation.thread
        life = DIRECT_LIFE if thread == DIRECT else THREAD_LIFE
        return await self._threads.subject(
            question.workspace, question.conversation.channel, thread, self._now() - life
        )

    async def _answer(self, question: Question, understood: Understanding, before: Subject | None) -> Answer:
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
                compared = self._compared(understood, before)
                if compared is not None:
                    return compared
                if intent.sides is None:
                    return Help("compare")
            case "who" | "people":
                return await self._whom_to_ask(question, understood, before)
            case "knowledge":
                pass
        return await self._explain(question, understood, before)

    # Explaining

    async def _explain(self, question: Question, understood: Understanding, before: Subject | None) -> Answer:
        intent, matches, best = understood.intent, understood.matches, understood.best
        if before and self._follows_up(understood):
            carried = self._entry_of(before)
            if intent.more and isinstance(carried, Role):
                return await self._card(question, carried, "responsibilities", (), 0.9)
            if carried is not None:
                return await self._card(question, carried, intent.facet, (), 0.9)
        alone = self._index.matcher.names.named_alone(understood.reading)
        if alone is not None and intent.facet in ("summary", "compare") and not (intent.wants_role or intent.part):
            return await self._card(question, alone, "summary", (), 1.0)
        if intent.sides is not None and intent.kind == "knowledge":
            named = [self._index.matcher.names.named_exactly(side) for side in intent.sides]
            if all(isinstance(entry, Role) for entry in named):
                both = self._side_by_side([(entry, 1.0) for entry in named if entry is not None])
                if both is not None:
                    return both
        if intent.compares:
            roles = dict.fromkeys(
                span.entry_id for span in understood.reading.spans if span.entry_id in self.catalog.roles
            )
            both = self._side_by_side([(self.catalog.roles[role], 1.0) for role in roles]) if len(roles) == 2 else None
            if both is not None:
                return both
        if best is None:
            return NotKnown((), (), Subject(), 0.0)
        sureness = understood.sureness(best)
        sure = sureness.confidence
        if sureness.enough:
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
        return await self._not_known(question, understood)

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

    def _entry_of(self, subject: Subject) -> AnyEntry | None:
        for entry_id in (*subject.topics, *subject.roles, *subject.tools):
            entry = self.catalog.entry(entry_id)
            if entry is not None and (isinstance(entry, Role) or entry_id not in subject.roles):
                return entry
        return None

    async def _not_known(self, question: Question, understood: Understanding) -> NotKnown:
        """Say that there is no answer, and whose field it is where it is plainly somebody's."""
        best = understood.best
        sure = understood.sure(best) if best else 0.0
        role = self._whose_field(understood)
        if role is None:
            return NotKnown((), (), Subject(), sure)
        holders = await self._holders(question.workspace, role.id)
        learned = understood.judgement.entries[role.id]
        return NotKnown((role,), holders, Subject(roles=(role.id,)), max(0.0, min(1.0, learned)))

    def _whose_field(self, understood: Understanding) -> Role | None:
        """Return the role whose field a question is: of a tool that it names the first user, else the best-fitting."""
        if "support" in understood.cues and understood.judgement.outside < OUTSIDE:
            for span in understood.reading.spans:
                tool = self.catalog.tools.get(span.entry_id)
                if tool is not None:
                    return self.catalog.roles[tool.used_by[0].role]
        best = next(iter(understood.fields), None)
        if best is None or NOBODYS.intersection(understood.cues):
            return None
        if not best.named and understood.reading.content < 2:
            return None
        if best.evidence.learned - OUTSIDE_SHARE * understood.judgement.outside < FIELD:
            return None
        return self.catalog.roles[best.entry.id]

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

    def _compared(self, understood: Understanding, before: Subject | None) -> Comparison | Pair | None:
        """Compare what the two sides name; a side that is only near to something is not taken for it."""
        intent = understood.intent
        if intent.sides is None:
            return None
        ours = understood.best is not None and understood.sureness(understood.best).is_ours
        prior = self.catalog.roles.get(before.roles[0]) if before and before.roles else None
        found: list[tuple[AnyEntry, float]] = []
        for side in intent.sides:
            one = self._side(side, near=ours)
            if one is None and prior is not None and self._index.questions.refers_back(side):
                one = (prior, 1.0)
            if one is not None:
                found.append(one)
        if len(found) == 1 and prior is not None and found[0][0] is not prior:
            found.insert(0, (prior, 1.0))
        return self._side_by_side(found)

    def _side(self, text: str, *, near: bool) -> tuple[AnyEntry, float] | None:
        """Return the entry that one side of a comparison names, or is near to, if that is enough."""
        names = self._index.matcher.names
        exact = names.named_exactly(text)
        if exact is not None:
            return exact, 1.0
        understood = self._index.understand(text, "command")
        alone = names.named_alone(understood.reading)
        if alone is not None:
            return alone, 1.0
        roles = [match for match in understood.matches if isinstance(match.entry, Role)]
        best = next((match for match in roles if match.named), next(iter(understood.matches), None))
        if best is None:
            return None
        sure = understood.sure(best)
        return (best.entry, sure) if best.named or (near and understood.sureness(best).enough) else None

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

    async def _whom_to_ask(self, question: Question, understood: Understanding, before: Subject | None) -> Answer:
        intent, reading, fields = understood.intent, understood.reading, understood.fields
        declared = await self._declared_topics(question, understood.reading)
        sureness = understood.sureness(fields[0]) if fields else Sureness(0.0, 0.0, 1.0)
        sure = sureness.confidence
        if not sureness.enough and not declared:
            if before and (reading.content == 0 or intent.refers_back):
                return await self.suggest(question.workspace, before, question.asker)
            return NotKnown((), (), Subject(), sure)
        if before and intent.refers_back and reading.content <= 1 and not fields[0].named and not declared:
            return await self.suggest(question.workspace, before, question.asker)
        subject = self._sought(understood) if sureness.enough else Subject()
        topics = tuple(dict.fromkeys([*declared, *subject.topics]))
        subject = Subject(subject.roles, topics, subject.tools)
        return await self.suggest(question.workspace, subject, question.asker, confidence=max(sure, SURE))

    def _sought(self, understood: Understanding) -> Subject:
        """Say which roles, topics and tools a search for people is about."""
        matches, fields = understood.matches, understood.fields
        top = matches[0].entry
        if isinstance(top, Tool):
            return Subject(tuple(note.role for note in top.used_by)[:FITTING_ROLES], (), (top.id,))
        if isinstance(top, Topic) and matches[0].named:
            return Subject(top.roles[:FITTING_ROLES], (top.id,))
        best = fields[0]
        if best.named and understood.reading.beside < ALONE:
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

    def others(self, text: str, *, without: Sequence[str]) -> tuple[AnyEntry, ...]:
        """Return the entries that fit a text best when those that were shown for it are left out."""
        translation = self._translated(text)
        matches = self._index.understand(translation.english if translation else text).matches
        rest = [match for match in matches if match.entry.id not in without]
        return tuple(match.entry for match in rest if match.score >= rest[0].score / 2)[:MOST_CANDIDATES]

    async def _declared_topics(self, question: Question, reading: Reading) -> list[str]:
        matcher = self._index.matcher
        keys = matcher.topic_keys(reading, LONGEST_TOPIC)
        if question.said:
            # Topics are kept in the words of whoever declared them.
            keys = list(dict.fromkeys([*keys, *matcher.topic_keys(matcher.read(question.said), LONGEST_TOPIC)]))
        return list(await self._people.declared_topics(question.workspace, keys)) if keys else []

    def topic_key(self, label: str) -> str:
        """Return the key of a topic as typed: the entry that it names, else its words without endings."""
        return self._index.matcher.topic_key(label)

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


def load_guide(people: People, threads: Threads, now: Callable[[], datetime]) -> Guide:
    """Read the bundled content and build the guide over it."""
    catalog = load_catalog()
    index = load_index(catalog)
    return Guide(catalog, index, people, threads, now, load_translator(index.matcher))
