"""Proposals that curators turn down, or merge into what their team knows already; publishing is in curating.py."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import Any

from slack_bolt.context.ack.async_ack import AsyncAck
from slack_bolt.context.async_context import AsyncBoltContext
from slack_sdk.web.async_client import AsyncWebClient

from handlers import ids, payloads
from handlers.blocks import curating as blocks
from handlers.blocks.curating import GONE, ONLY_CURATORS
from handlers.blocks.message import Block, escape, message, section
from handlers.blocks.proposed import pair_in
from handlers.curating import Curating
from handlers.payloads import Press
from handlers.replies import answer_press, open_modal, opening, show_modal
from knowledge.keeping import shortened
from knowledge.team import LONGEST_NAME, TeamEntry

NO_ROOM = "It can't be merged: {} Change the other entry first, or publish this one by itself."


async def decided(
    ack: AsyncAck, body: dict[str, Any], context: AsyncBoltContext, client: AsyncWebClient, *, curating: Curating
) -> None:
    """Do what a curator decided; of two curators at once one is told that it is settled."""
    press = payloads.press(body)
    if await curating.may(client, press.actor):
        show = partial(show_modal, client, press, replace=True) if press.in_modal else opening(client, press.trigger_id)
        reject = press.action_id == ids.TEAM_REJECT
        doing = _reject(curating, press) if reject else _merge(curating, press)
        await open_modal(client, show, doing)
        curating.redraw(client, context, press.actor)
    else:
        await answer_press(client, press, message([ONLY_CURATORS], [section(escape(ONLY_CURATORS))]))
    await ack()


async def _reject(curating: Curating, press: Press) -> Block:
    workspace = press.actor.workspace
    if await curating.keepings.reject(workspace, press.value, curating.now()) == "late":
        return blocks.done(GONE)
    await curating.record(press.actor, "entry rejected", {"entry": press.value[:32]})
    return blocks.done("It is not added. Both who asked and who answered read so.")


async def _merge(curating: Curating, press: Press) -> Block:
    workspace, (entry_id, into) = press.actor.workspace, pair_in(press.value)
    known = await curating.team.known(workspace, now=True)
    entry, other = known.entry(entry_id), known.entry(into)
    if entry is None or other is None or entry.state != "proposed" or other.state != "published":
        return blocks.done(GONE)
    wording = _wording(entry)
    rest = replace(known, entries=tuple(one for one in known.entries if one.id != entry_id))
    problems = curating.guide.checker(rest).entry(replace(other, names=(*other.names, wording)))
    if problems:
        return blocks.done(NO_ROOM.format(next(iter(problems.values()))))
    if await curating.keepings.merge(workspace, entry_id, into, wording, curating.now()) == "late":
        return blocks.done(GONE)
    await curating.record(press.actor, "entry merged", {"entry": entry_id, "into": into})
    return blocks.done(f"“{other.name}” answers this question too from now on.")


def _wording(entry: TeamEntry) -> str:
    """Return the question as a name: it is found by its words."""
    return shortened(entry.question or entry.name, LONGEST_NAME)
