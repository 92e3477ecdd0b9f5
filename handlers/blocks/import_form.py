"""The form into which rows are pasted: with what was found in them, and with marks of what was checked."""

from __future__ import annotations

from base64 import urlsafe_b64encode
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Literal, Self

from handlers import ids
from handlers.blocks.entry_form import field
from handlers.blocks.message import SECTION, Block, option, plain, section

What = Literal["entries", "people"]
TITLE = "Import"
EXAMPLE = "name,question,answer,roles\nGPU quota,How do I get more GPU quota?,Ask FinOps.,data-engineer"
LONGEST_PASTED = 3000
"""Slack takes no more in one field; larger files come by the command line."""
MOST_LINES = 60
"""Lines of a report that are shown."""
SHORT = 3
"""Letters of a mark that a form keeps of each line: it holds 3,000, and of what is pasted come 750 lines at most."""


@dataclass(frozen=True)
class Checked:
    """Hold marks of what was checked, for the form: of what was pasted, of all that was found, and of each line."""

    pasted: str = ""
    found: str = ""
    saw: tuple[str, ...] = ()

    @classmethod
    def of(cls, what: What, pasted: str, lines: Sequence[str], saw: Sequence[str]) -> Self:
        """Return the marks of what was pasted, and what was found: where marks of lines are known, these count."""
        return cls(mark_of(what, pasted), mark_of(*(saw or lines)), tuple(mark[:SHORT] for mark in saw))

    @classmethod
    def read(cls, metadata: str) -> Self:
        """Read them from a form."""
        pasted, _, rest = metadata.partition(" ")
        found, _, saw = rest.partition(" ")
        return cls(pasted, found, tuple(saw[at : at + SHORT] for at in range(0, len(saw), SHORT)))

    def is_of(self, what: What, pasted: str) -> bool:
        """Tell whether it is this that was checked."""
        return self.pasted == mark_of(what, pasted)

    def as_text(self) -> str:
        """Write them into a form."""
        return f"{self.pasted} {self.found} {''.join(self.saw)}"


def mark_of(*texts: str) -> str:
    """Return a mark of texts."""
    return urlsafe_b64encode(sha256("\n".join(texts).encode("utf-8", "surrogatepass")).digest()).decode()


def import_form(what: What, pasted: str, report: Sequence[str], checked: str = "") -> Block:
    """Make the form; ``checked`` are the marks of what was checked, which is written when the same comes again.

    ``report`` are lines of mrkdwn.
    """
    kinds = {"entries": option("Entries and words", "entries"), "people": option("People", "people")}
    radio: Block = {
        "type": "radio_buttons",
        "action_id": ids.INPUT,
        "options": list(kinds.values()),
        "initial_option": kinds[what],
    }
    text: Block = {
        "type": "plain_text_input",
        "action_id": ids.INPUT,
        "multiline": True,
        "max_length": LONGEST_PASTED,
        "placeholder": plain(EXAMPLE, 150),
    }
    if pasted:
        text["initial_value"] = pasted
    hint = (
        f"CSV with a first line of names, or a JSON list. At most {LONGEST_PASTED:,} letters here; "
        "larger files: python -m bot entries import FILE, python -m bot people import FILE"
    )
    blocks = [
        field("what", "What it is", radio, optional=False),
        field("rows", "Paste CSV or JSON", text, hint, optional=False),
    ]
    if report:
        blocks += map(section, sections_of(report))
    return {
        "type": "modal",
        "callback_id": ids.VIEW_TEAM_IMPORT,
        "private_metadata": checked,
        "title": plain(TITLE, 24),
        "submit": plain("Import" if checked else "Check", 24),
        "close": plain("Cancel", 24),
        "blocks": blocks,
    }


def sections_of(lines: Sequence[str]) -> list[str]:
    """Put lines of mrkdwn together into as few sections as they fit in; what does not fit is counted."""
    shown = list(lines[:MOST_LINES])
    if len(lines) > MOST_LINES:
        shown.append(f"… and {len(lines) - MOST_LINES:,} more lines.")
    parts = [""]
    for line in shown:
        if len(parts[-1]) + len(line) + 1 > SECTION:
            parts.append("")
        parts[-1] += f"\n{line}" if parts[-1] else line
    return parts
