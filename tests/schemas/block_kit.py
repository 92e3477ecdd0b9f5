"""What is wrong with blocks and views, by Slack's types alone and by the reference implementation of JSON Schema."""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import cache, lru_cache
from typing import Any

from jsonschema import Draft7Validator
from jsonschema_rs import Draft7Validator as QuickValidator

from bot.local.block_kit_schema import by_type, published

JSON = dict[str, Any]


def problems(thing: object, definition: str) -> list[str]:
    """Return what is wrong with it as `Blocks`, `ModalView` or `HomeView`."""
    return list(_problems(json.dumps(thing), definition))


@lru_cache(maxsize=2000)
def _problems(thing: str, definition: str) -> tuple[str, ...]:
    # Many tests show the same card; it is looked at once. Of the two validators the quick one tells whether anything is
    # wrong, the other one what: tests/bot/local holds them against each other.
    found = json.loads(thing)
    if _quick(definition).is_valid(found):
        return ()
    return tuple(sorted(set(_named(_validator(definition).iter_errors(found)))))


def view_problems(view: JSON) -> list[str]:
    """Return what is wrong with a modal or a Home tab."""
    return problems(view, "HomeView" if view.get("type") == "home" else "ModalView")


def taken(block: JSON, definition: str) -> bool:
    """Tell whether the schema takes a block, read as it is written: no choice made for it."""
    return Draft7Validator({"$ref": f"#/definitions/{definition}", "definitions": published()}).is_valid(block)


def _named(errors: Any) -> Iterator[str]:
    for error in errors:
        if error.context:
            yield from _named(error.context)
        else:
            yield f"/{'/'.join(map(str, error.absolute_path))}: {error.message[:200]}"


@cache
def _validator(definition: str) -> Draft7Validator:
    return Draft7Validator({"$ref": f"#/definitions/{definition}", "definitions": _definitions()})


@cache
def _quick(definition: str) -> QuickValidator:
    return QuickValidator({"$ref": f"#/definitions/{definition}", "definitions": _definitions()})


@cache
def _definitions() -> JSON:
    return by_type(published())
