"""The Home tab: what I declare, and the roles to browse."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from slack_bolt.context.ack.async_ack import AsyncAck
from slack_bolt.context.async_context import AsyncBoltContext
from slack_sdk.web.async_client import AsyncWebClient

from handlers import ids, payloads
from handlers.blocks.message import (
    Block,
    actions,
    button,
    escape,
    header,
    option,
    section,
    select,
)
from handlers.blocks.message import (
    context as small_print,
)
from handlers.blocks.people import View
from handlers.blocks.render import declared
from handlers.payloads import Actor
from handlers.personal import forget
from handlers.proposals import roles_of_title, title_blocks
from handlers.replies import Clock, answer_press, view_for
from knowledge.guide import Guide
from knowledge.people import Declaration
from knowledge.ports import People


def home(declaration: Declaration, view: View, suggested: Sequence[str] = ()) -> Block:
    """Build the Home tab; ``suggested``: roles that the person's title suggests."""
    has = bool(declaration.roles or declaration.topics)
    mine = "\n".join(declared(declaration, view)) if has else "You have declared nothing yet."
    buttons = [button("Change" if has else "Declare what I do", ids.DECLARE, "-", primary=not has)]
    if has:
        forget_me = button("Forget me", ids.FORGET, "-", label="Delete everything that is kept about you")
        forget_me["confirm"] = {
            "title": {"type": "plain_text", "text": "Forget me?"},
            "text": {"type": "plain_text", "text": "Everything that I keep about you is deleted at once."},
            "confirm": {"type": "plain_text", "text": "Delete"},
            "deny": {"type": "plain_text", "text": "Keep"},
        }
        buttons.append(forget_me)
    options = [option(role.name, role.id) for role in view.roles.values()]
    return {
        "type": "home",
        "blocks": [
            header("What I declare"),
            section(escape(mine)),
            actions(*buttons),
            *title_blocks(suggested, view),
            header("Look something up"),
            section(
                "Pick a role, or type `/genai-role mlops` in any channel. Mention me with a question, or write here."
            ),
            actions(select("Pick a role", ids.BROWSE, options)),
            small_print(
                "Answers come from a bundled knowledge base; no language model is used. People are suggested only from "
                "what they declared themselves, and nobody is notified without a click."
            ),
        ],
    }


async def opened(
    body: dict[str, Any],
    context: AsyncBoltContext,
    client: AsyncWebClient,
    *,
    guide: Guide,
    people: People,
    now: Clock,
) -> None:
    """Draw the Home tab when it is opened; the Messages tab needs nothing."""
    if body["event"].get("tab") == "home":
        actor = payloads.event_actor(body)
        await publish(client, people, actor, view_for(actor, context, guide, now), guide)


async def publish(client: AsyncWebClient, people: People, actor: Actor, view: View, guide: Guide | None = None) -> None:
    """Draw the Home tab anew; with a guide it proposes roles by the title of whoever declared nothing."""
    declaration = await people.declaration(actor.workspace, actor.user)
    suggested: tuple[str, ...] = ()
    if guide is not None and not declaration.roles and not declaration.topics:
        suggested = await roles_of_title(client, guide, actor.user)
    await client.views_publish(user_id=actor.user, view=home(declaration, view, suggested))


async def forget_pressed(
    ack: AsyncAck,
    body: dict[str, Any],
    context: AsyncBoltContext,
    client: AsyncWebClient,
    *,
    guide: Guide,
    people: People,
    now: Clock,
) -> None:
    """Delete everything that is kept about the person who pressed."""
    press = payloads.press(body)
    done = await forget(people, press.actor)
    if press.view_id:
        await publish(client, people, press.actor, view_for(press.actor, context, guide, now))
    else:
        await answer_press(client, press, done)
    await ack()
