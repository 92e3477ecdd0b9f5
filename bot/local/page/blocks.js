// Block Kit: each block drawn by its type. What is inside blocks is drawn by the modules named after it.
import {html, useErrorBoundary, useRef, useState} from "./vendor/htm-preact.js";
import {Button, FeedbackButtons, IconButton, Overflow, WorkflowButton} from "./buttons.js";
import {FileField, Options, Picker, TextField} from "./fields.js";
import {Markdown} from "./markdown.js";
import {Link, Text, wordsOf} from "./mrkdwn.js";
import {Icon} from "./overlay.js";
import {RichText} from "./rich_text.js";
import {Select} from "./selects.js";
import {useId} from "./surface.js";
import {DataTable, Table} from "./tables.js";

/** The level of a heading in blocks: below the title of the conversation, or of the form. */
const HEADINGS = {message: 2, home: 2, modal: 3};

// Pictures

const host = (address) => (URL.canParse(address) ? new URL(address).host : "");

/** A picture from elsewhere would tell its server of us, so it is not fetched: its words stand in its place. */
function Picture({image, size = ""}) {
  const address = image.image_url ?? image.slack_file?.url ?? "";
  const own = address.startsWith("data:image/") || address.startsWith(`${location.origin}/`);
  const alt = wordsOf({text: image.alt_text ?? ""});
  if (own) return html`<img class="picture ${size}" src=${address} alt=${alt} />`;
  const from = host(address) || (image.slack_file ? "a file in Slack" : "");
  return html`<span class="picture placeholder ${size}" role="img" aria-label=${alt} title=${alt}><${Icon} name="picture" />
    ${!size && html`<span aria-hidden="true">${alt}${from && html`<small>${from}, not fetched here</small>`}</span>`}</span>`;
}

const Image = ({block}) => html`<figure>${block.title && html`<figcaption class="soft">${wordsOf(block.title)}</figcaption>`}<${Picture} image=${block} /></figure>`;

// Elements, by type

const TEXT_FIELDS = ["plain_text_input", "email_text_input", "url_text_input", "number_input", "rich_text_input"];
const SELECTS = ["static", "external", "users", "channels", "conversations"].flatMap((kind) => [`${kind}_select`, `multi_${kind}_select`]);
const ELEMENTS = {
  button: Button, workflow_button: WorkflowButton, overflow: Overflow, feedback_buttons: FeedbackButtons, icon_button: IconButton,
  image: ({element}) => html`<${Picture} image=${element} size="thumb" />`,
  datepicker: Picker, timepicker: Picker, datetimepicker: Picker, checkboxes: Options, radio_buttons: Options, file_input: FileField,
  ...Object.fromEntries(TEXT_FIELDS.map((type) => [type, TextField])), ...Object.fromEntries(SELECTS.map((type) => [type, Select])),
};

function Element(props) {
  const Drawn = ELEMENTS[props.element.type];
  return Drawn ? html`<${Drawn} ...${props} />` : html`<${Unknown} type=${props.element.type} />`;
}

const Unknown = ({type}) => html`<p class="unknown">A block of the type “${type}” is not drawn here.</p>`;

const Actions = ({block, env, elements = block.elements}) => html`<div class="actions">
  ${elements.map((element) => html`<${Element} key=${element.action_id} ...${{block, element, env}} />`)}</div>`;

// Texts

const Header = ({block, env}) => html`<${`h${env.heading}`} class="header">${wordsOf(block.text)}<//>`;

const Section = ({block, env}) => html`<div class="section">
  <div class="section-words">${block.text && html`<div class="text"><${Text} of=${block.text} env=${env} /></div>`}
    ${block.fields && html`<div class="section-fields">${block.fields.map((field) => html`<div class="text"><${Text} of=${field} env=${env} /></div>`)}</div>`}</div>
  ${block.accessory && html`<div class="accessory"><${Element} ...${{block, element: block.accessory, env}} /></div>`}</div>`;

const Context = ({block, env}) => html`<div class="context">${block.elements.map((element) => (element.type === "image"
  ? html`<${Picture} image=${element} size="tiny" />` : html`<span class="text"><${Text} of=${element} env=${env} /></span>`))}</div>`;

const LEVELS = {info: "Note", warning: "Warning", error: "Error", success: "Done"};
const Alert = ({block, env}) => html`<div class="alert ${block.level ?? "default"}" role="note" aria-label=${LEVELS[block.level] ?? "Notice"}>
  <span class="sign" aria-hidden="true"></span><div class="text"><${Text} of=${block.text} env=${env} /></div></div>`;

const Video = ({block}) => html`<figure class="boxed"><${Picture} image=${{image_url: block.thumbnail_url, alt_text: block.alt_text}} size="thumb" />
  <div><b><${Link} href=${block.title_url ?? block.video_url}>${wordsOf(block.title)}<//></b>
    ${block.description && html`<p>${wordsOf(block.description)}</p>`}
    <small>${["Video", block.provider_name, block.author_name].filter(Boolean).join(" · ")}</small></div></figure>`;

const File = ({block}) => html`<p class="boxed"><${Icon} name="file" />
  <span>File <b>${block.external_id}</b> <small>${block.source}, not fetched here</small></span></p>`;

// Forms

/** An input: its label, its control, a hint, and what is wrong with it. */
function Input({block, env}) {
  const {element} = block;
  const id = useId("input");
  const error = env.errors?.[block.block_id];
  const hint = wordsOf(block.hint);
  const describedby = [error && `${id}-error`, hint && `${id}-hint`].filter(Boolean).join(" ") || undefined;
  const field = {id, error, optional: Boolean(block.optional), describedby};
  const group = element.type === "checkboxes" || element.type === "radio_buttons";
  const label = html`${wordsOf(block.label)}${block.optional && html` <span class="optional">(optional)</span>`}`;
  const below = html`${error && html`<p class="wrong" id="${id}-error"><span class="sign" aria-hidden="true"></span>${error}</p>`}
    ${hint && html`<p class="hint" id="${id}-hint">${hint}</p>`}`;
  const control = html`<${Element} ...${{block, element, env, field}} />`;
  if (!group) return html`<div class="input ${error ? "has-error" : ""}"><label class="label" for=${id}>${label}</label>${control}${below}</div>`;
  return html`<fieldset class="input ${error ? "has-error" : ""}" role=${element.type === "radio_buttons" ? "radiogroup" : undefined}
    aria-invalid=${error && element.type === "radio_buttons" ? "true" : undefined} aria-describedby=${describedby} tabindex="-1">
    <legend class="label">${label}</legend>${control}${below}</fieldset>`;
}

// Blocks with blocks inside

const Card = ({block, env}) => html`<article class="card">
  ${block.hero_image && html`<${Picture} image=${block.hero_image} size="hero" />`}
  ${(block.title || block.subtitle || block.icon) && html`<div class="card-head">
    ${block.icon && html`<${Picture} image=${block.icon} size="tiny" />`}
    <div>${block.title && html`<b class="text"><${Text} of=${block.title} env=${env} /></b>`}
      ${block.subtitle && html`<small class="text"><${Text} of=${block.subtitle} env=${env} /></small>`}</div></div>`}
  ${block.body && html`<div class="text"><${Text} of=${block.body} env=${env} /></div>`}
  ${block.actions?.length > 0 && html`<${Actions} elements=${block.actions} ...${{block, env}} />`}</article>`;

function Carousel({block, env}) {
  const strip = useRef(null);
  const move = (way) => strip.current.scrollBy({left: way * strip.current.clientWidth * 0.8, behavior: "smooth"});
  return html`<section class="carousel" aria-roledescription="carousel" aria-label="Cards, ${block.elements.length}">
    <div class="strip" ref=${strip} tabindex="0" role="group" aria-label="Cards">
      ${block.elements.map((card) => html`<${Card} key=${card.block_id} block=${card} env=${env} />`)}</div>
    <div class="carousel-tools"><button type="button" class="round" aria-label="Cards before" onClick=${() => move(-1)}><${Icon} name="back" /></button>
      <button type="button" class="round onward" aria-label="Further cards" onClick=${() => move(1)}><${Icon} name="back" /></button></div></section>`;
}

function Container({block, env}) {
  const [open, setOpen] = useState(!block.is_collapsible || !block.default_collapsed);
  const inside = useId("inside");
  const title = block.rich_text_title ? html`<${RichText} block=${block.rich_text_title} env=${env} />` : wordsOf(block.title);
  const words = html`${block.icon && html`<${Picture} image=${block.icon} size="tiny" />`}<span><b>${title}</b>
    ${block.subtitle && html`<small class="text"><${Text} of=${block.subtitle} env=${env} /></small>`}</span>`;
  return html`<section class="container ${block.width ?? "standard"} ${block.has_header_divider ? "divided" : ""}">
    ${block.is_collapsible ? html`<button type="button" class="container-head" aria-expanded=${open ? "true" : "false"}
      aria-controls=${open ? inside : undefined} onClick=${() => setOpen(!open)}>${words}<${Icon} name="down" /></button>`
      : html`<div class="container-head">${words}</div>`}
    ${open && html`<div class="container-body" id=${inside}>${drawn(block.child_blocks, env)}</div>`}</section>`;
}

const STATUSES = {pending: "To do", in_progress: "In progress", complete: "Done", error: "Failed"};

const Task = ({block, env}) => html`<div class="task-card">
  <span class="task-sign ${block.status ?? "pending"}" role="img" aria-label=${STATUSES[block.status] ?? STATUSES.pending}></span>
  <div><b>${block.title}</b>
    ${block.details && html`<div class="soft"><${RichText} block=${block.details} env=${env} /></div>`}
    ${block.output && html`<${RichText} block=${block.output} env=${env} />`}
    ${block.sources?.length > 0 && html`<p><small>Sources: ${block.sources.map((source, at) => html`${at > 0 && ", "}<${Link} href=${source.url}>${source.text}<//>`)}</small></p>`}
  </div></div>`;

const Plan = ({block, env}) => html`<section class="plan" aria-label=${block.title}><b>${block.title}</b>
  <ol>${(block.tasks ?? []).map((task) => html`<li key=${task.task_id}><${Task} block=${task} env=${env} /></li>`)}</ol></section>`;

const BLOCKS = {
  header: Header, section: Section, context: Context, actions: Actions, context_actions: Actions, image: Image, input: Input, alert: Alert,
  divider: () => html`<hr />`, video: Video, file: File, card: Card, carousel: Carousel, container: Container, plan: Plan, task_card: Task,
  rich_text: RichText, markdown: ({block, env}) => html`<${Markdown} text=${block.text} env=${env} />`, table: Table, data_table: DataTable,
};

function drawn(blocks, env) {
  return blocks.map((block, at) => {
    const Drawn = BLOCKS[block.type];
    return html`<div class="block block-${block.type}" key=${block.block_id ?? at}>
      ${Drawn ? html`<${Drawn} block=${block} env=${env} />` : html`<${Unknown} type=${block.type} />`}</div>`;
  });
}

/**
 * Draw blocks. `state` is what their elements hold, `act` what can be done with them (see useSurface), `errors` what
 * is wrong in a form by block_id, `user` who looks at it.
 */
function Blocks({blocks, surface, state, act, people, channels, user, errors}) {
  const env = {state, act, people, channels, user, errors, heading: HEADINGS[surface]};
  return html`<div class="blocks in-${surface}">${drawn(blocks, env)}</div>`;
}

/** Draw blocks; what cannot be drawn takes nothing else of the page with it. */
export function SafeBlocks(props) {
  const [failure] = useErrorBoundary();
  if (failure) return html`<p class="cannot-draw">These blocks cannot be drawn: ${failure.message}</p>`;
  return html`<${Blocks} ...${props} />`;
}
