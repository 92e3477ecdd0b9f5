"""The form in which a person declares what they do: built, read, checked in place, and shown as others see it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from handlers import ids
from handlers.blocks.message import Block, escape, option, plain, section
from handlers.blocks.message import context as small_print
from handlers.blocks.people import Footing, View, freshness, seen
from handlers.blocks.render import declared
from handlers.payloads import Submission
from handlers.proposals import title_blocks
from knowledge.guide import Guide
from knowledge.people import LEVELS, LONGEST_TOPIC, MOST_A_WEEK, MOST_TOPICS, Declaration, Level, Terms, Visibility

LABELS: dict[Level, str] = {"lead": "I lead", "practitioner": "I practise", "learning": "I am learning"}
ASK_ME, NOT_ABOUT = "Topics you can be asked about", "Don't ask me about"
VISIBILITY: dict[Visibility, str] = {
    "open": "Everybody who asks is shown my name",
    "ask_first": "Ask me first: my name is not shown; I may be asked unnamed",
    "hidden": "Hidden: nobody is told of me; I may be asked unnamed",
}
CAPS = (1, 2, 3, 5, 10)
NO_LIMIT = "none"


def modal(declaration: Declaration, view: View, suggested: Sequence[str] = ()) -> Block:
    """Build the form, filled with what the person declared so far; ``suggested``: roles that their title suggests."""
    blocks: list[Block] = [
        section(
            "Who asks for these is shown your name, unless you say otherwise below or are a guest here. "
            "Empty everything to withdraw it."
        ),
        *title_blocks(suggested, view),
    ]
    for level in LEVELS:
        block = ids.block_of_level(level)
        initial = [
            option(view.roles[role].name, role)
            for role, declared_level in declaration.roles.items()
            if declared_level == level and role in view.roles
        ]
        blocks.append(input_block(block, LABELS[level], _search(block, "Type a role, a title or a tool", initial)))
    asked = _text("GDPR, LoRA, Airflow", declaration.topics.values())
    blocks.append(input_block(ids.BLOCK_TOPICS, ASK_ME, asked, f"Separate them by commas, at most {MOST_TOPICS}."))
    found = _search(ids.BLOCK_FOUND, "Type the beginning of a topic")
    blocks.append(input_block(ids.BLOCK_FOUND, "Topics that colleagues and I know", found, "What you choose is added."))
    avoided = _text("Quarterly numbers", declaration.terms.not_about.values())
    blocks.append(input_block(ids.BLOCK_NOT_ABOUT, NOT_ABOUT, avoided, "Nobody is pointed to you for these."))
    blocks.append(input_block(ids.BLOCK_CAP, "How often I may be suggested", _cap(declaration.terms.weekly_cap)))
    radio: Block = {
        "type": "radio_buttons",
        "action_id": ids.INPUT,
        "options": [option(words, choice) for choice, words in VISIBILITY.items()],
        "initial_option": option(VISIBILITY[declaration.terms.visibility], declaration.terms.visibility),
    }
    blocks.append(input_block(ids.BLOCK_VISIBILITY, "Who sees it", radio))
    return {
        "type": "modal",
        "callback_id": ids.VIEW_DECLARE,
        "title": plain("What I do", 24),
        "submit": plain("Save", 24),
        "close": plain("Cancel", 24),
        "blocks": blocks,
    }


def _search(action_id: str, placeholder: str, initial: Sequence[Block] = ()) -> Block:
    # A menu that we fill is asked about by its action id, which has to be its own.
    made: Block = {
        "type": "multi_external_select",
        "action_id": action_id,
        "placeholder": plain(placeholder, 150),
        "min_query_length": 0,
    }
    if initial:
        made["initial_options"] = list(initial)
    return made


def _text(example: str, initial: Sequence[str] | object) -> Block:
    made: Block = {
        "type": "plain_text_input",
        "action_id": ids.INPUT,
        "max_length": MOST_TOPICS * (LONGEST_TOPIC + 2),
        "placeholder": plain(example, 150),
    }
    words = ", ".join(initial)  # type: ignore[arg-type]
    if words:
        made["initial_value"] = words
    return made


def _cap(weekly_cap: int | None) -> Block:
    caps = sorted({*CAPS, *((weekly_cap,) if weekly_cap is not None else ())})
    options = [option("As often as it fits", NO_LIMIT)]
    options += [option("Once a week" if cap == 1 else f"{cap} times a week", str(cap)) for cap in caps]
    now = NO_LIMIT if weekly_cap is None else str(weekly_cap)
    return {
        "type": "static_select",
        "action_id": ids.INPUT,
        "options": options,
        "initial_option": next(one for one in options if one["value"] == now),
    }


def input_block(block_id: str, label: str, element: Block, hint: str = "") -> Block:
    """Build an input block, which may be left empty; its element has the one action id."""
    made: Block = {
        "type": "input",
        "block_id": block_id,
        "optional": True,
        "label": plain(label, 2000),
        "element": element,
    }
    if hint:
        made["hint"] = plain(hint, 2000)
    return made


@dataclass(frozen=True)
class Entered:
    """Hold what was entered, and what is wrong with it, by block."""

    roles: dict[str, Level]
    topics: dict[str, str]
    terms: Terms
    errors: dict[str, str]


def read_declaration(submission: Submission, guide: Guide) -> Entered:
    """Read roles with their level, topics by key, and the terms."""
    errors: dict[str, str] = {}
    roles: dict[str, Level] = {}
    for level in LEVELS:
        block = ids.block_of_level(level)
        for role in submission.chosen.get(block, ()):
            if role not in guide.catalog.roles:
                errors[block] = "One of these roles is not in my knowledge any more. Please choose again."
            elif role in roles:
                name = guide.catalog.roles[role].name
                errors[block] = f"{name} stands under “{LABELS[roles[role]]}” too. Keep it in one place."
            else:
                roles[role] = level
    typed = [submission.typed.get(ids.BLOCK_TOPICS, ""), *submission.chosen.get(ids.BLOCK_FOUND, ())]
    topics = _topics(",".join(typed), ids.BLOCK_TOPICS, guide, errors)
    avoided = _topics(submission.typed.get(ids.BLOCK_NOT_ABOUT, ""), ids.BLOCK_NOT_ABOUT, guide, errors)
    for key, topic in avoided.items():
        if key in topics:
            errors.setdefault(ids.BLOCK_NOT_ABOUT, f"“{topic}” stands under “{ASK_ME}” too. Keep it in one place.")
    return Entered(roles, topics, _terms(submission, avoided), errors)


def _terms(submission: Submission, avoided: Mapping[str, str]) -> Terms:
    [visible] = submission.chosen.get(ids.BLOCK_VISIBILITY) or ("open",)
    [cap] = submission.chosen.get(ids.BLOCK_CAP) or (NO_LIMIT,)
    visibility: Visibility = next((known for known in VISIBILITY if known == visible), "open")
    # Looked at as text first: a number of any length may be sent.
    is_number = cap.isascii() and cap.isdigit() and len(cap) <= len(str(MOST_A_WEEK))
    return Terms(visibility, min(int(cap), MOST_A_WEEK) if is_number else None, avoided)


def _topics(typed: str, block: str, guide: Guide, errors: dict[str, str]) -> dict[str, str]:
    topics: dict[str, str] = {}
    for topic in filter(None, (" ".join(part.split()) for part in typed.replace("\n", ",").split(","))):
        key = guide.topic_key(topic)
        if len(topic) > LONGEST_TOPIC:
            errors[block] = f"“{topic[:30]}…” is too long: at most {LONGEST_TOPIC} letters a topic."
        elif not key:
            errors[block] = f"“{topic}” has no letters in it. Write the topic as a word or two."
        else:
            topics.setdefault(key, topic)
    if len(topics) > MOST_TOPICS:
        errors[block] = f"These are {len(topics)} topics; at most {MOST_TOPICS} fit."
    return topics


def saved(declaration: Declaration, view: View, footing: Footing) -> Block:
    """Build the view that confirms what was saved, shows it as others see it, and says how long it holds."""
    return {
        "type": "modal",
        "title": plain("What I do", 24),
        "close": plain("Done", 24),
        "blocks": saved_blocks(declaration, view, footing),
    }


def saved_blocks(declaration: Declaration, view: View, footing: Footing) -> list[Block]:
    """Confirm what was saved, in a modal or a message."""
    if not declaration.roles and not declaration.topics:
        return [section("*Saved.* You declare nothing now, and nobody will be pointed to you.")]
    return [
        section(f"*Saved.* {seen(declaration, footing)}"),
        section(escape("\n".join(declared(declaration, view)))),
        small_print(escape(freshness(declaration, view.now, footing))),
        small_print("Change it with `/genai-role me`, delete it with `/genai-role forget me`."),
    ]
