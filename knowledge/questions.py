"""What kind of question a text is: greeting, comparison, a colleague wanted, knowledge wanted, or not ours to answer.

Decided from the words of the question alone, before and apart from what it is about; content/cues.yaml holds them.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, get_args

from knowledge.answers import Facet, Part
from knowledge.text import strip_markup

Kind = Literal["empty", "greeting", "thanks", "help", "compare", "who", "people", "knowledge"]
"""``who`` is a search for people that does not say for what."""
Via = Literal["command", "mention", "dm"]

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
    wants_role: bool = False
    """A role is asked for by what it does ("which role …", "whose job is it …")."""
    refers_back: bool = False
    """A pronoun stands where the subject would ("do they need docker")."""
    outside: bool = False
    """Asks for something that the knowledge holds of no subject and that is nobody's field: pay, prices, dates."""
    part: Part | None = None
    """A part of a role's entry that is none of the facets ("how is its success measured")."""
    support: bool = False
    """Asks to be shown how, or for support with a fault: not in the knowledge, but somebody's field."""


class Questions:
    """Read questions by their cues; ``cues`` is the parsed content/cues.yaml."""

    def __init__(self, cues: Mapping[str, Sequence[str]]) -> None:
        def any_of(name: str) -> re.Pattern[str]:
            return re.compile("|".join(f"(?:{cue})" for cue in cues[name]))

        greeting, thanks = any_of("greeting").pattern, any_of("thanks").pattern
        self._greeting = re.compile(f"(?:{greeting}){_FILLER}(?:(?:{greeting}){_FILLER})?")
        self._thanks = re.compile(f"(?:{thanks}){_FILLER}(?:(?:{thanks}|{greeting}){_FILLER})?")
        self._help = any_of("help")
        self._compare_cue = any_of("compare_cue")
        self._sides = [re.compile(cue) for cue in cues["sides"]]
        self._skills = any_of("skills")
        self._responsibilities = any_of("responsibilities")
        self._example = any_of("example")
        self._in_general = any_of("in_general")
        self._relative_who = any_of("relative_who")
        self._anyone_knows = any_of("anyone_knows")
        self._colleague = any_of("colleague")
        self._who_of_the_past = any_of("who_of_the_past")
        self._role_wanted = any_of("role_wanted")
        self._refers_back = any_of("refers_back")
        self._outside = any_of("outside")
        self._support = any_of("support")
        self._parts: dict[Part, re.Pattern[str]] = {part: any_of(f"part_{part}") for part in get_args(Part)}

    def understand(self, text: str, via: Via = "mention") -> Intent:
        """Say what kind of question a text is."""
        plain = " ".join(strip_markup(text).casefold().split())
        bare = plain.strip(" \t!?.,;:*_~\"'()[]{}…-")
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
        in_general = bool(self._in_general.search(bare))
        past = bool(self._who_of_the_past.search(bare))
        if not in_general and self._seeks_colleague(bare, plain):
            return Intent("people", bare, "people", via, refers_back=refers_back, outside=past)
        who_in_general = in_general and self._asks_who(bare)
        wants_role = who_in_general or bool(self._role_wanted.search(bare))
        return Intent(
            "knowledge",
            bare,
            self._facet(bare, wants_role),
            via,
            wants_role=wants_role,
            refers_back=refers_back,
            outside=past or bool(self._outside.search(bare)),
            support=bool(self._support.search(bare)),
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

    def _seeks_colleague(self, bare: str, plain: str) -> bool:
        if self._anyone_knows.search(bare):
            return False
        found = self._colleague.search(self._without_relative_who(bare)) or self._colleague.search(plain)
        if found is None:
            return False
        return self._asks_who(bare) if re.search(r"\bwho", found.group()) else True

    def _facet(self, text: str, wants_role: bool) -> Facet:
        if self._example.search(text):
            return "example"
        if wants_role:
            # "Which role …" asks for the role, whatever words describe its work.
            return "summary"
        if self._skills.search(text):
            return "skills"
        return "responsibilities" if self._responsibilities.search(text) else "summary"

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
