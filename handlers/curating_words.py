"""A team's words for what is bundled, as curators add them, and what their forms offer while they type."""

from __future__ import annotations

from typing import Any

from slack_bolt.context.ack.async_ack import AsyncAck
from slack_bolt.context.async_context import AsyncBoltContext
from slack_sdk.web.async_client import AsyncWebClient

from handlers import ids, payloads
from handlers.blocks import curating as blocks
from handlers.blocks.message import option
from handlers.curating import Curating, names, refused
from knowledge.team import Alias


async def save_word(
    ack: AsyncAck, body: dict[str, Any], context: AsyncBoltContext, client: AsyncWebClient, *, curating: Curating
) -> None:
    """Check a word in place, and keep it; one that is there already is changed when it is sent again."""
    form = payloads.submission(body)
    actor = form.actor
    if not await curating.may(client, actor):
        await ack(response_action="update", view=refused())
        return
    name = " ".join(form.typed.get(ids.team_block("name"), "").split())
    [target] = form.chosen.get(ids.team_block("entry_id")) or ("",)
    alias, called = Alias(name, target, actor.user, curating.now()), names(curating.guide)
    while True:
        known = await curating.team.known(actor.workspace, now=True)
        there = known.alias(name)
        problems = curating.guide.checker(known).alias(alias)
        if there is not None and there.entry_id == target:
            problems.setdefault("name", f"“{there.name}” is read as {called[target]} already.")
        if problems:
            errors = {ids.team_block(field): said for field, said in problems.items()}
            await ack(response_action="errors", errors=errors)
            return
        if there is not None and form.private_metadata != blocks.meaning_of(there):
            await ack(response_action="update", view=blocks.word_form(alias, there, called))
            return
        # Whoever was told what the word means changes that meaning, and not one that it got meanwhile.
        if await curating.team.save(actor.workspace, [], [alias], on=known.version):
            break
    await curating.record(actor, "word changed" if there else "word added", {"entry": target})
    curating.redraw(client, context, actor)
    await ack(response_action="update", view=blocks.done(f"Saved. “{name}” is read as {called[target]} from now on."))


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
