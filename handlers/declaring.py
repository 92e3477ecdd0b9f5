"""Declaring: a modal in which a person says which roles they fill, at which level, and what else they can be asked."""

from __future__ import annotations

from functools import partial
from typing import Any

from slack_bolt.context.ack.async_ack import AsyncAck
from slack_bolt.context.async_context import AsyncBoltContext
from slack_sdk.web.async_client import AsyncWebClient

from handlers import ids, payloads
from handlers.blocks.message import Block, escape, option, plain, section
from handlers.blocks.message import context as small_print
from handlers.blocks.people import View
from handlers.blocks.render import declared
from handlers.home import publish
from handlers.members import Profiles
from handlers.payloads import Actor
from handlers.replies import Clock, Later, open_modal, opening, show_modal, view_for
from knowledge.guide import Guide
from knowledge.people import LEVELS, Declaration, Level
from knowledge.ports import People

LABELS: dict[Level, str] = {"lead": "I lead", "practitioner": "I practise", "learning": "I am learning"}
MOST_TOPICS = 20
LONGEST_TOPIC = 60


def modal(declaration: Declaration, view: View) -> Block:
    """Build the declaration modal, filled with what the person declared so far."""
    blocks: list[Block] = [
        section("Others who ask for these roles and topics will be shown your name. Empty everything to withdraw it.")
    ]
    for level in LEVELS:
        element: Block = {
            "type": "multi_static_select",
            "action_id": ids.INPUT,
            "placeholder": plain("Roles", 150),
            "options": [option(role.name, role.id) for role in view.roles.values()],
        }
        initial = [
            option(view.roles[role].name, role)
            for role, declared_level in declaration.roles.items()
            if declared_level == level and role in view.roles
        ]
        if initial:
            element["initial_options"] = initial
        blocks.append(_input(ids.block_of_level(level), LABELS[level], element))
    topics: Block = {
        "type": "plain_text_input",
        "action_id": ids.INPUT,
        "max_length": MOST_TOPICS * (LONGEST_TOPIC + 2),
        "placeholder": plain("GDPR, LoRA, Airflow", 150),
    }
    if declaration.topics:
        topics["initial_value"] = ", ".join(declaration.topics.values())
    hint = f"Separate them by commas, at most {MOST_TOPICS}."
    blocks.append(_input(ids.BLOCK_TOPICS, "Topics you can be asked about", topics, hint))
    return {
        "type": "modal",
        "callback_id": ids.VIEW_DECLARE,
        "title": plain("What I do", 24),
        "submit": plain("Save", 24),
        "close": plain("Cancel", 24),
        "blocks": blocks,
    }


def _input(block_id: str, label: str, element: Block, hint: str = "") -> Block:
    made: Block = {
        "type": "input",
        "block_id": block_id,
        "optional": True,
        "label": plain(label, 2000),
        "element": element,
    }
    if hint:
        made["hint"] = plain(hint, 2000)
    return made


async def open_declaration(client: AsyncWebClient, people: People, actor: Actor, trigger_id: str, view: View) -> None:
    """Open the modal with what the person declared so far."""
    await open_modal(client, opening(client, trigger_id), filled_modal(people, actor, view))


async def filled_modal(people: People, actor: Actor, view: View, add_role: str = "", origin: str = "") -> Block:
    """Build the modal with what the person declared so far; ``add_role`` is chosen in it already."""
    declaration = await people.declaration(actor.workspace, actor.user)
    if add_role in view.roles and add_role not in declaration.roles:
        roles: dict[str, Level] = {**declaration.roles, add_role: "practitioner"}
        declaration = Declaration(roles, declaration.topics)
    return {**modal(declaration, view), "private_metadata": origin}


async def open_from_button(
    ack: AsyncAck,
    body: dict[str, Any],
    context: AsyncBoltContext,
    client: AsyncWebClient,
    *,
    guide: Guide,
    people: People,
    now: Clock,
) -> None:
    """Open the modal from "I do this" (with that role) or "Declare what I do"."""
    press = payloads.press(body)
    view = view_for(press.actor, context, guide, now)
    # The Home tab has a view too; what it shows of the person is drawn anew after saving.
    origin = ids.FROM_HOME if press.view_id and not press.in_modal else ""
    show = partial(show_modal, client, press) if press.in_modal else opening(client, press.trigger_id)
    await open_modal(client, show, filled_modal(people, press.actor, view, press.value, origin))
    await ack()


async def open_from_shortcut(
    ack: AsyncAck,
    body: dict[str, Any],
    context: AsyncBoltContext,
    client: AsyncWebClient,
    *,
    guide: Guide,
    people: People,
    now: Clock,
) -> None:
    """Open the modal from the global shortcut."""
    shortcut = payloads.shortcut(body)
    view = view_for(shortcut.actor, context, guide, now)
    await open_declaration(client, people, shortcut.actor, shortcut.trigger_id, view)
    await ack()


async def save(
    ack: AsyncAck,
    body: dict[str, Any],
    context: AsyncBoltContext,
    client: AsyncWebClient,
    *,
    guide: Guide,
    people: People,
    profiles: Profiles,
    later: Later,
    now: Clock,
) -> None:
    """Check the modal in place, save it, and show what others will see."""
    submission = payloads.submission(body)
    roles, topics, errors = read_declaration(submission, guide)
    if errors:
        await ack(response_action="errors", errors=errors)
        return
    actor = submission.actor
    unknown = bool(roles or topics) and await people.profile(actor.workspace, actor.user) is None
    # Made only now: a coroutine that nobody awaits, because the line above failed, is a warning at some later time.
    write = people.declare(actor.workspace, actor.user, roles, topics, now())
    if unknown:
        await profiles.declared(client, actor.workspace, actor.user, write)
    else:
        await write
    declaration = await people.declaration(actor.workspace, actor.user)
    view = view_for(actor, context, guide, now)
    if submission.private_metadata == ids.FROM_HOME:
        later(publish(client, people, actor, view))
    await ack(response_action="update", view=saved(declaration, view))


def read_declaration(
    submission: payloads.Submission, guide: Guide
) -> tuple[dict[str, Level], dict[str, str], dict[str, str]]:
    """Return roles with their level, topics by key, and what is wrong, by block."""
    roles: dict[str, Level] = {}
    errors: dict[str, str] = {}
    for level in LEVELS:
        block = ids.block_of_level(level)
        for role in submission.chosen.get(block, ()):
            if role not in guide.catalog.roles:
                errors[block] = "One of these roles is not in my knowledge any more. Please choose again."
            elif role in roles:
                name = guide.catalog.roles[role].name
                errors[block] = f"{name} stands under “{LABELS[roles[role]]}” too. Keep it in one place."
            else:
                roles[role] = level
    typed = [
        " ".join(part.split()) for part in submission.typed.get(ids.BLOCK_TOPICS, "").replace("\n", ",").split(",")
    ]
    topics: dict[str, str] = {}
    for topic in filter(None, typed):
        key = guide.topic_key(topic)
        if len(topic) > LONGEST_TOPIC:
            errors[ids.BLOCK_TOPICS] = f"“{topic[:30]}…” is too long: at most {LONGEST_TOPIC} letters a topic."
        elif not key:
            errors[ids.BLOCK_TOPICS] = f"“{topic}” has no letters in it. Write the topic as a word or two."
        else:
            topics.setdefault(key, topic)
    if len(topics) > MOST_TOPICS:
        errors[ids.BLOCK_TOPICS] = f"These are {len(topics)} topics; at most {MOST_TOPICS} fit."
    return roles, topics, errors


def saved(declaration: Declaration, view: View) -> Block:
    """Build the view that confirms what was saved and shows it as others see it."""
    if declaration.roles or declaration.topics:
        blocks = [
            section("*Saved.* Others who ask will see:"),
            section(escape("\n".join(declared(declaration, view)))),
            small_print("Change it with `/genai-role me`, delete it with `/genai-role forget me`."),
        ]
    else:
        blocks = [section("*Saved.* You declare nothing now, and nobody will be pointed to you.")]
    return {"type": "modal", "title": plain("What I do", 24), "close": plain("Done", 24), "blocks": blocks}
