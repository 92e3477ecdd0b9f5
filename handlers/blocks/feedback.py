"""Rating an answer: the two buttons under it, and what is said to either."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from handlers import ids
from handlers.blocks.message import (
    BUTTON,
    MESSAGE_BLOCKS,
    Block,
    Message,
    actions,
    button,
    context,
    escape,
    message,
    plain,
    section,
)
from knowledge.catalog import AnyEntry
from knowledge.feedback import Verdict
from knowledge.team import TeamEntry

LABELS: dict[Verdict, tuple[str, str]] = {
    "helpful": ("Helpful", "Rate this answer as helpful"),
    "not": ("Not helpful", "Rate this answer as not helpful, and see what else it could be"),
}
BROWSE = "Type /genai-role to browse the roles."


def rateable(answer: Message, sealed: str, *, ephemeral: bool) -> Message:
    """Put the two buttons under an answer; ``sealed`` is what finds the question again."""
    values: dict[Verdict, str] = {"helpful": f"helpful {sealed}", "not": f"not {sealed}"}
    # Slack's own feedback buttons are only known to work in messages that stay. An answer to a command can't be sent
    # again, plainer, where they are refused.
    row = _plain_row(values) if ephemeral else _slack_row(values)
    return replace(answer, blocks=(*answer.blocks[: MESSAGE_BLOCKS - 1], row))


def with_plain_buttons(answer: Message) -> Message:
    """Return the answer with plain buttons in place of Slack's feedback buttons, which are a newer kind of block."""
    return replace(answer, blocks=tuple(_plainer(block) for block in answer.blocks))


def verdict_in(value: str) -> tuple[Verdict | None, str]:
    """Take the value of a pressed button apart: the verdict, and what was sealed."""
    said, _, sealed = value.partition(" ")
    return next((verdict for verdict in LABELS if verdict == said), None), sealed


def _plainer(block: Block) -> Block:
    if block["type"] != "context_actions":
        return block
    (pair,) = block["elements"]
    return _plain_row({"helpful": pair["positive_button"]["value"], "not": pair["negative_button"]["value"]})


def _plain_row(values: dict[Verdict, str]) -> Block:
    return actions(
        *(
            button(text, f"{ids.RATE_ANSWER}:{verdict}", values[verdict], label=label)
            for verdict, (text, label) in LABELS.items()
        )
    )


def _slack_row(values: dict[Verdict, str]) -> Block:
    def half(verdict: Verdict) -> Block:
        text, label = LABELS[verdict]
        return {"text": plain(text, BUTTON), "value": values[verdict], "accessibility_label": label}

    pair = {
        "type": "feedback_buttons",
        "action_id": ids.RATE_ANSWER,
        "positive_button": half("helpful"),
        "negative_button": half("not"),
    }
    return {"type": "context_actions", "elements": [pair]}


def thanks() -> Message:
    """Take a helpful vote, quietly."""
    text = "Thank you, noted."
    return message([text], [section(text)])


def instead(others: Sequence[AnyEntry], whom: AnyEntry | TeamEntry | None) -> Message:
    """Answer a vote against an answer: what else it could be, and the way to a person."""
    noted = "Thank you: your question is noted, without your name, so that the answers get better."
    lines, blocks = [noted], [section(noted)]
    if others:
        ask = "Did you mean one of these?"
        lines += [ask, *(f"• {entry.name}" for entry in others)]
        opened = [
            button(getattr(entry, "short", entry.name), f"open_entry:{at}", entry.id)
            for at, entry in enumerate(others, 1)
        ]
        blocks += [section(ask), actions(*opened)]
    if whom is not None:
        text = f"Or ask a person about {whom.name}:"
        lines.append(f"{text} press Ask someone.")
        ask_button = button("Ask someone", ids.ASK, whom.id, label=f"Show whom to ask about {whom.name}")
        blocks += [section(escape(text)), actions(ask_button)]
    return message([*lines, BROWSE], [*blocks, context(escape(BROWSE))])


def cannot_be_rated() -> Message:
    """Say that what an answer was about is not known any more."""
    text = f"That answer can't be rated any more. {BROWSE}"
    return message([text], [section(escape(text))])
