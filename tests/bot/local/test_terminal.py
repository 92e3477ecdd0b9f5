"""The prompt: what is typed, what is read."""

from __future__ import annotations

import asyncio
import io
from collections.abc import Iterable
from typing import Any

import pytest
from rich.console import Console

from bot.local import GENERAL, LocalSlack, demo_entries
from bot.local.drawing import Drawing, draw, mrkdwn
from bot.local.run import RunningBot, run_local
from bot.local.terminal import run_terminal

from .conftest import ANN, BEN, Served, button, modal, option, section, text_input

ROLES = [option("MLOps Engineer", "mlops"), option("Data Scientist", "ds"), option("Prompt Engineer", "prompt")]


def screen() -> Console:
    return Console(file=io.StringIO(), width=100, highlight=False)


def shown(console: Console) -> str:
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


class Typist:
    """Feed lines, then end of input; remember what was asked."""

    def __init__(self, lines: Iterable[str]) -> None:
        self.lines = list(lines)
        self.prompts: list[str] = []

    async def __call__(self, prompt: str) -> str | None:
        self.prompts.append(prompt)
        return self.lines.pop(0) if self.lines else None


async def typed(served: Served, *lines: str) -> tuple[str, list[str]]:
    console, typist = screen(), Typist(lines)
    served.slack.timeout = 0.2
    await run_terminal(served.slack, typist, console)
    return shown(console), typist.prompts


def form() -> dict[str, Any]:
    roles = {
        "type": "input",
        "block_id": "roles",
        "label": {"type": "plain_text", "text": "Roles"},
        "element": {"type": "multi_static_select", "action_id": "value", "options": ROLES},
    }
    return modal(section("Tell us"), roles, text_input("topics", optional=True, initial_value="GDPR"))


async def test_first_steps_then_a_command_and_its_buttons(served: Served) -> None:
    async def card(ack: Any, command: Any) -> None:
        row = {"type": "actions", "elements": [button("do", "I do this"), button("ask", "Ask someone")]}
        header = {"type": "header", "text": {"type": "plain_text", "text": "MLOps Engineer"}}
        await ack(text="card", blocks=[header, section(f"*You* asked {command['text']}"), row])

    async def pressed(ack: Any, respond: Any) -> None:
        await ack()
        await respond(text="Ben could help")

    served.app.command("/genai-role")(card)
    served.app.action("ask")(pressed)
    output, prompts = await typed(served, "/genai-role what is <b>", "2", "9", "/quit")
    assert "First steps" in output and "only visible to you" in output
    assert "MLOps Engineer" in output and "You asked what is <b>" in output
    assert "[1] I do this   [2] Ask someone" in output
    assert "Ben could help" in output
    assert "no such number" in output
    assert prompts[0] == "Ann Archer in #general> "


async def test_a_mention_is_answered_and_continued_in_its_thread(served: Served) -> None:
    texts: list[tuple[str, str | None]] = []

    async def answer(event: Any, say: Any) -> None:
        texts.append((event["text"], event.get("thread_ts")))
        await say(text="*Ben* does", thread_ts=event.get("thread_ts") or event["ts"])

    served.app.event("app_mention")(answer)
    output, _ = await typed(served, "@bot who & what about @Ben Book", "/reply and in #random?", "hello all")
    bot = f"<@{served.slack.bot_user}>"
    assert texts[0] == (f"{bot} who &amp; what about <@{BEN}>", None)
    assert texts[1][0] == f"{bot} and in <#C0RANDOM001|random>?" and texts[1][1] is not None
    assert output.count("Ben does") == 2 and "in a thread" in output
    assert "hears only @bot" in output


async def test_direct_messages_people_and_channels(served: Served) -> None:
    async def answer(event: Any, say: Any) -> None:
        await say(text=f"hi <@{event['user']}>")

    served.app.event("message")(answer)
    output, prompts = await typed(
        served, "/dm", "hello", "/as ben", "hello", "/as nobody", "/people", "/in random", "/in nowhere", "/reply x"
    )
    assert "hi @Ann Archer" in output and "hi @Ben Book" in output
    assert "which one is 'nobody'" in output and "Europe/Berlin" in output
    assert prompts[1] == "Ann Archer in direct message> "
    assert prompts[-1] == "Ben Book in #random> "
    assert "no channel 'nowhere'" in output and "no thread to reply in" in output


async def test_no_answer_is_said_plainly(served: Served) -> None:
    async def silent() -> None:
        return

    served.app.event("app_mention")(silent)
    output, _ = await typed(served, "@bot hello?", "/genai-role unknown")
    assert "No answer yet" in output
    assert "did not respond (dispatch_failed)" in output


@pytest.mark.usefixtures("refusals")
async def test_what_slack_refuses_is_shown_to_the_developer(served: Served) -> None:
    async def bad(ack: Any) -> None:
        await ack(text="x", blocks=[section("")])

    served.app.command("/genai-role")(bad)
    output, _ = await typed(served, "/genai-role x", "/in finance", "@bot hello")
    assert "Slack refused the app" in output and "/blocks/0/text/text" in output.replace("\n", "")
    assert "not in this channel" in output


@pytest.mark.parametrize("line", ["/help", "/genai-role mlops", "@bot who knows mlops", "help", "Help"])
async def test_what_belongs_to_the_prompt_does_not_get_into_a_form(served: Served, line: str) -> None:
    async def open_form(ack: Any, client: Any, body: Any) -> None:
        await client.views_open(trigger_id=body["trigger_id"], view=form())
        await ack()

    served.app.command("/genai-role")(open_form)
    output, prompts = await typed(served, "/genai-role me", line, "1", line, "cancel", "/quit")
    assert output.count("goes to the prompt of the workspace") == 2
    assert output.count("A form is open") == 2
    assert "Closed without sending." in output
    assert prompts[-1] == "Ann Archer in #general> "


async def test_a_form_is_asked_field_by_field(served: Served) -> None:
    states: list[Any] = []

    async def open_form(ack: Any, client: Any, body: Any) -> None:
        await client.views_open(trigger_id=body["trigger_id"], view=form())
        await ack()

    async def submitted(ack: Any, view: Any, client: Any, body: Any) -> None:
        values = view["state"]["values"]
        states.append(values)
        if len(values["roles"]["value"]["selected_options"]) > 1:
            await ack(response_action="errors", errors={"roles": "One only, please"})
        else:
            await ack()
            await client.chat_postEphemeral(channel=GENERAL, user=body["user"]["id"], text="Thank you")

    served.app.command("/genai-role")(open_form)
    served.app.view("form")(submitted)
    output, prompts = await typed(served, "/genai-role me", "1, 9", "1,3", "", "prompt engineer", "/quit")
    assert "there is no number 9" in output and "Roles: One only, please" in output and "Thank you" in output
    assert prompts.count("Topics [optional; Enter keeps: GDPR]: ") == 1
    assert "Roles [Enter keeps: MLOps Engineer, Prompt Engineer] (numbers, with commas, as above): " in prompts
    assert output.count("[2] Data Scientist") == 1
    assert output.count("cancel closes it") == 2
    assert [o["value"] for o in states[-1]["roles"]["value"]["selected_options"]] == ["prompt"]
    assert states[-1]["topics"]["value"]["value"] == "GDPR"


async def test_a_form_is_cancelled_or_left(served: Served) -> None:
    async def open_form(ack: Any, client: Any, body: Any) -> None:
        await client.views_open(trigger_id=body["trigger_id"], view=form())
        await ack()

    served.app.command("/genai-role")(open_form)
    output, _ = await typed(served, "/genai-role me", "cancel", "/genai-role me")
    assert "Closed without sending" in output


async def test_a_form_without_its_required_field_is_asked_again(served: Served) -> None:
    async def open_form(ack: Any, client: Any, body: Any) -> None:
        await client.views_open(trigger_id=body["trigger_id"], view=modal(text_input("topics")))
        await ack()

    async def submitted(ack: Any) -> None:
        await ack()

    served.app.command("/genai-role")(open_form)
    served.app.view("form")(submitted)
    output, prompts = await typed(served, "/genai-role me", "", "GDPR", "/quit")
    assert "Topics: Please complete this required field." in output
    assert prompts.count("Topics: ") == 2


async def test_a_form_that_changes_while_it_is_filled_in(served: Served) -> None:
    pick = {"type": "static_select", "action_id": "pick", "options": ROLES}
    level = {"type": "static_select", "action_id": "level", "options": [option("Lead", "lead")]}
    first = modal(section("Which role?", block_id="a", accessory=pick))
    more = modal(section("Which role?", block_id="a", accessory=pick), section("Level", block_id="b", accessory=level))
    states: list[Any] = []

    async def open_form(ack: Any, client: Any, body: Any) -> None:
        await client.views_open(trigger_id=body["trigger_id"], view=first)
        await ack()

    async def picked(ack: Any, client: Any, body: Any) -> None:
        await client.views_update(view_id=body["view"]["id"], hash=body["view"]["hash"], view=more)
        await ack()

    async def quiet(ack: Any) -> None:
        await ack()

    async def submitted(ack: Any, view: Any) -> None:
        states.append(view["state"]["values"])
        await ack()

    served.app.command("/genai-role")(open_form)
    served.app.action("pick")(picked)
    served.app.action("level")(quiet)
    served.app.view("form")(submitted)
    await typed(served, "/genai-role me", "2", "1", "/quit")
    assert states[0]["a"]["pick"]["selected_option"]["value"] == "ds"
    assert states[0]["b"]["level"]["selected_option"]["value"] == "lead"


async def test_the_home_tab_is_drawn(served: Served) -> None:
    async def publish(client: Any, event: Any) -> None:
        view = {"type": "home", "blocks": [section("Welcome"), {"type": "actions", "elements": [button("go", "Go")]}]}
        await client.views_publish(user_id=event["user"], view=view)

    async def go(ack: Any) -> None:
        await ack()

    served.app.event("app_home_opened")(publish)
    served.app.action("go")(go)
    output, _ = await typed(served, "/home", "1")
    assert "Welcome" in output and "[1] Go" in output
    assert served.slack.deliveries[-1].status == 200


def test_mrkdwn_is_read_as_people_read_it() -> None:
    names = {ANN: "Ann Archer", GENERAL: "general"}
    text = "*bold* _it_ ~no~ `co*de*` <https://x.example|docs> <https://y.example> "
    text += f"<@{ANN}> <#{GENERAL}|old> 2*3*4 snake_case_name :tada: a &lt; b &amp; c"
    expected = "bold it no co*de* docs https://y.example @Ann Archer #general 2*3*4 snake_case_name 🎉 a < b & c"
    assert mrkdwn(text, names).plain == expected


def test_blocks_are_drawn_and_numbered_in_order() -> None:
    rich = {
        "type": "rich_text",
        "elements": [
            {"type": "rich_text_section", "elements": [{"type": "text", "text": "Say ", "style": {"bold": True}}]},
            {
                "type": "rich_text_list",
                "style": "ordered",
                "elements": [{"type": "rich_text_section", "elements": [{"type": "text", "text": "one"}]}],
            },
        ],
    }
    table = {
        "type": "table",
        "rows": [[{"type": "raw_text", "text": "a"}, {"type": "raw_text", "text": "b"}]],
    }
    select = {"type": "static_select", "action_id": "pick", "options": ROLES[:2]}
    row = {"type": "actions", "elements": [button("a", "First"), select, button("b", "Last")], "block_id": "row"}
    drawing = draw([rich, table, row, {"type": "image", "alt_text": "a cat"}], Drawing())
    lines = [line.plain for line in drawing.lines]
    assert lines == [
        "Say ",
        "  1. one",
        "a | b",
        "[1] First",
        "pick:",
        "[2] MLOps Engineer   [3] Data Scientist",
        "[4] Last",
        "[image: a cat]",
    ]
    assert [c.selected or c.value for c in drawing.choices] == ["v", "mlops", "ds", "v"]


async def test_run_local_starts_and_stops_the_bot() -> None:
    stopped: list[str] = []
    console, addresses = screen(), list[str]()

    async def start(api_url: str, bot_token: str, signing_secret: str) -> RunningBot:
        assert api_url.startswith("http://127.0.0.1:") and bot_token.startswith("xoxb-") and signing_secret

        async def stop() -> None:
            stopped.append("bot")

        return RunningBot("http://127.0.0.1:9", stop)

    async def prompt(slack: LocalSlack) -> None:
        await run_terminal(slack, Typist(["/people", "/quit"]), console)

    await run_local(start, prompt=prompt)
    assert "Priya Menon" in shown(console)

    stop = asyncio.Event()

    def ready(slack: LocalSlack) -> None:
        addresses.append(slack.bot_url)
        stop.set()

    await run_local(start, ready=ready, stop=stop)
    assert addresses == ["http://127.0.0.1:9/slack/events"]
    assert stopped == ["bot", "bot"]


def test_the_demo_team_is_believable() -> None:
    team = demo_entries()
    assert len(team) == 40 == len({entry["id"] for entry in team}) == len({entry["name"] for entry in team})
    assert {entry["status"] for entry in team} == {"active", "away", "ooo", "deactivated"}
    assert all(entry["id"].isalnum() and entry["id"].isupper() for entry in team)
    levels = {declared["level"] for entry in team for declared in entry["declared"]}
    assert levels == {"learning", "practitioner", "lead"}
    assert len({declared["role"] for entry in team for declared in entry["declared"]}) >= 14
    assert len({entry["tz"] for entry in team}) > 20
    assert any(entry["bot"] for entry in team) and any(entry["guest"] for entry in team)
