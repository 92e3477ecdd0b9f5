"""What migrations make of rows that were there before: the same as the bot would write today."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from itertools import product
from typing import Any

from sqlalchemy import MetaData, select
from sqlalchemy.ext.asyncio import AsyncEngine

from knowledge.directory import Wanted
from storage.database import migrate
from storage.directory import SqlDirectory
from storage.listings import rows_for
from storage.standing import copy_standing
from storage.tables import asked, declarations, listings, members

NOW = datetime(2026, 5, 4, 9, tzinfo=UTC)
NEVER = datetime(1970, 1, 1, tzinfo=UTC)
MANY = 501
"""One more person than a migration reads at once."""


async def stood(engine: AsyncEngine, rows: Mapping[str, Sequence[dict[str, Any]]]) -> None:
    """Write rows into the tables as they are in the version that the database has."""
    async with engine.begin() as connection:
        there = MetaData()
        await connection.run_sync(lambda sync: there.reflect(sync, only=list(rows)))
        for name, some in rows.items():
            if some:
                await connection.execute(there.tables[name].insert(), list(some))


def profile(user: str, name: str, **changed: Any) -> dict[str, Any]:
    row = {"workspace": "T1", "user_id": user, "name": name, "title": "", "tz": "", "availability": "active"}
    return row | {"is_bot": False, "is_guest": False, "checked_at": NOW} | changed


def declared(user: str, kind: str, key: str, *, suggestible: bool = True, **changed: Any) -> dict[str, Any]:
    row = {"workspace": "T1", "user_id": user, "kind": kind, "key": key, "label": key.title(), "level": 0}
    row |= {"confirmed_at": NOW, "suggestible": suggestible, "out_of_office": False, "away": False}
    return row | {"suggested_at": NEVER, "lot": 1, "free_from": NEVER} | changed


def own_terms(user: str, visibility: str = "open", *, faded: bool = False, **changed: Any) -> dict[str, Any]:
    row: dict[str, Any] = {
        "workspace": "T1",
        "user_id": user,
        "visibility": visibility,
        "weekly_cap": None,
        "week": NOW.date(),
    }
    row |= {
        "week": NOW.date(),
        "suggested": 0,
        "confirmed_at": NOW,
        "check_at": NOW + timedelta(days=91),
        "unanswered": 0,
    }
    return row | {"faded": faded} | changed


async def test_whoever_declared_something_before_stands_in_the_directory(empty: AsyncEngine) -> None:
    await migrate(empty, "0005")
    names = {"U0ANN": "Ann Archer", "U0BEN": "Élodie de la Tour du Pin d'Été", "U0CAI": "蔡 小明", "U0DEE": "!?"}
    names |= {f"U1{number:03}": f"Person {number}" for number in range(MANY)}
    rows: dict[str, list[dict[str, Any]]] = {"members": [], "terms": [], "declarations": []}
    for user, name in names.items():
        rows["members"].append(profile(user, name))
        rows["terms"].append(own_terms(user))
        rows["declarations"].append(declared(user, "role", "mlops-engineer"))
    rows["declarations"] += [declared("U0ANN", "topic", "gdpr"), declared("U0ANN", "not", "jax")]
    # Whose profile was never read; who is hidden; who declares nothing to be asked about; who is of another workspace.
    rows["terms"] += [own_terms("U0NEW"), own_terms("U0HID", "hidden"), own_terms("U0NOT")]
    rows["declarations"] += [declared("U0NEW", "role", "data-engineer"), declared("U0NOT", "not", "jax")]
    rows["declarations"].append(declared("U0HID", "role", "data-engineer", suggestible=False))
    rows["members"] += [profile("U0HID", "Hidden"), profile("U0ANN", "Ann Elsewhere", workspace="T2")]
    rows["terms"].append(own_terms("U0ANN", workspace="T2"))
    rows["declarations"].append(declared("U0ANN", "role", "data-engineer", workspace="T2"))
    await stood(empty, rows)
    await migrate(empty)
    wanted: list[dict[str, Any]] = []
    for user, name in {**names, "U0NEW": ""}.items():
        theirs = [
            (row["kind"], row["key"])
            for row in rows["declarations"]
            if (row["workspace"], row["user_id"]) == ("T1", user)
        ]
        wanted += rows_for("T1", user, name, theirs)
    wanted += rows_for("T2", "U0ANN", "Ann Elsewhere", [("role", "data-engineer")])
    async with empty.connect() as connection:
        found = [dict(row) for row in (await connection.execute(select(listings))).mappings()]
    assert sorted(map(str, found)) == sorted(map(str, wanted))
    page = await SqlDirectory(empty).page("T1", Wanted(role="data-engineer"), 5)
    assert [entry.at.user for entry in page.entries] == ["U0NEW"]
    await migrate(empty, "0005")
    await migrate(empty)
    async with empty.connect() as connection:
        again = [dict(row) for row in (await connection.execute(select(listings))).mappings()]
    assert sorted(map(str, again)) == sorted(map(str, wanted))


async def test_a_question_that_was_kept_before_goes_after_its_thirty_days(empty: AsyncEngine) -> None:
    await migrate(empty, "0005")
    noted = [date(2026, 5, 4), date(2026, 12, 15), date(2028, 1, 31), date(2027, 1, 30)]
    row = {"workspace": "T1", "kind": "none", "entries": [], "confidence": 0.0, "verdict": None, "question": ""}
    await stood(empty, {"asked": [{**row, "id": f"{at}", "noted_on": day} for at, day in enumerate(noted)]})
    await migrate(empty)
    async with empty.connect() as connection:
        found = {row.id: row.gone_on for row in await connection.execute(select(asked.c.id, asked.c.gone_on))}
    assert found == {f"{at}": day + timedelta(days=30) for at, day in enumerate(noted)}


async def test_who_may_be_asked_without_being_named_is_so_by_what_stood_there(empty: AsyncEngine) -> None:
    await migrate(empty, "0011")
    rows: dict[str, list[dict[str, Any]]] = {"members": [], "terms": [], "declarations": []}
    standings: dict[str, dict[str, Any]] = {
        "active": {},
        "left": {"availability": "deactivated"},
        "bot": {"is_bot": True},
        "guest": {"is_guest": True},
    }
    users: dict[str, tuple[str, bool, str]] = {}
    for visibility, faded, standing in product(("open", "ask_first", "hidden"), (False, True), (*standings, "unread")):
        user = f"U{len(users):03}"
        users[user] = visibility, faded, standing
        may = visibility == "open" and not faded and standing in ("active", "unread")
        rows["terms"].append(own_terms(user, visibility, faded=faded))
        rows["declarations"] += [
            declared(user, kind, key, suggestible=may) for kind, key in (("role", "mlops-engineer"), ("topic", "gdpr"))
        ]
        if standing != "unread":
            rows["members"].append(profile(user, user, **standings[standing]))
    # The same ids elsewhere say nothing of these.
    rows["terms"].append(own_terms("U000", "hidden", workspace="T2"))
    rows["declarations"].append(declared("U000", "role", "mlops-engineer", suggestible=False, workspace="T2"))
    await stood(empty, rows)
    await migrate(empty)
    d = declarations.c
    query = select(d.workspace, d.user_id, d.kind, d.suggestible, d.unnamed).order_by(d.workspace, d.user_id, d.kind)
    async with empty.begin() as connection:
        found = (await connection.execute(query)).all()
        for workspace, user in {(row[0], row[1]) for row in found}:
            await copy_standing(connection, workspace, user)
        # As it is written with every change of a person's terms or profile.
        assert (await connection.execute(query)).all() == found
    unnamed = {user for workspace, user, _, _, is_so in found if is_so and workspace == "T1"}
    assert unnamed == {
        user
        for user, (visibility, faded, standing) in users.items()
        if visibility != "open" and not faded and standing in ("active", "unread")
    }
    assert len(unnamed) == 4


async def test_whoever_had_left_before_is_kept_for_their_days_from_now_on(empty: AsyncEngine) -> None:
    await migrate(empty, "0013")
    left = {"availability": "deactivated", "checked_at": NEVER}
    await stood(empty, {"members": [profile("U0ANN", "Ann"), profile("U0BEN", "Ben", **left)]})
    before = datetime.now(UTC)
    await migrate(empty)
    async with empty.connect() as connection:
        rows = await connection.execute(select(members.c.user_id, members.c.left_at))
        found = {row.user_id: row.left_at for row in rows}
    assert found["U0ANN"] is None and found["U0BEN"] is not None
    assert found["U0BEN"] >= before
