"""The form of an entry: as it is, or as somebody has typed it, with what others changed since they opened it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256

from handlers import ids
from handlers.blocks.message import Block, actions, button, context, cut, escape, option, plain, section
from handlers.blocks.people import View
from handlers.blocks.proposed import NAMED, NOT_NAMED, decisions
from handlers.blocks.team import source_of
from knowledge.team import (
    LONGEST_ANSWER,
    LONGEST_NAME,
    LONGEST_QUESTION,
    LONGEST_TOPIC,
    MOST_NAMES,
    MOST_ROLES,
    MOST_TOPICS,
    TeamEntry,
)

SHOW = "show"
LABELS: Mapping[str, str] = {
    "name": "Name",
    "names": "Other names",
    "question": "The question that it answers",
    "answer": "Answer",
    "roles": "Whose field it is",
    "topics": "Topics that it belongs to",
}
UNSAVED = {
    ids.TEAM_RETIRE: "It is not retired: what you typed is not saved. Save it first, or close this form to drop it.",
    ids.TEAM_VERIFY: "You changed something here that is not saved. *Save* it: that says too that it is right now.",
}
STANDS = {"published": "It answers now.", "retired": "It is retired now.", "proposed": "It waits for a curator now."}


@dataclass(frozen=True)
class Draft:
    """Hold what somebody has typed into a form that is shown again, and what they are told there."""

    entry: TeamEntry
    ticked: bool
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Opened:
    """Hold which entry a form was opened on, and a mark of what each of its fields was then."""

    entry_id: str = ""
    changed_at: str = ""
    marks: tuple[str, ...] = ()

    @classmethod
    def on(cls, entry: TeamEntry) -> Opened:
        """Return what a form of this entry is marked with."""
        return cls(entry.id, _at(entry), tuple(_mark(getattr(entry, name)) for name in LABELS))

    @classmethod
    def read(cls, metadata: str) -> Opened:
        """Read it from a form; an entry that nobody has where it says nothing that can be read."""
        if not metadata:
            return cls()
        try:
            entry_id, changed_at, *marks = json.loads(metadata)
        except (ValueError, TypeError, RecursionError):
            return cls(metadata)
        parts = (entry_id, changed_at, *marks)
        return cls(entry_id, changed_at, tuple(marks)) if all(isinstance(one, str) for one in parts) else cls(metadata)

    def as_text(self) -> str:
        """Write it into a form."""
        return json.dumps([self.entry_id, self.changed_at, *self.marks])

    def is_still(self, entry: TeamEntry) -> bool:
        """Tell whether the entry is as it was then."""
        return self.changed_at == _at(entry)

    def changed_in(self, entry: TeamEntry) -> list[str]:
        """Return the fields that are not what they were then."""
        now = Opened.on(entry).marks
        return [name for name, old, new in zip(LABELS, self.marks, now, strict=False) if old != new]


def _at(entry: TeamEntry) -> str:
    return entry.changed_at.isoformat() if entry.changed_at else ""


def _mark(value: object) -> str:
    return sha256(repr(value).encode("utf-8", "surrogatepass")).hexdigest()[:8]


def changed_meanwhile(opened: Opened, entry: TeamEntry, names: Mapping[str, str], typed: TeamEntry) -> tuple[str, ...]:
    """Say what somebody else made of an entry while a form of it was open, as mrkdwn."""
    fields = opened.changed_in(entry)
    who = f"<@{entry.written_by}>" if entry.written_by and fields else "Somebody"
    notes = [
        f"*{who} changed this entry while you had it open.* {STANDS[entry.state]} What you typed stands below, and is "
        "not saved: look at what they changed, and save again to put yours in its place."
    ]
    for name in fields:
        value = getattr(entry, name)
        if value == getattr(typed, name):
            continue
        words = value if isinstance(value, str) else ", ".join(names.get(one, one) for one in value)
        notes.append(f"*{LABELS[name]}* is now: {escape(cut(words, 2_000)) or '(empty)'}")
    if len(notes) == 1:
        notes.append("None of what it says was changed." if not fields else "They wrote the same as you.")
    return tuple(notes)


def entry_form(
    entry: TeamEntry | None,
    names: Mapping[str, str],
    view: View,
    alike: Sequence[TeamEntry] = (),
    draft: Draft | None = None,
) -> Block:
    """Make the form of an entry; ``names`` are those of roles, by id, ``alike`` what a proposal can be merged into.

    ``draft`` stands in it instead of what is kept.
    """
    one = draft.entry if draft else entry or TeamEntry("", "")
    roles: Block = {
        "type": "multi_external_select",
        "action_id": ids.TEAM_ROLES,
        "placeholder": plain("Type a role, a title or a tool", 150),
        "min_query_length": 0,
        "max_selected_items": MOST_ROLES,
    }
    chosen = [option(names[role], role) for role in one.roles if role in names]
    if chosen:
        roles["initial_options"] = chosen
    author: Block = {"type": "checkboxes", "action_id": ids.INPUT, "options": [option("Show my name with it", SHOW)]}
    # A tick is the consent of whoever saves: nobody finds one that another person made.
    if draft.ticked if draft else is_ticked(one, view.viewer):
        author["initial_options"] = author["options"]
    others = text_field(", ".join(one.names), MOST_NAMES * (LONGEST_NAME + 2))
    blocks = [
        *(section(note) for note in (draft.notes if draft else ())),
        field("name", LABELS["name"], text_field(one.name, LONGEST_NAME), optional=False),
        field("names", LABELS["names"], others, "With commas."),
        field("question", LABELS["question"], text_field(one.question, LONGEST_QUESTION)),
        field(
            "answer",
            LABELS["answer"],
            {**text_field(one.answer, LONGEST_ANSWER), "multiline": True},
            "Left empty, it is a topic: its card says whose field it is and whom to ask.",
        ),
        field("roles", LABELS["roles"], roles),
        field(
            "topics",
            LABELS["topics"],
            text_field(", ".join(one.topics), MOST_TOPICS * (LONGEST_TOPIC + 2)),
            "As colleagues declare them, with commas.",
        ),
    ]
    if entry is not None and entry.source == "kept":
        by = entry.shown_author
        blocks.append(context(f"By {escape(by)}. {NAMED}" if by else NOT_NAMED))
    else:
        blocks.append(field("author", "Author", author))
    if entry is not None:
        if entry.state == "proposed":
            blocks += decisions(entry, alike)
        row = [_retire(entry)] if entry.state == "published" else []
        if entry.state == "published":
            row.append(button("Still right", ids.TEAM_VERIFY, entry.id, label=f"Say that {entry.name} is right now"))
        if row:
            blocks.append(actions(*row))
        blocks.append(context(f"{entry.state}. {escape(source_of(entry, view.now))}"))
    return {
        "type": "modal",
        "callback_id": ids.VIEW_TEAM_ENTRY,
        "private_metadata": Opened.on(entry).as_text() if entry else "",
        "title": plain("An entry of your team", 24),
        "submit": plain("Save" if entry is None or entry.state == "published" else "Publish", 24),
        "close": plain("Cancel", 24),
        "blocks": blocks,
    }


def _retire(entry: TeamEntry) -> Block:
    made = button("Retire", ids.TEAM_RETIRE, entry.id, label=f"Retire {entry.name}: it stays, and answers nothing")
    made["confirm"] = {
        "title": plain("Retire it?", 100),
        "text": plain("It answers nothing any more. You can bring it back.", 300),
        "confirm": plain("Retire", 30),
        "deny": plain("Keep", 30),
    }
    return made


def is_ticked(entry: TeamEntry, viewer: str) -> bool:
    """Tell whether a person finds their name ticked to be shown."""
    return bool(entry.shown_author) and entry.written_by == viewer


def field(name: str, label: str, element: Block, hint: str = "", *, optional: bool = True) -> Block:
    """Make a field of a form; errors name it by its block."""
    made: Block = {
        "type": "input",
        "block_id": ids.team_block(name),
        "optional": optional,
        "label": plain(label, 2000),
        "element": element,
    }
    if hint:
        made["hint"] = plain(hint, 2000)
    return made


def text_field(initial: str, longest: int) -> Block:
    """Make a field for text."""
    made: Block = {"type": "plain_text_input", "action_id": ids.INPUT, "max_length": min(longest, 3000)}
    if initial:
        made["initial_value"] = initial
    return made
