"""What a person may declare with one click: proposed for plain words or for a profile title, recorded by nobody else.

What is proposed stands in the button, so that nothing is kept of whoever does not press it.
"""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from handlers import ids
from handlers.blocks.message import Block, Message, actions, button, escape, message, section
from handlers.blocks.people import View
from handlers.blocks.render import declared
from handlers.members import UNREACHABLE
from knowledge.guide import Guide
from knowledge.introducing import MOST_SPOKEN, Introduction
from knowledge.people import LEVELS, LONGEST_TOPIC, Declaration, Level

TITLE_SECONDS = 1.0
"""How long a form or the Home tab waits for what Slack says of a profile title."""
NOTHING_RECORDED = "Nothing is recorded without your click."
logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Proposal:
    """Hold what a person may add to what they declare."""

    roles: Mapping[str, Level] = field(default_factory=dict)
    topics: Sequence[str] = ()
    keeps_level: bool = False
    """It says nothing of the level: that which is declared already stands."""

    def as_value(self) -> str:
        """Return it as the value of a button: at most eight topics of sixty letters and the roles fit in 2,000."""
        return json.dumps({"roles": dict(self.roles), "topics": list(self.topics)}, ensure_ascii=False)


def proposal_in(value: str, guide: Guide) -> Proposal:
    """Read the value of a button, and keep of it what can be declared today: values are checked as if typed."""
    if value in guide.catalog.roles:
        return Proposal({value: "practitioner"}, keeps_level=True)
    try:
        held = json.loads(value)
    except (ValueError, RecursionError):
        return Proposal()
    roles, topics = (held.get("roles"), held.get("topics")) if isinstance(held, dict) else (None, None)
    known: dict[str, Level] = {}
    for role, level in roles.items() if isinstance(roles, dict) else ():
        if role in guide.catalog.roles and level in LEVELS:
            known[role] = level
    typed = [topic for topic in topics if isinstance(topic, str)] if isinstance(topics, list) else []
    fitting = [topic for topic in typed if 0 < len(topic) <= LONGEST_TOPIC and guide.topic_key(topic)]
    return Proposal(known, tuple(fitting[:MOST_SPOKEN]))


def offer_introduction(introduction: Introduction, guide: Guide, view: View) -> Message:
    """Say what was understood, with the buttons that declare it or open the form filled in."""
    value = Proposal(introduction.roles, introduction.topics).as_value()
    topics = {guide.topic_key(topic): topic for topic in introduction.topics}
    lines = declared(Declaration(introduction.roles, topics), view)
    unknown = ""
    if introduction.unknown:
        quoted = " and ".join(f"“{one}”" for one in introduction.unknown)
        unknown = (
            f"I know no role or subject called {quoted}: that is left out. “Change first…” takes topics in any words."
        )
    intro = f"Shall I write down that you {'do' if introduction.roles else 'can be asked about'} this?"
    return message(
        [intro, *lines, *filter(None, [unknown]), NOTHING_RECORDED],
        [
            section(f"*{intro}*\n" + escape("\n".join(lines))),
            *(section(escape(said)) for said in (unknown, NOTHING_RECORDED) if said),
            actions(
                button("Yes, declare this", f"{ids.CONFIRM}:0", value, primary=True),
                button("Change first…", ids.DECLARE, value, label="Open the form with this filled in"),
            ),
        ],
    )


async def roles_of_title(client: AsyncWebClient, guide: Guide, user: str) -> tuple[str, ...]:
    """Return the roles that the title in the person's profile suggests; one call, of which nothing is kept."""
    try:
        async with asyncio.timeout(TITLE_SECONDS):
            found = await client.users_info(user=user)
    except (*UNREACHABLE, SlackApiError) as error:
        logger.info("no title to go by: %s", type(error).__name__)
        return ()
    profile = (found.get("user") or {}).get("profile") or {}
    title = profile.get("title")
    # The first reading takes half a second: other requests are not to wait for it.
    return await asyncio.to_thread(guide.roles_of_title, title) if isinstance(title, str) and title else ()


def title_blocks(roles: Sequence[str], view: View) -> list[Block]:
    """Propose roles with one button each; nothing where the title suggests none."""
    known = [view.roles[role] for role in roles if role in view.roles]
    if not known:
        return []
    buttons = [
        button(
            f"I do this: {role.name}",
            f"{ids.CONFIRM}:{place}",
            Proposal({role.id: "practitioner"}).as_value(),
            label=f"Declare that you practise as {role.name}",
        )
        for place, role in enumerate(known)
    ]
    return [section(f"The title in your profile suggests this. {NOTHING_RECORDED}"), actions(*buttons)]
