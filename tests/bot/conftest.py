"""What tests of the process share."""

from __future__ import annotations

import logging
from collections.abc import Iterator

import pytest

LEVELS_SET = ("aiohttp.access", "alembic")


@pytest.fixture
def root_logging() -> Iterator[logging.Logger]:
    """The root logger without pytest's handlers, which setting logging up would close; afterwards all is as before."""
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    levels = {name: logging.getLogger(name).level for name in LEVELS_SET}
    root.handlers.clear()
    yield root
    root.handlers[:] = handlers
    root.setLevel(level)
    for name, before in levels.items():
        logging.getLogger(name).setLevel(before)
