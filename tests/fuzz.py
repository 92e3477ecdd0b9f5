"""Run the properties for long; ends with 1 where one does not hold.

`policy` holds the choice of people against the policy in very many random workspaces; `front-door` throws mutated
payloads at a whole bot over signed HTTP.
"""

from __future__ import annotations

import asyncio
import logging
import random
import sys
import tempfile
import time
from dataclasses import replace
from functools import partial

import click

from bot.local import LocalSlack
from knowledge.catalog import load_catalog
from knowledge.guide import Guide
from knowledge.index import load_index, load_translator
from storage.database import migrate, open_engine
from tests.conftest import MEMBERS, Clock, MakeGuide, Sleeper, Start
from tests.fuzz_front_door import IDS, Fuzzer
from tests.handlers.test_who_may import furnish
from tests.policy import ROLES, TOPICS, Office, random_team

PER_FILE = 5_000
"""Workspaces in one database file."""
PER_BOT = 2_000
"""Payloads that one bot is sent: the next one begins with a workspace that is as new as its seed."""


@click.command()
@click.option("--part", type=click.Choice(["policy", "front-door"]), default="policy", show_default=True)
@click.option("--count", default=100_000, show_default=True, help="Random workspaces of the policy.")
@click.option("--minutes", default=60.0, show_default=True, help="How long the front door is tried.")
@click.option("--seed", default=None, type=int, help="Begin with this one; each workspace, or bot, has the next.")
def main(part: str, count: int, minutes: float, seed: int | None) -> None:
    """Try for long what the tests try for seconds."""
    first = random.SystemRandom().getrandbits(32) if seed is None else seed
    if part == "policy":
        policy(count, first)
    else:
        asyncio.run(front_door(minutes * 60, first))


async def front_door(seconds: float, first: int) -> None:
    """Throw mutated payloads at one bot after the other: no server error, nothing logged that alarms, no hang."""
    click.echo(f"the front door for {seconds / 60:g} minutes from seed {first}")
    logging.getLogger().addHandler(logging.NullHandler())
    make_guide = guide_maker()
    ends, seed, sent = time.monotonic() + seconds, first, 0
    while (left := ends - time.monotonic()) > 0:
        clock, sleeper = Clock(), Sleeper()
        with tempfile.TemporaryDirectory() as folder:
            address = f"sqlite+aiosqlite:///{folder}/fuzz.sqlite3"
            await prepare(address)
            members = [replace(member) for member in MEMBERS]
            async with LocalSlack(clock=clock.seconds, sleep=sleeper, members=members) as slack:
                start = Start(slack, address, clock, sleeper, make_guide)
                async with start() as bot:
                    await furnish(slack, bot, clock)
                    fuzzer = Fuzzer(slack, bot, random.Random(seed), IDS, partial(clock.move, seconds=1))
                    await fuzzer.run(PER_BOT, left)
        sent += fuzzer.sent
        if fuzzer.wrong:
            click.echo(f"seed {seed}, request {fuzzer.sent}:\n" + "\n".join(fuzzer.wrong))
            sys.exit(1)
        click.echo(f"{sent:,} requests, no fault")
        seed += 1


def guide_maker() -> MakeGuide:
    """Return what makes a guide over the bundled content, which is read once."""
    catalog = load_catalog()
    index = load_index(catalog)
    translator = load_translator(index.matcher)
    return lambda people, threads, now, team: Guide(catalog, index, people, threads, now, translator, team)


def policy(count: int, first: int) -> None:
    """Try random workspaces: never a deactivated, opted-out, hidden, capped or external person, always the policy."""
    click.echo(f"{count:,} random workspaces from seed {first}")
    make_guide, started = guide_maker(), time.perf_counter()
    for begin in range(0, count, PER_FILE):
        one_file(range(first + begin, first + min(count, begin + PER_FILE)), make_guide)
        done = min(count, begin + PER_FILE)
        click.echo(f"{done:,} hold, {done / (time.perf_counter() - started):.0f} a second")


def one_file(seeds: range, make_guide: MakeGuide) -> None:
    """Try the workspaces of these seeds in a new database."""
    with tempfile.TemporaryDirectory() as folder:
        address = f"sqlite+aiosqlite:///{folder}/fuzz.sqlite3"
        asyncio.run(prepare(address))
        office = Office(address, make_guide)
        try:
            for seed in seeds:
                rng = random.Random(seed)
                team = random_team(rng.randrange(13), rng)
                topics = rng.sample(TOPICS, rng.randrange(3))
                roles = rng.sample(ROLES, rng.randrange(4))
                try:
                    office.runner.run(office.hold(team, topics, roles))
                except AssertionError as error:
                    click.echo(f"seed {seed}: {error or 'not the order of the policy'}\n{team}\n{topics} {roles}")
                    sys.exit(1)
        finally:
            office.close()


async def prepare(address: str) -> None:
    """Make the schema."""
    engine = open_engine(address)
    await migrate(engine)
    await engine.dispose()


if __name__ == "__main__":
    main()
