"""What every Web API method shares: saying no, and reading its arguments."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass

from .workspace import JSON, Workspace


class SlackError(Exception):
    """Slack's way of saying no: `{"ok": false, "error": code}` with the messages that explain it."""

    def __init__(self, code: str, *messages: str, **more: object) -> None:
        super().__init__(code, *messages)
        self.code = code
        self.messages = list(messages)
        self.more = more


@dataclass(frozen=True, slots=True)
class Method:
    """A method, and the scopes of which the token needs one."""

    run: Callable[[Workspace, JSON], JSON]
    scopes: tuple[str, ...] = ()


def required(arguments: JSON, name: str) -> str:
    """Return a string that has to be there."""
    value = arguments.get(name)
    if not isinstance(value, str) or not value:
        raise SlackError("invalid_arguments", f"[ERROR] missing required field: {name}")
    return value


def decoded(arguments: JSON, name: str, error: str) -> object:
    """Return an argument that may come as JSON text (in a form) or as it is (in a JSON body)."""
    value = arguments.get(name)
    if not isinstance(value, str):
        return value
    try:
        decoded: object = json.loads(value) if value else None
    except json.JSONDecodeError:
        raise SlackError(error) from None
    return decoded
