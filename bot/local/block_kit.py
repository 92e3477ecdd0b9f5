"""Refuse what Slack would refuse: each block and view by Slack's schema, and by the rules that no schema can say.

A refusal reads as Slack's does: `[ERROR] must be less than 3001 characters [json-pointer:/blocks/0/text/text]`.
One rule is stricter than Slack: a broadcast (`<!channel>`, bare `@here` where Slack would parse it) is refused, because
here it can only have come out of somebody's words that were not escaped.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence

from . import block_kit_rules as rules
from .arguments import SlackError
from .block_kit_rules import Surface
from .block_kit_schema import block_types, problems, says
from .workspace import JSON

log = logging.getLogger(__name__)

VIEWS: dict[str, tuple[str, Surface]] = {"modal": ("ModalView", "modal"), "home": ("HomeView", "home")}


def check_blocks(blocks: object, surface: Surface = "message", at: str = "/blocks") -> list[str]:
    """Return why Slack would refuse these blocks on this surface; an empty list means it would not."""
    if not isinstance(blocks, list):
        return [says("must be an array", at)]
    return [*_each(blocks, surface, at), *rules.broken(blocks, surface, at)]


def check_text(text: str, at: str = "/text") -> list[str]:
    """Return what is wrong with a message's top-level text."""
    return list(rules.broadcasts(text, at, parsed=False))


def check_view(view: object) -> list[str]:
    """Return why Slack would refuse a modal or a Home tab."""
    kind = view.get("type") if isinstance(view, dict) else None
    if not isinstance(view, dict) or not isinstance(kind, str) or kind not in VIEWS:
        return [says("must be a modal or home view", "/view/type")]
    definition, surface = VIEWS[kind]
    found = problems(view, definition, "/view")
    blocks = view.get("blocks")
    if isinstance(blocks, list):
        found += check_blocks(blocks, surface, "/view/blocks")
        inputs = [block for block in blocks if isinstance(block, dict) and block.get("type") == "input"]
        if surface == "modal" and inputs and "submit" not in view:
            found.append(says("missing required field: submit (the view has an input block)", "/view"))
    return found


def check_options(answer: JSON) -> list[str]:
    """Return what is wrong with the answer to a request for the options of an external select."""
    return [*problems(answer, "OptionsAnswer", ""), *rules.options_of(answer, "")]


def refusal(code: str, *messages: str) -> SlackError:
    """Return Slack's refusal of a message or view that is not well formed; it is logged, as a mistake of the bot's."""
    log.warning("Slack would refuse this: %s", " ".join((code, *messages)))
    return SlackError(code, *messages)


def _each(blocks: Sequence[object], surface: Surface, at: str) -> Iterator[str]:
    types = block_types()
    for number, block in enumerate(blocks):
        here = f"{at}/{number}"
        kind = block.get("type") if isinstance(block, dict) else None
        if not isinstance(kind, str):
            yield says("missing required field: type", here)
        elif kind not in types:
            yield says(f"unsupported type: {kind}", f"{here}/type")
        elif not rules.stands(kind, surface):
            yield says(f"unsupported type: {kind} on this surface ({surface})", f"{here}/type")
        else:
            yield from problems(block, types[kind], here)
