"""Limits and rules that Slack publishes and its schema lacks, written as pieces of schema that are laid over it.

They are merged as RFC 7396 says: objects into objects, `None` takes away, anything else replaces.
"""

from __future__ import annotations

from .workspace import JSON

WRITTEN: JSON = {"minLength": 1, "pattern": r"\S"}
"""Not empty, and not blanks alone."""
WHOLE: JSON = {"type": "integer", "minimum": 1}
AT_LEAST_ONE: JSON = {"minItems": 1}


def ref(name: str) -> JSON:
    """Return a reference to a definition."""
    return {"$ref": f"#/definitions/{name}"}


def _plain(limit: int) -> JSON:
    return {"allOf": [ref("PlainTextElement"), {"properties": {"text": {"maxLength": limit}}}]}


def _any_of(*names: str) -> JSON:
    return {"anyOf": [{"required": [name]} for name in names]}


OPTION: JSON = {"required": ["text", "value"], "properties": {"value": WRITTEN}}
GROUPS: JSON = {
    "minItems": 1,
    "items": {"properties": {"label": _plain(75), "options": {"minItems": 1, "maxItems": 100}}},
}
SELECT: JSON = {
    "properties": {"options": AT_LEAST_ONE, "option_groups": GROUPS},
    "anyOf": None,
    "oneOf": [{"required": ["options"]}, {"required": ["option_groups"]}],
}
CHOICES: JSON = {"properties": {"options": AT_LEAST_ONE}}
CONFIRM: JSON = {"required": ["title", "text", "confirm", "deny"]}
TYPED: JSON = {"properties": {"initial_value": {"maxLength": 3000}}}
# The blocks themselves are looked at one by one, as those of a message are.
VIEW: JSON = {"properties": {"blocks": {"items": None, "maxItems": None}}}

FIELDS: dict[str, JSON] = {
    **dict.fromkeys(("action_id", "block_id", "alt_text", "accessibility_label"), WRITTEN),
    **dict.fromkeys(("image_url", "url", "thumbnail_url", "video_url"), WRITTEN),
    "max_selected_items": WHOLE,
    "min_query_length": {"type": "integer", "minimum": 0},
    "min_lines": WHOLE | {"maximum": 100},
    "max_lines": WHOLE | {"maximum": 100},
    "initial_date": {"pattern": r"^\d{4}-\d\d-\d\d$"},
    "initial_time": {"pattern": r"^\d\d:\d\d$"},
    "initial_date_time": {"type": "integer", "minimum": 10**9, "maximum": 10**10 - 1},
}
"""What holds for every field of this name."""

DEFINITIONS: dict[str, JSON] = {
    "PlainTextElement": {"properties": {"text": WRITTEN}},
    "MrkdwnElement": {"properties": {"text": WRITTEN}},
    "MarkdownBlock": {"properties": {"text": WRITTEN}},
    "PlainTextOption": OPTION,
    "MrkdwnOption": OPTION,
    "Option": {
        "anyOf": None,
        "if": {"properties": {"text": {"properties": {"type": {"const": "mrkdwn"}}}}},
        "then": ref("MrkdwnOption"),
        "else": ref("PlainTextOption"),
    },
    "ConfirmationDialog": CONFIRM,
    "StaticSelect": SELECT,
    "MultiStaticSelect": SELECT,
    "Overflow": CHOICES,
    "Checkboxes": CHOICES,
    "RadioButtons": CHOICES,
    "PlainTextInput": {
        "properties": {
            "initial_value": {"maxLength": 3000},
            "min_length": {"type": "integer", "minimum": 0, "maximum": 3000},
            "max_length": WHOLE | {"maximum": 3000},
        }
    },
    "EmailInput": TYPED,
    "URLInput": TYPED,
    "NumberInput": TYPED,
    "FileInput": {"properties": {"max_files": WHOLE | {"maximum": 10}}},
    "IconButton": {"properties": {"icon": {"enum": ["trash"]}, "text": _plain(75)}},
    "ContextActionsBlock": {"properties": {"elements": AT_LEAST_ONE}},
    "CardBlock": _any_of("title", "body", "hero_image", "actions"),
    "ContainerBlock": _any_of("title", "rich_text_title"),
    "VideoBlock": {
        "properties": {
            "title": _plain(199),
            "author_name": {"maxLength": 49},
            "description": _plain(200),
            "title_url": {"maxLength": 3000},
            "provider_icon_url": {"maxLength": 3000},
        }
    },
    "FileBlock": {"properties": {"external_id": WRITTEN | {"maxLength": 255}, "source": {"enum": ["remote"]}}},
    "TableBlock": {"properties": {"rows": AT_LEAST_ONE}},
    "DataTableBlock": {
        "properties": {
            "caption": WRITTEN,
            # A header and 100 rows.
            "rows": {"maxItems": 101},
            "page_size": WHOLE | {"maximum": 100},
            "row_header_column_index": {"type": "integer", "minimum": 0, "maximum": 19},
        }
    },
    "DataVisualizationBlock": {
        "type": "object",
        "additionalProperties": False,
        "required": ["type", "title", "chart"],
        "properties": {
            "type": {"const": "data_visualization"},
            "block_id": {"type": "string", "maxLength": 255},
            "title": {"type": "string", "maxLength": 50, **WRITTEN},
            "chart": {"type": "object"},
        },
    },
    "ModalView": VIEW,
    "HomeView": VIEW,
    # What the bot answers when it is asked for the options of an external select; no options is an answer, too.
    "OptionsAnswer": {
        "type": "object",
        "additionalProperties": False,
        "properties": {
            "options": {"type": "array", "items": ref("PlainTextOption"), "maxItems": 100},
            "option_groups": {
                "type": "array",
                "maxItems": 100,
                "items": {
                    "type": "object",
                    "additionalProperties": False,
                    "required": ["label", "options"],
                    "properties": {
                        "label": _plain(75),
                        "options": {"type": "array", "items": ref("PlainTextOption"), "maxItems": 100},
                    },
                },
            },
        },
    },
}
"""What holds for a definition of the schema; those that it lacks are whole."""
