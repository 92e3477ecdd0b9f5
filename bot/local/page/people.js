// Members: how they look, when it is for them, which of them is played.
import {html, useEffect, useMemo, useRef, useState} from "./vendor/htm-preact.js";
import {send} from "./connection.js";
import {plain} from "./mrkdwn.js";
import {Dialog, Icon} from "./overlay.js";

const TINTS = 8;

function tint(id) {
  let mixed = 0;
  for (const letter of id) mixed = Math.imul(mixed ^ letter.codePointAt(0), 16777619);
  return (mixed >>> 12) % TINTS;
}

const initials = (name) => {
  const words = name.split(/[\s.\-]+/).filter(Boolean);
  return [words[0], words.length > 1 ? words[words.length - 1] : null].map((word) => (word ? [...word][0] : "")).join("");
};

/** A member's face: coloured initials, or the drawing of the bot. */
export function Avatar({member, size = ""}) {
  if (member?.is_bot) return html`<img class="avatar ${size}" src="/page/favicon.svg" alt="" />`;
  return html`<span class="avatar ${size} tint-${tint(member?.id ?? "")}" aria-hidden="true">
    ${initials(member?.name ?? "?").toUpperCase()}</span>`;
}

// Times, as the played member sees them.

const formats = new Map();

function format(tz, options, name) {
  const key = `${tz} ${name}`;
  if (!formats.has(key)) {
    const make = (timeZone) => new Intl.DateTimeFormat("en-US", {...options, timeZone});
    try {
      formats.set(key, make(tz));
    } catch {
      // A zone that this browser does not know.
      formats.set(key, make("UTC"));
    }
  }
  return formats.get(key);
}

const date = (ts) => new Date(Number(ts) * 1000);
export const timeOf = (ts, tz) => format(tz, {hour: "numeric", minute: "2-digit"}, "time").format(date(ts));
export const exactTimeOf = (ts, tz) => format(tz, {dateStyle: "full", timeStyle: "medium"}, "exact").format(date(ts));
export const secondsOf = (ts, tz) => format(tz, {
  hour12: false, hour: "2-digit", minute: "2-digit", second: "2-digit", fractionalSecondDigits: 3,
}, "seconds").format(date(ts));
export const dayOf = (ts, tz) => format(tz, {year: "numeric", month: "2-digit", day: "2-digit"}, "day").format(date(ts));

/** Name a day as people do: Today, Yesterday, Tuesday, November 24. */
export function dayName(ts, tz) {
  const now = Date.now() / 1000;
  const day = dayOf(ts, tz);
  if (day === dayOf(now, tz)) return "Today";
  if (day === dayOf(now - 86400, tz)) return "Yesterday";
  const year = day.slice(-4) === dayOf(now, tz).slice(-4) ? {} : {year: "numeric"};
  return format(tz, {weekday: "long", month: "long", day: "numeric", ...year}, `long${year.year ?? ""}`).format(date(ts));
}

function useMinute() {
  const [, tick] = useState(0);
  useEffect(() => {
    const timer = setInterval(() => tick((times) => times + 1), 60_000);
    return () => clearInterval(timer);
  }, []);
  return Date.now() / 1000;
}

/** Say how somebody is: what they set as their status, or else their presence. */
function presenceOf(member) {
  if (member.deleted) return "Deactivated";
  if (member.status_text) return member.status_text;
  return member.presence === "active" ? "Active" : "Away";
}

export const Presence = ({member}) => html`<span class="presence ${member.deleted ? "gone" : member.presence}"
  role="img" aria-label=${member.deleted ? "Deactivated" : member.presence === "active" ? "Active" : "Away"}></span>`;

export const isPlayable = (member) => Boolean(member) && !member.deleted && !member.is_bot;

/** A box to type in over a list to choose from: `items` are {id, words, disabled, draw}. */
export function Chooser({label, hint, items, onChoose}) {
  const [typed, setTyped] = useState("");
  const [at, setAt] = useState(0);
  const list = useRef(null);
  const wanted = typed.trim().toLowerCase().split(/\s+/);
  const found = items.filter((item) => wanted.every((word) => item.words.toLowerCase().includes(word)));
  const open = found.filter((item) => !item.disabled);
  const active = open[Math.min(at, open.length - 1)];
  useEffect(() => list.current?.querySelector('[aria-selected="true"]')?.scrollIntoView({block: "nearest"}), [active?.id]);
  const key = (event) => {
    const to = {ArrowDown: at + 1, ArrowUp: at - 1}[event.key];
    if (to !== undefined && open.length) setAt((to + open.length) % open.length);
    else if (event.key === "Enter" && active) onChoose(active);
    else return;
    event.preventDefault();
  };
  const write = (event) => {
    setTyped(event.target.value);
    setAt(0);
  };
  return html`<div class="chooser">
    <input data-first class="field" type="text" role="combobox" aria-label=${label} placeholder=${hint} value=${typed}
      aria-expanded="true" aria-controls="chooser-list" aria-activedescendant=${active ? `choice-${active.id}` : undefined}
      aria-autocomplete="list" autocomplete="off" spellcheck=${false} onInput=${write} onKeyDown=${key} />
    <div class="choices" role="listbox" id="chooser-list" aria-label=${label} ref=${list} tabindex="-1">
      ${found.map((item) => html`<div key=${item.id} id="choice-${item.id}" role="option" class="choice"
        aria-selected=${item === active ? "true" : "false"} aria-disabled=${item.disabled ? "true" : undefined}
        onMouseMove=${() => !item.disabled && item !== active && setAt(open.indexOf(item))}
        onClick=${() => !item.disabled && onChoose(item)}>${item.draw}</div>`)}
      ${found.length === 0 && html`<div class="no-choice" role="option" aria-disabled="true" aria-selected="false">Nobody and nothing is called that.</div>`}
    </div></div>`;
}

function MemberLine({member, played, now}) {
  const marks = [member.guest && "guest", member.is_bot && "bot"].filter(Boolean).join(", ");
  return html`<${Avatar} member=${member} />
    <span class="who"><b>${member.name}</b>${marks && html` <span class="mark">${marks}</span>`}
      <small>${member.title ? plain(member.title, true) : "No title"}</small></span>
    <span class="how"><span>${timeOf(now, member.tz)}</span>
      <small><span class="presence ${member.deleted ? "gone" : member.presence}" aria-hidden="true"></span>
        ${member.status_emoji && html`${plain(member.status_emoji, true)} `}${presenceOf(member)}</small></span>
    <span class="tick">${played && html`<${Icon} name="check" /><span class="unseen">(you)</span>`}</span>`;
}

/** The list of whom to be, and the form to add somebody. */
export function MemberSwitcher({members, user, onChoose, onClose}) {
  const [adding, setAdding] = useState(false);
  const now = useMinute();
  const items = useMemo(() => [...members.values()].map((member) => ({
    id: member.id, words: `${member.name} ${member.title} ${member.handle}`, disabled: !isPlayable(member),
    draw: html`<${MemberLine} member=${member} played=${member.id === user} now=${now} />`,
  })), [members, user, now]);
  return html`<${Dialog} label=${adding ? "Add a member" : "Be somebody else"} className="people" onClose=${onClose}>
    <header class="modal-head"><h2>${adding ? "Add a member" : "Who are you?"}</h2>
      <button type="button" class="round" aria-label="Close" onClick=${onClose}><${Icon} name="close" /></button></header>
    ${adding ? html`<${AddMember} onDone=${onChoose} onBack=${() => setAdding(false)} />` : html`
      <${Chooser} label="Search members" hint="Search by name or title" items=${items} onChoose=${(item) => onChoose(item.id)} />
      <footer class="modal-foot"><button type="button" class="button" onClick=${() => setAdding(true)}>
        <${Icon} name="plus" /> Add a member…</button></footer>`}
  <//>`;
}

const zones = () => Intl.supportedValuesOf?.("timeZone") ?? ["Etc/UTC"];
const ownZone = () => Intl.DateTimeFormat().resolvedOptions().timeZone || "Etc/UTC";

function AddMember({onDone, onBack}) {
  const [error, setError] = useState("");
  const [busy, setBusy] = useState(false);
  const first = useRef(null);
  useEffect(() => first.current.focus(), []);
  const add = async (event) => {
    event.preventDefault();
    const {name, title, tz} = Object.fromEntries(new FormData(event.target));
    if (!name.trim()) {
      setError("Please write a name.");
      first.current.focus();
      return;
    }
    setBusy(true);
    const answer = await send("join", {name, title, tz: tz.trim() || "Etc/UTC"});
    setBusy(false);
    if (answer.error) setError(answer.error);
    else onDone(answer.user, name.trim());
  };
  return html`<form class="plain-form" onSubmit=${add} novalidate>
    ${error && html`<p class="trouble" role="alert" id="add-error">${error}</p>`}
    <label>Name<input ref=${first} class="field" name="name" maxlength="80" autocomplete="off" required
      aria-describedby=${error ? "add-error" : undefined} /></label>
    <label>Title <small>(optional; as on a profile)</small>
      <input class="field" name="title" maxlength="100" autocomplete="off" placeholder="Data Engineer" /></label>
    <label>Time zone<input class="field" name="tz" list="zones" defaultValue=${ownZone()} autocomplete="off" /></label>
    <datalist id="zones">${zones().map((zone) => html`<option value=${zone}></option>`)}</datalist>
    <footer class="modal-foot"><button type="button" class="button" onClick=${onBack}>Back</button>
      <button type="submit" class="button primary" aria-disabled=${busy ? "true" : "false"}>Add and be them</button></footer>
  </form>`;
}

/** Somebody's profile, opened from their name or a mention. */
export function Profile({member, user, onChoose, onClose}) {
  const now = useMinute();
  return html`<${Dialog} label="Profile of ${member.name}" className="profile" onClose=${onClose}>
    <button type="button" class="round corner" aria-label="Close" onClick=${onClose}><${Icon} name="close" /></button>
    <${Avatar} member=${member} size="huge" />
    <h2>${member.name}</h2>
    <p>${member.title ? plain(member.title, true) : "No title"}</p>
    ${!member.is_bot && html`<p class="soft"><span class="presence ${member.deleted ? "gone" : member.presence}" aria-hidden="true"></span>
      ${presenceOf(member)} · ${timeOf(now, member.tz)} local time (${member.tz.replaceAll("_", " ")})${member.guest ? " · guest" : ""}</p>`}
    ${isPlayable(member) && member.id !== user && html`<button type="button" data-first class="button primary"
      onClick=${() => onChoose(member.id)}>Be ${member.name}</button>`}
    ${member.id === user && html`<p class="soft">This is you.</p>`}
  <//>`;
}
