"""Taking out of what a person declares what they say that they do no longer: offered, and done with a click."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from slack_bolt.context.ack.async_ack import AsyncAck
from slack_bolt.context.async_context import AsyncBoltContext
from slack_sdk.web.async_client import AsyncWebClient

from handlers import ids, payloads
from handlers.blocks.message import Message, actions, button, escape, message, section
from handlers.blocks.people import View
from handlers.blocks.render import declared
from handlers.declaring import confirmed
from handlers.home import Home
from handlers.payloads import Actor
from handlers.replies import Clock, answer_press, view_for
from knowledge.guide import Guide
from knowledge.people import Declaration
from knowledge.ports import People
from knowledge.withdrawing import Ended

CHANGED = "You don't declare that any more."


async def offer_to_take_out(ended: Sequence[Ended], guide: Guide, people: People, actor: Actor, view: View) -> Message:
    """Say what of it is declared, with the buttons that take it out or open the form."""
    declaration = await people.declaration(actor.workspace, actor.user)
    keys = {one: guide.topic_key(one.said) for one in ended}
    roles = {role: level for role, level in declaration.roles.items() if any(role in one.roles for one in ended)}
    topics = {key: label for key, label in declaration.topics.items() if key in keys.values()}
    others = [one.said for one, key in keys.items() if key not in topics and not roles.keys() & {*one.roles}]
    left_out = f"You have not declared {' or '.join(f'“{said}”' for said in others)}." if others else ""
    if not roles and not topics:
        holds = declaration.roles or declaration.topics
        lines = [left_out, *(["You declared:", *declared(declaration, view)] if holds else ["You declare nothing."])]
        change = button("Change what I declare" if holds else "Declare what I do", ids.DECLARE, "-")
        return message(lines, [section(escape("\n".join(lines))), actions(change)])
    intro = "Shall I take this out of what you declare?"
    lines = declared(Declaration(roles, topics), view)
    value = json.dumps({"roles": [*roles], "topics": [*topics]}, ensure_ascii=False)
    return message(
        [intro, *lines, *filter(None, [left_out])],
        [
            section(f"*{intro}*\n" + escape("\n".join(lines))),
            *(section(escape(said)) for said in [left_out] if said),
            actions(
                button("Yes, take it out", ids.TAKE_OUT, value, primary=True),
                button("Change…", ids.DECLARE, "-", label="Open the form with what you declare"),
            ),
        ],
    )


async def take_out(
    ack: AsyncAck,
    body: dict[str, Any],
    context: AsyncBoltContext,
    client: AsyncWebClient,
    *,
    guide: Guide,
    people: People,
    home: Home,
    now: Clock,
) -> None:
    """Take what the button names out of what the person declares, and nothing beside it."""
    press = payloads.press(body)
    actor, view = press.actor, view_for(press.actor, context, guide, now)
    before = await people.declaration(actor.workspace, actor.user)
    left = before.without(_named_in(press.value))
    if left == before:
        await answer_press(client, press, message([CHANGED], [section(escape(CHANGED))]))
    else:
        await people.declare(actor.workspace, actor.user, left.roles, left.topics, now())
        after = await people.declaration(actor.workspace, actor.user)
        footing = await home.footing(actor, await home.standings.of(client, actor))
        await answer_press(client, press, confirmed(after, view, footing), replace=True)
    await ack()


def _named_in(value: str) -> set[str]:
    """Return the roles and topics that a button names."""
    try:
        held = json.loads(value)
    except (ValueError, RecursionError):
        return set()
    lists = [held.get(name) for name in ("roles", "topics")] if isinstance(held, dict) else []
    return {one for listed in lists if isinstance(listed, list) for one in listed if isinstance(one, str)}
