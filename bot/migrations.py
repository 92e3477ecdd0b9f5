"""`python -m bot migrate`."""

from __future__ import annotations

from bot.settings import Settings, SettingsError
from storage.database import migrate, open_engine, schema_version


async def run(settings: Settings, revision: str) -> str:
    """Bring the schema to a revision and say which it is then."""
    try:
        engine = open_engine(settings.database)
    except ValueError as error:
        raise SettingsError(str(error)) from error
    try:
        await migrate(engine, revision)
        async with engine.connect() as connection:
            return f"The schema is at version {await schema_version(connection) or 'none'}."
    finally:
        await engine.dispose()
