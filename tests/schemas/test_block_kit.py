"""The checker sees what Slack would refuse, and names the field."""

from __future__ import annotations

from typing import Any

import pytest

from .block_kit import problems, view_problems

JSON = dict[str, Any]


def plain(text: str) -> JSON:
    return {"type": "plain_text", "text": text}


def section(text: str) -> JSON:
    return {"type": "section", "text": {"type": "mrkdwn", "text": text, "verbatim": True}}


def button(**more: object) -> JSON:
    return {"type": "actions", "elements": [{"type": "button", "text": plain("Go"), "action_id": "go", **more}]}


@pytest.mark.parametrize(
    ("blocks", "field"),
    [
        ([section("x" * 3001)], "/0/text/text"),
        ([section("")], "/0/text/text"),
        ([{"type": "header", "text": plain("x" * 151)}], "/0/text/text"),
        ([{"type": "header", "text": {"type": "mrkdwn", "text": "x"}}], "/0/text"),
        ([{"type": "strange"}], "/0/type"),
        ([{"type": "section"}], "/0"),
        ([button(value="x" * 2001)], "/0/elements/0/value"),
        ([button(colour="red")], "/0/elements/0"),
        ([{"type": "actions", "elements": []}], "/0/elements"),
        ([{"type": "actions", "elements": [{"type": "image"}]}], "/0/elements/0/type"),
        ([{"type": "context", "elements": [plain("x")] * 11}], "/0/elements"),
        ([section("x")] * 51, "/"),
    ],
)
def test_a_mistake_in_a_message_is_named(blocks: list[JSON], field: str) -> None:
    found = problems(blocks, "Blocks")
    assert found
    assert all(line.startswith(field) for line in found), found


def test_a_mistake_in_a_view_is_named() -> None:
    modal = {"type": "modal", "title": plain("x" * 25), "blocks": [section("x" * 3001)]}
    assert [line.split(":")[0] for line in view_problems(modal)] == ["/blocks/0/text/text", "/title/text"]
    assert view_problems({"type": "home", "blocks": [{"type": "strange"}]})


def test_what_slack_takes_passes() -> None:
    option = {"text": plain("One"), "value": "1"}
    menu = {"type": "static_select", "placeholder": plain("Pick"), "action_id": "pick", "options": [option]}
    blocks = [
        {"type": "header", "text": plain("Title")},
        section("Text"),
        {"type": "section", "fields": [{"type": "mrkdwn", "text": "A"}, plain("B")]},
        button(value="x", style="primary", accessibility_label="Go there"),
        {"type": "actions", "elements": [menu]},
        {"type": "context", "elements": [{"type": "mrkdwn", "text": "small"}]},
        {"type": "divider"},
    ]
    assert problems(blocks, "Blocks") == []
    assert view_problems({"type": "modal", "title": plain("T"), "blocks": blocks}) == []
