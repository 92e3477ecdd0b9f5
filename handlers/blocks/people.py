"""How people are shown: named, with the reason, linked to their profile, never notified."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from handlers.blocks.message import cut, escape
from knowledge.models import Role
from knowledge.people import Person, Reason

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


def reason(view: View, given: Reason) -> str:
    """Say why somebody is suggested: "lead MLOps Engineer" or "declared “Airflow”"."""
    if given.kind == "topic":
        return f"declared “{given.label}”"
    role = view.roles[given.key].name if given.key in view.roles else given.key
    return {"lead": f"{role}, lead", "practitioner": f"{role}, practitioner", "learning": f"{role}, learning"}[
        given.level or "learning"
    ]


def why(view: View, person: Person) -> str:
    """Give all reasons, when they were confirmed, and whether the person is out."""
    reasons = cut("; ".join(dict.fromkeys(reason(view, given) for given in person.reasons)), LONGEST_REASONS)
    confirmed = ago(view.now, person.reasons[0].confirmed)
    out = {"ooo": " · out of office", "away": " · away now"}.get(person.availability, "")
    return f"{reasons} · confirmed {confirmed}{out}"


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
