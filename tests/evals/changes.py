"""What became of each line since the last time; of the sealed folders nothing is kept."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass

from tests.evals.score import HERE, SEALED, Outcome

FILE = HERE / "outcomes.jsonl"


@dataclass(frozen=True)
class Kept:
    """Hold what came back for one line, as it is kept in outcomes.jsonl."""

    set: str
    text: str
    kind: str
    first: str
    facet: str | None
    right: bool

    @property
    def reply(self) -> str:
        return " ".join(part for part in (self.kind, self.first, self.facet) if part)


def kept(outcomes: Iterable[Outcome]) -> list[Kept]:
    """Return what is kept of the outcomes."""
    return [
        Kept(f"{one.asked.folder} {one.asked.set}", one.asked.text, one.got.kind, one.first, one.got.facet, one.right)
        for one in outcomes
        if one.asked.folder not in SEALED
    ]


def changes(before: Iterable[Kept], after: Iterable[Kept]) -> list[str]:
    """Say which lines have another outcome than before, wrong ones first; lines that were not there are passed over."""
    old: Mapping[tuple[str, str], Kept] = {(one.set, one.text): one for one in before}
    found = []
    for new in after:
        was = old.get((new.set, new.text))
        if was is None or was == new:
            continue
        what = "changed" if was.right == new.right else "now right" if new.right else "now wrong"
        order = ("now wrong", "now right", "changed").index(what)
        found.append((order, f"{what}: [{new.set}] {new.text!r}: {was.reply} -> {new.reply}"))
    return [said for _, said in sorted(found, key=lambda pair: pair[0])]


def as_lines(outcomes: Iterable[Kept]) -> str:
    """Return the outcomes as JSON Lines."""
    return "".join(json.dumps(asdict(one), ensure_ascii=False) + "\n" for one in outcomes)


def from_lines(text: str) -> list[Kept]:
    """Read what ``as_lines`` wrote."""
    return [Kept(**json.loads(line)) for line in text.splitlines()]
