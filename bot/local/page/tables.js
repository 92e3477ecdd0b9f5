// Tables: the plain one, and the one of data that can be sorted and paged.
import {html, useMemo, useState} from "./vendor/htm-preact.js";
import {RichText, richWords} from "./rich_text.js";

const PAGE_SIZE = 5;

const isNumber = (cell) => cell?.type === "raw_number";
const wordsOf = (cell) => (cell?.type === "rich_text" ? richWords(cell) : cell?.text ?? String(cell?.value ?? ""));

const Cell = ({cell, env}) => (cell?.type === "rich_text" ? html`<${RichText} block=${cell} env=${env} />` : wordsOf(cell));

/** What is wider than its place scrolls by itself, by keyboard too. */
const Scroll = ({label, children}) => html`<div class="table-scroll" role="region" aria-label=${label} tabindex="0">${children}</div>`;

export function Table({block, env}) {
  const settings = block.column_settings ?? [];
  const classOf = (cell, at) => [settings[at]?.align ?? (isNumber(cell) ? "right" : ""), settings[at]?.is_wrapped ? "wrapped" : ""].join(" ");
  const [head, ...rows] = block.rows;
  const label = `Table: ${head.map(wordsOf).join(", ")}`;
  return html`<${Scroll} label=${label}><table>
    <thead><tr>${head.map((cell, at) => html`<th scope="col" class=${classOf(cell, at)}><${Cell} ...${{cell, env}} /></th>`)}</tr></thead>
    <tbody>${rows.map((row) => html`<tr>${row.map((cell, at) => html`<td class=${classOf(cell, at)}><${Cell} ...${{cell, env}} /></td>`)}</tr>`)}</tbody>
  </table><//>`;
}

function compared(a, b) {
  if (isNumber(a) && isNumber(b)) return a.value - b.value;
  return wordsOf(a).localeCompare(wordsOf(b), undefined, {numeric: true});
}

/** A press on a column's head sorts by it, the next the other way round, the third as it was sent. */
const nextOrder = (order, column) => (order?.column !== column ? {column, way: 1} : order.way === 1 ? {column, way: -1} : null);

export function DataTable({block, env}) {
  const [order, setOrder] = useState(null);
  const [wanted, setWanted] = useState(0);
  const [head, ...rows] = block.rows;
  const size = block.page_size ?? PAGE_SIZE;
  const named = block.row_header_column_index ?? 0;
  const sorted = useMemo(() => (order ? [...rows].sort((a, b) => order.way * compared(a[order.column], b[order.column])) : rows), [block, order]);
  const pages = Math.ceil(rows.length / size);
  const page = Math.min(wanted, pages - 1);
  const shown = sorted.slice(page * size, (page + 1) * size);
  const sortBy = (column) => {
    setOrder(nextOrder(order, column));
    setWanted(0);
  };
  const sorting = (column) => (order?.column !== column ? "none" : order.way === 1 ? "ascending" : "descending");
  const side = (cell) => (isNumber(cell) ? "right" : "");
  const cellOf = (cell, at) => (at === named ? html`<th scope="row" class=${side(cell)}><${Cell} ...${{cell, env}} /></th>`
    : html`<td class=${side(cell)}><${Cell} ...${{cell, env}} /></td>`);
  return html`<div class="data-table"><${Scroll} label=${block.caption}><table>
      <caption>${block.caption}</caption>
      <thead><tr>${head.map((cell, at) => html`<th scope="col" aria-sort=${sorting(at)} class=${side(rows[0][at])}>
        <button type="button" class="sort" onClick=${() => sortBy(at)}>${wordsOf(cell)}<span class="sign" aria-hidden="true"></span></button></th>`)}</tr></thead>
      <tbody>${shown.map((row) => html`<tr>${row.map(cellOf)}</tr>`)}</tbody></table><//>
    ${pages > 1 && html`<div class="pager" role="group" aria-label="Pages of ${block.caption}">
      <button type="button" class="button small" aria-disabled=${page === 0 ? "true" : "false"} onClick=${() => setWanted(Math.max(0, page - 1))}>Previous</button>
      <span role="status">${page * size + 1}–${page * size + shown.length} of ${rows.length}</span>
      <button type="button" class="button small" aria-disabled=${page === pages - 1 ? "true" : "false"}
        onClick=${() => setWanted(Math.min(pages - 1, page + 1))}>Next</button></div>`}
  </div>`;
}
