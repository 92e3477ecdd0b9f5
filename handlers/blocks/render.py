"""Turn any answer into a message; one builder a kind of answer."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import assert_never

from handlers import ids
from handlers.blocks.cards import MARKS, Lines, role_card, tool_card, topic_card
from handlers.blocks.message import (
    FIELD,
    Block,
    Message,
    actions,
    button,
    context,
    escape,
    message,
    mrkdwn,
    option,
    section,
    select,
)
from handlers.blocks.people import (
    MEMBERS_ONLY,
    NOBODY_LEFT_OUT,
    OUT_COMES_LAST,
    View,
    holders,
    listed,
    passed_over_in_words,
)
from handlers.blocks.team import renamed_notice, team_card
from knowledge.answers import (
    Answer,
    Candidates,
    Comparison,
    Help,
    NotKnown,
    Pair,
    RoleCard,
    Subject,
    Suggestion,
    TeamCard,
    ToolCard,
    TopicCard,
)
from knowledge.models import Role, Tool, Topic
from knowledge.people import Declaration, PassedOver, Terms


def render(answer: Answer, view: View) -> Message:
    """Return the message for an answer; first it says which words were read as others, and which language."""
    drawn = _draw(answer, view)
    notices = [renamed_notice(answer.renamed)] if answer.renamed else []
    if answer.asked_in is not None:
        notices.append(f"I read {answer.asked_in.name}, and answer in English. {answer.asked_in.notice}")
    if not notices:
        return drawn
    return message([*notices, drawn.text], [*(context(escape(notice)) for notice in notices), *drawn.blocks])


def _draw(answer: Answer, view: View) -> Message:
    match answer:
        case RoleCard():
            return role_card(answer, view)
        case TopicCard():
            return topic_card(answer, view)
        case ToolCard():
            return tool_card(answer, view)
        case TeamCard():
            return team_card(answer, view)
        case Comparison():
            return comparison(answer, view)
        case Pair():
            return pair(answer, view)
        case Suggestion():
            return suggestion(answer, view)
        case Candidates():
            return candidates(answer)
        case Help():
            return help_message(answer, view)
        case NotKnown():
            return not_known(answer, view)
        case _:
            assert_never(answer)


def comparison(answer: Comparison, view: View) -> Message:
    """Put two roles side by side, and clear up what people confuse."""
    left, right = answer.left, answer.right
    lines = Lines(f"{left.name} and {right.name}")
    for role in (left, right):
        lines.words.append(f"{role.name}: {role.summary[0].text}")
    lines.blocks.append(_side_by_side([(role.name, [role.summary[0].text]) for role in (left, right)]))
    for title, field in (
        ("Responsibilities", "responsibilities"),
        ("Decides", "decides"),
        ("Measured by", "success_measures"),
    ):
        parts = [(role.name, [f"{MARKS[s.source]} {s.text}" for s in getattr(role, field)]) for role in (left, right)]
        lines.words += [f"{title}:", *(f"{name}: {' '.join(texts)}" for name, texts in parts)]
        lines.blocks.append(section(f"*{title}*"))
        lines.blocks.append(_side_by_side(parts))
    tools = [
        (role.name, [" · ".join(tool.name for tool, _ in own[:8])])
        for role, own in zip((left, right), answer.tools, strict=True)
    ]
    if all(texts[0] for _, texts in tools):
        lines.words += ["Tools:", *(f"{name}: {texts[0]}" for name, texts in tools)]
        lines.blocks += [section("*Tools*"), _side_by_side(tools)]
    if answer.confusions:
        lines.words += [
            "How to tell them apart:",
            *(f"{MARKS[note.source]} {note.text}" for _, note in answer.confusions),
        ]
        lines.blocks.append(
            section(
                "*How to tell them apart*\n"
                + "\n".join(f"{MARKS[note.source]} {escape(note.text)}" for _, note in answer.confusions)
            )
        )
    _left_out(lines, answer.beside)
    lines.source(f"roles/{left.id}, roles/{right.id}", f"{left.name}, {right.name}")
    return lines.message(
        actions(
            button(left.short, "open_entry:1", left.id),
            button(right.short, "open_entry:2", right.id),
            button("Share in channel", ids.SHARE, f"{left.id}|{right.id}"),
        )
    )


def pair(answer: Pair, view: View) -> Message:
    """Put two entries of any kind side by side: what each is, and whose field."""
    left, right = answer.left, answer.right
    lines = Lines(f"{left.name} and {right.name}")
    parts = []
    for entry in (left, right):
        what = entry.answer if isinstance(entry, Topic) else entry.summary
        users = (
            [note.role for note in entry.used_by]
            if isinstance(entry, Tool)
            else list(entry.roles)
            if isinstance(entry, Topic)
            else []
        )
        said = [f"{MARKS[s.source]} {s.text}" for s in what]
        if users:
            said.append("Used by: " + ", ".join(view.roles[role].name for role in users))
        parts.append((entry.name, said))
        lines.words += [f"{entry.name}:", *said]
    lines.blocks.append(_side_by_side(parts))
    where = ", ".join(
        f"{'roles' if isinstance(e, Role) else 'topics' if isinstance(e, Topic) else 'tools'}/{e.id}"
        for e in (left, right)
    )
    _left_out(lines, answer.beside)
    lines.source(where, f"{left.name}, {right.name}")
    return lines.message(
        actions(button(left.name, "open_entry:1", left.id), button(right.name, "open_entry:2", right.id))
    )


def _left_out(lines: Lines, beside: Sequence[Role | Topic | Tool]) -> None:
    if beside:
        names = ", ".join(entry.name for entry in beside)
        text = f"I compare two at a time: the first two that you named. Left out: {names}."
        lines.words.append(text)
        lines.blocks.append(context(escape(text)))


def _side_by_side(parts: Sequence[tuple[str, Sequence[str]]]) -> Block:
    # Fields stand in two columns on a desktop and one below the other on a phone.
    fields = []
    for name, texts in parts:
        drawn = f"*{escape(name)}*\n" + "\n".join(escape(text) for text in texts)
        fields.append(mrkdwn(drawn, FIELD))
    return {"type": "section", "fields": fields}


def suggestion(answer: Suggestion, view: View) -> Message:
    """Name whom to ask, with reasons; or say that nobody declared it, and who is nearest."""
    about = answer.asked_for
    role = answer.roles[0] if answer.roles else None
    offer = [button("I do this", ids.DECLARE, role.id)] if role else [button("Declare what I do", ids.DECLARE, "-")]
    if role:
        offer.append(button(role.short, "open_entry:1", role.id))
    if why := subject_value(answer.subject):
        offer.append(button("Why these?" if answer.people else "Why nobody?", ids.WHY_THESE, why))
    ask, nobody = ("you can also ask", "Nobody else") if answer.further else ("ask", "Nobody")
    if not answer.names_people:
        return _members_only(answer)
    over = " ".join(passed_over_in_words(answer.passed_over))
    if answer.people:
        words, marked = listed(view, answer.people)
        lines = [f"For {about}, {ask}:", *words]
        blocks = [section(f"*For {escape(about)}, {ask}:*\n" + "\n".join(marked))]
    elif answer.nearest:
        words, marked = listed(view, answer.nearest)
        missing = (
            f"{nobody} can be named for {about} now. {over}" if over else f"{nobody} here has declared {about} yet."
        )
        lines = [f"{missing} Nearest:", *words]
        blocks = [section(f"*{escape(missing)}* Nearest:\n" + "\n".join(marked))]
    elif over:
        text = f"{nobody} can be named for {about} now."
        lines, blocks = [text, over], [section(f"*{escape(text)}* {escape(over)}")]
    else:
        text = f"{nobody} here has declared {about} or a role near it yet."
        invitation = "If it is what you do, declare it, and others will find you."
        lines, blocks = [text, invitation], [section(f"*{escape(text)}* {escape(invitation)}")]
    if [role.name for role in answer.roles] not in ([], [about]):
        field = ", ".join(role.name for role in answer.roles)
        lines.append(f"Whose field it is: {field}.")
        blocks.append(section(f"*Whose field it is:* {escape(field)}"))
    source = f"Source: what members declared themselves{f'; roles/{role.id}' if role else ''}. Nobody was notified."
    lines.append(source)
    blocks += [context(escape(source)), actions(*offer)]
    return message(lines, blocks)


def _members_only(answer: Suggestion) -> Message:
    """Say to whom people are named, and whose field it is."""
    lines = [MEMBERS_ONLY]
    field = ", ".join(role.name for role in answer.roles)
    if field:
        lines.append(f"Whose field it is: {field}.")
    blocks = [section(escape(line)) for line in lines]
    if answer.roles:
        blocks.append(actions(button(answer.roles[0].short, "open_entry:1", answer.roles[0].id)))
    return message(lines, blocks)


def subject_value(subject: Subject) -> str:
    """Return a subject as the value of a button; empty where there is none, or it is longer than one may be."""
    parts = (subject.roles, subject.topics, subject.tools)
    value = json.dumps(parts, ensure_ascii=False, separators=(",", ":"))
    return value if any(parts) and len(value) <= LONGEST_VALUE else ""


def subject_in(value: str) -> Subject | None:
    """Return the subject that stands in the value of a button; None where none does."""
    try:
        parts = json.loads(value)
    except (ValueError, RecursionError):
        return None
    if not isinstance(parts, list) or len(parts) != 3 or not all(isinstance(part, list) for part in parts):
        return None
    if not all(isinstance(key, str) and key for part in parts for key in part):
        return None
    roles, topics, tools = (tuple(part) for part in parts)
    return Subject(roles, topics, tools) or None


def why_these(counts: PassedOver) -> Message:
    """Say who was passed over and why, in numbers, and what the order is."""
    sentences = passed_over_in_words(counts) or [NOBODY_LEFT_OUT]
    order = f"{OUT_COMES_LAST} Equals take turns. Who is hidden is not counted."
    return message(
        ["Why these:", *sentences, order],
        [section("*Why these*\n" + "\n".join(f"• {escape(one)}" for one in sentences)), context(escape(order))],
    )


def members_only() -> Message:
    """Say to whom people are named."""
    return message([MEMBERS_ONLY], [section(escape(MEMBERS_ONLY))])


def candidates(answer: Candidates) -> Message:
    """Offer up to three entries as buttons."""
    names = [entry.name for entry in answer.entries]
    ask = "I'm not sure what you mean. Did you mean one of these?"
    buttons = [
        button(getattr(entry, "short", entry.name), f"open_entry:{at}", entry.id)
        for at, entry in enumerate(answer.entries, 1)
    ]
    hint = "None of them? /genai-role without a word lists every role."
    return message(
        [ask, *(f"• {name}" for name in names), hint],
        [section(ask), actions(*buttons), context(hint)],
    )


LONGEST_VALUE = 2000
"""Signs that Slack takes as the value of a button."""

GREETINGS = {
    "greeting": "Hello! Ask me about a generative-AI role, or who here covers a subject.",
    "thanks": "You're welcome. Ask me about another role any time.",
}
EXAMPLES = (
    ("/genai-role mlops", "a role, a tool or a subject"),
    ("/genai-role compare data scientist and data engineer", "two roles side by side"),
    ("/genai-role who ethics review", "whom to ask here"),
    ("/genai-role me", "declare what you do, or change it"),
    ("/genai-role my data", "see what I keep about you"),
    ("/genai-role forget me", "delete all of it"),
)


def help_message(answer: Help, view: View) -> Message:
    """Say what the bot is for: a line for a greeting, the whole for "help" and for nothing."""
    if answer.occasion in GREETINGS:
        text = GREETINGS[answer.occasion]
        examples = "For example: what does an MLOps engineer do? · who covers ethics review?"
        return message([text, examples], [section(text), context(escape(examples))])
    if answer.occasion == "who":
        text = "Say whom you look for: /genai-role who ethics review"
        return message([text], [section(escape(text)), _browse(view)])
    if answer.occasion == "compare":
        text = "To compare, name two roles: /genai-role compare data scientist and data engineer"
        return message([text], [section(escape(text)), _browse(view)])
    intro = (
        "I explain the roles of generative-AI teams and suggest whom to ask here. "
        "I answer from a bundled knowledge base, never by guessing."
    )
    lines = [
        intro,
        *(f"• {typed} – {what}" for typed, what in EXAMPLES),
        "Mention me or write to me directly in plain words, too.",
    ]
    roles = ", ".join(role.name for role in view.roles.values())
    return message(
        [*lines, f"The roles: {roles}."],
        [
            section(escape(intro)),
            section("\n".join(f"• `{escape(typed)}` – {escape(what)}" for typed, what in EXAMPLES)),
            context("Mention me or write to me directly in plain words, too."),
            _browse(view),
        ],
    )


def _browse(view: View) -> Block:
    return actions(
        select("Pick a role", ids.BROWSE, [option(role.name, role.id) for role in view.roles.values()]),
        button("Declare what I do", ids.DECLARE, "-"),
    )


def not_known(answer: NotKnown, view: View) -> Message:
    """Say honestly that there is no answer, and whose field it may be."""
    if answer.roles:
        role = answer.roles[0]
        names = ", ".join(role.name for role in answer.roles)
        text = f"I don't have that in my knowledge. It sounds like a question for: {names}."
        words, marked = holders(view, answer.holders) if answer.names_people else ("", "")
        return message(
            [text, words] if words else [text],
            [
                section(escape(text)),
                *([section(marked)] if marked else []),
                actions(button(role.short, "open_entry:1", role.id), button("Ask someone", ids.ASK, role.id)),
            ],
        )
    text = "I don't know that. I only know the roles of generative-AI teams, their tools, and who here does what."
    hint = "Pick a role to browse, or type /genai-role help."
    return message([text, hint], [section(escape(text)), context(hint), _browse(view)])


def declared(declaration: Declaration, view: View) -> list[str]:
    """Say in plain lines what a person declared."""
    lines = [
        f"• {view.roles[role].name if role in view.roles else role} ({level})"
        for role, level in declaration.roles.items()
    ]
    if declaration.topics:
        lines.append("• Topics: " + ", ".join(declaration.topics.values()))
    return lines + _terms(declaration.terms) if lines else ["• nothing"]


def _terms(terms: Terms) -> list[str]:
    lines: list[str] = []
    if terms.not_about:
        lines.append("• Not to be asked about: " + ", ".join(terms.not_about.values()))
    if terms.weekly_cap is not None:
        times = "once" if terms.weekly_cap == 1 else f"{terms.weekly_cap} times"
        lines.append(f"• Suggested at most {times} a week")
    if terms.visibility == "ask_first":
        lines.append("• Ask me first: nobody sees the name")
    elif terms.visibility == "hidden":
        lines.append("• Hidden: nobody sees the name, nor that somebody does this")
    return lines
