"""Make slack-payloads.schema.json of what ts-json-schema-generator wrote: `python -m tests.schemas.renew FOLDER`."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from bot.local.block_kit_schema import published

JSON = dict[str, Any]
SCHEMA = Path(__file__).with_name("slack-payloads.schema.json")
REF = "#/definitions/"
OBJECT = {"type": "object"}
LEFT_OUT = {"MessageAttachment": OBJECT, "UploadedFile": OBJECT, "MessageEvent": {"$ref": f"{REF}GenericMessageEvent"}}
"""What nothing here sends, and of the messages that may be edited the one kind that people write."""
UNREAD = {"blocks", "state", "event_payload", "attachments", "files", "file", "root", "room", "icons"}
UNREAD |= {"assistant_app_thread", "latest"}
"""Parts of answers that are left open: the first three hold what the app sent, and the rest is never answered here."""


def main(folder: Path) -> None:
    """Read payloads.json and answer-….json, and write what the tests need of them."""
    definitions = _own(json.loads((folder / "payloads.json").read_text("utf-8"))["definitions"])
    names = {}
    for file in sorted(folder.glob("answer-*.json")):
        method, found = _answer(json.loads(file.read_text("utf-8")))
        names[method] = {"$ref": f"{REF}{method}"}
        definitions |= found
    payloads = definitions.pop("Payloads")["properties"]
    tops = payloads | names
    names_used = used(tops, definitions)
    kept = {name: part for name, part in sorted(definitions.items()) if name in names_used}
    made = without_prose({"properties": dict(sorted(tops.items())), "definitions": kept})
    SCHEMA.write_text(json.dumps(made, separators=(",", ":")) + "\n", encoding="utf-8")


def _own(definitions: JSON) -> JSON:
    """Leave out what block-kit.schema.json has, where the two are laid together."""
    made = {name: part for name, part in definitions.items() if name not in published()}
    return made | LEFT_OUT


def _answer(schema: JSON) -> tuple[str, JSON]:
    """Name an answer by its method (ChatPostMessageResponse: chat.postMessage), and its parts after that."""
    top = schema["$ref"].removeprefix(REF)
    words = re.findall("[A-Z][a-z]+", top.removesuffix("Response"))
    families = 2 if words[:2] == ["Apps", "Connections"] else 1
    last = "".join(words[families:])
    method = ".".join([*map(str.lower, words[:families]), last[:1].lower() + last[1:]])
    text = json.dumps(_open(schema["definitions"])).replace(REF, f"{REF}{method}:")
    made = {method if name == top else f"{method}:{name}": part for name, part in json.loads(text).items()}
    # TypeScript lets an answer hold whatever; here it holds what Slack's types know.
    made[method] |= {"additionalProperties": False}
    return method, made


def _open(schema: Any) -> Any:
    if isinstance(schema, list):
        return [_open(part) for part in schema]
    if not isinstance(schema, dict):
        return schema
    made = {key: _open(part) for key, part in schema.items()}
    if isinstance(made.get("properties"), dict):
        made["properties"] |= {name: {} for name in made["properties"] if name in UNREAD}
    return made


def without_prose(schema: Any, *, names: bool = False) -> Any:
    """Take the descriptions out; where `names` are listed, one may be a field that is called so."""
    if isinstance(schema, list):
        return [without_prose(part) for part in schema]
    if not isinstance(schema, dict):
        return schema
    listing = ("properties", "definitions")
    kept = {key: part for key, part in schema.items() if names or key != "description"}
    return {key: without_prose(part, names=not names and key in listing) for key, part in kept.items()}


def used(tops: JSON, definitions: JSON) -> set[str]:
    found: set[str] = set()
    waiting = list(_refs(tops))
    while waiting:
        name = waiting.pop()
        if name in definitions and name not in found:
            found.add(name)
            waiting += _refs(definitions[name])
    return found


def _refs(schema: Any) -> Iterator[str]:
    if isinstance(schema, dict):
        if "$ref" in schema:
            yield schema["$ref"].removeprefix(REF)
        for part in schema.values():
            yield from _refs(part)
    elif isinstance(schema, list):
        for part in schema:
            yield from _refs(part)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
