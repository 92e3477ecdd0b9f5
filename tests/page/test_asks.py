"""A question to a person, in the browser: members ask, decline, hand over, answer, close and keep it."""

from __future__ import annotations

import pytest
from playwright.async_api import expect

from bot.demo import PRIYA
from bot.local import LocalSlack

from .seat import Seat

pytestmark = pytest.mark.asyncio(loop_scope="session")

QUESTION = "May we train on support tickets under GDPR?"
ADMINISTRATOR = "Priya Menon"
ANSWERER = "Renata Kowalczyk"
ANSWER = "Only without names, and with a legal basis that you wrote down."


async def test_asked_declined_handed_over_answered_kept_and_served_again(seat: Seat, workspace: LocalSlack) -> None:
    workspace.workspace.members[PRIYA].admin = True
    await seat.be("Grace Tamatea")
    await seat.say("/genai-role who covers GDPR")
    await seat.drawn(seat.last, "For GDPR, ask:")
    await seat.button("Put a question to a person", seat.last)
    form = seat.dialog
    await form.get_by_role("textbox", name="Your question").fill(QUESTION)
    await form.get_by_role("radio", name="Daniel Okonjo-Reed").check()
    await seat.picture("ask-form-phone", "phone")
    await seat.button("Ask", form)
    await seat.drawn(form, "Your question is on its way.")
    await seat.page.keyboard.press("Escape")

    await seat.be("Daniel Okonjo-Reed")
    await seat.go_app("Messages")
    await seat.drawn(seat.last, "Grace Tamatea asks you")
    await seat.button("Not my area", seat.last)
    await seat.drawn(seat.last, "Thank you for looking: I ask somebody else.")
    await expect(seat.last.get_by_role("button", name="Drop GDPR")).to_be_visible()

    await seat.be("Fatima Zahra Idrissi")
    await seat.go_app("Messages")
    await seat.drawn(seat.last, "Grace Tamatea asks you")
    await seat.button("Hand over…", seat.last)
    form = seat.dialog
    await seat.choose("To whom", ANSWERER, form)
    await form.get_by_role("textbox", name="A note to them").fill("You wrote our policy.")
    await seat.button("Hand over", form)
    await seat.drawn(form, "I pass it on.")
    await seat.page.keyboard.press("Escape")
    await seat.drawn(seat.last, "Thank you: I pass it on.")

    await seat.be(ANSWERER)
    await seat.go_app("Messages")
    await seat.drawn(seat.last, "Note from Fatima Zahra Idrissi")
    await seat.button("Answer…", seat.last)
    form = seat.dialog
    await form.get_by_role("textbox", name="Your answer").fill(ANSWER)
    await seat.button("Send", form)
    await seat.drawn(form, "our answer is on its way")
    await seat.page.keyboard.press("Escape")

    await seat.be("Grace Tamatea")
    await seat.go_app("Messages")
    await seat.drawn(seat.last, f"Answered by {ANSWERER}")
    await seat.drawn(seat.last, ANSWER)
    await seat.open_thread()
    await seat.drawn(seat.thread, f"Answer from {ANSWERER}")
    if seat.phone:
        await seat.page.keyboard.press("Escape")
    await seat.button("Solved", seat.messages.last)
    await expect(seat.messages.last).to_contain_text("Solved: thank you for saying so")

    # Kept: both agree, a curator publishes, and the next who asks is served.
    await seat.button("Keep question and answer", seat.messages.last)
    await seat.drawn(seat.messages.last, "It is kept once the other side agrees too.")
    await seat.be(ANSWERER)
    await seat.go_app("Messages")
    await seat.button("Look at it, and keep it…", seat.page.locator("main"))
    form = seat.dialog
    await form.get_by_role("checkbox", name="Show my name with it").check()
    await seat.button("Keep it", form)
    await seat.drawn(form, "It is kept once")
    await seat.page.keyboard.press("Escape")
    await seat.be(ADMINISTRATOR)
    await seat.go_app("Home")
    await seat.button("Team knowledge", seat.home)
    await seat.drawn(seat.home, QUESTION)
    await seat.button(f"Review: {QUESTION}", seat.home)
    await seat.button("Publish", seat.dialog)
    await seat.drawn(seat.dialog, "answers in this workspace from now on")
    await seat.page.keyboard.press("Escape")
    await seat.be("Daniel Okonjo-Reed")
    await seat.go_app("Messages")
    await seat.say(QUESTION)
    await seat.drawn(seat.last, f"From your team, verified today by {ANSWERER}.")
    await seat.drawn(seat.last, ANSWER)
