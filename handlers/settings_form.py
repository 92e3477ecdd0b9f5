"""The form in which administrators change the settings of a workspace: built, read, and checked in place."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from handlers import ids
from handlers.blocks.message import Block, actions, button, escape, option, plain, section
from handlers.blocks.message import context as small_print
from handlers.declaring_form import VISIBILITY, input_block
from handlers.payloads import Submission
from knowledge.people import Visibility
from knowledge.workspaces import LONGEST_DAYS, MOST_CURATORS, Settings

SWITCHES: Mapping[str, tuple[str, str]] = {
    "starts_messages": (
        "Write to people of my own accord",
        "“Still right?” once a quarter; to curators, when a role has nobody left",
    ),
    "names_in_shared": (
        "Name colleagues in channels shared with others",
        "Slack Connect: people of other companies read the names too",
    ),
    "names_to_guests": ("Name colleagues to guests", "Single-channel and multi-channel guests"),
    "other_languages": (
        "Understand questions in six other languages",
        "German, French, Spanish, Portuguese, Japanese, Hindi. Answers are English.",
    ),
}
"""What is on or off, by the name of the setting: its label, and what it means."""
DAYS_WRONG = f"A number of days from 0 to {LONGEST_DAYS}, please; 0 keeps none."


@dataclass(frozen=True)
class Entered:
    """Hold what was entered, and what is wrong with it, by block."""

    settings: Settings
    errors: dict[str, str]


def modal(settings: Settings) -> Block:
    """Build the form, filled with what holds now."""
    switches = [_switch(name) for name in SWITCHES]
    on = [_switch(name) for name in SWITCHES if getattr(settings, name)]
    boxes: Block = {"type": "checkboxes", "action_id": ids.INPUT, "options": switches}
    if on:
        boxes["initial_options"] = on
    radio: Block = {
        "type": "radio_buttons",
        "action_id": ids.INPUT,
        "options": [option(words, choice) for choice, words in VISIBILITY.items()],
        "initial_option": option(VISIBILITY[settings.default_visibility], settings.default_visibility),
    }
    days: Block = {
        "type": "number_input",
        "action_id": ids.INPUT,
        "is_decimal_allowed": False,
        "min_value": "0",
        "max_value": str(LONGEST_DAYS),
        "initial_value": str(settings.question_days),
    }
    named: Block = {
        "type": "multi_users_select",
        "action_id": ids.INPUT,
        "placeholder": plain("Choose people", 150),
        "max_selected_items": MOST_CURATORS,
    }
    if settings.curators:
        named["initial_users"] = list(settings.curators)
    return {
        "type": "modal",
        "callback_id": ids.VIEW_SETTINGS,
        "title": plain("Workspace settings", 24),
        "submit": plain("Save", 24),
        "close": plain("Cancel", 24),
        "blocks": [
            small_print(
                "They hold for everybody in this workspace, at once. Who changes what is kept in the audit log."
            ),
            actions(
                button("Audit log", ids.AUDIT, "-", label="Show who changed what"),
                button("A person's data", ids.PERSON, "-", label="Export or erase what is kept about a person"),
            ),
            input_block(ids.BLOCK_SWITCHES, "I may", boxes),
            {
                **input_block(
                    *(ids.BLOCK_NEW, "Who sees a new declaration", radio),
                    hint="Where people start; each may choose otherwise. What is declared already stays as it is.",
                ),
                "optional": False,
            },
            {
                **input_block(
                    *(ids.BLOCK_DAYS, "Keep questions without a good answer for so many days", days),
                    hint="Without who asked. 0 keeps none. Older ones are deleted at once.",
                ),
                "optional": False,
            },
            input_block(
                *(ids.BLOCK_CURATORS, "Curators beside the administrators", named),
                hint="They look after entries and imports of this workspace, and are told when a role has nobody left.",
            ),
        ],
    }


def _switch(name: str) -> Block:
    label, meaning = SWITCHES[name]
    return {**option(label, name), "description": plain(meaning, 75)}


def read_settings(submission: Submission) -> Entered:
    """Read the settings; what can't be used is named beside its field."""
    errors: dict[str, str] = {}
    typed = submission.typed.get(ids.BLOCK_DAYS, "").strip()
    days = int(typed) if typed.isascii() and typed.isdigit() and len(typed) < 6 else -1
    if not 0 <= days <= LONGEST_DAYS:
        errors[ids.BLOCK_DAYS] = DAYS_WRONG
    visibility: Visibility | None = next(
        (known for known in VISIBILITY if known in submission.chosen.get(ids.BLOCK_NEW, ())), None
    )
    if visibility is None:
        errors[ids.BLOCK_NEW] = "Please choose one of these."
    curators = tuple(sorted({*submission.chosen.get(ids.BLOCK_CURATORS, ())}))
    if len(curators) > MOST_CURATORS:
        errors[ids.BLOCK_CURATORS] = f"At most {MOST_CURATORS} people fit."
    on = {name: name in submission.chosen.get(ids.BLOCK_SWITCHES, ()) for name in SWITCHES}
    return Entered(Settings(visibility or "open", question_days=days, curators=curators, **on), errors)


def saved(before: Settings, after: Settings) -> Block:
    """Show what holds from now on, in the place of the form."""
    same = before == after
    lines = [f"• {label}: {words}" for label, words in told(after).items()]
    return {
        "type": "modal",
        "title": plain("Workspace settings", 24),
        "close": plain("Close", 24),
        "blocks": [
            section("*Nothing was changed.*" if same else "*Saved.* This holds from now on:"),
            section(escape("\n".join(lines))),
        ],
    }


def told(settings: Settings) -> dict[str, str]:
    """Return each setting as people read it, by its label."""
    found = {label: "yes" if getattr(settings, name) else "no" for name, (label, _) in SWITCHES.items()}
    found["Who sees a new declaration"] = VISIBILITY[settings.default_visibility]
    found["Questions without a good answer"] = (
        f"kept for {settings.question_days} days" if settings.question_days else "not kept"
    )
    found["Curators beside the administrators"] = str(len(settings.curators)) if settings.curators else "none"
    return found


NAMES: Mapping[str, str] = {
    **{name: label for name, (label, _) in SWITCHES.items()},
    "default_visibility": "Who sees a new declaration",
    "question_days": "Days that questions are kept",
}
"""What settings are called where a change of them is shown; every one of them stands here."""
