"""Understand who says of themself what they do no longer: "I no longer do data engineering".

Only a text of which every part is understood counts, as with what somebody says that they do.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass

from knowledge.introducing import MOST_SPOKEN, clauses_of, introduces, is_greeting, roles_in, topics_in
from knowledge.matching import Matcher
from knowledge.models import Tool, Topic
from knowledge.people import Declaration

_DO = r"(?:do|practi[sc]e|lead|run|head|cover|handle|own|use|work (?:as|on|in|with)|(?:can )?help with)"
_DOING = r"(?:doing|practi[sc]ing|leading|running|heading|covering|handling|using|working (?:as|on|in|with))"
_DONT = r"i do(?:n't|nt| not)"
_I_AM = r"(?:i am|i'm|im)"
_MORE = r" (?:any ?more|any longer|now|nowadays|these days)"
_MY = r"(?:what i do|my (?:roles?|topics?|list|entry|declaration))"
_ENDS = re.compile(
    rf"(?:i no longer {_DO}|(?:i|i've|i have) stopped {_DOING}) (?P<what>.+?)(?:{_MORE})?|"
    rf"{_DONT} {_DO} (?P<done>.+?){_MORE}|"
    rf"(?:please )?(?:remove|delete|drop|take) (?P<named>.+?) (?:from|off|out of) {_MY}",
    re.IGNORECASE,
)
_MAY_END = re.compile(
    rf"{_DONT} do (?P<what>.+)|i no longer know(?: about)? (?P<known>.+)|{_DONT} know(?: about)? (?P<knew>.+?){_MORE}|"
    rf"{_I_AM} no longer (?:{_DOING} )?(?P<was>.+)|{_I_AM} not (?:{_DOING} )?(?P<been>.+?){_MORE}",
    re.IGNORECASE,
)
"""Clauses that end something only where we know it: "I'm not available now" ends nothing."""
_SOMEBODY = re.compile(r"\b(?:know|with) (?:an?|the|our|your|my|any) ", re.IGNORECASE)
_AROUND = re.compile(r"^(?:and|but|also) | please$", re.IGNORECASE)
_ARTICLE = re.compile(r"^(?:an?|the|our|your|my|any|in charge of|responsible for) ", re.IGNORECASE)
_ALL = re.compile(r"(?:everything|anything|all|(?:all|any) of (?:it|this|that|them|these|those))", re.IGNORECASE)


@dataclass(frozen=True)
class Ended:
    """Hold what somebody does no longer: roles, topics by the keys under which they are declared, and what else."""

    roles: tuple[str, ...] = ()
    topics: tuple[str, ...] = ()
    others: tuple[str, ...] = ()
    """What they have not declared, in their words."""
    everything: bool = False


@dataclass(frozen=True)
class _Part:
    said: str
    roles: Collection[str] = ()
    topic: str | None = None
    is_known: bool = False


def may_withdraw(text: str) -> bool:
    """Tell whether a text may be read so at all: whether one of its clauses ends something."""
    clauses = [_AROUND.sub("", clause) for clause, _ in clauses_of(text)]
    return any(_ENDS.fullmatch(clause) or _MAY_END.fullmatch(clause) for clause in clauses)


def withdrawn(text: str, declaration: Declaration, matcher: Matcher) -> Ended | None:
    """Return what a person who declared this said that they do no longer; None where the text is anything else."""
    found: list[_Part] = []
    everything = lists = False
    for whole, mark in clauses_of(text):
        clause = _AROUND.sub("", whole)
        surely = _ENDS.fullmatch(clause)
        ends = surely or _MAY_END.fullmatch(clause)
        if is_greeting(clause) or (not ends and introduces(_without_more(clause), matcher)):
            lists = False
            continue
        if not ends and not (lists and mark == ","):
            return None
        what = next(filter(None, ends.groups())) if ends else clause
        lists = True
        if surely and _ALL.fullmatch(what):
            everything = True
            continue
        parts = _parts(what, declaration.topics, matcher)
        # "I no longer know what a data engineer does", "..., explain RAG": it begins like one, and is none.
        if not parts or not (surely or any(part.is_known for part in parts)):
            return None
        if ends and _SOMEBODY.search(clause) and any(part.roles for part in parts):
            return None
        found += parts
    if not found and not everything:
        return None
    roles = [role for role in declaration.roles if any(role in part.roles for part in found)]
    topics = [key for key in declaration.topics if any(key == part.topic for part in found)]
    others = [part.said for part in found if part.topic is None and not {*part.roles} & {*roles}]
    return Ended(tuple(roles), tuple(topics), tuple(others[:MOST_SPOKEN]), everything)


def _without_more(clause: str) -> str:
    """Return a clause without what says since when: "I do MLOps now"."""
    return re.sub(rf"{_MORE}$", "", clause, flags=re.IGNORECASE)


def _parts(what: str, topics: Collection[str], matcher: Matcher) -> list[_Part]:
    """Return what a list names: it is one thing where that is declared, or known, as "Research and Development"."""
    whole = _part(what, topics, matcher)
    return [whole] if whole.is_known else [_part(part, topics, matcher) for part in topics_in(what) or ()]


def _part(what: str, topics: Collection[str], matcher: Matcher) -> _Part:
    typed = what.strip(" .\"'")
    said = _ARTICLE.sub("", typed)
    spelled = (typed, said, said.replace(" and ", " & "), said.replace("&", " and "))
    topic = next((key for key in map(matcher.topic_key, spelled) if key in topics), None)
    roles = tuple(roles_in(said, matcher) or ())
    named = isinstance(matcher.names.named_exactly(said), Tool | Topic)
    return _Part(said, roles, topic, bool(roles or named or topic is not None))
