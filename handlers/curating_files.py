"""Import and export from the Home tab, for curators: what is pasted is checked, and written when it is sent again."""

from __future__ import annotations

import io
import secrets
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import chain, repeat
from typing import Any

from slack_bolt.context.ack.async_ack import AsyncAck
from slack_bolt.context.async_context import AsyncBoltContext
from slack_sdk.web.async_client import AsyncWebClient

from handlers import ids, payloads
from handlers.blocks.curating import ONLY_CURATORS, done
from handlers.blocks.import_form import TITLE as IMPORT_TITLE
from handlers.blocks.import_form import Checked, What, import_form, mark_of, sections_of
from handlers.blocks.message import SECTION, Block, cut, escape, message, plain, section
from handlers.curating import Curating, refused
from handlers.payloads import Actor
from handlers.replies import answer_press, open_modal, opening
from knowledge import people_rows, team_rows
from knowledge.people import Listed
from knowledge.ports import PeopleInBulk
from knowledge.rows import BadLine, Row, csv_line, csv_rows, json_rows
from knowledge.team import Alias, TeamEntry

OPEN_ONLY = " Only of people who let colleagues see it."
LONGEST_LINE, MOST_SECTIONS = 400, 12
"""Letters of a line of a report, and sections of an export, that are shown."""
NOT_TOLD_APART = frozenset({"own", "forgotten", "same"})
AS_IT_IS = "left as it is"
EXPORT_TITLE = "Export"
ACTIONS = {("entries", "import"): "curate entries", ("entries", "export"): "curate entries"} | {
    ("people", way): f"{way} people" for way in ("import", "export")
}


@dataclass(frozen=True)
class Report:
    """Hold what an import would do, line by line as mrkdwn, and what it would write."""

    lines: tuple[str, ...]
    bad: int
    entries: tuple[TeamEntry, ...] = ()
    aliases: tuple[Alias, ...] = ()
    people: tuple[Listed, ...] = ()
    people_saw: tuple[str, ...] = ()
    """Of each of these people a mark of what would be replaced."""
    saw: tuple[str, ...] = ()
    """A mark of what each line would replace."""
    meanwhile: int = 0
    """How many of these are another one than when it was checked."""
    version: str = ""
    """Of what the workspace knew then."""

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
    checked = Checked.read(form.private_metadata)
    while True:
        try:
            report = await (
                _entries(curating, actor, pasted, checked)
                if what == "entries"
                else _people(curating, bulk, actor, pasted, checked)
            )
        except BadLine as error:
            await ack(response_action="errors", errors={ids.team_block("rows"): str(error)})
            return
        # What was said before is what is written: where something changed meanwhile, it is said anew.
        found = Checked.of(what, pasted, report.lines, report.saw)
        if report.bad or found != checked or not report.count:
            if what == "people":
                # A check says something of people, though it writes nothing.
                await curating.record(actor, "people checked", {"lines": len(report.lines)})
            carried = found.as_text() if report.count and not report.bad else ""
            view = import_form(what, pasted, (_summary(report), *report.lines), carried)
            await ack(response_action="update", view=view)
            return
        lines, written = report.lines, report.count
        if what == "people":
            now, saw = curating.now(), report.people_saw
            became = await bulk.declare_many(actor.workspace, report.people, now, saw=saw)
            if "meanwhile" in became:
                continue
            written = sum(one in people_rows.WRITTEN for one in became)
            if written < len(became):
                lines = (f"{len(became) - written:,} of them were left as they are in this very moment.", *lines)
            break
        if await curating.team.save(actor.workspace, report.entries, report.aliases, on=report.version):
            break
    await curating.record(actor, f"{what} imported", {"lines": written})
    curating.redraw(client, context, actor)
    shown = done(f"{written:,} imported.", IMPORT_TITLE)
    shown["blocks"][1:1] = map(section, sections_of(lines))
    await ack(response_action="update", view=shown)


def _summary(report: Report) -> str:
    said = f"{report.count:,} to write, {report.bad:,} with a problem."
    if report.bad:
        return f"{said} Mend them and check again; nothing is written before."
    if not report.count:
        return f"{said} There is nothing to write."
    changed = f" {report.meanwhile:,} changed meanwhile, and nothing was written." if report.meanwhile else ""
    return f"{said}{changed} Send it again to write it."


def _rows(pasted: str, what: What) -> Iterator[tuple[int, Row | str]]:
    if pasted.startswith("["):
        return json_rows(pasted, "member" if what == "people" else "entry", "docs/curating.md", what)
    lines = io.StringIO(pasted, newline="")
    if what == "people":
        return csv_rows(lines, people_rows.COLUMNS, "id", people_rows.person_of_cells)
    return csv_rows(lines, team_rows.COLUMNS, "name", team_rows.entry_of_cells)


async def _entries(curating: Curating, actor: Actor, pasted: str, checked: Checked) -> Report:
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
    if checked.is_of("entries", pasted):
        planned = team_rows.changed_meanwhile(planned, checked.saw)
    made = [one.made for one in planned if one.writes]
    return Report(
        tuple(f"line {one.line}: {_in_words(one)}" for one in planned),
        sum(bool(one.problems) for one in planned),
        entries=tuple(one for one in made if isinstance(one, TeamEntry)),
        aliases=tuple(one for one in made if isinstance(one, Alias)),
        saw=tuple(one.saw for one in planned),
        meanwhile=sum(one.meanwhile for one in planned),
        version=known.version,
    )


def _in_words(one: team_rows.Planned) -> str:
    if one.meanwhile:
        # On a view a mention notifies nobody, and Slack writes the name that the person has now.
        return team_rows.in_words(replace(one, name=escape(one.name)), "<@{}>".format)
    return escape(cut(team_rows.in_words(one), LONGEST_LINE))


async def _people(curating: Curating, bulk: PeopleInBulk, actor: Actor, pasted: str, checked: Checked) -> Report:
    read = list(people_rows.read_people(_rows(pasted, "people"), curating.guide.people_names()))
    whole = [one.listed for one in read if one.listed is not None]
    becomes = iter(await bulk.planned(actor.workspace, whole))
    # How the marks of the lines began, where it is this that was checked; nothing is the beginning of any.
    began = chain(checked.saw if checked.is_of("people", pasted) else (), repeat(""))
    lines, saw, writing = [], [], []
    meanwhile = 0
    for one, before in zip(read, began, strict=False):
        if one.listed is None:
            told = cut(people_rows.refused(one.problems), LONGEST_LINE)
            saw.append(mark_of(told))
        else:
            planned, user = next(becomes), one.listed.member.user
            # A curator is a colleague: who declared something unseen, or asked to be forgotten, is not told apart.
            told = AS_IT_IS if planned.became in NOT_TOLD_APART else f"{user} {people_rows.WORDS[planned.became]}"
            saw.append(mark_of(told, planned.saw))
            if planned.became in people_rows.WRITTEN:
                writing.append((one.listed, planned.saw))
                if not saw[-1].startswith(before):
                    told, meanwhile = f"{user} {people_rows.WORDS['meanwhile']}", meanwhile + 1
        lines.append(f"line {one.line}: {escape(told)}")
    return Report(
        tuple(lines),
        sum(one.listed is None for one in read),
        people=tuple(listed for listed, _ in writing),
        people_saw=tuple(mark for _, mark in writing),
        saw=tuple(saw),
        meanwhile=meanwhile,
    )


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
