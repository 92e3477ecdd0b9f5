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
from handlers.blocks.curating import GONE, ONLY_CURATORS, SHOW, Leaf, leaf_in
from handlers.blocks.message import Block, escape, message, option, section
from handlers.home import Home
from handlers.members import profile_of
from handlers.payloads import Actor, Press, Submission
from handlers.permissions import Standings
from handlers.places import Place
from handlers.replies import Clock, Later, answer_press, modal_of, open_modal, opening, show_modal, view_for
from knowledge.guide import Guide
from knowledge.keeping import Keepings
from knowledge.ports import People, TeamEntries, Workspaces
from knowledge.team import Alias, TeamEntry, found_by, published, retired, verified
from knowledge.team_rows import new_entry_id
from knowledge.workspaces import Recorded

ACTION = "curate entries"
NAME_SECONDS = 1.5
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
        await open_modal(client, show, _after(curating, client, context, press))
    else:
        await answer_press(client, press, message([ONLY_CURATORS], [section(escape(ONLY_CURATORS))]))
    await ack()


async def _after(curating: Curating, client: AsyncWebClient, context: AsyncBoltContext, press: Press) -> Block:
    """Do it, and return what is shown then."""
    known = await curating.team.known(press.actor.workspace, now=True)
    view = view_for(press.actor, context, curating.guide, curating.now)
    roles = {role.id: role.name for role in curating.guide.catalog.roles.values()}
    now, action = curating.now(), press.action_id.partition(":")[0]
    if action == ids.TEAM_LIST:
        leaf = leaf_in(press.value)
        return blocks.entry_list(found_by(known, leaf.query), leaf, _names(curating.guide), view)
    if action == ids.TEAM_NEW:
        return blocks.entry_form(None, roles, view)
    if action == ids.TEAM_WORD:
        return blocks.word_form()
    if action == ids.TEAM_UNWORD:
        return await _remove_word(curating, client, context, press)
    entry = known.entry(press.value)
    if entry is None:
        return blocks.done(GONE)
    if action == ids.TEAM_EDIT:
        proposed = entry.state == "proposed"
        alike = await curating.guide.alike(press.actor.workspace, entry) if proposed else ()
        return blocks.entry_form(entry, roles, view, alike)
    return await _change(curating, client, context, press, entry, now)


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
    await ack(response_action="update", view=blocks.entry_list(found, leaf, _names(curating.guide), view))


def _names(guide: Guide) -> dict[str, str]:
    return {entry.id: entry.name for entry in guide.catalog}


async def _change(
    curating: Curating,
    client: AsyncWebClient,
    context: AsyncBoltContext,
    press: Press,
    entry: TeamEntry,
    now: datetime,
) -> Block:
    """Retire an entry, or note that it is right now."""
    retiring = press.action_id == ids.TEAM_RETIRE
    changed = retired(entry, now) if retiring else verified(entry, now)
    await curating.team.save(press.actor.workspace, [changed])
    what = "entry retired" if retiring else "entry verified"
    await curating.record(press.actor, what, {"entry": entry.id})
    curating.redraw(client, context, press.actor)
    said = "is retired: it stays in the list, and answers nothing." if retiring else "is verified as of today."
    return blocks.done(f"“{entry.name}” {said}")


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
    before = known.entry(form.private_metadata) if form.private_metadata else None
    if form.private_metadata and before is None:
        await ack(response_action="update", view=blocks.done(GONE))
        return
    entry = published(_entered(form, before, actor), curating.now())
    problems = curating.guide.checker(known).entry(entry)
    if entry.source == "kept":
        entry = await _by_its_author(curating, before, entry, actor)
    elif form.chosen.get(ids.team_block("author")) == (SHOW,):
        entry = replace(entry, shown_author=await _name_of(client, actor.user))
        if not entry.shown_author:
            problems.setdefault("author", NO_NAME)
    if problems:
        await ack(response_action="errors", errors={ids.team_block(name): said for name, said in problems.items()})
        return
    if before is not None and before.state == "proposed":
        if await curating.keepings.publish(actor.workspace, entry, curating.now()) == "late":
            await ack(response_action="update", view=blocks.done(GONE))
            return
        what = "entry published"
    else:
        await curating.team.save(actor.workspace, [entry])
        what = "entry changed" if before else "entry added"
    await curating.record(actor, what, {"entry": entry.id})
    curating.redraw(client, context, actor)
    await ack(
        response_action="update", view=blocks.done(f"Saved. “{entry.name}” answers in this workspace from now on.")
    )


async def _by_its_author(curating: Curating, before: TeamEntry | None, entry: TeamEntry, actor: Actor) -> TeamEntry:
    """Return what was kept as whose it is: whoever answered, if it is their words, and they may be named still."""
    author = before.written_by if before is not None and before.answer == entry.answer else ""
    if author and before is not None:
        declared = await curating.people.declaration(actor.workspace, author)
        if declared.terms.visibility == "open":
            return replace(entry, written_by=author, shown_author=before.shown_author)
    return replace(entry, written_by="", shown_author="")


async def _name_of(client: AsyncWebClient, user: str) -> str:
    """Ask Slack for the person's name; empty where it does not say in time: a form waits three seconds at most."""
    try:
        async with asyncio.timeout(NAME_SECONDS):
            profile = await profile_of(client, user)
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


async def save_word(
    ack: AsyncAck, body: dict[str, Any], context: AsyncBoltContext, client: AsyncWebClient, *, curating: Curating
) -> None:
    """Check a word in place, and keep it."""
    form = payloads.submission(body)
    actor = form.actor
    if not await curating.may(client, actor):
        await ack(response_action="update", view=refused())
        return
    name = " ".join(form.typed.get(ids.team_block("name"), "").split())
    [target] = form.chosen.get(ids.team_block("entry_id")) or ("",)
    alias = Alias(name, target, actor.user, curating.now())
    known = await curating.team.known(actor.workspace, now=True)
    problems = curating.guide.checker(known).alias(alias)
    if problems:
        await ack(response_action="errors", errors={ids.team_block(field): said for field, said in problems.items()})
        return
    await curating.team.save(actor.workspace, [], [alias])
    await curating.record(actor, "word added", {"entry": target})
    curating.redraw(client, context, actor)
    meant = _names(curating.guide)[target]
    await ack(response_action="update", view=blocks.done(f"Saved. “{name}” is read as {meant} from now on."))


async def offer(ack: AsyncAck, body: dict[str, Any], client: AsyncWebClient, *, curating: Curating) -> None:
    """Offer what fits what is typed: roles for an entry, and everything bundled for a word."""
    search = payloads.search(body)
    if not await curating.may(client, search.actor):
        await ack(options=[])
        return
    found = list(curating.guide.find_roles(search.typed))
    if search.action_id == ids.TEAM_TARGET:
        found += curating.guide.find_subjects(search.typed)
    await ack(options=[option(one.name, one.id) for one in found[:100]])
