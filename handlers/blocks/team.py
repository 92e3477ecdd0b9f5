"""The card of an entry that a workspace wrote itself, and the notice that one of its words was understood."""

from __future__ import annotations

from datetime import datetime

from handlers import ids
from handlers.blocks.message import Message, actions, button, context, cut, escape, header, message, section
from handlers.blocks.people import LONGEST_NAME, MEMBERS_ONLY, View, ago, listed
from knowledge.answers import Suggestion, TeamCard
from knowledge.team import TeamEntry, is_due

NO_ANSWER = "Your team has noted this as a topic; there is no answer to it yet."


def team_card(answer: TeamCard, view: View) -> Message:
    """Show an entry of the workspace: its answer, whose field it is, and from whom and when it is."""
    entry = answer.entry
    said = entry.answer or NO_ANSWER
    lines, blocks = [entry.name], [header(entry.name)]
    if entry.question and entry.question != entry.name:
        lines.append(entry.question)
        blocks.append(context(escape(entry.question)))
    lines.append(said)
    blocks.append(section(escape(said)))
    field = ", ".join(role.name for role in answer.roles)
    for title, words in (("Whose field it is", field), ("Topics", " · ".join(entry.topics))):
        if words:
            lines.append(f"{title}: {words}.")
            blocks.append(section(f"*{title}:* {escape(words)}"))
    if answer.whom is not None:
        words, marked = _whom(answer.whom, view)
        lines.append(words)
        blocks.append(section(marked))
    source = source_of(entry, view.now)
    opened = [button(cut(role.short, 24), f"open_entry:{at}", role.id) for at, role in enumerate(answer.roles[:2], 1)]
    ask = button("Ask someone", ids.ASK, entry.id, label=f"Show whom to ask about {entry.name}")
    return message([*lines, source], [*blocks, context(escape(source)), actions(*opened, ask)])


def source_of(entry: TeamEntry, now: datetime) -> str:
    """Say that an entry is the team's own, by whom if the author wants that, since when, and how fresh it is.

    What was kept of an answer is shown by when it was last said to be right, and by whom: "verified 12 days ago by Ben
    Book"; or "by a curator", who did not ask to be named.
    """
    by = f" by {cut(' '.join(entry.shown_author.split()), LONGEST_NAME)}" if entry.shown_author else ""
    on = f" on {day(entry.published_at)}" if entry.published_at else ""
    kept = entry.source == "kept" and entry.verified_at is not None
    parts = [f"added{by}{on}"] if (by or on) and not kept else []
    if entry.verified_at is not None:
        due = ", and due to be verified again" * is_due(entry, now)
        verifier = " by a curator" if entry.by_curator else by
        parts.append(f"verified {ago(now, entry.verified_at)}{verifier * kept}{due}")
    return "From your team" + "".join(f", {part}" for part in parts) + "."


def day(at: datetime) -> str:
    """Write a day as people read it: 12 March 2027."""
    return f"{at.day} {at:%B} {at.year}"


def _whom(found: Suggestion, view: View) -> tuple[str, str]:
    if not found.names_people:
        return MEMBERS_ONLY, escape(MEMBERS_ONLY)
    people = found.people or found.nearest
    if not people:
        nobody = f"Nobody who can be named has declared {found.asked_for} or a role near it yet."
        return nobody, escape(nobody)
    words, marked = listed(view, people)
    ask = f"For {found.asked_for}, ask:" if found.people else f"Nobody can be named for {found.asked_for}. Nearest:"
    return "\n".join([ask, *words]), "\n".join([f"*{escape(ask)}*", *marked])


def renamed_notice(renamed: tuple[tuple[str, str], ...]) -> str:
    """Say which of the team's words were read as which entries."""
    return " ".join(f"Your team says “{alias}” for {name}." for alias, name in renamed)
