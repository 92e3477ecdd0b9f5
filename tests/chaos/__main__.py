"""Run the fault suite and print a table; `--write` puts it into docs/reliability.md."""

from __future__ import annotations

import asyncio
import os
import platform
import random
import sys
from collections.abc import Callable, Coroutine
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click

from . import runs
from .runs import Result

PAGE = Path(__file__).parents[2] / "docs" / "reliability.md"
BEGIN, END = "<!-- figures: written by the fault suite -->", "<!-- end of figures -->"
RUNS: dict[str, Callable[[random.Random, int], Coroutine[Any, Any, Result]]] = {
    "sqlite": lambda rng, part: runs.sqlite_killed(rng, 1_000 // part, 80.0 / part, 25 // part),
    "postgres": lambda rng, part: runs.postgres_killed(rng, 1_000 // part, 80.0 / part, 25 // part),
    "outage": lambda rng, part: runs.postgres_stopped(rng, 300 // part, 30.0 / part),
    "slack": lambda rng, part: runs.slack_faulty(rng, 300 // part, 30.0 / part),
    "once": lambda rng, part: runs.at_once(rng, 40 // part, 50),
}
HEAD = (
    "run",
    "messages",
    "requests",
    "not acknowledged",
    "kills",
    "posts failed",
    "lost",
    "twice",
    "a kill: mean, most",
    "dead",
    "waited: median, most",
)


def cells(result: Result) -> tuple[str, ...]:
    """Return a run as a row of the table."""
    tally, kills = result.tally, result.kills
    most = max(tally.at_kills.values(), default=0)
    unexplained = f" and {len(tally.unexplained)} WITHOUT REASON" if tally.unexplained else ""
    cut = f" ({tally.after_cuts} after a cut)" if tally.after_cuts else ""
    return (
        result.name,
        f"{tally.messages:,}",
        f"{result.sender.requests:,}",
        f"{result.sender.refused:,}",
        str(kills or ""),
        f"{result.faults:,}" if result.faults else "",
        str(len(tally.lost)),
        f"{tally.twice}{cut}{unexplained}",
        f"{tally.at_kills.total() / kills:.1f}, {most}" if kills else "",
        str(result.dead),
        f"{tally.wait(0.5):.2f} s, {tally.wait(1.0):.1f} s",
    )


def table(results: list[Result]) -> list[str]:
    """Return the runs as a Markdown table, its columns in line."""
    rows = [HEAD, *map(cells, results)]
    widths = [max(len(row[at]) for row in rows) for at in range(len(HEAD))]
    lines = [f"| {' | '.join(cell.ljust(width) for cell, width in zip(row, widths, strict=True))} |" for row in rows]
    return [lines[0], f"|{'|'.join('-' * (width + 2) for width in widths)}|", *lines[1:]]


def machine(seed: int) -> str:
    """Say what the figures were taken on."""
    day = datetime.now(UTC).date().isoformat()
    return (
        f"Run on {day} with seed {seed}: {os.cpu_count() or 1} cores ({platform.machine()}), {platform.system()}, "
        f"Python {platform.python_version()}."
    )


def with_figures(page: str, lines: list[str]) -> str:
    """Return the page with the lines between its two markers."""
    before, rest = page.split(BEGIN)
    _, after = rest.split(END)
    return "\n".join([before + BEGIN, "", *lines, "", END]) + after


def complaints(result: Result) -> list[str]:
    """Say what a run did not keep."""
    tally = result.tally
    return [
        *(f"{result.name}: {problem}" for problem in result.problems),
        *(f"{result.name}: lost {mention.key}" for mention in tally.lost[:10]),
        *(f"{result.name}: twice without a reason {post}" for post in tally.unexplained[:10]),
        *(f"{result.name}: answers nothing {post}" for post in tally.strays[:10]),
    ]


@click.command()
@click.option("--write", is_flag=True, help="Put the figures into docs/reliability.md.")
@click.option("--seed", type=int, default=None, help="Plan the same faults and messages again.")
@click.option("--only", multiple=True, type=click.Choice(list(RUNS)), help="Leave the other runs out.")
@click.option("--part", type=click.IntRange(1, 20), default=1, help="A part of the load: 10 is a tenth.")
def main(write: bool, seed: int | None, only: tuple[str, ...], part: int) -> None:
    """Run the bot through faults on loopback; ends with 1 where an answer is lost or comes twice without a reason."""
    seed = random.SystemRandom().randrange(1_000_000) if seed is None else seed
    click.echo(f"seed {seed}", err=True)
    results = []
    for name in only or RUNS:
        result = asyncio.run(RUNS[name](random.Random(f"{seed}/{name}"), part))
        results.append(result)
        click.echo(f"{result.name}: {result.seconds:.0f} s, {'good' if result.good else 'BAD'}", err=True)
        click.echo("\n".join(complaints(result)), err=True, nl=bool(complaints(result)))
    lines = [machine(seed), "", *table(results)]
    click.echo("\n".join(lines))
    if write:
        PAGE.write_text(with_figures(PAGE.read_text("utf-8"), lines), "utf-8")
    sys.exit(0 if all(result.good for result in results) else 1)


if __name__ == "__main__":
    main()
