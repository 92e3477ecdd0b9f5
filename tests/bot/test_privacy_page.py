"""The page on privacy says the times that the program keeps, and leaves no table out."""

from __future__ import annotations

from pathlib import Path

import pytest

from bot.worker import KEEP_THREADS
from knowledge.asking import LIFE, WAIT_FOR_ASKER
from knowledge.workspaces import DEFAULT_DAYS, KEEP_RECORDS, LONGEST_DAYS
from storage.forgetting import KEEP_LEFT
from storage.inbox import KEEP
from storage.removals import DELETE_WITHIN
from storage.tables import metadata

PAGE = " ".join((Path(__file__).parents[2] / "docs" / "privacy.md").read_text("utf-8").split())
TOLD = {
    "ask_deliveries": "which messages about it are to be written to you",
    "ask_people": "that you were asked, when, and what became of it",
    "asked": "a question without an answer, or whose answer was rated as not helpful",
    "asks": "a question that you put to a person",
    "audit": "audit log: who changed settings",
    "curators": "that you are a curator, since when",
    "declarations": "roles with a level, topics in your words",
    "forgotten": "a keyed hash of a person who said `forget me`",
    "forgettings": "when a person said `forget me`",
    "inbox": "a message that waits for its answer, encrypted",
    "installations": "who installed the app",
    "keepings": "what you said to keeping a question and its answer",
    "listings": "your name as it is sorted",
    "members": "name, title, time zone, availability",
    "namings": "that you were named to somebody",
    "removals": "that the app was removed from a workspace",
    "team_aliases": "who wrote an entry or a word of the team's own knowledge",
    "team_entries": "who wrote an entry or a word of the team's own knowledge",
    "terms": "visibility and weekly cap",
    "threads": "what a conversation was about",
    "vacated": "that somebody dropped out of a role",
    "verifications": "that you were asked whether an entry is still right",
}
NOBODY = {"ask_paces", "secrets", "settings", "team_versions", "used_states"}
"""Tables in which nothing leads back to a person."""


def test_every_table_stands_on_the_page() -> None:
    assert {*TOLD} | NOBODY == {*metadata.tables} and not {*TOLD} & NOBODY
    assert [table for table, said in TOLD.items() if f"| {said}" not in PAGE and f"; {said}" not in PAGE] == []


@pytest.mark.parametrize(
    "said",
    [
        f"open: {LIFE.days} days, or until {WAIT_FOR_ASKER.days} days after an answer, or {LIFE.days} days after",
        f"deleted {KEEP_LEFT.days} days later",
        f"{KEEP_LEFT.days} days after you left",
        f"{DELETE_WITHIN.days} days after its token was revoked",
        f"{DEFAULT_DAYS} days, or what administrators set: 0 to {LONGEST_DAYS} days",
    ],
)
def test_times_are_those_of_the_program(said: str) -> None:
    assert said in PAGE


def test_times_in_words_are_those_of_the_program() -> None:
    assert (KEEP.days, KEEP_THREADS.days, KEEP_RECORDS.days) == (7, 1, 365)
    assert "| a week |" in PAGE and "| a day |" in PAGE and "a year; of a person who is forgotten" in PAGE
