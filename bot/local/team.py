"""The demo team: who is there when nobody says otherwise."""

from __future__ import annotations

import json
from pathlib import Path

from .workspace import JSON, Channel, Member

DEMO_TEAM = Path(__file__).with_name("demo_team.json")

GENERAL = "C0GENERAL01"
CHANNELS = (
    Channel(GENERAL, "general"),
    Channel("C0HELPAI001", "help-ai"),
    Channel("C0RANDOM001", "random"),
    Channel("C0FINANCE01", "finance", bot_member=False),
)


def demo_entries() -> list[JSON]:
    """Return the demo team as its file has it: members with what they declare."""
    entries: list[JSON] = json.loads(DEMO_TEAM.read_text(encoding="utf-8"))
    return entries


def demo_members() -> list[Member]:
    """Return the demo team's members."""
    return [Member.from_entry(entry) for entry in demo_entries()]
