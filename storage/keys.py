"""Encryption of private text at rest: Fernet keys, newest first; a column type that uses them."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Sequence
from pathlib import Path

from cryptography.fernet import Fernet, InvalidToken, MultiFernet

MAKE_KEY = 'python -c "from cryptography.fernet import Fernet; print(Fernet.generate_key().decode())"'


class KeysError(Exception):
    """Report keys that can't work; the message says what to do."""


class Keys:
    """Encrypt with the newest key, decrypt with any of them.

    A key is 32 bytes in URL-safe base64, a Fernet key: https://cryptography.io/en/latest/fernet/
    """

    def __init__(self, keys: Sequence[str]) -> None:
        try:
            each = [Fernet(key.strip()) for key in keys]
            self._fernet, self._newest = MultiFernet(each), each[0]
        except ValueError as error:
            raise KeysError(f"ENCRYPTION_KEYS holds something that is not a key. Make one with: {MAKE_KEY}") from error

    def encrypt(self, text: str, *, timeless: bool = False) -> str:
        """Return the text as a token that only the keys open; it tells when it was made, unless ``timeless``."""
        made = self._fernet.encrypt_at_time(text.encode(), 0) if timeless else self._fernet.encrypt(text.encode())
        return made.decode()

    def decrypt(self, token: str) -> str:
        """Return the text of a token. Raises KeysError where no key opens it."""
        try:
            return self._fernet.decrypt(token.encode()).decode()
        except InvalidToken as error:
            raise KeysError("None of ENCRYPTION_KEYS opens a stored text. Is an old key missing?") from error

    def renewed(self, token: str) -> str:
        """Return a token of the newest key with the same text: the given one, if that key opens it already.

        Raises KeysError where no key opens it.
        """
        try:
            self._newest.decrypt(token.encode())
        except InvalidToken:
            return self.encrypt(self.decrypt(token))
        return token


def new_key() -> str:
    """Make a key."""
    return Fernet.generate_key().decode()


def keys_beside(file: Path) -> Keys:
    """Return the key kept beside an SQLite file, made at the first start and readable by its owner alone."""
    path = file.with_name(file.name + ".key")
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, made = tempfile.mkstemp(dir=path.parent, prefix=path.name)  # mode 0600
        with os.fdopen(handle, "w") as opened:
            opened.write(new_key())
        try:
            # A link, whole or not at all: of two processes that start at once one makes the key, the other reads it.
            os.link(made, path)
        except FileExistsError:
            pass
        finally:
            Path(made).unlink()
    return Keys([path.read_text()])
