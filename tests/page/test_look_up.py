"""Looking things up: what a person types after the slash, and the buttons of what comes back."""

from __future__ import annotations

import pytest
from playwright.async_api import expect

from tests.docs.pages import README, code, rows, section

from .seat import Seat

pytestmark = pytest.mark.asyncio(loop_scope="session")

ANSWERS = {
    "/genai-role": "I explain the roles of generative-AI teams",
    "/genai-role mlops": "Carries models from development into production",
    "/genai-role kubernetes": "Runs containers across many machines",
    "/genai-role what is RAG": "searches a database for passages",
    "/genai-role compare data scientist and data engineer": "How to tell them apart",
    "/genai-role mlops vs mle": "How to tell them apart",
    "/genai-role who airflow": "For Airflow, ask:",
    "/genai-role settings": "Only administrators of this workspace can do this",
    "/genai-role my data": "What I keep about you",
    "/genai-role forget me": "Done: I deleted everything I kept about you",
    "/genai-role help": "see what I keep about you",
}
"""What is drawn for each command of the README that opens no form."""
FORMS = {"/genai-role me": "What I do", "/genai-role ask someone about model drift": "Ask a person"}


async def test_every_command_of_the_readme_is_answered(seat: Seat) -> None:
    typed = [code(row[0])[0] for row in rows(section(README, "In Slack"))]
    assert sorted(typed) == sorted([*ANSWERS, *FORMS])
    answered = 0
    for text in typed:
        if text in FORMS:
            await seat.say(text)
            await expect(seat.dialog.get_by_role("heading", name=FORMS[text])).to_be_visible()
            await seat.button("Cancel", seat.dialog)
            await expect(seat.dialog).to_have_count(0)
        else:
            await seat.ask(text, ANSWERS[text])
            # Each answer is a message of its own, and one person's.
            answered += 1
            await expect(seat.messages).to_have_count(answered)
            await expect(seat.last.get_by_text("Only visible to you")).to_be_visible()


async def test_a_role_is_picked_from_the_list(seat: Seat) -> None:
    help_message = await seat.ask("/genai-role", "I explain the roles")
    await seat.choose("Pick a role", "Multimodal Architect", help_message)
    await expect(seat.last.get_by_role("heading", name="Multimodal Architect")).to_be_visible()


async def test_the_card_of_a_role_has_two_halves(seat: Seat) -> None:
    card = await seat.ask("/genai-role mlops", "Responsibilities")
    await card.evaluate("element => element.scrollIntoView()")
    await seat.picture("look-up")
    await seat.button("More")
    await expect(card).not_to_contain_text("Responsibilities")
    await seat.button("First half")
    await expect(card).to_contain_text("Responsibilities")
    await expect(seat.messages).to_have_count(1)


async def test_a_card_is_compared_with_a_role_that_is_chosen(seat: Seat) -> None:
    await seat.ask("/genai-role mlops", "Responsibilities")
    await seat.button("Compare MLOps Engineer with another role")
    await seat.drawn(seat.last, "Compare MLOps Engineer with:")
    await seat.choose("Pick a role", "Data Engineer", seat.last)
    await seat.drawn(seat.last, "MLOps Engineer")
    await seat.drawn(seat.last, "Data Engineer")
    await seat.drawn(seat.last, "How to tell them apart")


async def test_what_is_shared_is_there_for_everybody(seat: Seat) -> None:
    await seat.ask("/genai-role kubernetes", "Runs containers")
    await seat.button("Post the entry Kubernetes for everybody here")
    await seat.drawn(seat.last, "Shared by")
    await expect(seat.messages).to_have_count(2)
    await seat.be("Grace Tamatea")
    await expect(seat.messages).to_have_count(1)
    await seat.drawn(seat.last, "Runs containers")
    await expect(seat.last).not_to_contain_text("Only visible to you")


async def test_answers_are_rated(seat: Seat) -> None:
    await seat.ask("/genai-role what is RAG", "searches a database")
    await seat.press(seat.last.get_by_text("Helpful", exact=True))
    await seat.drawn(seat.last, "Thank you, noted.")
    await seat.ask("/genai-role kubernetes", "Runs containers")
    await seat.press(seat.last.get_by_text("Not helpful"))
    await seat.drawn(seat.last, "your question is noted, without your name")
    await seat.button("Show whom to ask")
    await seat.drawn(seat.last, "ask:")


async def test_what_is_begun_is_completed(seat: Seat) -> None:
    choices = seat.page.get_by_role("listbox", name="Suggestions")
    await seat.press(seat.composer)
    await seat.composer.press_sequentially("/")
    await seat.press(choices.get_by_role("option", name="/genai-role"))
    await expect(seat.composer).to_have_value("/genai-role ")
    await expect(choices).to_have_count(0)
    await expect(seat.page.get_by_text("Look up a GenAI role")).to_be_visible()
    await seat.composer.press_sequentially("who GDPR")
    await seat.composer.press("Enter")
    await seat.drawn(seat.last, "For GDPR, ask:")
    # The bot comes first; Enter takes what is marked.
    await seat.composer.press_sequentially("@")
    await expect(choices.get_by_role("option").first).to_contain_text("genai-roles")
    await seat.composer.press_sequentially("gra")
    await seat.composer.press("Enter")
    await expect(seat.composer).to_have_value("@Grace Tamatea ")


async def test_a_command_that_there_is_not_is_said_and_stays_typed(seat: Seat) -> None:
    await seat.press(seat.composer)
    await seat.composer.press_sequentially("/weather tomorrow")
    await seat.composer.press("Enter")
    await expect(seat.page.get_by_role("alert")).to_have_text("/weather is not a valid command.")
    await expect(seat.composer).to_have_value("/weather tomorrow")
    await expect(seat.messages).to_have_count(0)
