// The voicemail, do-not-disturb, and forwards.

import { html, live, nothing } from "../../vendor/lit-html.js";
import { ofCount, say } from "../words.js";
import { VOICEMAIL } from "../state.js";
import { icon, numberIn, uncomplained } from "./parts.js";

export function voicemail(state, actions) {
  const messages = state.account?.messages;
  if (!messages) {
    return nothing;
  }
  const unread = ofCount(messages.new, "{count} new message", "{count} new messages");
  const kept = ofCount(messages.old, "{count} kept", "{count} kept ");
  return html`<section class="card part part-voicemail" aria-labelledby="voicemail">
    <header>
      <div>
        <h2 id="voicemail">${say("Voicemail")}</h2>
        <p class="small quiet" id="messages"><span>${unread}</span> · <span>${kept}</span></p>
      </div>
      <button class="button ${messages.new ? "main" : ""}" @click=${() => actions.dial(VOICEMAIL)}>${icon("voicemail")}${say("Listen")}</button>
    </header>
  </section>`;
}

export function forwards(state, actions) {
  const forwarding = state.account?.forwarding;
  if (!forwarding) {
    return nothing;
  }
  return html`<section class="card part part-forwards" aria-labelledby="forwards">
    <h3 id="forwards">${say("Forwards")}</h3>
    ${forward("unconditional", say("Forward all calls"), forwarding, actions)}
    ${forward("noAnswer", say("Forward if I do not answer"), forwarding, actions)}
    ${forward("busy", say("Forward if I am busy"), forwarding, actions)}
  </section>`;
}

export function doNotDisturb({ account }, actions) {
  return toggle(say("Do not disturb"), account.forwarding.doNotDisturb, (event) => actions.doNotDisturb(event.target.checked));
}

function toggle(label, on, change) {
  return html`<label class="switch"><span>${label}</span><input type="checkbox" role="switch" .checked=${live(on)} @change=${change}><i></i></label>`;
}

function forward(kind, label, forwarding, actions) {
  const { enabled, destination } = forwarding[kind] ?? { enabled: false, destination: "" };
  const fieldOf = (event) => event.target.closest(".forward").querySelector("input.input");
  const flip = (event) => {
    const field = fieldOf(event);
    if (event.target.checked && !numberIn(field)) {
      event.target.checked = false;
      field.focus();
    } else {
      actions.forward(kind, event.target.checked, field.value.trim());
    }
  };
  const save = (event) => {
    event.preventDefault();
    if (numberIn(fieldOf(event))) {
      actions.forward(kind, true, fieldOf(event).value.trim());
    }
  };
  return html`<div class="forward" data-forward=${kind}>
    ${toggle(label, enabled, flip)}
    <form @submit=${save}>
      <input class="input figures" inputmode="tel" required maxlength="60" @input=${uncomplained} aria-label=${say("{what}: to this number", { what: label })} placeholder=${say("Number")} .value=${destination}>
      <button class="button">${say("Save")}</button>
    </form>
  </div>`;
}
