"""The Web API and response_url answer as Slack's do."""

from __future__ import annotations

from typing import Any

import aiohttp
import pytest
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from bot.local import GENERAL, LocalSlack, Member

from .conftest import ANN, BEN, Served, button, modal, section, text_input

FINANCE = "C0FINANCE01"


async def refusal(call: Any) -> Any:
    with pytest.raises(SlackApiError) as caught:
        await call
    return caught.value.response


async def test_auth_test_names_the_bot_and_its_scopes(served: Served) -> None:
    answer = await served.client.auth_test()
    assert answer["user_id"] == served.slack.bot_user
    assert answer["team_id"] == "T0LOCAL0001"
    assert "chat:write" in answer.headers["x-oauth-scopes"]


@pytest.mark.parametrize(
    ("token", "error"), [("xoxb-other", "invalid_auth"), ("", "not_authed"), ("xoxb-local-token", "token_revoked")]
)
async def test_tokens_are_checked(served: Served, token: str, error: str) -> None:
    served.slack.revoke_token()
    client = AsyncWebClient(token=token, base_url=served.slack.api_url)
    assert (await refusal(client.auth_test()))["error"] == error


async def test_unknown_methods_and_missing_scopes(served: Served) -> None:
    assert (await refusal(served.client.api_call("chat.shout")))["error"] == "unknown_method"
    missing = await refusal(served.client.conversations_open(users=ANN))
    assert (missing["error"], missing["needed"]) == ("missing_scope", "im:write")


async def test_messages_are_posted_changed_and_deleted(served: Served) -> None:
    client, slack = served.client, served.slack
    first = await client.chat_postMessage(channel=GENERAL, text="one", blocks=[section("one")])
    second = await client.chat_postMessage(channel=GENERAL, text="two", thread_ts=first["ts"])
    assert second["ts"] > first["ts"] and len(first["ts"].partition(".")[2]) == 6
    assert first["message"]["blocks"][0]["block_id"]
    await client.chat_update(channel=GENERAL, ts=first["ts"], text="changed")
    await client.chat_delete(channel=GENERAL, ts=second["ts"])
    assert [m.text for m in slack.messages(GENERAL)] == ["changed"]
    gone = await refusal(client.chat_update(channel=GENERAL, ts=second["ts"], text="x"))
    assert gone["error"] == "message_not_found"
    said = await slack.say(ANN, "mine", channel=GENERAL)
    assert (await refusal(client.chat_update(channel=GENERAL, ts=said.ts, text="x")))["error"] == "cant_update_message"


async def test_a_message_to_a_member_lands_in_the_direct_messages(served: Served) -> None:
    answer = await served.client.chat_postMessage(channel=ANN, text="psst")
    assert answer["channel"] == served.slack.dm(ANN)
    assert [m.text for m in served.slack.messages(served.slack.dm(ANN), ANN)] == ["psst"]


async def test_ephemeral_messages_are_for_one(served: Served) -> None:
    answer = await served.client.chat_postEphemeral(channel=GENERAL, user=ANN, text="only you")
    assert [m.ts for m in served.slack.messages(GENERAL, ANN)] == [answer["message_ts"]]
    assert served.slack.messages(GENERAL, BEN) == []
    ts = str(answer["message_ts"])
    assert (await refusal(served.client.chat_update(channel=GENERAL, ts=ts, text="x")))["error"] == "message_not_found"
    nobody = served.client.chat_postEphemeral(channel=GENERAL, user="U0NOBODY001", text="x")
    assert (await refusal(nobody))["error"] == "user_not_in_channel"


@pytest.mark.usefixtures("refusals")
@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        ({"channel": "C0NOWHERE01", "text": "x"}, "channel_not_found"),
        ({"channel": FINANCE, "text": "x"}, "not_in_channel"),
        ({"channel": GENERAL, "text": " "}, "no_text"),
        ({"channel": GENERAL, "text": "x" * 40_001}, "msg_too_long"),
        ({"channel": GENERAL, "text": "<!channel> hi"}, "invalid_arguments"),
        ({"channel": GENERAL, "text": "x", "blocks": [section("")]}, "invalid_blocks"),
        ({"channel": GENERAL, "text": "x", "blocks": {"type": "divider"}}, "invalid_blocks_format"),
        ({"channel": GENERAL, "text": "x", "markdown_text": "y"}, "markdown_text_conflict"),
    ],
)
async def test_bad_messages_are_refused(served: Served, arguments: Any, error: str) -> None:
    answer = await refusal(served.client.api_call("chat.postMessage", json=arguments))
    assert answer["error"] == error
    assert served.slack.refused[-1].error == error
    assert served.slack.messages(GENERAL) == []


@pytest.mark.usefixtures("refusals")
async def test_a_refusal_explains_itself(served: Served) -> None:
    answer = await refusal(served.client.chat_postMessage(channel=GENERAL, text="x", blocks=[section("y" * 3001)]))
    says = "[ERROR] must be less than 3001 characters [json-pointer:/blocks/0/text/text]"
    assert answer["response_metadata"]["messages"] == [says]
    assert says in str(served.slack.calls[-1])


async def test_people_are_described(served: Served) -> None:
    slack, client = served.slack, served.client
    slack.workspace.add_members(
        [Member("U0GONE00001", "Gone", deleted=True), Member("U0GUEST0001", "Guest", guest=True, dnd=True)]
    )
    ann = (await client.users_info(user=ANN, include_locale=True))["user"]
    assert (ann["profile"]["title"], ann["tz"], ann["locale"]) == ("Engineer", "Europe/Berlin", "en-US")
    assert ann["tz_offset"] in (3600, 7200)
    assert (await client.users_info(user="U0GONE00001"))["user"]["deleted"]
    assert (await client.users_info(user="U0GUEST0001"))["user"]["is_restricted"]
    assert (await client.users_info(user=slack.bot_user))["user"]["is_bot"]
    assert (await refusal(client.users_info(user="U0NOBODY001")))["error"] == "user_not_found"
    assert (await client.users_getPresence(user=ANN))["presence"] == "active"
    assert (await client.dnd_info(user="U0GUEST0001"))["dnd_enabled"]


async def test_a_trigger_lasts_three_seconds_and_works_once(served: Served) -> None:
    triggers: list[str] = []

    async def keep(ack: Any, body: Any) -> None:
        triggers.append(body["trigger_id"])
        await ack()

    served.app.shortcut("any")(keep)
    await served.slack.shortcut(ANN, "any")
    await served.slack.shortcut(ANN, "any")
    view = modal(section("x"))
    await served.client.views_open(trigger_id=triggers[0], view=view)
    again = await refusal(served.client.views_open(trigger_id=triggers[0], view=view))
    assert again["error"] == "exchanged_trigger_id"
    served.clock.now += 3.1
    late = await refusal(served.client.views_open(trigger_id=triggers[1], view=view))
    assert late["error"] == "expired_trigger_id"
    assert (await refusal(served.client.views_open(trigger_id="1.2.3", view=view)))["error"] == "invalid_trigger_id"


@pytest.mark.usefixtures("refusals")
async def test_views_stack_to_three_and_update_under_a_hash(served: Served) -> None:
    client, slack = served.client, served.slack

    def trigger() -> str:
        return slack.workspace.new_trigger(ANN).id

    opened = await client.views_open(trigger_id=trigger(), view=modal(text_input("a")))
    view = opened["view"]
    assert view["state"]["values"] == {"a": {"value": {"type": "plain_text_input", "value": None}}}
    updated = await client.views_update(view_id=view["id"], hash=view["hash"], view=modal(section("new")))
    assert updated["view"]["hash"] != view["hash"]
    old = client.views_update(view_id=view["id"], hash=view["hash"], view=modal(section("newer")))
    assert (await refusal(old))["error"] == "hash_conflict"
    await client.views_push(trigger_id=trigger(), view=modal(section("2")))
    third = await client.views_push(trigger_id=trigger(), view=modal(section("3")))
    assert third["view"]["root_view_id"] == view["id"]
    deep = client.views_push(trigger_id=trigger(), view=modal(section("4")))
    assert (await refusal(deep))["error"] == "push_limit_reached"
    assert (await refusal(client.views_update(view_id="V1", view=modal(section("x")))))["error"] == "not_found"
    bad = await refusal(client.views_open(trigger_id=trigger(), view=modal(section(""))))
    assert bad["error"] == "invalid_arguments" and "/view/blocks/0" in bad["response_metadata"]["messages"][0]


async def test_a_response_url_works_five_times(served: Served) -> None:
    url = await _response_url(served)
    async with aiohttp.ClientSession() as session:
        statuses = []
        for number in range(6):
            async with session.post(url, json={"text": f"number {number}"}) as response:
                statuses.append(response.status)
    assert statuses == [200] * 5 + [404]
    assert all(m.ephemeral_to == ANN for m in served.slack.messages(GENERAL))


async def test_a_response_url_lasts_half_an_hour(served: Served) -> None:
    url = await _response_url(served)
    served.clock.now += 30 * 60 + 1
    async with aiohttp.ClientSession() as session, session.post(url, json={"text": "late"}) as response:
        assert (response.status, (await response.json())["error"]) == (404, "expired_url")


@pytest.mark.usefixtures("refusals")
async def test_a_response_url_deletes_replaces_and_speaks_to_all(served: Served) -> None:
    bodies: list[Any] = [
        {"text": "to all", "response_type": "in_channel"},
        {"text": "new", "replace_original": True},
        {"delete_original": True},
        {"text": "x", "blocks": [section("")]},
    ]

    async def pressed(ack: Any, body: Any) -> None:
        await ack()
        async with (
            aiohttp.ClientSession() as session,
            session.post(body["response_url"], json=bodies.pop(0)) as response,
        ):
            statuses.append(response.status)

    statuses: list[int] = []
    served.app.action("go")(pressed)
    row = {"type": "actions", "elements": [button("go", "Go")]}
    answer = await served.client.chat_postMessage(channel=GENERAL, text="card", blocks=[row])
    card = served.slack.workspace.find(GENERAL, str(answer["ts"]))
    assert card is not None
    shown = await served.slack.press(ANN, card, "go")
    assert (shown.text, shown.response_type) == ("to all", "in_channel")
    # The replaced message lost its buttons: they are put back to press them again.
    blocks = list(card.blocks)
    await served.slack.press(ANN, card, "go")
    assert (card.text, card.blocks) == ("new", [])
    card.blocks = blocks
    await served.slack.press(ANN, card, "go")
    assert card.deleted
    card.deleted = False
    await served.slack.press(ANN, card, "go")
    assert statuses == [200, 200, 200, 400]


async def test_faults_come_as_often_as_asked(served: Served) -> None:
    slack, client = served.slack, served.client
    slack.fail("chat.postMessage", status=429, retry_after=7, times=2)
    for _ in range(2):
        limited = await refusal(client.chat_postMessage(channel=GENERAL, text="x"))
        assert (limited.status_code, limited.headers["Retry-After"]) == (429, "7")
        assert limited["error"] == "ratelimited"
    assert (await client.chat_postMessage(channel=GENERAL, text="x"))["ok"]
    slack.fail("auth.test", error="account_inactive")
    assert (await refusal(client.auth_test()))["error"] == "account_inactive"
    slack.fail("*", status=503)
    async with aiohttp.ClientSession() as session, session.post(slack.api_url + "auth.test") as response:
        assert (response.status, response.content_type) == (503, "text/html")
    with pytest.raises(ValueError, match="name one of"):
        slack.fail("auth.test")


async def test_a_hanging_call_ends_with_the_workspace(served: Served) -> None:
    served.slack.fail("auth.test", hang=30)
    client = AsyncWebClient(token=served.slack.bot_token, base_url=served.slack.api_url, timeout=1)
    client.timeout = 0.05  # type: ignore[assignment]
    with pytest.raises(TimeoutError):
        await client.auth_test()
    assert (await served.client.auth_test())["ok"]


async def test_the_default_workspace_holds_the_demo_team() -> None:
    async with LocalSlack() as slack:
        assert slack.workspace.members["U0PRIYA0001"].title == "AI Product Manager"
        assert slack.api_url.startswith("http://127.0.0.1:")


async def _response_url(served: Served) -> str:
    urls: list[str] = []

    async def keep(ack: Any, command: Any) -> None:
        urls.append(command["response_url"])
        await ack()

    served.app.command("/genai-role")(keep)
    reply = await served.slack.command(ANN, "/genai-role x")
    assert (reply.status, reply.message) == (200, None)
    return urls[0]
