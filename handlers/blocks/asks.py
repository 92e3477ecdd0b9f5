"""Questions to people, as each side reads them; who is not to be named is not named here."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from textwrap import wrap

from handlers import ids
from handlers.blocks.message import (
    Block,
    Message,
    actions,
    button,
    context,
    cut,
    escape,
    message,
    option,
    section,
    select,
)
from handlers.blocks.people import View, display_name, reason
from knowledge.asking import FINAL, WAITING, Ask, Askee, Effect, Outcome, State
from knowledge.people import Person, Reason

LONGEST_QUOTE = 2_400
"""Signs of a quotation in one block, escaped and with the quotation mark of every line; longer ones take several."""
LONGEST_LINE = 400
"""Where a line has to be broken: escaped, each sign of it may be five."""
MOST_QUOTES = 10
"""Blocks of one quotation: any question or answer has room in them; of many answers the first ones."""
BUSY: tuple[tuple[str, str], ...] = (("2", "In 2 hours"), ("24", "Tomorrow"), ("72", "In 3 days"), ("168", "In a week"))
"""For how many hours a person may be left alone, and in words."""
UNNAMED = "a colleague who stays unnamed"


@dataclass(frozen=True)
class Names:
    """Hold the people of a question as they may be shown; None for who is not to be named."""

    asker: Person | None
    person: Person | None
    """Who has the question, or answered it."""
    before: Person | None = None
    """Who handed it over."""


def quoted(head: str, text: str) -> list[Block]:
    """Quote what somebody wrote under a line of mrkdwn, in as many blocks as it takes to read all of it."""
    quotes = [head]
    for line in text.splitlines():
        for piece in wrap(line, LONGEST_LINE) if len(escape(line)) > LONGEST_QUOTE // 2 else [line]:
            marked = f"&gt; {escape(piece)}"
            if len(quotes[-1]) + len(marked) < LONGEST_QUOTE:
                quotes[-1] += f"\n{marked}"
            else:
                quotes.append(marked)
    if len(quotes) > MOST_QUOTES:
        quotes[MOST_QUOTES - 1] += "\n…"
    return [section(one) for one in quotes[:MOST_QUOTES]]


def who(view: View, person: Person | None) -> tuple[str, str]:
    """Return a person in plain words and as mrkdwn."""
    return (display_name(person), view.profile(person)) if person else (UNNAMED, UNNAMED)


def asker_card(ask: Ask, names: Names, view: View, token: str, *, curators: bool, reminds: bool) -> Message:
    """Show the asker how their question stands.

    ``curators``: there are some who could be shown it; ``reminds``: whoever says nothing is reminded.
    """
    plain, marked = who(view, names.person)
    said, buttons = _standing(ask, plain), list[Block]()
    head = said.replace(plain, "\0", 1)
    shown = escape(head).replace("\0", marked)
    if ask.state == "answered":
        buttons.append(button("Solved", f"{ids.ASKING}:solved", token, primary=True))
        if ask.answerer is not None:
            buttons.append(button("Ask back…", f"{ids.ASKING}:back", token))
    elif ask.state not in FINAL:
        if ask.state == "nobody" and curators and not ask.to_curators:
            buttons.append(button("Show it to the curators", f"{ids.ASKING}:curators", token, primary=True))
        if ask.answer:
            buttons.append(button("Solved", f"{ids.ASKING}:solved", token))
        buttons.append(button("Withdraw", f"{ids.ASKING}:withdraw", token))
    lines = [said, "You asked:", ask.question]
    blocks = [section(f"*{shown}*"), *quoted("You asked:", ask.question)]
    if ask.further:
        lines += ["You asked back:", ask.further]
        blocks += quoted("You asked back:", ask.further)
    if ask.answer:
        lines += ["The answer:", ask.answer]
        blocks += quoted("The answer:", ask.answer)
    notes = []
    if ask.anonymous:
        notes.append("Nobody is told that it was you.")
    if ask.state in WAITING and ask.state != "snoozed":
        hours = "from 8 to 20 where they are" if ask.urgent else "in working hours"
        then = "remind them once, and then ask the next" if reminds else "and ask the next where no answer comes"
        notes.append(f"I write to people {hours}, {then}. This message keeps up.")
    if notes:
        blocks.append(context(escape(" ".join(notes))))
    if buttons:
        blocks.append(actions(*buttons))
    return message([*lines, *notes], blocks)


def _standing(ask: Ask, person: str) -> str:
    """Say in a sentence how a question stands."""
    sentences: dict[State, str] = {
        "seeking": "I am looking for somebody to ask.",
        "asked": f"I am asking {person}.",
        "reminded": f"I asked {person}, and reminded them.",
        "handed_over": f"It was handed over to {person}.",
        "taken": f"On it: {person} is writing an answer.",
        "snoozed": f"Busy for now: {person} comes back to it {_on(ask)}.",
        "asked_back": f"I passed your further question on to {person}.",
        "nobody": "Nobody could take your question yet.",
        "answered": f"Answered by {person}.",
        "solved": f"Solved: thank you for saying so. It was answered by {person}.",
        "closed": f"Closed. It was answered by {person}.",
        "withdrawn": "You withdrew this question.",
        "expired": "Nobody answered, so this question has ended. You can ask it again any time.",
    }
    if ask.state in ("answered", "closed") and ask.answerer is None and not ask.answer:
        return "It was answered; whoever wrote the answer had it deleted since."
    if ask.state == "solved" and ask.answerer is None:
        return "Solved: thank you for saying so."
    if ask.state == "closed" and ask.answerer is None:
        return "Closed. It was answered; what you asked back was not."
    if ask.state == "nobody":
        seen = (
            "curators may read it, as you allowed"
            if ask.to_curators
            else "curators see what it is about, not its words"
        )
        said = "Nobody could take what you asked back yet." if ask.answer else sentences["nobody"]
        return f"{said} It stays open until {_day(ask)}; {seen}."
    return sentences[ask.state]


def _on(ask: Ask) -> str:
    return f"on {ask.due.day} {ask.due:%B}"


def _day(ask: Ask) -> str:
    return f"{ask.ends.day} {ask.ends:%B}"


def note_to_asker(state: str) -> Message:
    """Say in the thread that a question is with nobody, or has ended."""
    text = (
        "I found nobody who can take your question now. It stays open; above you can withdraw it."
        if state == "nobody"
        else "Nobody answered in time, so your question has ended. You can ask it again any time."
    )
    return message([text], [section(text)])


def answer_note(text: str, names: Names, view: View) -> Message:
    """Deliver an answer in the thread."""
    plain, marked = who(view, names.person)
    return message([f"Answer from {plain}:", text], quoted(f"*Answer from {marked}:*", text))


def blanked(kind: Effect) -> Message:
    """Take the place of a message whose words, or a name in it, are not to be read any more."""
    text = (
        "An answer stood here. What may still be read of it stands in the message above."
        if kind == "deliver answer"
        else "A further question stood here. There is nothing left to do."
    )
    return message([text], [section(text)])


def person_card(ask: Ask, askee: Askee, names: Names, view: View, reasons: Sequence[Reason], *, named: bool) -> Message:
    """Show a person what they are asked, or what became of it; ``named``: whoever asked may read their name."""
    if ask.state in ("withdrawn", "expired"):
        text = (
            "A question that I had brought you was withdrawn. There is nothing left to do."
            if ask.state == "withdrawn"
            else "A question that I had brought you has ended without an answer. There is nothing left to do."
        )
        return message([text], [section(text)])
    plain, marked = who(view, names.asker)
    by = "A colleague asks you" if names.asker is None else f"{plain} asks you"
    by_marked = escape(by) if names.asker is None else f"{marked} asks you"
    urgent = ", and it is urgent" * ask.urgent
    if askee.outcome != "has":
        return _afterwards(ask, askee)
    head = {"taken": "You took this. ", "snoozed": f"You come back to this {_on(ask)}. "}.get(ask.state, "")
    lines = [f"{head}{by}{urgent}:", ask.question]
    blocks = quoted(f"*{escape(head)}{by_marked}{urgent}:*", ask.question)
    if ask.further:
        # Without the answer: it may be another's, who passed on what was asked back.
        lines += ["And they ask back:", ask.further]
        blocks += quoted("And they ask back:", ask.further)
    if ask.note:
        before_plain, before = who(view, names.before)
        lines += [f"Note from {before_plain}:", ask.note]
        blocks += quoted(f"Note from {before}:", ask.note)
    seen = "sees your name" if named else "is not told who you are"
    foot = [
        _why(askee, view, reasons, names),
        f"You can also answer in the thread of this message. Whoever asked {seen}.",
    ]
    blocks.append(context(*(escape(line) for line in foot)))
    blocks.append(
        actions(
            button("Answer…", f"{ids.ASKED}:answer", ask.id, primary=True),
            button("Hand over…", f"{ids.ASKED}:hand_over", ask.id),
            button("Not my area", f"{ids.ASKED}:decline", ask.id),
            select("Busy: ask me again", f"{ids.ASKED}:busy", [option(t, f"{ask.id} {h}") for h, t in BUSY]),
        )
    )
    return message([*lines, *foot], blocks)


def _why(askee: Askee, view: View, reasons: Sequence[Reason], names: Names) -> str:
    if askee.via == "handover":
        return f"Why you: {who(view, names.before)[0]} handed it over to you."
    if askee.via == "curator":
        return "Why you: nobody else could take it, and you are a curator."
    if reasons:
        return "Why you: " + "; ".join(reason(view, one) for one in reasons[:3]) + "."
    return "Why you: it is close to what you declared."


def _afterwards(ask: Ask, askee: Askee) -> Message:
    late = "If you know the answer after all, write it into the thread of this message."
    words: dict[Outcome, str] = {
        "declined": "Thank you for looking: I ask somebody else.",
        "handed_over": "Thank you: I pass it on. If your colleague can't be asked now, I find somebody else.",
        "silent": f"I had no answer from you, so I ask somebody else. {late}",
        "left": f"I ask somebody else. {late}",
        "ended": "It is settled by now. There is nothing left to do.",
        "answered": "Your answer is delivered.",
    }
    text = words.get(askee.outcome, "There is nothing left to do.")
    if askee.outcome == "answered" and ask.state == "solved":
        text = "Thank you: your answer solved it."
    elif askee.outcome == "answered" and ask.state == "closed":
        text = "Thank you for your answer."
    blocks = [section(escape(text))]
    lines = [text]
    if askee.outcome in ("silent", "answered") and ask.question:
        lines += ["The question was:", ask.question]
        blocks += quoted("The question was:", ask.question)
    if askee.outcome == "declined" and (ask.subject.topics or ask.subject.tools or ask.subject.roles):
        about = ask.about or "this"
        ask_drop = f"Is {about} not yours any more? You can take it out of what you declare."
        lines.append(ask_drop)
        blocks += [
            context(escape(ask_drop)),
            actions(
                button(cut(f"Drop {about}", 70), f"{ids.ASKED}:drop", ask.id),
                button("Change what I declare", ids.DECLARE, "-"),
            ),
        ]
    return message(lines, blocks)


def reminder(before: str) -> Message:
    """Remind a person in the thread; ``before``: the state in which they let the time pass."""
    otherwise = "Without an answer I ask somebody else."
    text = {
        "snoozed": "You asked me to come back to this now.",
        "taken": f"You took this question, and it still waits for your answer. {otherwise}",
    }.get(before, f"A reminder: this question still waits for you. {otherwise}")
    return message([text], [section(text)])


def further_note(ask: Ask) -> Message:
    """Bring what was asked back, in the thread."""
    text = "They ask back:"
    return message([text, ask.further], quoted(f"*{text}*", ask.further))
