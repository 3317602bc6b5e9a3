// The settings: what is chosen once, in the place of the dial field and the history. Calls stay in sight above them.

import { html } from "../../vendor/lit-html.js";
import { say } from "../words.js";
import { forwards } from "./mailbox.js";
import { icon } from "./parts.js";
import { keysAndLinks, sound } from "./sound.js";
import { choices, closeSettings } from "./top.js";

export function settings(state, actions) {
  const close = say("Close the settings");
  return html`<section class="part-settings" id="settings" tabindex="-1" aria-labelledby="settings-title">
    <header>
      <h2 id="settings-title">${say("Settings")}</h2>
      <button class="button bare only-icon" aria-label=${close} title=${close} @click=${() => closeSettings(actions)}>${icon("close")}</button>
    </header>
    ${forwards(state, actions)}
    ${sound(state, actions)}
    ${keysAndLinks(state, actions)}
    <section class="card part part-choices" aria-labelledby="choices">
      <h3 id="choices">${say("Language and colours")}</h3>
      ${choices(state, actions)}
    </section>
  </section>`;
}
