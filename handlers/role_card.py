"""The look-up: `/genai-role …`, and the buttons of every card."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from slack_bolt.context.ack.async_ack import AsyncAck
from slack_bolt.context.async_context import AsyncBoltContext
from slack_sdk.web.async_client import AsyncWebClient

from handlers import ids, payloads, settings
from handlers.ask_follow_up import ask_someone_in, unanswered
from handlers.asks import Counter, open_for
from handlers.blocks.ask_forms import with_offer
from handlers.blocks.cards import more_about
from handlers.blocks.message import Block, Message, actions, escape, message, option, section, select
from handlers.blocks.message import context as small_print
from handlers.blocks.render import render
from handlers.declaring import open_declaration
from handlers.feedback import Ratings
from handlers.naming import Naming, named_to_nobody
from handlers.permissions import Standings
from handlers.personal import forget, my_data, verb_in
from handlers.replies import Clock, answer_press, respond, view_for
from knowledge.guide import Guide, Question
from knowledge.ports import People, Workspaces


async def look_up(
    ack: AsyncAck,
    body: dict[str, Any],
    context: AsyncBoltContext,
    client: AsyncWebClient,
    *,
    guide: Guide,
    people: People,
    ratings: Ratings,
    naming: Naming,
    counter: Counter,
    standings: Standings,
    workspaces: Workspaces,
    now: Clock,
) -> None:
    """Answer `/genai-role …` in the response to the request itself."""
    command = payloads.command(body)
    if command.text.strip().casefold() == settings.COMMAND:
        refused = await settings.open_by_command(client, standings, workspaces, command.actor, command.trigger_id)
        await (ack(response_type="ephemeral", **refused.payload()) if refused else ack())
        return
    view = view_for(command.actor, context, guide, now)
    if (typed := ask_someone_in(command.text)) is not None:
        await open_for(counter, client, command.actor, command.trigger_id, typed, naming.to(client, command.actor))
        await ack()
        return
    match verb_in(command.text):
        case "me":
            await open_declaration(client, guide, people, standings, command.actor, command.trigger_id, view)
            await ack()
            return
        case "my data":
            reply = await my_data(people, command.actor, view)
        case "forget me":
            reply = await forget(people, command.actor)
        case None if command.text.strip().casefold() == "unanswered":
            standing = await counter.standings.of(client, command.actor, reserved=True)
            look_up_people = naming.to(client, command.actor).look_up
            reply = await unanswered(counter.asks, people, look_up_people, command.actor, standing, now())
        case None:
            may_name = naming.to(client, command.actor)
            answer = await guide.ask(
                Question(command.actor.workspace, command.text, "command", command.actor.user, may_name=may_name)
            )
            shown = with_offer(render(answer, view), answer, command.text)
            reply = ratings.offer(command.actor.workspace, shown, command.text, answer, ephemeral=True)
            ratings.note(command.actor.workspace, command.text, answer)
    await ack(response_type="ephemeral", **reply.payload())


async def open_entry(
    ack: AsyncAck,
    body: dict[str, Any],
    context: AsyncBoltContext,
    client: AsyncWebClient,
    *,
    guide: Guide,
    naming: Naming,
    now: Clock,
) -> None:
    """Show the entry of a pressed button or a chosen option."""
    press = payloads.press(body)
    answer = await guide.show(press.actor.workspace, press.value, naming.to(client, press.actor), press.actor.user)
    view = view_for(press.actor, context, guide, now)
    await answer_press(client, press, render(answer, view) if answer else gone(), replace=True)
    await ack()


async def show_more(
    ack: AsyncAck,
    body: dict[str, Any],
    context: AsyncBoltContext,
    client: AsyncWebClient,
    *,
    guide: Guide,
    now: Clock,
) -> None:
    """Show the second half of a role's card."""
    press = payloads.press(body)
    role = guide.catalog.roles.get(press.value)
    view = view_for(press.actor, context, guide, now)
    await answer_press(client, press, more_about(role, view) if role else gone(), replace=True)
    await ack()


async def choose_comparison(ack: AsyncAck, body: dict[str, Any], client: AsyncWebClient, *, guide: Guide) -> None:
    """Ask which role to compare with; those most often confused with it come first."""
    press = payloads.press(body)
    role = guide.catalog.roles.get(press.value)
    if role is None:
        await answer_press(client, press, gone())
    else:
        near = [note.role for note in role.confused_with]
        order = [*near, *(other for other in guide.catalog.roles if other not in near and other != role.id)]
        options = [option(guide.catalog.roles[other].name, f"{role.id}|{other}") for other in order]
        text = f"Compare {role.name} with:"
        menu = select("Pick a role", ids.COMPARE_WITH, options)
        await answer_press(client, press, message([text], [section(escape(text)), actions(menu)]))
    await ack()


async def compare_with(
    ack: AsyncAck,
    body: dict[str, Any],
    context: AsyncBoltContext,
    client: AsyncWebClient,
    *,
    guide: Guide,
    now: Clock,
) -> None:
    """Compare the two roles of the chosen option."""
    press = payloads.press(body)
    left, _, right = press.value.partition("|")
    answer = guide.compare(left, right)
    view = view_for(press.actor, context, guide, now)
    await answer_press(client, press, render(answer, view) if answer else gone(), replace=True)
    await ack()


async def share(
    ack: AsyncAck,
    body: dict[str, Any],
    context: AsyncBoltContext,
    client: AsyncWebClient,
    *,
    guide: Guide,
    now: Clock,
) -> None:
    """Post an entry for everybody in the channel, in the name of the person who pressed."""
    press = payloads.press(body)
    left, _, right = press.value.partition("|")
    # Slack does not say who else reads a channel: what is shared for everybody names nobody.
    answer = guide.compare(left, right) if right else await guide.show(press.actor.workspace, left, named_to_nobody)
    if answer is None:
        await answer_press(client, press, gone())
    elif press.direct or not press.response_url:
        text = "There is no channel here to share in. Use it on an answer in a channel."
        await answer_press(client, press, message([text], [section(text)]))
    else:
        view = view_for(press.actor, context, guide, now)
        await respond(client, press, _shared(render(answer, view), press.user_name), public=True)
    await ack()


def _shared(shown: Message, name: str) -> Message:
    by = f"Shared by {name or 'a colleague'}"
    return message([f"{by}: {shown.text}"], [small_print(escape(by)), *_without(ids.SHARE, shown.blocks)])


def _without(action_id: str, blocks: Sequence[Block]) -> Iterator[Block]:
    for block in blocks:
        if block["type"] == "actions":
            yield actions(*(element for element in block["elements"] if element["action_id"] != action_id))
        else:
            yield block


def gone() -> Message:
    """Say that what a button stood for is not there any more."""
    text = "That entry is not in my knowledge any more. Type /genai-role to browse the roles."
    return message([text], [section(text)])
