// The app's own place: its Home tab, drawn from what the bot publishes.
import {html, useEffect, useState} from "./vendor/htm-preact.js";
import {SafeBlocks} from "./blocks.js";
import {send} from "./connection.js";
import {useSurface} from "./entered.js";

const PATIENCE_MILLISECONDS = 10_000;

export function Tabs({tab, onTab}) {
  const key = (event) => {
    if (event.key !== "ArrowLeft" && event.key !== "ArrowRight") return;
    const other = tab === "home" ? "messages" : "home";
    event.currentTarget.querySelector(`#tab-${other}`).focus();
    onTab(other);
  };
  const one = (name, label) => html`<button type="button" role="tab" id="tab-${name}" aria-selected=${tab === name ? "true" : "false"}
    aria-controls=${tab === name ? "tab-panel" : undefined} tabindex=${tab === name ? "0" : "-1"} onClick=${() => onTab(name)}>${label}</button>`;
  return html`<div class="tabs" role="tablist" aria-label="App" onKeyDown=${key}>${one("home", "Home")}${one("messages", "Messages")}</div>`;
}

/** Ask the bot for the Home tab each time it is opened, as Slack does; meanwhile the one before is shown. */
export function Home({view, user, people, channels, mention, generation, hood}) {
  const [late, setLate] = useState(false);
  const [asked, setAsked] = useState(0);
  const [error, setError] = useState("");
  useEffect(() => {
    setLate(false);
    const timer = setTimeout(() => setLate(true), PATIENCE_MILLISECONDS);
    send("home", {user, tab: "home"}).then((answer) => setError(answer.error ?? ""));
    return () => clearTimeout(timer);
  }, [user, generation, asked]);
  const again = html`<p><button type="button" class="button" onClick=${() => setAsked(asked + 1)}>Ask again</button>
    <button type="button" class="link" onClick=${hood}>See what was sent</button></p>`;
  return html`<div class="home" role="tabpanel" id="tab-panel" aria-labelledby="tab-home" tabindex="0"
    aria-busy=${view || late ? "false" : "true"}>
    ${error && html`<p class="trouble" role="alert">${error}</p>`}
    ${view ? html`<${HomeView} key=${`${user} ${view.id}`} ...${{view, user, people, channels, mention, hood}} />`
      : late ? html`<div class="beginning"><h2>No Home tab yet</h2><p>The bot has published none for you.</p>${again}</div>`
      : html`<p class="loading" role="status"><span class="spinner" aria-hidden="true"></span> Loading…</p>`}
  </div>`;
}

function HomeView({view, user, people, channels, mention, hood}) {
  const {state, act, error} = useSurface({
    user, surface: {view: view.id}, blocks: view.blocks, values: view.state?.values ?? {}, mention,
  });
  return html`<div class="home-inside">
    ${error && html`<p class="trouble" role="alert"><span>${error}.</span>
      <button type="button" class="link" onClick=${hood}>See what was sent</button></p>`}
    <${SafeBlocks} blocks=${view.blocks} surface="home" ...${{state, act, people, channels, user}} errors=${{}} /></div>`;
}
