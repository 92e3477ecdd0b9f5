"""The Web API's modals and Home tabs: opened under a trigger, stacked, updated under a hash."""

from __future__ import annotations

import hashlib
import json
import secrets

from . import block_kit, forms, shapes
from .arguments import SlackError, decoded, required
from .block_kit import refusal
from .workspace import JSON, Trigger, View, Workspace

MAX_STACK = 3


def checked_view(workspace: Workspace, arguments: JSON, kind: str | None = None) -> JSON:
    """Return the view out of the arguments, or raise Slack's refusal of it."""
    view = decoded(arguments, "view", "invalid_arguments")
    refused = block_kit.check_view(view) if workspace.validate else []
    if refused or not isinstance(view, dict):
        raise refusal("invalid_arguments", *refused)
    if kind is not None and view["type"] != kind:
        raise refusal("invalid_arguments", f"[ERROR] must be {kind} [json-pointer:/view/type]")
    if len(json.dumps(view)) > 250_000:
        raise refusal("view_too_large")
    return view


def new_view(
    workspace: Workspace, user: str, body: JSON, below: View | None = None, conversation: str | None = None
) -> View:
    """Make a view for a person in `conversation` to see, standing on `below` where it was pushed."""
    view_id = workspace.new_id("V")
    view = View(view_id, user, {}, "", below.root_id if below else view_id, below.id if below else None)
    view.conversation = conversation or (below.conversation if below else None)
    set_body(workspace, view, body)
    return view


def set_body(workspace: Workspace, view: View, body: JSON) -> None:
    """Give a view this content and a new hash; what a person entered stays where ids stay the same."""
    view.body = body | {"blocks": shapes.with_ids(body["blocks"])}
    view.external_id = str(body.get("external_id", ""))
    forms.fill_current(view.blocks, view.entered, workspace.channels.get(view.conversation or ""))
    digest = hashlib.sha256(json.dumps(body, sort_keys=True).encode()).hexdigest()[:8]
    view.hash = f"{int(workspace.clock())}.{digest}{secrets.token_hex(2)}"
    workspace.changed()


def _take_trigger(workspace: Workspace, arguments: JSON) -> Trigger:
    wanted = arguments.get("trigger_id") or arguments.get("interactivity_pointer")
    trigger = workspace.triggers.get(str(wanted))
    if trigger is None:
        raise SlackError("invalid_trigger_id")
    if workspace.clock() > trigger.expires:
        raise SlackError("expired_trigger_id")
    if trigger.used:
        raise SlackError("exchanged_trigger_id")
    return trigger


def _unique_external_id(workspace: Workspace, body: JSON, but: View | None = None) -> None:
    external = body.get("external_id")
    shown = [view for stack in workspace.modals.values() for view in stack] + list(workspace.homes.values())
    if external and any(view.external_id == external and view is not but for view in shown):
        raise SlackError("duplicate_external_id")


def open_view(workspace: Workspace, arguments: JSON) -> JSON:
    """Open a modal."""
    body = checked_view(workspace, arguments, "modal")
    trigger = _take_trigger(workspace, arguments)
    _unique_external_id(workspace, body)
    trigger.used = True
    trigger.view = view = new_view(workspace, trigger.user, body, None, trigger.conversation)
    workspace.modals[trigger.user] = [view]
    return {"view": shapes.view_json(workspace, view)}


def push_view(workspace: Workspace, arguments: JSON) -> JSON:
    """Put a modal on top of the open one."""
    body = checked_view(workspace, arguments, "modal")
    trigger = _take_trigger(workspace, arguments)
    stack = workspace.modals.get(trigger.user) or []
    if not stack:
        raise SlackError("not_found")
    if len(stack) >= MAX_STACK:
        raise SlackError("push_limit_reached")
    _unique_external_id(workspace, body)
    trigger.used = True
    trigger.view = view = new_view(workspace, trigger.user, body, stack[-1], trigger.conversation)
    stack.append(view)
    return {"view": shapes.view_json(workspace, view)}


def update_view(workspace: Workspace, arguments: JSON) -> JSON:
    """Change an open modal or a Home tab."""
    body = checked_view(workspace, arguments)
    view_id, external_id = arguments.get("view_id"), arguments.get("external_id")
    if not view_id and not external_id:
        raise SlackError("invalid_arguments", "[ERROR] missing required field: view_id or external_id")
    shown = [view for stack in workspace.modals.values() for view in stack] + list(workspace.homes.values())
    found = [v for v in shown if v.id == view_id or (external_id and v.external_id == external_id)]
    if not found:
        raise SlackError("not_found")
    view = found[0]
    if body["type"] != view.type:
        raise refusal("invalid_arguments", f"[ERROR] must be {view.type} [json-pointer:/view/type]")
    if arguments.get("hash") and arguments["hash"] != view.hash:
        raise SlackError("hash_conflict")
    _unique_external_id(workspace, body, but=view)
    set_body(workspace, view, body)
    return {"view": shapes.view_json(workspace, view)}


def publish_view(workspace: Workspace, arguments: JSON) -> JSON:
    """Set a person's Home tab."""
    body = checked_view(workspace, arguments, "home")
    user = required(arguments, "user_id")
    if user not in workspace.members:
        raise SlackError("user_not_found")
    view = workspace.homes.get(user)
    if view is not None and arguments.get("hash") and arguments["hash"] != view.hash:
        raise SlackError("hash_conflict")
    if view is None:
        view = workspace.homes[user] = new_view(workspace, user, body)
    else:
        set_body(workspace, view, body)
    return {"view": shapes.view_json(workspace, view)}
