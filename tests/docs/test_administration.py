"""docs/administration.md: its table of who may do what is the one that listeners ask."""

from __future__ import annotations

import re

from handlers.permissions import MAY, Standing, may
from tests.docs.pages import ROOT, section

PAGE = ROOT / "docs" / "administration.md"
STANDINGS: tuple[Standing, ...] = ("guest", "member", "curator", "administrator")
ACTIONS = {
    "look things up, ask the bot, declare what they do": {"declare"},
    "see colleagues named": {"see names"},
    "see the directory": {"see the directory"},
    "ask a colleague through the bot, propose what is kept of an answer": {"ask a person", "propose entries"},
    "say whether an entry of their own is still right": {"verify own entries"},
    "look after entries, import people, export those whom colleagues may see": {
        *("curate entries", "import people", "export people"),
    },
    "change settings, read and export the audit log, export or erase a person": {
        *("change settings", "see the audit log", "export a person", "erase a person"),
    },
}
"""What each row of the page is in the table of the code."""


def test_the_table_is_that_of_the_code() -> None:
    rows = [
        [cell.strip() for cell in line.strip("|").split("|")]
        for line in re.findall(r"^\|.*\|$", section(PAGE, "Who may do what"), re.MULTILINE)
    ]
    assert rows[0] == ["", *STANDINGS]
    said = {row[0]: [cell.startswith("yes") for cell in row[1:]] for row in rows[2:]}
    assert set(said) == set(ACTIONS)
    assert set().union(*ACTIONS.values()) == set(MAY)
    for what, actions in ACTIONS.items():
        for action in actions:
            assert said[what] == [may(standing, action) for standing in STANDINGS], action
