"""What a workspace knows beyond the bundled entries: its own entries, and its own words for what is bundled."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Literal

from knowledge.text import key_of, words

State = Literal["proposed", "published", "retired"]
"""Only what is published answers; what is proposed waits for a curator, what is retired is kept but not shown."""
Origin = Literal["written", "imported", "kept"]
"""A curator wrote it, it came in a file, or it was kept of a question and its answer."""

VERIFY_AFTER = timedelta(days=180)
"""How long an entry is taken to be right without somebody saying so again."""
TEAM_ID = "team-"
"""How the ids of a workspace's entries begin; no bundled entry's does."""

LONGEST_NAME, MOST_NAMES = 80, 10
LONGEST_QUESTION, LONGEST_ANSWER = 300, 2500
"""An answer fits into one section of a message."""
MOST_ROLES, MOST_TOPICS, LONGEST_TOPIC = 5, 10, 60
MOST_ENTRIES, MOST_ALIASES = 10_000, 1_000
"""As many as one workspace may have, retired ones included."""


@dataclass(frozen=True)
class TeamEntry:
    """Hold one entry of a workspace; without an answer it is a topic, whose card says whose field it is."""

    id: str
    name: str
    names: tuple[str, ...] = ()
    """Other names: each leads here alone."""
    question: str = ""
    answer: str = ""
    roles: tuple[str, ...] = ()
    """Whose field it is, best first."""
    topics: tuple[str, ...] = ()
    """What it belongs to, in the words of people who declare topics."""
    source: Origin = "written"
    written_by: str = ""
    """The user id of whoever wrote it last; empty where nobody is known, or the person asked to be forgotten."""
    shown_author: str = ""
    """The name that is shown with it; empty where the author does not want that."""
    published_at: datetime | None = None
    verified_at: datetime | None = None
    by_curator: bool = False
    """Whether a curator said last that it is right, and not whose name stands with it."""
    verify_by: datetime | None = None
    state: State = "proposed"
    changed_at: datetime | None = None


@dataclass(frozen=True)
class Alias:
    """Hold a team's word for a bundled entry: "Orakel" for the MLOps Engineer."""

    name: str
    entry_id: str
    written_by: str = ""
    written_at: datetime | None = None


@dataclass(frozen=True)
class Known:
    """Hold all that a workspace knows, as it was read; ``version`` is another one after every change."""

    version: str = ""
    entries: tuple[TeamEntry, ...] = ()
    aliases: tuple[Alias, ...] = ()

    def entry(self, entry_id: str) -> TeamEntry | None:
        """Return the entry with this id, whatever its state."""
        return next((entry for entry in self.entries if entry.id == entry_id), None)

    def alias(self, name: str) -> Alias | None:
        """Return the word that is written so, whatever its signs and capitals."""
        return next((alias for alias in self.aliases if key_of(alias.name) == key_of(name)), None)


NOTHING = Known()


class NoTeam:
    """Stand in where there is no workspace: nothing is known beyond the bundled entries."""

    async def known(self, workspace: str, *, now: bool = False) -> Known:
        """Return nothing."""
        return NOTHING


def published(entry: TeamEntry, now: datetime, *, by_curator: bool = False) -> TeamEntry:
    """Return the entry as one that answers: proposed ones are published so, retired ones brought back.

    ``by_curator``: it is not its author who says so.
    """
    first = entry.published_at or now
    return replace(
        entry,
        state="published",
        published_at=first,
        verified_at=now,
        by_curator=by_curator,
        verify_by=now + VERIFY_AFTER,
        changed_at=now,
    )


def retired(entry: TeamEntry, now: datetime) -> TeamEntry:
    """Return the entry as one that is kept and answers nothing; nobody has to verify it."""
    return replace(entry, state="retired", verify_by=None, changed_at=now)


def verified(entry: TeamEntry, now: datetime, *, by_curator: bool = False) -> TeamEntry:
    """Return the entry as one that somebody said is right now; only what is published has to be."""
    if entry.state != "published":
        return entry
    return replace(entry, verified_at=now, by_curator=by_curator, verify_by=now + VERIFY_AFTER, changed_at=now)


def is_due(entry: TeamEntry, now: datetime) -> bool:
    """Tell whether somebody should say again that the entry is right."""
    return entry.state == "published" and entry.verify_by is not None and entry.verify_by <= now


def ran_out(entry: TeamEntry) -> bool:
    """Tell whether an entry was retired after its time had run out: nobody had said again that it is right."""
    if entry.state != "retired" or entry.verified_at is None or entry.changed_at is None:
        return False
    return entry.changed_at >= entry.verified_at + VERIFY_AFTER


def found_by(known: Known, typed: str) -> list[TeamEntry | Alias]:
    """Return the entries, of any state, and words that what was typed fits: each word begins one of theirs."""
    wanted = words(typed)

    def fits(*texts: str) -> bool:
        held = [word for text in texts for word in words(text)]
        return all(any(word.startswith(start) for word in held) for start in wanted)

    entries = [one for one in known.entries if not wanted or fits(one.name, *one.names, one.question)]
    aliases = [one for one in known.aliases if not wanted or fits(one.name)]
    return [*entries, *aliases]
