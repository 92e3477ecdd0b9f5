"""Import and export from the Home tab, for curators: what is pasted is checked, and written when it is sent again."""

from __future__ import annotations

import hashlib
import io
import secrets
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from slack_bolt.context.ack.async_ack import AsyncAck
from slack_bolt.context.async_context import AsyncBoltContext
from slack_sdk.web.async_client import AsyncWebClient

from handlers import ids, payloads
from handlers.blocks.curating import ONLY_CURATORS, done
from handlers.blocks.entry_form import field
from handlers.blocks.message import SECTION, Block, cut, escape, message, option, plain, section
from handlers.curating import Curating, refused
from handlers.payloads import Actor
from handlers.replies import answer_press, open_modal, opening
from knowledge import people_rows, team_rows
from knowledge.people import Listed
from knowledge.ports import PeopleInBulk
from knowledge.rows import BadLine, Row, csv_line, csv_rows, json_rows
from knowledge.team import Alias, TeamEntry

OPEN_ONLY = " Only of people who let colleagues see it."
LONGEST_PASTED = 3000
"""Slack takes no more in one field; larger files come by the command line."""
MOST_LINES, MOST_SECTIONS = 60, 12
"""Lines of a report, and sections of an export, that are shown."""
NOT_TOLD_APART = frozenset({"own", "forgotten", "same"})
AS_IT_IS = "left as it is"
What = Literal["entries", "people"]
IMPORT_TITLE, EXPORT_TITLE = "Import", "Export"
ACTIONS = {("entries", "import"): "curate entries", ("entries", "export"): "curate entries"} | {
    ("people", way): f"{way} people" for way in ("import", "export")
}
EXAMPLES = {
    "entries": "name,question,answer,roles\nGPU quota,How do I get more GPU quota?,Ask FinOps.,data-engineer",
    "people": "id,roles,topics\nU012AB3CD,mlops-engineer:lead,GDPR;LoRA",
}


@dataclass(frozen=True)
class Report:
    """Hold what an import would do, line by line, and what it would write."""

    lines: tuple[str, ...]
    bad: int
    entries: tuple[TeamEntry, ...] = ()
    aliases: tuple[Alias, ...] = ()
    people: tuple[Listed, ...] = ()

    @property
    def count(self) -> int:
        """Return how much would be written."""
        return len(self.entries) + len(self.aliases) + len(self.people)


async def open_import(ack: AsyncAck, body: dict[str, Any], client: AsyncWebClient, *, curating: Curating) -> None:
    """Open the form into which rows are pasted."""
    press = payloads.press(body)
    if await curating.may(client, press.actor):

        async def build() -> Block:
            return import_form("entries", "", ())

        await open_modal(client, opening(client, press.trigger_id), build())
    else:
        await answer_press(client, press, message([ONLY_CURATORS], [section(escape(ONLY_CURATORS))]))
    await ack()


def import_form(what: What, pasted: str, report: Sequence[str], checked: str = "") -> Block:
    """Make the form; ``checked`` is the mark of what was checked, which is written when the same comes again."""
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
        "placeholder": plain(EXAMPLES["entries"], 150),
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
        blocks += [section(escape(part)) for part in sections_of(report)]
    return {
        "type": "modal",
        "callback_id": ids.VIEW_TEAM_IMPORT,
        "private_metadata": checked,
        "title": plain(IMPORT_TITLE, 24),
        "submit": plain("Import" if checked else "Check", 24),
        "close": plain("Cancel", 24),
        "blocks": blocks,
    }


async def imported(
    ack: AsyncAck,
    body: dict[str, Any],
    context: AsyncBoltContext,
    client: AsyncWebClient,
    *,
    curating: Curating,
    bulk: PeopleInBulk,
) -> None:
    """Check what was pasted, and say line by line what it would do; write it where the very same was checked before."""
    form = payloads.submission(body)
    actor, pasted = form.actor, form.typed.get(ids.team_block("rows"), "").strip()
    what: What = "people" if form.chosen.get(ids.team_block("what")) == ("people",) else "entries"
    if not await curating.may(client, actor, ACTIONS[what, "import"]):
        await ack(response_action="update", view=refused())
        return
    try:
        report = await (
            _entries(curating, actor, pasted) if what == "entries" else _people(curating, bulk, actor, pasted)
        )
    except BadLine as error:
        await ack(response_action="errors", errors={ids.team_block("rows"): str(error)})
        return
    # What was said before is what is written: where something changed meanwhile, it is said anew.
    mark = hashlib.sha256("\n".join((what, pasted, *report.lines)).encode()).hexdigest()
    if report.bad or form.private_metadata != mark or not report.count:
        if what == "people":
            # A check says something of people, though it writes nothing.
            await curating.record(actor, "people checked", {"lines": len(report.lines)})
        said = f"{report.count:,} to write, {report.bad:,} with a problem."
        more = "Mend them and check again; nothing is written before." if report.bad else "Send it again to write it."
        more = "There is nothing to write." if not report.bad and not report.count else more
        checked = mark if report.count and not report.bad else ""
        view = import_form(what, pasted, (f"{said} {more}", *report.lines), checked)
        await ack(response_action="update", view=view)
        return
    lines, written = report.lines, report.count
    if what == "entries":
        await curating.team.save(actor.workspace, report.entries, report.aliases)
    else:
        became = await bulk.declare_many(actor.workspace, report.people, curating.now())
        written = sum(one in people_rows.WRITTEN for one in became)
        if written < len(became):
            lines = (f"{len(became) - written:,} of them were left as they are in this very moment.", *lines)
    await curating.record(actor, f"{what} imported", {"lines": written})
    curating.redraw(client, context, actor)
    shown = done(f"{written:,} imported.", IMPORT_TITLE)
    shown["blocks"][1:1] = [section(escape(part)) for part in sections_of(lines)]
    await ack(response_action="update", view=shown)


def _rows(pasted: str, what: What) -> Iterator[tuple[int, Row | str]]:
    if pasted.startswith("["):
        return json_rows(pasted, "member" if what == "people" else "entry", "docs/curating.md", what)
    lines = io.StringIO(pasted, newline="")
    if what == "people":
        return csv_rows(lines, people_rows.COLUMNS, "id", people_rows.person_of_cells)
    return csv_rows(lines, team_rows.COLUMNS, "name", team_rows.entry_of_cells)


async def _entries(curating: Curating, actor: Actor, pasted: str) -> Report:
    known = await curating.team.known(actor.workspace, now=True)
    planned = list(
        team_rows.plan(
            _rows(pasted, "entries"),
            known,
            curating.guide.checker(known),
            lambda: team_rows.new_entry_id(secrets.token_hex(6)),
            actor.user,
            curating.now(),
        )
    )
    made = [one.made for one in planned if one.change != "same"]
    return Report(
        tuple(f"line {one.line}: {team_rows.in_words(one)}" for one in planned),
        sum(bool(one.problems) for one in planned),
        entries=tuple(one for one in made if isinstance(one, TeamEntry)),
        aliases=tuple(one for one in made if isinstance(one, Alias)),
    )


async def _people(curating: Curating, bulk: PeopleInBulk, actor: Actor, pasted: str) -> Report:
    read = list(people_rows.read_people(_rows(pasted, "people"), curating.guide.people_names()))
    whole = [one.listed for one in read if one.listed is not None]
    becomes = iter(await bulk.planned(actor.workspace, whole))
    lines, writing = [], []
    for one in read:
        if one.listed is None:
            lines.append(f"line {one.line}: {people_rows.refused(one.problems)}")
            continue
        became, user = next(becomes), one.listed.member.user
        # A curator is a colleague: who declared something unseen, or asked to be forgotten, is not told apart.
        told = AS_IT_IS if became in NOT_TOLD_APART else f"{user} {people_rows.WORDS[became]}"
        lines.append(f"line {one.line}: {told}")
        if became in people_rows.WRITTEN:
            writing.append(one.listed)
    return Report(tuple(lines), sum(one.listed is None for one in read), people=tuple(writing))


def sections_of(lines: Sequence[str]) -> list[str]:
    """Put lines together into as few sections as they fit in; what does not fit is counted."""
    shown = [cut(line, 400) for line in lines[:MOST_LINES]]
    if len(lines) > MOST_LINES:
        shown.append(f"… and {len(lines) - MOST_LINES:,} more lines.")
    parts = [""]
    for line in shown:
        if len(escape(parts[-1])) + len(escape(line)) + 1 > SECTION:
            parts.append("")
        parts[-1] += f"\n{line}" if parts[-1] else line
    return parts


async def export(
    ack: AsyncAck,
    body: dict[str, Any],
    client: AsyncWebClient,
    *,
    curating: Curating,
    bulk: PeopleInBulk,
) -> None:
    """Show what there is as CSV, to copy; where it is more than a modal holds, it says how to get the rest."""
    press = payloads.press(body)
    what: What = "people" if press.action_id.endswith(":people") else "entries"
    if await curating.may(client, press.actor, ACTIONS[what, "export"]):
        await open_modal(client, opening(client, press.trigger_id), _exported(curating, bulk, press.actor, what))
    else:
        await answer_press(client, press, message([ONLY_CURATORS], [section(escape(ONLY_CURATORS))]))
    await ack()


async def _exported(curating: Curating, bulk: PeopleInBulk, actor: Actor, what: What) -> Block:
    lines = [csv_line(people_rows.SHOWN if what == "people" else team_rows.COLUMNS)]
    parts, count, whole = [""], 0, True

    def fits(line: str) -> bool:
        if len(parts[-1]) + len(line) <= SECTION:
            parts[-1] += line
        elif len(parts) < MOST_SECTIONS and len(line) <= SECTION:
            parts.append(line)
        else:
            return False
        return True

    fits(lines[0])
    if what == "people":
        async for one in bulk.everybody(actor.workspace):
            if not one.is_open:
                # A curator is a colleague: they see whoever lets colleagues see it, and nobody's terms.
                continue
            whole = fits(csv_line(people_rows.cells_of(people_rows.row_of(one), people_rows.SHOWN)))
            if not whole:
                break
            count += 1
    else:
        for row in team_rows.rows_of(await curating.team.known(actor.workspace, now=True)):
            whole = fits(csv_line(team_rows.cells_of(row)))
            if not whole:
                break
            count += 1
    await curating.record(actor, f"{what} exported", {"lines": count})
    said = (
        f"{count:,} lines, to copy.{OPEN_ONLY if what == 'people' else ''}"
        if whole
        else f"The first {count:,} lines, and not all of them: no more fits here."
    )
    command = f"All of it: python -m bot {what} export FILE.csv --workspace {actor.workspace}"
    shown = [{"type": "section", "text": plain(part, SECTION)} for part in parts if part]
    return {
        "type": "modal",
        "title": plain(EXPORT_TITLE, 24),
        "close": plain("Close", 24),
        "blocks": [section(escape(f"{said}\n{command}")), *shown],
    }
