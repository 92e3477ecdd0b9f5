"""How people are shown: named, with the reason, linked to their profile, never notified."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from zoneinfo import ZoneInfo

from handlers.blocks.message import cut, escape
from knowledge.freshness import ASK_AGAIN, MOST_UNANSWERED
from knowledge.models import Role
from knowledge.people import MOST_COUNTED, Declaration, PassedOver, Person, Reason, Visibility

LONGEST_NAME = 80
LONGEST_REASONS = 300
"""Cut here, before markup is put around it: three people always fit in one section."""


@dataclass(frozen=True)
class View:
    """Hold what rendering needs beside the answer: the time, the names of roles, and where profiles are."""

    now: datetime
    roles: Mapping[str, Role]
    team: str = ""
    team_url: str = ""
    """The workspace's address with a slash at the end, as auth.test gives it; empty where it is not known yet."""
    viewer: str = ""
    local_times: bool = True
    """Whether it is said what time it is where people are; scripts get the same text at any time of the day."""

    def profile(self, person: Person) -> str:
        """Return a link to the person's profile as mrkdwn; unlike a mention, a link notifies nobody."""
        # A bar or a line break would end the link's label.
        name = escape(display_name(person)).replace("|", "¦")
        if self.team_url:
            return f"<{self.team_url}team/{person.user}|{name}>"
        return f"<slack://user?team={self.team}&id={person.user}|{name}>"


def display_name(person: Person) -> str:
    """Return the name, or the id where the profile was never read."""
    return cut(" ".join(person.name.split()), LONGEST_NAME) or f"member {person.user}"


def ago(now: datetime, then: datetime) -> str:
    """Say in words how many days ago something was."""
    days = (now - then).days
    return "today" if days < 1 else "yesterday" if days == 1 else f"{days} days ago"


def day(at: datetime) -> str:
    """Write a day as people read it, in UTC."""
    return f"{at.day} {at:%B %Y}"


def dated(now: datetime, at: datetime, *, imported: bool) -> str:
    """Say when somebody confirmed what they declare, or when a file declared it for them."""
    return f"imported on {day(at)}, not confirmed" if imported else f"confirmed {ago(now, at)}"


@dataclass(frozen=True)
class Footing:
    """Hold what decides what becomes of a declaration, beside the terms that its person set."""

    member: bool | None
    """Whether the person is a full member, as only those are suggested and asked again; None where nobody knows yet."""
    asks: bool
    """Whether the bot asks people of the workspace if what they declared is still right."""


NOT_A_MEMBER = (
    "Nobody is shown this, and you are suggested to nobody, while you are not a full member of this workspace."
)
IF_A_GUEST = (
    "Slack has not told me yet who you are here: if you are a guest, nobody is shown this, and you are not asked again."
)
SEEN: Mapping[Visibility, str] = {
    "open": "Others who ask will see:",
    "ask_first": "Nobody is shown your name. Whoever asks is told only that somebody here does this.",
    "hidden": "Nobody is shown your name.",
}


def seen(declaration: Declaration, footing: Footing) -> str:
    """Say what others see of a declaration, in a sentence that goes before it."""
    if footing.member is False:
        return NOT_A_MEMBER
    told = SEEN[declaration.terms.visibility]
    return told if footing.member else f"{IF_A_GUEST} Else: {told[0].lower()}{told[1:]}"


def freshness(declaration: Declaration, now: datetime, footing: Footing) -> str:
    """Say when a declaration was confirmed, when its person is asked again, and when it fades."""
    if declaration.confirmed is None:
        return ""
    confirmed = f"You confirmed it {ago(now, declaration.confirmed)}."
    if declaration.imported:
        confirmed = f"Others entered it for you {ago(now, declaration.confirmed)}; you have not confirmed it."
    if declaration.faded and footing.member is False:
        return f"{confirmed} It has faded."
    if declaration.faded:
        return f"{confirmed} It has faded: you are not suggested for it until you save it again."
    if declaration.check_at is None or not footing.asks or footing.member is False:
        return f"{confirmed} You are not asked whether it is still right, and it does not fade."
    fades = declaration.check_at + ASK_AGAIN * (MOST_UNANSWERED - declaration.unanswered)
    return f"{confirmed} Asked again on {day(declaration.check_at)}; fades on about {day(fades)} unless confirmed."


def reason(view: View, given: Reason) -> str:
    """Say why somebody is suggested: "lead MLOps Engineer" or "declared “Airflow”"."""
    if given.kind == "topic":
        return f"declared “{given.label}”"
    role = view.roles[given.key].name if given.key in view.roles else given.key
    return {"lead": f"{role}, lead", "practitioner": f"{role}, practitioner", "learning": f"{role}, learning"}[
        given.level or "learning"
    ]


WORKING_HOURS = range(9, 17)


@lru_cache(maxsize=1_000)
def _zone(tz: str) -> ZoneInfo | None:
    try:
        return ZoneInfo(tz)
    except (ValueError, KeyError, OSError):
        # No name, no zone of that name, or a folder of zones.
        return None


def local_time(now: datetime, tz: str) -> str:
    """Say what time it is in a zone: "10:40 there (UTC+2)"; nothing where the zone is not known."""
    zone = _zone(tz)
    if zone is None:
        return ""
    there = now.astimezone(zone)
    # %z is +0530, or with seconds in the years before there were zones.
    sign, hours, minutes = (offset := f"{there:%z}")[0], int(offset[1:3]), int(offset[3:5])
    offset = f"{sign}{hours}" + (f":{minutes:02}" if minutes else "")
    at_work = there.weekday() < 5 and there.hour in WORKING_HOURS
    return f"{there:%H:%M} there (UTC{'' if offset in ('+0', '-0') else offset})" + ", outside working hours" * (
        not at_work
    )


def why(view: View, person: Person) -> str:
    """Give all reasons, when they were confirmed, the time where the person is, and how much was asked this week."""
    reasons = cut("; ".join(dict.fromkeys(reason(view, given) for given in person.reasons)), LONGEST_REASONS)
    parts = [
        reasons,
        dated(view.now, person.reasons[0].confirmed, imported=person.imported),
        local_time(view.now, person.tz) if view.local_times else "",
        f"{person.this_week} of {person.weekly_cap} this week" if person.weekly_cap is not None else "",
        {"ooo": "out of office", "away": "away now"}.get(person.availability, ""),
    ]
    return " · ".join(filter(None, parts))


MEMBERS_ONLY = (
    "I name colleagues only to members of this workspace, and only where nobody from outside reads along. "
    "If you are one, ask me directly, or again in a moment."
)
OUT_COMES_LAST = "Whoever is out of office comes after the others of the same level of fit."
NOBODY_LEFT_OUT = "Nobody who declared this was left out."


def passed_over_in_words(counts: PassedOver) -> list[str]:
    """Say in sentences who declared it and is not named, and why: numbers, never names."""

    def said(count: int, one: str, more: str) -> list[str]:
        number = f"{count} or more" if count >= MOST_COUNTED else str(count)
        return [f"{number} {one if count == 1 else more}."] if count else []

    cap = "reached the number of suggestions a week that they set"
    asked_not_to = "asked not to be asked about this"
    return [
        *said(counts.capped, cap, cap),
        *said(counts.not_about, asked_not_to, asked_not_to),
        *said(counts.ask_first, "wants to be asked before being named", "want to be asked before being named"),
        *said(counts.faded, "has not confirmed it for long", "have not confirmed it for long"),
        *said(counts.away, "is away, and comes after their equals", "are away, and come after their equals"),
        *said(
            counts.out_of_office,
            "is out of office, and comes after the others",
            "are out of office, and come after the others",
        ),
    ]


def listed(view: View, people: Sequence[Person]) -> tuple[list[str], list[str]]:
    """Return the people as plain lines and as mrkdwn lines."""
    words = [f"{place}. {display_name(person)} – {why(view, person)}" for place, person in enumerate(people, 1)]
    marked = [
        f"{place}. *{view.profile(person)}* – {escape(why(view, person))}" for place, person in enumerate(people, 1)
    ]
    return words, marked


def holders(view: View, people: Sequence[Person]) -> tuple[str, str]:
    """Say in one line who here does it, with levels: plain and as mrkdwn."""
    shown = [person for person in people if person.user != view.viewer][:3]
    if not shown:
        # To somebody who declared it, "nobody" would be untrue.
        nobody = "nobody else" if people else "nobody"
        return f"Who does it here: {nobody} has declared it yet.", f"*Who does it here:* {nobody} has declared it yet."

    def level(person: Person) -> str:
        out = ", out of office" if person.availability == "ooo" else ""
        return f"{person.reasons[0].level or 'learning'}{out}"

    words = ", ".join(f"{display_name(person)} ({level(person)})" for person in shown)
    marked = ", ".join(f"{view.profile(person)} ({level(person)})" for person in shown)
    return f"Who does it here: {words}.", f"*Who does it here:* {marked}"
