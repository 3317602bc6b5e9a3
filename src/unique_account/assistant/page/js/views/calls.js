// The calls of now, and the dial pad.

import { html, nothing, repeat } from "../../vendor/lit-html.js";
import { callsOf, deviceInUse, isConsultation, nameOf, partyOf } from "../state.js";
import { lasting, say } from "../words.js";
import { qualityOfCall } from "./call_quality.js";
import { numberField, numberFound } from "./finder.js";
import { deviceIcon, deviceName, face, icon, keys } from "./parts.js";

export function calls(state, actions) {
  const shown = callsOf(state);
  if (!shown.length) {
    return nothing;
  }
  return html`<section class="part-calls" id="calls" tabindex="-1" aria-label=${say("Calls")}>${repeat(shown, ({ id }) => id, (call) => oneCall(call, state, actions))}</section>`;
}

function oneCall(call, state, actions) {
  const known = call.peerName || nameOf(state, call.peer);
  const name = partyOf(state, call) || say("Unknown number");
  return html`<article class="card call ${call.status} ${call.direction}" data-call=${call.id} data-where=${call.where} aria-label=${name}>
    <div class="party">
      ${face(known, call.peer || "?")}
      <div>
        <h2>${name}</h2>
        <p class="state quiet">${known && call.peer ? html`<span class="figures">${call.peer}</span>` : nothing}<span class="with-icon">${deviceIcon(call.device)}<span class="status">${statusOf(call)}</span></span></p>
      </div>
      <span class="since figures quiet" data-since=${call.answered ?? nothing}>${call.answered ? lasting(Date.now() - new Date(call.answered)) : ""}</span>
    </div>
    ${qualityOfCall(state, call)}
    ${buttons(call, state, actions)}
    ${state.keypadFor === call.id ? html`<div class="aside">${keys((key) => actions.press(call, key))}</div>` : nothing}
    ${state.transferring === call.id ? transferTo(call, state, actions) : nothing}
  </article>`;
}

function statusOf(call) {
  if (call.where === "elsewhere") {
    return say("In another window or on another computer");
  }
  if (call.stale) {
    return say("Not known while the server is away");
  }
  const on = deviceName(call.device);
  switch (call.status) {
    case "ringing":
      return call.direction === "incoming" ? say("Rings on {device}", { device: on }) : say("Pick up {device} to dial", { device: on });
    case "dialling":
      return say("Calling from {device}…", { device: on });
    case "held":
      return say("On hold on {device}", { device: on });
    default:
      return say("Talking on {device}", { device: on });
  }
}

function buttons(call, state, actions) {
  if (call.where === "elsewhere" || call.stale) {
    return nothing;
  }
  if (call.status === "ringing" && (call.direction === "incoming" || call.where === "here")) {
    return html`<div class="buttons decisions">
      <button class="button go" @click=${() => actions.answer(call)}>${icon("phone")}${say("Answer")}</button>
      <button class="button stop" @click=${() => actions.hangUp(call)}>${icon("hang-up")}${say("Refuse")}</button>
    </div>`;
  }
  const hangUp = html`<button class="button stop" @click=${() => actions.hangUp(call)}>${icon("hang-up")}${say("Hang up")}</button>`;
  if (!["talking", "held"].includes(call.status)) {
    return html`<div class="buttons">${hangUp}</div>`;
  }
  if (isConsultation(state, call)) {
    return html`<div class="buttons consulting">
      <button class="button main" @click=${actions.completeTransfer}>${icon("check")}${say("Complete the transfer")}</button>
      <button class="button" @click=${actions.cancelTransfer}>${icon("close")}${say("Cancel")}</button>
    </div>`;
  }
  return html`<div class="buttons controls">${holdButton(call, actions)}${muteButton(call, actions)}${openers(call, state, actions)}${hangUp}</div>`;
}

function holdButton(call, actions) {
  const held = call.status === "held";
  return html`<button class="button" @click=${() => (held ? actions.resume(call) : actions.hold(call))}>${icon(held ? "play" : "pause")}${held ? say("Resume") : say("Hold")}</button>`;
}

function muteButton(call, actions) {
  if (call.where !== "here") {
    return nothing;
  }
  return html`<button class="button" aria-pressed=${call.muted} @click=${() => actions.mute(call, !call.muted)}>${icon("mute")}${say("Mute")}</button>`;
}

function openers(call, state, actions) {
  const keypad = state.keypadFor === call.id;
  const transfer = state.transferring === call.id;
  return html`
    ${call.where === "here" ? keypadButton(call, keypad, actions) : nothing}
    <button class="button" aria-expanded=${transfer} @click=${() => actions.openTransfer(transfer ? null : call.id)}>${icon("transfer")}${say("Transfer")}</button>`;
}

// The deskphone sends digits by its own keys only.
function keypadButton(call, open, actions) {
  return html`<button class="button" aria-expanded=${open} @click=${() => actions.openKeypad(open ? null : call.id)}>${icon("keypad")}${say("Keypad")}</button>`;
}

function transferTo(call, state, actions) {
  const submit = (event) => {
    event.preventDefault();
    const number = numberFound(document.getElementById("transfer-to"), state, actions);
    if (!number) {
      return;
    }
    const consult = event.submitter?.value === "consult";
    (consult ? actions.consult : actions.transfer)(call, number);
  };
  return html`<form class="aside" @submit=${submit}>
    <div class="field">
      <label for="transfer-to">${say("Transfer to")}</label>
      ${numberField(state, actions, { id: "transfer-to", name: "number", required: true, style: "figures", over: false, pick: ({ number }, field) => (field.value = number) })}
    </div>
    <div class="buttons">
      <button class="button main" value="blind">${say("Transfer now")}</button>
      <button class="button" value="consult">${say("Ask first")}</button>
    </div>
  </form>`;
}

/** Whether keys belong to a call: there is one pad, and while one talks, the keypad of the call has the keys. */
function sendsTones({ own }) {
  return own.some(({ status }) => status === "talking");
}

export function dialPad(state, actions) {
  const tones = sendsTones(state);
  const field = () => document.getElementById("number");
  const press = (key) => {
    field().value += key;
    field().setCustomValidity("");
    actions.sound(key);
  };
  const call = ({ number }) => {
    actions.dial(number);
    field().value = "";
  };
  const dial = (event) => {
    event.preventDefault();
    const number = numberFound(field(), state, actions);
    if (number) {
      call({ number });
    }
  };
  const erase = () => {
    field().value = field().value.slice(0, -1);
    field().focus();
  };
  return html`<section class="card part part-phone" aria-labelledby="dial">
    <h2 id="dial" class="unseen">${say("Call a number")}</h2>
    <form class="dial" @submit=${dial}>
      <div class="number">
        ${numberField(state, actions, { id: "number", label: say("Number to call"), hint: say("Enter a name or a number"), pick: call })}
        <button type="button" class="button bare only-icon" aria-label=${say("Erase the last digit")} title=${say("Erase the last digit")} data-repeats @click=${erase}>${icon("erase")}</button>
        ${tones ? nothing : padButton(state, actions)}
      </div>
      ${tones ? nothing : html`<div class="pad ${state.padOpen ? "open" : ""}" id="pad">${keys(press)}</div>`}
      <button class="button go" ?disabled=${state.session !== "open"}>${icon("phone")}${say("Call")}</button>
      <p class="by small quiet">${deviceInUse(state) === "webrtc" ? say("Calls go out from this browser") : say("Calls go out from your deskphone, which rings first")}</p>
    </form>
  </section>`;
}

function padButton({ padOpen }, actions) {
  const label = say("Show the keys of the dial pad");
  return html`<button type="button" class="button bare only-icon pad-button" aria-label=${label} title=${label} aria-expanded=${padOpen} aria-controls="pad" @click=${() => actions.openPad(!padOpen)}>${icon("keypad")}</button>`;
}
