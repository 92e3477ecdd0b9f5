"""One process for one SQLite file: a second would believe that the first one's events are its own."""

from __future__ import annotations

import logging
import os
from pathlib import Path

from bot.settings import SettingsError

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]

logger = logging.getLogger(__name__)


class FileLock:
    """Hold a lock beside a file; the kernel releases it however the process ends, so that the lock file can stay."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._held: int | None = None

    def take(self) -> None:
        """Take the lock. Raises SettingsError where another process holds it, and OSError where none can be made."""
        if fcntl is None or self._held is not None:
            return
        # Resolved: by whichever path or link the file is reached, it has one lock.
        file = self._file.resolve()
        held = os.open(file.with_name(f"{file.name}.lock"), os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            os.close(held)
            raise SettingsError(
                f"The database {self._file} is in use by another bot process. Stop that one, set another DATABASE_URL, "
                "or use PostgreSQL, which any number of processes can share."
            ) from error
        except OSError as error:
            os.close(held)
            # Some network file systems know no locks.
            logger.warning("%s can't be locked (%s): see that one process uses it", self._file, error.strerror)
            return
        self._held = held

    def release(self) -> None:
        """Let others take it."""
        if self._held is not None:
            os.close(self._held)
            self._held = None
