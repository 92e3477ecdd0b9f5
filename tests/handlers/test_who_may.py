"""Who may do what, action by action: every listener, as everybody, with what it is made for and with what it is not.

What is pressed and submitted here is signed, as Slack signs what a changed client sends.
"""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

import pytest

from bot.app import Bot
from bot.local import LocalSlack
from bot.local.delivery import sign
from handlers.permissions import MAY, Standing
from knowledge.team import Alias, TeamEntry
from knowledge.workspaces import Settings
from storage.tables import metadata
from tests.asks import new_ask
from tests.conftest import ANN, BEN, CAI, DEE, EVA, GUS, TEAM, Clock, declares, settled
from tests.handlers.conftest import Tables
from tests.routing import listeners

OUT = "U0OUT000001"
ELSEWHERE = "T0ELSE00001"
WHO: Mapping[str, Standing] = {ANN: "administrator", BEN: "curator", CAI: "member", GUS: "guest", OUT: "outsider"}
CURATE, SETTLE = "curate entries", "change settings"

# Each listener's right, or "" where whoever sees the button may press it: what it does is about that person alone.
ACTIONS: Mapping[str, str] = {
    "open_entry": "",
    "open_entry:1": "",
    "browse_roles": "",
    "more_about_role": "",
    "compare_role": "",
    "compare_with": "",
    "share_answer": "",
    "ask_someone": "",
    "why_these": "",
    "rate_answer:helpful": "",
    "declare_role": "declare",
    "declare_this": "declare",
    "still_right:yes": "",
    "still_right:change": "",
    "still_right:stop": "",
    "still_right:back": "",
    "my_data_as_json": "",
    "my_data_as_json:next": "",
    "home_section:privacy": "",
    "my_data": "",
    "forget_me": "",
    "directory:search": "see the directory",
    "directory:next": "see the directory",
    "ask_put": "ask a person",
    # With whose question it is: nobody here.
    "asked:answer": "nobody",
    "asked:hand_over": "nobody",
    "asked:decline": "nobody",
    "asked:busy": "nobody",
    "asked:drop": "nobody",
    "asking:withdraw": "nobody",
    "asking:solved": "nobody",
    "asking:back": "nobody",
    "asking:curators": "nobody",
    "keep:yes": "nobody",
    "keep:no": "nobody",
    "keep:form": "nobody",
    # Or the entry's author: nobody here.
    "verify:right": CURATE,
    "verify:change": CURATE,
    "verify:retire": CURATE,
    "team_new": CURATE,
    "team_word": CURATE,
    "team_reject": CURATE,
    "team_merge": CURATE,
    "team_list": CURATE,
    "team_edit": CURATE,
    "team_retire": CURATE,
    "team_verify": CURATE,
    "team_unword": CURATE,
    "team_import": CURATE,
    "team_export:entries": CURATE,
    "team_export:people": "export people",
    "workspace_settings": SETTLE,
    "audit_log": "see the audit log",
    "audit_export": "see the audit log",
    "a_persons_data": "export a person",
}
VIEWS: Mapping[str, str] = {
    "declaration": "declare",
    "ask_put": "ask a person",
    "ask_put_anyway": "ask a person",
    "keep": "nobody",
    "verify": CURATE,
    "ask_answer": "nobody",
    "ask_hand_over": "nobody",
    "ask_back": "nobody",
    "team_entry": CURATE,
    "team_list": CURATE,
    "team_word": CURATE,
    "team_import": CURATE,
    "workspace_settings": SETTLE,
    "a_persons_data": "export a person",
    "erase_person": "erase a person",
}
OPTIONS: Mapping[str, str] = {
    "team_roles": CURATE,
    "team_target": CURATE,
    "roles_lead": "",
    "directory:topic": "see the directory",
    "topics_found": "",
}
OTHERS = {"command", "event", "global_shortcut", "message_shortcut", "error"}
"""Ways in without a value to tamper with: test_who_may_say.py goes through them."""

VALUES = (
    *("mlops-engineer", "team-one", "a1", DEE, f"a1 {DEE}", "looms", json.dumps({"role": "mlops-engineer"})),
    *("", "garbage", "\x00\u202e", "../../etc", "null", "[]", '{"a": ', "[" * 900, "9" * 2000, "ﷺ" * 2000),
    *(f"{ELSEWHERE}/a1", json.dumps(["a1", "T0ELSE00001"]), "'; DROP TABLE asks; --", f"home:{DEE}", "<!channel>"),
)
FILLED = {
    "question": {"input": {"type": "plain_text_input", "value": "How?"}},
    "answer": {"input": {"type": "plain_text_input", "value": "So."}},
    "note": {"input": {"type": "plain_text_input", "value": "Please."}},
    "whom": {"input": {"type": "users_select", "selected_user": DEE}},
    "person": {"input": {"type": "users_select", "selected_user": DEE}},
    "what": {"input": {"type": "radio_buttons", "selected_option": {"value": "export"}}},
    "question_days": {"input": {"type": "plain_text_input", "value": "1"}},
    "switches": {"input": {"type": "checkboxes", "selected_options": []}},
    "curators": {"input": {"type": "multi_users_select", "selected_users": [CAI]}},
    "team_name": {"input": {"type": "plain_text_input", "value": "Mine"}},
    "team_answer": {"input": {"type": "plain_text_input", "value": "Mine"}},
    "topics": {"input": {"type": "plain_text_input", "value": "my own"}},
}
COUNTED = {"suggested", "suggested_at", "week", "free_from", "channel", "ts", "asker", "due_at", "lease_until"}
"""What counts how often somebody was suggested, which whoever may ask moves (as they do the table of namings), and what
the courier notes by itself."""
CARRIED = {"inbox", "members", "ask_deliveries", "ask_paces", "namings"}
OWN = {*CARRIED, "vacated", "forgotten", "forgettings", "secrets", "asked", "threads"}
"""Tables in which a permitted press writes about whoever pressed; no row of them is anybody's right."""


def ids_of(kind: str) -> list[Any]:
    return [what for found, what in listeners() if found == kind]


@pytest.mark.parametrize(("kind", "cases"), [("action", ACTIONS), ("view", VIEWS), ("options", OPTIONS)])
def test_every_listener_has_a_case(kind: str, cases: Mapping[str, str]) -> None:
    def hears(what: Any, case: str) -> bool:
        return bool(what.search(case)) if isinstance(what, re.Pattern) else what == case

    assert [what for what in ids_of(kind) if not any(hears(what, case) for case in cases)] == []
    assert [case for case in cases if not any(hears(what, case) for what in ids_of(kind))] == []
    assert set(cases.values()) <= {*MAY, "", "nobody"}


def test_there_is_no_other_way_in() -> None:
    assert {kind for kind, _ in listeners()} == {*OTHERS, "action", "view", "options"}


async def furnish(slack: LocalSlack, bot: Bot, clock: Clock) -> None:
    """Have something of everybody, for others to reach for."""
    now = clock.now()
    slack.workspace.members[ANN].admin = True
    await bot.workspaces.save(TEAM, Settings(curators=(BEN,)), ANN, now)
    for workspace in (TEAM, ELSEWHERE):
        await declares(bot, slack, DEE, {"mlops-engineer": "lead"}, ("looms of Dee",), workspace=workspace)
        entry = TeamEntry("team-one", "All about looms", answer="Wood.", state="published", changed_at=now)
        await bot.team.save(workspace, [entry], [Alias("looms", "mlops-engineer", DEE, now)])
        await bot.courier._asks.create(new_ask("a1", EVA, workspace, asked=DEE, now=now), now)
    await carry(bot)


async def carry(bot: Bot) -> None:
    """Let the courier do whatever is due by now."""
    for _ in range(3):
        await bot.courier.run()
    await settled(bot)


def person(user: str) -> dict[str, Any]:
    return {
        "user": {"id": user, "team_id": ELSEWHERE if user == OUT else TEAM},
        "team": {"id": TEAM},
    }


async def send(slack: LocalSlack, payload: Mapping[str, Any]) -> str:
    raw = urlencode({"payload": json.dumps(payload)}).encode()
    status, said = await slack.post_raw(raw, {"Content-Type": "application/x-www-form-urlencoded"}, signed=True)
    assert status == 200, said
    return said


def allowed(right: str, user: str) -> bool:
    return right == "" or (right in MAY and WHO[user] in MAY[right])


def quiet(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.getMessage() for record in caplog.records if record.levelno >= logging.ERROR or record.exc_info]


@pytest.mark.usefixtures("refusals")
@pytest.mark.parametrize("action_id", ACTIONS)
async def test_a_press_does_no_more_than_whoever_presses_may(
    slack: LocalSlack, bot: Bot, clock: Clock, tables: Tables, caplog: pytest.LogCaptureFixture, action_id: str
) -> None:
    right = ACTIONS[action_id]
    await furnish(slack, bot, clock)
    slack.workspace.add_members([type(slack.workspace.members[CAI])(OUT, "Otto Out", home=ELSEWHERE)])
    for user in WHO:
        may_do = allowed(right, user)
        own = OWN | {"terms", "declarations", "listings"} if may_do else CARRIED
        if action_id == "forget_me":
            # Whoever is forgotten is a hash in it.
            own = own | {"audit", "curators"}
        await carry(bot)
        after = tables.rows(own, COUNTED)
        assert after
        for value in VALUES:
            before = after
            calls = len(slack.calls)
            home = {"type": "home", "id": "V0HOME", "private_metadata": value[:3000]}
            said = await send(
                slack,
                {
                    "type": "block_actions",
                    **person(user),
                    "trigger_id": slack.workspace.new_trigger(user).id,
                    "container": {"type": "view", "view_id": "V0HOME"},
                    "view": home,
                    "actions": [{"action_id": action_id, "type": "button", "block_id": "b", "value": value}],
                },
            )
            await settled(bot)
            assert quiet(caplog) == [], (user, value[:40])
            after = tables.rows(own, COUNTED)
            if may_do and right in (CURATE, SETTLE):
                continue
            assert before <= after, (user, value[:40])
            if not may_do:
                assert before == after, (user, value[:40])
                told = [call for call in slack.calls[calls:] if call.method.startswith(("chat.", "views."))]
                assert told or said, (user, value[:40])
                shown = str([call.arguments for call in told])
                assert "Wood." not in shown
                assert "How do we version prompts?" not in shown


@pytest.mark.usefixtures("refusals")
@pytest.mark.parametrize("callback_id", VIEWS)
async def test_a_form_does_no_more_than_whoever_submits_may(
    slack: LocalSlack, bot: Bot, clock: Clock, tables: Tables, caplog: pytest.LogCaptureFixture, callback_id: str
) -> None:
    right = VIEWS[callback_id]
    await furnish(slack, bot, clock)
    slack.workspace.add_members([type(slack.workspace.members[CAI])(OUT, "Otto Out", home=ELSEWHERE)])
    for user in WHO:
        may_do = allowed(right, user)
        if may_do and right in (CURATE, SETTLE, "erase a person", "export a person"):
            # What they may change is theirs to change; that odd values break nothing is what is left to see.
            own = set(metadata.tables)
        else:
            own = OWN | {"terms", "declarations", "listings"} if may_do else CARRIED
        await carry(bot)
        after = tables.rows(own, COUNTED)
        for value in VALUES:
            for values in ({}, FILLED):
                before = after
                said = await send(
                    slack,
                    {
                        "type": "view_submission",
                        **person(user),
                        "trigger_id": slack.workspace.new_trigger(user).id,
                        "view": {
                            "type": "modal",
                            "id": "V0MODAL",
                            "callback_id": callback_id,
                            "private_metadata": value[:3000],
                            "state": {"values": values},
                            "blocks": [],
                        },
                    },
                )
                await settled(bot)
                assert quiet(caplog) == [], (user, value[:40])
                after = tables.rows(own, COUNTED)
                assert before <= after, (user, value[:40])
                if not may_do:
                    assert before == after, (user, value[:40])
                    assert said, (user, value[:40])
                    assert "Wood." not in said


@pytest.mark.parametrize("action_id", OPTIONS)
async def test_a_menu_offers_no_more_than_whoever_searches_may_see(
    slack: LocalSlack, bot: Bot, clock: Clock, action_id: str
) -> None:
    right = OPTIONS[action_id]
    await furnish(slack, bot, clock)
    slack.workspace.add_members([type(slack.workspace.members[CAI])(OUT, "Otto Out", home=ELSEWHERE)])
    for user in WHO:
        for typed in ("loo", "mlops", *VALUES[7:]):
            said = await send(
                slack, {"type": "block_suggestion", **person(user), "action_id": action_id, "value": typed}
            )
            clock.move(seconds=1)
            if not allowed(right, user):
                assert json.loads(said) == {"options": []}
            if user == OUT:
                assert "looms of Dee" not in said


async def test_a_signature_for_another_body_or_an_older_one_opens_nothing(
    slack: LocalSlack, bot: Bot, clock: Clock, tables: Tables
) -> None:
    await furnish(slack, bot, clock)
    before = tables.rows()
    honest = urlencode({"payload": json.dumps({"type": "block_actions", **person(CAI)})}).encode()
    forged = urlencode({"payload": json.dumps({"type": "block_actions", **person(ANN)})}).encode()
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    headers = form | sign(slack.signing_secret, honest, slack.workspace.clock())
    assert (await slack.post_raw(forged, headers))[0] == 401
    assert (await slack.post_raw(forged, form, signed=True, age=301))[0] == 401
    assert (await slack.post_raw(forged, form | sign("another secret", forged, slack.workspace.clock())))[0] == 401
    assert tables.rows() == before
