"""The rules of Block Kit as one table: what each block, element and view may hold, how much, and where."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

Surface = Literal["message", "modal", "home"]

MESSAGE_TEXT_LIMIT = 40_000
MARKDOWN_LIMIT = 12_000
MAX_BLOCKS: Mapping[str, int] = {"message": 50, "modal": 100, "home": 100}


@dataclass(frozen=True, slots=True)
class Text:
    """A text object; only plain_text where `plain`, only mrkdwn where `mrkdwn`."""

    limit: int
    plain: bool = False
    mrkdwn: bool = False


@dataclass(frozen=True, slots=True)
class Str:
    """A string of `least` to `limit` characters."""

    limit: int
    least: int = 1


@dataclass(frozen=True, slots=True)
class One:
    """A value out of a fixed set."""

    of: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Num:
    """A whole number in a range."""

    least: int = 0
    most: int = 10**12


@dataclass(frozen=True, slots=True)
class Obj:
    """An object of one of these types (names in SPECS)."""

    of: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Many:
    """A list of `least` to `most` things that each follow `of`."""

    of: Rule
    most: int
    least: int = 1


@dataclass(frozen=True, slots=True)
class Flag:
    """True or false."""


@dataclass(frozen=True, slots=True)
class Anything:
    """A value that is not looked into."""


Rule = Text | Str | One | Num | Obj | Many | Flag | Anything
Fields = dict[str, Rule]


@dataclass(frozen=True, slots=True)
class Spec:
    """What an object of one type may hold, what it must hold, and (for a block) where it may stand."""

    fields: Fields
    required: tuple[str, ...] = ()
    surfaces: tuple[Surface, ...] = ("message",)


EVERYWHERE: tuple[Surface, ...] = ("message", "modal", "home")
ANY = Anything()
ID = Str(255)
PLAIN = Text(10**6, plain=True)
FOCUS: Fields = {"action_id": ID, "focus_on_load": Flag(), "confirm": Obj(("confirm",))}
HINT: Fields = {"placeholder": Text(150, plain=True)}
OPTIONS: Fields = {"options": Many(Obj(("option",)), 100), "option_groups": Many(Obj(("option_group",)), 100)}
BOXES: Fields = {"options": Many(Obj(("mrkdwn_option",)), 10)}
MOST: Fields = {"max_selected_items": Num(1)}
IDS = Many(Str(255), 100)
TYPED: Fields = FOCUS | HINT | {"initial_value": Str(3000, 0), "dispatch_action_config": ANY}
TYPED = {name: rule for name, rule in TYPED.items() if name != "confirm"}
FACE: Fields = {"text": Text(75, plain=True), "value": Str(2000, 0), "accessibility_label": Str(75)}

# Objects that carry no "type" of their own, and elements. First fields, then what is required.
ELEMENTS: dict[str, Spec] = {
    "confirm": Spec(
        {
            "title": Text(100, plain=True),
            "text": Text(300),
            "confirm": Text(30, plain=True),
            "deny": Text(30, plain=True),
            "style": One(("primary", "danger")),
        },
        ("title", "text", "confirm", "deny"),
    ),
    "option": Spec(
        {"text": Text(75, plain=True), "value": Str(150), "description": Text(75, plain=True), "url": Str(3000)},
        ("text", "value"),
    ),
    "mrkdwn_option": Spec({"text": Text(75), "value": Str(150), "description": Text(75)}, ("text", "value")),
    "option_group": Spec({"label": Text(75, plain=True), "options": Many(Obj(("option",)), 100)}, ("label", "options")),
    "feedback_button": Spec(FACE, ("text", "value")),
    "button": Spec(
        FACE | {"action_id": ID, "url": Str(3000), "style": One(("primary", "danger")), "confirm": Obj(("confirm",))},
        ("text",),
    ),
    "workflow_button": Spec(
        {
            "text": Text(75, plain=True),
            "accessibility_label": Str(75),
            "action_id": ID,
            "workflow": ANY,
            "style": One(("primary", "danger")),
            "confirm": Obj(("confirm",)),
        },
        ("text", "workflow"),
    ),
    "overflow": Spec(
        {"action_id": ID, "options": Many(Obj(("option",)), 5), "confirm": Obj(("confirm",))}, ("options",)
    ),
    "static_select": Spec(FOCUS | HINT | OPTIONS | {"initial_option": Obj(("option",))}),
    "multi_static_select": Spec(FOCUS | HINT | OPTIONS | MOST | {"initial_options": Many(Obj(("option",)), 100)}),
    "external_select": Spec(FOCUS | HINT | {"min_query_length": Num(), "initial_option": Obj(("option",))}),
    "multi_external_select": Spec(
        FOCUS | HINT | MOST | {"min_query_length": Num(), "initial_options": Many(Obj(("option",)), 100)}
    ),
    "users_select": Spec(FOCUS | HINT | {"initial_user": ID}),
    "multi_users_select": Spec(FOCUS | HINT | MOST | {"initial_users": IDS}),
    "channels_select": Spec(FOCUS | HINT | {"initial_channel": ID, "response_url_enabled": Flag()}),
    "multi_channels_select": Spec(FOCUS | HINT | MOST | {"initial_channels": IDS}),
    "conversations_select": Spec(
        FOCUS
        | HINT
        | {
            "initial_conversation": ID,
            "default_to_current_conversation": Flag(),
            "response_url_enabled": Flag(),
            "filter": ANY,
        }
    ),
    "multi_conversations_select": Spec(
        FOCUS | HINT | MOST | {"initial_conversations": IDS, "default_to_current_conversation": Flag(), "filter": ANY}
    ),
    "checkboxes": Spec(FOCUS | BOXES | {"initial_options": Many(Obj(("mrkdwn_option",)), 10)}, ("options",)),
    "radio_buttons": Spec(FOCUS | BOXES | {"initial_option": Obj(("mrkdwn_option",))}, ("options",)),
    "datepicker": Spec(FOCUS | HINT | {"initial_date": Str(10, 10)}),
    "timepicker": Spec(FOCUS | HINT | {"initial_time": Str(5, 5), "timezone": Str(255)}),
    "datetimepicker": Spec(FOCUS | {"initial_date_time": Num(10**9, 10**10 - 1)}),
    "plain_text_input": Spec(
        TYPED | {"multiline": Flag(), "min_length": Num(0, 3000), "max_length": Num(1, 3000)},
    ),
    "email_text_input": Spec(TYPED),
    "url_text_input": Spec(TYPED),
    "number_input": Spec(
        TYPED | {"is_decimal_allowed": Flag(), "min_value": ANY, "max_value": ANY}, ("is_decimal_allowed",)
    ),
    "rich_text_input": Spec(TYPED | {"initial_value": ANY, "min_lines": Num(), "max_lines": Num()}),
    "file_input": Spec({"action_id": ID, "filetypes": ANY, "max_files": Num(1, 10)}),
    "image": Spec({"image_url": Str(3000), "slack_file": ANY, "alt_text": Str(2000)}, ("alt_text",)),
    "feedback_buttons": Spec(
        {
            "action_id": ID,
            "positive_button": Obj(("feedback_button",)),
            "negative_button": Obj(("feedback_button",)),
        },
        ("positive_button", "negative_button"),
    ),
    "icon_button": Spec(
        FACE | {"action_id": ID, "icon": One(("trash",)), "visible_to_user_ids": ANY, "confirm": Obj(("confirm",))},
        ("icon", "text"),
    ),
}
UNTYPED = frozenset({"confirm", "option", "mrkdwn_option", "option_group", "feedback_button"})
SELECTS = tuple(name for name in ELEMENTS if name.endswith("_select") and not name.startswith("multi_"))
MULTI_SELECTS = tuple(name for name in ELEMENTS if name.startswith("multi_"))
PICKERS = ("checkboxes", "radio_buttons", "datepicker", "timepicker")
WRITTEN = (
    "plain_text_input",
    "email_text_input",
    "url_text_input",
    "number_input",
    "rich_text_input",
    "file_input",
)
PRESSED = ("button", "workflow_button", "overflow")
CARD: Fields = {
    "title": Text(150, mrkdwn=True),
    "subtitle": Text(150, mrkdwn=True),
    "body": Text(200, mrkdwn=True),
    "icon": Obj(("image",)),
    "hero_image": Obj(("image",)),
    "actions": Many(Obj(("button",)), 3),
}

BLOCKS: dict[str, Spec] = {
    "section": Spec(
        {
            "text": Text(3000),
            "fields": Many(Text(2000), 10),
            "accessory": Obj((*PRESSED, *SELECTS, *MULTI_SELECTS, *PICKERS, "image")),
            "expand": Flag(),
        },
        surfaces=EVERYWHERE,
    ),
    "header": Spec({"text": Text(150, plain=True)}, ("text",), EVERYWHERE),
    "context": Spec({"elements": Many(Obj(("mrkdwn", "plain_text", "image")), 10)}, ("elements",), EVERYWHERE),
    "divider": Spec({}, surfaces=EVERYWHERE),
    "actions": Spec(
        {
            "elements": Many(
                Obj((*PRESSED, *SELECTS, *MULTI_SELECTS, *PICKERS, "datetimepicker", "rich_text_input")), 25
            )
        },
        ("elements",),
        EVERYWHERE,
    ),
    "input": Spec(
        {
            "label": Text(2000, plain=True),
            "hint": Text(2000, plain=True),
            "element": Obj((*WRITTEN, *SELECTS, *MULTI_SELECTS, *PICKERS, "datetimepicker")),
            "optional": Flag(),
            "dispatch_action": Flag(),
        },
        ("label", "element"),
        EVERYWHERE,
    ),
    "image": Spec(
        {"image_url": Str(3000), "slack_file": ANY, "alt_text": Str(2000), "title": Text(2000, plain=True)},
        ("alt_text",),
        EVERYWHERE,
    ),
    "video": Spec(
        {
            "alt_text": Str(2000),
            "title": Text(199, plain=True),
            "thumbnail_url": Str(3000),
            "video_url": Str(3000),
            "author_name": Str(49),
            "description": Text(200, plain=True),
            "provider_icon_url": Str(3000),
            "provider_name": Str(50),
            "title_url": Str(3000),
        },
        ("alt_text", "title", "thumbnail_url", "video_url"),
        EVERYWHERE,
    ),
    "rich_text": Spec({"elements": ANY}, ("elements",), EVERYWHERE),
    "markdown": Spec({"text": Str(MARKDOWN_LIMIT)}, ("text",)),
    "context_actions": Spec({"elements": Many(Obj(("feedback_buttons", "icon_button")), 5)}, ("elements",)),
    "table": Spec({"rows": Many(ANY, 100), "column_settings": Many(ANY, 20, 0)}, ("rows",)),
    "data_table": Spec(
        {
            "caption": Str(10_000),
            "rows": Many(ANY, 101, 2),
            "page_size": Num(1, 100),
            "row_header_column_index": Num(0, 19),
        },
        ("caption", "rows"),
    ),
    "alert": Spec(
        {"text": Text(200), "level": One(("default", "info", "warning", "error", "success"))}, ("text",), ("modal",)
    ),
    "card": Spec(CARD),
    "carousel": Spec({"elements": Many(Obj(("card",)), 10)}, ("elements",)),
    "container": Spec(
        {
            "title": Text(150, plain=True),
            "rich_text_title": ANY,
            "subtitle": Text(150),
            "icon": Obj(("image",)),
            "width": One(("narrow", "standard", "wide", "full")),
            "child_blocks": Many(ANY, 10),
            "is_collapsible": Flag(),
            "default_collapsed": Flag(),
            "has_header_divider": Flag(),
        },
        ("child_blocks",),
    ),
    "file": Spec({"external_id": ID, "source": One(("remote",))}, ("external_id", "source")),
    "plan": Spec({"plan_id": ANY, "title": ANY, "tasks": ANY}, ("title",)),
    "task_card": Spec(
        dict.fromkeys(("task_id", "title", "status", "details", "output", "sources"), ANY),
        ("task_id", "title", "status"),
    ),
    "data_visualization": Spec({"title": Str(50), "chart": ANY}, ("title", "chart")),
}

COMMON_VIEW: Fields = {"private_metadata": Str(3000, 0), "callback_id": Str(255, 0), "external_id": Str(255, 0)}
VIEWS: dict[str, Spec] = {
    "home": Spec(COMMON_VIEW | {"blocks": ANY}, ("blocks",)),
    "modal": Spec(
        COMMON_VIEW
        | {
            "blocks": ANY,
            "title": Text(24, plain=True),
            "submit": Text(24, plain=True),
            "close": Text(24, plain=True),
            "clear_on_close": Flag(),
            "notify_on_close": Flag(),
        },
        ("title", "blocks"),
    ),
}
