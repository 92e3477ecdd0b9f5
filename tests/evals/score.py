"""Score the guide on question files: the metrics of docs/retrieval.md."""

from __future__ import annotations

import asyncio
import json
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bot.ask import Line, Reply, answer_line, temporary_guide

HERE = Path(__file__).parent
Row = dict[str, Any]


@dataclass
class Score:
    """Count what was right, and keep what was not."""

    total: int = 0
    right: int = 0
    facet_total: int = 0
    facet_right: int = 0
    named_wrongly: int = 0
    wrong: list[str] = field(default_factory=list)
    seen: list[tuple[float, bool]] = field(default_factory=list)

    def add(self, good: bool, row: Row, got: Reply, note: str = "") -> None:
        self.total += 1
        self.right += good
        if not good:
            said = row.get("text") or row["turns"]
            first = [*got.roles[:2], *got.topics[:1], *got.tools[:1]]
            self.wrong.append(f"{said!r}: {got.kind} {first} {got.facet} {got.confidence} {note}")

    @property
    def share(self) -> float:
        return self.right / self.total if self.total else 0.0


def rows(file: Path, split: str | None = None) -> list[Row]:
    found = [json.loads(line) for line in file.read_text("utf-8").splitlines() if line.strip()]
    return [row for row in found if split is None or row.get("split") == split]


def line_of(row: Row, via: str) -> Line:
    turns = row.get("turns") or []
    text = row.get("text") or turns[-1]
    return Line(text=text, turns=turns[:-1] if "text" not in row else [], via=via, asker=row.get("asker"))  # type: ignore[arg-type]


def right_first(row: Row, got: Reply) -> bool:
    if got.kind in ("none", "help", "suggestions"):
        return False
    roles, topics = row.get("roles") or [], row.get("topics") or []
    if row.get("facet") == "compare":
        return got.kind == "compare" and set(got.roles[:2]) == set(roles[:2])
    return bool((roles and got.roles and got.roles[0] in roles) or (topics and got.topics and got.topics[0] in topics))


async def knowledge(found: list[Row], via: str) -> Score:
    score = Score()
    async with temporary_guide() as guide:
        for number, row in enumerate(found):
            got = await answer_line(guide, line_of(row, via), number)
            good = right_first(row, got)
            score.add(good, row, got, f"want {row.get('roles') or row.get('topics')}")
            if good:
                score.facet_total += 1
                facet_good = got.facet in (row.get("facet_ok") or [row["facet"]])
                score.facet_right += facet_good
                if not facet_good:
                    score.wrong.append(
                        f"  facet of {row.get('text') or row['turns']!r}: {got.facet}, want {row['facet']}"
                    )
    return score


async def silent(found: list[Row], via: str = "mention") -> Score:
    score = Score()
    async with temporary_guide() as guide:
        for number, row in enumerate(found):
            got = await answer_line(guide, line_of(row, via), number)
            score.add(got.kind in ("none", "help"), row, got)
    return score


async def not_who(found: list[Row]) -> Score:
    score = Score()
    async with temporary_guide() as guide:
        for number, row in enumerate(found):
            got = await answer_line(guide, line_of(row, "mention"), number)
            wanted = ("card", "compare", "suggestions") if row["expect"] == "knowledge" else ("none", "help")
            score.add(got.kind in wanted, row, got, row["expect"])
    return score


async def who(found: list[Row], team: Path) -> Score:
    score = Score()
    async with temporary_guide(team) as guide:
        replies = [
            await answer_line(guide, line_of(row, "command" if row["text"].startswith("/") else "mention"), number)
            for number, row in enumerate(found)
        ]
    for row, got in zip(found, replies, strict=True):
        named = [*got.people, *got.nearest]
        if row["must_top"]:
            good = bool(got.people) and got.people[0] in row["must_top"] and set(got.people) <= set(row["acceptable"])
        else:
            good = got.kind == "people" and not got.people and set(got.nearest) <= set(row["acceptable"])
        score.named_wrongly += bool(set(named) & set(row["never"]))
        score.add(good, row, got, f"people {got.people} nearest {got.nearest} want {row['must_top']}")
    return score


async def who_kind(found: list[Row]) -> Score:
    score = Score()
    async with temporary_guide() as guide:
        for number, row in enumerate(found):
            got = await answer_line(guide, line_of(row, "mention"), number)
            score.add(
                got.kind == "people" and bool(set(got.roles[:1]) & set(row["roles"])), row, got, f"want {row['roles']}"
            )
    return score


async def score_all(files: list[Path], split: str | None) -> dict[str, Score]:
    """Score the question files."""
    scores: dict[str, Score] = {}
    for file in files:
        found = rows(file, split)
        match file.stem:
            case "lookups":
                scores["look-ups"] = await knowledge(found, "command")
            case "questions":
                scores["questions"] = await knowledge(found, "mention")
            case "multilingual":
                scores["languages"] = await knowledge(found, "mention")
            case "oos":
                scores["out of scope"] = await silent(found)
            case "not_who":
                scores["not who"] = await not_who(found)
            case "who":
                scores["who"] = await who(found, file.with_name("team.json"))
            case "who_kind":
                scores["who, by kind"] = await who_kind(found)
    return scores


def table(scores: dict[str, Score]) -> list[str]:
    """Return the scores as lines to print."""
    return [
        f"{name:14} {score.total:4} lines  {score.share:.3f} right"
        + (f"  {score.facet_right / score.facet_total:.3f} facet" if score.facet_total else "")
        + (f"  {score.named_wrongly} named wrongly" if score.named_wrongly else "")
        for name, score in scores.items()
    ]


def main() -> None:
    folder, split = HERE / sys.argv[1], (next((arg for arg in sys.argv[2:] if not arg.startswith("-")), None))
    scores = asyncio.run(score_all(sorted(folder.glob("*.jsonl")), split))
    print("\n".join(table(scores)))
    if "-v" in sys.argv:
        for name, score in scores.items():
            print(f"== {name}")
            print("\n".join(score.wrong))


if __name__ == "__main__":
    main()
