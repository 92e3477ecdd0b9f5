// First steps: a card that proposes what to try, and ticks what was done.
import {html, useEffect, useState} from "./vendor/htm-preact.js";
import {Icon} from "./overlay.js";

/** Read from the browser's storage; a browser that has none, or forbids it, just forgets. */
export function recall(name, otherwise) {
  try {
    return JSON.parse(localStorage.getItem(`genai-roles.${name}`)) ?? otherwise;
  } catch {
    return otherwise;
  }
}

export function keep(name, value) {
  try {
    localStorage.setItem(`genai-roles.${name}`, JSON.stringify(value));
  } catch {
    // Forgotten at the next visit, and that is all.
  }
}

/** What is done stays done over restarts of the server; a reset begins anew. */
export function useSteps(state) {
  const [done, setDone] = useState(() => recall("steps.done", []));
  const [hidden, setHidden] = useState(() => recall("steps.hidden", false));
  const fresh = [...state.done].filter((id) => !done.includes(id));
  const now = fresh.length ? [...done, ...fresh] : done;
  useEffect(() => {
    if (fresh.length) setDone(now);
  }, [state.done]);
  useEffect(() => keep("steps.done", done), [done]);
  useEffect(() => keep("steps.hidden", hidden), [hidden]);
  const reset = () => {
    setDone([]);
    setHidden(false);
  };
  return {done: now, hidden, setHidden, reset};
}

export function Steps({steps, done, onShow, onHide, brief = false}) {
  const [open, setOpen] = useState(!brief);
  if (!steps.length) return null;
  const isDone = (step) => done.includes(step.id);
  const count = steps.filter(isDone).length;
  const next = steps.find((step) => !isDone(step));
  const one = (step, isNext) => html`<li key=${step.id} class=${isDone(step) ? "done" : ""}>
    <span class="box" role="img" aria-label=${isDone(step) ? "Done" : "To do"}>${isDone(step) && html`<${Icon} name="check" />`}</span>
    <b>${step.title}</b>
    ${!isDone(step) && html`<button type="button" class="button small ${isNext ? "primary" : ""}" aria-label="Show me: ${step.title}"
      onClick=${() => onShow(step)}>Show me</button>`}${isNext && open && html`<p>${step.hint}</p>`}</li>`;
  return html`<section class="steps ${brief ? "brief" : ""}" aria-label="First steps">
    <header><h2>${brief ? html`<button type="button" class="fold" aria-expanded=${open ? "true" : "false"} onClick=${() => setOpen(!open)}>First steps</button>`
      : "First steps"}</h2>
      <span class="progress-words">${count}/${steps.length}</span>
      <button type="button" class="round" aria-label="Dismiss first steps" title="Dismiss" onClick=${onHide}><${Icon} name="close" /></button>
      <progress max=${steps.length} value=${count} aria-label="First steps done"></progress></header>
    ${open && html`<ol>${steps.map((step) => one(step, step === next))}</ol>`}
    ${!open && next && html`<ol>${one(next, true)}</ol>`}
    ${open && !next && html`<p class="all-done">All done. Try the Home tab, or a message's ⋯ menu.</p>`}
  </section>`;
}
