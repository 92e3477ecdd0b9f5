// What opens over the page (dialogs, menus, modals), and what a person enters and presses in blocks.
import {html, useEffect, useErrorBoundary, useLayoutEffect, useRef, useState} from "./vendor/htm-preact.js";
import {Blocks} from "./blocks.js";
import {send, whatFailed} from "./connection.js";
import {wordsOf} from "./mrkdwn.js";

/** A native dialog: the browser keeps the focus inside, and gives it back at the end. */
export function Dialog({label, className = "", onClose, children}) {
  const dialog = useRef(null);
  const leave = useRef(onClose);
  leave.current = onClose;
  useLayoutEffect(() => {
    const shown = dialog.current;
    const closed = () => leave.current();
    const cancelled = (event) => {
      if (event.target !== shown) return;
      // Whoever asked for the dialog takes it away; it does not go by itself.
      event.preventDefault();
      leave.current();
    };
    shown.addEventListener("cancel", cancelled);
    shown.addEventListener("close", closed);
    shown.showModal();
    (shown.querySelector("[data-first]") ?? shown).focus();
    return () => {
      shown.removeEventListener("close", closed);
      shown.close();
    };
  }, []);
  const outside = (event) => event.target === dialog.current && leave.current();
  return html`<dialog ref=${dialog} class="dialog ${className}" aria-label=${label} onMouseDown=${outside}>
    <div class="dialog-inside">${children}</div></dialog>`;
}

/** Below this part of the window's height a menu opens upwards. */
const LOW = 0.6;

/** A button with a menu of things to do: `items` are {label, hint, act, checked} or {heading}; it opens where room is. */
export function Menu({label, className = "", children, items, side = ""}) {
  const [open, setOpen] = useState(false);
  const [sides, setSides] = useState("");
  const place = useRef(null);
  const button = () => place.current.querySelector("button");
  const options = () => [...place.current.querySelectorAll('[role^="menuitem"]')];
  useEffect(() => {
    if (!open) return undefined;
    options()[0]?.focus();
    const outside = (event) => place.current.contains(event.target) || setOpen(false);
    document.addEventListener("pointerdown", outside);
    return () => document.removeEventListener("pointerdown", outside);
  }, [open]);
  const close = () => {
    setOpen(false);
    button().focus();
  };
  const key = (event) => {
    if (!open) return;
    const all = options();
    const at = all.indexOf(document.activeElement);
    const to = {ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: all.length - 1}[event.key];
    if (to !== undefined) all[(to + all.length) % all.length].focus();
    else if (event.key === "Escape") close();
    else if (event.key === "Tab") setOpen(false);
    if (to !== undefined || event.key === "Escape") {
      event.preventDefault();
      event.stopPropagation();
    }
  };
  const choose = (item) => {
    close();
    item.act();
  };
  const toggle = () => {
    const {bottom, left} = button().getBoundingClientRect();
    setSides(`${bottom > innerHeight * LOW ? "up" : ""} ${left > innerWidth / 2 ? "left" : ""}`);
    setOpen(!open);
  };
  return html`<div class="menu-place" ref=${place} onKeyDown=${key}>
    <button type="button" class=${className} aria-label=${children ? undefined : label} title=${children ? undefined : label}
      aria-haspopup="menu" aria-expanded=${open ? "true" : "false"} onClick=${toggle}>
      ${children ?? html`<${Icon} name="more" />`}</button>
    ${open && html`<div class="menu ${side} ${sides}" role="menu" aria-label=${label}>${items.map((item) => item.heading
      ? html`<div class="menu-heading" role="presentation">${item.heading}</div>`
      : html`<button type="button" tabindex="-1" role=${item.checked === undefined ? "menuitem" : "menuitemradio"}
          aria-checked=${item.checked} onClick=${() => choose(item)}>${item.label}
          ${item.hint && html`<small>${item.hint}</small>`}</button>`)}</div>`}
  </div>`;
}

export const Icon = ({name}) => html`<span class="icon icon-${name}" aria-hidden="true"></span>`;

// What a person enters stays with its surface, whichever conversation is looked at meanwhile, until it is sent.
const kept = new Map();
// The words of options that a bot offered while somebody typed: with what is kept, only the value is.
const offered = new Map();

export const surfaceKey = (user, surface) => `${user} ${surface.view ?? `${surface.channel} ${surface.ts}`}`;

/** Give `Blocks` its values and its actions: for a message, a modal or a Home tab. */
export function useSurface({user, surface, blocks, values, mention}) {
  const [, redraw] = useState(0);
  const [error, setError] = useState("");
  const key = surfaceKey(user, surface);
  const fields = new Map(fieldsOf(blocks));
  const entered = () => Object.fromEntries([...(kept.get(key) ?? [])].filter(([at]) => fields.has(at)));
  const state = {...values};
  for (const [at, selected] of Object.entries(entered())) {
    const {block_id, element} = fields.get(at);
    state[block_id] = {...state[block_id], [element.action_id]: asState(element, selected)};
  }
  const enter = (block_id, action_id, selected) => {
    kept.set(key, new Map(kept.get(key)).set(`${block_id}/${action_id}`, selected ?? null));
    redraw((times) => times + 1);
  };
  const act = {
    mention, enter,
    async press(block_id, action_id, {value, selected} = {}) {
      const field = fields.get(`${block_id}/${action_id}`);
      if (selected !== undefined && field && valueKey(field.element)) enter(block_id, action_id, selected);
      setError("");
      const body = {user, surface, block_id, action_id, entered: entered()};
      if (value !== undefined && value !== null) body.value = String(value);
      if (selected !== undefined && selected !== null) body.selected = selected;
      const answer = await send("press", body);
      setError(whatFailed("This", answer.error));
    },
    async suggest(action_id, typed) {
      const {options = [], option_groups: groups} = await send("suggest", {user, surface, action_id, typed});
      for (const option of groups?.flatMap((group) => group.options) ?? options) offered.set(option.value, option);
      return {options, option_groups: groups};
    },
  };
  return {state, act, error, entered};
}

/** Yield ["block_id/action_id", {block_id, element}] of every element that keeps a value. */
function* fieldsOf(blocks) {
  for (const block of blocks) {
    const inside = block.type === "carousel" ? block.elements : block.child_blocks;
    if (inside) yield* fieldsOf(inside);
    const elements = [block.element, block.accessory, ...(block.type === "carousel" ? [] : block.elements ?? [])];
    for (const element of elements) {
      if (element?.action_id && valueKey(element)) {
        yield [`${block.block_id}/${element.action_id}`, {block_id: block.block_id, element}];
      }
    }
  }
}

/** Name the key under which Slack keeps an element's value; undefined for what keeps none, such as a button. */
export function valueKey({type}) {
  const many = type.startsWith("multi_") ? "s" : "";
  const kind = type.replace(/^multi_/, "").replace(/_select$/, "");
  if (kind === "rich_text_input") return "rich_text_value";
  if (kind.endsWith("_input") && kind !== "file_input") return "value";
  if (kind === "checkboxes") return "selected_options";
  if (["static", "external", "radio_buttons"].includes(kind)) return `selected_option${many}`;
  if (["users", "channels", "conversations"].includes(kind)) return `selected_${kind.slice(0, -1)}${many}`;
  return {datepicker: "selected_date", timepicker: "selected_time", datetimepicker: "selected_date_time"}[kind];
}

function asState(element, selected) {
  const key = valueKey(element);
  const options = [...(element.options ?? []), ...(element.option_groups ?? []).flatMap((group) => group.options)];
  const initial = [element.initial_option, ...(element.initial_options ?? [])];
  const known = [...options, ...initial].filter(Boolean);
  const option = (value) => known.find((one) => one.value === value) ?? offered.get(value) ??
    {text: {type: "plain_text", text: value}, value};
  let value = selected;
  if (key === "selected_options") value = (selected ?? []).map(option);
  else if (key === "selected_option") value = selected === null ? null : option(selected);
  else if (key === "selected_date_time" && selected !== null) value = Number(selected);
  else if (key === "rich_text_value" && selected !== null) {
    const elements = [{type: "text", text: selected}];
    value = {type: "rich_text", elements: [{type: "rich_text_section", elements}]};
  }
  return {type: element.type, [key]: value};
}

/** Draw blocks; what cannot be drawn takes nothing else of the page with it. */
export function SafeBlocks(props) {
  const [failure] = useErrorBoundary();
  if (failure) return html`<p class="cannot-draw">These blocks cannot be drawn: ${failure.message}</p>`;
  return html`<${Blocks} ...${props} />`;
}

const words = (text, otherwise) => wordsOf(text) || otherwise;

/** The modals of a person: the topmost view is drawn, Back leads to the one below. */
export function Modals({views, user, people, channels, mention, showHood}) {
  const view = views[views.length - 1];
  const stacked = views.length > 1;
  const leave = (everything) => send("close", {user, view: view.id, everything});
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
