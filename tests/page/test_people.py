"""People: what they declare, who is suggested, and being somebody else."""

from __future__ import annotations

import json

import pytest
from playwright.async_api import Locator, Request, expect

from .seat import Seat

pytestmark = pytest.mark.asyncio(loop_scope="session")

DELETE = "Delete everything that is kept about you"


async def declare(seat: Seat, form: Locator, **fields: str) -> None:
    """Fill in the open form, and save it."""
    await fill_in(seat, form, **fields)
    await seat.button("Save", form)


async def fill_in(seat: Seat, form: Locator, **fields: str) -> None:
    for label, role in fields.items():
        if label == "topics":
            box = form.get_by_role("textbox", name="Topics you can be asked about")
            await box.fill("")
            await box.press_sequentially(role)
        else:
            await seat.choose(label.replace("_", " "), role, form)
            await seat.page.keyboard.press("Escape")


async def test_what_is_declared_is_checked_in_place_and_stands_on_the_home_tab(seat: Seat) -> None:
    await seat.be("Grace Tamatea")
    await seat.say("/genai-role me")
    form = seat.dialog
    await expect(form.get_by_role("heading", name="What I do")).to_be_visible()
    await fill_in(seat, form, I_lead="Data Engineer", I_practise="Data Engineer", topics="release trains, Airflow")
    await seat.picture("form-phone", "phone")
    await seat.button("Save", form)
    wrong = form.get_by_text("Data Engineer stands under “I lead” too. Keep it in one place.")
    await expect(wrong).to_be_visible()
    # The field that is wrong has the focus, and what is wrong describes it.
    practise = form.get_by_role("combobox", name="I practise")
    await expect(practise).to_be_focused()
    await expect(practise).to_have_accessible_description(
        "Data Engineer stands under “I lead” too. Keep it in one place."
    )
    await form.get_by_role("button", name="Remove Data Engineer").last.click()
    await seat.button("Save", form)
    await seat.drawn(form, "Saved.")
    await expect(wrong).to_have_count(0)
    await seat.drawn(form, "Data Engineer (lead)")
    await seat.button("Done", form)
    await expect(form).to_have_count(0)
    await seat.go_app("Home")
    await seat.drawn(seat.home, "Data Engineer (lead)")
    await seat.drawn(seat.home, "Topics: Airflow, release trains")


async def test_the_form_finds_roles_by_tools_and_topics_of_colleagues(seat: Seat) -> None:
    await seat.be("Grace Tamatea")
    await seat.say("/genai-role me")
    form = seat.dialog
    lead = form.get_by_role("combobox", name="I lead")
    await seat.press(lead)
    await expect(seat.page.get_by_role("option")).to_have_count(16)
    await lead.press_sequentially("kubeflow")
    await seat.press(seat.page.get_by_role("option", name="MLOps Engineer"))
    await seat.page.keyboard.press("Escape")
    found = form.get_by_role("combobox", name="Topics that colleagues and I know")
    await seat.press(found)
    await found.press_sequentially("k8s")
    await seat.press(seat.page.get_by_role("option", name="Kubernetes"))
    await seat.page.keyboard.press("Escape")
    await form.get_by_role("radio", name="Ask me first: my name is not shown").check()
    await seat.button("Save", form)
    await seat.drawn(form, "Nobody is shown your name.")
    await seat.drawn(form, "MLOps Engineer (lead)")
    await seat.drawn(form, "Topics: Kubernetes")
    await seat.drawn(form, "Ask me first: nobody sees the name")


async def test_plain_words_become_a_declaration_with_a_click(seat: Seat) -> None:
    await seat.be("Grace Tamatea")
    await seat.go_app("Messages")
    await seat.say("I'm the MLOps lead and know MLflow")
    await seat.drawn(seat.last, "MLOps Engineer (lead)")
    await seat.button("Yes, declare this", seat.last)
    await seat.drawn(seat.last, "Saved.")
    await seat.drawn(seat.last, "Topics: MLflow")


async def test_what_priya_declares_others_are_told(seat: Seat) -> None:
    await seat.say("/genai-role me")
    await declare(seat, seat.dialog, topics="Airflow")
    await seat.button("Done", seat.dialog)
    await seat.be("Grace Tamatea")
    answer = await seat.ask("/genai-role who airflow", "For Airflow, ask:")
    await seat.drawn(answer, "Priya Menon – declared “Airflow”")
    # Nobody is suggested to themself.
    await seat.be("Priya Menon")
    answer = await seat.ask("/genai-role who airflow", "For Airflow, ask:")
    await expect(answer).not_to_contain_text("Priya Menon –")


async def test_a_name_opens_the_profile_and_its_owner_can_be_played(seat: Seat) -> None:
    answer = await seat.ask("/genai-role who airflow", "For Airflow, ask:")
    await seat.press(answer.get_by_role("link", name="Naomi Whitfield"))
    await seat.drawn(seat.dialog, "Data Engineering Lead")
    await seat.button("Be Naomi Whitfield", seat.dialog)
    await expect(seat.dialog).to_have_count(0)
    # What only Priya saw is not there for Naomi.
    await expect(seat.messages).to_have_count(0)


async def test_a_card_leads_to_declaring_and_to_people(seat: Seat) -> None:
    await seat.ask("/genai-role mlops", "Responsibilities")
    await seat.button("Declare that you do the work of the MLOps Engineer")
    await expect(seat.dialog.get_by_role("button", name="Remove MLOps Engineer")).to_be_visible()
    await seat.button("Save", seat.dialog)
    await seat.drawn(seat.dialog, "MLOps Engineer (practitioner)")
    await seat.button("Done", seat.dialog)
    await seat.button("Show whom to ask about MLOps Engineer")
    await seat.drawn(seat.last, "For MLOps Engineer, ask:")
    await seat.drawn(seat.last, "Amara Nwachukwu")


async def test_what_is_kept_is_shown_and_deleted_at_once(seat: Seat) -> None:
    await seat.say("/genai-role me")
    await declare(seat, seat.dialog, topics="release trains")
    await seat.button("Done", seat.dialog)
    await seat.ask("/genai-role my data", "Topics: release trains")
    await seat.button(DELETE)
    await seat.drawn(seat.last, "Done: I deleted everything I kept about you")
    await seat.ask("/genai-role my data", "• nothing")


async def test_the_home_tab_asks_before_it_deletes(seat: Seat) -> None:
    await seat.go_app("Home")
    await seat.drawn(seat.home, "AI Product Manager (lead)")
    await seat.picture("home")
    await seat.button(DELETE, seat.home)
    await seat.drawn(seat.dialog, "deleted at once")
    await seat.button("Keep", seat.dialog)
    await expect(seat.dialog).to_have_count(0)
    await seat.drawn(seat.home, "AI Product Manager (lead)")
    await seat.button(DELETE, seat.home)
    await seat.button("Delete", seat.dialog)
    await seat.drawn(seat.home, "You have declared nothing yet.")


async def test_the_home_tab_opens_roles_and_the_form(seat: Seat) -> None:
    await seat.go_app("Home")
    await seat.button("Browse roles", seat.home)
    await seat.choose("Pick a role", "Prompt Engineer", seat.home)
    # The Home tab has no place for a card: it comes as a direct message.
    await seat.press(seat.page.get_by_role("tab", name="Messages"))
    await expect(seat.last.get_by_role("heading", name="Prompt Engineer")).to_be_visible()
    await seat.press(seat.page.get_by_role("tab", name="Home"))
    await seat.button("Me", seat.home)
    await seat.button("Change", seat.home)
    await declare(seat, seat.dialog, topics="pricing")
    await seat.button("Done", seat.dialog)
    await seat.drawn(seat.home, "Topics: pricing")


def renamed(request: Request) -> str:
    return json.dumps({**(request.post_data_json or {}), "block_id": "before"})


async def test_a_button_of_the_home_tab_works_while_the_bot_draws_it_anew(desk: Seat) -> None:
    await desk.go_app("Home")
    change = desk.home.get_by_role("button", name="Change")
    await change.wait_for()
    # What a person sees for a moment longer: the press names a block that is called otherwise by now.
    await desk.page.route("**/page/press", lambda route: route.continue_(post_data=renamed(route.request)))
    await desk.press(change)
    await expect(desk.dialog.get_by_role("heading", name="What I do")).to_be_visible()


async def test_a_shortcut_opens_the_form_from_anywhere(seat: Seat) -> None:
    await seat.button("Shortcuts", seat.page.get_by_role("form", name="Compose a message"))
    await seat.press(seat.page.get_by_role("menuitem", name="Declare my role"))
    await expect(seat.dialog.get_by_role("heading", name="What I do")).to_be_visible()
    await seat.button("Cancel", seat.dialog)
    await expect(seat.dialog).to_have_count(0)


async def test_a_shortcut_on_a_message_finds_who_can_help(seat: Seat) -> None:
    await seat.say("Our Airflow jobs fail every night since Monday")
    await seat.drawn(seat.last, "Airflow jobs")
    await seat.press(seat.last)
    await seat.button("More actions")
    await seat.press(seat.page.get_by_role("menuitem", name="Find who can help"))
    await seat.drawn(seat.dialog, "For Airflow, ask:")
    await seat.page.keyboard.press("Escape")
    await expect(seat.dialog).to_have_count(0)


async def test_somebody_new_joins_and_is_played(seat: Seat) -> None:
    await seat.unfold()
    await seat.button("You are", seat.page.get_by_role("navigation"))
    await seat.button("Add a member", seat.dialog)
    await seat.button("Add and be them", seat.dialog)
    await expect(seat.dialog.get_by_role("alert")).to_have_text("Please write a name.")
    await seat.dialog.get_by_label("Name").press_sequentially("Noor Haddad")
    await seat.dialog.get_by_label("Title").press_sequentially("Data Engineer")
    await seat.button("Add and be them", seat.dialog)
    await expect(seat.page.get_by_text("You are Noor Haddad now.")).to_be_visible()
    await seat.say("Hello everybody")
    await expect(seat.last.get_by_role("button", name="Noor Haddad")).to_be_visible()
