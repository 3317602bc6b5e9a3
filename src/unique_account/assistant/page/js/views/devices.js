// Call management: the two devices, which one is in use, and why.

import { html, live, nothing } from "../../vendor/lit-html.js";
import { deviceInUse } from "../state.js";
import { isKnown, say } from "../words.js";
import { icon } from "./parts.js";

export function devices(state, actions) {
  if (!state.account) {
    return nothing;
  }
  return html`<section class="card part part-devices" data-registration=${state.registration} aria-labelledby="devices">
    <h2 id="devices">${say("Call management")}</h2>
    <fieldset class="devices" role="radiogroup" aria-labelledby="devices">
      ${device("webrtc", say("This browser"), browserStatus(state), state, actions)}
      ${device("deskphone", say("Deskphone"), deskphoneStatus(state), state, actions)}
    </fieldset>
    ${why(state)}
  </section>`;
}

function device(name, label, status, state, actions) {
  const inUse = deviceInUse(state) === name;
  const chosen = (state.selecting ?? state.account.selection) === name;
  return html`<label class="device ${inUse ? "in-use" : ""}" data-device=${name}>
    ${icon(name === "webrtc" ? "browser" : "deskphone")}
    <span><b>${label}</b><span class="small quiet">${status}</span></span>
    <input type="radio" name="device" value=${name} .checked=${live(chosen)} ?disabled=${state.session !== "open"} @change=${() => actions.select(name)}>
    ${inUse ? html`<span class="rings-here">${say("Calls ring here")}</span>` : nothing}
  </label>`;
}

function browserStatus(state) {
  const { webrtc } = state.account;
  const status = {
    registering: say("Registering…"),
    failed: say("Not connected"),
  }[state.registration];
  return lineStatus(webrtc) ?? status ?? (webrtc.reachable ? say("Ready") : say("Not registered"));
}

function deskphoneStatus(state) {
  const { deskphone } = state.account;
  return lineStatus(deskphone) ?? (deskphone.reachable === false ? say("Not registered") : say("Ready"));
}

function lineStatus({ status }) {
  return {
    in_use: say("In a call"),
    busy: say("In a call"),
    on_hold: say("A call is on hold"),
    ringing: say("Ringing"),
    ringing_in_use: say("In a call, and ringing"),
  }[status];
}

function why({ account }) {
  return html`<div class="why ${account.fallback ? "fallback" : ""}" data-fallback=${account.fallback}>
    <p>${outcome(account)}</p>
    ${account.fallback ? html`<p>${inWords(account.because.find(({ rule }) => rule === "R4"))}.</p>` : nothing}
    <details>
      <summary>${say("Why?")}</summary>
      <ol>${account.because.map((reason) => html`<li>${inWords(reason)} <span class="rule">${reason.rule}</span></li>`)}</ol>
    </details>
  </div>`;
}

function outcome({ because, fallback, deviceInUse: device }) {
  if (because.some(({ rule }) => rule === "R8" || rule === "R12")) {
    return say("Your next call rings on no device.");
  }
  if (fallback) {
    return say("Calls ring on your deskphone for now, although this browser is selected.");
  }
  return device === "webrtc" ? say("Your next call rings in the UC Assistant.") : say("Your next call rings on your deskphone.");
}

/** A reason in the user's language; one that has no words there stays English, and says so. */
function inWords({ text } = { text: "" }) {
  const where = text.match(/^the call goes to (.+)$/)?.[1];
  const words = where ? say("the call goes to {where}", { where }) : say(text);
  const capital = words.charAt(0).toLocaleUpperCase() + words.slice(1);
  return html`<span lang=${where || isKnown(text) ? nothing : "en"}>${capital}</span>`;
}
