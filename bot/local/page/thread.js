// The right pane: one message and the replies to it.
import {html, useEffect, useMemo, useRef} from "./vendor/htm-preact.js";
import {Composer} from "./composer.js";
import {Messages} from "./conversation.js";
import {Icon} from "./overlay.js";

export function Thread({root, replies, place, user, people, channels, tz, todo, composer, onClose}) {
  const pane = useRef(null);
  const messages = useMemo(() => (root ? [root, ...replies] : replies), [root, replies]);
  useEffect(() => {
    // On a phone the keyboard would cover what is to be read.
    const box = matchMedia("(pointer: coarse)").matches ? null : pane.current.querySelector("textarea");
    (box ?? pane.current).focus({preventScroll: true});
  }, []);
  return html`<aside class="thread" aria-label="Thread" data-region tabindex="-1" ref=${pane}>
    <header class="head"><h2>Thread <small>${place}</small></h2>
      <button type="button" class="round" aria-label="Close thread" title="Close thread" onClick=${onClose}><${Icon} name="close" /></button></header>
    <${Messages} label="Thread" inThread=${true} ...${{messages, user, people, channels, tz, todo}} />
    ${root ? html`<${Composer} ...${composer} label="Reply in thread" hint="Reply…" />`
      : html`<p class="closed-composer">The message that this thread began with is gone.</p>`}
  </aside>`;
}
