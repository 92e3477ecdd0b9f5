"""Suggest whom to ask: what a search for people is about, and who declared it; the policy is in knowledge/people.py."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from knowledge.answers import NotKnown, Subject, Suggestion
from knowledge.catalog import AnyEntry, Catalog
from knowledge.comparing import subject_of
from knowledge.confidence import SURE, Sureness
from knowledge.index import Index, Understanding
from knowledge.models import Role, Tool, Topic
from knowledge.people import MOST_PEOPLE, Candidate, MayName, PassedOver, Person, choose, named_freely, turned_down
from knowledge.ports import People
from knowledge.reading import Reading
from knowledge.teams import Teams
from knowledge.vocabulary import stands_for

ROLE_SHARE = 0.72
"""Another role fits nearly as well from this share of the best one's score."""
FITTING_ROLES = 2
"""So many roles are looked at for people: the best-fitting one and one other."""
NEAR_ROLES = 4
"""So many of the roles that are most often confused with the wanted one are looked at where nobody declared it."""
ALONE = 0.5
"""A role's name stands alone where less than this share of the text's weight is beside it."""
MOST_TOPIC_WORDS = 4
"""Words of a declared topic that are looked for in a question."""


@dataclass(frozen=True)
class ToAsk:
    """Name a person to whom a question may be put."""

    user: str
    named: bool
    """Whether the asker may be told who it is."""


@dataclass(frozen=True)
class _Chosen:
    """Hold who could be named: ``people`` declared the very thing, ``nearest`` where nobody did."""

    rows: Sequence[Candidate]
    people: tuple[Person, ...]
    nearest: tuple[Person, ...]
    turned_down: bool
    """Whether the text turned somebody down."""


NamedBefore = Callable[[str], bool]
"""Tells whether a person was named in the conversation already."""


class Suggester:
    """Find people for a search: those who declared its topic or a fitting role."""

    def __init__(
        self, catalog: Catalog, index: Index, people: People, now: Callable[[], datetime], teams: Teams
    ) -> None:
        self._catalog = catalog
        self._index = index
        self._people = people
        self._now = now
        self._teams = teams

    async def find(
        self,
        workspace: str,
        asker: str | None,
        understood: Understanding,
        before: Subject | None,
        said: str,
        named_before: NamedBefore | None,
        may_name: MayName,
    ) -> Suggestion | NotKnown:
        """Name people for what a text seeks; for what was talked about ``before`` where the text leaves it to that.

        ``said`` is what was typed, where the text is its translation; ``named_before`` is given where others are wanted
        than those who were named.
        """
        intent, reading, fields = understood.intent, understood.reading, understood.fields
        declared = await self._declared_topics(workspace, reading, said)
        sureness = understood.sureness(fields[0]) if fields else Sureness(0.0, 0.0, 1.0)
        sure = sureness.confidence
        if not sureness.enough and not declared:
            if before and (reading.content == 0 or intent.refers_back):
                return await self.suggest(workspace, before, asker, 1.0, named_before, may_name)
            return NotKnown((), (), Subject(), sure)
        if before and intent.refers_back and reading.content <= 1 and not fields[0].named and not declared:
            return await self.suggest(workspace, before, asker, 1.0, named_before, may_name)
        subject = self._sought(understood) if sureness.enough else Subject()
        topics = tuple(dict.fromkeys([*declared, *subject.topics]))
        subject = Subject(subject.roles, topics, subject.tools)
        if before is None or not same(subject, before):
            named_before = None
        return await self.suggest(
            workspace,
            subject,
            asker,
            max(sure, SURE),
            named_before,
            may_name,
            reading.text,
            # What a text says of a topic or tool is not that its other roles would do.
            only_fitting=bool(subject.topics or subject.tools),
        )

    async def suggest(
        self,
        workspace: str,
        subject: Subject,
        asker: str | None,
        confidence: float = 1.0,
        named_before: NamedBefore | None = None,
        may_name: MayName = named_freely,
        text: str = "",
        *,
        only_fitting: bool = False,
    ) -> Suggestion:
        """Name at most three people for a subject, none that the text turns down, and note that they were suggested.

        ``only_fitting`` leaves out whoever only holds another of its roles than the first, where somebody fits better.
        """
        topics, own = await self._topic_keys(workspace, subject)
        roles = list(subject.roles)
        about = _about(topics, roles)
        if not await may_name():
            # Before anybody is counted: nobody's weekly cap is used up by an answer that names nobody.
            return self._naming_nobody(subject, own, confidence)
        chosen = await self._chosen(workspace, topics, roles, asker, named_before, text, only_fitting)
        while await may_name.look_up([person.user for person in (chosen.people or chosen.nearest)[:MOST_PEOPLE]]):
            # Before anybody is counted: who turns out to have left makes room, and is no suggestion of the week.
            chosen = await self._chosen(workspace, topics, roles, asker, named_before, text, only_fitting)
        people = await self._counted(workspace, chosen.people, about, asker)
        nearest = await self._counted(workspace, chosen.nearest, about, asker)
        passed_over = PassedOver() if people else await self.passed_over(workspace, subject, asker)
        topic = next((row for row in chosen.rows if row.kind == "topic"), None)
        # Somebody's own word for it is not what was asked for, unless it is part of the name.
        label = topic.label if topic and stands_for(topic.label, self._catalog.entry(topic.key)) else ""
        entry = self.entry_of(Subject(topics=subject.topics, tools=subject.tools) or subject)
        return Suggestion(
            asked_for=own or label or (entry.name if entry else "that"),
            roles=tuple(self._catalog.roles[role] for role in roles if role in self._catalog.roles),
            people=people,
            nearest=nearest,
            subject=Subject(subject.roles, subject.topics, subject.tools),
            confidence=confidence,
            further=named_before is not None or chosen.turned_down,
            passed_over=passed_over,
        )

    async def _chosen(
        self,
        workspace: str,
        topics: Sequence[str],
        roles: Sequence[str],
        asker: str | None,
        named_before: NamedBefore | None,
        text: str,
        only_fitting: bool,
    ) -> _Chosen:
        """Choose whom to name, best first, by what is known now; see ``suggest``."""
        about = _about(topics, roles)
        found = await self._candidates(workspace, topics, roles, asker, named_before, about)
        rows = [row for row in found if not turned_down(text, row.name)]
        people = choose(rows, topics, roles, len(rows))
        direct = {("topic", key) for key in topics} | {("role", role) for role in roles[:1]}
        nearest: tuple[Person, ...] = ()
        fitting = {row.user for row in rows if (row.kind, row.key) in direct}
        if only_fitting and fitting:
            people = tuple(person for person in people if person.user in fitting)
        if not fitting:
            people, nearest = (), await self._nearest(workspace, rows, roles, asker, named_before, about, text)
        return _Chosen(rows, people, nearest, turned_down=len(rows) < len(found))

    async def passed_over(
        self, workspace: str, subject: Subject, asker: str | None, *, also_later: bool = False
    ) -> PassedOver:
        """Count those who declared the very thing and are not to be named for it now, by why; see the port."""
        (topics, _), roles = await self._topic_keys(workspace, subject), subject.roles[:1]
        return await self._people.passed_over(
            workspace, topics=topics, roles=roles, without=asker, now=self._now(), also_later=also_later
        )

    async def _topic_keys(self, workspace: str, subject: Subject) -> tuple[list[str], str]:
        """Return by which keys the topics of a subject are declared, and the name of the workspace's own entry in it.

        An entry of the workspace is declared by its names, and by the topics that it belongs to.
        """
        team = await self._teams.of(workspace)
        own = [team.entries[topic] for topic in subject.topics if topic in team.entries]
        words = [word for entry in own for word in (entry.name, *entry.names, *entry.topics)]
        keys = [topic for topic in subject.topics if topic not in team.entries]
        keys += [*map(self._index.matcher.topic_key, words), *subject.tools]
        return list(dict.fromkeys(keys)), own[0].name if own else ""

    def _naming_nobody(self, subject: Subject, own: str, confidence: float) -> Suggestion:
        entry = self.entry_of(Subject(topics=subject.topics, tools=subject.tools) or subject)
        return Suggestion(
            own or (entry.name if entry else "that"),
            tuple(self._catalog.roles[role] for role in subject.roles if role in self._catalog.roles),
            (),
            (),
            Subject(subject.roles, subject.topics, subject.tools),
            confidence,
            names_people=False,
        )

    async def _counted(
        self, workspace: str, people: Sequence[Person], about: Sequence[str], asker: str | None
    ) -> tuple[Person, ...]:
        """Return at most three of the people, counted as suggested; whose terms are against it by now drops out."""
        waiting, named = list(people), list[Person]()
        while waiting and len(named) < MOST_PEOPLE:
            free = MOST_PEOPLE - len(named)
            batch, waiting = waiting[:free], waiting[free:]
            users = [person.user for person in batch]
            counts = await self._people.suggested(workspace, users, self._now(), about=about, asker=asker)
            named += [replace(one, this_week=counts[one.user]) for one in batch if one.user in counts]
        return tuple(named)

    async def to_ask(self, workspace: str, subject: Subject, asker: str | None) -> Sequence[ToAsk]:
        """Return whom a question may be put to, best first: those who may be named by the policy, then the others.

        Nobody is counted as suggested yet.
        """
        (topics, _), roles = await self._topic_keys(workspace, subject), list(subject.roles)
        about = _about(topics, roles)
        rows = await self._candidates(workspace, topics, roles, asker, None, about)
        hidden = await self._people.unnamed(
            workspace, topics=topics, roles=roles, without=asker, now=self._now(), about=about
        )
        found = [ToAsk(one.user, True) for one in choose(rows, topics, roles, len(rows))]
        found += [ToAsk(one.user, False) for one in choose(hidden, topics, roles, len(hidden))]
        if not found:
            found = [ToAsk(one.user, True) for one in await self._nearest(workspace, (), roles, asker, None, about)]
        return tuple({one.user: one for one in reversed(found)}.values())[::-1]

    async def about(self, workspace: str, subject: Subject) -> Sequence[str]:
        """Return the keys of what a subject is about, as people say what they are not to be asked about."""
        return _about((await self._topic_keys(workspace, subject))[0], subject.roles)

    async def sought(self, workspace: str, text: str, said: str) -> Subject:
        """Say what a question that is put to a person is about; an empty subject where that can't be told."""
        understood = self._index.understand(text)
        declared = await self._declared_topics(workspace, understood.reading, said)
        fields = understood.fields
        sure = bool(fields) and understood.sureness(fields[0]).enough
        subject = self._sought(understood) if sure else Subject()
        return Subject(subject.roles, tuple(dict.fromkeys([*declared, *subject.topics])), subject.tools)

    async def topic_of(self, workspace: str, label: str) -> Subject | None:
        """Return the subject of a search for what a text names: an entry, or a topic that somebody declared."""
        entry = self._index.matcher.names.named_exactly(label)
        if entry is not None:
            return subject_of(entry, FITTING_ROLES)
        declared = await self._people.declared_topics(workspace, [self._index.matcher.topic_key(label)])
        return Subject(topics=tuple(declared)) or None

    def entry_of(self, subject: Subject) -> AnyEntry | None:
        """Return the entry that a subject is about first."""
        for entry_id in (*subject.topics, *subject.roles, *subject.tools):
            entry = self._catalog.entry(entry_id)
            if entry is not None and (isinstance(entry, Role) or entry_id not in subject.roles):
                return entry
        return None

    def _sought(self, understood: Understanding) -> Subject:
        """Say which roles, topics and tools a search for people is about."""
        matches, fields = understood.matches, understood.fields
        top = matches[0].entry
        if isinstance(top, Tool) or (isinstance(top, Topic) and matches[0].named):
            return subject_of(top, FITTING_ROLES)
        best = fields[0]
        if best.named and understood.reading.beside < ALONE:
            return Subject((best.entry.id,))
        near = [match.entry.id for match in fields if match.score >= ROLE_SHARE * best.score]
        return Subject(tuple(near[:FITTING_ROLES]))

    async def _candidates(
        self,
        workspace: str,
        topics: Sequence[str],
        roles: Sequence[str],
        asker: str | None,
        named_before: NamedBefore | None,
        about: Sequence[str],
    ) -> Sequence[Candidate]:
        rows = await self._people.candidates(
            workspace, topics=topics, roles=roles, without=asker, now=self._now(), about=about
        )
        # By the conversation, whom the very answer named that is tried once more was named before.
        return [row for row in rows if row.again or named_before is None or not named_before(row.user)]

    async def _nearest(
        self,
        workspace: str,
        rows: Sequence[Candidate],
        roles: Sequence[str],
        asker: str | None,
        named_before: NamedBefore | None,
        about: Sequence[str],
        text: str = "",
    ) -> tuple[Person, ...]:
        """Return people of the other fitting roles, else of the roles that are most often confused with the first."""
        if not rows and roles:
            roles = [note.role for note in self._catalog.roles[roles[0]].confused_with][:NEAR_ROLES]
            found = await self._candidates(workspace, (), roles, asker, named_before, about)
            rows = [row for row in found if not turned_down(text, row.name)]
        return choose(rows, (), roles)

    async def _declared_topics(self, workspace: str, reading: Reading, said: str) -> list[str]:
        matcher = self._index.matcher
        keys = matcher.topic_keys(reading, MOST_TOPIC_WORDS)
        if said:
            # Topics are kept in the words of whoever declared them.
            keys = list(dict.fromkeys([*keys, *matcher.topic_keys(matcher.read(said), MOST_TOPIC_WORDS)]))
        return list(await self._people.declared_topics(workspace, keys)) if keys else []


def _about(topics: Sequence[str], roles: Sequence[str]) -> Sequence[str]:
    """Return what a search is about: its topics, else the role that fits best."""
    return topics or roles[:1]


def same(one: Subject, other: Subject) -> bool:
    """Tell whether two subjects are about the same, whatever else is kept of them."""
    return (one.roles, one.topics, one.tools) == (other.roles, other.topics, other.tools)
