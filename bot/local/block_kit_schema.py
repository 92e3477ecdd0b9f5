"""What Slack's JSON Schema of blocks and views says about a thing, in the words in which Slack refuses.

The schema is made from Slack's own types (block-kit.schema.json). What Slack publishes beside them is laid over it
(`block_kit_limits`); what reaches over several fields is in `block_kit_rules`.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .block_kit_limits import DEFINITIONS, FIELDS, WRITTEN, ref
from .workspace import JSON

if TYPE_CHECKING:
    from jsonschema_rs import Draft7Validator, ValidationError

SCHEMA = Path(__file__).with_name("block-kit.schema.json")
TEXTS = ("plain_text", "mrkdwn")
TEXT_OBJECTS = {"TextObject", "PlainTextElement", "MrkdwnElement"}
NAMES = {"array": "an array", "object": "an object", "integer": "a whole number"}


def says(words: str, at: str) -> str:
    """Return a refusal as Slack writes it."""
    return f"[ERROR] {words} [json-pointer:{at}]"


def problems(thing: object, definition: str, at: str) -> list[str]:
    """Return what is wrong with it by a definition of the schema; `at` is where it stands."""
    try:
        # The same limit may be said twice, by a text object and by where it stands: it is told once.
        return list(dict.fromkeys(_told(_validator(definition).iter_errors(thing), at)))
    except UnicodeEncodeError:
        # Half of a surrogate pair: JSON can write it, UTF-8 cannot.
        return [says("must be text in Unicode", at)]


@cache
def block_types() -> dict[str, str]:
    """Return the definition of every type of block."""
    definitions = _laid_over(published())
    choices = [choice["$ref"].rpartition("/")[2] for choice in definitions["KnownBlock"]["anyOf"]]
    return {str(_type_of(ref(name), definitions)): name for name in choices}


def published() -> JSON:
    """Return the definitions of the schema as it is."""
    definitions: JSON = json.loads(SCHEMA.read_text(encoding="utf-8"))["definitions"]
    return definitions


def by_type(definitions: JSON) -> JSON:
    """Return the definitions with every choice made by the thing's type, so that an error names its field."""
    # The types' "any block" takes an unknown one too, which would let every mistake through.
    definitions = definitions | {"AnyBlock": ref("KnownBlock")}
    return {name: _dispatched(_joined(made), definitions) for name, made in definitions.items()}


@cache
def _validator(definition: str) -> Draft7Validator:
    # Imported and compiled for the first message: a start does not wait for it.
    from jsonschema_rs import Draft7Validator

    return Draft7Validator({**ref(definition), "definitions": _definitions()})


@cache
def _definitions() -> JSON:
    return by_type(_laid_over(published()))


def _laid_over(definitions: JSON) -> JSON:
    made: JSON = _merged(definitions, DEFINITIONS)
    made["KnownBlock"] = {"anyOf": [*made["KnownBlock"]["anyOf"], ref("DataVisualizationBlock")]}
    return {name: _with_fields(definition) for name, definition in made.items()}


def _merged(schema: Any, more: Any) -> Any:
    if not isinstance(more, dict):
        return more
    made = dict(schema) if isinstance(schema, dict) else {}
    for key, part in more.items():
        if part is None:
            made.pop(key, None)
        else:
            made[key] = _merged(made.get(key), part)
    return made


def _with_fields(schema: Any) -> Any:
    """Lay what holds for every field of a name over the fields of that name."""
    if isinstance(schema, list):
        return [_with_fields(part) for part in schema]
    if not isinstance(schema, dict):
        return schema
    made = {key: _with_fields(part) for key, part in schema.items()}
    if "properties" in made:
        made["properties"] = {name: part | FIELDS.get(name, {}) for name, part in made["properties"].items()}
    return made


def _joined(schema: JSON) -> JSON:
    """Make one object of alternatives that differ in a field ("an image has an image_url or a slack_file")."""
    alternatives = schema.get("anyOf", ())
    if not alternatives or not all("properties" in each for each in alternatives):
        return schema
    required = [set(each["required"]) for each in alternatives]
    common = set.intersection(*required)
    own = [sorted(names - common) for names in required]
    return {
        "type": "object",
        "additionalProperties": False,
        "properties": {name: part for each in alternatives for name, part in each["properties"].items()},
        "required": sorted(common),
        "anyOf": [{"required": names} for names in own],
        "not": {"required": [name for names in own for name in names]},
    }


def _dispatched(schema: Any, definitions: JSON) -> Any:
    if isinstance(schema, list):
        return [_dispatched(part, definitions) for part in schema]
    if not isinstance(schema, dict):
        return schema
    made = {key: _dispatched(part, definitions) for key, part in schema.items()}
    choices = _choices(made, definitions)
    types = {_type_of(choice, definitions): choice for choice in choices}
    if not choices or None in types or len(types) < len(choices):
        return made
    kept = {key: part for key, part in made.items() if key not in ("oneOf", "anyOf", "discriminator")}
    known = {"type": "object", "required": ["type"], "properties": {"type": {"enum": sorted(map(str, types))}}}
    branches = [
        {"if": known | {"properties": {"type": {"const": name}}}, "then": choice} for name, choice in types.items()
    ]
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
        choice = _joined(definitions[choice["$ref"].rpartition("/")[2]])
    const = choice.get("properties", {}).get("type", {}).get("const")
    return None if const is None else str(const)


def _told(errors: Iterable[ValidationError], at: str) -> Iterator[str]:
    found = list(errors)
    # Of a thing of the wrong type nothing more is told than that.
    mistyped = [error.instance_path[:-1] for error in found if error.instance_path[-1:] == ["type"]]
    for error in found:
        if error.instance_path not in mistyped:
            yield from _words(error, at)


def _words(error: ValidationError, at: str) -> Iterator[str]:
    here = at + "".join(f"/{part}" for part in error.instance_path)
    kind: Any = error.kind
    is_type = error.instance_path[-1:] == ["type"]
    match kind.name:
        case "enum" | "const" if is_type and not (error.instance in TEXTS and kind.name == "const"):
            yield says(f"unsupported type: {error.instance}", here)
        case "const" if is_type:
            yield says(f"must be a {kind.expected_value} object", here)
        case "enum":
            yield says(f"must be one of: {', '.join(map(str, kind.options))}", here)
        case "maxLength":
            yield says(f"must be less than {kind.limit + 1} characters", here)
        case "minLength":
            yield says(f"must be more than {kind.limit - 1} characters", here)
        case "pattern" if kind.pattern == WRITTEN["pattern"]:
            yield says("must be more than 0 characters", here)
        case "maxItems":
            yield says(f"no more than {kind.limit} items allowed", here)
        case "minItems":
            yield says(f"no fewer than {kind.limit} items allowed", here)
        case "minimum":
            yield says(f"must be at least {kind.limit}", here)
        case "maximum":
            yield says(f"must be at most {kind.limit}", here)
        case "required":
            yield says(f"missing required field: {kind.property}", here)
        case "additionalProperties":
            for name in kind.unexpected:
                yield says(f"invalid additional property: {name}", here)
        case "type" if "object" in kind.types and not TEXT_OBJECTS.isdisjoint(error.schema_path[1:2]):
            yield says("must be a text object with a text", here)
        case "type":
            yield says(f"must be {NAMES.get(kind.types[0], f'a {kind.types[0]}')}", here)
        case "anyOf" | "oneOf":
            yield from _no_alternative(error, at, here)
        case "not":
            yield says(f"must hold either {' or '.join(kind.schema['required'])}", here)
        case _:
            yield says(error.message, here)


def _no_alternative(error: ValidationError, at: str, here: str) -> Iterator[str]:
    kind: Any = error.kind
    missing = [inner.kind.property for branch in kind.context for inner in branch if inner.kind.name == "required"]
    if kind.name == "oneOf":
        # Only menus have one.
        yield says("must hold either options or option_groups", here)
    elif missing:
        yield says(f"missing required field: {' or '.join(missing)}", here)
    else:
        # A thing or nothing at all: what is wrong with the thing.
        yield from _told(kind.context[0], at)
