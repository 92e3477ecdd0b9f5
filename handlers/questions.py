"""Questions in plain words: by mention in a channel, and in direct messages."""

from __future__ import annotations

import re
from typing import Any

from slack_bolt.context.async_context import AsyncBoltContext
from slack_sdk.web.async_client import AsyncWebClient

from handlers import payloads
from handlers.ask_follow_up import ask_someone_in
from handlers.ask_follow_up import heard as asker_heard
from handlers.asks import Counter, heard
from handlers.blocks.ask_forms import invitation, with_offer
from handlers.blocks.render import render
from handlers.feedback import Ratings
from handlers.naming import Naming
from handlers.pace import Pace, too_fast
from handlers.personal import forget, my_data, not_for_outsiders, offer_to_declare, verb_in
from handlers.proposals import offer_introduction
from handlers.replies import Clock, post, view_for, whisper
from handlers.withdrawing import offer_to_change
from knowledge.conversation import DIRECT, Conversation
from knowledge.guide import Guide, Question
from knowledge.ports import People

WITHOUT_MENTIONS = re.compile(r"<@[^>]*>")


async def answer(
    body: dict[str, Any],
    context: AsyncBoltContext,
    client: AsyncWebClient,
    *,
    guide: Guide,
    people: People,
    ratings: Ratings,
    naming: Naming,
    pace: Pace,
    counter: Counter,
    now: Clock,
) -> None:
    """Answer what somebody said to the bot: in the thread, or in the direct message."""
    if not payloads.is_question(body["event"]):
        return
    said = payloads.said(body)
    taken = await heard(said, counter=counter) or await asker_heard(said, counter=counter)
    if taken is not None:
        await post(client, said, taken)
        return
    verdict = pace.judge(said.actor.workspace, said.actor.user, said.ts)
    if verdict != "answer":
        if verdict == "say so":
            await whisper(client, said, too_fast())
        return
    view = view_for(said.actor, context, guide, now)
    match verb_in(said.text):
        case "me":
            await whisper(client, said, not_for_outsiders() if said.actor.outsider else offer_to_declare(view))
        case "my data":
            await whisper(client, said, await my_data(people, said.actor, view))
        case "forget me":
            await whisper(client, said, await forget(people, said.actor, (said.channel, said.ts)))
        case None if (typed := ask_someone_in(said.text)) is not None:
            await whisper(client, said, invitation(typed))
        # Of somebody who can't declare it, it is read as a question about the role.
        case None if not said.actor.outsider and (introduction := guide.introduction(said.text)):
            await whisper(client, said, offer_introduction(introduction, guide, view))
        case None if not said.actor.outsider and (offered := await offer_to_change(said, guide, people, view)):
            await whisper(client, said, offered)
        case _:
            thread = said.thread_ts or (DIRECT if said.direct else said.ts)
            question = Question(
                said.actor.workspace,
                said.text,
                "dm" if said.direct else "mention",
                said.actor.user,
                Conversation(said.channel, thread, is_new=not said.direct and said.thread_ts is None),
                may_name=naming.to(client, said.actor),
            )
            async with guide.answering(question) as found:
                shown = with_offer(render(found, view), found, WITHOUT_MENTIONS.sub("", said.text).strip())
                await post(client, said, ratings.offer(said.actor.workspace, shown, said.text, found))
            ratings.note(said.actor.workspace, said.text, found)
