"""What a schema cannot say of blocks: where a block may stand, what is unique, what is counted over a whole message."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Literal

from .block_kit_schema import says
from .workspace import JSON

Surface = Literal["message", "modal", "home"]

MESSAGE_TEXT_LIMIT = 40_000
MARKDOWN_LIMIT = 12_000
TABLES_LIMIT = 10_000
MAX_BLOCKS: Mapping[str, int] = {"message": 50, "modal": 100, "home": 100}
MAX_COLUMNS = 20
MAX_CHARTS = 2
# Every other block may stand everywhere.
ONLY_IN_MESSAGES = (
    *("markdown", "context_actions", "table", "data_table", "data_visualization"),
    *("card", "carousel", "container", "file", "plan", "task_card"),
)
SURFACES: Mapping[str, Sequence[Surface]] = {**dict.fromkeys(ONLY_IN_MESSAGES, ("message",)), "alert": ("modal",)}
EVERYWHERE: Sequence[Surface] = ("message", "modal", "home")
ORDERED = (("min_length", "max_length"), ("min_lines", "max_lines"))

BROADCAST = re.compile(r"<!(channel|here|everyone|subteam\^)[^>]*>")
BARE_BROADCAST = re.compile(r"(?<![\w.])@(channel|here|everyone)\b")


def stands(kind: str, surface: Surface) -> bool:
    """Tell whether a type of block may stand on a surface."""
    return surface in SURFACES.get(kind, EVERYWHERE)


def broken(blocks: Sequence[object], surface: Surface, at: str) -> Iterator[str]:
    """Go through the rules that these blocks break; they may be of any shape."""
    if len(blocks) > MAX_BLOCKS[surface]:
        yield says(f"no more than {MAX_BLOCKS[surface]} items allowed", at)
    nodes = list(_objects(blocks, at))
    for here, node in nodes:
        yield from _about(node, here)
    yield from _twice(nodes)
    yield from _counted(nodes, at)


def broadcasts(text: str, at: str, *, parsed: bool) -> Iterator[str]:
    """Find what would notify everybody; a bare name does where Slack parses the text."""
    found = BROADCAST.search(text) or (BARE_BROADCAST.search(text) if parsed else None)
    if found:
        yield says(f"must be escaped: {found[0]} would notify everybody", at)


def options_of(holder: JSON, at: str) -> Iterator[str]:
    """Check options against each other and against what is chosen at first."""
    options = [(f"{at}/options/{number}", option) for number, option in enumerate(_list(holder, "options"))]
    for number, group in enumerate(_list(holder, "option_groups")):
        inside = f"{at}/option_groups/{number}/options"
        options += [(f"{inside}/{n}", option) for n, option in enumerate(_list(group, "options"))]
    values = [option.get("value") for _, option in options]
    for value in dict.fromkeys(str(value) for value in values if value is not None and values.count(value) > 1):
        yield says(f"option value {value} already exists", f"{at}/options")
    if holder.get("type") != "overflow":
        for here, option in options:
            if "url" in option:
                yield says("invalid additional property: url", here)
    offered = [option for _, option in options]
    if offered and "initial_option" in holder and holder["initial_option"] not in offered:
        yield says("must exactly match one of the options", f"{at}/initial_option")
    if offered and any(option not in offered for option in _list(holder, "initial_options")):
        yield says("must exactly match one of the options", f"{at}/initial_options")


def _list(holder: object, name: str) -> list[JSON]:
    """Return the objects of a list; a wrong shape is the schema's to refuse."""
    found = holder.get(name) if isinstance(holder, dict) else None
    return [each for each in found if isinstance(each, dict)] if isinstance(found, list) else []


def _objects(thing: object, at: str) -> Iterator[tuple[str, JSON]]:
    """Go through every object, from the outside in, with its pointer."""
    if isinstance(thing, dict):
        yield at, thing
        for name, part in thing.items():
            if isinstance(part, (dict, list)):
                yield from _objects(part, f"{at}/{name}")
    elif isinstance(thing, list):
        for number, part in enumerate(thing):
            if isinstance(part, (dict, list)):
                yield from _objects(part, f"{at}/{number}")


def _about(node: JSON, at: str) -> Iterator[str]:
    match node:
        case {"type": "mrkdwn", "text": str(text)}:
            yield from broadcasts(text, f"{at}/text", parsed=not node.get("verbatim"))
        case {"type": "markdown", "text": str(text)}:
            yield from broadcasts(text, f"{at}/text", parsed=True)
        case {"type": "broadcast"}:
            yield says("must not notify everybody", at)
        case {"type": "text" | "link", "text": ""}:
            yield says("must be more than 0 characters", f"{at}/text")
        case {"type": "table" | "data_table", "rows": list(rows)}:
            for number, row in enumerate(rows):
                if isinstance(row, list) and not 1 <= len(row) <= MAX_COLUMNS:
                    yield says(f"must be an array of 1 to {MAX_COLUMNS} cells", f"{at}/rows/{number}")
        case {"options": _} | {"option_groups": _}:
            yield from options_of(node, at)
    for least, most in ORDERED:
        low, high = node.get(least), node.get(most)
        if isinstance(low, int) and isinstance(high, int) and low > high:
            yield says(f"must not be more than {most}", f"{at}/{least}")


def _twice(nodes: Sequence[tuple[str, JSON]]) -> Iterator[str]:
    """Find what may be there once: a block id in all, an action id in its block, the focus in a view."""
    blocks: set[str] = set()
    focused = False
    for at, node in nodes:
        block_id = node.get("block_id")
        if isinstance(block_id, str):
            if block_id in blocks:
                yield says(f"`block_id` {block_id} already exists", f"{at}/block_id")
            blocks.add(block_id)
        if node.get("focus_on_load") is True:
            if focused:
                yield says("only one element may have the focus", f"{at}/focus_on_load")
            focused = True
        for name in ("elements", "actions"):
            actions: set[str] = set()
            elements = node.get(name)
            for number, element in enumerate(elements if isinstance(elements, list) else ()):
                action_id = element.get("action_id") if isinstance(element, dict) else None
                if isinstance(action_id, str):
                    if action_id in actions:
                        yield says(f"`action_id` {action_id} already exists", f"{at}/{name}/{number}/action_id")
                    actions.add(action_id)


def _counted(nodes: Sequence[tuple[str, JSON]], at: str) -> Iterator[str]:
    """Count what has a limit over all blocks together."""
    markdown = tables = charts = 0
    for here, node in nodes:
        match node.get("type"):
            case "markdown":
                markdown += len(str(node.get("text", "")))
            case "table" | "data_table":
                tables += sum(len(str(cell.get("text", ""))) for _, cell in _objects(node.get("rows"), here))
            case "data_visualization":
                charts += 1
    if markdown > MARKDOWN_LIMIT:
        yield says(f"markdown blocks must hold less than {MARKDOWN_LIMIT + 1} characters together", at)
    if tables > TABLES_LIMIT:
        yield says(f"tables must hold less than {TABLES_LIMIT + 1} characters together", at)
    if charts > MAX_CHARTS:
        yield says(f"no more than {MAX_CHARTS} data_visualization blocks allowed", at)
