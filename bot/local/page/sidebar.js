// Where one can go: channels, the app, other members; and what concerns the workspace as a whole.
import {html, useEffect, useMemo, useRef} from "./vendor/htm-preact.js";
import {Dialog, Icon, Menu} from "./overlay.js";
import {Avatar, Chooser, Presence, isPlayable} from "./people.js";

const THEMES = [["auto", "As the system"], ["light", "Light"], ["dark", "Dark"]];
export const isMac = /Mac|iPhone|iPad/.test(navigator.platform);
const COMMAND = isMac ? "⌘" : "Ctrl ";

export const shownChannels = (channels) => [...channels.values()]
  .filter((channel) => channel.dm_with === null)
  .sort((a, b) => a.archived - b.archived || a.name.localeCompare(b.name));

export const ChannelSign = ({channel}) => html`<${Icon} name=${channel.private ? "lock" : "hash"} />`;

/** Say what a conversation is, for people who do not see its sign. */
const kindOf = (channel) => [
  channel.private ? "private channel" : "channel", channel.archived && "archived", !channel.bot_member && "without the bot",
].filter(Boolean).join(", ");

function Place({label, kind, current, unread, onGo, children}) {
  const {count = 0, mentions = 0} = unread ?? {};
  const said = [label, kind, count && `${count} unread`, mentions && `${mentions} for you`].filter(Boolean).join(", ");
  return html`<li><button type="button" class="place ${count ? "unread" : ""}" aria-label=${said}
    aria-current=${current ? "page" : undefined} onClick=${onGo}>${children}<span class="place-name">${label}</span>
    ${mentions > 0 ? html`<span class="badge" aria-hidden="true">${mentions}</span>`
      : count > 0 && html`<span class="count" aria-hidden="true">${count}</span>`}</button></li>`;
}

export function Sidebar({state, member, where, unread, go, todo, steps, open}) {
  const sheet = useRef(null);
  useEffect(() => { if (open) sheet.current.focus(); }, [open]);
  const bot = state.people.get(state.bot.id);
  const inApp = where.place === "app";
  return html`<nav class="sidebar ${open ? "open" : ""}" aria-label="Workspace" data-region tabindex="-1" ref=${sheet}>
    <div class="sidebar-head">
      <${WorkspaceMenu} team=${state.team} todo=${todo} />
      <button type="button" class="round on-dark only-narrow" aria-label="Close the menu" onClick=${todo.closeMenu}>
        <${Icon} name="close" /></button>
    </div>
    <button type="button" class="jump" onClick=${todo.jump}><${Icon} name="search" /> Jump to…
      <kbd aria-hidden="true">${COMMAND}K</kbd></button>
    <div class="places">
      <h2 id="side-channels">Channels</h2>
      <ul aria-labelledby="side-channels">${shownChannels(state.channels).map((channel) => html`<${Place} key=${channel.id}
        label=${channel.name} kind=${kindOf(channel)} unread=${unread.get(channel.id)} onGo=${() => go.channel(channel.id)}
        current=${!inApp && where.place === channel.id}><${ChannelSign} channel=${channel} /><//>`)}</ul>
      <h2 id="side-apps">Apps</h2>
      <ul aria-labelledby="side-apps"><${Place} label=${state.bot.name} kind="app, direct messages" unread=${unread.get("app")}
        current=${inApp} onGo=${() => go.app()}><${Avatar} member=${bot} size="small" /><//></ul>
    </div>
    ${steps}
    <button type="button" class="you" onClick=${todo.people} aria-haspopup="dialog">
      <${Avatar} member=${member} size="middle" />
      <span class="you-words"><small>You are </small><b>${member?.name ?? "nobody"}</b></span>
      ${member && html`<${Presence} member=${member} />`}<${Icon} name="swap" />
    </button>
  </nav>`;
}

function WorkspaceMenu({team, todo}) {
  const items = [
    {heading: "Look"},
    ...THEMES.map(([theme, label]) => ({label, checked: todo.theme === theme ? "true" : "false", act: () => todo.setTheme(theme)})),
    {heading: "Workspace"},
    {label: "Under the hood", hint: "Every request to the bot and from it", act: todo.hood},
    ...(todo.showSteps ? [{label: "Show first steps", act: todo.showSteps}] : []),
    {label: "Keyboard", hint: "What the keys do", act: todo.keys},
    {label: "Reset", hint: "Everything back to the start, at once", act: todo.reset},
  ];
  return html`<${Menu} label="${team.name} menu" className="team" items=${items}>
    <span class="team-name">${team.name}</span><span class="unseen"> menu</span><${Icon} name="down" /><//>`;
}

/** Ctrl+K: go anywhere, or be anybody, by typing some letters. */
export function QuickSwitch({state, user, go, onClose, onBe}) {
  const items = useMemo(() => [
    ...shownChannels(state.channels).map((channel) => ({
      id: channel.id, words: `#${channel.name}`, choose: () => go.channel(channel.id),
      draw: html`<${ChannelSign} channel=${channel} /><span class="who"><b>${channel.name}</b></span>`,
    })),
    ...[["messages", "Messages"], ["home", "Home"]].map(([tab, label]) => ({
      id: `app-${tab}`, words: `${state.bot.name} ${label} app`, choose: () => go.app(tab),
      draw: html`<${Avatar} member=${state.people.get(state.bot.id)} size="small" />
        <span class="who"><b>${state.bot.name}</b> <small>${label}</small></span>`,
    })),
    ...[...state.members.values()].filter((member) => isPlayable(member) && member.id !== user).map((member) => ({
      id: member.id, words: `be ${member.name} ${member.title}`, choose: () => onBe(member.id),
      draw: html`<${Avatar} member=${member} size="small" /><span class="who"><b>Be ${member.name}</b></span>`,
    })),
  ], [state.channels, state.members, user]);
  const choose = (item) => {
    onClose();
    item.choose();
  };
  return html`<${Dialog} label="Jump to" className="jump-box" onClose=${onClose}>
    <${Chooser} label="Jump to a conversation, or be somebody" hint="Jump to…" items=${items} onChoose=${choose} /><//>`;
}

const KEYS = [
  [`${COMMAND}K`, "Jump to a conversation, or be somebody else"],
  ["F6", "Next part of the page (Shift+F6: the one before)"],
  ["↑ ↓", "In the messages: from one to the next; Home and End for the first and the last"],
  ["Tab", "In a message: its buttons"],
  ["Enter", "On a message: its thread. In the composer: send"],
  ["Shift+Enter", "A new line"],
  ["/ @ #", "In the composer: commands, members, channels to choose from"],
  ["Esc", "Close what is on top"],
];

export const Keys = ({onClose}) => html`<${Dialog} label="Keyboard" className="keys" onClose=${onClose}>
  <header class="modal-head"><h2>Keyboard</h2>
    <button type="button" data-first class="round" aria-label="Close" onClick=${onClose}><${Icon} name="close" /></button></header>
  <dl>${KEYS.map(([key, does]) => html`<div><dt><kbd>${key}</kbd></dt><dd>${does}</dd></div>`)}</dl><//>`;
