"""Score everything, say what changed since the last time, and renew the figures of docs/retrieval.md.

Ends with 1 where a floor is missed. Of the sealed folders only totals are printed or kept.
"""

from __future__ import annotations

import asyncio
import os
import platform
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from statistics import median, quantiles

from knowledge.catalog import load_catalog
from tests.evals import changes
from tests.evals.drawing import reliability_plot
from tests.evals.floors import FLOORS, below
from tests.evals.score import CALIBRATED, HERE, SEALED, Outcome, score
from tests.evals.tally import (
    Bin,
    RoleTally,
    Tally,
    by_role,
    by_variety,
    calibration_error,
    grouped,
    reliability,
    tally,
    worst_confusions,
)

DOCS = HERE.parents[1] / "docs"
PAGE, PICTURE = DOCS / "retrieval.md", DOCS / "reliability.svg"
BEGIN, END = "<!-- figures: written by make eval -->", "<!-- end of figures -->"
MOST_CONFUSIONS = 10
Cells = Sequence[object]


@dataclass(frozen=True)
class Report:
    """Hold all figures."""

    sets: dict[tuple[str, str], Tally]
    bins: list[Bin]
    error: float
    roles: dict[str, RoleTally]
    varieties: dict[tuple[str, str], tuple[int, float]]
    confusions: list[tuple[str, str, int]]

    @property
    def below(self) -> list[str]:
        return below(self.sets, self.error)


def report(outcomes: Sequence[Outcome], roles: Iterable[str]) -> Report:
    """Take the figures; those of single roles, kinds and confusions are not of sealed lines."""
    open_lines = [one for one in outcomes if one.asked.folder not in SEALED]
    bins = reliability(one for one in outcomes if one.asked.folder == "held-out" and one.asked.set in CALIBRATED)
    return Report(
        {key: tally(found) for key, found in grouped(outcomes, lambda one: (one.asked.folder, one.asked.set)).items()},
        bins,
        calibration_error(bins),
        by_role(open_lines, roles),
        by_variety(open_lines),
        worst_confusions(open_lines)[:MOST_CONFUSIONS],
    )


def table(head: Sequence[str], body: Iterable[Cells]) -> list[str]:
    """Return a Markdown table, its columns in line; None is an empty cell, shares have three digits."""
    cells = [[*head], *([_cell(value) for value in row] for row in body)]
    widths = [max(len(row[at]) for row in cells) for at in range(len(head))]
    lines = [f"| {' | '.join(cell.ljust(width) for cell, width in zip(row, widths, strict=True))} |" for row in cells]
    return [lines[0], f"|{'|'.join('-' * (width + 2) for width in widths)}|", *lines[1:]]


def _cell(value: object) -> str:
    return "" if value is None else f"{value:.3f}" if isinstance(value, float) else str(value)


def sets_table(found: Report) -> list[str]:
    head = (
        "folder",
        "set",
        "lines",
        "right",
        "floor",
        "in top 3",
        "facet",
        "answered",
        "false answers",
        "named wrongly",
    )
    return table(
        head,
        (
            (
                folder,
                name,
                one.lines,
                one.right,
                FLOORS.get((folder, name)),
                one.in_top,
                one.facet,
                one.answered,
                one.false_answers,
                one.named_wrongly,
            )
            for (folder, name), one in sorted(found.sets.items())
        ),
    )


def figures(found: Report) -> list[str]:
    """Return the generated part of the page; it holds no time and no date, so that it changes as answers do."""
    return [
        "### By set",
        "",
        *sets_table(found),
        "",
        "### Confidence against what is right",
        "",
        f"![Confidence against the share that is right; the table below has the same figures]({PICTURE.name})",
        "",
        f"Expected calibration error over {sum(one.lines for one in found.bins)} held-out lines: {found.error:.3f}.",
        "",
        *table(
            ("confidence, mean of the bin", "right", "lines"),
            ((one.confidence, one.right, one.lines) for one in found.bins),
        ),
        "",
        "### By role",
        "",
        *table(
            ("role", "lines", "right", "most often taken for"),
            (
                (role, one.lines, one.right, f"{one.confused_with} ({one.confusions})" if one.confusions else None)
                for role, one in found.roles.items()
            ),
        ),
        "",
        "### By kind of line",
        "",
        *table(("set", "kind", "lines", "right"), ((*key, *figure) for key, figure in found.varieties.items())),
        "",
        "### Most frequent confusions",
        "",
        *table(("right would be", "was", "lines"), found.confusions),
    ]


def with_figures(page: str, lines: Sequence[str]) -> str:
    """Return the page with the lines between its two markers."""
    before, rest = page.split(BEGIN)
    _, after = rest.split(END)
    return "\n".join([before + BEGIN, "", *lines, "", END]) + after


def pace(outcomes: Iterable[Outcome]) -> str:
    """Say how long understanding a question takes on this machine."""
    taken = [one.milliseconds for one in outcomes if one.milliseconds is not None]
    return (
        f"Understanding a question: {median(taken):.2f} ms, p99 {quantiles(taken, n=100)[-1]:.2f} ms "
        f"({len(taken)} lines; {os.cpu_count()} cores, {platform.machine()}, Python {platform.python_version()})"
    )


def main() -> None:
    outcomes = asyncio.run(score())
    found = report(outcomes, load_catalog().roles)
    now = changes.kept(outcomes)
    before = changes.from_lines(changes.FILE.read_text("utf-8")) if changes.FILE.exists() else []
    said = changes.changes(before, now)
    changed = [*said, ""] if said else ["No answer changed since the last time.", ""]
    print(
        "\n".join([*changed, *sets_table(found), "", f"Expected calibration error: {found.error:.3f}", pace(outcomes)])
    )
    changes.FILE.write_text(changes.as_lines(now), "utf-8")
    PICTURE.write_text(reliability_plot(found.bins, found.error), "utf-8")
    PAGE.write_text(with_figures(PAGE.read_text("utf-8"), figures(found)), "utf-8")
    if found.below:
        sys.exit("\n".join(["", "Below the floors:", *found.below]))


if __name__ == "__main__":
    main()
