"""What both sides of a solved question are asked about keeping it, and what they are told became of it."""

from __future__ import annotations

from dataclasses import replace

from handlers import ids
from handlers.blocks.ask_forms import SHOW
from handlers.blocks.asks import quoted
from handlers.blocks.message import Block, Message, actions, button, context, escape, option, plain, section
from handlers.blocks.people import View
from handlers.blocks.team import source_of
from knowledge.asking import LONGEST_TEXT, Ask
from knowledge.keeping import Keeping, Says, Side
from knowledge.team import LONGEST_ANSWER, TeamEntry

ASK_ASKER = (
    "May your question and its answer be kept for your team, so that the next who asks finds them? A curator looks at "
    "them first. Nobody reads that it was you who asked."
)
ASK_ANSWERER = (
    "May your answer be kept for your team, with the question? You can change it first, and decide whether your name "
    "stands with it. A curator looks at it before anybody reads it."
)
BECAME = {
    "proposed": "Both of you agree: it is proposed for your team, and a curator looks at it.",
    "published": "It was kept: it answers in your team from now on.",
    "merged": "It was kept: what your team knows already answers this question too now.",
    "rejected": "It was not added to what your team knows.",
}
REFUSED = "It is not kept for your team."


def with_keeping(card: Message, keeping: Keeping | None, side: Side, value: str) -> Message:
    """Put under the thanks what one side is asked, or what became of it; ``value`` is what its buttons carry.

    Whether the other side said no, or nothing, can't be told from it.
    """
    said = keeping.says(side) if keeping else ""
    text, row = _asked(keeping, side, said, value)
    blocks = [section(escape(text)), *([actions(*row)] if row else [])]
    return replace(card, text=f"{card.text}\n{text}", blocks=(*card.blocks, *blocks))


def _asked(keeping: Keeping | None, side: Side, said: Says, value: str) -> tuple[str, list[Block]]:
    if not said:
        if side == "asker":
            yes = button("Yes, keep it", f"{ids.KEEP}:yes", value, primary=True, label="Keep question and answer")
            return ASK_ASKER, [yes, button("No, don't", f"{ids.KEEP}:no", value, label="Keep neither")]
        yes = button("Look at it, and keep it…", f"{ids.KEEP}:form", value, primary=True)
        return ASK_ANSWERER, [yes, button("No, don't", f"{ids.KEEP}:not", value, label="Don't keep the answer")]
    assert keeping is not None
    if said == "no":
        return REFUSED, []
    text = BECAME.get(keeping.outcome, "You agree. It is kept once the other side agrees too.")
    if not keeping.can_change:
        return text, []
    back = "no" if side == "asker" else "not"
    return text, [button("Don't keep it after all", f"{ids.KEEP}:{back}", value)]


def keep_form(ask: Ask, answer: str, metadata: str, *, may_be_named: bool) -> Block:
    """Build the form in which whoever answered sees what is kept, changes it, and agrees."""
    element: Block = {
        "type": "plain_text_input",
        "action_id": ids.INPUT,
        "multiline": True,
        "max_length": LONGEST_ANSWER,
    }
    if answer:
        element["initial_value"] = answer
    blocks = [
        *quoted("The question:", ask.question),
        _input(ids.BLOCK_ANSWER, "The answer, as it is to be kept", element),
    ]
    if may_be_named:
        boxes = {
            "type": "checkboxes",
            "action_id": ids.INPUT,
            "options": [option("Show my name with it", SHOW)],
        }
        blocks.append({**_input(ids.BLOCK_HOW, "Your name", boxes), "optional": True})
    else:
        blocks.append(context("Your name is not shown with it."))
    blocks.append(
        context(
            "It is kept once the asker agrees too and a curator publishes it. Until then you can take it back. "
            "I ask you, and nobody else, in half a year whether it is still right."
        )
    )
    return {
        "type": "modal",
        "callback_id": ids.VIEW_KEEP,
        "private_metadata": metadata,
        "title": plain("Keep for your team", 24),
        "submit": plain("Keep it", 24),
        "close": plain("Cancel", 24),
        "blocks": blocks,
    }


def answered_before(entry: TeamEntry, view: View, question: str, metadata: str) -> Block:
    """Build what is shown before a question is put that the team has answered; nobody has been asked yet."""
    text: Block = {
        "type": "plain_text_input",
        "action_id": ids.INPUT,
        "multiline": True,
        "max_length": LONGEST_TEXT,
        "initial_value": question,
    }
    return {
        "type": "modal",
        "callback_id": ids.VIEW_PUT_ANYWAY,
        "private_metadata": metadata,
        "title": plain("Answered before", 24),
        "submit": plain("Ask all the same", 24),
        "close": plain("That answers it", 24),
        "blocks": [
            section(f"*Your team answered this:*\n{escape(entry.question or entry.name)}"),
            section(escape(entry.answer)),
            context(escape(source_of(entry, view.now))),
            _input(ids.BLOCK_QUESTION, "Your question", text),
            context("Nobody has been asked yet."),
        ],
    }


def _input(block_id: str, label: str, element: Block) -> Block:
    return {"type": "input", "block_id": block_id, "label": plain(label, 2000), "element": element}
