"""What a person can do with their own data: "me", "my data", "forget me", from any surface."""

from __future__ import annotations

import re
from typing import Literal

from handlers import ids
from handlers.blocks.message import Message, actions, button, context, escape, message, section
from handlers.blocks.people import View
from handlers.blocks.render import declared
from handlers.payloads import Actor
from knowledge.ports import People

Verb = Literal["me", "my data", "forget me"]
_VERBS: tuple[tuple[re.Pattern[str], Verb], ...] = (
    (re.compile(r"(?:about )?me|my roles?|declare(?: me| my roles?)?|i do this", re.IGNORECASE), "me"),
    (re.compile(r"my data|what do you (?:know|store|keep) about me", re.IGNORECASE), "my data"),
    (re.compile(r"(?:please )?(?:forget me|delete my data|delete me)", re.IGNORECASE), "forget me"),
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
        "Beside that: which entry a conversation of yours was about (never its words); the ids of messages that I "
        "answered, so that no answer comes twice; and a message that I failed to answer, for the administrator to "
        "look into. Questions that I could not answer, or that somebody found badly answered, I keep for 30 days, "
        "without the person who asked."
    )
    return message(
        ["What I keep about you.", *lines, kept],
        [
            section("*What I keep about you*\n" + escape("\n".join(lines))),
            context(kept),
            actions(
                button("Change what I declare", ids.DECLARE, "-"),
                button("Forget me", ids.FORGET, "-", label="Delete everything that is kept about you"),
            ),
        ],
    )


async def forget(people: People, actor: Actor, answering: tuple[str, str] | None = None) -> Message:
    """Delete everything that is kept about the person, at once; ``answering``: the channel and time of the message."""
    count = await people.forget(actor.workspace, actor.user, answering=answering)
    text = (
        f"Done: I deleted everything I kept about you ({count} {'row' if count == 1 else 'rows'})."
        if count
        else "Done: nothing about you is left to delete."
    )
    return message([text], [section(escape(text))])


def offer_to_declare(view: View) -> Message:
    """Offer the declaration modal, which only a click can open."""
    text = "Declare which roles you fill and what you can be asked about. Nothing is recorded without your click."
    return message([text], [section(text), actions(button("Declare what I do", ids.DECLARE, "-", primary=True))])
