"""What Slack's client itself objects to in a form, before anything is sent."""

from __future__ import annotations

import re
from collections.abc import Sequence
from decimal import Decimal, InvalidOperation
from urllib.parse import urlsplit

from .forms import KINDS, Field, fields
from .workspace import JSON

REQUIRED = "Please complete this required field."
EMAIL = re.compile(r"[^@\s]+@[^@\s.]+(\.[^@\s.]+)+")
NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)")


def client_errors(blocks: Sequence[JSON], values: dict[str, dict[str, JSON]]) -> dict[str, str]:
    """Return the objections by block_id: required fields, lengths, numbers of choices, and what is no address."""
    errors: dict[str, str] = {}
    for field in fields(blocks):
        if not field.is_input or field.type not in KINDS:
            continue
        value = values[field.block_id][field.action_id].get(KINDS[field.type].key)
        objection = _objection(field, value) if value else "" if field.block.get("optional") else REQUIRED
        if objection:
            errors[field.block_id] = objection
    return errors


def _objection(field: Field, value: str | Sequence[object]) -> str:
    most, least = field.element.get("max_length"), field.element.get("min_length")
    match field.type, value:
        case "email_text_input", str() if not EMAIL.fullmatch(value):
            return "Please enter a valid email address."
        case "url_text_input", str() if not _is_address(value):
            return "Please enter a valid URL."
        case "number_input", str():
            return _about_number(field.element, value)
        case _, str() if most is not None and len(value) > most:
            return f"Please shorten this to {most} characters or fewer."
        case _, str() if least is not None and len(value) < least:
            return f"Please write at least {least} characters."
        case _, list() if len(value) > field.element.get("max_selected_items", len(value)):
            return f"Please choose at most {field.element['max_selected_items']}."
    return ""


def _is_address(text: str) -> bool:
    try:
        parts = urlsplit(text)
    except ValueError:
        return False
    return parts.scheme in ("http", "https") and bool(parts.hostname) and not re.search(r"\s", text)


def _about_number(element: JSON, text: str) -> str:
    if not NUMBER.fullmatch(text):
        return "Please enter a valid number."
    number = Decimal(text)
    if not element.get("is_decimal_allowed") and "." in text:
        return "Please enter a whole number."
    least, most = _limit(element, "min_value"), _limit(element, "max_value")
    if least is not None and number < least:
        return f"Please enter a number that is {least} or more."
    if most is not None and number > most:
        return f"Please enter a number that is {most} or less."
    return ""


def _limit(element: JSON, name: str) -> Decimal | None:
    """Return a limit of a number input, which Slack keeps as text."""
    try:
        return Decimal(str(element[name])) if name in element else None
    except InvalidOperation:
        return None
