"""A local stand-in for Slack: as strict as Slack, on loopback, in this process.

async with LocalSlack() as slack:
    ...start the bot with slack.api_url, slack.bot_token, slack.signing_secret...
    slack.bot_url = "http://127.0.0.1:3000/slack/events"
    reply = await slack.command("U0PRIYA0001", "/genai-role mlops")

With LocalSlack(socket_mode=True) the bot connects with slack.app_token, and the same methods reach it.
"""

from .delivery import Attempt, EventDelivery
from .forms import NotOffered
from .manifest import SCOPES, SHORTCUTS, SLASH_COMMANDS
from .outcome import Outcome
from .slack import LocalSlack
from .slack_api import Call
from .socket_mode import Connection, Sockets
from .team import DEMO_TEAM, GENERAL, demo_entries, demo_members
from .workspace import Channel, Member, Message, View

__all__ = [
    "DEMO_TEAM",
    "GENERAL",
    "SCOPES",
    "SHORTCUTS",
    "SLASH_COMMANDS",
    "Attempt",
    "Call",
    "Channel",
    "Connection",
    "EventDelivery",
    "LocalSlack",
    "Member",
    "Message",
    "NotOffered",
    "Outcome",
    "Sockets",
    "View",
    "demo_entries",
    "demo_members",
]
