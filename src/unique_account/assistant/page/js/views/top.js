// The bar at the top: who is logged in, what colleagues see, language, theme, logging out.

import { html } from "../../vendor/lit-html.js";
import { isKnown } from "../state.js";
import { LANGUAGES, say } from "../words.js";
import { availabilityOf, icon, placeName } from "./parts.js";

export function top(state, actions) {
  const [presence, dot] = availability(state);
  const out = say("Log out");
  return html`<header class="top">
    <h1 class="brand"><img src="icon.svg" alt=""><span>UC Assistant</span></h1>
    ${choices(state, actions)}
    <div class="who">
      <b>${state.user.name || state.user.login}</b>
      <span class="small quiet figures"><span class="dot ${dot}"></span> ${state.user.number ? `${state.user.number} · ` : ""}<span id="presence">${presence}</span></span>
    </div>
    <button class="button" aria-label=${out} title=${out} @click=${actions.logOut}>${icon("log-out")}<span class="label">${out}</span></button>
  </header>`;
}

/** What colleagues see of the user, and while the server is away, that. */
function availability(state) {
  if (!state.account) {
    return ["", ""];
  }
  if (!isKnown(state)) {
    return [say("No connection"), ""];
  }
  const { presence, forwarding, forward } = state.account;
  const forwardedTo = forward && placeName(forward, state);
  return availabilityOf({ presence, doNotDisturb: forwarding.doNotDisturb, forwarded: forward !== null, forwardedTo });
}

export function choices(state, actions) {
  const themes = { system: say("Colours: system"), light: say("Colours: light"), dark: say("Colours: dark") };
  return html`<div class="choices">
    ${choice(say("Language"), LANGUAGES, state.language, actions.useLanguage)}
    ${choice(say("Colours"), themes, state.theme, actions.useTheme)}
  </div>`;
}

function choice(label, options, chosen, choose) {
  return html`<select class="choice" aria-label=${label} title=${label} @change=${(event) => choose(event.target.value)}>
    ${Object.entries(options).map(([value, text]) => html`<option value=${value} ?selected=${value === chosen}>${text}</option>`)}
  </select>`;
}
