"""Understand who says of themself what they do: "I'm the MLOps lead and know MLflow".

Only a text of which every part is understood counts: whoever says more than that wants something else.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from knowledge.catalog import Catalog
from knowledge.matching import Matcher
from knowledge.models import Tool, Topic
from knowledge.people import LONGEST_TOPIC, Level
from knowledge.text import strip_markup, words

LONGEST = 300
"""Signs of an introduction; what is longer tells a story."""
MOST_SPOKEN = 8
"""So many topics are taken from it."""
TOPIC_WORDS, TITLE_WORDS = 4, 5


@dataclass(frozen=True)
class Introduction:
    """Hold what a person said that they do."""

    roles: dict[str, Level]
    topics: tuple[str, ...]
    unknown: tuple[str, ...] = ()
    """What they said that they are, or know, in words that are not known here."""


_I_AM = r"(?:i am|i'm|im)(?: (?:also|now|currently|still))*"
_WORK = r"(?:work|act|serve) (?:here )?as"
_DO = r"(?:do|practi[sc]e|lead|run|head)"
_KNOW = (
    r"(?:also )?(?:know(?: about)?|use|work with|have worked with|have experience (?:with|in)|am good (?:at|with)|"
    r"can help (?:people |others |you |anybody |anyone )?with|(?:am )?happy to help with|"
    r"can answer questions (?:on|about))"
)
_SPLIT = re.compile(
    rf"([,;.!\n]+(?:\s|$)|\s[-–—]\s|\s+(?:and|but|who)\s+(?:also\s+)?"
    rf"(?=(?:i|i'm|im|am|do|lead|still|learning)\b|{_KNOW}\b))",
    re.IGNORECASE,
)
_GREETING = re.compile(
    r"(?:hi|hello|hey|good (?:morning|afternoon|evening))(?: (?:there|all|everyone|everybody|team|bot))?|"
    r"nice to meet you|by the way|btw|fyi|thanks?|thank you|please",
    re.IGNORECASE,
)
_LEARN = re.compile(
    rf"(?:(?:{_I_AM}|am) )?(?:(?:still|just|currently) )*(?:learning|studying)(?: (?P<what>.+))?", re.IGNORECASE
)
_CLAIM = re.compile(
    rf"(?:(?P<am>{_I_AM}|my (?:role|job|title|job title) is|i {_WORK})|(?:i )?(?:also )?(?P<does>{_DO}))"
    r"(?: (?:an?|the|our|your|one of (?:the|our)))? (?P<what>.+)",
    re.IGNORECASE,
)
_TITLE = re.compile(
    rf"(?:{_I_AM} (?:an?|the|our)|(?:my (?:role|job|title|job title) is|i {_WORK})(?: (?:an?|the|our))?) (?P<what>.+)",
    re.IGNORECASE,
)
_KNOWS = re.compile(
    rf"(?:(?:i )?{_KNOW}|(?:you can |(?:please )?feel free to )?ask me about) (?P<what>.+)", re.IGNORECASE
)
_SPEAKER = re.compile(r"\b(?:i|me)\b", re.IGNORECASE)
_LIST = re.compile(r"\s*(?:,|(?<=\s)&(?=\s)|\b(?:and|or|plus)\b)\s*", re.IGNORECASE)
"""What stands between the things of a list; "R&D" is one."""
_PLACE = re.compile(
    r"\s(?:here|at [\w&.\- ]{2,40}|"
    r"(?:in|on|of|for) (?:the |our )?[\w&\- ]{1,30}\b(?:team|department|group|office|unit))$",
    re.IGNORECASE,
)
_LEAD = frozenset("lead leader leading leads head principal chief".split())
_NEW = frozenset("junior trainee intern apprentice aspiring".split())
_BESIDE = frozenset("a an the our and of senior sr staff experienced certified main also".split()) | _LEAD | _NEW


def introduced(text: str, matcher: Matcher) -> Introduction | None:
    """Return what the person said that they do; None where it is anything else, a question or a wish above all."""
    roles: dict[str, Level] = {}
    topics: list[str] = []
    unknown: list[str] = []
    lists = False
    for clause, _ in clauses_of(text):
        if is_greeting(clause):
            continue
        if learns := _LEARN.fullmatch(clause):
            what = learns["what"]
            found = roles_in(what, matcher) if what else None
            if what and found is None:
                return None
            names = list(found or ()) or list(roles)[-1:]
            if not names:
                return None
            roles |= dict.fromkeys(names, "learning")
            lists = False
        elif known := _KNOWS.fullmatch(clause):
            listed = topics_in(known["what"])
            if listed is None:
                return None
            topics += listed
            lists = True
        elif (claims := _CLAIM.fullmatch(clause)) and (found := roles_in(claims["what"], matcher)):
            leads = (claims["does"] or "").lower() in ("lead", "run", "head")
            roles |= {role: "lead" if leads else level for role, level in found.items() if role not in roles}
            lists = False
        elif title := _title_in(clause):
            unknown.append(title)
            lists = False
        elif lists and (listed := topics_in(clause)) is not None:
            topics += listed
        else:
            return None
    spoken = tuple(topic for topic in dict.fromkeys(topics) if matcher.topic_key(topic))[:MOST_SPOKEN]
    if roles:
        return Introduction(roles, spoken, tuple(unknown))
    # Without a role, "I know a data engineer" or "I use the stairs" could be anything: it takes names that we know.
    ours = tuple(one for one in spoken if isinstance(matcher.names.named_exactly(one), Tool | Topic))
    if not ours or not _SPEAKER.search(text):
        return None
    if unknown:
        return Introduction({}, ours, (*unknown, *(one for one in spoken if one not in ours)))
    return Introduction({}, ours) if ours == spoken else None


def clauses_of(text: str) -> Sequence[tuple[str, str]]:
    """Return the clauses of what somebody says of themself, each with what parts it from the one before.

    There are none of a question, or of a long story.
    """
    bare = strip_markup(text).strip()
    if "?" in bare or len(bare) > LONGEST:
        return ()
    parts = ["", *_SPLIT.split(bare)]
    return [
        (" ".join(clause.split()), mark.strip())
        for mark, clause in zip(parts[::2], parts[1::2], strict=True)
        if clause.strip()
    ]


def is_greeting(clause: str) -> bool:
    """Tell whether a clause only greets or thanks."""
    return _GREETING.fullmatch(clause) is not None


def introduces(clause: str, matcher: Matcher) -> bool:
    """Tell whether a clause says what somebody is or does, known here or not."""
    return introduced(clause, matcher) is not None or _title_in(clause) is not None


def _title_in(clause: str) -> str | None:
    """Return what somebody says that they are, where that is no role known here: a few words, as a title has."""
    found = _TITLE.fullmatch(clause)
    title = _PLACE.sub("", found["what"]).strip(" .") if found else ""
    said = words(title)
    return title if 0 < len(said) <= TITLE_WORDS and not {*said} & (_NO_TOPIC | _NO_TITLE) else None


def roles_in(text: str, matcher: Matcher) -> dict[str, Level] | None:
    """Return the roles that a text names, if it says no more than them and at which level."""
    catalog: Catalog = matcher.catalog
    reading = matcher.read(_PLACE.sub("", text))
    spans = [span for span in reading.spans if span.entry_id in catalog.roles]
    inside = {at for span in spans for at in range(span.start, span.stop)}
    beside = {word for at, token in enumerate(reading.tokens) if at not in inside for word in token.typed.split()}
    if not spans or not beside <= _BESIDE:
        return None
    level: Level = "lead" if beside & _LEAD else "learning" if beside & _NEW else "practitioner"
    return {span.entry_id: level for span in spans}


def topics_in(text: str) -> Sequence[str] | None:
    """Return the topics of a list; None where it is no list of short names."""
    listed = [part.strip(" .\"'") for part in _LIST.split(text)]
    listed = [re.sub(r"^(?:a (?:bit|little) of|some|the)\s+", "", part, flags=re.IGNORECASE) for part in listed if part]
    short = all(len(words(part)) <= TOPIC_WORDS and len(part) <= LONGEST_TOPIC for part in listed)
    says = {word for part in listed for word in words(part)}
    return listed if listed and short and not says & _NO_TOPIC else None


_NO_TOPIC = frozenset(
    "i you he she we they it my your is are was were not no nothing how what who which that need want someone "
    "somebody anyone nobody everyone people help please but because me us".split()
)
_NO_TITLE = frozenset("bit little lot same one new fan looking trying interested".split())
