// Colleagues, with what their phones are doing.

import { html, repeat } from "../../vendor/lit-html.js";
import { say } from "../words.js";
import { favourites, foundPeople } from "./contacts.js";
import { availabilityOf, callButton, face } from "./parts.js";

export function people(state, actions) {
  const find = (words) => {
    actions.findColleagues(words);
    actions.search(words);
  };
  const others = state.colleagues.filter(({ number }) => number !== state.user.number);
  return html`<section class="card part part-people" aria-labelledby="people">
    <h2 id="people">${say("Colleagues")}</h2>
    <input class="input" type="search" aria-label=${say("Find a colleague")} placeholder=${say("Name or number")} maxlength="64" @input=${(event) => find(event.target.value)}>
    ${favourites(state, actions)}
    ${others.length ? html`<ul class="rows">${repeat(others, ({ number }) => number, (one) => colleague(one, actions))}</ul>` : html`<p class="empty">${say("There is nobody to show.")}</p>`}
    ${foundPeople(state, actions)}
  </section>`;
}

function colleague(one, actions) {
  const { number, name } = one;
  const [says, dot] = availabilityOf(one);
  return html`<li class="row" data-number=${number}>
    ${face(name, number, dot)}
    <div>
      <b>${name || number}</b>
      <p class="small quiet figures">${number} · <span class="presence">${says}</span></p>
    </div>
    ${callButton(actions, number, name)}
  </li>`;
}
