// Favourites, and the people that the directory has for a search.

import { html, nothing, repeat } from "../../vendor/lit-html.js";
import { folded, matches } from "../directory.js";
import { say } from "../words.js";
import { callButton, face, icon } from "./parts.js";

export function favourites(state, actions) {
  const words = wordsOf(state);
  return list("favourites", say("Favourites"), state.favourites.filter(({ name, number }) => matches(words, name, number)), actions);
}

export function foundPeople(state, actions) {
  const words = wordsOf(state);
  const known = new Set([...state.colleagues, ...state.favourites].map(({ number }) => number));
  const found = state.directory.people.filter(({ name, number }) => words.length && !known.has(number) && matches(words, name, number));
  return list("directory", say("Directory"), found, actions);
}

function wordsOf({ searched }) {
  return searched.split(/\s+/).filter(Boolean).map(folded);
}

function list(name, label, people, actions) {
  if (!people.length) {
    return nothing;
  }
  return html`<div data-list=${name}>
    <h3 class="of-day">${label}</h3>
    <ul class="rows">${repeat(people, ({ source, id, number }) => `${source} ${id} ${number}`, (one) => contact(one, actions))}</ul>
  </div>`;
}

function contact(person, actions) {
  const { name, number, favourite } = person;
  const what = favourite ? say("Remove {name} from the favourites", { name: name || number }) : say("Make {name} a favourite", { name: name || number });
  return html`<li class="row contact" data-number=${number}>
    ${face(name, number)}
    <div><b>${name || number}</b><p class="small quiet figures">${number}</p></div>
    <span class="row-buttons">
      ${person.id === null ? nothing : html`<button class="button bare only-icon star" aria-pressed=${favourite} aria-label=${what} title=${what} @click=${() => actions.favour(person)}>${icon("star")}</button>`}
      ${callButton(actions, number, name)}
    </span>
  </li>`;
}
