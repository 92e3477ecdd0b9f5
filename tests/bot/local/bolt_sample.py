"""A Bolt sample as Slack's tutorial has it; it knows nothing of the stand-in."""

# mypy: disable-error-code="untyped-decorator"

from __future__ import annotations

from typing import Any

from slack_bolt.async_app import AsyncApp

FRUIT = ["apple", "apricot", "banana"]
BUTTON = {"type": "button", "text": {"type": "plain_text", "text": "Click Me"}, "action_id": "button_click"}


def hello(user: str) -> list[dict[str, Any]]:
    """Greet somebody, with a button."""
    text = {"type": "mrkdwn", "text": f"Hey there <@{user}>!"}
    return [{"type": "section", "text": text, "accessory": BUTTON}]


def plain(text: str) -> dict[str, Any]:
    return {"type": "plain_text", "text": text}


MODAL = {
    "type": "modal",
    "callback_id": "view_1",
    "title": plain("My App"),
    "submit": plain("Submit"),
    "blocks": [
        {
            "type": "input",
            "block_id": "dreamy",
            "label": plain("What are your hopes and dreams?"),
            "element": {"type": "plain_text_input", "action_id": "dreamy_input", "multiline": True},
        },
        {
            "type": "input",
            "block_id": "fruit",
            "label": plain("And your fruit?"),
            "element": {"type": "external_select", "action_id": "external_fruit", "min_query_length": 1},
        },
    ],
}


def listen(app: AsyncApp) -> None:
    """Add the listeners."""

    @app.message("hello")
    async def message_hello(message: Any, say: Any) -> None:
        await say(blocks=hello(message["user"]), text=f"Hey there <@{message['user']}>!")

    @app.event("app_mention")
    async def mentioned(event: Any, say: Any) -> None:
        thread = event.get("thread_ts", event["ts"])
        await say(blocks=hello(event["user"]), text="Hey there!", thread_ts=thread)

    @app.action("button_click")
    async def clicked(body: Any, ack: Any, say: Any, respond: Any) -> None:
        await ack()
        await say(f"<@{body['user']['id']}> clicked the button")
        await respond("Only you see this", replace_original=False)

    @app.command("/echo")
    async def repeat_text(ack: Any, respond: Any, command: Any) -> None:
        await ack()
        await respond(f"{command['text']}")

    @app.command("/dream")
    async def open_modal(ack: Any, body: Any, client: Any) -> None:
        await ack()
        await client.views_open(trigger_id=body["trigger_id"], view=MODAL)

    @app.options("external_fruit")
    async def show_options(ack: Any, payload: Any) -> None:
        found = [fruit for fruit in FRUIT if payload["value"].lower() in fruit]
        await ack(options=[{"text": plain(fruit.title()), "value": fruit} for fruit in found])

    @app.view("view_1")
    async def handle_submission(ack: Any, body: Any, client: Any, view: Any) -> None:
        values = view["state"]["values"]
        dreams = values["dreamy"]["dreamy_input"]["value"]
        if len(dreams) <= 5:
            await ack(response_action="errors", errors={"dreamy": "The value must be longer than 5 characters"})
            return
        await ack()
        fruit = values["fruit"]["external_fruit"]["selected_option"]["text"]["text"]
        await client.chat_postMessage(channel=body["user"]["id"], text=f"Your dream: {dreams}; your fruit: {fruit}")

    @app.shortcut("open_modal")
    async def shortcut(ack: Any, shortcut: Any, client: Any) -> None:
        await ack()
        await client.views_open(trigger_id=shortcut["trigger_id"], view=MODAL)

    @app.shortcut("quote")
    async def quote(ack: Any, shortcut: Any, respond: Any) -> None:
        await ack()
        await respond(f"You pointed at: {shortcut['message']['text']}")

    @app.event("app_home_opened")
    async def update_home_tab(client: Any, event: Any) -> None:
        welcome = {"type": "section", "text": {"type": "mrkdwn", "text": f"*Welcome home, <@{event['user']}> :house:*"}}
        await client.views_publish(user_id=event["user"], view={"type": "home", "blocks": [welcome]})
