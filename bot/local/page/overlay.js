// What opens over the page: dialogs and menus, and the icons on them.
import {html, useEffect, useLayoutEffect, useRef, useState} from "./vendor/htm-preact.js";

/** A native dialog: the browser keeps the focus inside, and gives it back at the end. */
export function Dialog({label, className = "", onClose, children}) {
  const dialog = useRef(null);
  const leave = useRef(onClose);
  leave.current = onClose;
  useLayoutEffect(() => {
    const shown = dialog.current;
    let told = false;
    const cancelled = (event) => {
      if (event.target !== shown) return;
      // Whoever asked for the dialog takes it away; it does not go by itself.
      event.preventDefault();
      told = !event.cancelable;
      leave.current();
    };
    // A browser closes it all the same where Escape is pressed a second time and nothing else in between.
    const closed = () => {
      if (!told) leave.current();
      told = false;
      shown.showModal();
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
