// Where a person types: messages and slash commands, with completion of what they begin with.
import {html, useEffect, useLayoutEffect, useRef, useState} from "./vendor/htm-preact.js";
import {plain} from "./mrkdwn.js";
import {Icon, Menu} from "./overlay.js";
import {Avatar} from "./people.js";
import {ChannelSign, shownChannels} from "./sidebar.js";

const MOST_CHOICES = 8;
const NAME = /(^|[\s(])([@#])([^@#\n]{0,40})$/;

/** Return what can complete the text before the caret: where it starts, and the choices. */
function completions(before, after, {commands, people, channels, bot, inThread}) {
  if (/^\/\S*$/.test(before)) {
    if (inThread || (after && !/^\s/.test(after))) return null;
    const found = commands.filter(({command}) => command.startsWith(before.toLowerCase()));
    return {start: 0, choices: found.map((one) => ({
      id: one.command, insert: `${one.command} `, whole: one.command,
      draw: html`<b>${one.command}</b> <span class="soft">${one.usage_hint}</span><small>${one.description}</small>`,
    }))};
  }
  const match = NAME.exec(before);
  if (!match) return null;
  const [, , sign, typed] = match;
  const wanted = typed.toLowerCase();
  const fits = (name) => name.toLowerCase().startsWith(wanted) ||
    (wanted && !wanted.includes(" ") && name.toLowerCase().split(/[\s.\-]+/).some((word) => word.startsWith(wanted)));
  const start = before.length - typed.length - 1;
  if (sign === "#") {
    const found = shownChannels(channels).filter((channel) => fits(channel.name));
    return {start, choices: found.slice(0, MOST_CHOICES).map((channel) => ({
      id: channel.id, insert: `#${channel.name} `, whole: `#${channel.name}`,
      draw: html`<${ChannelSign} channel=${channel} /><b>${channel.name}</b>`,
    }))};
  }
  const all = [...people.values()];
  // The bot first: it is the one that most are looking for here.
  const found = all.filter((member) => !member.deleted && fits(member.name)).sort((a, b) => (b.id === bot.id) - (a.id === bot.id));
  return {start, choices: found.slice(0, MOST_CHOICES).map((member) => ({
    id: member.id, insert: `@${member.name} `, whole: `@${member.name}`,
    draw: html`<${Avatar} member=${member} size="small" /><b>${member.name}</b>
      ${member.is_bot ? html`<span class="app-badge">APP</span>` : html`<span class="soft">${plain(member.title ?? "", true)}</span>`}`,
  }))};
}

/**
 * The box to write in. `drafts` keeps what is begun under `draftKey`; `fill` = {key, text} puts words in;
 * `onSend(text)` returns a promise of {error, restore}: what to show, and whether the words come back.
 */
export function Composer({label, hint, draftKey, drafts, fill, help, inThread = false, state, shortcuts = [], onShortcut, onSend}) {
  const [text, setText] = useState(drafts.get(draftKey) ?? "");
  const [caret, setCaret] = useState(0);
  const [at, setAt] = useState(0);
  const [shut, setShut] = useState(false);
  const [error, setError] = useState("");
  const area = useRef(null);
  const id = inThread ? "thread-choices" : "choices";
  const write = (next, to = next.length) => {
    drafts.set(draftKey, next);
    setText(next);
    setCaret(to);
    setAt(0);
    setShut(false);
    setError("");
  };
  useEffect(() => {
    if (fill?.key !== draftKey || fill.used) return;
    fill.used = true;
    write(fill.text);
    area.current.focus();
    // What was filled in is complete: nothing is left to choose.
    setShut(true);
  }, [fill, draftKey]);
  useLayoutEffect(() => {
    area.current.style.height = "auto";
    area.current.style.height = `${area.current.scrollHeight}px`;
  }, [text]);
  const put = useRef(null);
  useLayoutEffect(() => {
    if (put.current === null) return;
    area.current.setSelectionRange(put.current, put.current);
    put.current = null;
  }, [text]);

  const offered = shut ? null : completions(text.slice(0, caret), text.slice(caret), {...state, inThread});
  const choices = offered?.choices ?? [];
  const active = choices[Math.min(at, choices.length - 1)];
  const isWhole = active && text.slice(offered.start, caret).toLowerCase() === active.whole.toLowerCase();
  const choose = (choice) => {
    const rest = text.slice(caret).replace(/^ /, "");
    const next = text.slice(0, offered.start) + choice.insert + rest;
    put.current = offered.start + choice.insert.length;
    write(next, put.current);
    area.current.focus();
  };
  const submit = async (event) => {
    event?.preventDefault();
    const sent = text.trim();
    if (!sent) return;
    write("");
    area.current.focus();
    const answer = await onSend(sent);
    if (!answer?.error) return;
    setError(answer.error);
    if (answer.restore) setText((now) => {
      // Words that were not sent come back, unless something else is typed by now.
      const next = now || sent;
      drafts.set(draftKey, next);
      return next;
    });
  };
  const key = (event) => {
    if (event.isComposing) return;
    const to = {ArrowDown: at + 1, ArrowUp: at - 1}[event.key];
    if (choices.length && to !== undefined) setAt((to + choices.length) % choices.length);
    else if (choices.length && event.key === "Escape") setShut(true);
    else if (active && !event.shiftKey && (event.key === "Tab" || (event.key === "Enter" && !isWhole))) choose(active);
    else if (event.key === "Enter" && !event.shiftKey) submit();
    else return;
    event.preventDefault();
    event.stopPropagation();
  };
  const moved = (event) => setCaret(event.target.selectionStart);
  const used = state.commands.find(({command}) => text.startsWith(`${command} `) || text === command);
  const items = [{heading: "Shortcuts"}, ...shortcuts.map((one) => (
    {label: one.name, hint: one.description, act: () => onShortcut(one)}))];
  return html`<form class="composer" aria-label=${inThread ? "Compose a reply" : "Compose a message"} onSubmit=${submit}>
    ${choices.length > 0 && html`<div class="completions" role="listbox" id=${id} aria-label="Suggestions">
      ${choices.map((choice) => html`<div key=${choice.id} id="${id}-${choice.id.replace("/", "")}" role="option" class="choice"
        aria-selected=${choice === active ? "true" : "false"} onMouseDown=${(event) => { event.preventDefault(); choose(choice); }}>
        ${choice.draw}</div>`)}</div>`}
    ${error && html`<p class="trouble" role="alert">${error}</p>`}
    ${used && choices.length === 0 && !inThread && html`<p class="usage"><b>${used.command}</b> ${used.usage_hint}
      <span class="soft"> – ${used.description}</span></p>`}
    <div class="composer-box">
      <textarea ref=${area} rows="1" aria-label=${label} placeholder=${hint ?? label} value=${text} maxlength="12000"
        aria-autocomplete="list" aria-controls=${choices.length ? id : undefined} aria-haspopup="listbox"
        aria-activedescendant=${active ? `${id}-${active.id.replace("/", "")}` : undefined}
        onInput=${(event) => write(event.target.value, event.target.selectionStart)} onKeyUp=${moved} onClick=${moved} onKeyDown=${key}></textarea>
      <div class="composer-tools">
        ${shortcuts.length > 0 && html`<${Menu} label="Shortcuts" items=${items} className="round"><${Icon} name="bolt" />
          <span class="unseen">Shortcuts</span><//>`}
        <span class="grow"></span>
        <button type="submit" class="round send" aria-label="Send" title="Send" aria-disabled=${text.trim() ? "false" : "true"}>
          <${Icon} name="send" /></button>
      </div>
    </div>
    ${help && html`<p class="help">${help}</p>`}
  </form>`;
}
