"""Whether a payload of Slack's holds what its readers take out of it: asked before anything reads it."""

from __future__ import annotations

from collections.abc import Mapping

from handlers.errors import PayloadError
from handlers.payloads import Payload, access_teams, as_id, command, interaction_actor

INTERACTIONS = ("block_actions", "view_", "shortcut", "message_action", "block_suggestion", "interactive_message")
"""How the types of clicks, forms and shortcuts begin."""
_TEXTS = {
    "user": ("name", "username"),
    "view": ("id", "type", "callback_id", "private_metadata", "app_installed_team_id"),
    "container": ("channel_id", "message_ts", "thread_ts"),
    "channel": ("id",),
    "message": ("ts", "thread_ts", "text"),
}
"""What readers take out of the objects of an interaction, where it is there."""


def malformed(body: Payload) -> str | None:
    """Say what a payload lacks that every one of its kind has; None where it can be dispatched."""
    try:
        if "command" in body:
            _check_command(body)
        elif str(body.get("type", "")).startswith(INTERACTIONS):
            _check_interaction(body)
        elif not body.get("ssl_check"):
            _needs(body, "type")
        _check_envelope(body)
    except PayloadError as error:
        return str(error)
    return None


def check_event(event: Payload) -> None:
    """Check what Bolt reads of an event before any listener, and what is read of a profile. Raises PayloadError."""
    _texts(event, "channel_id", "user_id", "ts", "thread_ts", "tab", within="event")
    _objects(event, "item", "message", "view", "assistant_thread", within="event")
    for name in ("channel", "user"):
        if not isinstance(event.get(name), str | Mapping | None):
            raise PayloadError(f"event.{name}: neither text nor an object")
    if event.get("type") == "app_home_opened":
        _needs(event, "user", within="event")
    if event.get("type") in ("team_access_granted", "team_access_revoked"):
        access_teams(event)
    if event.get("type") == "user_change":
        _objects(event, "user", within="event")
        user = event.get("user") or {}
        _needs(user, "id", within="event.user")
        _texts(user, "tz", "name", "real_name", "presence", within="event.user")
        _objects(user, "profile", within="event.user")
        says = ("status_text", "status_emoji", "display_name", "real_name", "title")
        _texts(user.get("profile") or {}, *says, within="event.user.profile")


def _check_envelope(body: Payload) -> None:
    """Check what Bolt reads of everything, to find the workspace and to say what it has no listener for."""
    _objects(body, "view")
    if body.get("authorizations") is not None:
        _list(body["authorizations"], "authorizations")
    for name in ("team", "enterprise"):
        if not isinstance(body.get(name), str | Mapping | None):
            raise PayloadError(f"{name}: neither text nor an object")


def _check_command(body: Payload) -> None:
    _needs(body, "command")
    _texts(body, "text", "channel_id", "trigger_id", "response_url")
    command(body)


def _check_interaction(body: Payload) -> None:
    _objects(body, "user", "team", "enterprise", "view", "container", "channel", "message")
    _texts(body, "trigger_id", "response_url", "callback_id")
    for name, texts in _TEXTS.items():
        _texts(body.get(name) or {}, *texts, within=name)
    interaction_actor(body)
    match body["type"]:
        case "block_actions":
            actions = _list(body.get("actions"), "actions")
            if not actions:
                raise PayloadError("actions: missing")
            for action in actions:
                _needs(action, "type", within="actions")
                _needs(action, "action_id", within="actions")
                _texts(action, "block_id", "value", within="actions")
                _objects(action, "selected_option", within="actions")
                _texts(action.get("selected_option") or {}, "value", within="actions.selected_option")
            view = body.get("view") or {}
            if view.get("type") == "modal" and view.get("state") is not None:
                # A button in a form comes with what was typed so far.
                _check_state(view["state"])
        case "view_submission":
            view = body.get("view") or {}
            _needs(view, "type", within="view")
            _needs(view, "callback_id", within="view")
            _check_state(view.get("state"))
        case "block_suggestion":
            _needs(body, "action_id")
            _texts(body, "value")
        case "shortcut" | "message_action":
            _needs(body, "callback_id")
            _needs(body, "trigger_id")


def _check_state(state: object) -> None:
    """Check what was entered: elements by action id by block id, each with options or a text."""
    where = "view.state.values"
    values = state.get("values") if isinstance(state, Mapping) else None
    # A form without fields has an empty list here.
    blocks = {} if values == [] else values
    if not isinstance(blocks, Mapping) or not all(isinstance(elements, Mapping) for elements in blocks.values()):
        raise PayloadError(f"{where}: missing or not an object")
    for element in (element for elements in blocks.values() for element in elements.values()):
        if not isinstance(element, Mapping):
            raise PayloadError(f"{where}: not an object")
        _texts(element, "value", "selected_user", within=where)
        if not isinstance(element.get("selected_users"), list | None):
            raise PayloadError(f"{where}.selected_users: not a list")
        for user in (*(element.get("selected_users") or ()), element.get("selected_user") or "U"):
            as_id(user)
        _objects(element, "selected_option", within=where)
        if element.get("selected_option"):
            _needs(element["selected_option"], "value", within=f"{where}.selected_option")
        for option in _list(element.get("selected_options") or [], f"{where}.selected_options"):
            _needs(option, "value", within=f"{where}.selected_options")


def _needs(holder: Payload, name: str, within: str = "") -> None:
    value = holder.get(name)
    if not isinstance(value, str) or not value:
        raise PayloadError(f"{_path(within, name)}: missing or not text")


def _texts(holder: Payload, *names: str, within: str = "") -> None:
    for name in names:
        if not isinstance(holder.get(name), str | None):
            raise PayloadError(f"{_path(within, name)}: not text")


def _objects(holder: Payload, *names: str, within: str = "") -> None:
    for name in names:
        if not isinstance(holder.get(name), Mapping | None):
            raise PayloadError(f"{_path(within, name)}: not an object")


def _list(value: object, name: str) -> list[Payload]:
    if not isinstance(value, list) or not all(isinstance(entry, Mapping) for entry in value):
        raise PayloadError(f"{name}: missing or not a list of objects")
    return value


def _path(within: str, name: str) -> str:
    return f"{within}.{name}" if within else name
