"""Explain: the card of an entry, and what is said where the knowledge holds none."""

from __future__ import annotations

from dataclasses import replace

from knowledge.answers import (
    Answer,
    Candidates,
    Facet,
    NotKnown,
    Part,
    RoleCard,
    Subject,
    ToolCard,
    TopicCard,
)
from knowledge.catalog import AnyEntry, Catalog
from knowledge.confidence import FIELD, OURS, SURE, UNSURE
from knowledge.index import Index, Understanding
from knowledge.models import Role, Tool, Topic
from knowledge.people import MOST_PEOPLE, MayName, Person, choose, named_freely
from knowledge.ports import People
from knowledge.questions import AGAINST

MOST_ROLES = 3
MOST_CANDIDATES = 3
ROLE_SHARE = 0.72
"""Another role fits nearly as well from this share of the best one's score."""
ALONE = 0.5
"""A role's title stands alone where less than this share of the text's weight is beside it."""
OUTSIDE = 0.5
"""From this judgement on, even a question about a tool is taken to be nobody's field."""


class Explainer:
    """Answer from the catalog; a role's card says who holds it."""

    def __init__(self, catalog: Catalog, index: Index, people: People) -> None:
        self._catalog = catalog
        self._index = index
        self._people = people

    async def explain(self, workspace: str, understood: Understanding, may_name: MayName) -> Answer:
        """Show what a text names, or is sure enough to mean; else say that it is not known."""
        intent, matches, best = understood.intent, understood.matches, understood.best
        alone = self._index.matcher.names.named_alone(understood.reading)
        # "When is Kubernetes?" says nothing else in words that count, and yet asks for something else.
        asks_what_it_is = not (intent.wants_role or intent.part or AGAINST.intersection(understood.cues))
        if alone is not None and intent.facet in ("summary", "compare") and asks_what_it_is:
            return await self.card(workspace, alone, may_name=may_name)
        if best is None:
            return await self._not_known(workspace, understood, may_name)
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
            asks_for_role = best.named or intent.wants_role or intent.part or intent.via == "command"
            by_field = facet == "summary" and not asks_for_role
            if isinstance(best.entry, Role) and by_field and not intent.of_somebody:
                return await self._lies_in_field(workspace, best.entry, sure, may_name)
            card = await self.card(workspace, best.entry, facet, intent.part, others, sure, may_name)
            return replace(card, by_field=True) if isinstance(card, RoleCard) and by_field else card
        if intent.via == "command" and sure >= UNSURE:
            near = [match.entry for match in matches[:MOST_CANDIDATES] if match.score >= best.score / 2]
            return Candidates(tuple(dict.fromkeys([best.entry, *near]))[:MOST_CANDIDATES], Subject(), sure)
        return await self._not_known(workspace, understood, may_name)

    async def card(
        self,
        workspace: str,
        entry: AnyEntry,
        facet: Facet = "summary",
        part: Part | None = None,
        others: tuple[Role, ...] = (),
        confidence: float = 1.0,
        may_name: MayName = named_freely,
    ) -> RoleCard | TopicCard | ToolCard:
        """Return the card of an entry; ``others`` are roles that fit nearly as well."""
        match entry:
            case Role():
                holders, named = await self._holders(workspace, entry.id, may_name)
                return RoleCard(
                    entry,
                    facet,
                    self._catalog.tools_of[entry.id],
                    holders,
                    others,
                    Subject(roles=(entry.id, *(other.id for other in others))),
                    confidence,
                    part,
                    names_people=named,
                )
            case Topic():
                return TopicCard(
                    entry,
                    tuple(self._catalog.roles[role] for role in entry.roles),
                    tuple(self._catalog.tools[tool] for tool in entry.tools),
                    Subject(roles=entry.roles, topics=(entry.id,)),
                    confidence,
                )
            case Tool():
                return ToolCard(
                    entry,
                    tuple((self._catalog.roles[note.role], note) for note in entry.used_by),
                    Subject(roles=tuple(note.role for note in entry.used_by), tools=(entry.id,)),
                    confidence,
                )

    async def _not_known(self, workspace: str, understood: Understanding, may_name: MayName) -> NotKnown:
        """Say that there is no answer, and whose field it is where it is plainly somebody's."""
        best = understood.best
        sure = understood.sure(best) if best else 0.0
        found = self._whose_field(understood)
        if found is None:
            return NotKnown((), (), Subject(), sure)
        return await self._lies_in_field(workspace, *found, may_name)

    async def _lies_in_field(self, workspace: str, role: Role, sure: float, may_name: MayName) -> NotKnown:
        """Say that there is no answer, but whose field it is."""
        holders, named = await self._holders(workspace, role.id, may_name)
        return NotKnown((role,), holders, Subject(roles=(role.id,)), sure, names_people=named)

    def _whose_field(self, understood: Understanding) -> tuple[Role, float] | None:
        """Return the role whose field a question is, and how sure that is.

        It is of a tool that the question names the first user, else the best-fitting role.
        """
        if "support" in understood.cues and understood.judgement.outside < OUTSIDE:
            for span in understood.reading.spans:
                tool = self._catalog.tools.get(span.entry_id)
                if tool is not None:
                    user = self._catalog.roles[tool.used_by[0].role]
                    fits = (understood.of_field(match) for match in understood.fields if match.entry is user)
                    return user, next(fits, FIELD)
            best = understood.best
            if best is not None and isinstance(best.entry, Role):
                # Only that it wants to be shown how spoke against it: "how do I write better prompts".
                sureness = understood.sureness(best)
                if sureness.ours >= OURS["knowledge"] and sureness.confidence >= SURE:
                    return best.entry, sureness.confidence
        best = next(iter(understood.fields), None)
        if best is None or understood.of_field(best) < FIELD or self._speaks_of_somebody(understood):
            return None
        return self._catalog.roles[best.entry.id], understood.of_field(best)

    def _speaks_of_somebody(self, understood: Understanding) -> bool:
        """Tell whether a text that is not ours to answer names a role by its title: talk of whoever holds it."""
        names, reading = self._index.matcher.names, understood.reading
        best = understood.best
        ours = best is not None and understood.sureness(best).is_ours
        return not ours and reading.beside > ALONE and any(names.is_title(reading, span) for span in reading.spans)

    async def _holders(self, workspace: str, role: str, may_name: MayName) -> tuple[tuple[Person, ...], bool]:
        """Return who holds a role, and whether people may be named at all; that is asked where somebody holds it."""
        rows = await self._people.holders(workspace, role)
        if rows and not await may_name():
            return (), False
        people = choose(rows, (), (role,), most=MOST_PEOPLE + 1)
        while await may_name.look_up([person.user for person in people[:MOST_PEOPLE]]):
            rows = await self._people.holders(workspace, role)
            people = choose(rows, (), (role,), most=MOST_PEOPLE + 1)
        return people, True
