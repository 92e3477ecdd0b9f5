"""Slack's JSON shapes of what the workspace holds: users, channels, messages, views."""

from __future__ import annotations

import copy
import hashlib
import re
import secrets

from .forms import elements_of, state_values, walk
from .workspace import JSON, Channel, Member, Message, View, Workspace

MENTION = re.compile(r"<@([UW][A-Z0-9]+)")

NO_TITLE: JSON = {"type": "plain_text", "text": "View Title", "emoji": True}
"""What Slack calls a Home tab, which has no title of its own."""


def user_json(workspace: Workspace, member: Member) -> JSON:
    """Return the user object of users.info."""
    shown = member.display_name or member.name
    first, _, last = member.name.partition(" ")
    picture = hashlib.sha256(member.id.encode()).hexdigest()[:12]
    user: JSON = {
        "id": member.id,
        "team_id": member.home or workspace.team_id,
        "name": member.handle,
        "deleted": member.deleted,
        "real_name": member.name,
        "profile": {
            "title": member.title,
            "real_name": member.name,
            "real_name_normalized": member.name,
            "display_name": member.display_name,
            "display_name_normalized": shown,
            "status_text": member.status_text,
            "status_text_canonical": "",
            "status_emoji": member.status_emoji,
            "status_emoji_display_info": [],
            "status_expiration": member.status_expiration,
            "first_name": first,
            "last_name": last,
            "phone": "",
            "skype": "",
            "fields": None,
            "avatar_hash": picture,
            **{f"image_{size}": f"https://avatars.example/{picture}_{size}.png" for size in (24, 32, 48, 72, 192, 512)},
            "team": member.home or workspace.team_id,
        },
        "is_bot": member.is_bot,
        "is_app_user": False,
        "updated": int(workspace.clock()),
    }
    if member.deleted:
        # Slack leaves out everything else of a deactivated account.
        return user
    if member.stranger:
        return user | {"is_stranger": True}
    if member.home:
        # False for whoever shares a channel with the app: their team alone says that they are of another company.
        return user | {"is_stranger": False, "is_restricted": False, "is_ultra_restricted": False, "tz": member.tz}
    if workspace.enterprise_id:
        user["enterprise_user"] = {
            "id": member.id,
            "enterprise_id": workspace.enterprise_id,
            "enterprise_name": workspace.team_name,
            "is_admin": member.admin,
            "is_owner": False,
            "teams": [workspace.team_id],
        }
    return user | {
        "color": picture[:6],
        "tz": member.tz,
        "tz_label": member.tz.rpartition("/")[2].replace("_", " "),
        "tz_offset": workspace.tz_offset(member.tz),
        "is_admin": member.admin,
        "is_owner": False,
        "is_primary_owner": False,
        "is_restricted": member.guest,
        "is_ultra_restricted": False,
        "is_email_confirmed": True,
        "who_can_share_contact_card": "EVERYONE",
    }


def channel_json(workspace: Workspace, channel: Channel) -> JSON:
    """Return the channel object of conversations.info."""
    if channel.is_dm:
        return {"id": channel.id, "is_im": True, "user": channel.dm_with, "is_archived": False, "created": 1}
    return {
        "id": channel.id,
        "name": channel.name,
        "is_channel": not channel.private,
        "is_group": channel.private,
        "is_im": False,
        "is_private": channel.private,
        "is_archived": channel.archived,
        "is_general": channel.name == "general",
        "is_member": channel.bot_member,
        "is_ext_shared": False,
        "context_team_id": workspace.team_id,
        "created": 1,
    }


def message_json(workspace: Workspace, message: Message) -> JSON:
    """Return the message object as Web API answers and interaction payloads carry it."""
    body: JSON = {"type": "message", "user": message.user, "ts": message.ts, "text": message.text}
    if message.from_bot:
        body |= {
            "bot_id": workspace.bot_id,
            "app_id": workspace.app_id,
            "team": workspace.team_id,
            "bot_profile": {
                "id": workspace.bot_id,
                "app_id": workspace.app_id,
                "name": workspace.bot.name,
                "icons": {f"image_{size}": f"https://avatars.example/bot_{size}.png" for size in (36, 48, 72)},
                "updated": int(workspace.clock()),
                "deleted": False,
                "team_id": workspace.team_id,
            },
        }
    else:
        member = workspace.user(message.user)
        home = member.home if member else ""
        body |= {"team": home or workspace.team_id} | ({"user_team": home, "source_team": home} if home else {})
    if message.blocks:
        body["blocks"] = copy.deepcopy(message.blocks)
    if message.thread_ts:
        body["thread_ts"] = message.thread_ts
    if message.edited_ts:
        body["edited"] = {"user": message.user, "ts": message.edited_ts}
    if message.metadata:
        body["metadata"] = message.metadata
    return body


def view_json(workspace: Workspace, view: View) -> JSON:
    """Return the view object as Slack returns and sends it, with its state."""
    body = copy.deepcopy(view.body)
    return body | {
        "id": view.id,
        "team_id": workspace.team_id,
        "app_id": workspace.app_id,
        "bot_id": workspace.bot_id,
        "app_installed_team_id": workspace.team_id,
        "external_id": view.external_id,
        "callback_id": view.callback_id,
        "private_metadata": view.private_metadata,
        "hash": view.hash,
        "root_view_id": view.root_id,
        "previous_view_id": view.previous_id,
        "title": body.get("title", NO_TITLE),
        "submit": body.get("submit"),
        "close": body.get("close"),
        "clear_on_close": body.get("clear_on_close", False),
        "notify_on_close": body.get("notify_on_close", False),
        "state": {"values": state_values(view.blocks, view.entered)},
    }


UNPARSED = frozenset({"value", "accessibility_label", "alt_text", "private_metadata"})
"""Texts that are not drawn, or as they stand."""


def mentions(content: object) -> set[str]:
    """Return the user ids that a text or blocks mention; plain text and a button's value mention nobody."""
    match content:
        case str():
            return set(MENTION.findall(content))
        case list():
            return {user for part in content for user in mentions(part)}
        case {"type": "plain_text"}:
            return set()
        case {"type": "user", "user_id": str(user)}:
            return {user}
        case {"type": "text"}:
            return set()
        case dict():
            return {user for name, part in content.items() if name not in UNPARSED for user in mentions(part)}
    return set()


def with_ids(blocks: list[JSON]) -> list[JSON]:
    """Return a copy of the blocks with the block and action ids that Slack adds where the bot gave none."""
    made = copy.deepcopy(blocks)
    for block in walk(made):
        block.setdefault("block_id", secrets.token_urlsafe(4)[:5])
        for element in elements_of(block):
            element.setdefault("action_id", secrets.token_urlsafe(4)[:5])
    return made
