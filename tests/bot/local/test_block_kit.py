"""What Slack refuses is refused, with a pointer to the field."""

from __future__ import annotations

from typing import Any

import pytest

from bot.local import block_kit

from .conftest import button, modal, option, section, text_input


def plain(text: str) -> dict[str, str]:
    return {"type": "plain_text", "text": text}


def mrkdwn(text: str, **more: object) -> dict[str, object]:
    return {"type": "mrkdwn", "text": text, **more}


def actions(*elements: object, **more: object) -> dict[str, object]:
    return {"type": "actions", "elements": list(elements), **more}


def without(view: dict[str, Any], name: str) -> dict[str, Any]:
    return {key: value for key, value in view.items() if key != name}


def select(kind: str = "static_select", **more: object) -> dict[str, object]:
    return {"type": kind, "action_id": "pick", **more}


GOOD: list[list[dict[str, Any]]] = [
    [],
    [section("x" * 3000), {"type": "divider"}, {"type": "header", "text": plain("h" * 150)}],
    [{"type": "section", "fields": [mrkdwn("x" * 2000)] * 10}],
    [{"type": "context", "elements": [mrkdwn("c"), plain("p")] * 5}],
    [actions(*(button(f"a{n}", "b" * 75, "v" * 2000) for n in range(25)))],
    [actions(button("same", "A"), block_id="1"), actions(button("same", "B"), block_id="2")],
    [section("s", accessory=select(options=[option("A", "a")], initial_option=option("A", "a")))],
    [section("see &lt;!channel&gt; and someone@here.org")],
    [{"type": "section", "text": mrkdwn("mail @here", verbatim=True)}],
    [{"type": "section", "text": plain("@channel is only text here")}],
    [actions(button("a", "A", "<!channel>"))],
    [section("x", accessory={"type": "image", "image_url": "https://x.example/i.png", "alt_text": "i"})],
    [{"type": "markdown", "text": "# hi"}],
    [{"type": "table", "rows": [[{"type": "raw_text", "text": "a"}]]}],
    [{"type": "container", "title": plain("t"), "child_blocks": [section("inside")]}],
    [
        {
            "type": "context_actions",
            "elements": [
                {
                    "type": "feedback_buttons",
                    "action_id": "f",
                    "positive_button": {"text": plain("Good"), "value": "1"},
                    "negative_button": {"text": plain("Bad"), "value": "0"},
                }
            ],
        }
    ],
]

BAD: list[tuple[list[Any], str, str]] = [
    ([section("x" * 3001)], "must be less than 3001 characters", "/blocks/0/text/text"),
    ([section("")], "must be more than 0 characters", "/blocks/0/text/text"),
    ([section(" \n")], "must be more than 0 characters", "/blocks/0/text/text"),
    ([{"type": "section"}], "missing required field: text or fields", "/blocks/0"),
    ([{"type": "section", "fields": [mrkdwn("x" * 2001)]}], "less than 2001", "/blocks/0/fields/0/text"),
    ([{"type": "section", "fields": [mrkdwn("x")] * 11}], "no more than 10 items", "/blocks/0/fields"),
    ([{"type": "section", "text": "bare"}], "must be a text object", "/blocks/0/text"),
    ([{"type": "section", "text": {"type": "markdown", "text": "x"}}], "unsupported type", "/blocks/0/text/type"),
    ([section("x", colour="red")], "invalid additional property: colour", "/blocks/0"),
    ([{"type": "header", "text": plain("h" * 151)}], "less than 151", "/blocks/0/text/text"),
    ([{"type": "header", "text": mrkdwn("h")}], "must be a plain_text object", "/blocks/0/text/type"),
    ([{"type": "header"}], "missing required field: text", "/blocks/0"),
    ([{"type": "context", "elements": []}], "no fewer than 1 items", "/blocks/0/elements"),
    ([{"type": "context", "elements": [mrkdwn("x")] * 11}], "no more than 10", "/blocks/0/elements"),
    ([{"type": "context", "elements": [button("a", "A")]}], "unsupported type", "/blocks/0/elements/0/type"),
    ([actions()], "no fewer than 1 items", "/blocks/0/elements"),
    ([actions(*(button(f"a{n}", "A") for n in range(26)))], "no more than 25", "/blocks/0/elements"),
    ([actions(button("a", "b" * 76))], "less than 76", "/blocks/0/elements/0/text/text"),
    ([actions(button("a", "b", "v" * 2001))], "less than 2001", "/blocks/0/elements/0/value"),
    ([actions(button("x" * 256, "b"))], "less than 256", "/blocks/0/elements/0/action_id"),
    ([actions(button("a", "A"), button("a", "B"))], "already exists", "/blocks/0/elements/1/action_id"),
    ([actions({**button("a", "A"), "style": "blue"})], "must be one of: primary, danger", "/elements/0/style"),
    ([actions({**button("a", "A"), "text": mrkdwn("A")})], "plain_text object", "/elements/0/text/type"),
    ([actions({"type": "plain_text_input", "action_id": "a"})], "unsupported type", "/elements/0/type"),
    ([section("a", block_id="x"), section("b", block_id="x")], "already exists", "/blocks/1/block_id"),
    ([section("a", block_id="x" * 256)], "less than 256", "/blocks/0/block_id"),
    ([{"type": "divider"}] * 51, "no more than 50 items", "/blocks"),
    ([{"type": "sparkles"}], "unsupported type: sparkles", "/blocks/0/type"),
    ([{"text": plain("x")}], "missing required field: type", "/blocks/0"),
    ([None], "missing required field: type", "/blocks/0"),
    ([{"type": "alert", "text": mrkdwn("x")}], "unsupported type: alert", "/blocks/0/type"),
    ([section("s", accessory=select())], "either options or option_groups", "/blocks/0/accessory"),
    (
        [section("s", accessory=select(options=[option(str(n), str(n)) for n in range(101)]))],
        "no more than 100",
        "/blocks/0/accessory/options",
    ),
    (
        [section("s", accessory=select(options=[option("t" * 76, "v")]))],
        "less than 76",
        "/blocks/0/accessory/options/0/text/text",
    ),
    (
        [section("s", accessory=select(options=[option("t", "v" * 151)]))],
        "less than 151",
        "/blocks/0/accessory/options/0/value",
    ),
    (
        [section("s", accessory=select(options=[option("A", "a"), option("B", "a")]))],
        "option value a already exists",
        "/blocks/0/accessory/options",
    ),
    (
        [section("s", accessory=select(options=[option("A", "a")], initial_option=option("C", "c")))],
        "must exactly match one of the options",
        "/blocks/0/accessory/initial_option",
    ),
    (
        [section("s", accessory=select("overflow", options=[option(str(n), str(n)) for n in range(6)]))],
        "no more than 5",
        "/blocks/0/accessory/options",
    ),
    ([section("hey <!channel>")], "must be escaped: <!channel>", "/blocks/0/text/text"),
    ([section("hey <!here|here>")], "must be escaped", "/blocks/0/text/text"),
    ([section("hey @everyone")], "must be escaped: @everyone", "/blocks/0/text/text"),
    ([{"type": "markdown", "text": "<!everyone>"}], "must be escaped", "/blocks/0/text"),
    ([{"type": "markdown", "text": "x" * 7000}] * 2, "less than 12001 characters together", "/blocks"),
    (
        [{"type": "rich_text", "elements": [{"type": "rich_text_section", "elements": [{"type": "broadcast"}]}]}],
        "must not notify everybody",
        "/blocks/0/elements/0/elements/0",
    ),
    ([{"type": "image", "image_url": "https://x.example/i.png"}], "missing required field: alt_text", "/blocks/0"),
    ([{"type": "image", "alt_text": "i"}], "missing required field: image_url", "/blocks/0"),
    ([{"type": "table", "rows": [[{}] * 21]}], "1 to 20 cells", "/blocks/0/rows/0"),
    (
        [{"type": "container", "child_blocks": [section("")]}],
        "more than 0 characters",
        "/blocks/0/child_blocks/0/text/text",
    ),
]

BAD_VIEWS: list[tuple[Any, str, str]] = [
    ({"type": "window"}, "must be a modal or home view", "/view/type"),
    (None, "must be a modal or home view", "/view/type"),
    (modal(section("x"), title=plain("t" * 25)), "less than 25", "/view/title/text"),
    (modal(section("x"), title=mrkdwn("t")), "plain_text object", "/view/title/type"),
    (modal(section("x"), private_metadata="m" * 3001), "less than 3001", "/view/private_metadata"),
    (modal(section("x"), callback_id="m" * 256), "less than 256", "/view/callback_id"),
    (modal(*[{"type": "divider"}] * 101), "no more than 100 items", "/view/blocks"),
    (modal({"type": "markdown", "text": "x"}), "unsupported type: markdown", "/view/blocks/0/type"),
    (without(modal(text_input("a")), "submit"), "missing required field: submit", "/view"),
    (modal(text_input("a"), text_input("a")), "already exists", "/view/blocks/1/block_id"),
    (modal(text_input("a", placeholder=plain("p" * 151))), "less than 151", "/view/blocks/0/element/placeholder/text"),
    ({"type": "home", "blocks": [], "title": plain("x")}, "invalid additional property: title", "/view"),
    ({"type": "home"}, "missing required field: blocks", "/view"),
]


@pytest.mark.parametrize("blocks", GOOD)
def test_what_slack_takes_is_taken(blocks: list[Any]) -> None:
    assert block_kit.check_blocks(blocks) == []


@pytest.mark.parametrize(("blocks", "words", "pointer"), BAD)
def test_what_slack_refuses_is_refused(blocks: list[Any], words: str, pointer: str) -> None:
    refused = block_kit.check_blocks(blocks)
    assert any(words in line and line.endswith(f"{pointer}]") for line in refused), refused
    assert all(line.startswith("[ERROR] ") for line in refused)


@pytest.mark.parametrize(("view", "words", "pointer"), BAD_VIEWS)
def test_what_slack_refuses_in_views_is_refused(view: Any, words: str, pointer: str) -> None:
    refused = block_kit.check_view(view)
    assert any(words in line and line.endswith(f"[json-pointer:{pointer}]") for line in refused), refused


def test_forms_and_home_tabs_are_taken() -> None:
    level = {"type": "input", "label": plain("L"), "element": select(options=[option("A", "a")])}
    assert block_kit.check_view(modal(text_input("a", max_length=200), level)) == []
    assert block_kit.check_view({"type": "home", "blocks": [section("x")] * 100}) == []


def test_half_a_character_is_refused() -> None:
    assert block_kit.check_blocks([section("\ud83d")]) == ["[ERROR] must be text in Unicode [json-pointer:/blocks/0]"]


def test_more_than_a_list_of_blocks_is_refused() -> None:
    assert block_kit.check_blocks("[]") == ["[ERROR] must be an array [json-pointer:/blocks]"]


def test_options_of_external_selects_are_checked() -> None:
    assert block_kit.check_options({"options": [option("A", "a")]}) == []
    assert block_kit.check_options({"options": [option("A" * 76, "a")]})
    assert block_kit.check_options({"options": [option("A", "a"), option("B", "a")]})
