"""Declaring: a modal in which a person says which roles they fill, at which level, and what else they can be asked."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import Any

from slack_bolt.context.ack.async_ack import AsyncAck
from slack_bolt.context.async_context import AsyncBoltContext
from slack_sdk.web.async_client import AsyncWebClient

from handlers import ids, payloads
from handlers.blocks.message import Block, Message, message, option, plain
from handlers.blocks.people import Footing, View, freshness, seen
from handlers.blocks.render import declared
from handlers.declaring_form import modal, read_declaration, saved, saved_blocks
from handlers.home import Home
from handlers.members import Profiles
from handlers.payloads import Actor
from handlers.permissions import Standings, may
from handlers.personal import not_for_outsiders, offer_to_declare
from handlers.places import from_home, place_in, place_of
from handlers.proposals import Proposal, proposal_in, roles_of_title
from handlers.replies import (
    Clock,
    Later,
    answer_press,
    modal_of,
    open_modal,
    opening,
    show_modal,
    unless_closed,
    view_for,
)
from knowledge.guide import Guide
from knowledge.people import LONGEST_TOPIC, MOST_TOPICS, Declaration, Level, Terms
from knowledge.ports import People

MOST_OFFERED = 40
"""Topics offered at once in the menu of the form."""


async def open_declaration(
    client: AsyncWebClient,
    guide: Guide,
    people: People,
    standings: Standings,
    actor: Actor,
    trigger_id: str,
    view: View,
) -> None:
    """Open the modal with what the person declared so far."""
    await open_modal(client, opening(client, trigger_id), filled_modal(client, guide, people, standings, actor, view))


async def filled_modal(
    client: AsyncWebClient,
    guide: Guide,
    people: People,
    standings: Standings,
    actor: Actor,
    view: View,
    added: Proposal | None = None,
    origin: str = "",
) -> Block:
    """Build the modal with what the person declared so far, and with what is ``added`` chosen in it already."""
    # Looked up here, so that saving knows what others will see of it and does not wait for Slack.
    if actor.outsider or not may(await standings.of(client, actor), "declare"):
        return modal_of(not_for_outsiders(), "What I do")
    declaration = await people.declaration(actor.workspace, actor.user)
    suggested: tuple[str, ...] = ()
    if added is not None and (added.roles or added.topics):
        declaration = with_added(declaration, added, guide)
    elif not declaration.roles and not declaration.topics:
        suggested = await roles_of_title(client, guide, actor.user)
    return {**modal(declaration, view, suggested), "private_metadata": origin}


def with_added(declaration: Declaration, added: Proposal, guide: Guide) -> Declaration:
    """Add roles and topics to what is declared, as far as they fit."""
    roles: dict[str, Level] = {**declaration.roles}
    for role, level in added.roles.items():
        if role not in roles or not added.keeps_level:
            roles[role] = level
    topics = dict(declaration.topics)
    for topic in added.topics:
        key = guide.topic_key(topic)
        if key not in declaration.terms.not_about and len(topics) < MOST_TOPICS:
            topics.setdefault(key, topic)
    return replace(declaration, roles=roles, topics=topics)


async def open_from_button(
    ack: AsyncAck,
    body: dict[str, Any],
    context: AsyncBoltContext,
    client: AsyncWebClient,
    *,
    guide: Guide,
    people: People,
    standings: Standings,
    now: Clock,
) -> None:
    """Open the modal from "I do this" (with that role), "Declare what I do", or "Change first…"."""
    press = payloads.press(body)
    view = view_for(press.actor, context, guide, now)
    # The Home tab has a view too; what it shows of the person is drawn anew after saving.
    origin = from_home(press)
    show = partial(show_modal, client, press) if press.in_modal else opening(client, press.trigger_id)
    added = proposal_in(press.value, guide)
    await open_modal(client, show, filled_modal(client, guide, people, standings, press.actor, view, added, origin))
    await ack()


async def open_from_shortcut(
    ack: AsyncAck,
    body: dict[str, Any],
    context: AsyncBoltContext,
    client: AsyncWebClient,
    *,
    guide: Guide,
    people: People,
    standings: Standings,
    now: Clock,
) -> None:
    """Open the modal from the global shortcut."""
    shortcut = payloads.shortcut(body)
    view = view_for(shortcut.actor, context, guide, now)
    await open_declaration(client, guide, people, standings, shortcut.actor, shortcut.trigger_id, view)
    await ack()


async def offer_roles(ack: AsyncAck, body: dict[str, Any], *, guide: Guide) -> None:
    """Offer the roles that fit what is typed into one of the form's menus."""
    found = guide.find_roles(payloads.search(body).typed)
    await ack(
        options=[
            {**option(one.name, one.id), **({"description": plain(one.by, 75)} if one.by else {})} for one in found
        ]
    )


async def offer_topics(ack: AsyncAck, body: dict[str, Any], *, guide: Guide, people: People) -> None:
    """Offer topics: what is typed itself, those of colleagues that begin so, and what I know by such a name."""
    search = payloads.search(body)
    typed = " ".join(search.typed.split())
    keys: dict[str, str] = {}
    if "," not in typed and len(typed) <= LONGEST_TOPIC and (own := guide.topic_key(typed)):
        keys[own] = typed
    # Whoever belongs to another company is offered nothing that people here declared.
    if not search.actor.outside:
        for key in await people.topics_from(search.actor.workspace, guide.topic_start(typed)):
            keys.setdefault(key, "")
        for topic in await guide.team_topics(search.actor.workspace, typed):
            keys.setdefault(guide.topic_key(topic), topic)
    for one in guide.find_subjects(typed):
        keys.setdefault(one.id, one.name)
    first = dict(list(keys.items())[:MOST_OFFERED])
    spelled = await spell(people, guide, search.actor, first)
    fitting = [topic for topic in spelled.values() if 0 < len(topic) <= LONGEST_TOPIC and "," not in topic]
    await ack(options=[option(topic, topic) for topic in dict.fromkeys(fitting)])


async def spell(people: People, guide: Guide, actor: Actor, topics: dict[str, str]) -> dict[str, str]:
    """Give each topic the one spelling that it has in this workspace."""
    theirs = {} if actor.outside else await people.spellings(actor.workspace, list(topics), actor.user)
    return {key: guide.spelled(key, typed, theirs.get(key)) for key, typed in topics.items()}


async def save(
    ack: AsyncAck,
    body: dict[str, Any],
    context: AsyncBoltContext,
    client: AsyncWebClient,
    *,
    guide: Guide,
    people: People,
    profiles: Profiles,
    home: Home,
    later: Later,
    now: Clock,
) -> None:
    """Check the modal in place, save it, and show what others will see."""
    submission = payloads.submission(body)
    standing = await home.standings.as_known(submission.actor)
    if not may(standing, "declare"):
        await ack(response_action="update", view=modal_of(not_for_outsiders(), "What I do"))
        return
    entered = read_declaration(submission, guide)
    if entered.errors:
        await ack(response_action="errors", errors=entered.errors)
        return
    actor = submission.actor
    topics = await spell(people, guide, actor, entered.topics)
    await _write(client, people, profiles, actor, entered.roles, topics, entered.terms, now)
    declaration = await people.declaration(actor.workspace, actor.user)
    view = view_for(actor, context, guide, now)
    if submission.private_metadata.startswith(ids.FROM_HOME):
        place = place_in(submission.private_metadata.removeprefix(ids.FROM_HOME))
        later(home.publish(client, context, actor, place))
    await ack(response_action="update", view=saved(declaration, view, await home.footing(actor, standing)))


async def confirm(
    ack: AsyncAck,
    body: dict[str, Any],
    context: AsyncBoltContext,
    client: AsyncWebClient,
    *,
    guide: Guide,
    people: People,
    profiles: Profiles,
    home: Home,
    now: Clock,
) -> None:
    """Declare what a button proposed, beside what is declared already, and show what others will see."""
    press = payloads.press(body)
    actor, view = press.actor, view_for(press.actor, context, guide, now)
    standing = await home.standings.of(client, actor)
    if not may(standing, "declare"):
        await answer_press(client, press, not_for_outsiders())
        await ack()
        return
    added = proposal_in(press.value, guide)
    if not added.roles and not added.topics:
        # The button is older than the knowledge: the roles in it are gone.
        await answer_press(client, press, offer_to_declare(view))
        await ack()
        return
    before = await people.declaration(actor.workspace, actor.user)
    wanted = with_added(before, added, guide)
    new = {key: topic for key, topic in wanted.topics.items() if key not in before.topics}
    topics = {**before.topics, **await spell(people, guide, actor, new)}
    await _write(client, people, profiles, actor, wanted.roles, topics, None, now)
    declaration = await people.declaration(actor.workspace, actor.user)
    footing = await home.footing(actor, standing)
    if press.in_modal:
        with unless_closed():
            await client.views_update(view_id=press.view_id, view=saved(declaration, view, footing))
    elif press.view_id:
        await home.publish(client, context, actor, place_of(press))
    else:
        await answer_press(client, press, _confirmed(declaration, view, footing), replace=True)
    await ack()


def _confirmed(declaration: Declaration, view: View, footing: Footing) -> Message:
    told = f"Saved. {seen(declaration, footing)}"
    lines = [told, *declared(declaration, view), freshness(declaration, view.now, footing)]
    return message(lines, saved_blocks(declaration, view, footing))


async def _write(
    client: AsyncWebClient,
    people: People,
    profiles: Profiles,
    actor: Actor,
    roles: dict[str, Level],
    topics: dict[str, str],
    terms: Terms | None,
    now: Clock,
) -> None:
    unknown = bool(roles or topics) and await people.profile(actor.workspace, actor.user) is None
    # Made only now: a coroutine that nobody awaits, because the line above failed, is a warning at some later time.
    write = people.declare(actor.workspace, actor.user, roles, topics, now(), terms)
    if unknown:
        await profiles.declared(client, actor.workspace, actor.user, write)
    else:
        await write
