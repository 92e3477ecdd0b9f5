"""The pieces that messages are made of, within Slack's limits and with nothing in them that notifies anybody.

Limits: https://docs.slack.dev/reference/block-kit/blocks
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

Block = dict[str, Any]

SECTION = 3000
FIELD = 2000
HEADER = 150
BUTTON = 75
OPTION = 75
CONTEXT_ELEMENTS = 10
MESSAGE_BLOCKS = 50
MESSAGE_TEXT = 4000


@dataclass(frozen=True)
class Message:
    """Hold a message: ``text`` says everything in plain words, for screen readers, notifications, the command line."""

    text: str
    blocks: tuple[Block, ...]

    def payload(self) -> dict[str, Any]:
        """Return the arguments for Slack's posting methods."""
        return {
            "text": _within(escape(readable(self.text)), MESSAGE_TEXT),
            "blocks": list(self.blocks),
            "unfurl_links": False,
            "unfurl_media": False,
        }


def escape(text: str) -> str:
    """Escape the three signs of Slack's markup, which takes every mention and link out of a text."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def readable(text: str) -> str:
    """Take out what nobody sees and what turns the order of signs around: a name must not rewrite the line it is in."""
    # Nearly always there is nothing to take out, and to see that takes a hundredth of what taking out does.
    return text if _SEEN.fullmatch(text) else _UNSEEN.sub("", text)


_SIGNS = r"\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069"
"""Control signs but for tabs and ends of lines, and embeddings, overrides and isolates of the direction of writing."""
_UNSEEN, _SEEN = re.compile(f"[{_SIGNS}]+"), re.compile(f"[^{_SIGNS}]*+")


def cut(text: str, limit: int) -> str:
    """Shorten a text to the limit, with an ellipsis, never in the middle of an escaped sign."""
    if len(text) <= limit:
        return text
    head = text[: limit - 1]
    if "&" in head[-5:] and ";" not in head[head.rindex("&") :]:
        head = head[: head.rindex("&")]
    return head.rstrip() + "…"


def plain(text: str, limit: int) -> Block:
    """Make a plain_text object; Slack parses nothing in it but emoji codes, which are off."""
    return {"type": "plain_text", "text": cut(readable(text), limit) or "–", "emoji": False}


def mrkdwn(text: str, limit: int = SECTION) -> Block:
    """Make a mrkdwn object; ``verbatim`` keeps Slack from turning a bare @here, #channel or URL into a link."""
    return {"type": "mrkdwn", "text": cut(readable(text), limit) or "–", "verbatim": True}


def header(text: str) -> Block:
    """Make a header block."""
    return {"type": "header", "text": plain(text, HEADER)}


def section(text: str) -> Block:
    """Make a section block of mrkdwn."""
    return {"type": "section", "text": mrkdwn(text)}


def context(*texts: str) -> Block:
    """Make a context block: small print."""
    return {"type": "context", "elements": [mrkdwn(text) for text in texts[:CONTEXT_ELEMENTS]]}


def button(text: str, action_id: str, value: str, *, primary: bool = False, label: str = "") -> Block:
    """Make a button; ``label`` is what a screen reader says where the text alone does not tell."""
    made: Block = {"type": "button", "text": plain(text, BUTTON), "action_id": action_id, "value": value}
    if primary:
        made["style"] = "primary"
    if label:
        made["accessibility_label"] = cut(label, BUTTON)
    return made


def option(text: str, value: str) -> Block:
    """Make an option of a select."""
    return {"text": plain(text, OPTION), "value": value}


def select(placeholder: str, action_id: str, options: Sequence[Block]) -> Block:
    """Make a static select of at most 100 options."""
    return {
        "type": "static_select",
        "placeholder": plain(placeholder, 150),
        "action_id": action_id,
        "options": list(options)[:100],
    }


def actions(*elements: Block) -> Block:
    """Make a block of buttons and selects."""
    return {"type": "actions", "elements": list(elements)}


def _within(text: str, limit: int) -> str:
    """Shorten a text to the limit but keep its last line, which says where the answer comes from."""
    if len(text) <= limit:
        return text
    head, _, last = text.rpartition("\n")
    if not head or len(last) > limit // 2:
        return cut(text, limit)
    return f"{cut(head, limit - len(last) - 1)}\n{last}"


def message(lines: Iterable[str], blocks: Iterable[Block]) -> Message:
    """Put a message together within Slack's limits; the lines are as a person would read them, markup-free."""
    return Message("\n".join(line for line in lines if line), tuple(blocks)[:MESSAGE_BLOCKS])
