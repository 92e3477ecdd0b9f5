"""The bodies that Slack sends to an app: commands, events, interactions."""

from __future__ import annotations

from . import shapes
from .forms import state_values
from .workspace import JSON, Channel, Member, Message, ResponseUrl, Trigger, View, Workspace

VERIFICATION_TOKEN = "local-verification-token"  # noqa: S105 - obsolete at Slack, still in every payload


def _from_person(workspace: Workspace, user: Member) -> JSON:
    """Return what a shortcut holds, and every other interaction besides what `_common` adds."""
    enterprise = workspace.enterprise_id
    team = {"id": workspace.team_id, "domain": workspace.team_domain}
    return {
        "token": VERIFICATION_TOKEN,
        # An organisation-wide installation gets no team here: the person's team_id says where they are.
        "team": None if enterprise else team,
        "enterprise": {"id": enterprise, "name": workspace.team_name} if enterprise else None,
        "is_enterprise_install": enterprise is not None,
        "user": {"id": user.id, "username": user.handle, "team_id": user.home or workspace.team_id},
    }


def _common(workspace: Workspace, user: Member) -> JSON:
    body = _from_person(workspace, user)
    return body | {"api_app_id": workspace.app_id, "user": body["user"] | {"name": user.handle}}


def command(
    workspace: Workspace,
    user: Member,
    channel: Channel,
    text: str,
    trigger: Trigger,
    response_url: str,
    *,
    name: str,
) -> dict[str, str]:
    """Return the form of a slash command."""
    form = {
        "token": VERIFICATION_TOKEN,
        "team_id": workspace.team_id,
        "team_domain": workspace.team_domain,
        "channel_id": channel.id,
        "channel_name": channel.name,
        "user_id": user.id,
        "user_name": user.handle,
        "command": name,
        "text": text,
        "api_app_id": workspace.app_id,
        "is_enterprise_install": "true" if workspace.enterprise_id else "false",
        "response_url": response_url,
        "trigger_id": trigger.id,
    }
    if workspace.enterprise_id:
        form |= {"enterprise_id": workspace.enterprise_id, "enterprise_name": workspace.team_name}
    return form


def envelope(workspace: Workspace, event: JSON, event_id: str, team_id: str | None = None) -> JSON:
    """Wrap an event as the Events API does."""
    team = team_id or workspace.team_id
    return {
        "token": VERIFICATION_TOKEN,
        "team_id": team,
        "context_team_id": team,
        "context_enterprise_id": workspace.enterprise_id,
        "api_app_id": workspace.app_id,
        "event": event,
        "type": "event_callback",
        "event_id": event_id,
        "event_time": int(workspace.clock()),
        "authorizations": [
            {
                "enterprise_id": workspace.enterprise_id,
                "team_id": None if workspace.enterprise_id else team,
                "user_id": workspace.bot.id,
                "is_bot": True,
                "is_enterprise_install": workspace.enterprise_id is not None,
            }
        ],
        "is_ext_shared_channel": _is_ext_shared(workspace, event),
        "event_context": f"4-{event_id}",
        **({"enterprise_id": workspace.enterprise_id} if workspace.enterprise_id else {}),
    }


def _is_ext_shared(workspace: Workspace, event: JSON) -> bool:
    channel = event.get("channel")
    place = workspace.channels.get(channel) if isinstance(channel, str) else None
    return place is not None and place.ext_shared


def message_event(workspace: Workspace, message: Message, kind: str) -> JSON:
    """Return the event for a person's (or the bot's own) message: kind is message or app_mention."""
    body = shapes.message_json(workspace, message) | {"type": kind, "channel": message.channel}
    body["event_ts"] = message.edited_ts or message.ts
    if not message.blocks:
        text = {"type": "rich_text_section", "elements": [{"type": "text", "text": message.text}]}
        body["blocks"] = [{"type": "rich_text", "block_id": "rt", "elements": [text]}]
    if not message.from_bot:
        body["client_msg_id"] = f"client-{message.ts}"
    if kind == "message":
        body["channel_type"] = "im"
    return body


def changed_event(workspace: Workspace, message: Message, before: str) -> JSON:
    """Return the event for an edited direct message."""
    now = shapes.message_json(workspace, message)
    return {
        "type": "message",
        "subtype": "message_changed",
        "channel": message.channel,
        "channel_type": "im",
        "hidden": True,
        "ts": message.edited_ts,
        "event_ts": message.edited_ts,
        "message": now,
        "previous_message": {name: now[name] for name in now if name != "edited"} | {"text": before},
    }


def _where(workspace: Workspace, message: Message, response_url: ResponseUrl | None, address: str) -> JSON:
    channel = workspace.channels[message.channel]
    container: JSON = {
        "type": "message",
        "message_ts": message.ts,
        "channel_id": message.channel,
        "is_ephemeral": message.ephemeral_to is not None,
    }
    if message.thread_ts:
        container["thread_ts"] = message.thread_ts
    where: JSON = {"container": container, "channel": {"id": channel.id, "name": channel.name}}
    if response_url is not None:
        where["response_url"] = address
    if message.ephemeral_to is None:
        # Slack keeps no copy of an ephemeral message, so an interaction with one does not carry it.
        where["message"] = shapes.message_json(workspace, message)
    return where


def block_actions(
    workspace: Workspace,
    user: Member,
    surface: Message | View,
    action: JSON,
    trigger: Trigger,
    response_url: ResponseUrl | None,
    address: str,
    entered: dict[str, dict[str, JSON]],
) -> JSON:
    """Return the payload of a press or a choice in a message, a modal or a Home tab."""
    body = _common(workspace, user) | {"type": "block_actions", "trigger_id": trigger.id, "actions": [action]}
    if isinstance(surface, Message):
        body |= _where(workspace, surface, response_url, address)
        return body | {"state": {"values": state_values(surface.blocks, entered)}}
    view = shapes.view_json(workspace, surface)
    return body | {"container": {"type": "view", "view_id": surface.id}, "view": view}


def suggestion(
    workspace: Workspace, user: Member, surface: Message | View, block_id: str, action_id: str, typed: str
) -> JSON:
    """Return the payload that asks for the options of an external select."""
    body = _common(workspace, user) | {"type": "block_suggestion", "block_id": block_id, "action_id": action_id}
    body["value"] = typed
    if isinstance(surface, Message):
        return body | _where(workspace, surface, None, "")
    view = shapes.view_json(workspace, surface)
    return body | {"container": {"type": "view", "view_id": surface.id}, "view": view}


def view_submission(workspace: Workspace, user: Member, view: View, trigger: Trigger) -> JSON:
    """Return the payload of a submitted modal."""
    return _common(workspace, user) | {
        "type": "view_submission",
        "trigger_id": trigger.id,
        "view": shapes.view_json(workspace, view),
        "response_urls": [],
    }


def view_closed(workspace: Workspace, user: Member, view: View, cleared: bool) -> JSON:
    """Return the payload of a modal that was closed without submitting."""
    shown = shapes.view_json(workspace, view)
    return _common(workspace, user) | {"type": "view_closed", "view": shown, "is_cleared": cleared}


def shortcut(workspace: Workspace, user: Member, callback_id: str, trigger: Trigger) -> JSON:
    """Return the payload of a global shortcut: no channel, no response_url."""
    body = _from_person(workspace, user) | {"type": "shortcut", "callback_id": callback_id, "trigger_id": trigger.id}
    return body | {"action_ts": workspace.next_ts()}


def message_shortcut(
    workspace: Workspace, user: Member, callback_id: str, message: Message, trigger: Trigger, address: str
) -> JSON:
    """Return the payload of a shortcut on a message."""
    channel = workspace.channels[message.channel]
    body = _from_person(workspace, user)
    body["user"] |= {"name": user.handle}
    return body | {
        "type": "message_action",
        "callback_id": callback_id,
        "trigger_id": trigger.id,
        "action_ts": workspace.next_ts(),
        "message_ts": message.ts,
        "channel": {"id": channel.id, "name": channel.name},
        "response_url": address,
        "message": shapes.message_json(workspace, message),
    }


def home_opened(workspace: Workspace, user: Member, tab: str) -> JSON:
    """Return the event for a person who opens the app's Home or Messages tab."""
    event: JSON = {
        "type": "app_home_opened",
        "user": user.id,
        "channel": workspace.dm(user.id).id,
        "tab": tab,
        "event_ts": workspace.next_ts(),
    }
    view = workspace.homes.get(user.id)
    return event | ({"view": shapes.view_json(workspace, view)} if view is not None and tab == "home" else {})


def uninstalled() -> JSON:
    """Return the event for an app that was taken out of the workspace."""
    return {"type": "app_uninstalled"}


def tokens_revoked(workspace: Workspace) -> JSON:
    """Return the event for the bot's token, void from now on."""
    return {"type": "tokens_revoked", "tokens": {"oauth": [], "bot": [workspace.bot.id]}}


def user_changed(workspace: Workspace, member: Member) -> JSON:
    """Return the event for a profile or an account that changed."""
    user = shapes.user_json(workspace, member)
    return {
        "type": "user_change",
        "user": user | ({} if member.deleted else {"locale": "en-US"}),
        "cache_ts": int(workspace.clock()),
        "event_ts": workspace.next_ts(),
    }
