"""Whose data a request is about, and whose token answers it, are the same, however its parts are combined."""

from __future__ import annotations

from itertools import product
from typing import Any

import pytest
from slack_bolt.request.async_request import AsyncBoltRequest

from handlers.errors import PayloadError
from handlers.payloads import command, event_actor, interaction_actor
from tests.conftest import ANN

T1, T2, ORG = "T0ONE000001", "T0TWO000002", "E0GRID00001"


def token_of(body: dict[str, Any]) -> str:
    """Return what ``InstalledAuthorize`` looks up for a request, out of what Bolt reads."""
    context = AsyncBoltRequest(body=body, mode="socket_mode").context
    org_wide = context.enterprise_id if context.is_enterprise_install else None
    return org_wide or context.team_id or context.enterprise_id or ""


def without_none(**parts: Any) -> dict[str, Any]:
    return {name: part for name, part in parts.items() if part is not None}


@pytest.mark.parametrize("kind", ["view_submission", "block_actions", "block_suggestion", "view_closed", "shortcut"])
def test_an_interaction_is_about_the_workspace_whose_token_answers_it(kind: str) -> None:
    seen = set()
    for installed, team, home, org, of_team, org_wide in product(
        (None, T1, T2), (None, T1, T2), (None, T1, T2), (None, ORG), (None, ORG), (None, False, True)
    ):
        body = without_none(
            type=kind,
            team=without_none(id=team, enterprise_id=of_team) if team else None,
            user=without_none(id=ANN, team_id=home),
            enterprise={"id": org} if org else None,
            is_enterprise_install=org_wide,
            view=without_none(type="modal", app_installed_team_id=installed) if kind != "shortcut" else None,
        )
        try:
            actor = interaction_actor(body)
        except PayloadError:
            continue
        assert actor.workspace == token_of(body), body
        seen.add(actor.workspace)
        if actor.workspace != ORG and home and home != actor.workspace:
            assert actor.outsider, body
    assert seen == {T1, T2, ORG}


def test_a_command_is_about_the_workspace_whose_token_answers_it() -> None:
    for team, org, org_wide in product((T1, T2), (None, ORG), (None, "false", "true")):
        body = without_none(
            command="/genai-role", team_id=team, user_id=ANN, enterprise_id=org, is_enterprise_install=org_wide
        )
        assert command(body).actor.workspace == token_of(body), body


def test_an_event_is_about_the_workspace_whose_token_answers_it() -> None:
    for team, theirs, org, org_wide in product((T1, T2), (None, T1, T2), (None, ORG), (None, False, True)):
        authorization = without_none(team_id=theirs, enterprise_id=org, is_enterprise_install=org_wide)
        body = without_none(
            type="event_callback",
            team_id=team,
            enterprise_id=org,
            event={"type": "app_mention", "user": ANN},
            authorizations=[authorization] if theirs else None,
            is_enterprise_install=None if theirs else org_wide,
        )
        assert event_actor(body).workspace == token_of(body), body
