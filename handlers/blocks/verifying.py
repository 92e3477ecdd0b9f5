"""Asking an author whether an entry of the team is still right, and what came of it."""

from __future__ import annotations

import json
from hashlib import sha256

from handlers import ids
from handlers.blocks.message import Block, Message, actions, button, context, escape, message, plain, section
from handlers.blocks.people import View, ago
from knowledge.team import LONGEST_ANSWER, TeamEntry

RULE = (
    "I ask half a year after somebody said so last, and remind you once. Without an answer your curators decide; if "
    "they don't either, it answers nobody any more. Nothing is deleted."
)
CHANGED = (
    "*Somebody changed the answer while you had it open.* What you typed stands below, and is not saved: save again to "
    "put it in the place of theirs, which is:"
)


def mark_of(answer: str) -> str:
    """Return by what a form knows whether an answer is still the one that it was opened on."""
    return sha256(answer.encode("utf-8", "surrogatepass")).hexdigest()[:16]


def entry_in(metadata: str) -> tuple[str, str]:
    """Read the entry of a form, and the mark of its answer; two empty texts where it says none."""
    try:
        entry_id, mark = json.loads(metadata)
    except (ValueError, TypeError, RecursionError):
        return "", ""
    return (entry_id, mark) if isinstance(entry_id, str) and isinstance(mark, str) else ("", "")


def still_right(entry: TeamEntry, view: View, *, reminder: bool) -> Message:
    """Ask whether an entry is still right."""
    when = ago(view.now, entry.verified_at) if entry.verified_at else "a while ago"
    head = "A reminder, the only one: is this still right?" if reminder else "Is this still right?"
    said = f"{head} Your team reads it as your answer; it was verified {when}."
    asked = entry.question or entry.name
    return message(
        [said, asked, entry.answer, RULE],
        [
            section(f"*{escape(said)}*"),
            section(f"*{escape(asked)}*"),
            section(escape(entry.answer or entry.name)),
            actions(
                button("Still right", f"{ids.VERIFY}:right", entry.id, primary=True),
                button("Change…", f"{ids.VERIFY}:change", entry.id),
                button("Retire", f"{ids.VERIFY}:retire", entry.id, label="Retire it: it answers nobody any more"),
            ),
            context(RULE),
        ],
    )


def change_form(entry: TeamEntry, typed: str | None = None) -> Block:
    """Build the form in which an author changes an answer, which says that it is right now.

    ``typed`` stands in it where somebody else changed the answer while it was open, and the form says so.
    """
    shown = entry.answer if typed is None else typed
    answer: Block = {
        "type": "plain_text_input",
        "action_id": ids.INPUT,
        "multiline": True,
        "max_length": LONGEST_ANSWER,
    }
    if shown:
        answer["initial_value"] = shown
    notes = []
    if typed is not None:
        notes = [section(CHANGED), section(escape(entry.answer) or "(empty)")]
    return {
        "type": "modal",
        "callback_id": ids.VIEW_VERIFY,
        "private_metadata": json.dumps([entry.id, mark_of(entry.answer)]),
        "title": plain("Change the answer", 24),
        "submit": plain("Save", 24),
        "close": plain("Cancel", 24),
        "blocks": [
            section(f"*{escape(entry.question or entry.name)}*"),
            *notes,
            {
                "type": "input",
                "block_id": ids.BLOCK_ANSWER,
                "label": plain("The answer", 2000),
                "element": answer,
            },
            context("It answers with this from now on, verified today."),
        ],
    }
