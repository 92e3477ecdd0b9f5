"""Curating: a team's own entries and words, searched, added, changed and retired by those who may."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from typing import Any

from slack_bolt.context.ack.async_ack import AsyncAck
from slack_bolt.context.async_context import AsyncBoltContext
from slack_sdk.web.async_client import AsyncWebClient

from handlers import ids, payloads
from handlers.blocks import curating as blocks
from handlers.blocks.curating import GONE, ONLY_CURATORS, Leaf, leaf_in
from handlers.blocks.entry_form import (
    LABELS,
    SHOW,
    UNSAVED,
    Draft,
    Opened,
    changed_meanwhile,
    entry_form,
    is_ticked,
)
from handlers.blocks.message import Block, escape, message, section
from handlers.home import Home
from handlers.members import person_of
from handlers.payloads import Actor, Press, Submission
from handlers.permissions import Standings
from handlers.places import Place
from handlers.replies import Clock, Later, answer_press, modal_of, open_modal, opening, show_modal, view_for
from knowledge.guide import Guide
from knowledge.keeping import Keepings
from knowledge.ports import People, TeamEntries, Workspaces
from knowledge.team import TeamEntry, found_by, published, retired, verified
from knowledge.team_rows import new_entry_id
from knowledge.workspaces import Recorded

ACTION = "curate entries"
NAME_SECONDS = 1.5
SAVED = "Saved. “{}” answers in this workspace from now on."
NO_NAME = "Slack does not tell me your name right now. Try again in a moment, or leave this unticked."


@dataclass(frozen=True)
class Curating:
    """Hold what every listener of curators needs."""

    guide: Guide
    team: TeamEntries
    workspaces: Workspaces
    standings: Standings
    home: Home
    keepings: Keepings
    people: People
    later: Later
    now: Clock

    async def may(self, client: AsyncWebClient, actor: Actor, action: str = ACTION) -> bool:
        """Tell whether whoever acts may do it now."""
        return await self.standings.may(client, actor, action)

    async def record(self, actor: Actor, what: str, after: Mapping[str, Any]) -> None:
        """Note in the audit log who did what: ids and numbers, never what was written."""
        await self.workspaces.record(actor.workspace, Recorded(actor.user, what, self.now(), after=after))

    def redraw(self, client: AsyncWebClient, context: AsyncBoltContext, actor: Actor) -> None:
        """Draw the section of the Home tab anew, after the answer."""
        self.later(self.home.publish(client, context, actor, Place("team")))


def refused() -> Block:
    """Make the modal that says to whom it is not open."""
    return modal_of(message([ONLY_CURATORS], [section(escape(ONLY_CURATORS))]), blocks.TITLE)


async def pressed(
    ack: AsyncAck, body: dict[str, Any], context: AsyncBoltContext, client: AsyncWebClient, *, curating: Curating
) -> None:
    """Do what a curator pressed; whoever presses is asked for first, whatever the button was drawn for."""
    press = payloads.press(body)
    if await curating.may(client, press.actor):
        show = partial(show_modal, client, press, replace=True) if press.in_modal else opening(client, press.trigger_id)
        await open_modal(client, show, _after(curating, client, context, press, payloads.entered(body)))
    else:
        await answer_press(client, press, message([ONLY_CURATORS], [section(escape(ONLY_CURATORS))]))
    await ack()


async def _after(
    curating: Curating, client: AsyncWebClient, context: AsyncBoltContext, press: Press, form: Submission | None
) -> Block:
    """Do it, and return what is shown then; ``form`` is what stands in the fields of the modal."""
    known = await curating.team.known(press.actor.workspace, now=True)
    view = view_for(press.actor, context, curating.guide, curating.now)
    action = press.action_id.partition(":")[0]
    if action == ids.TEAM_LIST:
        leaf = leaf_in(press.value)
        return blocks.entry_list(found_by(known, leaf.query), leaf, names(curating.guide), view)
    if action == ids.TEAM_NEW:
        return entry_form(None, _roles(curating.guide), view)
    if action == ids.TEAM_WORD:
        return blocks.word_form()
    if action == ids.TEAM_UNWORD:
        return await _remove_word(curating, client, context, press)
    entry = known.entry(press.value)
    if entry is None:
        return blocks.done(GONE)
    if action == ids.TEAM_EDIT:
        return await _form(curating, context, press.actor, entry)
    if form is not None and form.private_metadata and (notes := _open(curating, form, entry, action)):
        return await _form(curating, context, press.actor, entry, _draft(form, entry, notes))
    return await _change(curating, client, context, press, entry)


def _roles(guide: Guide) -> dict[str, str]:
    return {role.id: role.name for role in guide.catalog.roles.values()}


async def _form(
    curating: Curating, context: AsyncBoltContext, actor: Actor, entry: TeamEntry, draft: Draft | None = None
) -> Block:
    """Make the form of an entry, with what it can be merged into where it is proposed."""
    alike = await curating.guide.alike(actor.workspace, entry) if entry.state == "proposed" else ()
    view = view_for(actor, context, curating.guide, curating.now)
    return entry_form(entry, _roles(curating.guide), view, alike, draft)


def _draft(form: Submission, entry: TeamEntry | None, notes: tuple[str, ...]) -> Draft:
    return Draft(_entered(form, entry, form.actor), form.chosen.get(ids.team_block("author")) == (SHOW,), notes)


def _open(curating: Curating, form: Submission, entry: TeamEntry, action: str) -> tuple[str, ...]:
    """Say what stands against it that an entry is retired or verified from its open form; nothing for nothing."""
    opened, draft = Opened.read(form.private_metadata), _draft(form, entry, ())
    if not opened.is_still(entry):
        return changed_meanwhile(opened, entry, _roles(curating.guide), draft.entry)
    # As the form would hand it back untouched: what came by a file may have other spaces or commas in it.
    shown = {name: getattr(entry, name) for name in LABELS}
    shown |= {name: _list(", ".join(shown[name])) for name in ("names", "topics")}
    shown |= {name: " ".join(shown[name].split()) for name in ("name", "question")}
    shown["answer"] = shown["answer"].strip()
    shown["roles"] = tuple(role for role in entry.roles if role in curating.guide.catalog.roles)
    touched = any(getattr(draft.entry, name) != shown[name] for name in LABELS)
    ticked = entry.source != "kept" and draft.ticked != is_ticked(entry, form.actor.user)
    return (UNSAVED[action],) if touched or ticked else ()


async def searched(
    ack: AsyncAck, body: dict[str, Any], context: AsyncBoltContext, client: AsyncWebClient, *, curating: Curating
) -> None:
    """Show what fits the words that were typed over the list."""
    form = payloads.submission(body)
    if not await curating.may(client, form.actor):
        await ack(response_action="update", view=refused())
        return
    leaf = Leaf(form.typed.get(ids.team_block("query"), "").strip()[:100])
    found = found_by(await curating.team.known(form.actor.workspace, now=True), leaf.query)
    view = view_for(form.actor, context, curating.guide, curating.now)
    await ack(response_action="update", view=blocks.entry_list(found, leaf, names(curating.guide), view))


def names(guide: Guide) -> dict[str, str]:
    """Return the names of bundled entries by their ids."""
    return {entry.id: entry.name for entry in guide.catalog}


async def _change(
    curating: Curating, client: AsyncWebClient, context: AsyncBoltContext, press: Press, entry: TeamEntry
) -> Block:
    """Retire an entry, or note that it is right now, if it is still as it was shown."""
    now, retiring = curating.now(), press.action_id == ids.TEAM_RETIRE
    by_curator = press.actor.user != entry.written_by
    after = retired(entry, now) if retiring else verified(entry, now, by_curator=by_curator)
    if entry.state != "published" or await _replaced(curating, press.actor.workspace, entry, after) is None:
        return blocks.done(GONE)
    what = "entry retired" if retiring else "entry verified"
    await curating.record(press.actor, what, {"entry": entry.id})
    curating.redraw(client, context, press.actor)
    said = "is retired: it stays in the list, and answers nothing." if retiring else "is verified as of today."
    return blocks.done(f"“{entry.name}” {said}")


async def _replaced(curating: Curating, workspace: str, before: TeamEntry, after: TeamEntry) -> TeamEntry | None:
    """Write an entry in the place of what was read of it; None, with nothing changed, where that is not so any more."""

    def become(there: TeamEntry) -> TeamEntry:
        return after if there == before else there

    written = await curating.team.change(workspace, before.id, before.state, become, after.written_by)
    return after if written is after else None


async def _remove_word(curating: Curating, client: AsyncWebClient, context: AsyncBoltContext, press: Press) -> Block:
    if not await curating.team.remove_alias(press.actor.workspace, press.value):
        return blocks.done(GONE)
    await curating.record(press.actor, "word removed", {})
    curating.redraw(client, context, press.actor)
    return blocks.done(f"“{press.value}” is not one of your team's words any more.")


async def save_entry(
    ack: AsyncAck, body: dict[str, Any], context: AsyncBoltContext, client: AsyncWebClient, *, curating: Curating
) -> None:
    """Check the form in place, publish what is in it, and say so."""
    form = payloads.submission(body)
    actor = form.actor
    if not await curating.may(client, actor):
        await ack(response_action="update", view=refused())
        return
    known = await curating.team.known(actor.workspace, now=True)
    opened = Opened.read(form.private_metadata)
    before = known.entry(opened.entry_id) if opened.entry_id else None
    if opened.entry_id and before is None:
        await ack(response_action="update", view=blocks.done(GONE))
        return
    if before is not None and not opened.is_still(before):
        await ack(response_action="update", view=await _again(curating, context, form, before, opened))
        return
    # Who answered agreed to what is proposed; what is published again is so by the word of the curator.
    by_curator = before is not None and before.state != "proposed" and before.written_by != actor.user
    entry = published(_entered(form, before, actor), curating.now(), by_curator=by_curator)
    problems = curating.guide.checker(known).entry(entry)
    if entry.source == "kept":
        entry = await _by_its_author(curating, before, entry, actor)
    elif form.chosen.get(ids.team_block("author")) == (SHOW,):
        entry = replace(entry, shown_author=await _name_of(client, actor.workspace, actor.user, curating.now()))
        if not entry.shown_author:
            problems.setdefault("author", NO_NAME)
    if problems:
        await ack(response_action="errors", errors={ids.team_block(name): said for name, said in problems.items()})
        return
    if before is None:
        await curating.team.save(actor.workspace, [entry])
    elif not await _written(curating, actor.workspace, before, entry):
        there = (await curating.team.known(actor.workspace, now=True)).entry(before.id)
        again = blocks.done(GONE) if there is None else await _again(curating, context, form, there, opened)
        await ack(response_action="update", view=again)
        return
    what = "entry added" if before is None else "entry published" if before.state == "proposed" else "entry changed"
    await curating.record(actor, what, {"entry": entry.id})
    curating.redraw(client, context, actor)
    await ack(response_action="update", view=blocks.done(SAVED.format(entry.name)))


async def _written(curating: Curating, workspace: str, before: TeamEntry, entry: TeamEntry) -> bool:
    """Write what was changed, unless somebody else came first."""
    if before.state == "proposed":
        return await curating.keepings.publish(workspace, entry, curating.now()) == "done"
    return await _replaced(curating, workspace, before, entry) is not None


async def _again(
    curating: Curating, context: AsyncBoltContext, form: Submission, there: TeamEntry, opened: Opened
) -> Block:
    """Show the form again as it was typed, with what somebody else changed since it was opened."""
    draft = _draft(form, there, ())
    same = all(getattr(there, name) == getattr(draft.entry, name) for name in LABELS)
    if same and there.state == "published" and draft.ticked == is_ticked(there, form.actor.user):
        # The same form once more, as after a double click: it is saved.
        return blocks.done(SAVED.format(there.name))
    notes = changed_meanwhile(opened, there, _roles(curating.guide), draft.entry)
    return await _form(curating, context, form.actor, there, replace(draft, notes=notes))


async def _by_its_author(curating: Curating, before: TeamEntry | None, entry: TeamEntry, actor: Actor) -> TeamEntry:
    """Return what was kept as whose it is: whoever answered, if it is their words, and they may be named still."""
    author = before.written_by if before is not None and before.answer == entry.answer else ""
    if author and before is not None:
        declared = await curating.people.declaration(actor.workspace, author)
        if declared.terms.visibility == "open":
            return replace(entry, written_by=author, shown_author=before.shown_author)
    return replace(entry, written_by="", shown_author="")


async def _name_of(client: AsyncWebClient, workspace: str, user: str, now: datetime) -> str:
    """Ask Slack for the person's name; empty where it does not say in time: a form waits three seconds at most."""
    try:
        async with asyncio.timeout(NAME_SECONDS):
            profile = await person_of(client, workspace, user, now)
    except TimeoutError:
        return ""
    return profile.name[:200] if profile else ""


def _entered(form: Submission, before: TeamEntry | None, actor: Actor) -> TeamEntry:
    def typed(name: str) -> str:
        return form.typed.get(ids.team_block(name), "").strip()

    # Of two submissions of one form the second changes what the first added.
    drawn = hashlib.sha256(f"{actor.workspace}/{form.view_id}".encode()).hexdigest()[:12]
    return replace(
        before or TeamEntry(new_entry_id(drawn), ""),
        name=" ".join(typed("name").split()),
        names=_list(typed("names")),
        question=" ".join(typed("question").split()),
        answer=typed("answer"),
        roles=form.chosen.get(ids.team_block("roles"), ()),
        topics=_list(typed("topics")),
        written_by=actor.user,
        shown_author="",
    )


def _list(typed: str) -> tuple[str, ...]:
    parts = (" ".join(part.split()) for part in typed.replace("\n", ",").split(","))
    return tuple(dict.fromkeys(filter(None, parts)))
