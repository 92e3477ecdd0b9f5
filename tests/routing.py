"""What the bot listens to, read from its routing table."""

from __future__ import annotations

import inspect
import re
from functools import cache
from typing import Any, cast

from handlers import register


class _Recorder:
    """Stands where Bolt's app does, and notes what is registered."""

    def __init__(self) -> None:
        self.listeners: list[tuple[str, Any]] = []

    def __getattr__(self, kind: str) -> Any:
        def note(what: Any) -> Any:
            self.listeners.append((kind, what))
            return lambda listener: listener

        return note


@cache
def listeners() -> tuple[tuple[str, Any], ...]:
    """Return each listener's kind, and the name or pattern that it is for."""
    app = _Recorder()
    parts = [name for name, part in inspect.signature(register).parameters.items() if part.kind is part.KEYWORD_ONLY]
    register(cast("Any", app), **cast("dict[str, Any]", dict.fromkeys(parts)))
    return tuple(app.listeners)


def named(*kinds: str) -> list[Any]:
    return [what for kind, what in listeners() if kind in kinds]


def heard(kind: str, name: str) -> bool:
    """Tell whether a listener of that kind is for this id."""
    return any(what.search(name) if isinstance(what, re.Pattern) else what == name for what in named(kind))


def deaf(shown: dict[str, Any]) -> list[str]:
    """Return what stands in a message or view and nothing would answer: buttons, menus, searches, forms."""
    found = []
    if shown.get("type") == "modal" and "submit" in shown and not heard("view", str(shown.get("callback_id"))):
        found.append(f"view {shown.get('callback_id')}")
    for block in shown.get("blocks", ()):
        elements = [*block.get("elements", ()), block.get("accessory"), block.get("element")]
        for element in (each for each in elements if isinstance(each, dict) and "action_id" in each):
            action = element["action_id"]
            # What stands in an input block comes with the form, and a link leads somewhere by itself.
            silent = block["type"] == "input" and not block.get("dispatch_action")
            if not silent and "url" not in element and not heard("action", action):
                found.append(f"action {action}")
            if element["type"].endswith("external_select") and not heard("options", action):
                found.append(f"options {action}")
    return found
