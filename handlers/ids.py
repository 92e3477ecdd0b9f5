"""Every id that Slack hands back to us: commands, actions, callbacks, blocks."""

from __future__ import annotations

import re

COMMAND = "/genai-role"

OPEN_ENTRY = re.compile(r"^open_entry(:\d)?$")
"""A button that shows an entry; its value is the entry's id."""
BROWSE = "browse_roles"
MORE = "more_about_role"
DECLARE = "declare_role"
ASK = "ask_someone"
COMPARE = "compare_role"
COMPARE_WITH = "compare_with"
SHARE = "share_answer"
FORGET = "forget_me"
RATE_ANSWER = "rate_answer"
RATE = re.compile(rf"^{RATE_ANSWER}(:[a-z]+)?$")
"""A button that rates an answer; its value begins with the verdict."""

SHORTCUT_DECLARE = "declare_role"
SHORTCUT_FIND = "find_who_can_help"

VIEW_DECLARE = "declaration"
FROM_HOME = "home"
"""The private metadata of a modal that was opened from the Home tab."""
BLOCK_TOPICS = "topics"
INPUT = "input"
"""The action id of the single element of an input block."""


def block_of_level(level: str) -> str:
    """Return the block id of the roles declared at a level."""
    return f"roles_{level}"
