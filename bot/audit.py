"""`python -m bot audit`: who changed settings, named curators, imported, exported and erased, and when."""

from __future__ import annotations

import json
from collections.abc import Mapping

from bot.offline import Say, database_of, workspace_of
from bot.settings import Settings
from handlers.blocks.audit import as_object, changes, names_of
from knowledge.catalog import load_catalog
from knowledge.workspaces import Recorded
from storage.team_entries import SqlTeamEntries
from storage.workspaces import SqlWorkspaces


async def write_audit(settings: Settings, say: Say, *, workspace: str | None, as_json: bool) -> int:
    """Write every entry of a workspace's audit log, oldest first; return how many.

    Raises SettingsError where the workspace or the database can't be used.
    """
    count = 0
    which = await workspace_of(settings, workspace)
    async with database_of(settings) as engine:
        names = names_of(load_catalog(), await SqlTeamEntries(engine).known(which))
        async for entry in SqlWorkspaces(engine).all_recorded(which):
            said = as_object(entry, names)
            say(json.dumps(said, ensure_ascii=False) if as_json else as_line(entry, names))
            count += 1
    return count


def as_line(entry: Recorded, names: Mapping[str, str]) -> str:
    """Write an entry as people read it."""
    parts = [f"{entry.when:%Y-%m-%d %H:%M} UTC", entry.who, entry.what, entry.about, *changes(entry, names)]
    return "  ".join(part for part in parts if part)
