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
MY_JSON = "my_data_as_json"
AS_JSON = re.compile(rf"^{MY_JSON}(:[a-z]+)?$")
"""A button that shows a part of what is kept; its value is the number of the part."""
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
KEEP = "keep"
KEEP_ANY = re.compile(rf"^{KEEP}:(yes|no|form|not)$")
"""What either side presses about keeping an answer: the asker's value is their token, the answerer's the question."""
VERIFY = "verify"
VERIFY_ANY = re.compile(rf"^{VERIFY}:(right|change|retire)$")
"""What an author presses who is asked whether an entry is still right; the value is its id."""
VIEW_PUT = "ask_put"
VIEW_PUT_ANYWAY = "ask_put_anyway"
VIEW_KEEP = "keep"
VIEW_VERIFY = "verify"
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
AUDIT, AUDIT_EXPORT = "audit_log", "audit_export"
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
TEAM_NEW, TEAM_WORD = "team_new", "team_word"
TEAM_LIST = "team_list"
TEAM_EDIT, TEAM_RETIRE, TEAM_VERIFY, TEAM_UNWORD = "team_edit", "team_retire", "team_verify", "team_unword"
TEAM_ANY = re.compile(r"^team_(new|word|list|edit|retire|verify|unword)(:[a-z0-9]+)?$")
"""What curators press about their team's knowledge; the value is an entry's id, a word, or a place in the list."""
TEAM_REJECT, TEAM_MERGE = "team_reject", "team_merge"
TEAM_DECIDE = re.compile(rf"^({TEAM_REJECT}|{TEAM_MERGE}(:[0-9])?)$")
"""What curators decide about a proposed entry beside publishing it; the value begins with its id."""
TEAM_IMPORT, TEAM_EXPORT = "team_import", "team_export"
TEAM_EXPORT_ANY = re.compile(rf"^{TEAM_EXPORT}:(entries|people)$")
TEAM_ROLES, TEAM_TARGET = "team_roles", "team_target"
TEAM_MENU = re.compile(rf"^({TEAM_ROLES}|{TEAM_TARGET})$")
VIEW_TEAM_ENTRY, VIEW_TEAM_WORD, VIEW_TEAM_IMPORT = "team_entry", "team_word", "team_import"
VIEW_TEAM_LIST = "team_list"

INPUT = "input"
"""The action id of the single element of an input block."""


def block_of_level(level: str) -> str:
    """Return the block id of the roles declared at a level."""
    return f"roles_{level}"


def team_block(field: str) -> str:
    """Return the block id of a field in the forms about a team's knowledge."""
    return f"team_{field}"
