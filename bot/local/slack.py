"""`LocalSlack`: a Slack workspace in this process, for tests and for the terminal."""

from __future__ import annotations

from collections.abc import Mapping

from . import block_kit, forms, payloads, views
from .arguments import SlackError
from .delivery import Attempt
from .events import LocalEvents
from .form_checks import client_errors
from .forms import KINDS, Field, NotOffered, Value
from .offers import known_options, options_in, remember
from .outcome import Outcome, form_errors, outcome_of
from .slack_api import Call, answer_interaction, refusal_json
from .team import GENERAL
from .workspace import JSON, Channel, Message, View

Surface = Message | View
Entered = dict[str, dict[str, JSON]]


class LocalSlack(LocalEvents):
    """A workspace with people in it: every method that plays a person returns when the bot has answered.

    What comes back is what the person sees by then; `wait_for_reply` and `wait_for_call` wait for what the bot does
    afterwards.
    """

    async def command(
        self, user: str, text: str, channel: str = GENERAL, *, fields: Mapping[str, str] | None = None
    ) -> Outcome:
        """Type a slash command; return what the person sees of the answer. `fields` overrides the form's fields."""
        name, _, rest = text.partition(" ")
        place = self._conversation(user, channel)
        trigger = self.workspace.new_trigger(user, place.id)
        url = self.workspace.new_response_url(user, place.id)
        member = self._member(user)
        form = payloads.command(self.workspace, member, place, rest.strip(), trigger, self._address(url.id), name=name)
        attempt = await self._out.form(form | dict(fields or {}), "command")
        outcome = outcome_of(attempt)
        if attempt.ok and attempt.text.strip():
            body = attempt.json()
            try:
                answer = body if body else {"text": attempt.text}
                outcome.messages.append(answer_interaction(self.workspace, url, answer))
            except SlackError as refusal:
                self._record("command response", body, refusal, attempt)
                outcome.error = refusal.code
        outcome.messages += url.posted
        outcome.message = outcome.messages[0] if outcome.messages else None
        outcome.view = trigger.view
        return outcome

    async def say(self, user: str, text: str, channel: str | None = None, thread_ts: str | None = None) -> Message:
        """Post a message as a person: in the direct messages with the bot where no channel is given.

        The text goes out as it is, in Slack's form (`<@U…>`, `&lt;`); `<@BOT>` stands for the bot's own mention.
        """
        member = self._member(user)
        place = self._conversation(user, channel or self.dm(user))
        text = text.replace("<@BOT>", f"<@{self.bot_user}>")
        message = Message(place.id, self.workspace.next_ts(), member.id, text, thread_ts=thread_ts)
        self.workspace.post(message)
        await self._announce(message)
        return message

    async def edit(self, posted: Message, text: str) -> Message:
        """Change a message that a person posted."""
        before, posted.text = posted.text, text.replace("<@BOT>", f"<@{self.bot_user}>")
        posted.edited_ts = self.workspace.next_ts()
        self.workspace.changed(posted)
        if self.workspace.channels[posted.channel].is_dm:
            await self.send_event(payloads.changed_event(self.workspace, posted, before))
        else:
            await self._announce(posted)
        return posted

    async def press(
        self,
        user: str,
        surface: Surface | Outcome,
        action_id: str,
        *,
        value: str | None = None,
        selected: Value = None,
        block_id: str | None = None,
        entered: Mapping[str, Value] | None = None,
    ) -> Outcome:
        """Press a button or choose in a menu, of a message, a modal or a Home tab.

        `value` picks among buttons that share an action id, `selected` is the option (or options, or text) that is
        chosen; `entered` fills other elements of the surface first, as `submit` takes them.
        """
        place = self._surface(surface)
        found = forms.find_field(place.blocks, action_id, block_id, value)
        if isinstance(place, Message) and not place.visible_to(user):
            raise NotOffered("this person does not see the message")
        filled = await self._fill(user, place, entered or {})
        state: JSON | None = None
        if found.type in KINDS:
            state = await self._choose(user, place, found, selected if selected is not None else value)
            filled.setdefault(found.block_id, {})[found.action_id] = state
        picked = selected if isinstance(selected, str) else value
        action = forms.action_payload(found, state, picked, self.workspace.next_ts())
        trigger = self.workspace.new_trigger(user, place.channel if isinstance(place, Message) else place.conversation)
        url = None
        if isinstance(place, Message):
            url = self.workspace.new_response_url(user, place.channel, place)
        else:
            place.entered = filled
        before = self._versions()
        payload = payloads.block_actions(
            self.workspace,
            self._member(user),
            place,
            action,
            trigger,
            url,
            self._address(url.id) if url else "",
            filled,
        )
        # What the bot writes into the answer to a button is dropped: Slack shows it to nobody.
        attempt = await self._out.interaction(payload)
        outcome = outcome_of(attempt)
        outcome.messages = [m for m in self._changed_since(before) if m.visible_to(user)]
        outcome.message = outcome.messages[-1] if outcome.messages else None
        outcome.view = trigger.view or self.open_view(user)
        return outcome

    async def suggest(self, user: str, surface: Surface, action_id: str, typed: str) -> list[JSON]:
        """Type into an external select; return the options that the bot offers, those of groups included."""
        return options_in(await self.search(user, surface, action_id, typed))

    async def search(
        self, user: str, surface: Surface, action_id: str, typed: str, block_id: str | None = None
    ) -> JSON:
        """Type into an external select; return the bot's answer, `options` or `option_groups`."""
        found = forms.find_field(surface.blocks, action_id, block_id)
        member = self._member(user)
        payload = payloads.suggestion(self.workspace, member, surface, found.block_id, found.action_id, typed)
        attempt = await self._out.interaction(payload)
        answer = attempt.json() if attempt.ok else {}
        if self.workspace.validate and (refused := block_kit.check_options(answer)):
            self._record("options response", answer, block_kit.refusal("invalid_options", *refused), attempt)
            return {}
        remember(surface, user, found, options_in(answer))
        return answer

    def open_view(self, user: str) -> View | None:
        """Return the modal that a person looks at, None where none is open."""
        stack = self.workspace.modals.get(user)
        return stack[-1] if stack else None

    async def enter(self, user: str, view: View, values: Mapping[str, Value]) -> None:
        """Fill in fields of a modal without sending anything."""
        view.entered = await self._fill(user, view, values)

    async def submit(self, user: str, view: View | None = None, values: Mapping[str, Value] | None = None) -> Outcome:
        """Fill in and submit a modal; `values` by "block_id/action_id", block_id or action_id.

        Elements that are not named keep what they hold. What Slack's client itself objects to (an empty required
        field) comes back in `errors`, and nothing is sent.
        """
        place = view or self.open_view(user)
        if place is None:
            raise NotOffered("no modal is open")
        place.entered = await self._fill(user, place, values or {})
        state = forms.state_values(place.blocks, place.entered)
        if refused := client_errors(place.blocks, state):
            return Outcome(errors=refused, view=place)
        before = self._versions()
        trigger = self.workspace.new_trigger(user, place.conversation)
        payload = payloads.view_submission(self.workspace, self._member(user), place, trigger)
        attempt = await self._out.interaction(payload)
        outcome = outcome_of(attempt)
        if attempt.ok:
            self._honour(user, place, attempt, outcome)
        outcome.messages = [m for m in self._changed_since(before) if m.visible_to(user)]
        outcome.message = outcome.messages[-1] if outcome.messages else None
        outcome.view = self.open_view(user)
        outcome.closed = place not in self.workspace.modals.get(user, [])
        return outcome

    async def close(self, user: str, *, everything: bool = False) -> Attempt | None:
        """Close a modal (or all of the stack) without submitting; return the bot's answer if it asked to be told."""
        stack = self.workspace.modals.get(user) or []
        if not stack:
            raise NotOffered("no modal is open")
        gone = stack[-1]
        self.workspace.modals[user] = [] if everything or gone.body.get("clear_on_close") else stack[:-1]
        self.workspace.changed()
        if not gone.body.get("notify_on_close"):
            return None
        member = self._member(user)
        return await self._out.interaction(payloads.view_closed(self.workspace, member, gone, everything))

    async def open_home(self, user: str, tab: str = "home", within: float | None = None) -> View:
        """Open the app's Home tab as a person; return it once the bot has published it."""
        before = self.workspace.homes.get(user)
        seen = before.hash if before else None

        def published() -> View | None:
            view = self.workspace.homes.get(user)
            return view if view is not None and view.hash != seen else None

        await self.home_opened(user, tab)
        return await self.workspace.wait_until(published, within or self.timeout, f"the Home tab of {user}")

    async def shortcut(self, user: str, callback_id: str, channel: str | None = None) -> Outcome:
        """Use a global shortcut, which does not tell the bot in which channel the person is."""
        trigger = self.workspace.new_trigger(user, self._conversation(user, channel).id if channel else None)
        payload = payloads.shortcut(self.workspace, self._member(user), callback_id, trigger)
        outcome = outcome_of(await self._out.interaction(payload))
        outcome.view = trigger.view
        return outcome

    async def message_shortcut(self, user: str, callback_id: str, message: Message) -> Outcome:
        """Use a shortcut on a message."""
        trigger = self.workspace.new_trigger(user, message.channel)
        url = self.workspace.new_response_url(user, message.channel, message)
        payload = payloads.message_shortcut(
            self.workspace, self._member(user), callback_id, message, trigger, self._address(url.id)
        )
        outcome = outcome_of(await self._out.interaction(payload))
        outcome.messages = list(url.posted)
        outcome.message = url.posted[0] if url.posted else None
        outcome.view = trigger.view
        return outcome

    # What lies under it

    def _conversation(self, user: str, channel: str) -> Channel:
        if channel == "dm":
            return self.workspace.dm(user)
        found = self.workspace.channels.get(channel)
        return found if found is not None else self.workspace.channels[self.channel(channel)]

    def _address(self, response_id: str) -> str:
        return f"{self._origin}/response/{response_id}"

    def _record(self, name: str, sent: JSON, refusal: SlackError, attempt: Attempt) -> None:
        """Keep what Slack refused of the bot's HTTP answer beside the calls."""
        self.calls.append(Call(name, sent, 200, refusal_json(refusal), attempt.milliseconds))

    def _surface(self, surface: Surface | Outcome) -> Surface:
        if not isinstance(surface, Outcome):
            return surface
        shown = surface.message or surface.view
        if shown is None:
            raise NotOffered("there is no message and no view to press anything on")
        return shown

    async def _choose(self, user: str, place: Surface, found: Field, value: Value) -> JSON:
        """Put a value into an element; an external select takes what the bot has offered, or else it is asked."""
        if "external" not in found.type or not value:
            return forms.chosen(found, value)
        known = known_options(place, user, found)
        for wanted in [value] if isinstance(value, str) else value:
            if forms.option_among(known, wanted) is None:
                known = known + await self._searched(user, place, found, wanted)
        return forms.chosen(found, value, known)

    async def _searched(self, user: str, place: Surface, found: Field, typed: str) -> list[JSON]:
        return options_in(await self.search(user, place, found.action_id, typed, found.block_id))

    async def _fill(self, user: str, place: Surface, values: Mapping[str, Value]) -> Entered:
        entered: Entered = {}
        if isinstance(place, View):
            entered = {block_id: dict(actions) for block_id, actions in place.entered.items()}
        offered = [f for f in forms.fields(place.blocks) if f.type in KINDS]
        for key, value in values.items():
            found = [f for f in offered if key in (f"{f.block_id}/{f.action_id}", f.block_id, f.action_id)]
            if not found:
                names = ", ".join(f"{f.block_id}/{f.action_id}" for f in offered)
                raise NotOffered(f"no field {key!r}; there is: {names}")
            state = await self._choose(user, place, found[0], value)
            entered.setdefault(found[0].block_id, {})[found[0].action_id] = state
        return entered

    def _versions(self) -> dict[int, tuple[str | None, bool]]:
        return {id(m): (m.edited_ts, m.deleted) for m in self.workspace.messages}

    def _changed_since(self, before: dict[int, tuple[str | None, bool]]) -> list[Message]:
        return [m for m in self.workspace.messages if before.get(id(m)) != (m.edited_ts, m.deleted)]

    def _honour(self, user: str, place: View, attempt: Attempt, outcome: Outcome) -> None:
        """Do what the answer to a view_submission says; nothing means: close this view."""
        answer = attempt.json()
        stack = self.workspace.modals.setdefault(user, [])
        try:
            match answer.get("response_action"):
                case None:
                    self.workspace.modals[user] = [view for view in stack if view is not place]
                case "clear":
                    self.workspace.modals[user] = []
                case "errors":
                    outcome.errors = form_errors(place, answer.get("errors"))
                case "update":
                    views.set_body(self.workspace, place, views.checked_view(self.workspace, answer, "modal"))
                case "push":
                    if len(stack) >= views.MAX_STACK:
                        raise SlackError("push_limit_reached")
                    body = views.checked_view(self.workspace, answer, "modal")
                    stack.append(views.new_view(self.workspace, user, body, place))
                case other:
                    raise SlackError("invalid_arguments", f"[ERROR] unknown response_action: {other}")
        except SlackError as refusal:
            self._record("view_submission response", answer, refusal, attempt)
            outcome.error = refusal.code
        self.workspace.changed()
