"""Keeping declarations fresh: "still right?" once a quarter as a direct message, and what becomes of the answer."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from slack_bolt.context.ack.async_ack import AsyncAck
from slack_bolt.context.async_context import AsyncBoltContext
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from handlers import ids, payloads
from handlers.blocks.message import Message, actions, button, escape, message, section
from handlers.blocks.message import context as small_print
from handlers.blocks.people import NOT_A_MEMBER, View, ago, day
from handlers.blocks.render import declared
from handlers.errors import may_begin_again, out_of_reach
from handlers.members import Left, profile_of, take_over
from handlers.payloads import Press
from handlers.permissions import Standing, Standings
from handlers.replies import ClientOf, Clock, answer_press, view_for, write_to
from knowledge.freshness import ASK_AGAIN, CHECK_AFTER, MOST_UNANSWERED, Due, is_working_time, next_working_time
from knowledge.guide import Guide
from knowledge.models import Role
from knowledge.people import Declaration, Member, Visibility
from knowledge.ports import Freshness, People, Workspaces

logger = logging.getLogger(__name__)
RUN_SECONDS = 60.0
"""How often those whose turn has come are looked for."""
MOST_A_RUN = 20
"""Messages to one workspace in a minute: what came together while the bot was down goes out little by little."""
MOST_READ = 500
TRY_AGAIN = timedelta(minutes=15)
OUT_FOR = timedelta(weeks=1)
"""Whoever is out of office is not asked, and not counted as without an answer."""
NOT_OURS_FOR = timedelta(days=1)
SILENT_FOR = timedelta(days=1)
"""How long a turn is put off in a workspace where the bot is not to begin a conversation."""
LookUp = Callable[[AsyncWebClient, str, str, datetime], Awaitable[Member | None]]
WriteTo = Callable[[AsyncWebClient, str, Message], Awaitable[None]]
MOST_FAILING = 3
"""Workspaces that can't be written to in one run before Slack itself is taken to be out of reach."""
SEEN: dict[Visibility, str] = {
    "open": "Others who ask see:",
    "ask_first": "You are not named without being asked first:",
    "hidden": "Hidden from others:",
}


class Rounds:
    """Write to those whose turn has come, each once, in their working hours."""

    def __init__(
        self,
        freshness: Freshness,
        people: People,
        left: Left,
        workspaces: Workspaces,
        roles: Mapping[str, Role],
        client_of: ClientOf,
        is_known: Callable[[], bool],
        now: Clock,
        *,
        look_up: LookUp = profile_of,
        write: WriteTo = write_to,
    ) -> None:
        self._freshness = freshness
        self._people = people
        self._left = left
        self._workspaces = workspaces
        self._roles = roles
        self._client_of = client_of
        self._is_known = is_known
        self._look_up = look_up
        self._write = write
        self._now = now

    async def run(self) -> None:
        """Write to at most 20 people a workspace; turns at night, at weekends and beyond the 20 come later."""
        now = self._now()
        if not self._is_known():
            # Slack has not said yet whose token this is.
            return
        turns: Counter[str] = Counter()
        minutes: dict[str, datetime | None] = {}
        clients: dict[str, AsyncWebClient | None] = {}
        mine: list[Due] = []
        later: list[tuple[Due, datetime]] = []
        for due in await self._freshness.due(now, MOST_READ):
            if due.workspace not in clients:
                clients[due.workspace] = await self._client_of(due.workspace)
            if clients[due.workspace] is None:
                later.append((due, now + NOT_OURS_FOR))
            elif not (await self._workspaces.settings(due.workspace)).starts_messages:
                later.append((due, next_working_time(now + SILENT_FOR, due.tz)))
            elif not is_working_time(now, due.tz):
                later.append((due, next_working_time(now, due.tz)))
            else:
                if due.workspace not in minutes:
                    minutes[due.workspace] = await self._freshness.take_minute(due.workspace, now)
                runs = turns[due.workspace] // MOST_A_RUN
                turns[due.workspace] += 1
                if runs:
                    # Moved on, so that one large workspace does not stand before all others.
                    later.append((due, now + runs * timedelta(seconds=RUN_SECONDS)))
                elif minutes[due.workspace]:
                    mine.append(due)
                # Else another process writes to the workspace in this minute, and these may be its turns.
        await self._freshness.put_off(later, now)
        await self._take_turns(mine, clients, minutes)

    async def _take_turns(
        self,
        turns: Sequence[Due],
        clients: Mapping[str, AsyncWebClient | None],
        minutes: Mapping[str, datetime | None],
    ) -> None:
        """Write to one after the other; a workspace that can't be written to does not hold up the others."""
        failing: set[str] = set()
        for due in turns:
            client, ends = clients[due.workspace], minutes[due.workspace]
            if client is None or ends is None or self._now() >= ends or due.workspace in failing:
                continue
            if await self._take_turn(due, client):
                continue
            failing.add(due.workspace)
            if len(failing) == MOST_FAILING:
                # The others' turns have still come in the next run.
                break
        for workspace in sorted({due.workspace for due in turns}):
            # Counted from the last message: what was slow to go out is not followed at once by twenty more.
            await self._freshness.take_minute(workspace, self._now(), minutes[workspace])

    async def _take_turn(self, due: Due, client: AsyncWebClient) -> bool:
        """Write to one person; False where the workspace is better left alone in this run."""
        now = self._now()
        claimed = await self._freshness.claim(due, now)
        if claimed is None:
            return True
        put_back = partial(self._freshness.not_asked, due, claimed)
        member = await self._look_up(client, due.workspace, due.user, now)
        if member is None:
            await put_back(now + TRY_AGAIN)
            return False
        await take_over(self._people, self._left, due.workspace, member, self._now())
        until = self._not_now(member)
        if until is not None:
            await put_back(until)
            return True
        declaration = await self._people.declaration(due.workspace, due.user)
        if not declaration.roles and not declaration.topics:
            return True
        if due.fades and not await self._freshness.fade(due, claimed):
            return True
        view = View(now, self._roles)
        shown = faded(declaration, view) if due.fades else still_right(declaration, view, due)
        try:
            await self._write(client, due.user, shown)
        except Exception as error:
            logger.warning("a person could not be asked whether it is still right: %s", type(error).__name__)
            if may_begin_again(error):
                await put_back(now + TRY_AGAIN)
                return False
            # Refused for this person, or perhaps posted. A question is asked again when the next one would be due, and
            # not counted: nobody fades for what they may never have read. That it has faded is said once.
            if due.fades:
                await self._freshness.told(due, claimed)
            return not out_of_reach(error)
        await (self._freshness.told if due.fades else self._freshness.asked)(due, claimed)
        return True

    def _not_now(self, member: Member) -> datetime | None:
        """Return until when the person is left alone, by what Slack says of them; None for not at all."""
        now = self._now()
        if not member.suggestible:
            return now + CHECK_AFTER
        if member.availability == "ooo":
            return next_working_time(now + OUT_FOR, member.tz)
        return None if is_working_time(now, member.tz) else next_working_time(now, member.tz)


def still_right(declaration: Declaration, view: View, due: Due) -> Message:
    """Ask whether what a person declared is still right."""
    fades = view.now + ASK_AGAIN * (MOST_UNANSWERED - due.unanswered)
    question = f"Is this still right? You confirmed it {ago(view.now, due.confirmed)}."
    if due.imported:
        question = (
            f"Is this right? Others entered it for you on {day(due.confirmed)}. "
            "To have all of it deleted, type /genai-role forget me."
        )
    rule = (
        f"I ask once a quarter. Without an answer you are not suggested from about {day(fades)} on, "
        "and I tell you then. Nothing is deleted."
    )
    return message(
        [question, *_as_others_see_it(declaration, view), rule],
        [
            section(f"*{question}*\n" + escape("\n".join(_as_others_see_it(declaration, view)))),
            actions(
                button("Yes, still right", f"{ids.STILL_RIGHT}:yes", "-", primary=True),
                button("Change", f"{ids.STILL_RIGHT}:change", "-"),
                button("Stop asking me", f"{ids.STILL_RIGHT}:stop", "-"),
            ),
            small_print(rule),
        ],
    )


def faded(declaration: Declaration, view: View) -> Message:
    """Tell a person that they are not suggested any more, and offer to bring it back."""
    told = (
        f"I asked {MOST_UNANSWERED} times whether this is still right and had no answer, "
        "so you are not suggested for it any more. Nothing is deleted."
    )
    lines = declared(declaration, view)
    return message(
        [told, *lines],
        [
            section(escape("\n".join([told, *lines]))),
            actions(
                button("Still right: bring it back", f"{ids.STILL_RIGHT}:back", "-", primary=True),
                button("Change", f"{ids.STILL_RIGHT}:change", "-"),
            ),
            small_print("I do not ask again unless you bring it back or change it."),
        ],
    )


def _as_others_see_it(declaration: Declaration, view: View, standing: Standing = "member") -> list[str]:
    if standing in ("guest", "outsider"):
        return [NOT_A_MEMBER, *declared(declaration, view)]
    return [SEEN[declaration.terms.visibility], *declared(declaration, view)]


OpenForm = Callable[[AsyncAck, dict[str, Any], AsyncBoltContext, AsyncWebClient], Awaitable[None]]


async def pressed(
    ack: AsyncAck,
    body: dict[str, Any],
    context: AsyncBoltContext,
    client: AsyncWebClient,
    *,
    guide: Guide,
    people: People,
    freshness: Freshness,
    standings: Standings,
    open_form: OpenForm,
    now: Clock,
) -> None:
    """Take an answer, and put what came of it in the place of the question, so that it is answered once."""
    press = payloads.press(body)
    who = press.actor.workspace, press.actor.user
    change = button("Change", ids.DECLARE, "-")
    match press.action_id.partition(":")[2]:
        case "change":
            # First of all: its trigger is void after three seconds.
            await open_form(ack, body, context, client)
            there = await freshness.responded(*who)
            said = "You opened the form to change what you declare. Saving it confirms all of it."
        case "stop":
            there = await freshness.stop(*who)
            said = "I will not ask again. What you declared stays; others see when you confirmed it last."
            await ack()
        case _:
            there = await freshness.confirm(*who, now())
            said = "Thank you: confirmed today."
            await ack()
    if not there:
        change = button("Declare what I do", ids.DECLARE, "-", primary=True)
        await replace_question(client, press, message([NOTHING], [section(NOTHING), actions(change)]))
        return
    declaration = await people.declaration(*who)
    lines = _as_others_see_it(
        declaration, view_for(press.actor, context, guide, now), await standings.as_known(press.actor)
    )
    await replace_question(
        client,
        press,
        message([said, *lines], [section(f"*{said}*\n" + escape("\n".join(lines))), actions(change)]),
    )


NOTHING = "You declare nothing any more, so there is nothing to confirm."


async def replace_question(client: AsyncWebClient, press: Press, shown: Message) -> None:
    """Put a message in the place of the one with the button; below it, where Slack lets nobody change that one."""
    if press.channel and press.message_ts:
        sent = {"text": shown.payload()["text"], "blocks": list(shown.blocks)}
        try:
            await client.chat_update(channel=press.channel, ts=press.message_ts, **sent)
            return
        except SlackApiError as error:
            if out_of_reach(error):
                raise
            logger.info("a question could not be replaced by its answer")
    await answer_press(client, press, shown)
