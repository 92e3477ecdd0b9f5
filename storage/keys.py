"""Encryption of private text at rest: keys, newest first.

What stands in a row is sealed for its place there (AES-256-GCM, the place as associated data): moved to another row, it
does not open. What travels, and what older versions wrote, is a Fernet token.
"""

from __future__ import annotations

import base64
import hmac
import os
import secrets
import tempfile
from collections.abc import Sequence
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from knowledge.errors import KeyMissing

MAKE_KEY = 'python -c "from cryptography.fernet import Fernet; print(Fernet.generate_key().decode())"'


SEALED = "2."
"""How sealed text begins; behind it the id of its key."""
NONCE = 12
DOES_NOT_OPEN = "None of ENCRYPTION_KEYS opens a stored text. Is an old key missing?"


class KeysError(Exception):
    """Report keys that can't work; the message says what to do."""


class UnknownKey(KeysError, KeyMissing):
    """Report a text of a key that is not among ours: another process may have it, so the text is to be left alone."""


class Keys:
    """Encrypt with the newest key, decrypt with any of them.

    A key is 32 bytes in URL-safe base64, a Fernet key: https://cryptography.io/en/latest/fernet/
    """

    def __init__(self, keys: Sequence[str]) -> None:
        try:
            each = [Fernet(key.strip()) for key in keys]
            self._fernet, self._newest = MultiFernet(each), each[0]
            self._sealing = dict(_derived(key.strip()) for key in reversed(keys))
            self._newest_id = _derived(keys[0].strip())[0]
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
            raise KeysError(DOES_NOT_OPEN) from error

    @property
    def newest(self) -> str:
        """Return how everything begins that the newest key sealed."""
        return f"{SEALED}{self._newest_id}."

    def seal(self, text: str, place: str) -> str:
        """Return the text as something that only the keys open, and only for the same place; it tells no time."""
        nonce = secrets.token_bytes(NONCE)
        closed = self._sealing[self._newest_id].encrypt(nonce, text.encode(), place.encode())
        return self.newest + base64.urlsafe_b64encode(nonce + closed).decode()

    def unseal(self, sealed: str, place: str, *, unbound: bool = False) -> str:
        """Return the text that was sealed for this place. Raises KeysError where no key opens it there.

        It is UnknownKey where the text may be whole, and its key is not ours.
        ``unbound``: what versions before this one wrote into the column, for no place, is taken too.
        """
        if unbound and not sealed.startswith(SEALED):
            if sealed.startswith("{"):
                # JSON as it stands was written before anything was encrypted.
                return sealed
            try:
                return self.decrypt(sealed)
            except KeysError as error:
                # A Fernet token names no key: one that is damaged can't be told from one of a key that is not ours.
                raise UnknownKey(DOES_NOT_OPEN) from error
        key_id, _, rest = sealed.removeprefix(SEALED).partition(".")
        if sealed.startswith(SEALED) and rest and key_id not in self._sealing:
            raise UnknownKey(DOES_NOT_OPEN)
        try:
            closed = base64.urlsafe_b64decode(rest.encode())
            return self._sealing[key_id].decrypt(closed[:NONCE], closed[NONCE:], place.encode()).decode()
        except (KeyError, ValueError, InvalidTag) as error:
            raise KeysError(DOES_NOT_OPEN) from error


def _derived(key: str) -> tuple[str, AESGCM]:
    """Return the id of a key, and the key for sealing that is derived from it: no key serves two ciphers."""
    own = base64.urlsafe_b64decode(key)
    return hmac.digest(own, b"id", "sha256")[:4].hex(), AESGCM(hmac.digest(own, b"AES-256-GCM of rows", "sha256"))


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
    return Keys(path.read_text().split(","))
