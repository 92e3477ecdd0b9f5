"""Hold the choice of people against the policy in very many random workspaces; ends with 1 where one differs."""

from __future__ import annotations

import asyncio
import random
import sys
import tempfile
import time

import click

from storage.database import migrate, open_engine
from tests.policy import ROLES, TOPICS, Office, check, random_team

PER_FILE = 5_000
"""Workspaces in one database file."""


@click.command()
@click.option("--count", default=100_000, show_default=True, help="Random workspaces.")
@click.option("--seed", default=None, type=int, help="Begin with this one; each workspace has the next.")
def main(count: int, seed: int | None) -> None:
    """Try random workspaces: never a deactivated, opted-out, hidden, capped or external person, always the policy."""
    first = random.SystemRandom().getrandbits(32) if seed is None else seed
    click.echo(f"{count:,} random workspaces from seed {first}")
    started = time.perf_counter()
    for begin in range(0, count, PER_FILE):
        one_file(range(first + begin, first + min(count, begin + PER_FILE)))
        done = min(count, begin + PER_FILE)
        click.echo(f"{done:,} hold, {done / (time.perf_counter() - started):.0f} a second")


def one_file(seeds: range) -> None:
    """Try the workspaces of these seeds in a new database."""
    with tempfile.TemporaryDirectory() as folder:
        address = f"sqlite+aiosqlite:///{folder}/fuzz.sqlite3"
        asyncio.run(prepare(address))
        office = Office(address)
        try:
            for seed in seeds:
                rng = random.Random(seed)
                team = random_team(rng.randrange(13), rng)
                topics = rng.sample(TOPICS, rng.randrange(3))
                roles = rng.sample(ROLES, rng.randrange(4))
                try:
                    check(team, topics, roles, office.runner.run(office.chosen(team, topics, roles)))
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
