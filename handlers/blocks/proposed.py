"""What waits for curators in their team's knowledge: proposals, and entries that nobody has verified again."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence

from handlers import ids
from handlers.blocks.message import Block, actions, button, context, cut, escape, plain, section
from handlers.blocks.people import View
from knowledge.team import Known, TeamEntry, is_due, ran_out

MOST_SHOWN = 5
MOST_ALIKE = 3
NAMED = "If you change the answer, the name goes: they would not be its author's words any more."
NOT_NAMED = "Its author is not named with it, and is asked in half a year whether it is still right."


def waiting(known: Known, view: View) -> list[Block]:
    """List what a curator can do something about, at most five of each kind."""
    proposed = [entry for entry in known.entries if entry.state == "proposed"]
    due = [entry for entry in known.entries if is_due(entry, view.now)]
    over = [entry for entry in known.entries if ran_out(entry)]
    return [
        *_listed("Proposed: they answer nobody yet", proposed, "Review", "p"),
        *_listed("Due to be verified again", due, "Look at it", "d"),
        *_listed("Retired, as nobody verified them again", over, "Look at it", "o"),
    ]


def _listed(title: str, entries: Sequence[TeamEntry], label: str, place: str) -> Iterable[Block]:
    if not entries:
        return
    more = f" ({len(entries):,} in all)" if len(entries) > MOST_SHOWN else ""
    yield section(f"*{title}{more}*")
    for at, entry in enumerate(entries[:MOST_SHOWN]):
        shown = section(f"*{escape(entry.name)}*\n{escape(cut(' '.join(entry.answer.split()), 200))}")
        action = f"{ids.TEAM_EDIT}:{place}{at}"
        shown["accessory"] = button(label, action, entry.id, label=f"{label}: {entry.name}")
        yield shown


def decisions(entry: TeamEntry, alike: Sequence[TeamEntry]) -> list[Block]:
    """Offer, beside publishing it, to merge a proposal into an entry that is there, or to turn it down."""
    reject = button("Don't add it", ids.TEAM_REJECT, entry.id, label=f"Don't add {entry.name}; both sides read so")
    reject["confirm"] = {
        "title": plain("Not add it?", 100),
        "text": plain("It is deleted. Both sides read that it was not added.", 300),
        "confirm": plain("Don't add it", 30),
        "deny": plain("Back", 30),
    }
    blocks: list[Block] = []
    if alike:
        blocks.append(section("*Your team has something like it already.* Merging adds the question to it."))
        for at, other in enumerate(alike[:MOST_ALIKE]):
            shown = section(f"*{escape(other.name)}*\n{escape(cut(' '.join(other.answer.split()), 200))}")
            value = json.dumps([entry.id, other.id])
            shown["accessory"] = button("Merge into it", f"{ids.TEAM_MERGE}:{at}", value, label=f"Merge: {other.name}")
            blocks.append(shown)
    said = "Both who asked and who answered agreed to keep it. " if entry.source == "kept" else ""
    return [*blocks, actions(reject), context(f"{said}It answers nobody until you publish it.")]


def pair_in(value: str) -> tuple[str, str]:
    """Read the value of a button that merges; two empty ids where it says nothing that can be read."""
    try:
        entry_id, into = json.loads(value)
    except (ValueError, TypeError, RecursionError):
        return "", ""
    return (entry_id, into) if isinstance(entry_id, str) and isinstance(into, str) else ("", "")
