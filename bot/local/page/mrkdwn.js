// Slack's mrkdwn, drawn as elements: never as HTML, whatever a text holds.
import {html} from "./vendor/htm-preact.js";
import {slackDate} from "./dates.js";
import {withEmoji} from "./emoji.js";

const ESCAPES = {"&amp;": "&", "&lt;": "<", "&gt;": ">"};
const unescape = (text) => text.replace(/&(?:amp|lt|gt);/g, (sign) => ESCAPES[sign]);

/** Return the characters behind Slack's escapes, and with `emoji` behind the names of emoji. */
export const plain = (text, emoji = false) => (emoji ? withEmoji(unescape(text)) : unescape(text));

/** Return the words of a text object that is drawn as text alone: in a label, an option, a placeholder. */
export const wordsOf = (text) => (text ? plain(text.text ?? "", text.emoji !== false) : "");

const OPENS = /^(https?:|mailto:|tel:|slack:)/i;

/** A link to somewhere else; an address that could do anything but lead there stays text. */
export function Link({href, children, className}) {
  if (!OPENS.test(href)) return html`<span class=${className}>${children}</span>`;
  return html`<a class="to ${className ?? ""}" href=${href} target="_blank" rel="noopener noreferrer">${children}</a>`;
}

/** A mention of a member; pressing it opens their profile. */
export function UserMention({id, words, people, mention, user}) {
  const name = people?.get(id)?.name ?? (words || id);
  const own = id === user ? "mention own" : "mention";
  return mention && people?.has(id)
    ? html`<button type="button" class=${own} onClick=${() => mention(id)}>@${name}</button>`
    : html`<span class=${own}>@${name}</span>`;
}

/** A mention of a channel; app.js goes there, as it does with links to profiles. */
export function ChannelMention({id, words, channels}) {
  const known = channels?.get(id);
  if (!known || known.dm_with) return html`<span class="mention">#${(known ? "directmessage" : words) || "private channel"}</span>`;
  return html`<button type="button" class="mention" data-channel=${id}>#${known.name}</button>`;
}

export const Broadcast = ({range}) => html`<span class="mention broadcast">@${range}</span>`;

/** What stands between < and >. */
function angled(inside, env) {
  const bar = inside.indexOf("|");
  const target = bar < 0 ? inside : inside.slice(0, bar);
  const words = bar < 0 ? "" : plain(inside.slice(bar + 1), true);
  if (/^@[UWB]\w+$/.test(target)) return html`<${UserMention} id=${target.slice(1)} words=${words} ...${env} />`;
  if (/^#[CGD]\w+$/.test(target)) return html`<${ChannelMention} id=${target.slice(1)} words=${words} ...${env} />`;
  if (target.startsWith("!date^")) {
    const [, seconds, pattern = "", address] = target.split("^");
    const written = slackDate(Number(seconds), plain(pattern), env.people?.get(env.user)?.tz) ?? words;
    return address ? html`<${Link} href=${unescape(address)}>${written}<//>` : html`<span class="date">${written}</span>`;
  }
  if (target.startsWith("!subteam^")) return html`<span class="mention">${words || "@group"}</span>`;
  if (target.startsWith("!")) return html`<${Broadcast} range=${(words || target.slice(1)).replace(/^@/, "")} />`;
  const address = unescape(target);
  return html`<${Link} href=${address}>${words || address.replace(/^mailto:/, "")}<//>`;
}

// Inside a line. A style begins where no letter stands before it, and ends where none follows.
const BEFORE = "(?<![\\p{L}\\p{N}_*~`])";
const AFTER = "(?![\\p{L}\\p{N}_*~`])";
const style = (name, sign) => `${BEFORE}${sign}(?<${name}>(?! )[^${sign}\\n]*[^${sign}\\n ])${sign}${AFTER}`;
const MARKS = ["`(?<code>[^`\\n]+)`", "<(?<angle>[^<>\\n]+)>", style("bold", "\\*"), style("italic", "_"), style("strike", "~")];
// Only where the text is not verbatim: addresses and channels become links by themselves.
const BARE = ["(?<url>https?:\\/\\/[^\\s<>|]*[^\\s<>|.,;:!?'\")\\]*_~])", `${BEFORE}#(?<channel>[\\p{L}\\p{N}_-]+)`];
const VERBATIM = new RegExp(MARKS.join("|"), "gu");
const PARSED = new RegExp([...MARKS, ...BARE].join("|"), "gu");
const TAGS = {bold: "b", italic: "i", strike: "s"};

function inline(text, env) {
  const drawn = [];
  let at = 0;
  for (const match of text.matchAll(env.verbatim ? VERBATIM : PARSED)) {
    const [kind, inside] = Object.entries(match.groups).find(([, found]) => found !== undefined);
    drawn.push(plain(text.slice(at, match.index), true));
    at = match.index + match[0].length;
    if (kind === "code") drawn.push(html`<code>${code(inside, env)}</code>`);
    else if (kind === "angle") drawn.push(angled(inside, env));
    else if (kind === "url") drawn.push(html`<${Link} href=${unescape(inside)}>${unescape(inside)}<//>`);
    else if (kind === "channel") {
      const known = [...(env.channels?.values() ?? [])].find((channel) => channel.name === inside && !channel.dm_with);
      drawn.push(known ? html`<${ChannelMention} id=${known.id} channels=${env.channels} />` : match[0]);
    } else drawn.push(html`<${TAGS[kind]}>${inline(inside, env)}<//>`);
  }
  return [...drawn, plain(text.slice(at), true)];
}

/** Links work inside of code, nothing else does. */
const code = (text, env) => text.split(/(<[^<>\n]+>)/).map((part, at) => (at % 2 ? angled(part.slice(1, -1), env) : plain(part)));

const QUOTED = /^(?:&gt;|>) ?/;
const ALL_QUOTED = /^(?:&gt;|>){3}\s?/;

/** Lines: those that begin with > stand together as a quote, after >>> all that follow do. */
function lines(text, env) {
  const drawn = [];
  let open = null;
  const all = text.split("\n");
  for (let at = 0; at < all.length; at += 1) {
    const whole = ALL_QUOTED.test(all[at]);
    const quote = whole || QUOTED.test(all[at]);
    const line = whole ? [all[at].replace(ALL_QUOTED, ""), ...all.slice(at + 1)].join("\n") : all[at].replace(quote ? QUOTED : /^/, "");
    if (open && open.quote === quote && !whole) open.lines.push(line);
    else drawn.push(open = {quote, lines: [line]});
    if (whole) break;
  }
  return drawn.map(({quote, lines: own}) => (quote ? html`<blockquote>${inline(own.join("\n"), env)}</blockquote>` : inline(own.join("\n"), env)));
}

/** A whole text. What it needs of the page: `people`, `channels`, `mention`, the played `user`. */
export function Mrkdwn({text, ...env}) {
  const parts = text.split(/```\n?([\s\S]+?)\n?```/);
  return parts.map((part, at) => {
    if (at % 2) return html`<pre>${code(part, env)}</pre>`;
    // The block before or after breaks the line already.
    const words = part.replace(at ? /^\n/ : /^(?!)/, "").replace(at < parts.length - 1 ? /\n$/ : /$(?!)/, "");
    return words && lines(words, env);
  });
}

/** A text object, of either type. */
export const Text = ({of, env}) => (of.type === "mrkdwn"
  ? html`<${Mrkdwn} text=${of.text} verbatim=${of.verbatim} people=${env.people} channels=${env.channels} user=${env.user} mention=${env.act.mention} />`
  : wordsOf(of));
