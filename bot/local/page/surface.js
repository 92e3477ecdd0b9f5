// What every control in blocks needs: its value, its ids, the question before it acts.
import {html, useRef, useState} from "./vendor/htm-preact.js";
import {valueKey} from "./entered.js";
import {Text, wordsOf} from "./mrkdwn.js";
import {Dialog} from "./overlay.js";

let counted = 0;

/** Return ids of their own on the page, however often the same block is drawn. */
export function useId(name) {
  const id = useRef("");
  if (!id.current) id.current = `${name}-${counted += 1}`;
  return id.current;
}

/** Return the value that an element holds: what was entered, or else what it starts with. */
export function valueOf({block, element, env}) {
  const key = valueKey(element);
  const held = env.state?.[block.block_id]?.[element.action_id];
  return held && key in held ? held[key] : element[key.replace(/^(selected_|rich_text_)?/, "initial_")];
}

/**
 * Return how a choice is made: in an input block it is kept until the form is sent, unless the block asks to be told;
 * anywhere else the bot is told at once, after the question of `confirm`, which is drawn as `dialog`.
 */
export function useChoice({block, element, env}) {
  const {confirmed, dialog} = useConfirm(element.confirm, env);
  const told = block.type !== "input" || block.dispatch_action;
  const choose = (selected) => (told
    ? confirmed(() => env.act.press(block.block_id, element.action_id, {selected}))
    : env.act.enter(block.block_id, element.action_id, selected));
  return {choose, dialog, told};
}

/** Ask before something is done, where the bot wants that. */
export function useConfirm(confirm, env) {
  const [doing, setDoing] = useState(null);
  const confirmed = (what) => {
    if (!confirm) return what();
    setDoing(() => what);
    return undefined;
  };
  const answer = (yes) => {
    setDoing(null);
    if (yes) doing();
  };
  const dialog = doing && html`<${Dialog} label=${wordsOf(confirm.title)} className="confirm" onClose=${() => answer(false)}>
    <header class="modal-head"><h2>${wordsOf(confirm.title)}</h2></header>
    <div class="modal-body text"><${Text} of=${confirm.text} env=${env} /></div>
    <footer class="modal-foot"><button type="button" class="button" data-first onClick=${() => answer(false)}>${wordsOf(confirm.deny)}</button>
      <button type="button" class="button ${confirm.style === "danger" ? "danger" : "primary"}" onClick=${() => answer(true)}>
        ${wordsOf(confirm.confirm)}</button></footer>
  <//>`;
  return {confirmed, dialog};
}

/** What ties a control to the words around it; `field` comes from the input block, where there is one. */
export function labelled({element, field}, otherwise) {
  if (!field) return {"aria-label": wordsOf(element.placeholder) || otherwise};
  return {id: field.id, "aria-describedby": field.describedby, "aria-invalid": field.error ? "true" : undefined,
    "aria-required": field.optional ? undefined : "true"};
}
