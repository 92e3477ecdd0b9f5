"""What curators see of their team's knowledge: the section of the Home tab, the list, and the forms."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from handlers import ids
from handlers.blocks.entry_form import field, text_field
from handlers.blocks.message import Block, actions, button, context, cut, escape, header, option, plain, section
from handlers.blocks.people import View
from handlers.blocks.proposed import waiting
from handlers.blocks.team import day
from knowledge.team import LONGEST_NAME, Alias, Known, TeamEntry, is_due
from knowledge.text import key_of

TITLE = "Your team's knowledge"
PAGE = 8
"""Entries and words on one page of the list."""
ONLY_CURATORS = (
    "Only curators can do that: administrators of this workspace, and whom they named. Ask one of them, or try again "
    "in a moment if you are one."
)
NO_NAMES: Mapping[str, str] = {}
GONE = "That is not there any more. Somebody may have changed it meanwhile."


@dataclass(frozen=True)
class Leaf:
    """Say which part of the list is shown."""

    query: str = ""
    page: int = 0

    def as_text(self) -> str:
        """Return it as the value of a button."""
        return json.dumps([self.query[:200], self.page], ensure_ascii=False)


def leaf_in(value: str) -> Leaf:
    """Read the value of a button; the first page of everything where it says nothing that can be read."""
    try:
        query, page = json.loads(value)
    except (ValueError, TypeError, RecursionError):
        return Leaf()
    return Leaf(query, page) if isinstance(query, str) and type(page) is int and 0 <= page < 10_000 else Leaf()


def overview(known: Known, view: View) -> list[Block]:
    """Make the section of the Home tab."""
    count = dict.fromkeys(("published", "proposed", "retired"), 0)
    for entry in known.entries:
        count[entry.state] += 1
    due = sum(is_due(entry, view.now) for entry in known.entries)
    lines = [
        f"*{count['published']:,}* answer, *{count['proposed']:,}* proposed, *{count['retired']:,}* retired; "
        f"*{len(known.aliases):,}* of your team's words for what I know already."
        if known.entries or known.aliases
        else "There is nothing here yet."
    ]
    if due:
        lines.append(f"*{due:,}* are due to be verified again.")
    return [
        header(TITLE),
        section("What your team adds answers before what I bring with me, in this workspace alone."),
        section("\n".join(lines)),
        *waiting(known, view),
        actions(
            button("Add an entry", ids.TEAM_NEW, "-", primary=not known.entries),
            button("Add a word", ids.TEAM_WORD, "-", label="Add a word that your team says for something I know"),
            button("Search and edit", ids.TEAM_LIST, Leaf().as_text()),
        ),
        actions(
            button("Import", ids.TEAM_IMPORT, "-", label="Import entries or people from CSV or JSON"),
            button("Export entries", f"{ids.TEAM_EXPORT}:entries", "-"),
            button("Export people", f"{ids.TEAM_EXPORT}:people", "-"),
        ),
        context("Every change is noted in the audit log: who, what, and when."),
    ]


def entry_list(found: Sequence[TeamEntry | Alias], leaf: Leaf, names: Mapping[str, str], view: View) -> Block:
    """Make the list of what was found; ``names`` are those of bundled entries, by id."""
    pages = max(1, -(-len(found) // PAGE))
    page = min(leaf.page, pages - 1)
    blocks: list[Block] = [field("query", "Search names and questions", text_field(leaf.query, 100))]
    for at, one in enumerate(found[page * PAGE : page * PAGE + PAGE]):
        blocks += _row(at, one, names, view)
    if not found:
        blocks.append(section("Nothing fits that." if leaf.query else "There is nothing here yet."))
    turn = []
    if page:
        turn.append(button("Previous", f"{ids.TEAM_LIST}:previous", Leaf(leaf.query, page - 1).as_text()))
    if page + 1 < pages:
        turn.append(button("Next", f"{ids.TEAM_LIST}:next", Leaf(leaf.query, page + 1).as_text()))
    blocks.append(actions(*turn, button("Add an entry", ids.TEAM_NEW, "-"), button("Add a word", ids.TEAM_WORD, "-")))
    blocks.append(context(f"{len(found):,} in all. Page {page + 1} of {pages}."))
    return {
        "type": "modal",
        "callback_id": ids.VIEW_TEAM_LIST,
        "title": plain(TITLE, 24),
        "submit": plain("Search", 24),
        "close": plain("Close", 24),
        "blocks": blocks,
    }


def _row(at: int, one: TeamEntry | Alias, names: Mapping[str, str], view: View) -> list[Block]:
    if isinstance(one, Alias):
        shown = section(f"*{escape(one.name)}*\na word for {escape(names.get(one.entry_id, one.entry_id))}")
        shown["accessory"] = button("Remove", f"{ids.TEAM_UNWORD}:{at}", one.name, label=f"Remove the word {one.name}")
        when = _who_and_when("added", one.written_by, day(one.written_at) if one.written_at else "")
    else:
        said = one.question or one.answer or "a topic without an answer"
        shown = section(f"*{escape(one.name)}*\n{escape(cut(said, 200))}")
        shown["accessory"] = button("Edit", f"{ids.TEAM_EDIT}:{at}", one.id, label=f"Edit {one.name}")
        when = _who_and_when("changed", one.written_by, day(one.changed_at) if one.changed_at else "")
        due = ", due to be verified" * is_due(one, view.now)
        when = f"{one.state}{due}, {when}"
    return [shown, context(when)]


def _who_and_when(what: str, user: str, when: str) -> str:
    # On a view a mention notifies nobody, and Slack writes the name that the person has now.
    return f"{what}{f' on {when}' if when else ''}{f' by <@{user}>' if user else ''}"


def meaning_of(word: Alias) -> str:
    """Return the mark by which a form knows again what a word meant when it was shown."""
    return json.dumps([key_of(word.name), word.entry_id])


def word_form(typed: Alias | None = None, there: Alias | None = None, names: Mapping[str, str] = NO_NAMES) -> Block:
    """Make the form of a word; as it was ``typed``, where the word is ``there`` already and means something else."""
    target: Block = {
        "type": "external_select",
        "action_id": ids.TEAM_TARGET,
        "placeholder": plain("Type a role, a tool or a subject", 150),
        "min_query_length": 0,
    }
    notes = []
    if typed is not None and there is not None:
        new, old = (names.get(one.entry_id, one.entry_id) for one in (typed, there))
        when = _who_and_when("added", there.written_by, day(there.written_at) if there.written_at else "")
        notes = [
            section(
                f"*“{escape(there.name)}” is read as {escape(old)} now*, {when}. Nothing is saved yet: save again to "
                f"have it read as {escape(new)} instead."
            )
        ]
        target["initial_option"] = option(new, typed.entry_id)
    return {
        "type": "modal",
        "callback_id": ids.VIEW_TEAM_WORD,
        "private_metadata": meaning_of(there) if there else "",
        "title": plain("A word of your team", 24),
        "submit": plain("Save", 24),
        "close": plain("Cancel", 24),
        "blocks": [
            *notes,
            field(
                "name", "The word", text_field(typed.name if typed else "", LONGEST_NAME), "“Orakel”", optional=False
            ),
            field("entry_id", "What it stands for", target, "It is read as that, wherever it stands.", optional=False),
        ],
    }


def done(text: str, title: str = TITLE) -> Block:
    """Confirm what was done, with the way back to the list."""
    return {
        "type": "modal",
        "title": plain(title, 24),
        "close": plain("Done", 24),
        "blocks": [section(escape(text)), actions(button("Back to the list", ids.TEAM_LIST, Leaf().as_text()))],
    }
