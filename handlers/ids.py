"""Every id that Slack hands back to us: commands, actions, callbacks, blocks."""

from __future__ import annotations

import re

COMMAND = "/genai-role"

OPEN_ENTRY = re.compile(r"^open_entry(:\d)?$")
"""A button that shows an entry; its value is the entry's id."""
BROWSE = "browse_roles"
MORE = "more_about_role"
DECLARE = "declare_role"
CONFIRM = "declare_this"
CONFIRM_ANY = re.compile(rf"^{CONFIRM}(:\d)?$")
"""A button that declares what stands in its value."""
ASK = "ask_someone"
WHY_THESE = "why_these"
"""A button that says who was passed over; its value is the subject of the suggestion."""
COMPARE = "compare_role"
COMPARE_WITH = "compare_with"
SHARE = "share_answer"
FORGET = "forget_me"
AS_JSON = "my_data_as_json"
RATE_ANSWER = "rate_answer"
RATE = re.compile(rf"^{RATE_ANSWER}(:[a-z]+)?$")
"""A button that rates an answer; its value begins with the verdict."""

STILL_RIGHT = "still_right"
ANSWER_CHECK = re.compile(rf"^{STILL_RIGHT}:(yes|change|stop|back)$")
"""A button under "still right?"."""

PUT = "ask_put"
"""A button that opens the form in which a question is put to a person."""
ASKED = "asked"
ASKED_ANY = re.compile(rf"^{ASKED}:(answer|hand_over|decline|busy|drop)$")
"""What a person presses who is asked; the value begins with the id of the question."""
ASKING = "asking"
ASKING_ANY = re.compile(rf"^{ASKING}:(withdraw|solved|back|curators)$")
"""What an asker presses; the value is a token that nobody else can make."""
VIEW_PUT = "ask_put"
VIEW_ANSWER = "ask_answer"
VIEW_HAND_OVER = "ask_hand_over"
VIEW_BACK = "ask_back"
BLOCK_QUESTION = "question"
BLOCK_WHOM = "whom"
BLOCK_HOW = "how"
BLOCK_ANSWER = "answer"
BLOCK_NOTE = "note"

SHORTCUT_DECLARE = "declare_role"
SHORTCUT_FIND = "find_who_can_help"

VIEW_DECLARE = "declaration"
FROM_HOME = "home:"
"""How the private metadata of a modal begins that was opened from the Home tab; the place in it follows."""
SECTION = "home_section"
SECTION_ANY = re.compile(rf"^{SECTION}:[a-z_]+$")
"""A button that shows a section of the Home tab."""
MY_DATA = "my_data"
DIRECTORY = "directory"
DIRECTORY_ANY = re.compile(rf"^{DIRECTORY}:[a-z]+$")
"""What filters and turns the pages of the directory."""
DIRECTORY_TOPIC = f"{DIRECTORY}:topic"
BLOCK_TOPICS = "topics"
BLOCK_FOUND = "topics_found"
BLOCK_NOT_ABOUT = "not_about"
BLOCK_CAP = "weekly_cap"
BLOCK_VISIBILITY = "visibility"
SETTINGS = "workspace_settings"
AUDIT = "audit_log"
PERSON = "a_persons_data"
VIEW_SETTINGS = "workspace_settings"
VIEW_PERSON = "a_persons_data"
VIEW_ERASE = "erase_person"
"""What confirms that a person is erased; its private metadata is the person's id."""
BLOCK_NEW = "default_visibility"
BLOCK_SWITCHES = "switches"
BLOCK_DAYS = "question_days"
BLOCK_CURATORS = "curators"
BLOCK_PERSON = "person"
BLOCK_WHAT = "what"
ROLES_MENU = re.compile(r"^roles_(lead|practitioner|learning)$")
"""The action ids of the menus of roles in the form, one a level."""
INPUT = "input"
"""The action id of the single element of an input block."""


def block_of_level(level: str) -> str:
    """Return the block id of the roles declared at a level."""
    return f"roles_{level}"
