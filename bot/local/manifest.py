"""What the app's manifest asks for and offers, as the workspace holds the bot to it; tests keep both the same."""

from __future__ import annotations

from .workspace import JSON

SCOPES = ("app_mentions:read", "chat:write", "commands", "im:history", "users:read", "dnd:read")
"""A method outside of these answers missing_scope, as it would at Slack."""
SLASH_COMMANDS: tuple[JSON, ...] = (
    {
        "command": "/genai-role",
        "description": "Look up a GenAI role",
        "usage_hint": "mlops | compare a vs b | who knows rag | me | help",
    },
)
SHORTCUTS: tuple[JSON, ...] = (
    {
        "type": "global",
        "name": "Declare my role",
        "callback_id": "declare_role",
        "description": "Record or change the roles you declare",
    },
    {
        "type": "message",
        "name": "Find who can help",
        "callback_id": "find_who_can_help",
        "description": "Suggest whom to ask about a message",
    },
)
