"""What is wrong with blocks and views, by Slack's own types; each problem names the field."""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import cache, lru_cache
from pathlib import Path
from typing import Any

from jsonschema import Draft7Validator

JSON = dict[str, Any]
SCHEMA = Path(__file__).with_name("block-kit.schema.json")


def problems(thing: object, definition: str) -> list[str]:
    """Return what is wrong with it as `Blocks`, `ModalView` or `HomeView`."""
    return list(_problems(json.dumps(thing), definition))


@lru_cache(maxsize=2000)
def _problems(thing: str, definition: str) -> tuple[str, ...]:
    # Many tests show the same card; it is looked at once.
    return tuple(sorted(set(_named(_validator(definition).iter_errors(json.loads(thing))))))


def view_problems(view: JSON) -> list[str]:
    """Return what is wrong with a modal or a Home tab."""
    return problems(view, "HomeView" if view.get("type") == "home" else "ModalView")


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
def _definitions() -> JSON:
    definitions = json.loads(SCHEMA.read_text(encoding="utf-8"))["definitions"]
    # Slack's type for "any block" takes an unknown one too, which would let every mistake through.
    definitions["AnyBlock"] = {"$ref": "#/definitions/KnownBlock"}
    return {name: _dispatched(made, definitions) for name, made in definitions.items()}


def _dispatched(schema: Any, definitions: JSON) -> Any:
    """Replace "one of these" by "the one whose type it has": an error then names the field and not the choice."""
    if isinstance(schema, list):
        return [_dispatched(part, definitions) for part in schema]
    if not isinstance(schema, dict):
        return schema
    made = {key: _dispatched(part, definitions) for key, part in schema.items()}
    choices = _choices(made, definitions)
    by_type = {_type_of(choice, definitions): choice for choice in choices}
    if not choices or None in by_type or len(by_type) < len(choices):
        return made
    kept = {key: part for key, part in made.items() if key not in ("oneOf", "anyOf", "discriminator")}
    branches = [
        {"if": {"properties": {"type": {"const": name}}, "required": ["type"]}, "then": choice}
        for name, choice in by_type.items()
    ]
    known = {"type": "object", "required": ["type"], "properties": {"type": {"enum": sorted(map(str, by_type))}}}
    return {**kept, "allOf": [*kept.get("allOf", ()), known, *branches]}


def _choices(schema: JSON, definitions: JSON) -> list[JSON]:
    """Return the choices of a schema, with choices among them opened."""
    found: list[JSON] = []
    for choice in schema.get("oneOf") or schema.get("anyOf") or ():
        inner = definitions[choice["$ref"].rpartition("/")[2]] if "$ref" in choice else {}
        found += _choices(inner, definitions) if inner and _type_of(choice, definitions) is None else [choice]
    return found


def _type_of(choice: JSON, definitions: JSON) -> str | None:
    if "$ref" in choice:
        choice = definitions[choice["$ref"].rpartition("/")[2]]
    here = choice.get("properties", {}).get("type", {}).get("const")
    if here is not None:
        return str(here)
    inner = {_type_of(part, definitions) for part in choice.get("anyOf", ()) if "$ref" not in part}
    return inner.pop() if len(inner) == 1 else None
