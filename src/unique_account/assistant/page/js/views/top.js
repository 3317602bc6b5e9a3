// The bar at the top: who is logged in, what colleagues see, the settings, logging out.

import { html } from "../../vendor/lit-html.js";
import { isKnown } from "../state.js";
import { LANGUAGES, say } from "../words.js";
import { availabilityOf, icon, placeName } from "./parts.js";

export function top(state, actions) {
  const [presence, dot] = availability(state);
  const out = say("Log out");
  const open = state.place === "settings";
  return html`<header class="top">
    <h1 class="brand"><img src="icon.svg" alt=""><span>UC Assistant</span></h1>
    <div class="who">
      <b>${state.user.name || state.user.login}</b>
      <span class="small quiet figures"><span class="dot ${dot}"></span> ${state.user.number ? `${state.user.number} · ` : ""}<span id="presence">${presence}</span></span>
    </div>
    <button class="button bare settings-button" aria-label=${say("Settings")} aria-expanded=${open} aria-controls="settings" @click=${() => (open ? closeSettings(actions) : openSettings(actions))}>${icon("settings")}<span class="label">${say("Settings")}</span></button>
    <button class="button bare" aria-label=${out} title=${out} @click=${actions.logOut}>${icon("log-out")}<span class="label">${out}</span></button>
  </header>`;
}

function openSettings(actions) {
  actions.goTo("settings");
  setTimeout(() => document.getElementById("settings").focus()); // once they are shown
}

/** Go back to what was there before the settings, and to the button that opened them. */
export function closeSettings(actions) {
  actions.goTo("phone");
  setTimeout(() => document.querySelector(".settings-button").focus());
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
  const themes = { system: say("System"), light: say("Light"), dark: say("Dark") };
  return html`<div class="choices">
    ${choice("language", say("Language"), LANGUAGES, state.language, actions.useLanguage)}
    ${choice("theme", say("Colours"), themes, state.theme, actions.useTheme)}
  </div>`;
}

function choice(name, label, options, chosen, choose) {
  return html`<label class="field"><span>${label}</span><select class="choice" data-choice=${name} @change=${(event) => choose(event.target.value)}>
    ${Object.entries(options).map(([value, text]) => html`<option value=${value} ?selected=${value === chosen}>${text}</option>`)}
  </select></label>`;
}
