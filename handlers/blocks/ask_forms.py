"""The forms in which a question is put, answered, handed over and asked back; and the button that opens the first."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace

from handlers import ids
from handlers.blocks.asks import quoted
from handlers.blocks.message import (
    MESSAGE_BLOCKS,
    Block,
    Message,
    actions,
    button,
    context,
    escape,
    message,
    option,
    plain,
    section,
)
from handlers.blocks.people import display_name
from handlers.blocks.render import LONGEST_VALUE, subject_in, subject_value
from knowledge.answers import Answer, Subject, Suggestion
from knowledge.asking import LONGEST_TEXT, Ask
from knowledge.people import Person

BEST = "best"
"""The value of "whoever fits best"; no id of a person is in small letters."""
LONGEST_PREFILLED = 300
"""Signs of a question that travel in a button."""
ANONYMOUS, URGENT, CURATORS = "anonymous", "urgent", "curators"
SHOW = "show"


@dataclass(frozen=True)
class Offer:
    """Hold what the button under a suggestion carries: what it is about, who was named, and what was typed."""

    subject: Subject | None
    people: tuple[str, ...]
    typed: str


def offer_value(answer: Suggestion, text: str) -> str:
    """Write the value of the button."""
    people = [person.user for person in (answer.people or answer.nearest)]
    value = json.dumps([subject_value(answer.subject), people, text[:LONGEST_PREFILLED]], ensure_ascii=False)
    return value if len(value) <= LONGEST_VALUE else json.dumps(["", people, ""])


def offer_in(value: str) -> Offer:
    """Read the value of the button; whoever sends it may have written anything into it."""
    try:
        subject, people, typed = json.loads(value)
        named = tuple(user for user in people[:3] if isinstance(user, str) and 0 < len(user) <= 32)
        return Offer(subject_in(subject), named, typed if isinstance(typed, str) else "")
    except (ValueError, TypeError, RecursionError):
        return Offer(None, (), "")


def with_offer(shown: Message, answer: Answer, text: str, *, always: bool = False) -> Message:
    """Put the button that asks under a suggestion; ``always``: under every other answer too."""
    if always and not isinstance(answer, Suggestion):
        return replace(shown, blocks=(*shown.blocks[: MESSAGE_BLOCKS - 2], *invitation(text).blocks))
    if not isinstance(answer, Suggestion) or not answer.names_people:
        return shown
    label = "Ask them…" if answer.people or answer.nearest else "Put the question…"
    row = actions(button(label, ids.PUT, offer_value(answer, text), primary=True, label="Put a question to a person"))
    return replace(shown, blocks=(*shown.blocks[: MESSAGE_BLOCKS - 2], row))


def _text_input(block_id: str, label: str, initial: str = "") -> Block:
    element: Block = {
        "type": "plain_text_input",
        "action_id": ids.INPUT,
        "multiline": True,
        "max_length": LONGEST_TEXT,
    }
    if initial:
        element["initial_value"] = initial[:LONGEST_TEXT]
    return {"type": "input", "block_id": block_id, "label": plain(label, 2000), "element": element}


def _boxes(block_id: str, label: str, boxes: Sequence[tuple[str, str]], ticked: Sequence[str] = ()) -> Block:
    element: Block = {
        "type": "checkboxes",
        "action_id": ids.INPUT,
        "options": [option(words, value) for value, words in boxes],
    }
    if chosen := [option(words, value) for value, words in boxes if value in ticked]:
        element["initial_options"] = chosen
    return {"type": "input", "block_id": block_id, "optional": True, "label": plain(label, 2000), "element": element}


def _modal(callback: str, title: str, submit: str, metadata: str, blocks: Sequence[Block]) -> Block:
    return {
        "type": "modal",
        "callback_id": callback,
        "title": plain(title, 24),
        "submit": plain(submit, 24),
        "close": plain("Cancel", 24),
        "private_metadata": metadata,
        "blocks": list(blocks),
    }


def put_form(people: Sequence[Person], typed: str, metadata: str, *, how: Sequence[str] = (), note: str = "") -> Block:
    """Build the form in which a question is put; ``how``: boxes that are ticked already, ``note``: stands above."""
    whom = [option(display_name(person), person.user) for person in people]
    whom.append(option("Whoever fits best", BEST))
    choice: Block = {
        "type": "radio_buttons",
        "action_id": ids.INPUT,
        "options": whom,
        "initial_option": whom[0] if people else whom[-1],
    }
    boxes = (
        (ANONYMOUS, "Without my name"),
        (URGENT, "Urgent: any day, from 8 to 20 where they are"),
        (CURATORS, "If nobody answers, curators may read it"),
    )
    hint = (
        "One person at a time gets it as a direct message, in their working hours. They may answer, hand it over, or "
        "pass; then I ask the next. You see how it stands, and can withdraw it."
    )
    return _modal(
        ids.VIEW_PUT,
        "Ask a person",
        "Ask",
        metadata,
        [
            *([section(escape(note))] if note else []),
            _text_input(ids.BLOCK_QUESTION, "Your question", typed),
            {"type": "input", "block_id": ids.BLOCK_WHOM, "label": plain("Whom", 2000), "element": choice},
            _boxes(ids.BLOCK_HOW, "How", boxes, how),
            context(escape(hint)),
        ],
    )


def answer_form(ask: Ask, shown: bool, metadata: str) -> Block:
    """Build the form in which a question is answered."""
    blocks = quoted("The question:", ask.question)
    if ask.further:
        blocks += quoted("They ask back:", ask.further)
    blocks.append(_text_input(ids.BLOCK_ANSWER, "Your answer"))
    if shown:
        blocks.append(context("Those who asked see your name with the answer."))
    else:
        blocks.append(_boxes(ids.BLOCK_HOW, "Your name", ((SHOW, "Show my name with the answer"),)))
    return _modal(ids.VIEW_ANSWER, "Answer", "Send", metadata, blocks)


def hand_over_form(ask: Ask, metadata: str) -> Block:
    """Build the form in which a question is handed over."""
    note = {**_text_input(ids.BLOCK_NOTE, "A note to them"), "optional": True}
    whom: Block = {
        "type": "input",
        "block_id": ids.BLOCK_WHOM,
        "label": plain("To whom", 2000),
        "element": {"type": "users_select", "action_id": ids.INPUT, "placeholder": plain("A colleague", 150)},
    }
    blocks = [*quoted("The question:", ask.question), whom, note]
    return _modal(ids.VIEW_HAND_OVER, "Hand over", "Hand over", metadata, blocks)


def back_form(ask: Ask, metadata: str) -> Block:
    """Build the form in which the asker asks back."""
    blocks = [*quoted("The answer:", ask.answer), _text_input(ids.BLOCK_QUESTION, "What is still open")]
    return _modal(ids.VIEW_BACK, "Ask back", "Ask", metadata, blocks)


def told(title: str, text: str) -> Block:
    """Build what a form is replaced by."""
    return {
        "type": "modal",
        "title": plain(title, 24),
        "close": plain("Close", 24),
        "blocks": [section(escape(text))],
    }


def invitation(text: str) -> Message:
    """Offer the form where nothing but a click can open it."""
    said = "Put your question to a person: I bring it to one colleague at a time, and bring the answer back to you."
    value = json.dumps(["", [], text[:LONGEST_PREFILLED]], ensure_ascii=False)
    return message([said], [section(said), actions(button("Put the question…", ids.PUT, value, primary=True))])
