"""Refuse what Slack would refuse: walk over blocks and views with the table of rules.

A refusal reads as Slack's does: `[ERROR] must be less than 3001 characters [json-pointer:/blocks/0/text/text]`.
One rule is stricter than Slack: a broadcast (`<!channel>`, bare `@here` where Slack would parse it) is refused, because
here it can only have come out of somebody's words that were not escaped.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from .block_kit_rules import (
    BLOCKS,
    ELEMENTS,
    ID,
    MARKDOWN_LIMIT,
    MAX_BLOCKS,
    OPTIONS,
    UNTYPED,
    VIEWS,
    Anything,
    Flag,
    Many,
    Num,
    Obj,
    One,
    Rule,
    Spec,
    Str,
    Surface,
    Text,
)
from .workspace import JSON

BROADCAST = re.compile(r"<!(channel|here|everyone|subteam\^)[^>]*>")
BARE_BROADCAST = re.compile(r"(?<![\w.])@(channel|here|everyone)\b")


def check_blocks(blocks: object, surface: Surface = "message", at: str = "/blocks") -> list[str]:
    """Return why Slack would refuse these blocks on this surface; an empty list means it would not."""
    if not isinstance(blocks, list):
        return [_says("must be an array", at)]
    return list(_blocks(blocks, surface, at))


def check_text(text: str, at: str = "/text") -> list[str]:
    """Return what is wrong with a message's top-level text."""
    return list(_broadcasts(text, at, parsed=False))


def check_view(view: object) -> list[str]:
    """Return why Slack would refuse a modal or a Home tab."""
    if not isinstance(view, dict) or view.get("type") not in VIEWS:
        return [_says("must be a modal or home view", "/view/type")]
    surface: Surface = "home" if view["type"] == "home" else "modal"
    found = [*_object(view, VIEWS[surface], "/view"), *check_blocks(view.get("blocks", []), surface, "/view/blocks")]
    blocks = [b for b in view.get("blocks") or [] if isinstance(b, dict)]
    if surface == "modal" and "submit" not in view and any(b.get("type") == "input" for b in blocks):
        found.append(_says("missing required field: submit (the view has an input block)", "/view"))
    return found


def check_options(answer: JSON) -> list[str]:
    """Return what is wrong with the answer to a request for the options of an external select."""
    spec = Spec(OPTIONS, ())
    return list(_object({"type": "options", **answer}, spec, "")) + list(_unique_options(answer, ""))


def _says(words: str, at: str) -> str:
    return f"[ERROR] {words} [json-pointer:{at}]"


def _blocks(blocks: Sequence[object], surface: Surface, at: str) -> Iterator[str]:
    if len(blocks) > MAX_BLOCKS[surface]:
        yield _says(f"no more than {MAX_BLOCKS[surface]} items allowed", at)
    seen: set[str] = set()
    markdown = 0
    for number, block in enumerate(blocks):
        here = f"{at}/{number}"
        if not isinstance(block, dict) or not isinstance(block.get("type"), str):
            yield _says("missing required field: type", here)
            continue
        spec = BLOCKS.get(block["type"])
        if spec is None or surface not in spec.surfaces:
            where = "" if spec is None else f" on this surface ({surface})"
            yield _says(f"unsupported type: {block['type']}{where}", f"{here}/type")
            continue
        block_id = block.get("block_id")
        if isinstance(block_id, str) and block_id in seen:
            yield _says(f"`block_id` {block_id} already exists", f"{here}/block_id")
        seen.add(str(block_id))
        markdown += len(str(block["text"])) if block["type"] == "markdown" and "text" in block else 0
        yield from _object(block, spec, here)
        yield from _more_about_block(block, surface, here)
    if markdown > MARKDOWN_LIMIT:
        yield _says(f"markdown blocks must hold less than {MARKDOWN_LIMIT + 1} characters together", at)


def _object(thing: JSON, spec: Spec, at: str) -> Iterator[str]:
    for name in spec.required:
        if thing.get(name) is None:
            yield _says(f"missing required field: {name}", at)
    for name, value in thing.items():
        if name in ("type", "block_id") and name not in spec.fields:
            if name == "block_id":
                yield from _value(value, ID, f"{at}/block_id")
        elif name not in spec.fields:
            yield _says(f"invalid additional property: {name}", at)
        elif value is not None:
            yield from _value(value, spec.fields[name], f"{at}/{name}")


def _value(value: object, rule: Rule, at: str) -> Iterator[str]:
    match rule:
        case Text():
            yield from _text(value, rule, at)
        case Str(limit, least):
            if not isinstance(value, str):
                yield _says("must be a string", at)
            else:
                yield from _length(value, limit, least, at)
        case One(of):
            if value not in of:
                yield _says(f"must be one of: {', '.join(of)}", at)
        case Num(least, most):
            if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= most:
                yield _says(f"must be a number from {least} to {most}", at)
        case Flag():
            if not isinstance(value, bool):
                yield _says("must be a boolean", at)
        case Many(of_rule, most, least):
            if not isinstance(value, list):
                yield _says("must be an array", at)
                return
            if len(value) > most:
                yield _says(f"no more than {most} items allowed", at)
            if len(value) < least:
                yield _says(f"no fewer than {least} items allowed", at)
            for number, item in enumerate(value):
                yield from _value(item, of_rule, f"{at}/{number}")
        case Obj(of):
            yield from _typed_object(value, of, at)
        case Anything():
            return


def _typed_object(value: object, of: tuple[str, ...], at: str) -> Iterator[str]:
    if not isinstance(value, dict):
        yield _says("must be an object", at)
        return
    kind = of[0] if of[0] in UNTYPED else value.get("type")
    if kind not in of and not (of == ("card",) and kind == "card"):
        yield _says(f"unsupported type: {kind}", f"{at}/type")
    elif kind in ("mrkdwn", "plain_text"):
        yield from _text(value, Text(3000), at)
    else:
        yield from _object(value, BLOCKS["card"] if kind == "card" else ELEMENTS[str(kind)], at)
        yield from _more_about_element(value, str(kind), at)


def _text(value: object, rule: Text, at: str) -> Iterator[str]:
    if not isinstance(value, dict) or not isinstance(value.get("text"), str):
        yield _says("must be a text object with a text", at)
        return
    kind = value.get("type")
    if kind not in ("plain_text", "mrkdwn"):
        yield _says(f"unsupported type: {kind}", f"{at}/type")
    elif (rule.plain and kind != "plain_text") or (rule.mrkdwn and kind != "mrkdwn"):
        yield _says(f"must be a {'plain_text' if rule.plain else 'mrkdwn'} object", f"{at}/type")
    extra = set(value) - {"type", "text", "emoji" if kind == "plain_text" else "verbatim"}
    for name in sorted(extra):
        yield _says(f"invalid additional property: {name}", at)
    yield from _length(value["text"], rule.limit, 1, f"{at}/text")
    if kind == "mrkdwn":
        yield from _broadcasts(value["text"], f"{at}/text", parsed=not value.get("verbatim"))


def _length(text: str, limit: int, least: int, at: str) -> Iterator[str]:
    if len(text) > limit:
        yield _says(f"must be less than {limit + 1} characters", at)
    if len(text) < least or (least and not text.strip()):
        yield _says(f"must be more than {least - 1} characters", at)


def _broadcasts(text: str, at: str, *, parsed: bool) -> Iterator[str]:
    found = BROADCAST.search(text) or (BARE_BROADCAST.search(text) if parsed else None)
    if found:
        yield _says(f"must be escaped: {found[0]} would notify everybody", at)


def _more_about_block(block: JSON, surface: Surface, at: str) -> Iterator[str]:
    kind = block["type"]
    if kind == "section" and not block.get("text") and not block.get("fields"):
        yield _says("missing required field: text or fields", at)
    if kind == "image" and not block.get("image_url") and not block.get("slack_file"):
        yield _says("missing required field: image_url or slack_file", at)
    if kind == "card" and not any(block.get(name) for name in ("title", "body", "hero_image", "actions")):
        yield _says("must hold a title, body, hero_image or actions", at)
    if kind == "markdown":
        yield from _broadcasts(str(block.get("text", "")), f"{at}/text", parsed=True)
    if kind == "rich_text":
        yield from _rich_text(block.get("elements"), f"{at}/elements")
    if kind in ("table", "data_table"):
        for number, row in enumerate(block.get("rows") or []):
            if not isinstance(row, list) or not 1 <= len(row) <= 20:
                yield _says("must be an array of 1 to 20 cells", f"{at}/rows/{number}")
    if kind == "container":
        yield from check_blocks(block.get("child_blocks"), surface, f"{at}/child_blocks")
    seen: set[str] = set()
    elements = block.get("elements")
    for number, element in enumerate(elements if isinstance(elements, list) else []):
        action_id = element.get("action_id") if isinstance(element, dict) else None
        if isinstance(action_id, str) and action_id in seen:
            yield _says(f"`action_id` {action_id} already exists", f"{at}/elements/{number}/action_id")
        seen.add(str(action_id))


def _more_about_element(element: JSON, kind: str, at: str) -> Iterator[str]:
    if kind == "image" and not element.get("image_url") and not element.get("slack_file"):
        yield _says("missing required field: image_url or slack_file", at)
    has_one = bool(element.get("options")) != bool(element.get("option_groups"))
    if kind in ("static_select", "multi_static_select") and not has_one:
        yield _says("must hold either options or option_groups", at)
    if kind != "overflow" and any("url" in o for o in element.get("options") or [] if isinstance(o, dict)):
        yield _says("invalid additional property: url", f"{at}/options")
    yield from _unique_options(element, at)


def _unique_options(holder: JSON, at: str) -> Iterator[str]:
    groups = [g.get("options") for g in holder.get("option_groups") or [] if isinstance(g, dict)]
    options = [o for group in (holder.get("options"), *groups) for o in group or [] if isinstance(o, dict)]
    values = [o.get("value") for o in options]
    for value in sorted({str(v) for v in values if values.count(v) > 1}):
        yield _says(f"option value {value} already exists", f"{at}/options")
    initial = holder.get("initial_options") or [holder["initial_option"]] if "initial_option" in holder else []
    initial = holder.get("initial_options") or initial
    if options and any(option not in options for option in initial):
        yield _says("must exactly match one of the options", f"{at}/initial_option")


def _rich_text(elements: object, at: str) -> Iterator[str]:
    if not isinstance(elements, list):
        yield _says("must be an array", at)
        return
    for number, element in enumerate(elements):
        here = f"{at}/{number}"
        if not isinstance(element, dict):
            yield _says("must be an object", here)
        elif element.get("type") == "broadcast":
            yield _says("must not notify everybody", here)
        elif element.get("type") in ("text", "link") and element.get("text") == "":
            yield _says("must be more than 0 characters", f"{here}/text")
        elif "elements" in element:
            yield from _rich_text(element["elements"], f"{here}/elements")
