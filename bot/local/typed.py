"""What a person types, in the form that Slack sends it to an app."""

from __future__ import annotations

import html
import re

from .workspace import Workspace


def as_sent(workspace: Workspace, line: str, *, named: bool = False) -> str:
    """Return a typed line in Slack's form: escaped, with @names and #channels turned into ids.

    With `named` a person's handle is beside the id, as in commands (should_escape).
    """
    text = html.escape(line, quote=False)
    text = re.sub(rf"(?<![\w@])@(bot|{re.escape(workspace.bot.name)})\b", f"<@{workspace.bot.id}>", text)
    if "@" in text:
        # The longest name first: nobody is taken for somebody whose name theirs begins with.
        for member in sorted(workspace.members.values(), key=lambda m: -len(m.name)):
            shown = f"<@{member.id}|{member.handle}>" if named else f"<@{member.id}>"
            text = text.replace(f"@{html.escape(member.name, quote=False)}", shown)
    for channel in workspace.channels.values():
        if not channel.is_dm:
            text = re.sub(rf"(?<!\S)#{re.escape(channel.name)}\b", f"<#{channel.id}|{channel.name}>", text)
    return text
