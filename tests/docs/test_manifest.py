"""The manifests ask Slack for what the code uses, no more and no less."""

from __future__ import annotations

import ast
import inspect
import json
import re
from typing import Any, cast

import pytest
from jsonschema import Draft7Validator
from slack_sdk.web.async_client import AsyncWebClient

from handlers import EVENTS, ids
from tests.docs.pages import ROOT, code, read, rows, section
from tests.routing import listeners, named

CONNECTING = ROOT / "docs" / "connecting-slack.md"
SCOPES_OF_METHODS: dict[str, set[str]] = {
    # Of oauth.v2.access alone, which takes no token: see test_no_call_goes_past_the_names_of_methods.
    "api_call": set(),
    "api_test": set(),
    # connections:write, but of the app-level token, which no manifest makes.
    "apps_connections_open": set(),
    "auth_test": set(),
    "chat_postEphemeral": {"chat:write"},
    "chat_postMessage": {"chat:write"},
    "chat_update": {"chat:write"},
    "dnd_info": {"dnd:read"},
    "users_getPresence": {"users:read"},
    "users_info": {"users:read"},
    "views_open": set(),
    "views_publish": set(),
    "views_push": set(),
    "views_update": set(),
}
"""What each Web API method needs, as its page at docs.slack.dev/reference/methods says."""
SCOPES_OF_EVENTS: dict[str, set[str]] = {
    "app_home_opened": set(),
    "app_mention": {"app_mentions:read"},
    "app_uninstalled": set(),
    "message.im": {"im:history"},
    "team_access_granted": set(),
    "team_access_revoked": set(),
    "tokens_revoked": set(),
    "user_change": {"users:read"},
}
"""What each event needs, as its page at docs.slack.dev/reference/events says."""


def manifest_of(way: str) -> dict[str, Any]:
    return cast("dict[str, Any]", json.loads(read(ROOT / f"manifest.{way}.json")))


@pytest.fixture(scope="module", params=["http", "socket"])
def manifest(request: pytest.FixtureRequest) -> dict[str, Any]:
    return manifest_of(request.param)


def methods_called() -> set[str]:
    """The names of Web API methods in the code that talks to Slack; bot/local only plays Slack."""
    sources = [*(ROOT / "handlers").rglob("*.py"), *(ROOT / "bot").glob("*.py")]
    names = {
        node.attr
        for source in sources
        for node in ast.walk(ast.parse(read(source)))
        if isinstance(node, ast.Attribute) and re.fullmatch(r"[a-z]+_[a-zA-Z_]+", node.attr)
    }
    return {name for name in names if inspect.iscoroutinefunction(getattr(AsyncWebClient, name, None))}


def test_it_fits_the_schema_of_slack(manifest: dict[str, Any]) -> None:
    schema = json.loads(read(ROOT / "tests" / "schemas" / "manifest.schema.2.0.0.json"))
    assert [error.message for error in Draft7Validator(schema).iter_errors(manifest)] == []


def test_every_event_has_a_listener_and_every_listener_its_event(manifest: dict[str, Any]) -> None:
    subscribed = manifest["settings"]["event_subscriptions"]["bot_events"]
    # Slack names the subscription by where the message stands, the event itself is "message".
    names = sorted("message" if name == "message.im" else name for name in subscribed)
    assert names == sorted(EVENTS)
    assert names == sorted(named("event"))


def test_commands_are_those_of_the_code(manifest: dict[str, Any]) -> None:
    commands = manifest["features"]["slash_commands"]
    assert [command["command"] for command in commands] == named("command")
    # Without it Slack sends mentions as plain names, and the bot could not tell them from words.
    assert all(command["should_escape"] for command in commands)


def test_shortcuts_are_those_of_the_code(manifest: dict[str, Any]) -> None:
    asked = {(shortcut["type"], shortcut["callback_id"]) for shortcut in manifest["features"]["shortcuts"]}
    kinds = {"global_shortcut": "global", "message_shortcut": "message"}
    assert asked == {(kinds[kind], what) for kind, what in listeners() if kind in kinds}
    assert {what for _, what in asked} == {ids.SHORTCUT_DECLARE, ids.SHORTCUT_FIND}


def test_scopes_are_those_that_calls_and_events_need(manifest: dict[str, Any]) -> None:
    called = methods_called()
    assert {"auth_test", "chat_postMessage", "views_open"} <= called
    needed = {"commands"}
    for method in called:
        needed |= SCOPES_OF_METHODS[method]
    for event in manifest["settings"]["event_subscriptions"]["bot_events"]:
        needed |= SCOPES_OF_EVENTS[event]
    scopes = manifest["oauth_config"]["scopes"]
    assert sorted([*scopes["bot"], *scopes["bot_optional"]]) == sorted(needed)


def test_what_the_bot_cannot_do_without_is_not_optional(manifest: dict[str, Any]) -> None:
    assert manifest["oauth_config"]["scopes"]["bot_optional"] == ["dnd:read"]


def test_no_call_goes_past_the_names_of_methods() -> None:
    """Or it could not be seen which scopes the code needs."""
    sources = [*(ROOT / "handlers").rglob("*.py"), *(ROOT / "bot").glob("*.py")]
    calls = [found for source in sources for found in re.findall(r"api_call\(\s*([^,)]*)", read(source))]
    assert calls == ['"oauth.v2.access"']


@pytest.mark.parametrize("kind", ["scope", "event"])
def test_the_page_gives_a_reason_for_all_that_is_asked_for(manifest: dict[str, Any], kind: str) -> None:
    scopes = manifest["oauth_config"]["scopes"]
    asked = {
        "scope": [*scopes["bot"], *scopes["bot_optional"]],
        "event": manifest["settings"]["event_subscriptions"]["bot_events"],
    }
    tables = re.split(r"^\| (\w+) \|.*$", section(CONNECTING, "2. The app"), flags=re.MULTILINE)
    reasons = {code(row[0])[0]: row[1] for row in rows(tables[tables.index(kind) + 1])}
    assert sorted(reasons) == sorted(asked[kind])
    assert all(reasons.values())
    assert kind == "event" or [name for name, why in reasons.items() if why.startswith("optional")] == ["dnd:read"]


def test_every_address_leads_to_the_one_route_of_the_bot() -> None:
    manifest = manifest_of("http")
    settings = manifest["settings"]
    addresses = {
        *(command["url"] for command in manifest["features"]["slash_commands"]),
        settings["event_subscriptions"]["request_url"],
        settings["interactivity"]["request_url"],
        settings["interactivity"]["message_menu_options_url"],
    }
    assert len(addresses) == 1
    assert addresses.pop().endswith("/slack/events")


def test_the_manifests_differ_in_how_slack_reaches_the_bot_alone() -> None:
    http, socket = manifest_of("http"), manifest_of("socket")
    assert (http["settings"]["socket_mode_enabled"], socket["settings"]["socket_mode_enabled"]) == (False, True)
    assert "https://" not in json.dumps(socket)
    for command in http["features"]["slash_commands"]:
        del command["url"]
    del http["oauth_config"]["redirect_urls"]
    del http["settings"]["event_subscriptions"]["request_url"]
    del http["settings"]["interactivity"]["request_url"]
    del http["settings"]["interactivity"]["message_menu_options_url"]
    http["settings"]["socket_mode_enabled"] = True
    assert socket == http


def test_home_and_direct_messages_are_on(manifest: dict[str, Any]) -> None:
    home = manifest["features"]["app_home"]
    assert home["home_tab_enabled"]
    assert home["messages_tab_enabled"] and not home["messages_tab_read_only_enabled"]
