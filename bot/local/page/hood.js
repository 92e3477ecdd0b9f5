// Under the hood: every request to the bot and from it, newest first.
import {Component, html, useEffect, useRef, useState} from "./vendor/htm-preact.js";
import {Icon} from "./overlay.js";
import {secondsOf} from "./people.js";

const SHOWN = 200;
const POINTER = /^(?:\[ERROR\]\s*)?(.*?)(?:\s*\[json-pointer:([^\]]*)\])?$/s;

const written = (body) => (typeof body === "string" ? body : JSON.stringify(body, null, 2));
const isEmpty = (body) => body === null || body === undefined || body === "" ||
  (typeof body === "object" && Object.keys(body).length === 0);

function Part({title, body}) {
  if (isEmpty(body)) return html`<h3>${title}</h3><p class="soft">nothing</p>`;
  return html`<h3>${title}</h3><pre tabindex="0" role="group" aria-label=${title}>${written(body)}</pre>`;
}

function Refusal({line}) {
  const [, rule, pointer] = POINTER.exec(line);
  return html`<li>${rule}${pointer !== undefined && html` at <code>${pointer || "/"}</code>`}</li>`;
}

/** One request. What is inside is written only when it is opened. */
class Entry extends Component {
  state = {open: false};

  shouldComponentUpdate(next, state) {
    return next.trace !== this.props.trace || next.tz !== this.props.tz || state.open !== this.state.open;
  }

  render({trace, tz}, {open}) {
    const toBot = trace.way === "to the bot";
    const failed = trace.error || trace.status >= 400;
    return html`<li class="trace ${failed ? "failed" : ""}"><details open=${open} onToggle=${(event) => this.setState({open: event.target.open})}>
      <summary><span class="way ${toBot ? "in" : "out"}" aria-hidden="true">${toBot ? "→" : "←"}</span>
        <span class="unseen">${trace.way}: </span><b>${trace.name}</b>
        ${trace.retry > 0 && html`<span class="mark">retry ${trace.retry}</span>`}
        <span class="numbers">${trace.status || "–"} · ${trace.milliseconds} ms</span>
        ${failed && html`<span class="failure"><b>${trace.error || `HTTP ${trace.status}`}</b>
          <ul>${(trace.messages ?? []).map((line) => html`<${Refusal} line=${line} />`)}</ul></span>`}</summary>
      ${open && html`<div class="inside"><p class="soft">${secondsOf(trace.at, tz)} · ${toBot ? "Slack → bot" : "bot → Slack"}</p>
        ${toBot && html`<${Part} title="Headers" body=${trace.headers} />`}
        <${Part} title="Sent" body=${trace.sent} /><${Part} title="Answer" body=${trace.answer} /></div>`}
    </details></li>`;
  }
}

const searched = new WeakMap();

/** Return the words of a trace to look in; made once. */
function wordsOf(trace) {
  if (!searched.has(trace)) searched.set(trace, JSON.stringify(trace).toLowerCase());
  return searched.get(trace);
}

export function Hood({trace, tz, cleared, onClear, onClose}) {
  const [filter, setFilter] = useState("");
  const pane = useRef(null);
  useEffect(() => pane.current.focus({preventScroll: true}), []);
  const wanted = filter.trim().toLowerCase();
  const all = trace.filter((one) => one.at > cleared);
  const found = all.filter((one) => !wanted || wordsOf(one).includes(wanted)).sort((a, b) => b.at - a.at).slice(0, SHOWN);
  return html`<aside class="hood" aria-label="Under the hood" data-region tabindex="-1" ref=${pane}>
    <header class="head"><h2>Under the hood</h2>
      <button type="button" class="round" aria-label="Close under the hood" title="Close" onClick=${onClose}><${Icon} name="close" /></button></header>
    <div class="hood-tools">
      <input class="field" type="search" aria-label="Filter requests" placeholder="Filter: a name, an error, any text"
        value=${filter} onInput=${(event) => setFilter(event.target.value)} />
      <button type="button" class="button" onClick=${onClear}>Clear view</button>
    </div>
    <p class="soft legend"><span class="way in" aria-hidden="true">→</span> to the bot · <span class="way out" aria-hidden="true">←</span> from the bot</p>
    <div class="hood-list" tabindex="0" role="group" aria-label="Requests">
      ${found.length ? html`<ul>${found.map((one) => html`<${Entry} key=${one.id} trace=${one} tz=${tz} />`)}</ul>`
        : html`<p class="nothing">${all.length ? "No request holds this text." : "Nothing yet. Type a command, and watch what goes to the bot and what comes back."}</p>`}
    </div>
  </aside>`;
}
