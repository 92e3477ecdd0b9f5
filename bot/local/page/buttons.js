// What is pressed: buttons, links that look like them, the overflow menu, feedback.
import {html, useState} from "./vendor/htm-preact.js";
import {wordsOf} from "./mrkdwn.js";
import {Icon, Menu} from "./overlay.js";
import {useConfirm} from "./surface.js";

const STYLES = {primary: "primary", danger: "danger"};
const opensSafely = (url) => /^https?:/i.test(url ?? "");
const openElsewhere = (url) => open(url, "_blank", "noopener,noreferrer");

/** Press once at a time: a second click while the bot works would be a second press. */
function usePress({block, element, env}) {
  const [busy, setBusy] = useState(false);
  const press = async (value) => {
    if (busy) return;
    setBusy(true);
    await env.act.press(block.block_id, element.action_id, {value});
    setBusy(false);
  };
  return {busy, press};
}

export function Button({block, element, env}) {
  const {busy, press} = usePress({block, element, env});
  const {confirmed, dialog} = useConfirm(element.confirm, env);
  const className = `button small ${STYLES[element.style] ?? ""}`;
  const label = element.accessibility_label || undefined;
  // Slack opens the address and tells the bot of the press as well.
  if (opensSafely(element.url) && !element.confirm) {
    return html`<a class=${className} aria-label=${label} href=${element.url} target="_blank" rel="noopener noreferrer"
      onClick=${() => press(element.value)}>${wordsOf(element.text)}</a>`;
  }
  const act = () => {
    if (opensSafely(element.url)) openElsewhere(element.url);
    return press(element.value);
  };
  return html`<button type="button" class=${className} aria-label=${label} aria-busy=${busy ? "true" : undefined}
    onClick=${() => confirmed(act)}>${wordsOf(element.text)}</button>${dialog}`;
}

/** Workflows belong to Slack itself: nothing here could run one. */
export const WorkflowButton = ({element}) => html`<button type="button" class="button small ${STYLES[element.style] ?? ""}" aria-disabled="true"
  aria-label=${element.accessibility_label || undefined} title="Workflows run in Slack only">${wordsOf(element.text)}</button>`;

export function Overflow({block, element, env}) {
  const {press} = usePress({block, element, env});
  const {confirmed, dialog} = useConfirm(element.confirm, env);
  const items = element.options.map((option) => ({
    label: wordsOf(option.text), hint: wordsOf(option.description),
    act: () => confirmed(() => {
      if (opensSafely(option.url)) openElsewhere(option.url);
      return press(option.value);
    }),
  }));
  return html`<${Menu} label="More actions" className="round overflow" items=${items} />${dialog}`;
}

export function FeedbackButtons({block, element, env}) {
  const {press} = usePress({block, element, env});
  const [given, setGiven] = useState("");
  const one = (half, icon) => html`<button type="button" class="feedback" aria-label=${half.accessibility_label || undefined}
    aria-pressed=${given === icon ? "true" : "false"} onClick=${() => { setGiven(icon); press(half.value); }}>
    <${Icon} name=${icon} /><span>${wordsOf(half.text)}</span></button>`;
  return html`<div class="feedback-pair" role="group" aria-label="Feedback">
    ${one(element.positive_button, "up")}${one(element.negative_button, "thumb-down")}</div>`;
}

export function IconButton({block, element, env}) {
  const {press} = usePress({block, element, env});
  const {confirmed, dialog} = useConfirm(element.confirm, env);
  if (element.visible_to_user_ids && !element.visible_to_user_ids.includes(env.user)) return null;
  const words = wordsOf(element.text);
  return html`<button type="button" class="round" aria-label=${element.accessibility_label || words} title=${words}
    onClick=${() => confirmed(() => press(element.value))}><${Icon} name=${element.icon} /></button>${dialog}`;
}
