"""Where in the Home tab a person is; it travels in the view, so that nothing of it is kept."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, fields

from handlers import ids
from handlers.payloads import Press

LONGEST = 150
"""Characters of each text that is held."""


@dataclass(frozen=True)
class Place:
    """Hold the section that is open."""

    section: str = ""
    """Empty for the first one that the person may see."""
    role: str = ""
    topic: str = ""
    """The key of a topic."""
    typed: str = ""
    name: str = ""
    """With ``user``: where in the order of the directory the page begins, or ends."""
    user: str = ""
    back: str = ""
    cleared: str = "0"
    """Counts how often the directory was begun anew: what was entered into it before is not meant any more."""

    def __post_init__(self) -> None:
        for field in fields(self):
            object.__setattr__(self, field.name, _held(getattr(self, field.name)))

    def anew(self, section: str) -> Place:
        """Return the beginning of a section."""
        return Place(section, cleared=str((int(self.cleared) + 1) % 1000) if self.cleared.isdecimal() else "0")

    def as_text(self) -> str:
        """Return it as the private metadata of the Home tab."""
        return json.dumps(asdict(self), ensure_ascii=False)


def _held(text: str) -> str:
    """Cut a text so that all of them fit into private metadata, in JSON as well.

    Slack takes 3,000 characters there: https://docs.slack.dev/reference/views
    """
    return "".join(filter(str.isprintable, text))[:LONGEST]


def place_in(text: str) -> Place:
    """Read the private metadata of the Home tab; the first section where it says nothing that can be read."""
    try:
        held = json.loads(text)
    except (ValueError, RecursionError):
        return Place()
    if not isinstance(held, dict):
        return Place()
    known = {field.name for field in fields(Place)}
    return Place(**{name: value for name, value in held.items() if name in known and isinstance(value, str)})


def place_of(press: Press) -> Place:
    """Return where in the Home tab somebody pressed, or where the modal was opened in which they did."""
    return place_in(press.private_metadata.removeprefix(ids.FROM_HOME))


def from_home(press: Press) -> str:
    """Return the private metadata for a modal that a press opens; empty where it was not on the Home tab."""
    return ids.FROM_HOME + place_of(press).as_text() if press.view_id and not press.in_modal else ""
