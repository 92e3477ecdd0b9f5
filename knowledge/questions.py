"""What kind of question a text is: greeting, comparison, a colleague wanted, knowledge wanted.

Decided from the words of the question alone, before and apart from what it is about; content/cues.yaml holds them.
Whether a colleague is wanted, which part of a role, and whether two roles are compared in words that mark off no sides,
the classifier says, for which the cues are evidence among others.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Annotated, Literal, get_args

from pydantic import AfterValidator

from knowledge.answers import Facet, Part
from knowledge.content_files import each_once, load_file
from knowledge.models import Entry
from knowledge.patterns import Pattern, Patterns, any_of, with_groups
from knowledge.text import strip_markup

Kind = Literal["empty", "greeting", "thanks", "help", "compare", "who", "people", "knowledge"]
"""``who`` is a search for people that does not say for what."""
Via = Literal["command", "mention", "dm"]

EVIDENCE = (
    "anyone_knows",
    "colleague",
    "compare_cue",
    "dates",
    "example",
    "facts",
    "hiring",
    "in_general",
    "injection",
    "pay",
    "places",
    "prices",
    "requests",
    "responsibilities",
    "role_wanted",
    "skills",
    "support",
    "who_of_the_past",
)
"""The cues that the classifier takes as evidence."""

AGAINST = frozenset(
    {"dates", "facts", "hiring", "injection", "pay", "places", "prices", "requests", "support", "who_of_the_past"}
)
"""The cues of what is not ours to answer."""

ROLE_SIGN, NAME_SIGN = "\x00", "\x01"
_ROLE, _OTHER = (f"{sign}[^{sign}]+{sign}" for sign in (ROLE_SIGN, NAME_SIGN))

# What may stand beside a greeting or thanks without making it more than that.
_FILLER = (
    r"(?:\s|[!.,;?~*…-]|\b(?:so much|very much|a lot|a million|bot|there|all|everyone|team|folks|again|dear|my friend"
    r"|you|u|for (?:that|the help|your help))\b)*"
)


@dataclass(frozen=True)
class Intent:
    """Hold what is asked, apart from about what."""

    kind: Kind
    text: str
    """The part of the question that names the subject: lower case, without Slack's markup."""
    facet: Facet = "summary"
    via: Via = "mention"
    sides: tuple[str, str] | None = None
    """The two subjects of a comparison, as typed; for ``knowledge`` of a text that may be one ("mle or mlops")."""
    compares: bool = False
    """Asks for a comparison in words that don't mark off its two sides."""
    wants_role: bool = False
    """A role is asked for by what it does ("which role …", "whose job is it …")."""
    of_somebody: bool = False
    """Speaks of people, jobs or work ("someone to tidy our tables", "where would a linguist fit in")."""
    more: bool = False
    """Wants to hear more of what was answered before."""
    refers_back: bool = False
    """A pronoun stands where the subject would ("do they need docker")."""
    part: Part | None = None
    """A part of a role's entry that is none of the facets ("how is its success measured")."""


class Cues(Entry):
    """Hold what content/cues.yaml says."""

    greeting: Patterns
    thanks: Patterns
    help: Patterns
    compare_cue: Patterns
    sides: Annotated[tuple[Annotated[Pattern, with_groups("a", "b")], ...], AfterValidator(each_once)]
    skills: Patterns
    responsibilities: Patterns
    example: Patterns
    in_general: Patterns
    relative_who: Patterns
    anyone_knows: Patterns
    colleague: Patterns
    who_of_the_past: Patterns
    role_wanted: Patterns
    of_somebody: Patterns
    rejected: Patterns
    more: Patterns
    refers_back: Patterns
    pay: Patterns
    prices: Patterns
    hiring: Patterns
    places: Patterns
    dates: Patterns
    facts: Patterns
    requests: Patterns
    injection: Patterns
    support: Patterns
    part_delivers: Patterns
    part_success_measures: Patterns
    part_decides: Patterns
    part_works_with: Patterns
    part_ask_about: Patterns
    part_grows_from: Patterns


class Questions:
    """Read questions by their cues."""

    def __init__(self, cues: Cues) -> None:
        greeting, thanks = any_of(cues.greeting).pattern, any_of(cues.thanks).pattern
        self._greeting = re.compile(f"(?:{greeting}){_FILLER}(?:(?:{greeting}){_FILLER})?")
        self._thanks = re.compile(f"(?:{thanks}){_FILLER}(?:(?:{thanks}|{greeting}){_FILLER})?")
        help_ = any_of(cues.help).pattern
        self._help = re.compile(f"(?:(?:{greeting}){_FILLER})?(?:{help_})")
        self._more = any_of(cues.more)
        rejected = any_of(cues.rejected).pattern.replace("NAME", f"(?:{_ROLE}|{_OTHER})").replace("ROLE", _ROLE)
        self._rejected = re.compile(rejected)
        self._compare_cue = any_of(cues.compare_cue)
        self._sides = [re.compile(cue) for cue in cues.sides]
        self._relative_who = any_of(cues.relative_who)
        self._who_of_the_past = any_of(cues.who_of_the_past)
        self._role_wanted = any_of(cues.role_wanted)
        self._of_somebody = any_of(cues.of_somebody)
        self._refers_back = any_of(cues.refers_back)
        self._parts: dict[Part, re.Pattern[str]] = {
            part: any_of(getattr(cues, f"part_{part}")) for part in get_args(Part)
        }
        self._evidence = {name: any_of(getattr(cues, name)) for name in EVIDENCE}

    def plain(self, text: str) -> tuple[str, str]:
        """Return a text without markup in lower case, and the same without the signs around it."""
        plain = " ".join(strip_markup(text).casefold().split())
        return plain, plain.strip(" \t!?.,;:*_~\"'()[]{}…-")

    def without_rejected(self, text: str) -> str:
        """Leave out what a text says that it is not about.

        ``text`` has ROLE_SIGN around each name of a role in it, and NAME_SIGN around each other name.
        """
        return " ".join(self._rejected.sub(" ", text).split())

    def cues(self, bare: str) -> list[str]:
        """Return the names of the cues found in a text, for the classifier."""
        found = [name for name, cue in self._evidence.items() if cue.search(bare)]
        if self._asks_who(bare):
            found.append("who")
        if self._evidence["colleague"].search(self._without_relative_who(bare)) and "who" in found:
            found.append("who colleague")
        return found

    def understand(
        self, text: str, via: Via = "mention", *, seeks_colleague: bool = False, facet: Facet = "summary"
    ) -> Intent:
        """Say what kind of question a text is; ``seeks_colleague`` and ``facet`` come from the classifier."""
        plain, bare = self.plain(text)
        if not re.search(r"\w", plain):
            return Intent("empty", bare)
        if self._greeting.fullmatch(bare):
            return Intent("greeting", bare)
        if self._thanks.fullmatch(bare):
            return Intent("thanks", bare)
        if self._help.fullmatch(bare):
            return Intent("help", bare)
        refers_back = self.refers_back(bare)
        if bare == "compare":
            return Intent("compare", bare, "compare")
        if bare in ("who", "whom"):
            return Intent("who", bare)
        typed_who = re.fullmatch(r"who(?:m)?\s+(?P<rest>.+)", bare) if via == "command" else None
        if typed_who and not self._who_of_the_past.search(bare):
            return Intent("people", typed_who["rest"], "people", via, refers_back=refers_back)
        sides = self._two_sides(bare)
        if sides is not None:
            return Intent("compare", bare, "compare", via, sides=sides, refers_back=refers_back)
        if seeks_colleague:
            return Intent("people", bare, "people", via, refers_back=refers_back)
        wants_role = self._asks_who(bare) or bool(self._role_wanted.search(bare))
        return Intent(
            "knowledge",
            bare,
            "summary" if facet == "compare" else facet,
            via,
            compares=facet == "compare" or bool(self._compare_cue.search(bare)),
            more=bool(self._more.fullmatch(bare)),
            wants_role=wants_role,
            of_somebody=wants_role or bool(self._of_somebody.search(bare)),
            refers_back=refers_back,
            part=next((part for part, cue in self._parts.items() if cue.search(bare)), None),
            sides=_alternatives(bare),
        )

    def refers_back(self, text: str) -> bool:
        """Tell whether a pronoun stands in the text where a subject would."""
        return bool(self._refers_back.search(text))

    def _without_relative_who(self, text: str) -> str:
        return self._relative_who.sub(lambda match: match.group().rsplit(" ", 1)[0] + " ", text)

    def _asks_who(self, text: str) -> bool:
        return bool(re.search(r"\bwho(?:m|'s|'d|'ll|'re|s|z)?\b", self._without_relative_who(text)))

    def _two_sides(self, text: str) -> tuple[str, str] | None:
        if not self._compare_cue.search(text):
            return None
        for pattern in self._sides:
            match = pattern.search(text)
            if match:
                return match["a"].strip(" ,:;"), match["b"].strip(" ,:;?!.")
        return None


def _alternatives(text: str) -> tuple[str, str] | None:
    left, found, right = text.partition(" or ")
    return (left, right) if found and " or " not in right else None


def load_questions() -> Questions:
    """Build what tells kinds of questions apart by the bundled cues."""
    return Questions(load_file("cues.yaml", Cues))
