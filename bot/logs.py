"""Logging: one line an event, for people or for machines; never a token, never what people wrote.

Lines that belong to a request or an event of Slack name it, and the workspace.
"""

from __future__ import annotations

import json
import logging
import re
import sys
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime
from typing import TextIO

from pydantic import SecretStr

from bot.settings import Settings

LONGEST_ID = 64
TALKATIVE = ("slack_sdk", "slack_bolt", "aiosqlite")
"""At DEBUG these log whole payloads and statements: what people wrote."""
_about: ContextVar[Mapping[str, str]] = ContextVar("about")


@contextmanager
def about(*, request: str = "", event: str = "", workspace: str = "") -> Iterator[None]:
    """Name a request, an event or a workspace on every line that is logged inside, and in tasks started there."""
    ids = {"request": request, "event": event, "workspace": workspace}
    told = {name: _NO_ID.sub("?", value[:LONGEST_ID]) for name, value in ids.items() if value}
    token = _about.set({**_about.get({}), **told})
    try:
        yield
    finally:
        _about.reset(token)


_NO_ID = re.compile(r"[^\w.:/-]")


class Redacted(logging.Formatter, ABC):
    """Blot out what looks like a token of Slack, and the given secrets, wherever in a line they stand.

    Nothing in the bot logs one on purpose; the words of an exception are not the bot's to choose.
    """

    def __init__(self, fmt: str | None = None, *, secrets: tuple[str, ...] = ()) -> None:
        super().__init__(fmt)
        known = sorted((re.escape(secret) for secret in secrets if len(secret) >= 8), key=len, reverse=True)
        self._secret = re.compile("|".join([*known, _TOKEN]))

    def format(self, record: logging.LogRecord) -> str:
        """Return the line."""
        return self._secret.sub("[secret]", self.line(record))

    @abstractmethod
    def line(self, record: logging.LogRecord) -> str:
        """Return the line as it would be with its secrets."""


_TOKEN = r"\bx(?:ox[a-z]|app|oxe\.\w+)-[\w-]{4,}|\bticket=[\w-]+"  # noqa: S105 - what tokens look like


class TextLines(Redacted):
    """Write each record for people, with the ids it belongs to at its end."""

    def __init__(self, *, secrets: tuple[str, ...] = ()) -> None:
        super().__init__("%(asctime)s %(levelname)s %(name)s: %(message)s%(ids)s", secrets=secrets)

    def line(self, record: logging.LogRecord) -> str:
        """Return the line."""
        ids = " ".join(f"{name}={value}" for name, value in _about.get({}).items())
        record.ids = f" [{ids}]" if ids else ""
        return super(Redacted, self).format(record)


class JsonLines(Redacted):
    """Write each record as one line of JSON."""

    def line(self, record: logging.LogRecord) -> str:
        """Return the line."""
        line = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
            **_about.get({}),
        }
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return json.dumps(line, ensure_ascii=False)


def set_up_logging(settings: Settings, stream: TextIO | None = None) -> None:
    """Log at the level of the settings, to stderr unless told otherwise."""
    handler = logging.StreamHandler(stream or sys.stderr)
    form = JsonLines if settings.log_format == "json" else TextLines
    handler.setFormatter(form(secrets=_secrets_of(settings)))
    # At the handler, as Bolt gives each of its loggers the root's level.
    handler.addFilter(lambda record: record.levelno > logging.DEBUG or not record.name.startswith(TALKATIVE))
    logging.basicConfig(level=settings.log_level, handlers=[handler], force=True)
    for name in ("aiohttp.access", "alembic"):
        logging.getLogger(name).setLevel(logging.WARNING)


def _secrets_of(settings: Settings) -> tuple[str, ...]:
    values = [getattr(settings, name) for name in Settings.model_fields]
    secrets = [value.get_secret_value() for value in values if isinstance(value, SecretStr)]
    password = re.search(r"//[^/@]*:([^/@]+)@", settings.database)
    return (
        *(part.strip() for secret in secrets for part in secret.split(",")),
        *(password.groups() if password else ()),
    )
