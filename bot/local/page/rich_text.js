// Rich text: what Slack's own composer makes, and what a bot may send the same way.
import {html} from "./vendor/htm-preact.js";
import {slackDate} from "./dates.js";
import {emojiOf} from "./emoji.js";
import {Broadcast, ChannelMention, Link, UserMention} from "./mrkdwn.js";

const STYLES = {bold: "b", italic: "i", strike: "s", underline: "u", code: "code"};

function Color({value}) {
  const fill = (swatch) => {
    if (swatch) swatch.style.background = value;
  };
  return html`<span class="color"><span class="swatch" aria-hidden="true" ref=${fill}></span>${value}</span>`;
}

function bare(element, env) {
  switch (element.type) {
    case "text": return element.text;
    case "link": return html`<${Link} href=${element.url}>${element.text || element.url}<//>`;
    case "emoji": return emojiOf(element);
    case "user": return html`<${UserMention} id=${element.user_id} people=${env.people} mention=${env.act.mention} user=${env.user} />`;
    case "channel": return html`<${ChannelMention} id=${element.channel_id} channels=${env.channels} />`;
    case "usergroup": return html`<span class="mention">@${element.usergroup_id}</span>`;
    case "team": return html`<span class="mention">@${element.team_id}</span>`;
    case "broadcast": return html`<${Broadcast} range=${element.range} />`;
    case "color": return html`<${Color} value=${element.value} />`;
    case "date": {
      const written = slackDate(element.timestamp, element.format, env.people.get(env.user)?.tz) ?? element.fallback ?? "";
      return element.url ? html`<${Link} href=${element.url}>${written}<//>` : html`<span class="date">${written}</span>`;
    }
    default: return element.text ?? `[${element.type}]`;
  }
}

function inline(elements, env) {
  return elements.map((element) => Object.entries(STYLES).reduce(
    (drawn, [name, tag]) => (element.style?.[name] ? html`<${tag}>${drawn}<//>` : drawn), bare(element, env)));
}

/** Put lists that are indented into the item before them: Slack sends them one after the other. */
function nested(lists) {
  const tree = [];
  for (const list of lists) {
    const last = tree[tree.length - 1];
    if (last && (list.indent ?? 0) > (last.list.indent ?? 0)) last.inside.push(list);
    else tree.push({list, inside: []});
  }
  return tree;
}

const depth = (list) => `depth-${(list.indent ?? 0) % 3}`;

function lists(all, env) {
  return nested(all).map(({list, inside}) => {
    const items = list.elements.map((item, at) => html`<li>${inline(item.elements, env)}
      ${at === list.elements.length - 1 && inside.length > 0 && lists(inside, env)}</li>`);
    const border = list.border ? "bordered" : "";
    return list.style === "ordered" ? html`<ol class="${depth(list)} ${border}" start=${(list.offset ?? 0) + 1}>${items}</ol>`
      : html`<ul class="${depth(list)} ${border}">${items}</ul>`;
  });
}

export function RichText({block, env}) {
  const drawn = [];
  const {elements} = block;
  for (let at = 0; at < elements.length; at += 1) {
    const element = elements[at];
    if (element.type === "rich_text_list") {
      let end = at;
      while (elements[end + 1]?.type === "rich_text_list") end += 1;
      drawn.push(lists(elements.slice(at, end + 1), env));
      at = end;
    } else if (element.type === "rich_text_quote") drawn.push(html`<blockquote>${inline(element.elements, env)}</blockquote>`);
    else if (element.type === "rich_text_preformatted") drawn.push(html`<pre>${inline(element.elements, env)}</pre>`);
    else if (element.type === "rich_text_section") drawn.push(html`<div class="line">${inline(element.elements, env)}</div>`);
    else drawn.push(html`<p class="unknown">Rich text of the type “${element.type}” is not drawn here.</p>`);
  }
  return html`<div class="rich">${drawn}</div>`;
}

/** Return the words alone, for a field to type in and for sorting. */
export function richWords(block) {
  const one = (element) => element.text ?? (element.type === "emoji" ? emojiOf(element) : element.url ?? element.elements?.map(one).join("") ?? "");
  return (block?.elements ?? []).map((part) => (part.type === "rich_text_list" ? part.elements.map(one).join("\n") : one(part))).join("\n");
}
