"""What the administrators of a workspace decide for it, and the record of what was decided and done."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta
from typing import Any

from knowledge.people import Visibility

DEFAULT_DAYS = 30
LONGEST_DAYS = 365
"""So long a workspace may have questions kept at most."""
MOST_CURATORS = 20
KEEP_RECORDS = timedelta(days=365)
"""How long an entry of the audit log is kept."""
COMMAND_LINE = "command line"
BY_ITSELF = "the bot itself"
"""Who is on record where nobody pressed anything: a time had come."""
"""Who did it, where it was done on the machine and not in Slack."""


@dataclass(frozen=True)
class Settings:
    """Hold the settings of a workspace; the defaults hold until somebody changes them."""

    default_visibility: Visibility = "open"
    """Of declarations that are new."""
    starts_messages: bool = True
    """Whether the bot writes to people of its own accord: still right?, faded, nobody left for a role."""
    question_days: int = DEFAULT_DAYS
    """How long a question without an answer, or with a poor one, is kept; 0 for not at all."""
    names_in_shared: bool = False
    """Whether colleagues are named in channels that are shared with other companies."""
    names_to_guests: bool = False
    other_languages: bool = True
    """Whether questions in other languages than English are understood."""
    curators: tuple[str, ...] = ()
    """Whom administrators named; every administrator is one beside them."""


@dataclass(frozen=True)
class Recorded:
    """Hold an entry of the audit log: who did what and when, and what was changed by it; never what people wrote."""

    who: str
    """A person's id, ``COMMAND_LINE``, or the keyed hash of a person who was forgotten since."""
    what: str
    when: datetime
    before: Mapping[str, Any] = field(default_factory=dict)
    after: Mapping[str, Any] = field(default_factory=dict)
    about: str = ""
    """Whom it was done to: an id, or the keyed hash of a person who is forgotten; empty for nobody."""

    def as_object(self) -> dict[str, Any]:
        """Return the entry as JSON has it."""
        return {
            "at": self.when.isoformat(),
            "by": self.who,
            "action": self.what,
            "about": self.about or None,
            "before": dict(self.before),
            "after": dict(self.after),
        }


@dataclass(frozen=True)
class ToTell:
    """Name a curator who is to be told of roles that nobody is suggested for any more."""

    workspace: str
    user: str
    since: datetime
    """What was so before that they know, or it is older than their office."""
    told: datetime | None
    """When they were told last."""
    due: datetime


def changed(before: Settings, after: Settings) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return what differs, as it was and as it is; curators are people, and recorded one by one."""
    old, new = asdict(before), asdict(after)
    names = [name for name in old if name != "curators" and old[name] != new[name]]
    return {name: old[name] for name in names}, {name: new[name] for name in names}
