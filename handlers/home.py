"""The Home tab: a row of buttons, and the section that is open.

A section is one line in ``SECTIONS``: its name, its button, who is shown it, and what draws it.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from slack_bolt.context.ack.async_ack import AsyncAck
from slack_bolt.context.async_context import AsyncBoltContext
from slack_sdk.web.async_client import AsyncWebClient

from handlers import directory, ids, payloads
from handlers.ask_follow_up import open_questions, unanswered
from handlers.blocks import home as blocks
from handlers.blocks.curating import overview
from handlers.blocks.directory import seen_by_others
from handlers.blocks.message import Block, section
from handlers.blocks.people import Footing, View
from handlers.members import Profiles
from handlers.payloads import Actor
from handlers.permissions import MEMBERS, Standing, Standings, may
from handlers.personal import forget, my_data
from handlers.places import Place, from_home, place_in, place_of
from handlers.proposals import roles_of_title, title_blocks
from handlers.replies import Clock, answer_press, modal_of, open_modal, opening, view_for
from handlers.settings_form import told
from handlers.vacancies import names_of
from knowledge.guide import Guide
from knowledge.ports import Asks, Directory, People, TeamKnowledge, Vacancies, Workspaces

LEFT_TO_ANSWERS = 15
"""Look-ups of a minute that the Home tab leaves to suggestions and cards, however fast it is leafed through."""


@dataclass(frozen=True)
class Visit:
    """Hold who looks at the Home tab, and where in it they are."""

    client: AsyncWebClient
    actor: Actor
    view: View
    place: Place
    standing: Standing


@dataclass(frozen=True)
class Home:
    """Draw the Home tab; ``support`` is how to reach whoever runs the bot, or empty."""

    guide: Guide
    people: People
    directory: Directory
    profiles: Profiles
    standings: Standings
    asks: Asks
    workspaces: Workspaces
    vacancies: Vacancies
    team: TeamKnowledge
    now: Clock
    support: str = ""

    async def footing(self, actor: Actor, standing: Standing) -> Footing:
        """Return what decides, for somebody of this standing, what becomes of what they declare."""
        member = None if standing == "unknown" else standing in MEMBERS
        return Footing(member, (await self.workspaces.settings(actor.workspace)).starts_messages)

    async def publish(
        self, client: AsyncWebClient, context: AsyncBoltContext, actor: Actor, place: Place | None = None
    ) -> None:
        """Draw it anew at a place; at the first section where the person may not see that one, or no longer."""
        standing = await self.standings.of(client, actor)
        self.standings.once_known(client, actor, partial(self.publish, client, context, actor, place))
        wanted = place or Place()
        visit = Visit(client, actor, view_for(actor, context, self.guide, self.now), wanted, standing)
        shown = [one for one in SECTIONS if one.is_for(visit)]
        current = next((one for one in shown if one.name == wanted.section), shown[0])
        visit = replace(visit, place=replace(wanted, section=current.name))
        row = blocks.tabs([(one.name, one.label) for one in shown], current.name)
        view: Block = {
            "type": "home",
            "private_metadata": visit.place.as_text(),
            "blocks": [row, *await current.draw(self, visit)],
        }
        # Without a hash: of two presses the later one counts, also where it was made on a view drawn before.
        await client.views_publish(user_id=actor.user, view=view)


@dataclass(frozen=True)
class Section:
    """Hold a section: its name, the label of its button, what draws it, and who is shown it."""

    name: str
    label: str
    draw: Callable[[Home, Visit], Awaitable[list[Block]]]
    is_for: Callable[[Visit], bool] = lambda visit: True


async def _me(home: Home, visit: Visit) -> list[Block]:
    actor, view = visit.actor, visit.view
    declaration = await home.people.declaration(actor.workspace, actor.user)
    told = {"outsider": blocks.FOR_OUTSIDERS, "guest": blocks.FOR_GUESTS, "unknown": blocks.ONE_MOMENT}
    above = [section(told[visit.standing])] if visit.standing in told else []
    if declaration.roles or declaration.topics:
        shown = await home.directory.shown(actor.workspace, actor.user)
        footing = await home.footing(actor, visit.standing)
        seen = seen_by_others(shown, declaration, view, footing)
        return [*above, *blocks.mine(declaration, seen, view, footing)]
    if not may(visit.standing, "declare"):
        return above
    proposed = title_blocks(await roles_of_title(visit.client, home.guide, actor.user), view)
    return [*above, *blocks.start_here(view, proposed)]


async def _directory(home: Home, visit: Visit) -> list[Block]:
    workspace, place = visit.actor.workspace, visit.place
    look_up = home.profiles.for_answer(visit.client, workspace, leaving=LEFT_TO_ANSWERS)
    return await directory.draw(home.guide, home.people, home.directory, look_up, workspace, place, visit.view)


async def _browse(home: Home, visit: Visit) -> list[Block]:
    return blocks.browse(visit.view)


async def _questions(home: Home, visit: Visit) -> list[Block]:
    return await open_questions(home.asks, visit.actor)


async def _unanswered(home: Home, visit: Visit) -> list[Block]:
    look_up = home.profiles.for_answer(visit.client, visit.actor.workspace, leaving=LEFT_TO_ANSWERS)
    shown = await unanswered(home.asks, home.people, look_up, visit.actor, visit.standing, home.now())
    return list(shown.blocks)


async def _privacy(home: Home, visit: Visit) -> list[Block]:
    return blocks.privacy()


async def _workspace(home: Home, visit: Visit) -> list[Block]:
    workspace = visit.actor.workspace
    settings = await home.workspaces.settings(workspace)
    orphaned = names_of(await home.vacancies.orphaned(workspace), visit.view.roles)
    return blocks.workspace(told(settings), orphaned, curators=bool(settings.curators))


async def _help(home: Home, visit: Visit) -> list[Block]:
    return blocks.help_and_support(home.support)


async def _team(home: Home, visit: Visit) -> list[Block]:
    return overview(await home.team.known(visit.actor.workspace, now=True), visit.view)


SECTIONS = (
    Section("me", "Me", _me),
    Section("questions", "My questions", _questions, lambda visit: may(visit.standing, "ask a person")),
    Section("unanswered", "Unanswered", _unanswered, lambda visit: may(visit.standing, "curate entries")),
    Section("directory", "Directory", _directory, lambda visit: may(visit.standing, "see the directory")),
    Section("team", "Team knowledge", _team, lambda visit: may(visit.standing, "curate entries")),
    Section("roles", "Browse roles", _browse),
    Section("privacy", "Privacy", _privacy),
    Section("workspace", "Workspace", _workspace, lambda visit: may(visit.standing, "change settings")),
    Section("help", "Help", _help),
)


async def opened(body: dict[str, Any], context: AsyncBoltContext, client: AsyncWebClient, *, home: Home) -> None:
    """Draw the Home tab when it is opened, at the place where the person left it; the Messages tab needs nothing."""
    carried = payloads.home_opened(body)
    if carried is not None:
        await home.publish(client, context, payloads.event_actor(body), place_in(carried))


async def show_section(
    ack: AsyncAck, body: dict[str, Any], context: AsyncBoltContext, client: AsyncWebClient, *, home: Home
) -> None:
    """Open the section whose button was pressed."""
    press = payloads.press(body)
    await home.publish(client, context, press.actor, place_of(press).anew(press.action_id.partition(":")[2]))
    await ack()


async def turn_directory(
    ack: AsyncAck, body: dict[str, Any], context: AsyncBoltContext, client: AsyncWebClient, *, home: Home
) -> None:
    """Filter the directory, search it, or turn its pages."""
    press = payloads.press(body)
    place = directory.turned(place_of(press), press.action_id.partition(":")[2], press.value)
    await home.publish(client, context, press.actor, replace(place, section="directory"))
    await ack()


async def show_my_data(
    ack: AsyncAck, body: dict[str, Any], context: AsyncBoltContext, client: AsyncWebClient, *, home: Home
) -> None:
    """Show in a modal what is kept about whoever pressed."""
    press = payloads.press(body)

    async def build() -> Block:
        shown = await my_data(home.people, press.actor, view_for(press.actor, context, home.guide, home.now))
        return {**modal_of(shown, "My data"), "private_metadata": from_home(press)}

    await open_modal(client, opening(client, press.trigger_id), build())
    await ack()


async def forget_pressed(
    ack: AsyncAck, body: dict[str, Any], context: AsyncBoltContext, client: AsyncWebClient, *, home: Home
) -> None:
    """Delete everything that is kept about the person who pressed."""
    press = payloads.press(body)
    done = await forget(home.people, press.actor)
    if press.in_modal or not press.view_id:
        await answer_press(client, press, done, replace=press.in_modal)
    if press.view_id and (not press.in_modal or press.private_metadata.startswith(ids.FROM_HOME)):
        await home.publish(client, context, press.actor, place_of(press))
    await ack()
