"""The messages, modals and Home tabs of block_kit.yaml, written out."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from .conftest import JSON

CASES = yaml.safe_load(Path(__file__).with_name("block_kit.yaml").read_text("utf-8"))
PLAIN = {"type": "plain_text", "text": "Form"}


def written(thing: Any) -> Any:
    """Write out what is repeated."""
    match thing:
        case {"repeat": str(part), "times": int(times)}:
            return part * times
        case {"repeat": part, "times": int(times)}:
            return [numbered(written(part), number) for number in range(times)]
        case dict():
            return {name: written(part) for name, part in thing.items()}
        case list():
            return [written(part) for part in thing]
    return thing


def numbered(thing: Any, number: int) -> Any:
    match thing:
        case str():
            return thing.replace("{n}", str(number))
        case dict():
            return {name: numbered(part, number) for name, part in thing.items()}
        case list():
            return [numbered(part, number) for part in thing]
    return thing


def sent(case: JSON) -> JSON:
    """Return a case as the arguments of a message, or as a whole view."""
    send = written(case["send"])
    send = send if isinstance(send, dict) else {"blocks": send}
    if case["surface"] == "message":
        return {"text": "A message", **send}
    usual = {"title": PLAIN, "submit": PLAIN} if case["surface"] == "modal" else {}
    view = {"type": case["surface"], **usual, **send}
    return {name: part for name, part in view.items() if part is not None}


def cases(kind: str) -> list[Any]:
    return [pytest.param(case, id=case["what"]) for case in CASES[kind]]
