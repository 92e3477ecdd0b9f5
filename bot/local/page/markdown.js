// Standard Markdown, as Slack's markdown block takes it: a safe subset, read line by line and drawn as elements.
import {html} from "./vendor/htm-preact.js";
import {withEmoji} from "./emoji.js";
import {ChannelMention, Link, UserMention} from "./mrkdwn.js";

const INLINE = new RegExp([
  "\\\\(?<escaped>[!-/:-@[-`{-~])", "(?<ticks>`+)(?<code>[\\s\\S]*?[^`])\\k<ticks>(?!`)",
  "!\\[(?<alt>[^\\]]*)\\]\\((?<source>[^\\s)]+)[^)]*\\)", "\\[(?<words>(?:[^\\[\\]]|\\[[^\\]]*\\])+)\\]\\((?<href>[^\\s)]+)[^)]*\\)",
  "<(?<auto>(?:https?:|mailto:)[^\\s<>]+)>", "<@(?<user>[UW]\\w+)>", "<#(?<channel>[CG]\\w+)(?:\\|[^>]*)?>",
  "\\*\\*(?<bold>(?!\\s)[\\s\\S]*?[^\\s*]\\**)\\*\\*", "(?<![\\p{L}\\p{N}_])__(?<bold2>(?!\\s)[\\s\\S]*?\\S)__(?![\\p{L}\\p{N}])",
  "~~(?<strike>(?!\\s)[\\s\\S]+?)~~", "\\*(?<italic>[^\\s*](?:[^*]*[^\\s*])?)\\*",
  "(?<![\\p{L}\\p{N}_])_(?<italic2>[^\\s_](?:[^_]*[^\\s_])?)_(?![\\p{L}\\p{N}_])",
  "(?<url>https?:\\/\\/[^\\s<>|]*[^\\s<>|.,;:!?'\")\\]*_~])",
].join("|"), "gu");
const TAGS = {bold: "b", bold2: "b", strike: "s", italic: "i", italic2: "i"};

function inline(text, env) {
  const drawn = [];
  let at = 0;
  for (const match of text.matchAll(INLINE)) {
    const {groups} = match;
    drawn.push(withEmoji(text.slice(at, match.index)));
    at = match.index + match[0].length;
    const styled = Object.keys(TAGS).find((name) => groups[name] !== undefined);
    if (groups.escaped) drawn.push(groups.escaped);
    else if (groups.code !== undefined) drawn.push(html`<code>${groups.code.trim()}</code>`);
    // A picture would have to be fetched: its words lead to it instead.
    else if (groups.source) drawn.push(html`<${Link} href=${groups.source}>${groups.alt || groups.source}<//>`);
    else if (groups.href) drawn.push(html`<${Link} href=${groups.href}>${inline(groups.words, env)}<//>`);
    else if (groups.auto || groups.url) drawn.push(html`<${Link} href=${groups.auto ?? groups.url}>${groups.auto ?? groups.url}<//>`);
    else if (groups.user) drawn.push(html`<${UserMention} id=${groups.user} people=${env.people} mention=${env.act.mention} user=${env.user} />`);
    else if (groups.channel) drawn.push(html`<${ChannelMention} id=${groups.channel} channels=${env.channels} />`);
    else if (styled) drawn.push(html`<${TAGS[styled]}>${inline(groups[styled], env)}<//>`);
  }
  return [...drawn, withEmoji(text.slice(at))];
}

const FENCE = /^ {0,3}(```+|~~~+)\s*([\w+-]*)/;
const HEADING = /^ {0,3}(#{1,6})\s+(.*?)\s*#*$/;
const RULE = /^ {0,3}([-*_])(?:\s*\1){2,}\s*$/;
const QUOTE = /^ {0,3}> ?/;
const ITEM = /^(?<space>\s*)(?<sign>[-*+]|\d{1,9}[.)])\s+(?<words>.*)$/;
const itemOf = (line) => ITEM.exec(line)?.groups;
const TASK = /^\[([ xX])\]\s+/;
const DIVISION = /^\s*\|?\s*:?-+:?\s*(\|\s*:?-+:?\s*)*\|?\s*$/;

const cellsOf = (line) => line.trim().replace(/^\||(?<!\\)\|$/g, "").split(/(?<!\\)\|/).map((cell) => cell.trim().replaceAll("\\|", "|"));
const alignOf = (cell) => (/^:.*:$/.test(cell) ? "center" : /:$/.test(cell) ? "right" : "");
const isTable = (line, next) => line.includes("|") && DIVISION.test(next ?? "");
const begins = (line, next) => [FENCE, HEADING, RULE, QUOTE, ITEM].some((kind) => kind.test(line)) || isTable(line, next);

/** Take from the top what belongs together, and draw it; every kind knows how far it goes. */
function blocks(lines, env) {
  const drawn = [];
  let at = 0;
  const take = (belongs) => {
    const from = at;
    while (at < lines.length && belongs(lines[at], lines[at + 1])) at += 1;
    return lines.slice(from, at);
  };
  while (at < lines.length) {
    const line = lines[at];
    const fence = FENCE.exec(line);
    const heading = HEADING.exec(line);
    if (!line.trim()) at += 1;
    else if (fence) {
      at += 1;
      drawn.push(html`<pre>${take((one) => !one.trim().startsWith(fence[1])).join("\n")}</pre>`);
      at += 1;
    } else if (heading) {
      at += 1;
      const level = heading[1].length;
      drawn.push(html`<${`h${Math.min(6, env.heading + level - 1)}`} class="heading-${level}">${inline(heading[2], env)}<//>`);
    } else if (RULE.test(line)) {
      at += 1;
      drawn.push(html`<hr />`);
    } else if (QUOTE.test(line)) {
      drawn.push(html`<blockquote>${blocks(take((one) => QUOTE.test(one)).map((one) => one.replace(QUOTE, "")), env)}</blockquote>`);
    } else if (ITEM.test(line)) {
      // Blank lines may stand between items, and before what is indented into one; another kind of sign is another list.
      const {sign, space: {length: base}} = itemOf(line);
      const isOther = (item) => item.space.length < base + 2 && /\d/.test(item.sign) !== /\d/.test(sign);
      const inList = (one, next) => (ITEM.test(one) && !isOther(itemOf(one))) || /^\s{2,}\S/.test(one) ||
        (!one.trim() && /^\s*([-*+]|\d+[.)])\s|^\s{2,}\S/.test(next ?? ""));
      drawn.push(list(take(inList), env));
    } else if (isTable(line, lines[at + 1])) drawn.push(table(take((one) => one.includes("|")), env));
    else {
      at += 1;
      drawn.push(html`<p>${inline([line, ...take((one, next) => one.trim() && !begins(one, next))].join("\n"), env)}</p>`);
    }
  }
  return drawn;
}

function list(lines, env) {
  const {sign, space: {length: base}} = itemOf(lines[0]);
  const items = [];
  for (const line of lines) {
    const item = itemOf(line);
    // Whoever indents by one blank means the same list.
    if (item && item.space.length < base + 2) items.push([item.words]);
    else items[items.length - 1].push(line);
  }
  const drawn = items.map(([first, ...rest]) => {
    const task = TASK.exec(first);
    const indent = Math.min(...rest.filter((line) => line.trim()).map((line) => line.search(/\S/)));
    const inside = rest.map((line) => line.slice(indent));
    // A line that goes on the one before it, rather than a list of its own.
    const own = [first.replace(TASK, "")];
    while (inside.length && inside[0].trim() && !begins(inside[0], inside[1])) own.push(inside.shift());
    return html`<li class=${task ? "task" : ""}>${task && html`<span class="check ${task[1] === " " ? "" : "done"}" role="img"
      aria-label=${task[1] === " " ? "To do" : "Done"}></span>`}${inline(own.join("\n"), env)}${blocks(inside, env)}</li>`;
  });
  return /\d/.test(sign) ? html`<ol start=${Number.parseInt(sign, 10)}>${drawn}</ol>` : html`<ul>${drawn}</ul>`;
}

function table([head, division, ...rows], env) {
  const aligns = cellsOf(division).map(alignOf);
  const cell = (tag, words, at) => html`<${tag} scope=${tag === "th" ? "col" : undefined} class=${aligns[at] ?? ""}>${inline(words, env)}<//>`;
  const heads = cellsOf(head);
  return html`<div class="table-scroll" role="region" aria-label="Table" tabindex="0"><table>
    <thead><tr>${heads.map((words, at) => cell("th", words, at))}</tr></thead>
    <tbody>${rows.map((row) => {
      const cells = cellsOf(row);
      return html`<tr>${heads.map((_, at) => cell("td", cells[at] ?? "", at))}</tr>`;
    })}</tbody></table></div>`;
}

export const Markdown = ({text, env}) => html`<div class="rich markdown">${blocks(text.replace(/\r\n?/g, "\n").replace(/\t/g, "    ").split("\n"), env)}</div>`;
