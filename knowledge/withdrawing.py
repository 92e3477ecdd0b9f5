"""Understand who says of themself what they do no longer: "I no longer do data engineering"."""

from __future__ import annotations

import re
from dataclasses import dataclass

from knowledge.introducing import MOST_SPOKEN, clauses_of, is_greeting, roles_in, topics_in
from knowledge.matching import Matcher

_DO = r"(?:do|practi[sc]e|lead|run|head|cover|handle|own|know(?: about)?|use|work (?:as|on|in|with)|(?:can )?help with)"
_DOING = r"(?:doing|practi[sc]ing|leading|running|heading|covering|handling|using|working (?:as|on|in|with))"
_MORE = r" (?:any ?more|any longer|now|nowadays|these days)"
_MY = r"(?:what i do|my (?:roles?|topics?|list|entry|declaration))"
_ENDS = re.compile(
    rf"(?:i no longer {_DO}|i do(?:n't|nt| not) do|(?:i|i've|i have) stopped {_DOING}) (?P<what>.+?)(?:{_MORE})?|"
    rf"i do(?:n't|nt| not) {_DO} (?P<done>.+?){_MORE}|"
    rf"(?:i am|i'm|im) no longer (?:{_DOING} )?(?P<was>.+?)|"
    rf"(?:i am|i'm|im) not (?:{_DOING} )?(?P<been>.+?){_MORE}|"
    rf"(?:please )?(?:remove|delete|drop|take) (?P<named>.+?) (?:from|off|out of) {_MY}",
    re.IGNORECASE,
)
_ARTICLE = re.compile(r"^(?:an?|the|our|your|my|any|in charge of|responsible for) ", re.IGNORECASE)


@dataclass(frozen=True)
class Ended:
    """Hold one thing that somebody does no longer: in their words, and the roles that these name, if any."""

    said: str
    roles: tuple[str, ...] = ()


def withdrawn(text: str, matcher: Matcher) -> tuple[Ended, ...]:
    """Return what the person said that they do no longer; nothing where the text is anything else.

    What is said beside it is passed over: nothing is taken out without a click.
    """
    found: list[Ended] = []
    lists = False
    for clause in clauses_of(text):
        if is_greeting(clause):
            continue
        ends = _ENDS.fullmatch(clause)
        what = next(filter(None, ends.groups())) if ends else clause if lists else ""
        parts = _parts(_ARTICLE.sub("", what, count=1) if ends else what, matcher)
        if not parts and (ends or not found):
            # "I no longer know what a data engineer does": it begins like one, and is none.
            return ()
        found += parts
        lists = bool(parts)
    return tuple(found[:MOST_SPOKEN])


def _parts(what: str, matcher: Matcher) -> list[Ended]:
    if not what:
        return []
    if whole := roles_in(what, matcher):
        return [Ended(what, tuple(whole))]
    return [Ended(part, tuple(roles_in(part, matcher) or ())) for part in topics_in(what) or ()]
