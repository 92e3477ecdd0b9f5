"""The Home tab in the page: its sections, and the directory with the demo team in it."""

from __future__ import annotations

import pytest
from playwright.async_api import expect

from .seat import Seat
from .test_keyboard import tab_to

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def test_the_directory_is_filtered_and_searched(seat: Seat) -> None:
    await seat.go_app("Home")
    await seat.button("Directory", seat.home)
    await seat.drawn(seat.home, "people in the directory.")
    await seat.drawn(seat.home, "Amara Nwachukwu")
    await seat.picture("directory")
    await seat.picture("directory-phone", of="phone")
    await seat.choose("Role", "MLOps Engineer", seat.home)
    await seat.drawn(seat.home, "declared MLOps Engineer.")
    await expect(seat.home.get_by_text("Naomi Whitfield")).to_have_count(0)
    await seat.button("Clear", seat.home)
    await seat.drawn(seat.home, "people in the directory.")
    search = seat.home.get_by_role("textbox", name="Search by name or topic")
    await seat.type("airflow", search)
    await search.press("Enter")
    await seat.drawn(seat.home, "Found by “airflow”.")
    await expect(seat.home.get_by_text("Naomi Whitfield")).to_be_visible()
    await seat.button("Clear", seat.home)
    await seat.drawn(seat.home, "people in the directory.")
    await expect(search).to_have_value("")


async def test_the_directory_goes_by_keys(desk: Seat) -> None:
    keys = desk.page.keyboard
    await desk.go_app("Home")
    await tab_to(desk, desk.home.get_by_role("button", name="Directory"))
    await keys.press("Enter")
    await desk.drawn(desk.home, "people in the directory.")
    search = desk.home.get_by_role("textbox", name="Search by name or topic")
    await tab_to(desk, search)
    await keys.type("naomi")
    await keys.press("Enter")
    await desk.drawn(desk.home, "Found by “naomi”.")
    # Whoever typed may go on typing.
    await expect(search).to_be_focused()
    topic = desk.home.get_by_role("combobox", name="Any topic")
    await tab_to(desk, topic, "Shift+Tab")
    await keys.type("air")
    await expect(desk.page.get_by_role("option", name="Airflow")).to_be_visible()
    await keys.press("Enter")
    await desk.drawn(desk.home, "Found by “naomi” among “Airflow”.")


async def test_whoever_administers_the_demo_finds_what_is_for_administrators(desk: Seat) -> None:
    await desk.be("Odette Lacroix")
    await desk.go_app("Home")
    await desk.button("Team knowledge", desk.home)
    await desk.drawn(desk.home, "Your team's knowledge")
    await desk.button("Workspace", desk.home)
    await desk.drawn(desk.home, "Curators beside the administrators: none")


@pytest.mark.parametrize("workspace", ["empty"], indirect=True)
async def test_an_empty_workspace_says_how_to_begin(desk: Seat) -> None:
    await desk.go_app("Home")
    await desk.drawn(desk.home, "Start here")
    await desk.button("Directory", desk.home)
    await desk.drawn(desk.home, "Nobody is in the directory yet.")
    await desk.button("Workspace", desk.home)
    await desk.drawn(desk.home, "Curators beside the administrators: none")
