"""What comes of something a person does."""

from __future__ import annotations

import json
from dataclasses import dataclass, field

from .arguments import SlackError
from .delivery import Attempt
from .workspace import JSON, Message, View


@dataclass(slots=True)
class Outcome:
    """What came of something a person did: the HTTP answer, and what they see of it.

    `messages` is everything new or changed, `message` the last of it (for a command: its own answer); `view` is the
    modal they look at now. `errors` are a form's objections by block_id; `error` is what Slack itself says to the
    person (operation_timeout, dispatch_failed, a refusal code) when the bot did not do its part.
    """

    status: int = 0
    body: str = ""
    milliseconds: float = 0.0
    error: str | None = None
    message: Message | None = None
    messages: list[Message] = field(default_factory=list)
    view: View | None = None
    errors: dict[str, str] = field(default_factory=dict)
    closed: bool = False

    @property
    def text(self) -> str:
        """Return the message's top-level text, "" without one."""
        return self.message.text if self.message else ""

    @property
    def blocks(self) -> list[JSON]:
        """Return the message's blocks, none without one."""
        return self.message.blocks if self.message else []

    @property
    def ephemeral_to(self) -> str | None:
        """Return the only person who sees the message, None where all do or there is none."""
        return self.message.ephemeral_to if self.message else None

    @property
    def response_type(self) -> str:
        """Return "ephemeral" or "in_channel", "" without a message."""
        return "" if self.message is None else "ephemeral" if self.message.ephemeral_to else "in_channel"


def outcome_of(attempt: Attempt) -> Outcome:
    """Return what Slack makes of the bot's HTTP answer."""
    said = {"": None, "http_timeout": "operation_timeout"}.get(attempt.failure, "dispatch_failed")
    return Outcome(attempt.status, attempt.text, attempt.milliseconds, said)


def form_errors(place: View, errors: object) -> dict[str, str]:
    """Return a form's errors; Slack shows none whose key is not the block_id of an input."""
    inputs = {block["block_id"] for block in place.blocks if block["type"] == "input"}
    if not isinstance(errors, dict) or not errors or not set(errors) <= inputs:
        strange = sorted(set(errors) - inputs) if isinstance(errors, dict) else errors
        raise SlackError("invalid_arguments", f"[ERROR] errors must name input blocks, not: {json.dumps(strange)}")
    return {str(name): str(words) for name, words in errors.items()}
