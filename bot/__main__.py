"""The command line: `python -m bot …`."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from pathlib import Path
from typing import Literal, ParamSpec, TypeVar

import click

from bot.loop import made_to_stay
from bot.loop import run as run_loop
from bot.settings import Settings, SettingsError, hide_from_libraries, load_settings, mode_of

P = ParamSpec("P")
F = TypeVar("F", bound=Callable[..., None])


def _plainly(run: Callable[P, None]) -> Callable[P, None]:
    """Say what is wrong with settings or input in a sentence, and end with 2."""

    @wraps(run)
    def wrapped(*args: P.args, **kwargs: P.kwargs) -> None:
        try:
            run(*args, **kwargs)
        except SettingsError as error:
            click.echo(str(error), err=True)
            sys.exit(2)

    return wrapped


def _settings() -> Settings:
    from bot.logs import set_up_logging

    settings = load_settings()
    hide_from_libraries()
    set_up_logging(settings)
    return settings


_LOCAL = (
    click.option("--empty", is_flag=True, help="Local workspace: start without the demo team."),
    click.option("--terminal", is_flag=True, help="Local workspace: a prompt here, and no page is opened."),
    click.option("--no-browser", is_flag=True, help="Local workspace: print the page's address, open nothing."),
)


def _local_options(command: F) -> F:
    for option in reversed(_LOCAL):
        command = option(command)
    return command


@click.group(invoke_without_command=True, context_settings={"help_option_names": ["-h", "--help"]})
@_local_options
@click.pass_context
@_plainly
def main(context: click.Context, empty: bool, terminal: bool, no_browser: bool) -> None:
    """Explain generative-AI roles in Slack and suggest who to ask.

    Without a command: Slack where credentials are set, else the local workspace.
    """
    chosen = empty or terminal or no_browser
    if chosen and context.invoked_subcommand is not None:
        raise click.UsageError("--empty, --terminal and --no-browser go after the command: python -m bot local --empty")
    if context.invoked_subcommand is None:
        settings = _settings()
        mode = mode_of(settings)
        if chosen and mode != "local":
            raise click.UsageError(
                "--empty, --terminal and --no-browser are for the local workspace, and Slack credentials are set. "
                "Start it with: python -m bot local"
            )
        match mode:
            case "local":
                click.echo("No Slack credentials are set: starting the local workspace.", err=True)
                _local(settings, empty=empty, terminal=terminal, browser=not no_browser)
            case "http":
                _serve(settings)
            case "socket":
                _socket(settings)


@main.command()
@click.option("--no-worker", is_flag=True, help="Leave the events to worker processes (needs PostgreSQL).")
@_plainly
def serve(no_worker: bool) -> None:
    """Serve Slack over HTTP."""
    _serve(_settings(), work="web" if no_worker else "all")


@main.command()
@_plainly
def worker() -> None:
    """Work the inbox off without taking requests (needs PostgreSQL); health is served where PORT is set."""
    with made_to_stay():
        from bot.serve import work_only

    run_loop(work_only(_settings(), lambda line: click.echo(line, err=True)))


def _serve(settings: Settings, work: Literal["all", "web"] = "all") -> None:
    with made_to_stay():
        from bot.serve import serve as run

    if mode_of(settings) == "local":
        raise SettingsError(
            "No Slack credentials are set. Set SLACK_BOT_TOKEN and SLACK_SIGNING_SECRET, "
            "or try the bot without Slack: python -m bot local"
        )
    run_loop(run(settings, lambda line: click.echo(line, err=True), work))


@main.command()
@_plainly
def socket() -> None:
    """Serve Slack over Socket Mode: the bot connects, and needs no public address."""
    _socket(_settings())


def _socket(settings: Settings) -> None:
    with made_to_stay():
        from bot.serve import serve_socket

    run_loop(serve_socket(settings, lambda line: click.echo(line, err=True)))


@main.command()
@click.option("--database", metavar="URL", help="Keep the data there, and not in the local workspace's own file.")
@_local_options
@_plainly
def local(database: str | None, empty: bool, terminal: bool, no_browser: bool) -> None:
    """Start the local workspace: a page that stands in for Slack, with a demo team."""
    _local(_settings(), database, empty=empty, terminal=terminal, browser=not no_browser)


def _local(
    settings: Settings,
    database: str | None = None,
    *,
    empty: bool = False,
    terminal: bool = False,
    browser: bool = True,
) -> None:
    with made_to_stay():
        from bot.demo import run_demo

    asyncio.run(run_demo(settings, database, empty=empty, terminal=terminal, browser=browser))


@main.command()
@click.option("--revision", default="head", help="The schema version to go to; base empties the database.")
@_plainly
def migrate(revision: str) -> None:
    """Bring the database's schema up to date."""
    from bot.migrations import run

    click.echo(asyncio.run(run(_settings(), revision)))


@main.command()
def check() -> None:
    """Check the knowledge content, and say everything that is wrong with it."""
    from knowledge.checking import check_content
    from knowledge.errors import ContentError

    try:
        click.echo(f"The content is valid: {check_content()}.")
    except ContentError as error:
        click.echo(str(error), err=True)
        click.echo(f"{len(error.problems)} problems.", err=True)
        sys.exit(1)


@main.command()
@click.option("--json", "as_object", is_flag=True, help="Print the findings as a JSON object.")
@click.option("--replay", metavar="EVENT_ID|all", help="Let an event that was given up, or all, be worked off again.")
@_plainly
def doctor(as_object: bool, replay: str | None) -> None:
    """Say what is wrong with settings, Slack, clock, database and inbox, and how to mend it."""
    from bot import doctor as work

    try:
        settings = _settings()
    except SettingsError as error:
        report = work.Report([work.Finding("settings", "wrong", str(error).replace("\n", "; "))])
    else:
        if replay is not None:
            count = asyncio.run(work.replay(settings, None if replay == "all" else replay))
            click.echo(json.dumps({"replayed": count}) if as_object else f"Events that wait again: {count}")
            sys.exit(0 if count or replay == "all" else 1)
        report = asyncio.run(work.examine(settings))
    if as_object:
        click.echo(work.as_json(report))
    elif sys.stdout.isatty():
        work.show(report)
    else:
        click.echo("\n".join(work.as_lines(report)))
    sys.exit(0 if report.ok else 1)


@main.command()
@click.argument("text", nargs=-1)
@click.option("--json", "as_object", is_flag=True, help="Print the answer as a JSON object.")
@click.option("--batch", is_flag=True, help="Read JSON Lines from standard input, write one line for each.")
@click.option("--team", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="JSON file of members.")
@_plainly
def ask(text: tuple[str, ...], as_object: bool, batch: bool, team: Path | None) -> None:
    """Answer a question without Slack, as people would read it."""
    from bot.ask import BadLine, answer_batch, answer_one, as_json

    try:
        if batch:
            asyncio.run(answer_batch(sys.stdin, lambda found: click.echo(as_json(found)), team))
        elif text:
            found = asyncio.run(answer_one(" ".join(text), team))
            click.echo(as_json(found) if as_object else found.text)
        else:
            click.echo('Say what to ask, for instance: python -m bot ask "what does an MLOps engineer do?"', err=True)
            sys.exit(2)
    except BadLine as error:
        click.echo(str(error), err=True)
        sys.exit(2)


@main.command()
@click.argument("title", nargs=-1)
@click.option("--batch", is_flag=True, help="Read JSON Lines from standard input, write one line for each.")
def suggest(title: tuple[str, ...], batch: bool) -> None:
    """Say which roles the title in a profile suggests, best first."""
    from bot.ask import BadLine
    from bot.suggest import as_json, read_titles
    from bot.suggest import suggest as work

    if not batch and not title:
        click.echo('Say which title, for instance: python -m bot suggest "Sr. PM, AI Platform"', err=True)
        sys.exit(2)
    try:
        for roles in work(read_titles(sys.stdin) if batch else [" ".join(title)]):
            click.echo(as_json(roles))
    except BadLine as error:
        click.echo(str(error), err=True)
        sys.exit(2)


@main.command()
@click.option("--days", type=click.IntRange(1, 30), default=30, show_default=True, help="How far to look back.")
@click.option("--json", "as_object", is_flag=True, help="Print the groups as a JSON object.")
@_plainly
def insights(days: int, as_object: bool) -> None:
    """List questions that had no answer, or one that did not help, in groups."""
    from bot import insights as work

    found = asyncio.run(work.gather(_settings(), days))
    click.echo(work.as_json(found) if as_object else "\n".join(work.as_lines(found)))


@main.command()
@click.option("--json", "as_lines", is_flag=True, help="Write JSON Lines, one entry a line.")
@click.option("--workspace", metavar="ID", help="That workspace, and not the bot token's.")
@_plainly
def audit(as_lines: bool, workspace: str | None) -> None:
    """Write out the audit log of a workspace, oldest entry first."""
    from bot import audit as work

    settings = _settings()
    with _bad_lines():
        asyncio.run(work.write_audit(settings, click.echo, workspace=workspace, as_json=as_lines))


@main.group()
def keys() -> None:
    """Look after the keys that tokens and private text are encrypted with."""


@keys.command("rotate")
@click.option("--lost", is_flag=True, help="Drop what no key opens: only where that key is gone for good.")
@_plainly
def rotate_keys(lost: bool) -> None:
    """Encrypt everything with the newest of ENCRYPTION_KEYS; the bot may run meanwhile."""
    from bot.rotate import rotate_keys as work

    click.echo(asyncio.run(work(_settings(), _progress, lost=lost)))


@main.group()
def people() -> None:
    """Import, export and erase members and what they declared."""


_WORKSPACE = click.option("--workspace", metavar="ID", help="That workspace, and not the bot token's.")
_FILE = click.argument("file", type=click.Path(dir_okay=False, path_type=Path))


@people.command("import")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@_WORKSPACE
@click.option("--dry-run", is_flag=True, help="Check the file, say what would be done, and write nothing.")
@click.option("--skip-bad", is_flag=True, help="Leave lines out that can't be used, and import the others.")
@_plainly
def import_people(file: Path, workspace: str | None, dry_run: bool, skip_bad: bool) -> None:
    """Import members and declarations from a JSON or CSV file."""
    from bot import people_file as work

    settings = _settings()
    with _bad_lines():
        counted = asyncio.run(
            work.import_people(
                settings,
                file,
                workspace=workspace,
                dry_run=dry_run,
                skip_bad=skip_bad,
                say=lambda line: click.echo(line, err=True),
                progress=_progress,
            )
        )
        click.echo(work.told(counted, dry_run=dry_run))


@people.command("export")
@_FILE
@_WORKSPACE
@click.option("--person", metavar="ID", help="All that is kept about that person, as JSON.")
@_plainly
def export_people(file: Path, workspace: str | None, person: str | None) -> None:
    """Export everybody who declared something to a JSON or CSV file."""
    from bot import people_file as work

    settings = _settings()
    with _bad_lines():
        if person is None:
            count = asyncio.run(work.export_people(settings, file, workspace=workspace, progress=_progress))
            click.echo(f"People exported: {count:,}")
        else:
            click.echo(f"Rows exported: {asyncio.run(work.export_person(settings, file, person, workspace=workspace))}")


@people.command("forget")
@click.argument("person")
@_WORKSPACE
@_plainly
def forget_person(person: str, workspace: str | None) -> None:
    """Erase all that is kept about one person, as their own "forget me" does."""
    from bot import people_file as work

    settings = _settings()
    with _bad_lines():
        count = asyncio.run(work.forget_person(settings, person, workspace=workspace))
        click.echo(f"Rows deleted: {count}. A keyed hash stays, so that no import brings the person back.")


@main.group()
def entries() -> None:
    """Import and export what a workspace knows beyond the bundled knowledge: entries, topics, and its own words."""


@entries.command("import")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@_WORKSPACE
@click.option("--dry-run", is_flag=True, help="Check the file, say what each line would do, and write nothing.")
@click.option("--checked", metavar="MARK", help="Write only what the dry run said that ended with this mark.")
@_plainly
def import_entries(file: Path, workspace: str | None, dry_run: bool, checked: str | None) -> None:
    """Import entries and words from a JSON or CSV file."""
    from bot import entries_file as work

    settings = _settings()
    with _bad_lines():
        done = asyncio.run(
            work.import_entries(
                settings,
                file,
                workspace=workspace,
                dry_run=dry_run,
                checked=checked,
                say=lambda line: click.echo(line, err=True),
                progress=_progress,
            )
        )
        click.echo(work.told(done, dry_run=dry_run))


@entries.command("export")
@_FILE
@_WORKSPACE
@_plainly
def export_entries(file: Path, workspace: str | None) -> None:
    """Export every entry and word of a workspace to a JSON or CSV file."""
    from bot import entries_file as work

    settings = _settings()
    with _bad_lines():
        click.echo(f"Rows exported: {asyncio.run(work.export_entries(settings, file, workspace=workspace)):,}")


@contextmanager
def _bad_lines() -> Iterator[None]:
    """Say what is wrong with a file in a sentence, and end with 2."""
    from bot.ask import BadLine

    try:
        yield
    except BadLine as error:
        click.echo(str(error), err=True)
        sys.exit(2)


@contextmanager
def _progress(label: str, length: int) -> Iterator[Callable[[int], None]]:
    """Show a bar on a terminal; without one, or without a known length, nothing."""
    if length and sys.stderr.isatty():
        with click.progressbar(length=length, label=label, file=sys.stderr) as bar:
            yield bar.update
    else:
        yield lambda _steps: None


if __name__ == "__main__":
    main(prog_name="python -m bot")
