"""The heads of HTTP: what every answer carries in its own, and what becomes of requests whose head can't be read."""

from __future__ import annotations

import logging

from aiohttp import web
from aiohttp.http_exceptions import HttpProcessingError

LONGEST_HEADER = 8190
"""Bytes of one header, and of the first line."""

HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
}
"""What every answer carries that does not say otherwise: nothing here is to be framed, guessed at, or kept."""


def with_headers(site: web.Application) -> web.Application:
    """Let every answer of a site carry the security headers, as far as it does not set its own."""
    site.on_response_prepare.append(_add_headers)
    return site


async def _add_headers(_request: web.Request, response: web.StreamResponse) -> None:
    for name, value in HEADERS.items():
        response.headers.setdefault(name, value)


def quiet_logger() -> logging.Logger:
    """Return the logger for the web server: whoever sends what is no HTTP gets a line, and no traceback, into the log.

    The server's own would log it as an error, with what was sent.
    """
    logger = logging.getLogger(__name__)
    logger.addFilter(_without_what_was_sent)
    return logger


def _without_what_was_sent(record: logging.LogRecord) -> bool:
    error = record.exc_info[1] if record.exc_info else None
    if isinstance(error, HttpProcessingError):
        record.levelno, record.levelname, record.exc_info = logging.INFO, "INFO", None
        record.msg, record.args = "a request could not be read: %s", (type(error).__name__,)
    return True
