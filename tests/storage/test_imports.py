"""Imports, for any workspace and any file: what is said beforehand is done, once, and not to who spoke themselves."""

from __future__ import annotations

import csv
import io
import json
import random
from collections.abc import Awaitable, Callable, Sequence
from datetime import timedelta
from itertools import count
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from knowledge.people import LEVELS, Listed
from knowledge.people_rows import (
    COLUMNS,
    WRITTEN,
    Names,
    cells_of,
    names_of,
    person_of_cells,
    read_people,
    row_of,
)
from knowledge.rows import csv_rows, json_rows
from storage.bulk import SqlPeopleInBulk
from storage.freshness import SqlFreshness
from storage.people import SqlPeople
from storage.tables import declarations, forgotten, listings, members, vacated
from storage.tables import terms as terms_table
from tests.bundled import index
from tests.policy import Office
from tests.storage.conftest import NOW
from tests.storage.test_policy import office

__all__ = ["office"]
USERS = [f"U0{name}" for name in ("ANN", "BEN", "CAI", "DEE")]
ROLES = ("mlops-engineer", "data-engineer", "prompt-engineer")
TOUCHED = (declarations, forgotten, listings, members, terms_table, vacated)
WORKSPACES = count()
NAMES: list[Names] = []

# As it is kept of people: no blanks around it, no signs that are no text. In a table a semicolon parts topics.
signs = st.characters(codec="utf-8", exclude_categories=("Cc", "Cs", "Zs", "Zl", "Zp"), exclude_characters=";")
words = st.lists(st.text(signs, min_size=1, max_size=8), min_size=1, max_size=3).map(" ".join)
topics = st.lists(words | st.sampled_from(["k8s", "Kubernetes", "GDPR", "=1+1", "'=x", "-y"]), max_size=3)
terms: st.SearchStrategy[dict[str, Any]] = st.builds(
    dict,
    visibility=st.sampled_from(["open", "ask_first", "hidden"]),
    weekly_cap=st.none() | st.integers(0, 5),
    not_about=topics,
)
people = st.fixed_dictionaries(
    {
        "id": st.sampled_from(USERS),
        "name": words | st.just(""),
        "title": words | st.just(""),
        "tz": st.sampled_from(["", "Europe/Berlin"]),
        "status": st.sampled_from(["active", "away", "ooo", "deactivated"]),
        "declared": st.dictionaries(st.sampled_from(ROLES), st.sampled_from(LEVELS), max_size=2).map(
            lambda found: [{"role": role, "level": level} for role, level in found.items()]
        ),
        "topics": topics,
    },
    optional={"guest": st.booleans(), "bot": st.booleans()},
)
rows = st.builds(lambda one, more: one | more, people, terms | st.just({}))
files = st.lists(rows, max_size=3, unique_by=lambda row: row["id"])
# What happened in a workspace before: an import, or something that a person did themself.
pasts = st.lists(files | st.tuples(st.sampled_from(["declare", "forget", "confirm", "stop"]), rows), max_size=4)


def names() -> Names:
    if not NAMES:
        NAMES.append(names_of(index().matcher))
    return NAMES[0]


def read(text: str, form: str) -> list[Listed]:
    """Return the people whom a file gives; topics that are none are left out as a line that can't be used."""
    if form == "json":
        found = read_people(json_rows(text, "member", "x"), names())
    else:
        found = read_people(csv_rows(io.StringIO(text, newline=""), COLUMNS, "id", person_of_cells), names())
    return [one.listed for one in found if one.listed is not None]


def written(everybody: Sequence[Listed], form: str) -> str:
    if form == "json":
        return json.dumps([row_of(one) for one in everybody])
    table = io.StringIO(newline="")
    csv.writer(table, lineterminator="\n").writerows([COLUMNS, *(cells_of(row_of(one)) for one in everybody)])
    return table.getvalue()


class World:
    """Hold one workspace in a database, and what happens in it."""

    def __init__(self, office: Office) -> None:
        self.engine, self.workspace = office.engine, f"W{next(WORKSPACES)}"
        self.people = SqlPeople(self.engine, random.Random(1))
        self.bulk = SqlPeopleInBulk(self.engine, random.Random(1))
        self.freshness = SqlFreshness(self.engine)

    async def happens(self, past: Sequence[Any]) -> None:
        for number, event in enumerate(past):
            now = NOW + timedelta(days=number)
            if isinstance(event, list):
                await self.bulk.declare_many(self.workspace, read(json.dumps(event), "json"), now)
                continue
            what, row = event
            user = row["id"]
            for one in read(json.dumps([row]), "json"):
                match what:
                    case "declare":
                        await self.people.declare(self.workspace, user, one.roles, one.topics, now, one.terms)
                        await self.people.remember(self.workspace, one.member, now)
                    case "forget":
                        await self.people.forget(self.workspace, user)
                    case "confirm":
                        await self.freshness.confirm(self.workspace, user, now)
                    case "stop":
                        await self.freshness.stop(self.workspace, user)

    async def state(self) -> str:
        """Return every row of the workspace that an import could touch."""
        found = []
        async with self.engine.connect() as connection:
            for table in TOUCHED:
                query = select(table).where(table.c.workspace == self.workspace).order_by(*table.primary_key.columns)
                found += [f"{table} {dict(row)}" for row in (await connection.execute(query)).mappings()]
        return "\n".join(found)

    async def everybody(self) -> list[Listed]:
        return [one async for one in self.bulk.everybody(self.workspace)]


def holds(office: Office, examples: int, check: Callable[..., Awaitable[None]], **given_: Any) -> None:
    """Hold a check against random workspaces, each of its own in one database."""

    @settings(
        max_examples=examples if office.engine.dialect.name == "sqlite" else examples // 3,
        deadline=None,
        suppress_health_check=[HealthCheck.too_slow],
        # What fails is short enough, and an example takes long.
        phases=[Phase.explicit, Phase.reuse, Phase.generate],
    )
    @given(**given_)
    def hold(**values: Any) -> None:
        office.runner.run(check(World(office), **values))  # type: ignore[arg-type]

    hold()


def test_a_dry_run_says_what_is_done_and_a_second_time_nothing_is(office: Office) -> None:
    async def check(world: World, past: Sequence[Any], file: Sequence[Any]) -> None:
        await world.happens(past)
        listed = read(json.dumps(file), "json")
        before = await world.state()
        planned = [one.became for one in await world.bulk.planned(world.workspace, listed)]
        assert await world.state() == before
        assert list(await world.bulk.declare_many(world.workspace, listed, NOW)) == planned
        once = await world.state()
        assert (once == before) is not any(one in WRITTEN for one in planned)
        again = await world.bulk.declare_many(world.workspace, listed, NOW + timedelta(days=9))
        assert await world.state() == once
        assert [{"added": "same", "changed": "same"}.get(one, one) for one in planned] == list(again)

    holds(office, 30, check, past=pasts, file=files)


def test_nobody_is_changed_who_spoke_themself_and_nobody_forgotten_comes_back(office: Office) -> None:
    async def check(world: World, past: Sequence[Any], file: Sequence[Any]) -> None:
        await world.happens(past)
        listed = read(json.dumps(file), "json")
        own, gone = set(), set()
        for at, event in enumerate(past):
            for one in read(json.dumps(event if isinstance(event, list) else [event[1]]), "json"):
                user, what = one.member.user, "import" if isinstance(event, list) else event[0]
                if what == "forget":
                    own.discard(user)
                    gone.add(user)
                elif what == "declare" and (one.roles or one.topics):
                    own.add(user)
                    gone.discard(user)
                elif what == "declare":
                    own.discard(user)
                elif what != "import" and (await world_after(office, past[:at], user)):
                    own.add(user)
        before = {user: await world.people.declaration(world.workspace, user) for user in USERS}
        became = dict(zip((one.member.user for one in listed), await imported(world, listed), strict=True))
        for user in USERS:
            after = await world.people.declaration(world.workspace, user)
            if user in own or user in gone or became.get(user) not in WRITTEN:
                assert after == before[user]
            if user in own & set(became):
                assert became[user] in ("own", "empty")
            if user in gone & set(became):
                assert became[user] == "forgotten" and not after.roles and not after.topics
        for one in listed:
            if became[one.member.user] in WRITTEN:
                after = await world.people.declaration(world.workspace, one.member.user)
                assert (after.roles, after.topics, after.imported) == (one.roles, one.topics, True)
                assert one.terms is None or after.terms == one.terms

    async def imported(world: World, listed: Sequence[Listed]) -> Sequence[str]:
        return await world.bulk.declare_many(world.workspace, listed, NOW)

    async def world_after(office: Office, past: Sequence[Any], user: str) -> bool:
        """Tell whether anything was declared of a person by then: else there is nothing to say something about."""
        then = World(office)
        await then.happens(past)
        return await then.people.declares(then.workspace, user)

    holds(office, 30, check, past=pasts, file=files)


@pytest.mark.parametrize("form", ["json", "csv"])
def test_what_is_exported_is_the_same_in_another_workspace(office: Office, form: str) -> None:
    async def check(world: World, past: Sequence[Any]) -> None:
        await world.happens(past)
        everybody = await world.everybody()
        other = World(office)
        became = await other.bulk.declare_many(other.workspace, read(written(everybody, form), form), NOW)
        assert list(became) == ["added"] * len(everybody)
        assert await other.everybody() == everybody

    holds(office, 30, check, past=pasts)
