// The whole page.

import { html } from "../../vendor/lit-html.js";
import { callsOf } from "../state.js";
import { say } from "../words.js";
import { asks } from "./asks.js";
import { calls, dialPad } from "./calls.js";
import { devices } from "./devices.js";
import { entrance } from "./entrance.js";
import { history, notSeen } from "./history.js";
import { voicemail } from "./mailbox.js";
import { icon } from "./parts.js";
import { people } from "./people.js";
import { help } from "./help.js";
import { settings } from "./settings.js";
import { top } from "./top.js";
import { troubles } from "./troubles.js";

export function page(state, actions) {
  if (!state.user) {
    return entrance(state, actions);
  }
  return html`
    <a class="skip" href=${callsOf(state).length ? "#calls" : "#main"}>${say("Skip to calls")}</a>
    <div class="overhead">${top(state, actions)}${troubles(state, actions)}</div>
    ${actions.played ? html`<p class="played">${say("This is a demo: the phone of this browser is played, and carries no sound.")}</p>` : ""}
    ${asks(state, actions)}
    <main class="columns" id="main" tabindex="-1" data-place=${state.place}>
      <div class="column column-calls">${calls(state, actions)}${devices(state, actions)}${dialPad(state, actions)}${history(state, actions)}${settings(state, actions)}</div>
      <div class="column column-people">${voicemail(state, actions)}${people(state, actions)}</div>
    </main>
    ${places(state, actions)}
    ${help(state, actions)}`;
}

function places(state, actions) {
  const parts = {
    phone: ["phone", say("Phone")],
    people: ["people", say("Colleagues")],
    history: ["clock", say("History")],
    settings: ["settings", say("Settings")],
  };
  return html`<nav class="places" aria-label=${say("Parts of the page")}>
    ${Object.entries(parts).map(
      ([place, [sign, label]]) => html`<button data-place=${place} aria-current=${state.place === place ? "page" : "false"} @click=${() => actions.goTo(place)}>${icon(sign)}<span>${label}${place === "history" ? notSeen(state) : ""}</span></button>`,
    )}
  </nav>`;
}
