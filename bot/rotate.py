"""`python -m bot keys rotate`: encrypt everything with the newest key, so that older ones may go."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from datetime import UTC, datetime

from bot.app import open_database
from bot.migrations import UNUSABLE, unusable
from bot.offline import Progress, number
from bot.settings import Settings, SettingsError
from storage.database import head_version, schema_version
from storage.lost import drop
from storage.rotation import encrypted_texts, rotate

KINDS: Mapping[str, tuple[str, str]] = {
    "installations": ("installation with its token", "installations with their tokens"),
    "secrets": ("key of the marks of forgotten people", "keys of the marks of forgotten people"),
    "asks": ("question to people", "questions to people"),
    "ask_deliveries": ("message about a question", "messages about questions"),
    "keepings": ("answer that may be kept", "answers that may be kept"),
    "inbox": ("event that waits, or was given up", "events that wait, or were given up"),
    "asked": ("question to learn from", "questions to learn from"),
}
"""What a row of each table is, in words: of one, and of several."""


async def rotate_keys(settings: Settings, progress: Progress, *, lost: bool = False) -> str:
    """Go through the database once; return what there is to say. Raises SettingsError where some text stays shut.

    ``lost``: what no key opens is dropped.
    """
    dropped = Counter[str]()
    engine = open_database(settings)
    try:
        async with engine.connect() as connection:
            if await schema_version(connection) != head_version():
                raise SettingsError("The database's schema is not current. Run: python -m bot migrate")
        with progress("Encrypting anew", await encrypted_texts(engine)) as step:
            done = await rotate(engine, step)
        if lost:
            dropped = await drop(engine, done.lost, datetime.now(UTC))
    except UNUSABLE as error:
        raise unusable(settings.database, error) from error
    finally:
        await engine.dispose()
    renewed = f"Encrypted with the newest key: {done.renewed:,}."
    if done.lost and not lost:
        which = _in_words(Counter(one.table for one in done.lost))
        raise SettingsError(
            f"{renewed} No key opens {len(done.lost):,} more: {which}. Put the missing key back behind the "
            "others in ENCRYPTION_KEYS, and run this again. If no process has it, and it is gone for good, "
            "or if they are damaged, drop them: python -m bot keys rotate --lost"
        )
    if dropped:
        renewed += f" Dropped, as no key opens them: {_in_words(dropped)}."
    if dropped["secrets"]:
        renewed += " An import brings back who was forgotten there before now: leave them out of the file."
    if dropped["installations"]:
        renewed += " Where the token is gone the app has to be installed again."
    return f"{renewed} Keys before it are needed for the buttons of questions that are open now, and for nothing else."


def _in_words(counted: Counter[str]) -> str:
    return ", ".join(number(counted[table], *words) for table, words in KINDS.items() if counted[table])
