"""What answers teach: votes on them, and questions that had none."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from typing import Any, get_args

from slack_bolt.context.ack.async_ack import AsyncAck
from slack_sdk.web.async_client import AsyncWebClient

from handlers import payloads
from handlers.blocks.feedback import cannot_be_rated, instead, rateable, thanks, verdict_in
from handlers.blocks.message import Message
from handlers.replies import Clock, Later, answer_press
from knowledge.answers import Answer, Candidates, NotKnown
from knowledge.catalog import AnyEntry
from knowledge.feedback import Asked, RatedKind, Verdict, asked
from knowledge.guide import Guide
from knowledge.ports import Feedback
from knowledge.team import TeamEntry

CountVote = Callable[[str, Verdict], None]
"""Told the kind of answer and the verdict of every vote that changed something."""


class Ratings:
    """Let answers be rated, and keep questions that had none, after the answer."""

    def __init__(self, feedback: Feedback, guide: Guide, later: Later, now: Clock) -> None:
        self._feedback = feedback
        self._guide = guide
        self._later = later
        self._now = now

    def offer(self, workspace: str, shown: Message, text: str, answer: Answer, *, ephemeral: bool = False) -> Message:
        """Return the message with the buttons that rate it, where it is an answer that can be rated."""
        about = self._about(text, answer)
        if about is None or about.kind not in get_args(RatedKind):
            return shown
        return rateable(shown, self._feedback.seal(workspace, about), ephemeral=ephemeral)

    def note(self, workspace: str, text: str, answer: Answer) -> None:
        """Keep the question, without who asked, where it had no answer."""
        if isinstance(answer, NotKnown | Candidates):
            about = self._about(text, answer)
            if about is not None and about.text:
                self._later(self._feedback.unanswered(workspace, about, self._now()))

    def _about(self, text: str, answer: Answer) -> Asked | None:
        return asked(text, answer, secrets.token_hex(8), self._guide.catalog)


async def rate(
    ack: AsyncAck,
    body: dict[str, Any],
    client: AsyncWebClient,
    *,
    guide: Guide,
    feedback: Feedback,
    count: CountVote,
    now: Clock,
) -> None:
    """Take a vote on an answer; one against it is answered with what else it could be, and whom to ask."""
    press = payloads.press(body)
    verdict, sealed = verdict_in(press.value)
    about = feedback.opened(press.actor.workspace, sealed)
    if about is None or verdict is None:
        await answer_press(client, press, cannot_be_rated())
    else:
        if await feedback.vote(press.actor.workspace, about, verdict, now()):
            count(about.kind, verdict)
        await answer_press(
            client, press, thanks() if verdict == "helpful" else await _instead(about, guide, press.actor.workspace)
        )
    await ack()


async def _instead(about: Asked, guide: Guide, workspace: str) -> Message:
    others = await guide.others(workspace, about.text, without=about.entries)
    shown: list[AnyEntry | TeamEntry] = []
    for entry_id in about.entries:
        entry = guide.catalog.entry(entry_id) or await guide.team_entry(workspace, entry_id)
        if entry is not None:
            shown.append(entry)
    # Who was asked for people has seen those of the first entry already.
    whom = [*others, *shown] if about.kind == "people" else [*shown, *others]
    return instead(others, whom[0] if whom else None)
