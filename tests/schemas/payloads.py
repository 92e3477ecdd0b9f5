"""What is wrong with bodies that the stand-in sends and answers, by Slack's types (slack-payloads.schema.json)."""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

from jsonschema import Draft7Validator

from bot.local.block_kit_schema import by_type, published

JSON = dict[str, Any]
SCHEMA = Path(__file__).with_name("slack-payloads.schema.json")
STRING: JSON = {"type": "string"}
NULLABLE: JSON = {"type": ["string", "null"]}
ORGANISATION: JSON = {
    "anyOf": [
        {"type": "null"},
        {"type": "object", "required": ["id", "name"], "properties": {"id": STRING, "name": STRING}},
    ]
}
FROM_PEOPLE = ("BlockAction", "BlockSuggestion", "GlobalShortcut", "MessageShortcut", "ViewSubmitAction")
CLOSED_ACCOUNT = ("id", "team_id", "name", "deleted", "profile", "updated", "is_bot", "is_app_user")


def problems(body: object, name: str) -> list[str]:
    """Return what is wrong with a body; `name` is a payload's type, an event's, or a Web API method."""
    return sorted(set(_named(_validator(name).iter_errors(body))))


def event_problems(envelope: JSON) -> list[str]:
    """Return what is wrong with an event and its envelope."""
    event = envelope.get("event")
    kind = event.get("subtype", event.get("type")) if isinstance(event, dict) else None
    if not isinstance(kind, str) or kind not in known():
        return [f"/event/type: {kind!r} is unknown"]
    return [*problems(envelope, "event_callback"), *(f"/event{line}" for line in problems(event, kind))]


def answer_problems(method: str, answer: JSON) -> list[str]:
    """Return what is wrong with the answer to a Web API call, where Slack's types know no null: it is passed over."""
    return problems(_without_null(answer), method)


def known() -> set[str]:
    """Return what there is a type for."""
    return set(_schema()["properties"])


def _without_null(answer: Any) -> Any:
    if isinstance(answer, list):
        return [_without_null(part) for part in answer]
    if isinstance(answer, dict):
        return {name: _without_null(part) for name, part in answer.items() if part is not None}
    return answer


def _relaxed(definitions: JSON) -> None:
    """Let through what Slack sends and its types lack; README.md says where each is known from."""
    for name in (*FROM_PEOPLE, "ViewClosedAction"):
        properties = definitions[name]["properties"]
        properties["enterprise"] = ORGANISATION
        properties["user"]["properties"]["username"] = STRING
    definitions["conversations.info:Channel"]["properties"]["user"] = STRING
    definitions["BlockAction"]["required"].remove("response_url")
    definitions["ButtonAction"]["properties"]["style"] = STRING
    definitions["Confirmation"] = {"$ref": "#/definitions/ConfirmationDialog"}
    for kind, key in (
        ("datetimepicker", "selected_date_time"),
        ("email_text_input", "value"),
        ("number_input", "value"),
        ("url_text_input", "value"),
    ):
        definitions[kind] = _like_text(definitions["PlainTextInputAction"], kind, key)
        definitions["BlockElementAction"]["anyOf"].append({"$ref": f"#/definitions/{kind}"})
    definitions["Envelope"]["properties"] |= {"enterprise_id": NULLABLE, "context_enterprise_id": NULLABLE}
    definitions["AppHomeOpenedEvent"]["properties"]["view"] = {"$ref": "#/definitions/ViewOutput"}
    written = definitions["GenericMessageEvent"]
    written["properties"]["app_id"] = STRING
    inside = written | {"required": [name for name in written["required"] if name in ("type", "user", "ts")]}
    definitions["MessageEvent"] = inside
    user = definitions["UserChangeEvent"]["properties"]["user"]
    definitions["UserChangeEvent"]["properties"]["user"] = {
        **{key: part for key, part in user.items() if key != "required"},
        "if": {"properties": {"deleted": {"const": True}}},
        "then": {"required": list(CLOSED_ACCOUNT)},
        "else": {"required": user["required"]},
    }


def _like_text(action: JSON, kind: str, key: str) -> JSON:
    made: JSON = json.loads(json.dumps(action))
    made["properties"]["type"] = {"const": kind}
    made["properties"] |= {key: made["properties"].pop("value") if key == "value" else {"type": "integer"}}
    made["required"] = ["type", "block_id", "action_id", "action_ts", key]
    return made


@cache
def _schema() -> JSON:
    schema: JSON = json.loads(SCHEMA.read_text(encoding="utf-8"))
    return schema


@cache
def _definitions() -> JSON:
    definitions = json.loads(json.dumps(_schema()["definitions"]))
    _relaxed(definitions)
    # "Any block" takes an unknown one, too, which would let every mistake through.
    return by_type(published() | definitions | {"Block": {"$ref": "#/definitions/KnownBlock"}})


@cache
def _validator(name: str) -> Draft7Validator:
    if name not in known():
        raise LookupError(f"Slack's types know no {name!r}")
    return Draft7Validator({**_schema()["properties"][name], "definitions": _definitions()})


def _named(errors: Any) -> Iterator[str]:
    for error in errors:
        if error.context:
            yield from _named(error.context)
        else:
            yield f"/{'/'.join(map(str, error.absolute_path))}: {error.message[:200]}"
