"""Talking with the bot, and the page around it."""

from __future__ import annotations

import aiohttp
import pytest
from playwright.async_api import expect

from bot.local import GENERAL, LocalSlack

from .conftest import Opened
from .seat import Seat

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def test_a_mention_is_answered_in_the_thread_which_keeps_its_subject(seat: Seat) -> None:
    await seat.say("@genai-roles what does a prompt engineer do?")
    await seat.drawn(seat.last, "1 reply")
    await seat.open_thread()
    answers = seat.thread.locator("[data-ts]")
    await expect(answers.last.get_by_role("heading", name="Prompt Engineer")).to_be_visible()
    await seat.say("@genai-roles and which skills?", seat.thread.get_by_role("textbox", name="Reply in thread"))
    await expect(answers).to_have_count(4)
    await expect(answers.last).to_contain_text("Prompt Engineer")
    await expect(answers.last).to_contain_text("Skills")
    await seat.button("Close thread", seat.thread)
    await expect(seat.thread).to_have_count(0)
    await seat.drawn(seat.last, "3 replies")


async def test_a_mention_asks_for_people(seat: Seat) -> None:
    await seat.say("@genai-roles who covers ethics review?")
    await seat.drawn(seat.last, "1 reply")
    await seat.open_thread()
    await seat.drawn(seat.thread, "Fatima Zahra Idrissi")
    await seat.drawn(seat.thread, "Nobody was notified.")
    await seat.picture("thread")


async def test_commands_do_not_work_in_threads(desk: Seat) -> None:
    await desk.say("Good morning")
    await desk.last.hover()
    await desk.button("Reply in thread")
    box = desk.thread.get_by_role("textbox", name="Reply in thread")
    await box.press_sequentially("/genai-role mlops")
    await box.press("Enter")
    await expect(desk.thread.get_by_role("alert")).to_contain_text("Slash commands do not work in threads.")
    await expect(box).to_have_value("/genai-role mlops")


async def test_direct_messages_are_answered_in_plain_words(seat: Seat) -> None:
    await seat.go_app("Messages")
    await seat.ask("what does a data engineer do?", "Responsibilities")
    await expect(seat.last).not_to_contain_text("Only visible to you")
    await seat.ask("help", "I explain the roles of generative-AI teams")
    await seat.ask("my data", "What I keep about you")
    await seat.ask("me", "Declare which roles you fill")
    await seat.button("Declare what I do")
    await expect(seat.dialog.get_by_role("heading", name="What I do")).to_be_visible()
    await seat.page.keyboard.press("Escape")
    await seat.ask("forget me", "Done: I deleted everything I kept about you")


async def test_where_the_bot_is_not_it_hears_nothing_but_commands(seat: Seat) -> None:
    await seat.go("finance, channel, without the bot")
    await expect(seat.page.get_by_text("it hears no mention here")).to_be_visible()
    await seat.say("@genai-roles what does a prompt engineer do?")
    await seat.ask("/genai-role mlops", "Responsibilities")
    await expect(seat.messages).to_have_count(2)
    await expect(seat.messages.first).not_to_contain_text("reply")


async def test_what_was_said_is_there_after_a_reload(seat: Seat) -> None:
    await seat.go("random, channel")
    await seat.say("Does anybody know a good dentist?")
    await seat.ask("/genai-role mlops", "Responsibilities")
    await seat.be("Grace Tamatea")
    await seat.page.reload()
    # Also who and where the person was.
    await expect(seat.page.get_by_role("main", name="#random")).to_be_visible()
    await expect(seat.messages).to_have_count(1)
    await seat.drawn(seat.last, "dentist")
    await seat.be("Priya Menon")
    await expect(seat.messages).to_have_count(2)


async def test_two_pages_show_the_same(opened: Opened) -> None:
    async with opened("desktop") as one, opened("phone") as other:
        await other.be("Grace Tamatea")
        await one.say("@genai-roles what does a data scientist do?")
        await other.drawn(other.last, "1 reply")
        await other.say("Thank you, Priya")
        await one.drawn(one.last, "Thank you, Priya")


async def test_the_first_steps_are_ticked_off(seat: Seat) -> None:
    steps = seat.page.get_by_role("region", name="First steps")

    async def show(title: str) -> None:
        # On a phone only the next step is shown, above the messages; beside them all of them are.
        await seat.button(f"Show me: {title}", steps)

    await seat.drawn(steps, "0/3")
    await show("Look up a role")
    await expect(seat.composer).to_have_value("/genai-role mlops")
    await seat.composer.press("Enter")
    await seat.drawn(seat.last, "Responsibilities")
    await seat.drawn(steps, "1/3")
    await show("Ask who can help")
    await expect(seat.composer).to_have_value("@genai-roles who covers ethics review?")
    await seat.composer.press("Enter")
    await seat.drawn(steps, "2/3")
    await show("Declare a role as Priya")
    await expect(seat.composer).to_have_value("/genai-role me")
    await seat.composer.press("Enter")
    await seat.choose("I practise", "Prompt Engineer", seat.dialog)
    await seat.page.keyboard.press("Escape")
    await seat.button("Save", seat.dialog)
    await seat.button("Done", seat.dialog)
    await seat.drawn(steps, "3/3")
    await seat.button("Dismiss first steps", steps)
    await expect(steps).to_have_count(0)
    await seat.menu("Show first steps")
    await expect(steps.first).to_be_attached()


async def test_under_the_hood_are_the_requests_both_ways(seat: Seat) -> None:
    await seat.ask("/genai-role mlops", "Responsibilities")
    await seat.say("@genai-roles who covers ethics review?")
    await seat.drawn(seat.last, "1 reply")
    await seat.button("Under the hood", seat.page.get_by_role("main"))
    requests = seat.hood.get_by_role("listitem")
    posted = requests.filter(has_text="chat.postMessage")
    await expect(posted).to_contain_text("200")
    await seat.press(posted.locator("summary"))
    await expect(posted.get_by_role("group", name="Sent")).to_contain_text('"thread_ts"')
    await seat.hood.get_by_label("Filter requests").press_sequentially("slash_commands")
    await expect(requests).to_have_count(1)
    await seat.press(requests.locator("summary"))
    await expect(requests.get_by_role("group", name="Headers")).to_contain_text("X-Slack-Signature")
    await expect(requests.get_by_role("group", name="Sent")).to_contain_text('"command": "/genai-role"')
    await expect(requests.get_by_role("group", name="Answer")).to_contain_text("ephemeral")
    await seat.button("Close under the hood", seat.hood)
    await expect(seat.hood).to_have_count(0)


@pytest.mark.usefixtures("refusals")
async def test_under_the_hood_is_what_slack_would_refuse_and_why(seat: Seat, workspace: LocalSlack) -> None:
    await seat.ask("/genai-role mlops", "Responsibilities")
    await seat.button("Under the hood", seat.page.get_by_role("main"))
    wrong = [{"type": "header", "text": {"type": "mrkdwn", "text": "*Bold*"}}]
    async with aiohttp.ClientSession(headers={"Authorization": f"Bearer {workspace.bot_token}"}) as session:
        body = {"channel": GENERAL, "text": "A header", "blocks": wrong}
        async with session.post(f"{workspace.api_url}chat.postMessage", json=body) as response:
            assert (await response.json())["error"] == "invalid_blocks"
    refused = seat.hood.get_by_role("listitem").filter(has_text="chat.postMessage").first
    await expect(refused).to_contain_text("invalid_blocks")
    await expect(refused.locator("code").first).to_contain_text("/blocks/0")
    await seat.picture("under-the-hood")


async def test_a_reset_leads_back_to_the_start(seat: Seat) -> None:
    await seat.ask("/genai-role mlops", "Responsibilities")
    await seat.ask("/genai-role forget me", "Done: I deleted everything")
    steps = seat.page.get_by_role("region", name="First steps")
    await seat.drawn(steps, "1/3")
    await seat.menu("Reset")
    await expect(seat.page.get_by_text("Everything is back to the start.")).to_be_visible()
    await expect(seat.messages).to_have_count(0)
    await seat.drawn(steps, "0/3")
    # The team has declared again what it does.
    await seat.ask("/genai-role my data", "AI Product Manager (lead)")


async def test_the_theme_is_dark_where_it_is_chosen_and_stays_so(seat: Seat) -> None:
    async def paper() -> str:
        return str(await seat.page.evaluate("getComputedStyle(document.body).backgroundColor"))

    assert await paper() == "rgb(255, 255, 255)"
    await seat.menu("Dark")
    await expect(seat.page.locator("html")).to_have_attribute("data-theme", "dark")
    assert await paper() == "rgb(25, 31, 30)"
    await seat.page.reload()
    await expect(seat.composer).to_be_visible()
    assert await paper() == "rgb(25, 31, 30)"
    await seat.ask("/genai-role compare mlops and mle", "How to tell them apart")
    await seat.picture("dark-phone", "phone")


@pytest.mark.parametrize("workspace", ["empty"], indirect=True)
async def test_an_empty_workspace_has_you_alone(seat: Seat) -> None:
    await seat.ask("/genai-role who airflow", "or a role near it yet")
    await seat.say("/genai-role me")
    await seat.choose("I lead", "Data Engineer", seat.dialog)
    await seat.page.keyboard.press("Escape")
    await seat.button("Save", seat.dialog)
    await seat.drawn(seat.dialog, "Data Engineer (lead)")
    await seat.button("Done", seat.dialog)
    await seat.unfold()
    await seat.button("You are", seat.page.get_by_role("navigation"))
    await expect(seat.dialog.get_by_role("option")).to_have_count(1)


async def test_a_channel_keeps_to_its_end_and_says_what_is_new(desk: Seat, opened: Opened) -> None:
    for text in ("mlops", "data engineer", "prompt engineer"):
        await desk.ask(f"/genai-role {text}", "Responsibilities")
    await expect(desk.last).to_be_in_viewport()
    await desk.go("random, channel")
    await desk.go("general, channel")
    await expect(desk.last).to_be_in_viewport()
    # Whoever reads further up stays there, and is told of what comes.
    await desk.messages.first.evaluate("element => element.scrollIntoView()")
    async with opened("desktop") as other:
        await other.be("Grace Tamatea")
        await other.say("Good morning")
    new = desk.page.get_by_role("button", name="1 new message")
    await expect(new).to_be_visible()
    await expect(desk.last).not_to_be_in_viewport()
    await new.click()
    await expect(desk.last).to_be_in_viewport()
    await desk.drawn(desk.last, "Good morning")
    await expect(new).to_have_count(0)
