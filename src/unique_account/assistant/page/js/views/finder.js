// A field for a number that also takes a name: people are suggested below it, and chosen with the keyboard or a click.

import { html, nothing } from "../../vendor/lit-html.js";
import { suggestions } from "../directory.js";
import { say } from "../words.js";
import { icon, numberIn, uncomplained } from "./parts.js";

const FROM = { favourite: "star", colleague: "people", directory: "people", history: "clock" };
const MOST_FOR_DIGITS = 3;

/** The field: `pick(person, field)` takes who is chosen; the people are shown over what follows, or push it down. */
export function numberField(state, actions, { id, name = id, label, hint = "", style = "", required = false, over = true, pick }) {
  const open = state.finding?.field === id;
  const found = open ? shown(suggestions(state, state.finding.text), state.finding.text) : [];
  const at = Math.min(state.finding?.at ?? -1, found.length - 1);
  const chosen = (person, field) => {
    close(actions, field);
    pick(person, field);
  };
  const type = (event) => {
    uncomplained(event);
    const text = event.target.value;
    actions.find({ field: id, text, at: isName(text) ? 0 : -1 });
    actions.lookUp(text);
  };
  return html`<span class="finder ${over ? "over" : ""}" @focusout=${() => over && open && actions.find(null)}>
    <input class="input ${style}" id=${id} name=${name} type="text" inputmode=${isName(state.finding?.text ?? "") ? "text" : "tel"} autocomplete="off" maxlength="60" ?required=${required}
      role="combobox" aria-autocomplete="list" aria-expanded=${found.length > 0} aria-controls="${id}-found" aria-activedescendant=${found[at] ? `${id}-found-${at}` : nothing}
      aria-label=${label ?? nothing} placeholder=${hint} @input=${type} @keydown=${(event) => move(event, state, actions, { found, at, chosen })}>
    <ul class="found card" id="${id}-found" role="listbox" aria-label=${say("People")} ?hidden=${!found.length}>
      ${found.map((person, index) => option(person, `${id}-found-${index}`, index === at, () => chosen(person, document.getElementById(id))))}
    </ul>
  </span>`;
}

/** The number in such a field: what is typed, or that of the only one of that name; else null, of which the field complains. */
export function numberFound(field, state, actions) {
  const found = isName(field.value) ? suggestions(state, field.value) : [];
  if (found.length > 1) {
    field.setCustomValidity(say("Choose one of the people in the list."));
    field.reportValidity();
    actions.find({ field: field.id, text: field.value, at: 0 });
    return null;
  }
  const number = found[0]?.number ?? numberIn(field);
  if (number) {
    close(actions, field);
  }
  return number;
}

/** Fewer for digits, which are rather dialled as they are; none if there is nothing to choose. */
function shown(found, text) {
  const only = found.length === 1 && found[0].number === text;
  return only ? [] : found.slice(0, isName(text) ? found.length : MOST_FOR_DIGITS);
}

function option({ name, number, from }, id, marked, choose) {
  return html`<li id=${id} role="option" aria-selected=${marked} data-number=${number} @mousedown=${(event) => event.preventDefault()} @click=${choose}>
    ${icon(FROM[from])}<span><b>${name || number}</b> <span class="small quiet figures">${name ? number : ""}</span></span>
  </li>`;
}

function move(event, { finding }, actions, { found, at, chosen }) {
  const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
  if (step && found.length) {
    event.preventDefault();
    actions.find({ ...finding, at: (at + step + found.length) % found.length });
  } else if (event.key === "Enter" && found[at]) {
    event.preventDefault();
    chosen(found[at], event.target);
  } else if (event.key === "Escape" && found.length) {
    event.preventDefault();
    actions.find(null);
  }
}

function close(actions, field) {
  field.setCustomValidity("");
  actions.find(null);
}

function isName(text) {
  return /\p{L}/u.test(text);
}
