"""What a test has at hand: a clock that it moves, faults that it asks for, an app that is taken out."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from bot.local import GENERAL, SCOPES, SHORTCUTS, SLASH_COMMANDS, LocalSlack, ManualClock, Member

from .conftest import ANN, BEN, JSON, Served, modal, section

ROOT = Path(__file__).parents[3]
FORM = {"Content-Type": "application/x-www-form-urlencoded"}


@pytest.mark.parametrize("name", ["manifest.http.json", "manifest.socket.json"])
def test_the_workspace_grants_and_offers_what_the_manifests_say(name: str) -> None:
    manifest = json.loads((ROOT / name).read_text("utf-8"))
    asked = manifest["oauth_config"]["scopes"]
    assert sorted(SCOPES) == sorted([*asked["bot"], *asked["bot_optional"]])
    shown = [{key: one[key] for key in ("command", "description", "usage_hint")} for one in features(manifest)]
    assert shown == list(SLASH_COMMANDS)
    assert manifest["features"]["shortcuts"] == list(SHORTCUTS)


def features(manifest: JSON) -> list[JSON]:
    commands: list[JSON] = manifest["features"]["slash_commands"]
    return commands


async def test_every_test_has_a_workspace_of_its_own_on_a_free_port() -> None:
    async with LocalSlack() as one, LocalSlack() as other:
        assert one.api_url != other.api_url and one.deadline == 3.0
        client = AsyncWebClient(token=one.bot_token, base_url=one.api_url)
        await client.chat_postMessage(channel=GENERAL, text="here")
        assert (len(one.messages(GENERAL)), len(other.messages(GENERAL))) == (1, 0)


async def test_a_clock_that_is_moved_ends_triggers_and_orders_messages() -> None:
    clock = ManualClock(now=1_700_000_000.0)
    async with LocalSlack(clock=clock, sleep=clock.sleep, members=[Member(ANN, "Ann")]) as slack:
        client = AsyncWebClient(token=slack.bot_token, base_url=slack.api_url)
        kept, late = slack.workspace.new_trigger(ANN), slack.workspace.new_trigger(ANN)
        clock.move(seconds=3)
        assert (await client.views_open(trigger_id=kept.id, view=modal(section("x"))))["ok"]
        clock.move(milliseconds=1)
        with pytest.raises(SlackApiError, match="expired_trigger_id"):
            await client.views_open(trigger_id=late.id, view=modal(section("x")))
        assert (await client.chat_postMessage(channel=GENERAL, text="x"))["ts"].startswith("1700000003.001")
        slack.bot_url = "http://127.0.0.1:9/"
        attempts = await (await slack.send_event({"type": "app_mention"})).finished()
    assert [attempt.failure for attempt in attempts] == ["connection_failed"] * 4
    assert clock.slept == [0.0, 60.0, 300.0]


async def test_an_event_that_times_out_says_so_when_it_comes_again(served: Served) -> None:
    served.slack.deadline = 0.0
    delivery = await served.slack.send_event({"type": "app_mention"})
    attempts = await delivery.finished()
    assert [attempt.failure for attempt in attempts] == ["http_timeout"] * 4
    headers = [(a.sent_headers.get("X-Slack-Retry-Num"), a.sent_headers.get("X-Slack-Retry-Reason")) for a in attempts]
    assert headers == [(None, None), ("1", "http_timeout"), ("2", "http_timeout"), ("3", "http_timeout")]


async def test_a_bot_that_wants_no_repeats_gets_none() -> None:
    clock = ManualClock()

    async def refuse(_request: web.Request) -> web.Response:
        return web.Response(status=500, headers={"X-Slack-No-Retry": "1"})

    def bot(site: web.Application) -> None:
        site.router.add_post("/refuse", refuse)

    slack = LocalSlack(clock=clock, sleep=clock.sleep)
    slack.also_serve(bot)
    async with slack:
        slack.bot_url = f"{slack.page_url}refuse"
        attempts = await (await slack.send_event({"type": "app_mention"})).finished()
    assert ([attempt.status for attempt in attempts], clock.slept) == ([500], [])


async def test_a_response_url_fails_as_often_as_asked(served: Served) -> None:
    url = served.slack.workspace.new_response_url(ANN, GENERAL)
    address = f"{served.slack.page_url}response/{url.id}"
    served.slack.fail("response_url", status=429, retry_after=9)
    served.slack.fail("response_url", status=503)
    served.slack.fail("response_url", error="no_text")
    seen: list[Any] = []
    async with aiohttp.ClientSession() as session:
        for _ in range(4):
            async with session.post(address, json={"text": "hi"}) as response:
                seen.append((response.status, response.headers.get("Retry-After")))
        async with session.post(address, data=b"{", headers={"Content-Type": "application/json"}) as response:
            assert (response.status, (await response.json())["error"]) == (400, "invalid_json")
    assert seen == [(429, "9"), (503, None), (400, None), (200, None)]
    assert [message.text for message in served.slack.messages(GENERAL, ANN)] == ["hi"]


async def test_a_fault_of_any_method_leaves_response_urls_alone(served: Served) -> None:
    url = served.slack.workspace.new_response_url(ANN, GENERAL)
    served.slack.fail("*", status=500)
    async with aiohttp.ClientSession() as session:
        async with session.post(f"{served.slack.page_url}response/{url.id}", json={"text": "hi"}) as response:
            assert response.status == 200
        async with session.post(f"{served.slack.api_url}auth.test") as response:
            assert response.status == 500


@pytest.mark.parametrize(
    ("query", "body", "headers", "error"),
    [
        ("", "token=xoxb-local-token", FORM, None),
        ("", "", {"Authorization": "Bearer xoxb-local-token"}, None),
        ("?token=xoxb-local-token", "", {}, "not_authed"),
        ("", '{"token": "xoxb-local-token"}', {"Content-Type": "application/json"}, "not_authed"),
        ("", "{", {"Content-Type": "application/json"}, "invalid_json"),
        ("", "[]", {"Content-Type": "application/json"}, "json_not_object"),
    ],
)
async def test_a_token_is_taken_from_a_header_or_a_form(
    served: Served, query: str, body: str, headers: dict[str, str], error: str | None
) -> None:
    async with aiohttp.ClientSession() as session:
        sent = session.post(f"{served.slack.api_url}auth.test{query}", data=body.encode(), headers=headers)
        async with sent as response:
            answer = await response.json()
    assert (response.status, answer["ok"], answer.get("error")) == (200, error is None, error)
    assert served.slack.calls[-1].error == error


async def test_arguments_in_the_address_are_read(served: Served) -> None:
    headers = {"Authorization": f"Bearer {served.slack.bot_token}"}
    async with (
        aiohttp.ClientSession(headers=headers) as session,
        session.get(f"{served.slack.api_url}users.info?user={BEN}") as response,
    ):
        assert (await response.json())["user"]["name"] == "ben.book"


@pytest.mark.parametrize("token_first", [False, True])
async def test_an_app_that_is_taken_out_hears_of_it_in_either_order(served: Served, token_first: bool) -> None:
    await served.slack.uninstall(token_first=token_first)
    kinds = [attempt.kind for attempt in served.slack.deliveries]
    assert kinds == sorted(["app_uninstalled", "tokens_revoked"], reverse=token_first)
    with pytest.raises(SlackApiError, match="account_inactive"):
        await served.client.auth_test()


async def test_a_profile_that_changes_is_told(served: Served) -> None:
    seen: list[Any] = []

    async def note(event: Any) -> None:
        seen.append(event["user"])

    served.app.event("user_change")(note)
    await served.slack.change_member(BEN, title="Lead")
    await served.slack.change_member(BEN, deleted=True)
    assert [(user["profile"]["title"], user["deleted"]) for user in seen] == [("Lead", False), ("Lead", True)]
    assert (await served.client.users_info(user=BEN))["user"]["deleted"]
