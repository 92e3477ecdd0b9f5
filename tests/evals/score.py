"""Ask the guide every line of the question files once, and judge what comes back; see docs/retrieval.md."""

from __future__ import annotations

import json
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

from bot.ask import Line, Reply, answer_line, temporary_guide
from bot.suggest import suggest
from knowledge.guide import Guide
from knowledge.index import Index, load_index
from knowledge.matching import Match
from knowledge.models import Role, Tool, Topic

HERE = Path(__file__).parent
TEAM = HERE / "development" / "team.json"
Row = dict[str, Any]
Folder = Literal["development", "held-out", "release", "blind", "fresh", "unseen", "borders"]
FOLDERS: tuple[tuple[Folder, str, str | None], ...] = (
    ("development", "development", None),
    ("held-out", "questions", "held-out"),
    ("release", "release", None),
    ("blind", "blind", None),
    ("fresh", "fresh", None),
    ("unseen", "unseen", None),
    ("borders", "borders", None),
)
"""The folders as they are called in the report, where they lie, and the part of their lines that is scored."""
SEALED: tuple[Folder, ...] = ("release", "blind", "fresh", "unseen", "borders")
"""The folders of which nobody looks at single lines: only totals are printed or kept."""
TOP = 3

LOOK_UPS, QUESTIONS, MULTILINGUAL, LANGUAGES = "look-ups", "questions", "multilingual", "languages"
OUTSIDE, LANGUAGES_OUTSIDE, NOT_WHO = "out of scope", "languages, out of scope", "not who"
NEAR_MISSES, EVERYDAY, TYPED = "near-misses", "everyday talk", "out of scope, typed"
WHO, WHO_KIND, PUBLIC, DESCRIPTIONS, TITLES = "who", "who, by kind", "public", "descriptions", "titles"
SET_OF_FILE = {
    "lookups": LOOK_UPS,
    "questions": QUESTIONS,
    "multilingual": MULTILINGUAL,
    "languages": LANGUAGES,
    "oos": OUTSIDE,
    "near_misses": NEAR_MISSES,
    "everyday": EVERYDAY,
    "typed": TYPED,
    "not_who": NOT_WHO,
    "who": WHO,
    "who_kind": WHO_KIND,
    "people": WHO_KIND,
    "public": PUBLIC,
    "descriptions": DESCRIPTIONS,
    "titles": TITLES,
    "profile_titles": TITLES,
}
KNOWLEDGE = (LOOK_UPS, QUESTIONS, MULTILINGUAL, LANGUAGES)
SILENT = (OUTSIDE, LANGUAGES_OUTSIDE, NEAR_MISSES, EVERYDAY, TYPED)
FIELDS = (PUBLIC, DESCRIPTIONS)
CALIBRATED = (LOOK_UPS, QUESTIONS, WHO_KIND, OUTSIDE)
"""The sets whose lines show whether the confidence is the share that is right: English, without a team."""


@dataclass(frozen=True)
class Asked:
    """Hold one line with where it comes from."""

    folder: Folder
    set: str
    row: Row

    @property
    def text(self) -> str:
        return str(self.row.get("text") or self.row.get("title") or " / ".join(self.row["turns"]))

    @property
    def line(self) -> Line:
        turns = self.row.get("turns") or [self.text]
        typed = self.set in (LOOK_UPS, TYPED) or (self.set == WHO and self.text.startswith("/"))
        return Line(
            text=turns[-1], turns=turns[:-1], via="command" if typed else "mention", asker=self.row.get("asker")
        )

    @property
    def variety(self) -> str:
        """What kind of line it is, within its set."""
        if self.set in KNOWLEDGE:
            of_entry = self.row.get("topics") or self.row.get("tools")
            return "follow-up" if "turns" in self.row else "topic" if of_entry else self.row["facet"]
        if self.set == TITLES:
            return "a role's" if self.row["roles"] else "nobody's"
        return str(self.row.get("why") or self.row.get("kind") or self.row.get("expect") or "")


@dataclass(frozen=True)
class Outcome:
    """Hold what came back for one line, and what it is worth."""

    asked: Asked
    got: Reply
    right: bool
    in_top: bool = False
    facet_right: bool | None = None
    named_wrongly: bool = False
    confidence: float | None = None
    """How sure the best answer was, shown or withheld; None where the line is not looked at for that."""
    best_right: bool = False
    milliseconds: float | None = None

    @property
    def answered(self) -> bool:
        return self.got.kind not in ("none", "help")

    @property
    def first(self) -> str:
        """The id of what the answer is about first: of the entry shown, else of a role."""
        ids = (*self.got.topics[:1], *self.got.tools[:1], *self.got.roles[:1])
        return ids[0] if ids else ""


def rows(file: Path, split: str | None = None) -> list[Row]:
    found = [json.loads(line) for line in file.read_text("utf-8").splitlines() if line.strip()]
    return [row for row in found if split is None or row.get("split") == split]


def lines() -> Iterator[Asked]:
    """Give every line that is scored, in the order of the files."""
    for folder, place, split in FOLDERS:
        for file in sorted((HERE / place).glob("*.jsonl")):
            for row in rows(file, split):
                if file.stem in SET_OF_FILE:
                    name = LANGUAGES_OUTSIDE if file.stem == "languages" and "why" in row else SET_OF_FILE[file.stem]
                    yield Asked(folder, name, row)
                    if folder == "held-out" and name == OUTSIDE:
                        # The same after the slash command, where the bot answers more readily.
                        yield Asked(folder, TYPED, row)


def hits(row: Row, roles: Sequence[str], topics: Sequence[str], tools: Sequence[str] = ()) -> bool:
    """Tell whether one of the ids is among those that are right for the line."""
    found = {"roles": roles, "topics": topics, "tools": tools}
    return any({*ids} & {*(row.get(kind) or ())} for kind, ids in found.items())


def judge(asked: Asked, got: Reply) -> Outcome:
    """Say what a reply is worth."""
    row = asked.row
    shown = got.kind in ("card", "compare", "people")
    in_top = shown and hits(row, got.roles[:TOP], got.topics[:TOP], got.tools[:TOP])
    if asked.set in KNOWLEDGE:
        asked_for = row.get("facet")
        if asked_for == "compare":
            right = in_top = got.kind == "compare" and {*got.roles[:2]} == {*row["roles"][:2]}
        else:
            right = shown and hits(row, got.roles[:1], got.topics[:1], got.tools[:1])
        # What is asked about a topic asks for no part of it.
        facet_right = got.facet in (asked_for, *row.get("facet_ok", ())) if right and asked_for else None
        return Outcome(asked, got, right, in_top, facet_right)
    if asked.set in SILENT:
        return Outcome(asked, got, got.kind in ("none", "help"))
    if asked.set == NOT_WHO:
        wanted = ("card", "compare", "suggestions") if row["expect"] == "knowledge" else ("none", "help")
        return Outcome(asked, got, got.kind in wanted)
    if asked.set == WHO_KIND:
        return Outcome(asked, got, got.kind == "people" and hits(row, got.roles[:1], got.topics[:1]), in_top)
    if asked.set in FIELDS:
        # Whose field it is may also be said where there is no answer.
        return Outcome(asked, got, hits(row, got.roles[:1], ()), hits(row, got.roles[:TOP], ()))
    if asked.set == TITLES:
        right = hits(row, got.roles[:1], ()) if row["roles"] else not got.roles
        wrongly = not {*got.roles} <= {*row["roles"]}
        return Outcome(asked, got, right, hits(row, got.roles[:TOP], ()), named_wrongly=wrongly)
    assert asked.set == WHO
    acceptable = {*row["acceptable"]}
    if row["must_top"]:
        right = bool(got.people) and got.people[0] in row["must_top"] and {*got.people} <= acceptable
    else:
        right = got.kind == "people" and not got.people and {*got.nearest} <= acceptable
    return Outcome(asked, got, right, named_wrongly=bool({*got.people, *got.nearest} & {*row["never"]}))


def ids_of(match: Match) -> tuple[list[str], list[str]]:
    """Return the first role and the topic that a match would show."""
    match match.entry:
        case Role():
            return [match.entry.id], []
        case Topic():
            return [match.entry.roles[0]], [match.entry.id]
        case Tool():
            return [match.entry.used_by[0].role], []


def weigh(outcome: Outcome, index: Index, *, timed: bool) -> Outcome:
    """Add how sure the best answer was, whether shown or withheld, and how long understanding the line took."""
    asked, got = outcome.asked, outcome.got
    calibrated = asked.set in CALIBRATED and got.kind != "help" and "turns" not in asked.row
    withheld = calibrated and got.kind in ("none", "suggestions")
    confidence = got.confidence if calibrated else None
    best_right = outcome.right and asked.set not in SILENT
    if not withheld and not timed:
        return replace(outcome, confidence=confidence, best_right=best_right)
    started = time.perf_counter()
    understood = index.understand(asked.line.text, asked.line.via)
    taken = (time.perf_counter() - started) * 1000
    if withheld:
        best = understood.best
        confidence = understood.sure(best) if best else None
        best_right = best is not None and hits(asked.row, *ids_of(best))
    return replace(outcome, confidence=confidence, best_right=best_right, milliseconds=taken)


async def ask(guide: Guide, asked: Iterable[Asked]) -> list[Outcome]:
    """Ask the lines one after another."""
    return [judge(one, await answer_line(guide, one.line, number)) for number, one in enumerate(asked)]


def propose(asked: Sequence[Asked]) -> list[Outcome]:
    """Propose roles for titles."""
    found = suggest([one.text for one in asked])
    replies = (
        Reply(kind="card" if roles else "none", roles=list(roles), confidence=bool(roles), text="") for roles in found
    )
    return [judge(one, got) for one, got in zip(asked, replies, strict=True)]


async def score(*, timed: bool = True) -> list[Outcome]:
    """Ask everything: the searches for named people in a team of their own, the rest without one.

    Where it is not ``timed``, only what is withheld is understood a second time.
    """
    everything = list(lines())
    async with temporary_guide() as guide:
        outcomes = await ask(guide, (one for one in everything if one.set not in (WHO, TITLES)))
        index = load_index(guide.catalog)
    outcomes = [weigh(outcome, index, timed=timed) for outcome in outcomes]
    outcomes += propose([one for one in everything if one.set == TITLES])
    async with temporary_guide(TEAM) as guide:
        return [*outcomes, *await ask(guide, (one for one in everything if one.set == WHO))]
