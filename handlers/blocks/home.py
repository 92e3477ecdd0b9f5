"""The sections of the Home tab, each a function that returns its blocks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from handlers import ids
from handlers.blocks.message import Block, actions, button, context, escape, header, option, section, select
from handlers.blocks.people import Footing, View, freshness
from handlers.blocks.render import EXAMPLES, declared
from knowledge.people import Declaration

FOR_GUESTS = (
    "You are a guest here, as far as I know. Guests can look up every role and ask me questions. "
    "They are not shown the directory, nor colleagues unless the administrators here allow it, and are suggested to "
    "nobody."
)
FOR_OUTSIDERS = (
    "You belong to another company than the people here, as far as I know. You can look up every role and ask me "
    "questions. You are not shown the directory, nor people unless the administrators here allow it, and there is "
    "nothing for you to declare."
)
ONE_MOMENT = (
    "One moment: Slack has not told me yet who you are here. I draw this tab again as soon as it has; until then you "
    "see what everybody sees."
)


def tabs(sections: Sequence[tuple[str, str]], current: str) -> Block:
    """Make the row of buttons, by id and label; the current section is marked."""
    return actions(
        *(
            button(label, f"{ids.SECTION}:{name}", "-", primary=name == current, label=f"{label}, shown now")
            if name == current
            else button(label, f"{ids.SECTION}:{name}", "-")
            for name, label in sections
        )
    )


def start_here(view: View, proposed: Sequence[Block]) -> list[Block]:
    """Say to somebody who declared nothing what to do first; ``proposed`` is what their title suggests."""
    return [
        header("Start here"),
        section("*1. Look up a role.* Pick one, or type `/genai-role mlops` in any channel; only you see the answer."),
        actions(_pick(view)),
        section("*2. Ask.* Mention me in a channel, or write to me under *Messages*: “who covers ethics review?”"),
        section(
            "*3. Say what you do*, if you like: whoever looks for it is shown your name, if you are a full "
            "member and do not say otherwise. You have declared nothing yet."
        ),
        *proposed,
        actions(button("Declare what I do", ids.DECLARE, "-", primary=not proposed)),
    ]


def mine(declaration: Declaration, seen: Sequence[Block], view: View, footing: Footing) -> list[Block]:
    """Show what the person declared, what others see of it, and how long it holds."""
    return [
        header("What I declare"),
        section(escape("\n".join(declared(declaration, view)))),
        *seen,
        actions(button("Change", ids.DECLARE, "-", label="Change what I declare"), forget_me()),
        context(escape(freshness(declaration, view.now, footing))),
    ]


def browse(view: View) -> list[Block]:
    """Offer every role, by group, with what it is in a sentence."""
    blocks = [
        header("Browse roles"),
        section("Pick a role: what it does, needs and decides, and who does it here."),
        actions(_pick(view)),
    ]
    for role in view.roles.values():
        blocks.append(section(f"*{escape(role.name)}*\n{escape(role.summary[0].text)}"))
    return blocks


def workspace(settings: Mapping[str, str], orphaned: Sequence[str], *, curators: bool) -> list[Block]:
    """Show administrators what holds in the workspace, and which roles have nobody left."""
    found: list[Block] = [
        header("Workspace"),
        section(escape("\n".join(f"• {label}: {value}" for label, value in settings.items()))),
        actions(button("Settings", ids.SETTINGS, "-", primary=True, label="Change settings, see the audit log")),
    ]
    if orphaned:
        who = "The curators are told too." if curators else "Nobody is named as a curator, so nobody else is told."
        names = "\n".join(f"• {name}" for name in orphaned)
        found += [section(f"*Nobody declares any more:*\n{escape(names)}"), context(who)]
    return found


def privacy() -> list[Block]:
    """Say in short what is kept, why, how long, and who sees it."""
    return [
        header("Privacy"),
        section(
            "*What I keep about you:* what you declared, on which terms, and when you confirmed it; while you declare "
            "something, also name, title, time zone and availability from your Slack profile.\n"
            "*Why:* so that colleagues find whom to ask.\n"
            "*How long:* until you change it, withdraw it, or say “forget me”; 30 days after you left the workspace.\n"
            "*Who sees it:* members who ask or look into the directory, if you let everybody see your name; nobody if "
            "you are hidden; then a question may still reach you, as “a colleague who stays unnamed”. Guests and other "
            "companies see nothing, unless your administrators allow it."
        ),
        section(
            "*Of what you ask:* what a conversation was about for a day, never its words; a question without a good "
            "answer encrypted, without who asked, for 30 days, unless your administrators chose another time."
        ),
        section(
            "*Never:* no scoring, no ranking of people by answers, nothing guessed from messages, no language model, "
            "nothing sent anywhere but to Slack."
        ),
        actions(button("My data", ids.MY_DATA, "-", label="Show what is kept about me"), forget_me()),
        context("Whoever runs me finds the whole of it in docs/privacy.md."),
    ]


def help_and_support(support: str) -> list[Block]:
    """Say what to type, and how to reach whoever runs the bot; ``support`` is an address, or empty."""
    examples = "\n".join(f"• `{escape(typed)}` – {escape(what)}" for typed, what in EXAMPLES)
    return [
        header("Help"),
        section(f"*Type in any channel; only you see the answer:*\n{examples}"),
        section(
            "*In plain words:* mention me in a channel, or write to me under *Messages*. In the thread I follow: "
            "“and which skills?”, “the second one”, “who else?”"
        ),
        section("*On a message:* choose *Find who can help* among its shortcuts."),
        header("Support"),
        section(_reach(support)),
        context("Answers come from a bundled knowledge base and from your team; no language model is used."),
    ]


def _reach(support: str) -> str:
    if not support:
        return "Something does not work, or is wrong? Ask the administrator who installed me."
    scheme = "" if "://" in support else "mailto:"
    return f"Something does not work, or is wrong? Reach whoever runs me: <{scheme}{escape(support)}|{escape(support)}>"


def forget_me() -> Block:
    """Make the button that deletes everything, once it is confirmed."""
    made = button("Forget me", ids.FORGET, "-", label="Delete everything that is kept about you")
    made["confirm"] = {
        "title": {"type": "plain_text", "text": "Forget me?"},
        "text": {"type": "plain_text", "text": "Everything that I keep about you is deleted at once."},
        "confirm": {"type": "plain_text", "text": "Delete"},
        "deny": {"type": "plain_text", "text": "Keep"},
    }
    return made


def _pick(view: View) -> Block:
    return select("Pick a role", ids.BROWSE, [option(role.name, role.id) for role in view.roles.values()])
