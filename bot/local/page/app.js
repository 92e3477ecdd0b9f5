// The start: one state from the server, one of what is open here, and the parts that draw them.
import {html, render, useCallback, useEffect, useMemo, useRef, useState} from "./vendor/htm-preact.js";
import {isReply, notice, pendingMessage, seenBy, send, useWorkspace, whatFailed} from "./connection.js";
import {Composer} from "./composer.js";
import {Head, Messages, beginning, elsewhere, hearing, threadsOf, useRead} from "./conversation.js";
import {Home, Tabs} from "./home.js";
import {Hood} from "./hood.js";
import {Modals} from "./modal.js";
import {MemberSwitcher, Profile, isPlayable} from "./people.js";
import {ChannelSign, Keys, QuickSwitch, Sidebar, isMac} from "./sidebar.js";
import {Steps, keep, recall, useSteps} from "./steps.js";
import {Thread} from "./thread.js";

const NAME = "GenAI roles – local workspace";
const NARROW = matchMedia("(max-width: 760px)");
const TOAST_MILLISECONDS = 3500;
const NO_MESSAGES = [];

function App() {
  const [state, dispatch] = useWorkspace();
  return state.ready ? html`<${Workspace} state=${state} dispatch=${dispatch} />`
    : html`<p class="starting" role="status">Opening the workspace…</p>`;
}

function Workspace({state, dispatch}) {
  const [wanted, setWanted] = useRecalled("user", null);
  const [where, setWhere] = useRecalled("where", {place: state.general, tab: "home"});
  const [theme, setTheme] = useRecalled("theme", "auto");
  const [thread, setThread] = useState(null);
  const [hood, setHood] = useState(false);
  const [cleared, setCleared] = useState(0);
  const [menu, setMenu] = useState(false);
  const [dialog, setDialog] = useState(null);
  const [fill, setFill] = useState(null);
  const [toast, setToast] = useToast();
  const narrow = useNarrow();
  const steps = useSteps(state);
  const drafts = useRef(new Map()).current;

  const member = isPlayable(state.members.get(wanted)) ? state.members.get(wanted) : [...state.members.values()].find(isPlayable);
  const user = member?.id ?? "";
  const tz = member?.tz ?? "Etc/UTC";
  const inApp = where.place === "app";
  const dm = useMemo(() => [...state.channels.values()].find((one) => one.dm_with === user), [state.channels, user]);
  const named = state.channels.get(where.place);
  const channel = inApp ? dm : (named?.dm_with === null ? named : state.channels.get(state.general));
  const onHome = inApp && where.tab === "home";
  const all = state.said.get(channel?.id) ?? NO_MESSAGES;
  const seen = useMemo(() => all.filter(seenBy(user)), [all, user]);
  const shown = useMemo(() => seen.filter((message) => !isReply(message)), [seen]);
  const replies = useMemo(() => seen.filter(isReply), [seen]);
  const read = useRead(state, user, onHome ? null : channel, all, thread);
  const threads = threadsOf(replies, read.thread, user);
  const root = thread && state.said.get(thread.channel)?.find((message) => message.ts === thread.ts);
  const inThread = useMemo(() => (thread ? replies.filter((one) => one.thread_ts === thread.ts) : NO_MESSAGES), [replies, thread]);
  const {people, channels} = state;

  useEffect(() => { document.documentElement.dataset.theme = theme; }, [theme]);
  const total = [...read.unread.values()].reduce((sum, one) => sum + one.mentions, 0);
  const title = inApp ? state.bot.name : `#${channel?.name ?? ""}`;
  useEffect(() => { document.title = `${total ? `(${total}) ` : ""}${title} – ${NAME}`; }, [title, total]);

  // What can be done here

  const focusOn = (what) => requestAnimationFrame(() => document.querySelector(what)?.focus());
  const toComposer = () => NARROW.matches || focusOn("main textarea");
  const leaveThread = () => {
    setThread(null);
    focusOn(`main [data-ts="${thread?.ts}"]`);
  };
  const leaveHood = () => {
    setHood(false);
    focusOn(".hood-button");
  };
  const leaveMenu = () => {
    setMenu(false);
    focusOn(".menu-button");
  };
  const openTo = (next) => {
    setWhere(next);
    setThread(null);
    setMenu(false);
    toComposer();
  };
  const go = {
    channel: (id) => openTo({...where, place: id}),
    app: (tab = where.tab) => {
      openTo({place: "app", tab});
      if (tab === "messages") send("home", {user, tab});
    },
  };
  // Whoever has just joined may not be known here yet: then `name` is theirs.
  const be = (id, name) => {
    setWanted(id);
    setDialog(null);
    setMenu(false);
    if (inApp) setThread(null);
    setToast(`You are ${state.members.get(id)?.name ?? name} now.`);
  };
  const failed = (text, place = channel?.id, thread_ts = null) => {
    if (!text) return;
    if (place && !onHome) dispatch(["notice", notice(user, place, `${text}.`, thread_ts)]);
    else setToast(`${text}.`);
  };
  const sendTo = (place, thread_ts) => async (text) => {
    if (/^\/\S/.test(text)) {
      if (thread_ts) return {error: "Slash commands do not work in threads. Type it in the channel instead.", restore: true};
      const {error, refused} = await send("command", {user, channel: place, text});
      if (refused) return {error, restore: true};
      if (error?.includes("not a valid command")) return {error: `${error}.`, restore: true};
      failed(whatFailed(text.split(/\s/)[0], error), place);
      return null;
    }
    const pending = pendingMessage(user, place, text, thread_ts);
    dispatch(["pending", pending]);
    const {error, ts} = await send("say", {user, channel: place, text, ...(thread_ts ? {thread_ts} : {})});
    dispatch(error ? ["unsent", pending] : ["sent", {pending, ts}]);
    return error ? {error: `Not sent. ${error}`, restore: true} : null;
  };
  const runShortcut = async (shortcut) => failed(
    whatFailed(shortcut.name, (await send("shortcut", {user, callback_id: shortcut.callback_id})).error));
  const reset = async () => {
    const {error} = await send("reset", {});
    if (error) return setToast(error);
    drafts.clear();
    steps.reset();
    setMenu(false);
    setThread(null);
    setCleared(0);
    setWhere({place: state.general, tab: "home"});
    return setToast("Everything is back to the start.");
  };
  const showStep = (step) => {
    const as = step.as ?? user;
    if (step.as && step.as !== user) be(step.as);
    const place = state.channels.get(step.channel)?.dm_with ? "app" : step.channel ?? (onHome ? state.general : where.place);
    openTo({place, tab: "messages"});
    const id = place === "app" ? [...state.channels.values()].find((one) => one.dm_with === as)?.id : place;
    if (step.fill) setFill({key: `${as} ${id}`, text: step.fill});
  };

  // Rows are drawn again only when they change: what they call stays the same object, and reads the newest state.
  const latest = useRef({});
  latest.current = {
    thread: (message) => setThread({channel: message.channel, ts: message.thread_ts ?? message.ts}),
    profile: (id) => people.has(id) && setDialog({profile: id}),
    hood: () => setHood(true),
    messageShortcut: async ({name, callback_id}, {channel: place, ts, thread_ts}) => failed(
      whatFailed(name, (await send("message_shortcut", {user, callback_id, channel: place, ts})).error), place, thread_ts),
  };
  const todo = useMemo(() => ({
    messageShortcuts: state.shortcuts.filter(({type}) => type === "message"),
    ...Object.fromEntries(Object.keys(latest.current).map((name) => [name, (...given) => latest.current[name](...given)])),
  }), [state.shortcuts]);
  useKeys({
    jump: () => setDialog({jump: true}),
    escape: () => {
      if (menu) leaveMenu();
      else if (thread) leaveThread();
      else if (hood) leaveHood();
    },
  });

  // What is drawn

  const followed = (event) => {
    const channelId = event.target.closest?.("[data-channel]")?.dataset.channel;
    if (channelId) go.channel(channelId);
    // Links to profiles lead to Slack's own site; here they open the profile.
    const [, id] = /^https:\/\/[\w.-]+\/team\/([UW]\w+)$/.exec(event.target.closest?.("a[href]")?.href ?? "") ?? [];
    if (!id || !people.has(id)) return;
    event.preventDefault();
    setDialog({profile: id});
  };
  const stepsCard = (brief) => !steps.hidden && html`<${Steps} steps=${state.steps} done=${steps.done} onShow=${showStep}
    brief=${brief} onHide=${() => steps.setHidden(true)} />`;
  const head = {
    openMenu: () => setMenu(true), toggleHood: () => setHood(!hood),
  };
  const side = {
    theme, setTheme, reset, jump: () => setDialog({jump: true}), people: () => setDialog({people: true}),
    keys: () => setDialog({keys: true}), hood: () => { setHood(true); setMenu(false); }, closeMenu: leaveMenu,
    showSteps: steps.hidden && state.steps.length ? () => steps.setHidden(false) : null,
  };
  const composer = (place, ts) => ({
    key: `${user} ${place} ${ts ?? ""}`, draftKey: ts ? `${user} ${place} ${ts}` : `${user} ${place}`, drafts, fill, state,
    help: channel && hearing(channel, state.bot.name), inThread: Boolean(ts), onSend: sendTo(place, ts),
    ...(ts ? {} : {shortcuts: state.shortcuts.filter(({type}) => type === "global"), onShortcut: runShortcut}),
  });
  const place = inApp ? state.bot.name : `#${channel?.name}`;
  const list = channel && html`<${Messages} key=${`${user} ${channel.id}`} label="Messages in ${place}" messages=${shown}
    ...${{user, people, channels, tz, threads, todo}} above=${beginning(channel, state.bot.name)} />
    ${channel.archived ? html`<p class="closed-composer">This channel is archived: nothing can be said here.</p>`
      : html`<${Composer} ...${composer(channel.id)} label="Message ${place}" />`}`;
  const views = state.modals.get(user) ?? [];
  const mention = todo.profile;
  return html`<div class="shell ${thread ? "has-thread" : ""} ${hood ? "has-hood" : ""}" onClick=${followed}>
    ${!state.connected && html`<p class="lost" role="status"><span class="spinner" aria-hidden="true"></span> Reconnecting…</p>`}
    <${Sidebar} ...${{state, member, where: inApp ? where : {place: channel?.id}, unread: read.unread, go, todo: side}} open=${menu}
      steps=${!narrow && stepsCard(false)} />
    ${menu && html`<div class="shade" onClick=${leaveMenu}></div>`}
    <main class="conversation" aria-label=${place} data-region tabindex="-1" inert=${menu}>
      <${Head} title=${inApp ? state.bot.name : channel?.name} sign=${!inApp && channel && html`<${ChannelSign} channel=${channel} />`}
        sub=${!inApp && channel && html`${channel.archived && html`<span class="mark">archived</span>`}
          ${!channel.bot_member && html`<span class="mark">without the bot</span>`}`}
        tabs=${inApp && html`<${Tabs} tab=${where.tab} onTab=${(tab) => go.app(tab)} />`} todo=${head} hoodOpen=${hood} />
      ${narrow && stepsCard(true)}
      ${onHome ? html`<${Home} view=${state.homes.get(user)} generation=${state.generation} ...${{user, people, channels, mention}} hood=${todo.hood} />`
        : inApp ? html`<div class="panel" role="tabpanel" id="tab-panel" aria-labelledby="tab-messages">${list}</div>` : list}
    </main>
    ${thread && channel && html`<${Thread} key=${thread.ts} root=${root} replies=${inThread} place=${place} ...${{user, people, channels, tz, todo}}
      composer=${composer(thread.channel, thread.ts)} onClose=${leaveThread} />`}
    ${hood && html`<${Hood} trace=${state.trace} tz=${tz} cleared=${cleared} onClose=${leaveHood}
      onClear=${() => setCleared(state.trace[state.trace.length - 1]?.at ?? 0)} />`}
    <p class="unseen" role="status">${elsewhere(state, user, channel, thread, onHome)}</p>
    <div class="toasts" role="status">${toast && html`<p class="toast">${toast}</p>`}</div>
    ${views.length > 0 && html`<${Modals} key=${views[0].id} ...${{views, user, people, channels, mention}} showHood=${todo.hood} />`}
    ${dialog?.people && html`<${MemberSwitcher} members=${state.members} user=${user} onChoose=${be} onClose=${() => setDialog(null)} />`}
    ${dialog?.jump && html`<${QuickSwitch} ...${{state, user, go}} onBe=${be} onClose=${() => setDialog(null)} />`}
    ${dialog?.keys && html`<${Keys} onClose=${() => setDialog(null)} />`}
    ${dialog?.profile && html`<${Profile} member=${people.get(dialog.profile)} user=${user} onChoose=${be} onClose=${() => setDialog(null)} />`}
  </div>`;
}

function useRecalled(name, otherwise) {
  const [value, setValue] = useState(() => recall(name, otherwise));
  useEffect(() => keep(name, value), [value]);
  return [value, setValue];
}

function useNarrow() {
  const [narrow, setNarrow] = useState(NARROW.matches);
  useEffect(() => {
    const changed = () => setNarrow(NARROW.matches);
    NARROW.addEventListener("change", changed);
    return () => NARROW.removeEventListener("change", changed);
  }, []);
  return narrow;
}

function useToast() {
  const [toast, setToast] = useState("");
  useEffect(() => {
    if (!toast) return undefined;
    const timer = setTimeout(() => setToast(""), TOAST_MILLISECONDS);
    return () => clearTimeout(timer);
  }, [toast]);
  return [toast, useCallback(setToast, [])];
}

function useKeys(keys) {
  const latest = useRef(keys);
  latest.current = keys;
  useEffect(() => {
    const pressed = (event) => {
      if (document.querySelector("dialog[open]") || event.defaultPrevented) return;
      if (event.key.toLowerCase() === "k" && (isMac ? event.metaKey : event.ctrlKey)) latest.current.jump();
      else if (event.key === "F6") nextRegion(event.shiftKey ? -1 : 1);
      else if (event.key === "Escape") latest.current.escape();
      else return;
      event.preventDefault();
    };
    addEventListener("keydown", pressed);
    return () => removeEventListener("keydown", pressed);
  }, []);
}

function nextRegion(by) {
  const all = [...document.querySelectorAll("[data-region]")].filter((one) => one.checkVisibility({visibilityProperty: true}));
  const at = all.findIndex((one) => one.contains(document.activeElement));
  all[(at + by + all.length) % all.length]?.focus();
}

const place = document.getElementById("app");
place.replaceChildren();
render(html`<${App} />`, place);
