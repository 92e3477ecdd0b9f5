"""What Slack's client does by itself: objections before anything is sent, menus that begin somewhere, and searches."""

from __future__ import annotations

from typing import Any

import aiohttp
import pytest

from bot.local import GENERAL, Message, NotOffered, View
from bot.local.form_checks import client_errors
from bot.local.forms import state_values

from .conftest import ANN, BEN, JSON, Served, modal, option, text_input

EMAIL: JSON = {"type": "email_text_input"}
URL: JSON = {"type": "url_text_input"}
WHOLE: JSON = {"type": "number_input", "is_decimal_allowed": False, "min_value": "1", "max_value": "10"}
DECIMAL: JSON = {"type": "number_input", "is_decimal_allowed": True, "min_value": "-0.5"}


def field(block_id: str, element: JSON, **more: object) -> JSON:
    label = {"type": "plain_text", "text": "Label"}
    return {"type": "input", "block_id": block_id, "label": label, "element": {"action_id": "value", **element}, **more}


@pytest.mark.parametrize(
    ("element", "value", "words"),
    [
        (EMAIL, "ann@example.com", ""),
        (EMAIL, "ann", "email address"),
        (EMAIL, "ann@localhost", "email address"),
        (EMAIL, "ann archer@example.com", "email address"),
        (URL, "https://example.com/a?b#c", ""),
        (URL, "example.com", "valid URL"),
        (URL, "https://", "valid URL"),
        (URL, "http://[", "valid URL"),
        (WHOLE, "10", ""),
        (WHOLE, "ten", "valid number"),
        (WHOLE, "1e3", "valid number"),
        (WHOLE, "2.5", "whole number"),
        (WHOLE, "0", "1 or more"),
        (WHOLE, "11", "10 or less"),
        (DECIMAL, "-0.5", ""),
        (DECIMAL, "-0.51", "-0.5 or more"),
        ({"type": "number_input", "min_value": "none"}, "5", ""),
        ({"type": "plain_text_input", "max_length": 3}, "four", "3 characters or fewer"),
        ({"type": "plain_text_input", "min_length": 3}, "no", "at least 3 characters"),
        ({"type": "plain_text_input"}, "", "required"),
        ({"type": "multi_users_select", "max_selected_items": 1}, [ANN, BEN], "at most 1"),
    ],
)
def test_the_client_objects_before_it_sends(element: JSON, value: Any, words: str) -> None:
    key = "selected_users" if isinstance(value, list) else "value"
    state = {"at": {"value": {"type": element["type"], key: value}}}
    errors = client_errors([field("at", element)], state)
    assert words in errors.get("at", "") and bool(errors) == bool(words)


def test_what_is_optional_may_stay_empty_but_not_wrong() -> None:
    blocks = [field("at", EMAIL, optional=True)]
    assert client_errors(blocks, state_values(blocks, {})) == {}
    assert client_errors(blocks, {"at": {"value": {"type": "email_text_input", "value": "x"}}})


async def test_a_form_with_a_wrong_number_is_not_sent(served: Served) -> None:
    slack = served.slack
    trigger = slack.workspace.new_trigger(ANN)
    await served.client.views_open(trigger_id=trigger.id, view=modal(field("years", WHOLE)))
    outcome = await slack.submit(ANN, None, {"years": "11"})
    assert outcome.errors == {"years": "Please enter a number that is 10 or less."}
    assert slack.deliveries == []


PLACES: JSON = {"type": "conversations_select", "default_to_current_conversation": True}


async def opened(served: Served, *blocks: JSON) -> View:
    """Open a form by a command that is typed in #general."""

    async def form(ack: Any, body: Any, client: Any) -> None:
        await client.views_open(trigger_id=body["trigger_id"], view=modal(*blocks))
        await ack()

    served.app.command("/form")(form)
    view = (await served.slack.command(ANN, "/form", GENERAL)).view
    assert view is not None
    return view


def held(view: View) -> list[object]:
    values = state_values(view.blocks, view.entered)
    return [
        part for block in values.values() for state in block.values() for name, part in state.items() if name[:1] == "s"
    ]


async def test_a_menu_begins_with_the_conversation_that_the_person_is_in(served: Served) -> None:
    view = await opened(
        served,
        field("one", PLACES, optional=True),
        field("many", PLACES | {"type": "multi_conversations_select"}),
        field("private", PLACES | {"filter": {"include": ["private", "im"]}}),
        field("unasked", {"type": "conversations_select"}),
    )
    assert held(view) == [GENERAL, [GENERAL], None, None]
    await served.slack.enter(ANN, view, {"one": None})
    await served.client.views_update(view_id=view.id, view=modal(*view.blocks))
    assert held(view) == [None, [GENERAL], None, None]


async def test_a_pushed_form_begins_where_the_first_was_opened(served: Served) -> None:
    await opened(served, field("one", PLACES))
    answer = {"response_action": "push", "view": modal(field("again", PLACES))}

    async def push(ack: Any) -> None:
        await ack(**answer)

    served.app.view("form")(push)
    outcome = await served.slack.submit(ANN)
    assert outcome.view is not None and held(outcome.view) == [GENERAL]


class Searched:
    """A bot that offers what begins with the typed letters, and notes them."""

    def __init__(self, served: Served, *, groups: bool = False) -> None:
        self.typed: list[str] = []
        self.chosen: list[Any] = []
        self.groups = groups
        served.app.options("pick")(self.options)
        served.app.action("pick")(self.picked)

    async def options(self, ack: Any, payload: Any) -> None:
        self.typed.append(payload["value"])
        found = [option(name, f"id-{name}") for name in ("apple", "apricot") if name.startswith(payload["value"])]
        label = {"type": "plain_text", "text": "Fruit"}
        await ack(option_groups=[{"label": label, "options": found}]) if self.groups else await ack(options=found)

    async def picked(self, ack: Any, action: Any) -> None:
        one = action.get("selected_option")
        self.chosen.append([o["value"] for o in action["selected_options"]] if one is None else one["value"])
        await ack()


async def post(served: Served, **element: object) -> Message:
    row = {"type": "actions", "elements": [{"action_id": "pick", **element}]}
    answer = await served.client.chat_postMessage(channel=GENERAL, text="x", blocks=[row])
    found = served.slack.workspace.find(GENERAL, str(answer["ts"]))
    assert found is not None
    return found


@pytest.mark.parametrize("groups", [False, True])
async def test_what_was_offered_is_chosen_without_another_search(served: Served, groups: bool) -> None:
    bot = Searched(served, groups=groups)
    message = await post(served, type="external_select")
    offered = await served.slack.suggest(ANN, message, "pick", "ap")
    assert [o["value"] for o in offered] == ["id-apple", "id-apricot"]
    for value in ("id-apricot", "id-apple", "id-apricot"):
        await served.slack.press(ANN, message, "pick", selected=value)
    assert (bot.typed, bot.chosen) == (["ap"], ["id-apricot", "id-apple", "id-apricot"])
    with pytest.raises(NotOffered):
        await served.slack.press(BEN, message, "pick", selected="id-apple")
    assert bot.typed == ["ap", "id-apple"]


async def test_words_that_were_not_offered_are_searched_for_once(served: Served) -> None:
    bot = Searched(served)
    message = await post(served, type="external_select")
    for _ in range(2):
        await served.slack.press(ANN, message, "pick", selected="apple")
    assert bot.typed == ["apple"] and bot.chosen == ["id-apple"] * 2


async def test_what_a_menu_began_with_may_stay(served: Served) -> None:
    bot = Searched(served)
    message = await post(served, type="multi_external_select", initial_options=[option("Old", "id-old")])
    await served.slack.suggest(ANN, message, "pick", "apple")
    await served.slack.press(ANN, message, "pick", selected=["id-old", "id-apple"])
    assert (bot.typed, bot.chosen) == (["apple"], [["id-old", "id-apple"]])


async def test_a_search_keeps_its_groups(served: Served) -> None:
    Searched(served, groups=True)
    message = await post(served, type="external_select")
    answer = await served.slack.search(ANN, message, "pick", "apple")
    assert answer == {
        "option_groups": [{"label": {"type": "plain_text", "text": "Fruit"}, "options": [option("apple", "id-apple")]}]
    }


async def test_rich_text_that_nobody_wrote_is_not_there(served: Served) -> None:
    view = await opened(served, field("text", {"type": "rich_text_input"}), text_input("plain"))
    assert state_values(view.blocks, {})["text"]["value"] == {"type": "rich_text_input"}


async def test_the_page_is_told_the_groups_of_a_search(served: Served) -> None:
    bot = Searched(served, groups=True)
    message = await post(served, type="external_select")
    asked = {"user": ANN, "surface": {"channel": GENERAL, "ts": message.ts}, "action_id": "pick", "typed": "apple"}
    async with (
        aiohttp.ClientSession() as session,
        session.post(f"{served.slack.page_url}page/suggest", json=asked) as response,
    ):
        (group,) = (await response.json())["option_groups"]
    assert group["label"]["text"] == "Fruit" and group["options"] == [option("apple", "id-apple")]
    assert bot.typed == ["apple"]
