"""What an external select can hold: what the bot has offered in it, what it began with, and what was chosen."""

from __future__ import annotations

from collections.abc import Sequence

from .forms import KINDS, Field
from .workspace import JSON, Message, View


def options_in(answer: JSON) -> list[JSON]:
    """Return the options of the bot's answer, those of groups included."""
    groups = answer.get("option_groups") or []
    return (answer.get("options") or []) + [option for group in groups for option in group["options"]]


def remember(surface: Message | View, user: str, field: Field, options: Sequence[JSON]) -> None:
    """Keep what the bot offered to a person."""
    known = surface.offered.setdefault((user, field.block_id, field.action_id), {})
    known.update((str(option.get("value")), option) for option in options)


def known_options(surface: Message | View, user: str, field: Field) -> list[JSON]:
    """Return what a person may choose without another search."""
    kind = KINDS[field.type]
    begun = field.element.get(kind.initial)
    known = begun if isinstance(begun, list) else [begun] if begun else []
    return [*known, *surface.offered.get((user, field.block_id, field.action_id), {}).values()]
