"""`python -m bot audit`: who changed settings, named curators, imported, exported and erased, and when."""

from __future__ import annotations

import json

from bot.offline import Say, database_of, workspace_of
from bot.settings import Settings
from knowledge.workspaces import Recorded
from storage.workspaces import SqlWorkspaces


async def write_audit(settings: Settings, say: Say, *, workspace: str | None, as_json: bool) -> int:
    """Write every entry of a workspace's audit log, oldest first; return how many.

    Raises SettingsError where the workspace or the database can't be used.
    """
    count = 0
    which = await workspace_of(settings, workspace)
    async with database_of(settings) as engine:
        async for entry in SqlWorkspaces(engine).all_recorded(which):
            say(json.dumps(entry.as_object(), ensure_ascii=False) if as_json else as_line(entry))
            count += 1
    return count


def as_line(entry: Recorded) -> str:
    """Write an entry as people read it."""
    changes = [
        f"{name}: {entry.before[name]} → {entry.after[name]}" if name in entry.before else f"{name}: {value}"
        for name, value in entry.after.items()
    ]
    parts = [f"{entry.when:%Y-%m-%d %H:%M} UTC", entry.who, entry.what, entry.about, *changes]
    return "  ".join(part for part in parts if part)
