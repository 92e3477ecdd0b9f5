"""Compare: put what a text names side by side."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from knowledge.answers import Comparison, Pair, Subject
from knowledge.catalog import AnyEntry, Catalog
from knowledge.index import Index, Understanding
from knowledge.models import Role, Tool, Topic
from knowledge.reading import Reading, Span

BETWEEN = frozenset("and or vs versus v to from with against than differ different compared both a an the our".split())
"""Words that may stand between the names of things to compare."""

Side = tuple[AnyEntry, float]
"""One side of a comparison, and how sure it is that it was meant."""


def compare_roles(catalog: Catalog, left_id: str, right_id: str) -> Comparison | None:
    """Compare two roles by id; None where one is not a role or both are the same."""
    left, right = catalog.roles.get(left_id), catalog.roles.get(right_id)
    if left is None or right is None or left is right:
        return None
    confusions = tuple(
        (role, note)
        for role, other in ((left, right), (right, left))
        for note in role.confused_with
        if note.role == other.id
    )
    tools = (catalog.tools_of[left.id], catalog.tools_of[right.id])
    return Comparison(left, right, confusions, tools, Subject(roles=(left.id, right.id)), 1.0)


class Comparer:
    """Compare two entries; what is named beside the first two is said to be left out."""

    def __init__(self, catalog: Catalog, index: Index) -> None:
        self._catalog = catalog
        self._index = index

    def asked(self, understood: Understanding, before: Subject | None) -> Comparison | Pair | None:
        """Compare what a text asks to compare; a side that is only near to something is not taken for it."""
        intent = understood.intent
        if intent.sides is None:
            return None
        enumerated = self._enumerated(understood.reading)
        all_roles = all(isinstance(entry, Role) for entry in enumerated)
        if len(enumerated) > 2 or (len(enumerated) == 2 and all_roles and len(understood.reading.spans) > 2):
            # "A, B or C"; "A and B in an X": what is named elsewhere is no side.
            return self._side_by_side([(entry, 1.0) for entry in enumerated])
        ours = understood.best is not None and understood.sureness(understood.best).is_ours
        prior = self._catalog.roles.get(before.roles[0]) if before and before.roles else None
        found: list[Side] = []
        for side in intent.sides:
            one = self._side(side, near=ours)
            if one is None and prior is not None and self._index.questions.refers_back(side):
                one = (prior, 1.0)
            if one is not None:
                found.append(one)
        if len(found) == 1 and prior is not None and found[0][0] is not prior:
            found.insert(0, (prior, 1.0))
        return self._side_by_side(found)

    def implied(self, understood: Understanding) -> Comparison | Pair | None:
        """Compare what a text names without marking off its sides: "mle or mlops?", "confused: mle, mlops"."""
        intent, reading = understood.intent, understood.reading
        if intent.sides is not None and intent.kind == "knowledge":
            named = [self._index.matcher.names.named_exactly(side) for side in intent.sides]
            if any(all(isinstance(entry, kind) for entry in named) for kind in (Role, Tool)):
                both = self._side_by_side([(entry, 1.0) for entry in named if entry is not None])
                if both is not None:
                    return both
        enumerated = self._enumerated(reading)
        if len(enumerated) > 2 and (intent.compares or _says_nothing_else(reading)):
            return self._side_by_side([(entry, 1.0) for entry in enumerated])
        if not intent.compares:
            return None
        roles = dict.fromkeys(span.entry_id for span in reading.spans if span.entry_id in self._catalog.roles)
        if len(roles) != 2:
            return None
        return self._side_by_side([(self._catalog.roles[role], 1.0) for role in roles])

    def _enumerated(self, reading: Reading) -> list[AnyEntry]:
        """Return the longest run of names of one kind with nothing but "and", "vs" and the like between them."""
        runs: list[list[Span]] = []
        for span in reading.spans:
            last = runs[-1][-1] if runs else None
            between = reading.tokens[last.stop : span.start] if last else ()
            if last and all(token.typed in BETWEEN for token in between) and self._same_kind(last, span):
                runs[-1].append(span)
            else:
                runs.append([span])
        # What roles are compared by may be a list, too: "… in Python, SQL and Docker".
        of_roles = [run for run in runs if len(run) > 1 and run[0].entry_id in self._catalog.roles]
        longest = max(of_roles or runs, key=len, default=[])
        found = (self._catalog.entry(one) for one in dict.fromkeys(span.entry_id for span in longest))
        return [entry for entry in found if entry is not None]

    def _same_kind(self, one: Span, other: Span) -> bool:
        return type(self._catalog.entry(one.entry_id)) is type(self._catalog.entry(other.entry_id))

    def _side(self, text: str, *, near: bool) -> Side | None:
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

    def _side_by_side(self, found: Sequence[Side]) -> Comparison | Pair | None:
        if len(found) < 2 or found[0][0] is found[1][0]:
            return None
        (left, left_sure), (right, right_sure) = found[:2]
        beside = tuple(entry for entry, _ in found[2:])
        sure = min(left_sure, right_sure)
        subject = _together([subject_of(entry) for entry, _ in found])
        both = compare_roles(self._catalog, left.id, right.id)
        if both is not None:
            return replace(both, subject=subject, confidence=sure, beside=beside)
        return Pair(left, right, subject, sure, beside=beside)


def subject_of(entry: AnyEntry, most: int = 2) -> Subject:
    """Return the subject that asking about an entry has; ``most`` roles speak for what is no role."""
    match entry:
        case Role():
            return Subject(roles=(entry.id,))
        case Topic():
            return Subject(roles=entry.roles[:most], topics=(entry.id,))
        case Tool():
            return Subject(roles=tuple(note.role for note in entry.used_by)[:most], tools=(entry.id,))


def _together(parts: Sequence[Subject]) -> Subject:
    return Subject(
        roles=tuple(dict.fromkeys(role for part in parts for role in part.roles)),
        topics=tuple(topic for part in parts for topic in part.topics),
        tools=tuple(tool for part in parts for tool in part.tools),
    )


def _says_nothing_else(reading: Reading) -> bool:
    named = {at for span in reading.spans for at in range(span.start, span.stop)}
    return all(at in named or token.typed in BETWEEN for at, token in enumerate(reading.tokens))
