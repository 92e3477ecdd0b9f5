"""`python -m bot migrate`, and what is said of a database that can't be used."""

from __future__ import annotations

import logging

from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from bot.settings import Settings, SettingsError
from storage.database import engine_url, migrate, open_engine, schema_version, versions

logger = logging.getLogger(__name__)
UNUSABLE = (OSError, SQLAlchemyError, ValueError, TypeError)
"""What opening a database and looking into it fails with; the last two come of options that no driver knows."""


def unusable(address: str, error: Exception) -> SettingsError:
    """Say in a sentence why the database can't be used; the traceback is logged at DEBUG."""
    logger.debug("the database can't be used", exc_info=error)
    reason = str(error.orig if isinstance(error, DBAPIError) else error).strip() or "no answer in time"
    return SettingsError(
        f"The database {engine_url(address).render_as_string()} can't be used: {reason.splitlines()[0].rstrip('.')}. "
        "Check DATABASE_URL, and that the database is running and may be written; python -m bot doctor says more."
    )


async def run(settings: Settings, revision: str) -> str:
    """Bring the schema to a revision and say which it is then."""
    known = ("base", *versions(), "head")
    if revision not in known:
        raise SettingsError(f"There is no schema version {revision!r}. There are: {', '.join(known)}.")
    address = settings.database
    try:
        engine_url(address)
    except ValueError as error:
        raise SettingsError(str(error)) from error
    try:
        engine = open_engine(address)
        try:
            await migrate(engine, revision)
            async with engine.connect() as connection:
                return f"The schema is at version {await schema_version(connection) or 'none'}."
        finally:
            await engine.dispose()
    except UNUSABLE as error:
        raise unusable(address, error) from error
