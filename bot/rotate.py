"""`python -m bot keys rotate`: encrypt everything with the newest key, so that older ones may go."""

from __future__ import annotations

from bot.app import open_database
from bot.migrations import UNUSABLE, unusable
from bot.offline import Progress
from bot.settings import Settings, SettingsError
from storage.database import head_version, schema_version
from storage.rotation import left, rotate


async def rotate_keys(settings: Settings, progress: Progress) -> str:
    """Go through the database once; return what there is to say. Raises SettingsError where some text stays shut."""
    engine = open_database(settings)
    try:
        async with engine.connect() as connection:
            if await schema_version(connection) != head_version():
                raise SettingsError("The database's schema is not current. Run: python -m bot migrate")
        with progress("Encrypting anew", await left(engine)) as step:
            done = await rotate(engine, step)
    except UNUSABLE as error:
        raise unusable(settings.database, error) from error
    finally:
        await engine.dispose()
    if done.unreadable:
        raise SettingsError(
            f"Encrypted with the newest key: {done.renewed:,}. No key opens {done.unreadable:,} more: put the missing "
            "key back behind the others in ENCRYPTION_KEYS, and run this again."
        )
    return (
        f"Encrypted with the newest key: {done.renewed:,}. Keys before it are needed for the buttons of questions that "
        "are open now, and for nothing else."
    )
