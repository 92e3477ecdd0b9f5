"""What a person can touch in blocks: where the elements are, and what choosing in them means in Slack's payloads."""

from __future__ import annotations

import html
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from .workspace import JSON, Channel

Value = str | Sequence[str] | None


@dataclass(frozen=True, slots=True)
class Kind:
    """How one element type keeps its value: the key in a state, the key of the initial value, one or many."""

    key: str
    initial: str
    many: bool = False
    options: bool = False


KINDS: dict[str, Kind] = {
    "plain_text_input": Kind("value", "initial_value"),
    "email_text_input": Kind("value", "initial_value"),
    "url_text_input": Kind("value", "initial_value"),
    "number_input": Kind("value", "initial_value"),
    "rich_text_input": Kind("rich_text_value", "initial_value"),
    "static_select": Kind("selected_option", "initial_option", options=True),
    "external_select": Kind("selected_option", "initial_option", options=True),
    "radio_buttons": Kind("selected_option", "initial_option", options=True),
    "multi_static_select": Kind("selected_options", "initial_options", many=True, options=True),
    "multi_external_select": Kind("selected_options", "initial_options", many=True, options=True),
    "checkboxes": Kind("selected_options", "initial_options", many=True, options=True),
    "users_select": Kind("selected_user", "initial_user"),
    "multi_users_select": Kind("selected_users", "initial_users", many=True),
    "channels_select": Kind("selected_channel", "initial_channel"),
    "multi_channels_select": Kind("selected_channels", "initial_channels", many=True),
    "conversations_select": Kind("selected_conversation", "initial_conversation"),
    "multi_conversations_select": Kind("selected_conversations", "initial_conversations", many=True),
    "datepicker": Kind("selected_date", "initial_date"),
    "timepicker": Kind("selected_time", "initial_time"),
    "datetimepicker": Kind("selected_date_time", "initial_date_time"),
}
PRESSED = {
    "button": ("text", "value", "style", "url", "confirm"),
    "icon_button": ("text", "value", "icon"),
}
"""What an action says of the button that was pressed."""


class NotOffered(LookupError):
    """What the test or the person asked for is not on the surface: no such element, no such option."""


@dataclass(frozen=True, slots=True)
class Field:
    """One interactive element and the block it sits in."""

    block: JSON
    element: JSON

    @property
    def block_id(self) -> str:
        """Return the block's id."""
        return str(self.block["block_id"])

    @property
    def action_id(self) -> str:
        """Return the element's action id."""
        return str(self.element["action_id"])

    @property
    def type(self) -> str:
        """Return the element's type."""
        return str(self.element["type"])

    @property
    def is_input(self) -> bool:
        """Tell whether the element sits in an input block."""
        return bool(self.block["type"] == "input")

    @property
    def label(self) -> str:
        """Return the words a person knows the element by."""
        for holder, key in ((self.block, "label"), (self.element, "text"), (self.element, "placeholder")):
            text = holder.get(key)
            if isinstance(text, dict) and text.get("text"):
                return str(text["text"])
        return str(self.element.get("alt_text") or self.action_id)

    @property
    def options(self) -> list[JSON]:
        """Return the options, those of groups included."""
        groups: list[JSON] = self.element.get("option_groups") or []
        own: list[JSON] = self.element.get("options") or []
        return own + [option for group in groups for option in group["options"]]


def elements_of(block: JSON) -> list[JSON]:
    """Return the elements of one block that may carry an action id."""
    match block.get("type"):
        case "input":
            found = [block.get("element")]
        case "section":
            found = [block.get("accessory")]
        case "actions" | "context_actions":
            found = block.get("elements") or []
        case "card":
            found = block.get("actions") or []
        case _:
            found = []
    return [element for element in found if isinstance(element, dict) and element.get("type") != "image"]


def children_of(block: JSON) -> list[JSON]:
    """Return the blocks inside a block (container, carousel)."""
    inner = block.get("child_blocks") or (block.get("elements") if block.get("type") == "carousel" else None)
    return inner or []


def walk(blocks: Sequence[JSON]) -> Iterator[JSON]:
    """Go through blocks and the blocks inside them."""
    for block in blocks:
        yield block
        yield from walk(children_of(block))


def fields(blocks: Sequence[JSON]) -> list[Field]:
    """Return every interactive element in the order a person meets them."""
    return [Field(block, element) for block in walk(blocks) for element in elements_of(block)]


def find_field(blocks: Sequence[JSON], action_id: str, block_id: str | None = None, value: str | None = None) -> Field:
    """Return the element with this action id (and block id, and value where several share them)."""
    found = [f for f in fields(blocks) if f.action_id == action_id and block_id in (None, f.block_id)]
    exact = [f for f in found if value is not None and f.element.get("value") == value]
    if not found:
        offered = ", ".join(f"{f.block_id}/{f.action_id}" for f in fields(blocks)) or "nothing to press"
        raise NotOffered(f"no element {action_id!r}; there is: {offered}")
    return (exact or found)[0]


def option_among(options: Sequence[JSON], wanted: str) -> JSON | None:
    """Return the option with this value, or else with these words, if there is one."""
    by_value = (option for option in options if option.get("value") == wanted)
    by_words = (option for option in options if html.unescape(str(option["text"]["text"])) == wanted)
    return next(by_value, None) or next(by_words, None)


def option_for(options: Sequence[JSON], wanted: str) -> JSON:
    """Return the option with this value, or else with these words; there has to be one."""
    found = option_among(options, wanted)
    if found is None:
        offered = ", ".join(repr(option.get("value")) for option in options) or "none"
        raise NotOffered(f"no option {wanted!r}; offered: {offered}")
    return found


def initial(field: Field) -> JSON:
    """Return the state an element starts with."""
    kind = KINDS[field.type]
    return _state(field, field.element.get(kind.initial, [] if kind.many else None))


def _state(field: Field, value: object) -> JSON:
    # Rich text that nobody wrote is not there; every other empty field is null or an empty list.
    empty = field.type == "rich_text_input" and value is None
    return {"type": field.type} if empty else {"type": field.type, KINDS[field.type].key: value}


def fill_current(blocks: Sequence[JSON], entered: dict[str, dict[str, JSON]], place: Channel | None) -> None:
    """Choose the conversation that the person is in, in each menu that asks for it and offers it."""
    if place is None:
        return
    kind = "im" if place.is_dm else "private" if place.private else "public"
    for field in fields(blocks):
        offered = (field.element.get("filter") or {}).get("include", [kind])
        untouched = field.action_id not in entered.get(field.block_id, {})
        if field.element.get("default_to_current_conversation") and kind in offered and untouched:
            value = [place.id] if KINDS[field.type].many else place.id
            entered.setdefault(field.block_id, {})[field.action_id] = _state(field, value)


def chosen(field: Field, value: Value, options: Sequence[JSON] | None = None) -> JSON:
    """Return an element's state after the person put in `value`; `options` where they come from the bot."""
    kind = KINDS[field.type]
    offered = field.options if options is None else options
    if kind.many:
        many = [] if value is None else [value] if isinstance(value, str) else list(value)
        return {"type": field.type, kind.key: [option_for(offered, v) if kind.options else v for v in many]}
    if value is not None and not isinstance(value, str):
        raise NotOffered(f"{field.block_id}/{field.action_id} ({field.type}) takes one value")
    one: object = (value or None) if kind.key == "value" else value
    if value is not None and kind.options:
        one = option_for(offered, value)
    elif value is not None and field.type == "datetimepicker":
        one = int(value)
    elif value is not None and field.type == "rich_text_input":
        section = {"type": "rich_text_section", "elements": [{"type": "text", "text": value}]}
        one = {"type": "rich_text", "elements": [section]}
    return _state(field, one)


def state_values(blocks: Sequence[JSON], entered: dict[str, dict[str, JSON]]) -> dict[str, dict[str, JSON]]:
    """Build `state.values`: every element that keeps a value, with what was entered or else its initial value."""
    values: dict[str, dict[str, JSON]] = {}
    for field in fields(blocks):
        if field.type in KINDS:
            now = entered.get(field.block_id, {}).get(field.action_id) or initial(field)
            values.setdefault(field.block_id, {})[field.action_id] = now
    return values


def action_payload(field: Field, state: JSON | None, value: str | None, action_ts: str) -> JSON:
    """Return the entry of `actions` for a press or a choice in `field`."""
    element = field.element
    action: JSON = {
        "type": field.type,
        "action_id": field.action_id,
        "block_id": field.block_id,
        "action_ts": action_ts,
    }
    if state is not None:
        action |= {key: state[key] for key in state if key != "type"}
        initial_key = KINDS[field.type].initial
        about = () if initial_key == "initial_value" else (initial_key, "placeholder", "confirm", "min_query_length")
        action |= {key: element[key] for key in about if key in element}
    elif field.type == "overflow":
        action["selected_option"] = option_for(field.options, value or "")
    elif field.type == "feedback_buttons":
        buttons = [element["positive_button"], element["negative_button"]]
        pressed = next((b for b in buttons if value in (b["value"], b["text"]["text"])), None)
        if pressed is None:
            raise NotOffered(f"no feedback button {value!r}")
        action |= {"text": pressed["text"], "value": pressed["value"]}
    else:
        action |= {key: element[key] for key in PRESSED.get(field.type, ()) if key in element}
    return action
