"""The Web API methods that the bot uses, each a function from arguments to Slack's answer."""

from __future__ import annotations

from . import block_kit, shapes, views
from .arguments import Method, SlackError, decoded, required
from .block_kit import refusal
from .block_kit_rules import MESSAGE_TEXT_LIMIT
from .workspace import JSON, Channel, Message, Workspace


def _channel(workspace: Workspace, arguments: JSON) -> Channel:
    """Return the conversation that is written to; a member's id means the direct messages with them."""
    wanted = required(arguments, "channel")
    member = workspace.members.get(wanted)
    if member is not None:
        if member.deleted:
            raise SlackError("user_disabled")
        return workspace.dm(wanted)
    channel = workspace.channels.get(wanted) or workspace.channels.get(wanted.lstrip("#"))
    if channel is None:
        raise SlackError("channel_not_found")
    if not channel.bot_member:
        raise SlackError("channel_not_found" if channel.private else "not_in_channel")
    if channel.archived:
        raise SlackError("is_archived")
    return channel


def content(workspace: Workspace, arguments: JSON) -> tuple[str, list[JSON]]:
    """Return a message's text and blocks, or raise what Slack would answer to them."""
    text = arguments.get("text") or ""
    if not isinstance(text, str):
        raise refusal("invalid_arguments", "[ERROR] must be a string [json-pointer:/text]")
    blocks = decoded(arguments, "blocks", "invalid_blocks_format")
    markdown = arguments.get("markdown_text")
    if markdown:
        if text or blocks:
            raise refusal("markdown_text_conflict")
        text, blocks = str(markdown), [{"type": "markdown", "text": str(markdown)}]
    if blocks is not None and not isinstance(blocks, list):
        raise refusal("invalid_blocks_format")
    if not text.strip() and not blocks and not arguments.get("attachments"):
        raise refusal("no_text")
    if len(text) > MESSAGE_TEXT_LIMIT:
        raise refusal("msg_too_long", "[ERROR] must be less than 40001 characters [json-pointer:/text]")
    if workspace.validate:
        if refused := block_kit.check_text(text):
            raise refusal("invalid_arguments", *refused)
        if refused := block_kit.check_blocks(blocks or []):
            raise refusal("invalid_blocks", *refused)
    return text, shapes.with_ids(blocks or [])


def new_message(workspace: Workspace, channel: str, arguments: JSON, ephemeral_to: str | None = None) -> Message:
    """Check a message of the bot and post it."""
    text, blocks = content(workspace, arguments)
    metadata = decoded(arguments, "metadata", "invalid_metadata_format")
    message = Message(
        channel=channel,
        ts=workspace.next_ts(),
        user=workspace.bot.id,
        text=text,
        blocks=blocks,
        thread_ts=arguments.get("thread_ts") or None,
        ephemeral_to=ephemeral_to,
        from_bot=True,
        metadata=metadata if isinstance(metadata, dict) else None,
        arguments=arguments,
    )
    return workspace.post(message)


def rewrite(workspace: Workspace, message: Message, arguments: JSON) -> None:
    """Replace a message's content with what the bot sends now."""
    message.text, message.blocks = content(workspace, arguments)
    message.edited_ts = workspace.next_ts()
    message.arguments = arguments
    workspace.changed(message)


def _auth_test(workspace: Workspace, arguments: JSON) -> JSON:
    return {
        "url": f"https://{workspace.team_domain}.slack.com/",
        "team": workspace.team_name,
        "user": workspace.bot.name,
        "team_id": workspace.team_id,
        "user_id": workspace.bot.id,
        "bot_id": workspace.bot_id,
        "is_enterprise_install": workspace.enterprise_id is not None,
        **({"enterprise_id": workspace.enterprise_id} if workspace.enterprise_id else {}),
    }


def _post_message(workspace: Workspace, arguments: JSON) -> JSON:
    channel = _channel(workspace, arguments)
    message = new_message(workspace, channel.id, arguments)
    return {"channel": channel.id, "ts": message.ts, "message": shapes.message_json(workspace, message)}


def _post_ephemeral(workspace: Workspace, arguments: JSON) -> JSON:
    channel = _channel(workspace, arguments)
    user = required(arguments, "user")
    if user not in workspace.members or (channel.is_dm and channel.dm_with != user):
        raise SlackError("user_not_in_channel")
    return {"message_ts": new_message(workspace, channel.id, arguments, ephemeral_to=user).ts}


def _own_message(workspace: Workspace, arguments: JSON, refusal: str) -> Message:
    message = workspace.find(_channel(workspace, arguments).id, required(arguments, "ts"))
    if message is None or message.ephemeral_to:
        raise SlackError("message_not_found")
    if not message.from_bot:
        raise SlackError(refusal)
    return message


def _update(workspace: Workspace, arguments: JSON) -> JSON:
    message = _own_message(workspace, arguments, "cant_update_message")
    rewrite(workspace, message, arguments)
    shown = shapes.message_json(workspace, message)
    # The one answer whose message does not say its own ts.
    del shown["ts"]
    return {"channel": message.channel, "ts": message.ts, "text": message.text, "message": shown}


def _delete(workspace: Workspace, arguments: JSON) -> JSON:
    message = _own_message(workspace, arguments, "cant_delete_message")
    message.deleted = True
    workspace.changed(message)
    return {"channel": message.channel, "ts": message.ts}


def _users_info(workspace: Workspace, arguments: JSON) -> JSON:
    member = workspace.user(required(arguments, "user"))
    if member is None:
        raise SlackError("user_not_found")
    user = shapes.user_json(workspace, member)
    if arguments.get("include_locale") in (True, "1", "true", "True") and "tz" in user:
        user["locale"] = "en-US"
    return {"user": user}


def _presence(workspace: Workspace, arguments: JSON) -> JSON:
    member = workspace.user(required(arguments, "user"))
    if member is None:
        raise SlackError("user_not_found")
    return {"presence": "away" if member.deleted else member.presence}


def _dnd(workspace: Workspace, arguments: JSON) -> JSON:
    member = workspace.user(arguments.get("user") or workspace.bot.id)
    if member is None:
        raise SlackError("user_not_found")
    now = int(workspace.clock())
    return {
        "dnd_enabled": member.dnd,
        "next_dnd_start_ts": now - 60 if member.dnd else 1,
        "next_dnd_end_ts": now + 3600 if member.dnd else 1,
    }


def _open_conversation(workspace: Workspace, arguments: JSON) -> JSON:
    user = required(arguments, "users")
    if user not in workspace.members:
        raise SlackError("user_not_found")
    return {"channel": {"id": workspace.dm(user).id}, "no_op": False, "already_open": False}


def _conversation(workspace: Workspace, arguments: JSON) -> JSON:
    channel = workspace.channels.get(required(arguments, "channel"))
    if channel is None or (channel.private and not channel.bot_member):
        raise SlackError("channel_not_found")
    return {"channel": shapes.channel_json(workspace, channel)}


METHODS: dict[str, Method] = {
    "api.test": Method(lambda workspace, arguments: {"args": arguments}),
    "auth.test": Method(_auth_test),
    "chat.postMessage": Method(_post_message, ("chat:write",)),
    "chat.postEphemeral": Method(_post_ephemeral, ("chat:write",)),
    "chat.update": Method(_update, ("chat:write",)),
    "chat.delete": Method(_delete, ("chat:write",)),
    "users.info": Method(_users_info, ("users:read",)),
    "users.getPresence": Method(_presence, ("users:read",)),
    "dnd.info": Method(_dnd, ("dnd:read",)),
    "conversations.open": Method(_open_conversation, ("im:write",)),
    "conversations.info": Method(_conversation, ("channels:read", "groups:read", "im:read", "mpim:read")),
    "views.open": Method(views.open_view),
    "views.push": Method(views.push_view),
    "views.update": Method(views.update_view),
    "views.publish": Method(views.publish_view),
}
