"""The page without a mouse."""

from __future__ import annotations

import asyncio
import json

import pytest
from playwright.async_api import Locator, Route, expect

from .seat import Seat

pytestmark = pytest.mark.asyncio(loop_scope="session")

MOST_TABS = 40


async def tab_to(seat: Seat, what: Locator, key: str = "Tab") -> None:
    """Press Tab until something has the focus."""
    for _ in range(MOST_TABS):
        if await what.evaluate("element => element === document.activeElement"):
            return
        await seat.page.keyboard.press(key)
    pytest.fail(f"{MOST_TABS} tabs do not lead to it")


async def test_a_whole_journey_goes_by_keys(desk: Seat) -> None:
    keys = desk.page.keyboard
    await tab_to(desk, desk.composer)
    await keys.type("/genai-role mlops")
    await keys.press("Enter")
    await desk.drawn(desk.last, "Responsibilities")
    await expect(desk.composer).to_be_focused()
    # Back to the answer, and through its buttons.
    button = desk.last.get_by_role("button", name="Declare that you do the work")
    await tab_to(desk, button, "Shift+Tab")
    await keys.press("Enter")
    await expect(desk.dialog.get_by_role("combobox", name="I lead")).to_be_focused()
    await keys.press("Escape")
    await expect(desk.dialog).to_have_count(0)
    await expect(button).to_be_focused()


async def test_a_form_is_filled_in_by_keys(desk: Seat) -> None:
    keys = desk.page.keyboard
    await tab_to(desk, desk.composer)
    await keys.type("/genai-role me")
    await keys.press("Enter")
    lead = desk.dialog.get_by_role("combobox", name="I lead")
    await expect(lead).to_be_focused()
    await keys.type("multimodal")
    # The bot is asked for what fits.
    await expect(desk.page.get_by_role("option").first).to_contain_text("Multimodal Architect")
    await keys.press("Enter")
    # Escape closes the list of choices first, not the form.
    await keys.press("Escape")
    await expect(desk.dialog.get_by_role("button", name="Remove Multimodal Architect")).to_be_visible()
    await tab_to(desk, desk.dialog.get_by_role("button", name="Save"))
    await keys.press("Enter")
    await desk.drawn(desk.dialog, "Multimodal Architect (lead)")
    await keys.press("Escape")
    await expect(desk.dialog).to_have_count(0)
    await expect(desk.composer).to_be_focused()


async def test_threads_and_places_are_reached_by_keys(desk: Seat) -> None:
    keys = desk.page.keyboard
    await tab_to(desk, desk.composer)
    await keys.type("@genai-roles what does a prompt engineer do?")
    await keys.press("Enter")
    await desk.drawn(desk.last, "1 reply")
    await tab_to(desk, desk.last, "Shift+Tab")
    await keys.press("Enter")
    await expect(desk.thread.get_by_role("textbox", name="Reply in thread")).to_be_focused()
    await keys.press("Escape")
    await expect(desk.thread).to_have_count(0)
    await expect(desk.last).to_be_focused()
    await keys.press("Control+k")
    await keys.type("be grace")
    await keys.press("Enter")
    await expect(desk.page.get_by_text("You are Grace Tamatea now.")).to_be_visible()
    await keys.press("Control+k")
    await keys.type("random")
    await keys.press("Enter")
    await expect(desk.page.get_by_role("main", name="#random")).to_be_visible()


async def test_the_keys_are_explained(desk: Seat) -> None:
    await desk.menu("Keyboard")
    await desk.drawn(desk.dialog, "Close what is on top")
    await desk.page.keyboard.press("Escape")
    await expect(desk.dialog).to_have_count(0)


@pytest.mark.parametrize(("times", "left"), [(1, 1), (2, 0), (5, 0)])
async def test_escape_closes_stacked_forms_one_by_one_however_fast_it_is_pressed(
    desk: Seat, times: int, left: int
) -> None:
    await desk.say("Our Airflow jobs fail every night since Monday")
    await desk.press(desk.last)
    await desk.button("More actions")
    await desk.press(desk.page.get_by_role("menuitem", name="Find who can help"))
    await desk.drawn(desk.dialog, "For Airflow, ask:")
    await desk.button("Put a question to a person", desk.dialog)
    await expect(desk.dialog.get_by_role("textbox", name="Your question")).to_be_focused()
    pressed = asyncio.Event()
    closed: list[str] = []

    async def hold(route: Route) -> None:
        closed.append(str(json.loads(route.request.post_data or "")["view"]))
        await pressed.wait()
        await route.continue_()

    # The page hears that a form is closed only when all keys were pressed.
    await desk.page.route("**/page/close", hold)
    for _ in range(times):
        await desk.page.keyboard.press("Escape")
    pressed.set()
    if left:
        await desk.drawn(desk.dialog, "For Airflow, ask:")
        await expect(desk.dialog).to_be_visible()
    else:
        await expect(desk.dialog).to_have_count(0)
        await expect(desk.composer).to_be_visible()
    assert len(closed) == len({*closed}) == 2 - left
