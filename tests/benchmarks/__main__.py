"""Measure the real bot on loopback and print a table; `--write` puts it into docs/performance.md."""

from __future__ import annotations

import asyncio
import json
import math
import os
import platform
import random
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import click
import pytest
from sqlalchemy import make_url, text
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import create_async_engine

from bot.ask import fill, read_team, temporary_guide
from knowledge.guide import Question, load_guide
from storage.database import migrate, open_engine
from storage.inbox import SqlInbox
from storage.keys import Keys, new_key
from storage.people import SqlPeople
from storage.threads import SqlThreads
from tests.benchmarks import asks, flood, imports, page, people, workspaces
from tests.benchmarks.served import ROOT, Server, bot_settings, serving
from tests.benchmarks.traffic import Load, SlackStandIn, load, mentions, percentile
from tests.databases import on_server, postgres_database
from tests.page.chromium import MISSING, find_chromium

TEAM = ROOT / "bot" / "local" / "demo_team.json"
QUESTIONS = ROOT / "tests" / "evals" / "questions"
PAGE = ROOT / "docs" / "performance.md"
MARKS = {
    "bot": ("<!-- figures: written by the benchmark -->", "<!-- end of figures -->"),
    "page": ("<!-- figures of the page: written by the benchmark -->", "<!-- end of the figures of the page -->"),
    "workspaces": (
        "<!-- figures of workspaces: written by the benchmark -->",
        "<!-- end of the figures of workspaces -->",
    ),
    "flood": ("<!-- figures of a flood: written by the benchmark -->", "<!-- end of the figures of a flood -->"),
    "asks": ("<!-- figures of questions: written by the benchmark -->", "<!-- end of the figures of questions -->"),
    "people": ("<!-- figures of people: written by the benchmark -->", "<!-- end of the figures of people -->"),
    "imports": ("<!-- figures of imports: written by the benchmark -->", "<!-- end of the figures of imports -->"),
}
"""Between these the parts of the benchmark are written."""
WARM = 400


@dataclass(frozen=True)
class Row:
    """One measured figure, with its target where there is one: below ``limit``, or at least ``least``."""

    what: str
    figure: float
    unit: str
    limit: float | None = None
    note: str = ""
    least: float | None = None

    @property
    def met(self) -> bool:
        """Tell whether the figure keeps to its target."""
        return (self.limit is None or self.figure < self.limit) and (self.least is None or self.figure >= self.least)

    def cells(self) -> tuple[str, str, str, str]:
        """Return the row as text: what, figure, target, note."""
        sides = [("<", self.limit), ("≥", self.least)]
        target = " ".join(f"{sign} {bound:g} {self.unit}" for sign, bound in sides if bound is not None)
        target += "" if self.met else " MISSED"
        digits = 0 if self.figure >= 100 or isinstance(self.figure, int) else 2
        return self.what, f"{self.figure:,.{digits}f} {self.unit}", target, self.note


def load_rows(what: str, found: Load, limit: float | None = None) -> Iterator[Row]:
    yield Row(f"{what}: median", found.at(0.5), "ms", limit)
    yield Row(f"{what}: p99", found.at(0.99), "ms")
    yield Row(f"{what}: throughput", found.per_second, "requests/s")


async def measure_commands(server: Server, slack: SlackStandIn, count: int) -> list[Row]:
    """Send `/genai-role mlops` over one connection and over sixteen; nobody may ask Slack anything for it."""

    def is_card(answer: bytes) -> bool:
        return b'"ephemeral"' in answer and b"MLOps Engineer" in answer

    await load(server.events, "mlops", WARM, 1, is_card)
    before = len(slack.calls)
    one = await load(server.events, "mlops", count, 1, is_card)
    sixteen = await load(server.events, "mlops", count * 2, 16, is_card)
    asked = len(slack.calls) - before
    who = await load(server.events, "who covers GDPR", count // 10, 1, lambda answer: b'"ephemeral"' in answer)
    return [
        *load_rows("`/genai-role mlops`, 1 connection", one, 2.0),
        *load_rows("`/genai-role mlops`, 16 connections", sixteen),
        Row("`/genai-role mlops`: requests to Slack", asked, "requests", 1),
        Row("`/genai-role who covers GDPR`, 1 connection: median", who.at(0.5), "ms", None, "notes whose turn it was"),
    ]


async def measure_echo(slack: SlackStandIn, folder: Path, count: int, how: str, name: str) -> list[Row]:
    """Send the same command to a bare Bolt app."""
    async with serving(["tests.benchmarks.echo", slack.url, how], folder, {}) as server:
        await load(server.events, "mlops", min(WARM, count), 1, lambda answer: b"mlops" in answer)
        one = await load(server.events, "mlops", count, 1, lambda answer: b"mlops" in answer)
        sixteen = await load(server.events, "mlops", count * 2, 16, lambda answer: b"mlops" in answer)
    rows = [*load_rows(f"{name}, 1 connection", one), *load_rows(f"{name}, 16 connections", sixteen)]
    return [row for row in rows if "p99" not in row.what]


async def measure_guide() -> list[Row]:
    """Ask the guide every question of the evaluation, in this process."""
    asked: list[tuple[str, str]] = []
    for file in sorted(QUESTIONS.glob("*.jsonl")):
        for line in file.read_text("utf-8").splitlines():
            row = json.loads(line)
            text = row.get("text") or (row.get("turns") or [""])[-1]
            if text:
                asked.append((text, "command" if file.stem == "lookups" else "mention"))
    async with temporary_guide(TEAM) as guide:
        taken: list[float] = []
        for text, via in asked:
            started = time.perf_counter()
            await guide.ask(Question("TBATCH", text, "command" if via == "command" else "mention"))
            taken.append((time.perf_counter() - started) * 1000)
    return [
        Row("The guide alone, a question: median", percentile(taken, 0.5), "ms", None, f"{len(taken)} questions"),
        Row("The guide alone, a question: p99", percentile(taken, 0.99), "ms"),
    ]


async def measure_mentions(server: Server, slack: SlackStandIn, count: int) -> list[Row]:
    """Send 50 mentions a second; measure from the event until the reply reaches Slack."""
    taken = await mentions([server.events], slack, count, 50.0, "what does an MLOps engineer do?")
    return [
        Row("Mention to posted reply at 50 events/s: median", percentile(taken, 0.5), "ms", 10, answered_of(taken)),
        Row("Mention to posted reply at 50 events/s: p99", percentile(taken, 0.99), "ms"),
    ]


def answered_of(taken: Sequence[float]) -> str:
    """Say how many events there were, and how many of them were answered if not all."""
    answered = sum(map(math.isfinite, taken))
    return f"{len(taken)} events" if answered == len(taken) else f"{answered} of {len(taken)} events"


async def measure_postgres(slack: SlackStandIn, folder: Path, seconds: int) -> list[Row]:
    """Send 300 mentions a second to two processes over one PostgreSQL; watch how old what waits gets."""
    address = os.environ.get("TEST_DATABASE_URL", "postgresql://root@127.0.0.1:5432/test")
    url = make_url(address).set(drivername="postgresql+asyncpg")
    name = f"bench_{os.getpid()}"
    admin = create_async_engine(url, isolation_level="AUTOCOMMIT")
    try:
        async with admin.connect() as connection:
            await connection.execute(text(f"CREATE DATABASE {name}"))
    except (OSError, SQLAlchemyError):
        return [Row("PostgreSQL", 0, "events/s", None, "not reachable: nothing measured", 297)]
    database = url.set(database=name).render_as_string(hide_password=False)
    key = new_key()
    settings = {**bot_settings(slack.url, folder / "unused"), "DATABASE_URL": database, "ENCRYPTION_KEYS": key}
    engine = open_engine(database, Keys([key]))
    inbox = SqlInbox(engine, "watcher")
    oldest: list[float] = []

    async def watch() -> None:
        while True:
            oldest.append((await inbox.depth(datetime.now(UTC))).oldest_seconds)
            await asyncio.sleep(1)

    try:
        await migrate(engine)
        async with (
            serving(["bot", "serve"], folder, settings) as first,
            serving(["bot", "serve"], folder, settings) as second,
        ):
            watching = asyncio.create_task(watch())
            started = time.perf_counter()
            taken = await mentions(
                [first.events, second.events], slack, 300 * seconds, 300.0, "what does an MLOps engineer do?"
            )
            rate = sum(map(math.isfinite, taken)) / (time.perf_counter() - started)
            watching.cancel()
    finally:
        await engine.dispose()
        async with admin.connect() as connection:
            await connection.execute(text(f"DROP DATABASE {name} WITH (FORCE)"))
        await admin.dispose()
    what = f"PostgreSQL, two processes, 300 events/s for {seconds} s"
    return [
        # The last ones are answered after the sending has ended: a hundredth less than what is sent is all of it.
        Row(f"{what}: answered", rate, "events/s", None, answered_of(taken), 297),
        Row(f"{what}: median", percentile(taken, 0.5), "ms"),
        Row(f"{what}: p99", percentile(taken, 0.99), "ms"),
        Row(f"{what}: oldest waiting", max(oldest), "s", 5),
    ]


async def measure_page(count: int) -> list[Row]:
    """Open the page of the local workspace in Chromium, and ask there."""
    executable = find_chromium()
    if executable is None:
        return [Row("The page in Chromium", 0, "ms", None, f"nothing measured. {MISSING}")]
    with tempfile.TemporaryDirectory() as name:
        ready, drawn = await page.figures(executable, Path(name), max(5, count // 100))
    return [
        Row("The page: address printed to composer usable", sorted(ready)[len(ready) // 2], "s", 1, "median of three"),
        Row("The page: Enter to reply drawn, median", percentile(drawn, 0.5), "ms", 100, f"{len(drawn)} commands"),
        Row("The page: Enter to reply drawn, slowest", max(drawn), "ms"),
    ]


def measure_people(quick: bool) -> list[Row]:
    """Ask whom to ask in workspaces of a thousand, a hundred thousand and a million members."""
    rows: list[Row] = []
    for kind, name in (("sqlite", "SQLite"), ("postgresql", "PostgreSQL")):
        try:
            taken = figures_of_people(kind, people.SIZES[:2] if quick else people.SIZES)
        except pytest.skip.Exception as missing:
            return [*rows, Row(f"Whom to ask, {name}", 0, "ms", None, f"nothing measured. {missing}")]
        for members, calls in taken.items():
            what = f"Whom to ask of {members:,} members, {name}"
            rows.append(Row(f"{what}: median", percentile(calls, 0.5), "ms", None, f"{len(calls)} calls"))
            rows.append(Row(f"{what}: p99", percentile(calls, 0.99), "ms", 10))
        for figure, share in (("median", 0.5), ("p99", 0.99)):
            each = [percentile(calls, share) for calls in taken.values()]
            rows.append(Row(f"{name}: largest {figure} as a share of the smallest", max(each) / min(each), "", 1.5))
    return rows


def figures_of_people(kind: str, sizes: Sequence[int]) -> dict[int, list[float]]:
    """Measure over databases of their own, which keep every write as in earnest."""
    with ExitStack() as open_ones:
        if kind == "sqlite":
            folder = open_ones.enter_context(tempfile.TemporaryDirectory())
            addresses = {members: f"sqlite+aiosqlite:///{folder}/{members}.sqlite3" for members in sizes}
        else:
            addresses = {members: open_ones.enter_context(postgres_database(at_head=False)) for members in sizes}
            for address in addresses.values():
                asyncio.run(on_server(f'ALTER DATABASE "{make_url(address).database}" RESET synchronous_commit'))
        return asyncio.run(people.figures(addresses))


def measure_imports(quick: bool) -> list[Row]:
    """Import a file of a hundred thousand people over both databases; they keep every write as in earnest."""
    count = imports.PEOPLE // 10 if quick else imports.PEOPLE
    rows: list[Row] = []
    with tempfile.TemporaryDirectory() as name:
        file = Path(name) / "people.csv"
        imports.write_file(file, count)
        for kind in ("SQLite", "PostgreSQL"):
            what = f"`people import` of {count:,} people, {kind}"
            try:
                with ExitStack() as open_ones:
                    address = f"sqlite+aiosqlite:///{name}/bot.sqlite3"
                    if kind == "PostgreSQL":
                        address = open_ones.enter_context(postgres_database(at_head=True))
                        asyncio.run(
                            on_server(f'ALTER DATABASE "{make_url(address).database}" RESET synchronous_commit')
                        )
                    found = imports.imported(address, file, count)
            except pytest.skip.Exception as missing:
                return [*rows, Row(what, 0, "s", None, f"nothing measured. {missing}")]
            rows.append(Row(what, found.seconds, "s", 60, "two roles and three topics each"))
            rows.append(Row(f"{what}: most resident memory", found.megabytes, "MB", 300))
    return rows


def measure_asks(quick: bool) -> list[Row]:
    """Let two processes do what is due of ten thousand questions in a hundred workspaces."""
    questions = asks.QUESTIONS // 10 if quick else asks.QUESTIONS
    what = f"{questions:,} questions due at once in {asks.WORKSPACES} workspaces, two processes"
    try:
        with postgres_database(at_head=True) as address:
            asyncio.run(on_server(f'ALTER DATABASE "{make_url(address).database}" RESET synchronous_commit'))
            found = asyncio.run(asks.on_server(address, questions))
    except pytest.skip.Exception as missing:
        return [Row(what, 0, "s", None, f"nothing measured. {missing}")]
    return [
        Row(f"{what}: claimed", found.claimed, "questions", None, f"of {questions:,}"),
        Row(f"{what}: claimed twice", found.twice, "questions", 1),
        Row(f"{what}: last one claimed after", found.last_claim, "s", 60),
        Row("Most posts to one workspace in a minute", found.most_a_minute, "posts", 301, f"{found.posts:,} posts"),
        Row("Least time between two posts to one channel", found.least_apart, "s", None, "1 s at least"),
    ]


def measured(part: str, count: int, quick: bool) -> list[Row]:
    """Measure one part."""
    if part == "asks":
        return measure_asks(quick)
    if part == "people":
        return measure_people(quick)
    if part == "imports":
        return measure_imports(quick)
    if part == "workspaces":
        return asyncio.run(measure_workspaces(quick))
    if part == "flood":
        return asyncio.run(measure_flood(quick))
    return asyncio.run(measure(count) if part == "bot" else measure_page(count))


async def measure_workspaces(quick: bool) -> list[Row]:
    """Authorize requests of a thousand workspaces on one process; then send them over HTTP."""
    with tempfile.TemporaryDirectory() as name:
        taken = await workspaces.figures(Path(name), 2 if quick else workspaces.ROUNDS)
        found = await workspaces.served(Path(name), 3 if quick else workspaces.SERVED_ROUNDS)
    over = f"`/genai-role mlops` from {workspaces.WORKSPACES:,} workspaces in turn, 16 connections"
    asked = len(found.commands.milliseconds) + found.mentions
    what = f"Authorizing a request, {workspaces.WORKSPACES:,} workspaces"
    return [
        Row(f"{what}: first time, median", percentile(taken.cold, 0.5), "ms", None, "reads the database"),
        Row(f"{what}: warm, median", percentile(taken.warm, 0.5) * 1000, "µs", 100, f"{len(taken.warm):,} calls"),
        Row(f"{what}: warm, p99", percentile(taken.warm, 0.99) * 1000, "µs"),
        Row("Memory that all calls after the first round took", taken.after - taken.before, "MB", 5),
        Row("Tokens of another workspace", taken.mistakes, "calls", 1),
        Row(f"{over}: median", found.commands.at(0.5), "ms"),
        Row(f"{over}: p99", found.commands.at(0.99), "ms"),
        Row(f"{over}: throughput", found.commands.per_second, "requests/s"),
        Row("Resident memory after the first round over HTTP", found.before, "MB", 200),
        Row("Memory that the rounds after it took", found.after - found.before, "MB", 15, f"{asked:,} requests"),
        Row("Replies and calls that name another workspace", len(found.strays), "of all", 1),
    ]


async def measure_flood(quick: bool) -> list[Row]:
    """Let one person search far too often, beside others."""
    with tempfile.TemporaryDirectory() as name:
        found = await flood.figures(Path(name), 2.0 if quick else 10.0, 2 if quick else 4)
    beside = f"Searches of others beside {flood.A_SECOND} a second from one person"
    quiet, flooded = percentile(found.quiet, 0.99), percentile(found.beside, 0.99)
    return [
        Row("The flood: searches", found.sent / found.seconds, "requests/s", None, f"{found.sent:,} in all"),
        Row("The flood: answered with something to choose", found.answered, "requests"),
        Row("The flood: processor of the bot for a search", found.processor / found.sent * 1000, "ms"),
        Row(
            "Searches of others alone: median", percentile(found.quiet, 0.5), "ms", None, f"{len(found.quiet)} searches"
        ),
        Row("Searches of others alone: p99", quiet, "ms"),
        Row(f"{beside}: median", percentile(found.beside, 0.5), "ms", None, f"{len(found.beside)} searches"),
        Row(f"{beside}: p99", flooded, "ms"),
        Row("p99 of others beside the flood, as a share of that without", flooded / quiet, "", 2),
    ]


async def fill_team(database: Path) -> None:
    """Write the demo team into the workspace that is asked."""
    engine = open_engine(f"sqlite+aiosqlite:///{database}")
    now = datetime.now(UTC)
    members = SqlPeople(engine, random.Random(0))
    guide = load_guide(members, SqlThreads(engine), lambda: now)
    await fill(members, guide, "T0BENCH", read_team(TEAM, guide.catalog.roles), now)
    await engine.dispose()


async def measure(count: int) -> list[Row]:
    """Measure everything; ``count`` is how many commands go over one connection."""
    slack = SlackStandIn()
    await slack.start()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        database = folder / "bot.sqlite3"
        settings = bot_settings(slack.url, database)
        async with serving(["bot", "serve"], folder, settings) as server:
            first = server.ready_seconds
        await fill_team(database)
        starts = []
        for _ in range(2):
            async with serving(["bot", "serve"], folder, settings) as server:
                starts.append(server.ready_seconds)
        async with serving(["bot", "serve"], folder, settings) as server:
            starts.append(server.ready_seconds)
            idle = server.resident_megabytes()
            await load(server.events, "mlops", 1_000, 4, lambda answer: b"MLOps" in answer)
            used = server.resident_megabytes()
            rows = await measure_commands(server, slack, count)
            rows += await measure_mentions(server, slack, max(50, count // 10))
        rows += await measure_echo(slack, folder, max(20, count // 10), "after", "Bare Bolt echo, its defaults")
        rows += await measure_echo(slack, folder, count, "before", "Bare Bolt echo, process_before_response")
    rows += await measure_postgres(slack, Path(tempfile.gettempdir()), max(5, count * 60 // 2_000))
    await slack.stop()
    rows += ratios(rows)
    rows += await measure_guide()
    return [
        *rows,
        Row("Start to ready", sorted(starts)[1], "s", 1.5, "median of three"),
        Row("Start to ready, new database", first, "s", 1.5, "makes the schema"),
        Row("Resident memory after 1,000 commands", used, "MB", 200, f"{idle:.0f} MB when ready"),
    ]


def ratios(rows: list[Row]) -> list[Row]:
    """Set the bot beside the bare Bolt echo of the same run."""
    figure = {row.what: row.figure for row in rows}
    ours, echo = "`/genai-role mlops`", "Bare Bolt echo, its defaults"
    median = figure[f"{ours}, 1 connection: median"] / figure[f"{echo}, 1 connection: median"]
    behind = figure[f"{echo}, 16 connections: throughput"] / figure[f"{ours}, 16 connections: throughput"]
    return [
        Row("Median of a command at 1 connection, as a share of the bare Bolt echo's", median, "", 0.1),
        Row("The bare Bolt echo's throughput at 16 connections, as a share of the bot's", behind, "", 0.5),
    ]


def table(rows: list[Row]) -> list[str]:
    """Return the rows as a Markdown table, its columns in line."""
    cells = [("what", "figure", "target", "note"), *(row.cells() for row in rows)]
    widths = [max(len(row[at]) for row in cells) for at in range(4)]
    lines = [f"| {' | '.join(cell.ljust(width) for cell, width in zip(row, widths, strict=True))} |" for row in cells]
    return [lines[0], f"|{'|'.join('-' * (width + 2) for width in widths)}|", *lines[1:]]


def machine() -> str:
    """Say what the figures were taken on."""
    day = datetime.now(UTC).date().isoformat()
    cores = os.cpu_count() or 1
    return (
        f"Measured on {day}: {cores} core{'s' * (cores != 1)} ({platform.machine()}), "
        f"{platform.system()}, Python {platform.python_version()}. Load and bot share the machine."
    )


def with_figures(document: str, part: str, lines: list[str]) -> str:
    """Return the document with the lines between the two markers of a part."""
    begin, end = MARKS[part]
    before, rest = document.split(begin)
    _, after = rest.split(end)
    return "\n".join([before + begin, "", *lines, "", end]) + after


@click.command()
@click.option("--write", is_flag=True, help="Put the figures into docs/performance.md.")
@click.option("--quick", is_flag=True, help="A tenth of the load, to see that it works.")
@click.option("--part", "parts", type=click.Choice([*MARKS]), multiple=True, help="Measure this part alone.")
def main(write: bool, quick: bool, parts: tuple[str, ...]) -> None:
    """Measure the bot and its page on loopback; ends with 1 where a target is missed."""
    count = 200 if quick else 2_000
    met = True
    for part in parts or MARKS:
        rows = measured(part, count, quick)
        lines = [machine(), "", *table(rows)]
        click.echo("\n".join([*lines, ""]))
        met = met and all(row.met for row in rows)
        if write:
            PAGE.write_text(with_figures(PAGE.read_text("utf-8"), part, lines), "utf-8")
    sys.exit(0 if met else 1)


if __name__ == "__main__":
    main()
