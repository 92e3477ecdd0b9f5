"""Asking an author whether an entry of the team is still right, and what came of it."""

from __future__ import annotations

from handlers import ids
from handlers.blocks.message import Block, Message, actions, button, context, escape, message, plain, section
from handlers.blocks.people import View, ago
from knowledge.team import LONGEST_ANSWER, TeamEntry

RULE = (
    "I ask half a year after somebody said so last, and remind you once. Without an answer your curators decide; if "
    "they don't either, it answers nobody any more. Nothing is deleted."
)


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


def change_form(entry: TeamEntry, metadata: str) -> Block:
    """Build the form in which an author changes an answer, which says that it is right now."""
    answer: Block = {
        "type": "plain_text_input",
        "action_id": ids.INPUT,
        "multiline": True,
        "max_length": LONGEST_ANSWER,
    }
    if entry.answer:
        answer["initial_value"] = entry.answer
    return {
        "type": "modal",
        "callback_id": ids.VIEW_VERIFY,
        "private_metadata": metadata,
        "title": plain("Change the answer", 24),
        "submit": plain("Save", 24),
        "close": plain("Cancel", 24),
        "blocks": [
            section(f"*{escape(entry.question or entry.name)}*"),
            {
                "type": "input",
                "block_id": ids.BLOCK_ANSWER,
                "label": plain("The answer", 2000),
                "element": answer,
            },
            context("It answers with this from now on, verified today."),
        ],
    }
