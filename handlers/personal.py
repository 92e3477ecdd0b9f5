"""What a person can do with their own data: "me", "my data", "forget me", from any surface."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any, Literal

from slack_bolt.context.ack.async_ack import AsyncAck
from slack_sdk.web.async_client import AsyncWebClient

from handlers import ids, payloads
from handlers.blocks.message import Block, Message, actions, button, context, escape, message, section
from handlers.blocks.people import View
from handlers.blocks.render import declared
from handlers.payloads import Actor
from handlers.replies import modal_of, open_modal, opening, show_modal
from knowledge.ports import People

MOST_PARTS = 10
LONGEST_PART = 2_900
"""Signs in one section of the JSON, with what is escaped in them."""
_NUMBER = re.compile(r"[0-9]{1,6}")
Verb = Literal["me", "my data", "forget me"]
_VERBS: tuple[tuple[re.Pattern[str], Verb], ...] = (
    (
        re.compile(
            # Whether one is hidden, or declares nothing any more, is chosen in the form.
            r"(?:about )?me|my roles?|declare(?: me| my roles?)?|i do this|(?:please )?(?:hide me|"
            r"(?:remove|take) me (?:from|out of|off) the (?:directory|list)|"
            r"(?:edit|change|update) my (?:roles?|topics?|declaration|entry))",
            re.IGNORECASE,
        ),
        "me",
    ),
    (
        re.compile(r"(?:show (?:me )?)?my data|what do you (?:know|store|keep|have) (?:about|on) me", re.IGNORECASE),
        "my data",
    ),
    (
        re.compile(
            r"(?:please )?(?:(?:forget|delete|erase) me|(?:delete|erase) (?:all )?my data|"
            r"(?:forget|delete|erase) everything (?:you (?:know|store|keep|have) )?about me)",
            re.IGNORECASE,
        ),
        "forget me",
    ),
)


def verb_in(text: str) -> Verb | None:
    """Return the personal verb that a text is, if it is one and nothing else."""
    bare = re.sub(r"<@[^>]*>", " ", text).strip(" \t\n?!.`")
    return next((verb for pattern, verb in _VERBS if pattern.fullmatch(bare)), None)


async def my_data(people: People, actor: Actor, view: View) -> Message:
    """Show everything that is kept about the person."""
    declaration = await people.declaration(actor.workspace, actor.user)
    profile = await people.profile(actor.workspace, actor.user)
    lines = ["You declared:", *declared(declaration, view)]
    if profile is not None:
        lines.append(
            f"From your Slack profile: name {profile.name}, title {profile.title or '–'}, "
            f"time zone {profile.tz or '–'}, availability {profile.availability}."
        )
    kept = (
        "Beside that, as far as there is any: questions that you put to a person; that you were asked, with what you "
        "answered; what you said to an answer being kept, and the entries that you wrote or that were made of your "
        "answers; entries of the audit log in which you acted, or that are about you; which entry a conversation of "
        "yours was about (never its words); the ids of messages that I answered, so that no answer comes twice; and a "
        "message that I failed to answer, for the administrator to look into. *As JSON* shows all of it. Questions "
        "that I could not answer, or that somebody found badly answered, I keep for 30 days, or as long as your "
        "administrators set, without the person who asked."
    )
    return message(
        ["What I keep about you.", *lines, kept],
        [
            section("*What I keep about you*\n" + escape("\n".join(lines))),
            context(kept),
            actions(
                button("Change what I declare", ids.DECLARE, "-"),
                button("As JSON", ids.MY_JSON, "-", label="Show everything that is kept about you as JSON"),
                button("Forget me", ids.FORGET, "-", label="Delete everything that is kept about you"),
            ),
        ],
    )


async def show_as_json(ack: AsyncAck, body: dict[str, Any], client: AsyncWebClient, *, people: People) -> None:
    """Show all that is kept about whoever pressed as JSON, part by part, in a modal that nobody else sees."""
    press = payloads.press(body)
    turning = bool(_NUMBER.fullmatch(press.value))
    over = partial(show_modal, client, press, replace=turning)
    show = over if press.in_modal else opening(client, press.trigger_id)
    await open_modal(client, show, _json_modal(people, press.actor, int(press.value) if turning else 0))
    await ack()


async def _json_modal(people: People, actor: Actor, page: int) -> Block:
    kept = await people.kept(actor.workspace, actor.user)
    shown = as_json({"person": actor.user, "workspace": actor.workspace, **kept}, page)
    return modal_of(shown, "What I keep about you")


def as_json(kept: Mapping[str, object], page: int | None = None, note: str = "") -> Message:
    """Show data as JSON in blocks of code, and say so where it does not fit.

    ``page``: with buttons for the rest. ``note``: what is said where it is all of it.
    """
    # A fence inside would end the block of code; in JSON a sign may as well be written by its number.
    written = json.dumps(kept, ensure_ascii=False, indent=1).replace("```", "\\u0060\\u0060\\u0060")
    parts = list(_parts(written))
    pages = -(-len(parts) // MOST_PARTS)
    at = min(page or 0, pages - 1)
    shown = [section(f"```{escape(part)}```") for part in parts[at * MOST_PARTS : (at + 1) * MOST_PARTS]]
    if pages == 1:
        said = note or "That is everything that is kept. Questions without an answer are kept without who asked."
    elif page is None:
        left = sum(map(len, parts[MOST_PARTS:]))
        said = (
            f"This is not all of it: {left:,} more signs do not fit here. Whoever runs me can write it into a file: "
            "`python -m bot people export FILE --person ID`."
        )
    else:
        said = (
            f"This is not all of it, but part {at + 1} of {pages}. The parts make one text, in their order. In one "
            "piece you get it as a file from whoever runs me: `python -m bot people export FILE.json --person ID`."
        )
        turn = [button("Previous part", f"{ids.MY_JSON}:previous", str(at - 1))] if at else []
        turn += [button("Next part", f"{ids.MY_JSON}:next", str(at + 1))] if at + 1 < pages else []
        shown.append(actions(*turn))
    if pages > 1 and note:
        said += f" {note}"
    return message([said], [*shown, context(said)])


def _parts(text: str) -> Iterator[str]:
    """Cut a text into parts that fit into a section, at ends of lines where that is possible."""
    while text:
        size = len(text)
        # Escaped, a sign takes up to five.
        while len(escape(text[:size])) > LONGEST_PART:
            size = min(size - 1, max(LONGEST_PART // 5, size * LONGEST_PART // len(escape(text[:size]))))
        if size < len(text) and (end := text.rfind("\n", 0, size)) > 0:
            size = end + 1
        yield text[:size].rstrip("\n")
        text = text[size:]


async def forget(people: People, actor: Actor, answering: tuple[str, str] | None = None) -> Message:
    """Delete everything that is kept about the person, at once; ``answering``: the channel and time of the message."""
    count = await people.forget(actor.workspace, actor.user, answering=answering)
    text = (
        f"Done: I deleted everything I kept about you ({count} {'row' if count == 1 else 'rows'})."
        if count
        else "Done: nothing about you is left to delete."
    )
    hint = (
        "Only a keyed hash of your id is left, so that no import brings you back. Declaring something again lifts that."
    )
    return message([text], [section(escape(text)), context(hint)])


NOT_FOR_OUTSIDERS = "Only people of this workspace declare here what they do, and you belong to another one."


def not_for_outsiders() -> Message:
    """Tell somebody of another company why there is nothing to declare here."""
    return message([NOT_FOR_OUTSIDERS], [section(NOT_FOR_OUTSIDERS)])


def offer_to_declare(view: View) -> Message:
    """Offer the declaration modal, which only a click can open."""
    text = (
        "Declare which roles you fill, what you can be asked about and who sees it; or change it, or withdraw it. "
        "Nothing is recorded without your click."
    )
    return message([text], [section(text), actions(button("Declare what I do", ids.DECLARE, "-", primary=True))])
