// What the page knows of the workspace: read from the server's stream, changed by what a person does.
// The page holds everything of everybody and filters for the member who is played, so switching is instant.
import {useEffect, useReducer} from "./vendor/htm-preact.js";

const TRACES_KEPT = 400;
const RETRY_MILLISECONDS = 2000;
const EVENTS = ["state", "message", "channel", "member", "modals", "home", "trace"];

const NOTHING = {
  connected: false, ready: false, generation: 0, team: {id: "", name: ""}, bot: {id: "", name: ""}, general: null,
  members: new Map(), people: new Map(), channels: new Map(), commands: [], shortcuts: [], steps: [],
  said: new Map(), modals: new Map(), homes: new Map(), trace: [], done: new Set(), newest: null,
};

// The reducer: every event makes a new state; what did not change stays the same object, so drawing can skip it.

export function reduce(state, [name, body]) {
  switch (name) {
    case "state": return wholeState(state, body);
    case "lost": return state.connected ? {...state, connected: false} : state;
    case "message": return {...state, said: withMessage(state.said, body), newest: body};
    case "pending":
    case "notice": return {...state, said: withMessage(state.said, body)};
    case "sent": return {...state, said: withSent(state.said, body)};
    case "unsent": return {...state, said: withMessage(state.said, {...body, deleted: true})};
    case "channel": return {...state, channels: new Map(state.channels).set(body.id, body)};
    case "member": return withMembers(state, [...state.members.values(), body]);
    case "modals": return {...state, modals: new Map(state.modals).set(body.user, body.views)};
    case "home": return {...state, homes: new Map(state.homes).set(body.user, body.view)};
    case "trace": return withTrace(state, body);
    default: return state;
  }
}

function wholeState(before, body) {
  const said = new Map();
  for (const message of body.messages) {
    if (!said.has(message.channel)) said.set(message.channel, []);
    said.get(message.channel).push(message);
  }
  for (const list of said.values()) list.sort(byTime);
  const state = {
    ...NOTHING, connected: true, ready: true, generation: before.generation + 1, team: body.team, bot: body.bot,
    general: body.general, commands: body.commands, shortcuts: body.shortcuts, steps: body.steps ?? [], said,
    channels: new Map(body.channels.map((channel) => [channel.id, channel])),
    modals: new Map(Object.entries(body.modals)), homes: new Map(Object.entries(body.homes)), trace: body.trace,
  };
  state.done = new Set(body.trace.flatMap((trace) => stepsDone(state.steps, trace)));
  return withMembers(state, body.members);
}

function withMembers(state, list) {
  const members = new Map(list.map((member) => [member.id, member]));
  const bot = {...state.bot, handle: state.bot.name, title: "App", is_bot: true, presence: "active", tz: "Etc/UTC"};
  return {...state, members, people: new Map(members).set(bot.id, bot)};
}

const byTime = (a, b) => (a.ts < b.ts ? -1 : a.ts > b.ts ? 1 : 0);

function withMessage(said, message) {
  const before = said.get(message.channel) ?? [];
  const list = before.filter((known) => known.ts !== message.ts);
  const known = before.find((one) => one.ts === message.ts);
  if (!message.deleted) {
    // What the person just sent is drawn at once; the real message takes the place of the oldest of these.
    const drawn = known || message.pending ? -1 : list.findIndex((other) => other.pending && sameSender(other, message));
    const drawnAs = (known ?? list[drawn])?.key;
    if (drawn >= 0) list.splice(drawn, 1);
    let at = list.length;
    while (at > 0 && list[at - 1].ts > message.ts) at -= 1;
    list.splice(at, 0, drawnAs ? {...message, key: drawnAs} : message);
  }
  return new Map(said).set(message.channel, list);
}

/** Give a drawn message the time that it was posted at, unless the stream was faster and has replaced it. */
function withSent(said, {pending, ts}) {
  const list = said.get(pending.channel) ?? [];
  if (!list.some((message) => message.ts === pending.ts)) return said;
  const without = withMessage(said, {...pending, deleted: true});
  return list.some((message) => message.ts === ts) ? without : withMessage(without, {...pending, pending: false, ts});
}

const sameSender = (a, b) => a.user === b.user && (a.thread_ts ?? null) === (b.thread_ts ?? null);

function withTrace(state, trace) {
  const done = stepsDone(state.steps, trace).filter((id) => !state.done.has(id));
  return {
    ...state, trace: [...state.trace.slice(-TRACES_KEPT), trace],
    done: done.length ? new Set([...state.done, ...done]) : state.done,
  };
}

function stepsDone(steps, trace) {
  if (trace.way !== "to the bot") return [];
  const sent = JSON.stringify(trace.sent ?? "");
  const fits = ({done}) => done.name === trace.name && sent.includes(done.contains) &&
    (!done.user || sent.includes(done.user));
  return steps.filter(fits).map((step) => step.id);
}

// Messages that only this page knows: one on its way, and what went wrong, where it went wrong.

let counted = 0;
const now = () => {
  counted += 1;
  const micros = String(Date.now() * 1000 + (counted % 1000));
  return `${micros.slice(0, -6)}.${micros.slice(-6)}`;
};
const own = {blocks: [], thread_ts: null, ephemeral_to: null, from_bot: false, edited: false, deleted: false};

/** `key` is what the list draws it under, also when the real message has taken its place. */
export function pendingMessage(user, channel, text, thread_ts) {
  const ts = now();
  return {...own, user, channel, text, ts, key: ts, thread_ts: thread_ts ?? null, pending: true};
}

export const notice = (user, channel, text, thread_ts) =>
  ({...own, user: "", channel, text, ts: now(), thread_ts: thread_ts ?? null, ephemeral_to: user, notice: true});

// What is said, as one member sees it.

export const isReply = (message) => Boolean(message.thread_ts) && message.thread_ts !== message.ts;
export const seenBy = (user) => (message) => message.ephemeral_to === null || message.ephemeral_to === user;
export const mentions = (user) => (message) => message.text.includes(`<@${user}`) ||
  (message.blocks.length > 0 && JSON.stringify(message.blocks).includes(`<@${user}`));

// The connection itself.

export function useWorkspace() {
  const [state, dispatch] = useReducer(reduce, NOTHING);
  useEffect(() => {
    let source = null;
    let timer = 0;
    const open = () => {
      source = new EventSource("/page/stream");
      for (const name of EVENTS) source.addEventListener(name, (event) => dispatch([name, JSON.parse(event.data)]));
      source.addEventListener("error", () => {
        dispatch(["lost"]);
        // A browser tries again by itself after a cut, but gives up after an answer that is no stream.
        if (source.readyState === EventSource.CLOSED) timer = setTimeout(open, RETRY_MILLISECONDS);
      });
    };
    open();
    return () => {
      clearTimeout(timer);
      source.close();
    };
  }, []);
  return [state, dispatch];
}

/** Send one action of a person; what went wrong comes back as `error`, never as an exception. */
export async function send(action, body) {
  try {
    const answer = await fetch(`/page/${action}`, {
      method: "POST", headers: {"Content-Type": "application/json"}, body: JSON.stringify(body),
    });
    const isJson = (answer.headers.get("Content-Type") ?? "").includes("json");
    const read = isJson ? await answer.json() : {error: await answer.text()};
    return answer.ok ? read : {...read, error: read.error || `The server answered ${answer.status}.`, refused: true};
  } catch {
    return {error: "The local workspace does not answer. Is it still running?", refused: true};
  }
}

/** Say in a sentence what an error code means, as the person who typed or pressed sees it. */
export function whatFailed(what, error) {
  if (!error) return "";
  if (error === "operation_timeout") return `${what} failed because the app did not respond (operation_timeout)`;
  if (error === "dispatch_failed") return `${what} failed because the app could not be reached or refused it (dispatch_failed)`;
  if (/\s/.test(error)) return error;
  return `${what} failed with the error ${error}`;
}
