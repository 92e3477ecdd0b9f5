"""The ``state`` of OAuth: bound to the browser by a cookie, signed, ten minutes long."""

from __future__ import annotations

import hmac
import re
import secrets
from collections.abc import Callable
from datetime import datetime
from typing import Literal

from storage.installations import STATES_LAST

COOKIE = "genai_roles_install"
_BROWSER = re.compile(r"[\w-]{43}")
_STATE = re.compile(r"(\d{1,12})\.([\w-]{22})\.([0-9a-f]{64})")
Checked = Literal["good", "expired", "another browser"]


class States:
    """Make and check states; ``secret`` is the same in all processes."""

    def __init__(self, secret: str, now: Callable[[], datetime]) -> None:
        self._secret = secret.encode()
        self._now = now

    def browser(self, cookie: str | None) -> str:
        """Return what the cookie holds, or something new: whoever opens the page twice may use either."""
        return cookie if cookie and _BROWSER.fullmatch(cookie) else secrets.token_urlsafe(32)

    def make(self, browser: str) -> str:
        """Return a new state for this browser."""
        issued, nonce = str(int(self._now().timestamp())), secrets.token_urlsafe(16)
        return f"{issued}.{nonce}.{self._signature(issued, nonce, browser)}"

    def check(self, state: str, cookie: str | None) -> Checked:
        """Say whether the state was made for this browser, and not too long ago."""
        found = _STATE.fullmatch(state)
        if found is None or not cookie or not _BROWSER.fullmatch(cookie):
            return "another browser"
        issued, nonce, signature = found.groups()
        if not hmac.compare_digest(signature, self._signature(issued, nonce, cookie)):
            return "another browser"
        age = self._now().timestamp() - int(issued)
        return "good" if age <= STATES_LAST.total_seconds() else "expired"

    def _signature(self, issued: str, nonce: str, browser: str) -> str:
        return hmac.new(self._secret, f"state/{issued}/{nonce}/{browser}".encode(), "sha256").hexdigest()
