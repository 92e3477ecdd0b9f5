// What is entered without a list of its own: texts, numbers, dates, boxes to tick, one of several.
import {html, useEffect, useLayoutEffect, useRef, useState} from "./vendor/htm-preact.js";
import {momentOf, wallTime} from "./dates.js";
import {Text, wordsOf} from "./mrkdwn.js";
import {richWords} from "./rich_text.js";
import {labelled, useChoice, useId, valueOf} from "./surface.js";

const TEXTS = {
  email_text_input: {type: "email", inputmode: "email", autocomplete: "off"}, url_text_input: {type: "url", inputmode: "url"},
};
/** From here on the letters that are left are counted. */
const NEAR_LIMIT = 40;

const asText = (value) => (value && typeof value === "object" ? richWords(value) : value ?? "");

export function TextField({block, element, env, field}) {
  const value = asText(valueOf({block, element, env}));
  const area = useRef(null);
  const count = useId("count");
  const long = element.multiline || element.type === "rich_text_input";
  useLayoutEffect(() => {
    if (!long) return;
    area.current.style.height = "auto";
    // While its dialog is not open yet, it has no height to measure: its rows decide.
    if (area.current.scrollHeight) area.current.style.height = `${area.current.scrollHeight + 2}px`;
  }, [value]);
  const triggers = block.dispatch_action ? element.dispatch_action_config?.trigger_actions_on ?? ["on_enter_pressed"] : [];
  const tell = (selected) => env.act.press(block.block_id, element.action_id, {selected});
  const write = (event) => {
    env.act.enter(block.block_id, element.action_id, event.target.value);
    if (triggers.includes("on_character_entered")) tell(event.target.value);
  };
  const key = (event) => {
    if (event.key !== "Enter" || event.isComposing || !triggers.includes("on_enter_pressed") || (long && event.shiftKey)) return;
    // Enter tells the bot; it does not send the form as well.
    event.preventDefault();
    tell(event.target.value);
  };
  const numeric = element.type === "number_input" && {inputmode: element.is_decimal_allowed ? "decimal" : "numeric"};
  const left = element.max_length === undefined ? null : element.max_length - value.length;
  const counts = left !== null && left < NEAR_LIMIT;
  const attributes = {
    ...labelled({element, field}, "Text"), ...TEXTS[element.type], ...numeric, class: "field", value, placeholder: wordsOf(element.placeholder),
    "data-focus": element.focus_on_load ? "" : undefined, onInput: write, onKeyDown: key,
  };
  if (counts) attributes["aria-describedby"] = [attributes["aria-describedby"], count].filter(Boolean).join(" ");
  return html`${long ? html`<textarea ref=${area} rows="3" ...${attributes}></textarea>`
    : html`<input type="text" autocomplete="off" ...${attributes} />`}
    ${counts && html`<span id=${count} class="count-left ${left < 0 ? "over" : ""}">${left}<span class="unseen"> letters left</span></span>`}`;
}

/** While a date is typed it is complete several times before it is meant. */
const TYPING_MILLISECONDS = 900;
const PICKERS = {datepicker: ["date", "Date"], timepicker: ["time", "Time"], datetimepicker: ["datetime-local", "Date and time"]};

export function Picker({block, element, env, field}) {
  const [type, name] = PICKERS[element.type];
  const tz = env.people.get(env.user)?.tz ?? "UTC";
  const both = element.type === "datetimepicker";
  const held = valueOf({block, element, env}) ?? "";
  const value = both && held !== "" ? wallTime(held, tz) : held;
  const [typed, setTyped] = useState(null);
  const timer = useRef(0);
  const {choose, dialog, told} = useChoice({block, element, env});
  const zone = useId("zone");
  useEffect(() => () => clearTimeout(timer.current), []);
  const commit = (next) => {
    clearTimeout(timer.current);
    setTyped(null);
    if (next !== value) choose(next === "" ? null : both ? String(momentOf(next, tz)) : next);
  };
  const change = (event) => {
    const next = event.target.value;
    if (!told) return commit(next);
    setTyped(next);
    clearTimeout(timer.current);
    timer.current = setTimeout(() => commit(next), TYPING_MILLISECONDS);
    return undefined;
  };
  const shown = labelled({element, field}, name);
  return html`<input class="field picker" type=${type} ...${shown} value=${typed ?? value} title=${wordsOf(element.placeholder) || undefined}
    aria-describedby=${[shown["aria-describedby"], element.timezone && zone].filter(Boolean).join(" ") || undefined}
    data-focus=${element.focus_on_load ? "" : undefined} onInput=${change} onBlur=${() => typed !== null && commit(typed)} />
    ${element.timezone && html`<span id=${zone} class="soft zone">${element.timezone.replaceAll("_", " ")}</span>`}${dialog}`;
}

/** Checkboxes and radio buttons; in an input block the label is the legend around them. */
export function Options({block, element, env, field}) {
  const many = element.type === "checkboxes";
  const name = useId("option");
  const {choose, dialog} = useChoice({block, element, env});
  const held = valueOf({block, element, env});
  const chosen = (many ? held ?? [] : [held]).filter(Boolean).map((option) => option.value);
  const change = (value, on) => {
    if (!many) return choose(value);
    return choose(element.options.map((option) => option.value).filter((one) => (one === value ? on : chosen.includes(one))));
  };
  const wrong = field?.error ? "true" : undefined;
  const group = field ? {} : {role: many ? "group" : "radiogroup", "aria-label": "Options"};
  const set = (event, value) => {
    const {checked} = event.target;
    // What waits for a question must not look as if it was answered already.
    const boxes = element.confirm ? event.target.closest(".options").querySelectorAll("input") : [];
    for (const box of boxes) box.checked = chosen.includes(box.value);
    change(value, checked);
  };
  return html`<div class="options" ...${group}>${element.options.map((option, at) => html`<label class="option" key=${option.value}>
    <input type=${many ? "checkbox" : "radio"} name=${name} value=${option.value} checked=${chosen.includes(option.value)}
      aria-invalid=${many ? wrong : undefined} aria-describedby=${field?.describedby}
      data-focus=${element.focus_on_load && at === 0 ? "" : undefined} onChange=${(event) => set(event, option.value)} />
    <span><span class="text"><${Text} of=${option.text} env=${env} /></span>
      ${option.description && html`<small class="text"><${Text} of=${option.description} env=${env} /></small>`}</span></label>`)}</div>${dialog}`;
}

/** Files stay where they are: nothing is uploaded here. */
export const FileField = ({element, field}) => html`<button type="button" class="button" ...${labelled({element, field}, "Files")} aria-required=${undefined}
  aria-invalid=${undefined} aria-disabled="true">Files cannot be added here${element.filetypes ? ` (${element.filetypes.join(", ")})` : ""}</button>`;
