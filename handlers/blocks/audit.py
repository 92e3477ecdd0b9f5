"""Entries of the audit log in words: who by a mention, entries and words by their names, settings by their labels."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from handlers.blocks.message import escape
from handlers.settings_form import NAMES
from knowledge.models import Role, Tool, Topic
from knowledge.team import Known
from knowledge.workspaces import BY_ITSELF, COMMAND_LINE, Recorded

HASH = 64
"""Signs of the keyed hash that is left of a person; ids of Slack's are shorter."""
ENTRIES = {"entry": "Entry", "into": "Into"}
"""What holds the id of an entry, or of what a word stands for."""


def names_of(bundled: Iterable[Role | Topic | Tool], known: Known) -> dict[str, str]:
    """Return the names by which entries are shown: the bundled ones, and the workspace's own, whatever their state."""
    return {one.id: one.name for one in bundled} | {one.id: one.name for one in known.entries}


def changes(entry: Recorded, names: Mapping[str, str]) -> list[str]:
    """Say in words what an entry says beside who and when, as plain text."""
    lines = []
    for name in {**entry.before, **entry.after}:
        old, new = (_value(name, values.get(name), names) for values in (entry.before, entry.after))
        label = ENTRIES.get(name) or NAMES.get(name, name)
        lines.append(f"{label}: {old} → {new}" if name in entry.before else f"{label}: {new}")
    return lines


def as_mrkdwn(entry: Recorded, names: Mapping[str, str]) -> str:
    """Write an entry for a view, where a mention notifies nobody."""
    at = f"{entry.when.day} {entry.when:%B %Y, %H:%M}"
    whom = f" – {_who(entry.about)}" if entry.about else ""
    lines = [f"*{at}* · {_who(entry.who)}: {escape(entry.what)}{whom}"]
    return "\n".join([*lines, *(f"• {escape(line)}" for line in changes(entry, names))])


def as_object(entry: Recorded, names: Mapping[str, str]) -> dict[str, object]:
    """Return an entry for an export: ids as they are kept, and beside them what it says in words."""
    return {**entry.as_object(), "words": "; ".join([entry.what, *changes(entry, names)])}


def _value(name: str, value: object, names: Mapping[str, str]) -> str:
    match value:
        case True | False:
            return "yes" if value else "no"
        case None:
            return "–"
        case str() if name in ENTRIES:
            return f"“{names[value]}”" if value in names else f"{value}, which is not there any more"
    return str(value)


def _who(who: str) -> str:
    if who in (COMMAND_LINE, BY_ITSELF):
        return who
    if len(who) == HASH:
        return f"a person who is forgotten (hash {escape(who[:12])}…)"
    return f"<@{escape(who)}>"
