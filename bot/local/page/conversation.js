// Messages: the list of a conversation, and each of its messages.
import {Component, html, useCallback, useEffect, useLayoutEffect, useRef, useState} from "./vendor/htm-preact.js";
import {SafeBlocks} from "./blocks.js";
import {isReply, mentions, seenBy} from "./connection.js";
import {useSurface} from "./entered.js";
import {Mrkdwn, plain} from "./mrkdwn.js";
import {Icon, Menu} from "./overlay.js";
import {Avatar, dayName, dayOf, exactTimeOf, timeOf} from "./people.js";

const PAGE = 200;
const TOGETHER_SECONDS = 300;
const NEAR_END = 60;
const FACES = 4;

const isSettled = (message) => !message.ephemeral_to && !message.pending && !message.notice;

/** What is in one message. It is drawn again only when something of its own changed. */
class Row extends Component {
  shouldComponentUpdate(next) {
    return Object.keys(next).some((name) => next[name] !== this.props[name]);
  }

  render({message, member, user, people, channels, tz, joined, replies, lastReply, faces, fresh, todo, inThread}) {
    const name = message.notice ? "Local workspace" : (member?.name ?? message.user);
    const time = timeOf(message.ts, tz);
    const who = member
      ? html`<button type="button" class="name" onClick=${() => todo.profile(message.user)}>${name}</button>`
      : html`<b class="name">${name}</b>`;
    const lastDay = replies > 0 ? dayName(lastReply, tz).replace(/^(Today|Yesterday)$/, (day) => day.toLowerCase()) : "";
    return html`${message.ephemeral_to && html`<p class="only-you"><${Icon} name="eye" /> Only visible to you</p>`}
      <div class="face">${joined ? html`<span class="late-time" aria-hidden="true">${time.replace(/\s?[AP]M$/, "")}</span>`
        : message.notice ? html`<span class="avatar notice-face" aria-hidden="true">!</span>` : html`<${Avatar} member=${member} />`}</div>
      <div class="words">
        ${joined ? html`<span class="unseen">${name}, ${time}: </span>` : html`<div class="by">${who}
          ${message.from_bot && html`<span class="app-badge">APP</span>`}
          ${member?.status_emoji && html`<span class="status" title=${member.status_text}>${plain(member.status_emoji, true)}</span>`}
          <time title=${exactTimeOf(message.ts, tz)} datetime=${new Date(message.ts * 1000).toISOString()}>${time}</time></div>`}
        <${Body} ...${{message, user, people, channels, todo}} />
        ${replies > 0 && html`<button type="button" class="summary ${fresh ? "fresh" : ""}" onClick=${() => todo.thread(message)}>
          <span class="faces" aria-hidden="true">${faces.split(" ").map((id) => html`<${Avatar} member=${people.get(id)} size="small" />`)}</span>
          <b>${replies === 1 ? "1 reply" : `${replies} replies`}</b> ${fresh && html`<span class="new-mark">new</span> `}
          <span class="soft">Last reply ${lastDay} at ${timeOf(lastReply, tz)}</span></button>`}
      </div>
      ${isSettled(message) && html`<${Toolbar} ...${{message, todo, inThread}} />`}`;
  }
}

function Toolbar({message, todo, inThread}) {
  const items = todo.messageShortcuts.map((shortcut) => ({
    label: shortcut.name, hint: shortcut.description, act: () => todo.messageShortcut(shortcut, message),
  }));
  return html`<div class="toolbar" role="group" aria-label="Message actions">
    ${!inThread && html`<button type="button" aria-label="Reply in thread" title="Reply in thread" onClick=${() => todo.thread(message)}>
      <${Icon} name="thread" /></button>`}
    ${items.length > 0 && html`<${Menu} label="More actions" items=${[{heading: "Shortcuts"}, ...items]} side="left" />`}
  </div>`;
}

function Body({message, user, people, channels, todo}) {
  const {state, act, error} = useSurface({
    user, surface: {channel: message.channel, ts: message.ts}, blocks: message.blocks, values: {}, mention: todo.profile,
  });
  const edited = message.edited && !message.ephemeral_to && html`<span class="edited">(edited)</span>`;
  return html`<div class="body">${message.blocks.length
    ? html`<${SafeBlocks} blocks=${message.blocks} surface="message" ...${{state, act, people, channels, user}} errors=${{}} />${edited}`
    : html`<div class="text"><${Mrkdwn} ...${{text: message.text, people, channels, user}} mention=${todo.profile} /> ${edited}</div>`}
    ${message.notice && html`<button type="button" class="link" onClick=${todo.hood}>See what was sent</button>`}
    ${error && html`<p class="trouble" role="alert"><span>${error}.</span>
      <button type="button" class="link" onClick=${todo.hood}>See what was sent</button></p>`}</div>`;
}

/** Say whether a message goes on where the one before it ended, and starts no day of its own. */
function goesOn(before, message, tz) {
  return Boolean(before) && before.user === message.user && !message.notice && !before.notice &&
    before.ephemeral_to === message.ephemeral_to && message.ts - before.ts < TOGETHER_SECONDS &&
    dayOf(before.ts, tz) === dayOf(message.ts, tz);
}

/**
 * The messages of a channel or a thread, oldest first. It keeps to the end, unless the person has scrolled up.
 * `threads` maps the ts of a root to {replies, last, faces, fresh}.
 */
export function Messages({label, messages, user, people, channels, tz, threads, todo, inThread = false, above = null}) {
  const [pages, setPages] = useState(1);
  const [active, setActive] = useState(null);
  const [missed, setMissed] = useState(0);
  const box = useRef(null);
  const inner = useRef(null);
  const atEnd = useRef(true);
  const before = useRef(0);
  const shown = messages.slice(-PAGE * pages);
  const last = messages[messages.length - 1];
  const first = useRef(last?.ts ?? "");
  const toEnd = useCallback(() => {
    atEnd.current = true;
    box.current.scrollTop = box.current.scrollHeight;
    setMissed(0);
  }, []);

  useLayoutEffect(() => {
    const isNew = last && last.ts > first.current;
    if (isNew) first.current = last.ts;
    if (atEnd.current || (isNew && last.user === user)) toEnd();
    else if (isNew) setMissed((count) => count + 1);
  }, [last?.ts]);
  useEffect(() => {
    // Pictures, unfolded parts and the keyboard of a phone change heights without a new message.
    const observer = new ResizeObserver(() => atEnd.current && (box.current.scrollTop = box.current.scrollHeight));
    observer.observe(inner.current);
    observer.observe(box.current);
    return () => observer.disconnect();
  }, []);
  useLayoutEffect(() => {
    // What comes in above must not move what is read.
    if (before.current) box.current.scrollTop += box.current.scrollHeight - before.current;
    before.current = 0;
  }, [pages]);
  const scrolled = () => {
    const {scrollTop, scrollHeight, clientHeight} = box.current;
    atEnd.current = scrollHeight - scrollTop - clientHeight < NEAR_END;
    if (atEnd.current && missed) setMissed(0);
  };
  const earlier = () => {
    before.current = box.current.scrollHeight;
    atEnd.current = false;
    setPages(pages + 1);
  };
  const key = (event) => {
    if (event.target.getAttribute("data-ts") === null) return;
    const rows = [...inner.current.querySelectorAll("[data-ts]")];
    const at = rows.indexOf(event.target);
    const to = {ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: rows.length - 1}[event.key];
    if (to === undefined) return;
    event.preventDefault();
    rows[Math.max(0, Math.min(to, rows.length - 1))].focus();
  };
  const focused = (event) => setActive(event.target.closest("[data-ts]")?.getAttribute("data-ts") ?? null);
  const reachable = shown.some((message) => message.ts === active) ? active : last?.ts;

  const opened = (event, message) => event.key === "Enter" && event.target === event.currentTarget && !inThread &&
    isSettled(message) && todo.thread(message);
  const rows = [];
  shown.forEach((message, index) => {
    const previous = shown[index - 1];
    const day = inThread ? "" : dayOf(message.ts, tz);
    if (!inThread && (!previous || dayOf(previous.ts, tz) !== day)) {
      rows.push(html`<li key=${day} class="day"><span>${dayName(message.ts, tz)}</span></li>`);
    }
    const joined = goesOn(previous, message, tz);
    const thread = threads?.get(message.ts);
    const classes = ["message", joined && "joined", message.ephemeral_to && "private", message.pending && "pending"];
    rows.push(html`<li key=${message.key ?? message.ts} class=${classes.filter(Boolean).join(" ")} data-ts=${message.ts}
      tabindex=${message.ts === reachable ? "0" : "-1"} onKeyDown=${(event) => opened(event, message)}>
      <${Row} message=${message} member=${people.get(message.user)} user=${user} people=${people} channels=${channels} tz=${tz}
        joined=${joined} replies=${thread?.replies ?? 0} lastReply=${thread?.last} faces=${thread?.faces ?? ""}
        fresh=${thread?.fresh ?? false} todo=${todo} inThread=${inThread} /></li>`);
  });
  return html`<div class="scroll-place">
    <div class="scroll" ref=${box} onScroll=${scrolled}><div class="scroll-inner" ref=${inner}>
      ${messages.length > shown.length ? html`<button type="button" class="button earlier" onClick=${earlier}>Show earlier</button>` : above}
      <div role="log" aria-label=${label} aria-live="polite" aria-relevant="additions">
        <ol class="messages" role="list" onKeyDown=${key} onFocusCapture=${focused}>${rows}</ol></div></div></div>
    ${missed > 0 && html`<button type="button" class="button primary new-messages" onClick=${toEnd}>
      ${missed === 1 ? "1 new message" : "New messages"} <${Icon} name="down" /></button>`}
  </div>`;
}

/** Return {root ts: what the line under the root says} for the replies in a conversation. */
export function threadsOf(replies, readAt, user) {
  const found = new Map();
  for (const reply of replies) {
    if (reply.ephemeral_to || reply.pending) continue;
    const known = found.get(reply.thread_ts) ?? {replies: 0, last: "", ids: [], fresh: false};
    known.replies += 1;
    known.last = reply.ts;
    if (!known.ids.includes(reply.user) && known.ids.length < FACES) known.ids.push(reply.user);
    known.fresh ||= reply.user !== user && reply.ts > readAt(reply.thread_ts);
    found.set(reply.thread_ts, known);
  }
  for (const thread of found.values()) thread.faces = thread.ids.join(" ");
  return found;
}

const Beginning = ({title, children}) => html`<div class="beginning"><h2>${title}</h2><p>${children}</p></div>`;

/** Say what the bot hears in a conversation: the line below the composer. */
export function hearing(channel, bot) {
  if (channel.dm_with) return "Here the bot hears everything you write.";
  if (!channel.bot_member) return `${bot} is not in this channel: it hears no mention here. Commands still work.`;
  return html`Here the bot hears only messages that mention <b>@${bot}</b>. Commands work everywhere.`;
}

/** Draw what stands above the first message of a conversation. */
export function beginning(channel, bot) {
  if (channel.dm_with) return html`<${Beginning} title=${bot}>This is where you and ${bot} write to each other. Nobody else sees it.<//>`;
  return html`<${Beginning} title=${`#${channel.name}`}>Here the channel begins. Say something, or ask with @${bot}.<//>`;
}

/** Say what the bot wrote where the person is not looking; what they look at is read out by its own log. */
export function elsewhere({newest, bot, channels}, user, channel, thread, onHome) {
  if (!newest?.from_bot || newest.deleted || !seenBy(user)(newest)) return "";
  const place = channels.get(newest.channel);
  if (place?.dm_with && place.dm_with !== user) return "";
  if (newest.channel !== channel?.id || onHome) return `${bot.name} wrote in ${place?.dm_with ? "its messages" : `#${place?.name}`}.`;
  return isReply(newest) && newest.thread_ts !== thread?.ts ? `${bot.name} answered in a thread.` : "";
}

/** Keep what each member has read, and count what they have not. What was there at the start counts as read. */
export function useRead(state, user, channel, all, thread) {
  const positions = useRef(new Map()).current;
  const start = useRef(null);
  start.current ??= [...state.said.values()].map((list) => list[list.length - 1]?.ts ?? "").sort().pop() ?? "";
  const readAt = (key) => positions.get(`${user} ${key}`) ?? start.current;
  const last = all[all.length - 1]?.ts;
  if (last && channel) positions.set(`${user} ${channel.id}`, last);
  if (last && channel && thread) positions.set(`${user} ${thread.channel} ${thread.ts}`, last);
  const unread = new Map();
  for (const [id, list] of state.said) {
    const place = state.channels.get(id);
    if (!place || (place.dm_with && place.dm_with !== user)) continue;
    const key = place.dm_with ? "app" : id;
    for (let at = list.length - 1; at >= 0 && list[at].ts > readAt(id); at -= 1) {
      const message = list[at];
      if (message.user === user || !message.user || !seenBy(user)(message)) continue;
      const forMe = Boolean(place.dm_with) || mentions(user)(message);
      if (isReply(message) && !forMe && !list.some((one) => one.user === user &&
        (one.ts === message.thread_ts || one.thread_ts === message.thread_ts))) continue;
      const known = unread.get(key) ?? {count: 0, mentions: 0};
      unread.set(key, {count: known.count + 1, mentions: known.mentions + (forMe ? 1 : 0)});
    }
  }
  return {unread, thread: (ts) => readAt(`${channel?.id} ${ts}`)};
}

/** The head of the main region: its name, what belongs to it, and the way to the hood. */
export function Head({title, sign, sub, tabs, todo, hoodOpen}) {
  return html`<header class="head">
    <button type="button" class="round only-narrow menu-button" aria-label="Open the menu" onClick=${todo.openMenu}><${Icon} name="menu" /></button>
    <h1>${sign}<span>${title}</span></h1>${sub}${tabs}
    <button type="button" class="button quiet hood-button" aria-pressed=${hoodOpen ? "true" : "false"} onClick=${todo.toggleHood}>
      <${Icon} name="hood" /><span>Under the hood</span></button>
  </header>`;
}
