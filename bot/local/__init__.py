"""A local stand-in for Slack: as strict as Slack, on loopback, in this process.

async with LocalSlack() as slack:
    ...start the bot with slack.api_url, slack.bot_token, slack.signing_secret...
    slack.bot_url = "http://127.0.0.1:3000/slack/events"
    reply = await slack.command("U0PRIYA0001", "/genai-role mlops")

With LocalSlack(socket_mode=True) the bot connects with slack.app_token, and the same methods reach it.

With LocalSlack(clock=clock, sleep=clock.sleep), where clock = ManualClock(), a test moves the time. What goes wrong is
asked for: slack.fail("chat.postMessage", status=429, retry_after=30), of any method or "response_url";
slack.revoke_token(); slack.deadline; slack.sockets.drop() and what else it can do.
"""

from .clock import ManualClock
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
    "ManualClock",
    "Member",
    "Message",
    "NotOffered",
    "Outcome",
    "Sockets",
    "View",
    "demo_entries",
    "demo_members",
]
