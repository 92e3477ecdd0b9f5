"""What suggestions go by stands in the declarations themselves, copied from the profile and the terms;
and who stands in the directory."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from datetime import time as time_of_day
from typing import Any

from sqlalchemy import bindparam, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from knowledge.people import LEVELS
from storage.listings import list_anew
from storage.moments import FAR, NEVER
from storage.tables import declarations, members
from storage.tables import terms as terms_table

NO_LEVEL = len(LEVELS)
# Built once: with every declaration and every profile these are asked, and building them takes longer than asking.
_PROFILE, _TERMS = (
    select(table).where(table.c.workspace == bindparam("of"), table.c.user_id == bindparam("who"))
    for table in (members, terms_table)
)
_COPY = update(declarations).where(
    declarations.c.workspace == bindparam("of"), declarations.c.user_id == bindparam("who")
)


def free_from(weekly_cap: int | None, suggested: int, week: date) -> datetime:
    """Return from when on a person may be suggested, by their cap and how often they were in the week."""
    if weekly_cap is None or suggested < weekly_cap:
        return NEVER
    # A cap of none does not end with the week.
    return datetime.combine(week + timedelta(days=7), time_of_day(), UTC) if weekly_cap else FAR


async def copy_standing(connection: AsyncConnection, workspace: str, user: str) -> None:
    """Copy into the declarations what suggestions go by: the profile, the terms, and whether the cap is reached."""
    person = {"of": workspace, "who": user}
    profile = (await connection.execute(_PROFILE, person)).first()
    own = (await connection.execute(_TERMS, person)).first()
    known = profile is None or (profile.availability != "deactivated" and not profile.is_bot and not profile.is_guest)
    values: dict[str, Any] = {"suggestible": known}
    if profile is not None:
        values |= {"out_of_office": profile.availability == "ooo", "away": profile.availability == "away"}
    if own is not None:
        values["suggestible"] = known and own.visibility == "open" and not own.faded
        values["unnamed"] = known and own.visibility != "open" and not own.faded
        values["free_from"] = free_from(own.weekly_cap, own.suggested, own.week)
    await connection.execute(_COPY, person | values)
    name = profile.name if profile is not None else ""
    await list_anew(connection, workspace, user, name if own is not None and values["suggestible"] else None)
