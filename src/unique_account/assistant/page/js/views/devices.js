// Call management: the two devices, which one is in use, and why.

import { html, live, nothing } from "../../vendor/lit-html.js";
import { reasonWords } from "../server_words.js";
import { deviceInUse, isKnown, ringsOn } from "../state.js";
import { say } from "../words.js";
import { doNotDisturb } from "./mailbox.js";
import { icon, placeName } from "./parts.js";

export function devices(state, actions) {
  if (!state.account) {
    return nothing;
  }
  return html`<section class="card part part-devices" data-registration=${state.registration} aria-labelledby="devices">
    <header>
      <h2 id="devices">${say("Call management")}</h2>
      ${doNotDisturb(state, actions)}
    </header>
    <fieldset class="devices" role="radiogroup" aria-labelledby="devices">
      ${device("webrtc", say("This browser"), browserStatus(state), state, actions)}
      ${device("deskphone", say("Deskphone"), deskphoneStatus(state), state, actions)}
    </fieldset>
    ${why(state)}
  </section>`;
}

function device(name, label, status, state, actions) {
  const rings = ringsOn(state) === name;
  const chosen = (state.selecting ?? state.account.selection) === name;
  return html`<label class="device ${inUse(state, name) ? "in-use" : ""}" data-device=${name}>
    ${icon(name === "webrtc" ? "browser" : "deskphone")}
    <span><b>${label}</b><span class="small quiet">${status}</span></span>
    <input type="radio" name="device" value=${name} .checked=${live(chosen)} ?disabled=${state.session !== "open"} @change=${() => actions.select(name)}>
    ${rings ? html`<span class="rings-here">${say("Calls ring here")}</span>` : nothing}
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

function inUse(state, name) {
  return isKnown(state) && deviceInUse(state) === name;
}

function why(state) {
  const { account } = state;
  if (!isKnown(state)) {
    return html`<div class="why"><p>${say("Where your next call rings is not known while the server is away.")}</p></div>`;
  }
  const fallback = account.fallback && account.nextCall.rings !== null;
  const reasons = account.because.map((reason) => [reason, reasonWords(reason)]).filter(([, words]) => words);
  const cause = fallback && reasons.find(([{ rule }]) => rule === "R4");
  return html`<div class="why ${fallback ? "fallback" : ""}" data-fallback=${fallback}>
    <p>${outcome(state, fallback)}</p>
    ${cause ? html`<p>${cause[1]}.</p>` : nothing}
    <details>
      <summary>${say("Why?")}</summary>
      <ol>${reasons.map(([{ rule }, words]) => html`<li><span>${words}</span> <span class="rule">${rule}</span></li>`)}</ol>
    </details>
  </div>`;
}

/** Where the next call goes, in one sentence. */
function outcome(state, fallback) {
  const { nextCall, because } = state.account;
  if (nextCall.goesTo) {
    return [cause(because), destination(nextCall.goesTo, state)].filter(Boolean).join(" ");
  }
  if (fallback) {
    return say("Calls ring on your deskphone for now, although this browser is selected.");
  }
  return nextCall.rings === "webrtc" ? say("Your next call rings in the UC Assistant.") : say("Your next call rings on your deskphone.");
}

function cause(because) {
  const ids = because.map(({ id }) => id);
  if (ids.includes("do_not_disturb")) {
    return say("Do not disturb is on.");
  }
  return ids.includes("nothing_rings") ? say("No device of yours can ring.") : "";
}

function destination(goesTo, state) {
  switch (goesTo.kind) {
    case "number":
      return say("Your next call goes to {where}.", { where: placeName(goesTo, state) });
    case "voicemail":
      return say("Your next call goes to your voicemail.");
    default:
      return say("Your next call is refused.");
  }
}
