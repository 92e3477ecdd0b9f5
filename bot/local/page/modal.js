// Modals: the forms that the bot opens for a person, one on top of the other.
import {html, useEffect, useRef, useState} from "./vendor/htm-preact.js";
import {SafeBlocks} from "./blocks.js";
import {send, whatFailed} from "./connection.js";
import {useSurface} from "./entered.js";
import {wordsOf} from "./mrkdwn.js";
import {Dialog, Icon} from "./overlay.js";

const words = (text, otherwise) => wordsOf(text) || otherwise;

/** The modals of a person: the topmost view is drawn, Back leads to the one below. */
export function Modals({views, user, people, channels, mention, showHood}) {
  const view = views[views.length - 1];
  const stacked = views.length > 1;
  // Escape may be pressed again before the workspace has said that a form is closed: then it is for the one below.
  const left = useRef(new Set());
  const leave = async (everything) => {
    const open = views.map(({id}) => id).filter((id) => !left.current.has(id));
    if (!open.length) return;
    const closing = everything ? open : open.slice(-1);
    closing.forEach((id) => left.current.add(id));
    const {refused} = await send("close", {user, view: closing[closing.length - 1], everything});
    if (refused) closing.forEach((id) => left.current.delete(id));
  };
  return html`<${Dialog} label=${words(view.title, "Form")} className="modal" onClose=${() => leave(false)}>
    <${ModalView} key=${view.id} ...${{view, stacked, user, people, channels, mention, leave, showHood}} />
  <//>`;
}

function ModalView({view, stacked, user, people, channels, mention, leave, showHood}) {
  const {state, act, error, entered} = useSurface({
    user, surface: {view: view.id}, blocks: view.blocks, values: view.state?.values ?? {}, mention,
  });
  const [answer, setAnswer] = useState({errors: {}, error: ""});
  const [busy, setBusy] = useState(false);
  const form = useRef(null);
  useEffect(() => {
    const asked = form.current.querySelector("[data-focus]");
    const first = asked ?? form.current.querySelector(".modal-body :is(input, textarea, select, [role=combobox]):not([disabled])");
    (first ?? form.current.querySelector(".modal-foot button") ?? form.current).focus();
  }, []);
  useEffect(() => {
    if (Object.keys(answer.errors).length) form.current.querySelector('[aria-invalid="true"]')?.focus();
  }, [answer]);
  useEffect(() => setAnswer({errors: {}, error: ""}), [view.hash]);
  const submit = async (event) => {
    event.preventDefault();
    if (busy || !view.submit) return;
    setBusy(true);
    const said = await send("submit", {user, view: view.id, values: entered()});
    setBusy(false);
    setAnswer({errors: said.errors ?? {}, error: whatFailed("Submitting", said.error)});
  };
  const trouble = answer.error || error;
  return html`<form ref=${form} class="modal-form" onSubmit=${submit} novalidate aria-busy=${busy ? "true" : "false"}>
    <header class="modal-head">
      ${stacked && html`<button type="button" class="round" aria-label="Back" title="Back" onClick=${() => leave(false)}>
        <${Icon} name="back" /></button>`}
      <h2>${words(view.title, "Form")}</h2>
      <button type="button" class="round" aria-label="Close" title="Close" onClick=${() => leave(true)}>
        <${Icon} name="close" /></button>
    </header>
    <div class="modal-body">
      ${trouble && html`<div class="trouble" role="alert"><span>${trouble}.</span>
        <button type="button" class="link" onClick=${() => { leave(true); showHood(); }}>See what was sent</button></div>`}
      <${SafeBlocks} blocks=${view.blocks} surface="modal" ...${{state, act, people, channels, user}} errors=${answer.errors} />
    </div>
    <footer class="modal-foot">
      <button type="button" class="button" onClick=${() => leave(false)}>${words(view.close, stacked ? "Back" : "Close")}</button>
      ${view.submit && html`<button type="submit" class="button primary" aria-disabled=${busy ? "true" : "false"}>
        ${busy && html`<span class="spinner" aria-hidden="true"></span>`}${words(view.submit, "Submit")}</button>`}
    </footer>
  </form>`;
}
