// Menus to choose from: one combobox for all of them, single or multiple, with options of four origins.
import {html, useEffect, useLayoutEffect, useRef, useState} from "./vendor/htm-preact.js";
import {valueKey} from "./entered.js";
import {wordsOf} from "./mrkdwn.js";
import {Icon} from "./overlay.js";
import {isPlayable} from "./people.js";
import {labelled, useChoice, useId, valueOf} from "./surface.js";

const QUIET_MILLISECONDS = 200;
const LEAST_LETTERS = 3;
const GAP = 4;
const MOST_HEIGHT = 300;

// Where the choices come from. Each is {value, label, hint}; a group is {label, choices}.

const choiceOf = (option) => ({value: option.value, label: wordsOf(option.text), hint: wordsOf(option.description)});
const userChoice = (member) => ({value: member.id, label: member.name, hint: member.title});
const placeChoice = (channel, env) => ({
  value: channel.id, label: channel.dm_with ? env.people.get(channel.dm_with)?.name ?? channel.id : `#${channel.name}`, hint: "",
});

/** Say what kind of conversation this is, in the words of a conversation filter. */
const kindOf = (channel) => (channel.dm_with ? "im" : channel.private ? "private" : "public");

const choicesOf = (options, groups) => groups?.map((group) => ({label: wordsOf(group.label), choices: group.options.map(choiceOf)})) ??
  options.map(choiceOf);

const ORIGINS = {
  users: (element, env) => [...env.people.values()].filter((member) => isPlayable(member) || (member.is_bot && !member.deleted)).map(userChoice),
  channels: (element, env) => [...env.channels.values()].filter((one) => kindOf(one) === "public" && !one.archived).map((one) => placeChoice(one, env)),
  conversations: ({filter = {}}, env) => [...env.channels.values()]
    .filter((one) => !one.archived && (!one.dm_with || one.dm_with === env.user) && (!filter.include || filter.include.includes(kindOf(one))))
    .map((one) => placeChoice(one, env)),
  static: ({options, option_groups: groups}) => choicesOf(options, groups),
};

/** Return what is chosen as choices: a value is an option, or only an id. */
function chosenOf(held, kind, env) {
  const one = (value) => {
    if (typeof value === "object") return choiceOf(value);
    const known = kind === "users" ? env.people.get(value) : env.channels.get(value);
    if (!known) return {value, label: value, hint: ""};
    return kind === "users" ? userChoice(known) : placeChoice(known, env);
  };
  return (Array.isArray(held) ? held : [held]).filter((value) => value !== null && value !== undefined).map(one);
}

const withoutAccents = (text) => text.normalize("NFD").replace(/\p{M}/gu, "").toLowerCase();

function matching(groups, typed) {
  const wanted = withoutAccents(typed).trim().split(/\s+/);
  const fits = (choice) => wanted.every((word) => withoutAccents(`${choice.label} ${choice.hint}`).includes(word));
  return groups.map((one) => (one.choices ? {...one, choices: one.choices.filter(fits)} : one)).filter((one) => (one.choices ? one.choices.length : fits(one)));
}

/** Ask the bot for options while somebody types; an answer to earlier words is dropped. */
function useSuggestions({element, env}, open, typed) {
  const least = element.min_query_length ?? LEAST_LETTERS;
  const [found, setFound] = useState({choices: [], note: ""});
  const isExternal = element.type.endsWith("external_select");
  useEffect(() => {
    if (!open || !isExternal) return undefined;
    if (typed.trim().length < least) {
      setFound({choices: [], note: least === 1 ? "Type a letter to see options." : `Type ${least} letters or more to see options.`});
      return undefined;
    }
    let current = true;
    setFound((before) => ({...before, note: "Searching…"}));
    const timer = setTimeout(async () => {
      const {options, option_groups: groups} = await env.act.suggest(element.action_id, typed);
      const choices = choicesOf(options, groups).filter((one) => one.choices?.length !== 0);
      if (current) setFound({choices, note: choices.length ? "" : "No results."});
    }, QUIET_MILLISECONDS);
    return () => {
      current = false;
      clearTimeout(timer);
    };
  }, [open, typed]);
  return isExternal ? found : null;
}

/** Keep the list at its box: over whatever would cut it off, on the side that has more room. */
function usePlace(box, list, open, content) {
  useLayoutEffect(() => {
    if (!open) return undefined;
    const place = () => {
      const {left, top, bottom, width} = box.current.getBoundingClientRect();
      const below = innerHeight - bottom - 2 * GAP;
      const up = below < Math.min(MOST_HEIGHT, 180) && top > below;
      const {style} = list.current;
      style.left = `${Math.max(GAP, Math.min(left, innerWidth - Math.max(width, 220) - GAP))}px`;
      style.width = `${Math.min(Math.max(width, 220), innerWidth - 2 * GAP)}px`;
      style.maxHeight = `${Math.max(96, Math.min(MOST_HEIGHT, up ? top - 2 * GAP : below))}px`;
      style.top = up ? "auto" : `${bottom + GAP}px`;
      style.bottom = up ? `${innerHeight - top + GAP}px` : "auto";
    };
    place();
    addEventListener("scroll", place, true);
    addEventListener("resize", place);
    return () => {
      removeEventListener("scroll", place, true);
      removeEventListener("resize", place);
    };
  }, [open, content]);
}

export function Select({block, element, env, field}) {
  const kind = element.type.replace(/^multi_/, "").replace(/_select$/, "");
  const many = valueKey(element).endsWith("s");
  const [open, setOpen] = useState(false);
  const [typed, setTyped] = useState("");
  const [at, setAt] = useState(0);
  const [picked, setPicked] = useState(null);
  const box = useRef(null);
  const list = useRef(null);
  const input = useRef(null);
  const listId = useId("menu");
  const {choose, dialog, told} = useChoice({block, element, env});
  const held = chosenOf(valueOf({block, element, env}), kind, env);
  const chosen = picked ?? held;
  const suggested = useSuggestions({element, env}, open, typed);
  const groups = suggested ? suggested.choices : open ? matching(ORIGINS[kind](element, env), typed) : [];
  const flat = groups.flatMap((one) => one.choices ?? [one]);
  const active = flat[Math.min(at, flat.length - 1)];
  const note = suggested ? suggested.note : flat.length ? "" : "No results.";
  const isChosen = (choice) => chosen.some((one) => one.value === choice.value);
  const full = many && element.max_selected_items !== undefined && chosen.length >= element.max_selected_items;
  usePlace(box, list, open, `${typed} ${flat.length} ${chosen.length} ${note}`);
  useEffect(() => list.current?.querySelector(".active")?.scrollIntoView({block: "nearest"}), [active?.value]);

  const show = () => {
    setOpen(true);
    const first = flat.length ? 0 : ORIGINS[kind]?.(element, env).flatMap((one) => one.choices ?? [one]).findIndex(isChosen);
    setAt(Math.max(0, first ?? 0));
  };
  // A menu of several tells the bot once, when it is closed; a form keeps every choice at once.
  const shut = () => {
    setOpen(false);
    setTyped("");
    if (picked && String(picked.map((one) => one.value)) !== String(held.map((one) => one.value))) choose(picked.map((one) => one.value));
    setPicked(null);
  };
  const set = (next) => (told && open ? setPicked(next) : choose(next.map((one) => one.value)));
  const take = (choice) => {
    input.current.focus();
    if (!many) {
      setOpen(false);
      setTyped("");
      if (!isChosen(choice)) choose(choice.value);
    } else if (isChosen(choice)) set(chosen.filter((one) => one.value !== choice.value));
    else if (!full) {
      set([...chosen, choice]);
      setTyped("");
      // The list is whole again: stay at what was just taken.
      if (typed && !suggested) setAt(Math.max(0, ORIGINS[kind](element, env).flatMap((one) => one.choices ?? [one]).findIndex((one) => one.value === choice.value)));
    }
  };
  const clear = () => {
    input.current.focus();
    if (many) set([]);
    else choose(null);
  };
  const key = (event) => {
    if (event.isComposing) return;
    const to = {ArrowDown: at + 1, ArrowUp: at - 1}[event.key];
    if (!open && (to !== undefined || event.key === "Enter")) show();
    else if (open && to !== undefined && flat.length) setAt((Math.min(at, flat.length - 1) + (to - at) + flat.length) % flat.length);
    else if (open && event.key === "Enter" && active) take(active);
    else if (open && event.key === "Enter") event.preventDefault();
    else if (open && event.key === "Escape") shut();
    else if (many && event.key === "Backspace" && !typed && chosen.length) return set(chosen.slice(0, -1));
    else return undefined;
    event.preventDefault();
    event.stopPropagation();
    return undefined;
  };
  const write = (event) => {
    setTyped(event.target.value);
    setAt(0);
    setOpen(true);
  };
  // Where the menu itself was taken away, with the focus in it, nothing is left to shut.
  const left = ({relatedTarget}) => !box.current || box.current.contains(relatedTarget) || list.current?.contains(relatedTarget) || (open && shut());
  const pressed = (event) => {
    if (event.target.closest("button")) return;
    if (event.target !== input.current) event.preventDefault();
    input.current.focus();
    if (open && event.target !== input.current) shut();
    else if (!open) show();
  };

  const single = many ? "" : chosen[0]?.label ?? "";
  const placeholder = wordsOf(element.placeholder) || (many ? "Choose some options" : "Choose an option");
  const about = labelled({element, field}, "Menu");
  const optionOf = (choice) => html`<div key=${choice.value} id="${listId}-${flat.indexOf(choice)}" role="option"
    class="choice ${choice === active ? "active" : ""}" aria-selected=${isChosen(choice) ? "true" : "false"}
    aria-disabled=${full && !isChosen(choice) ? "true" : undefined} onMouseMove=${() => choice !== active && setAt(flat.indexOf(choice))}
    onClick=${() => take(choice)}><span class="who">${choice.label}${choice.hint && html`<small>${choice.hint}</small>`}</span>
    ${isChosen(choice) && html`<${Icon} name="check" />`}</div>`;
  // In small letters, since the browser has no property by which Preact would know the event.
  return html`<div class="select ${many ? "many" : ""}" onfocusout=${left}>
    <div class="field select-box" ref=${box} onMouseDown=${pressed}>
      ${many && chosen.map((choice) => html`<span class="token" key=${choice.value}>${choice.label}<button type="button"
        aria-label="Remove ${choice.label}" onClick=${() => { input.current.focus(); set(chosen.filter((one) => one.value !== choice.value)); }}>
        <${Icon} name="close" /></button></span>`)}
      <input type="text" ref=${input} role="combobox" ...${about} aria-expanded=${open ? "true" : "false"} aria-controls=${open ? listId : undefined}
        aria-activedescendant=${open && active ? `${listId}-${flat.indexOf(active)}` : undefined} aria-autocomplete="list" autocomplete="off"
        spellcheck=${false} data-focus=${element.focus_on_load ? "" : undefined} value=${open ? typed : single}
        placeholder=${many && chosen.length ? "" : open && single ? single : placeholder} onInput=${write} onKeyDown=${key} />
      ${field?.optional && chosen.length > 0 && html`<button type="button" class="clear" aria-label="Clear" title="Clear" onClick=${clear}>
        <${Icon} name="close" /></button>`}
      <${Icon} name="down" />
    </div>
    ${open && html`<div class="select-list" ref=${list} onMouseDown=${(event) => event.preventDefault()}>
      <div role="listbox" id=${listId} aria-label=${placeholder} aria-multiselectable=${many ? "true" : undefined}>
        ${groups.map((one) => (one.choices ? html`<div role="group" aria-label=${one.label}><div class="menu-heading" aria-hidden="true">${one.label}</div>
          ${one.choices.map(optionOf)}</div>` : optionOf(one)))}</div>
      <p class="select-note" role="status">${full ? `At most ${element.max_selected_items} can be chosen.` : note}</p></div>`}
    ${dialog}</div>`;
}
