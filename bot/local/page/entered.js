// What a person enters and presses in blocks: in a message, a modal or a Home tab.
import {useState} from "./vendor/htm-preact.js";
import {send, whatFailed} from "./connection.js";

// What a person enters stays with its surface, whichever conversation is looked at meanwhile, until it is sent.
const kept = new Map();
// The words of options that a bot offered while somebody typed: with what is kept, only the value is.
const offered = new Map();

const surfaceKey = (user, surface) => `${user} ${surface.view ?? `${surface.channel} ${surface.ts}`}`;

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
