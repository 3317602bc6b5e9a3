// Small parts that several views are made of.

import { html } from "../../vendor/lit-html.js";
import { dialled } from "../number.js";
import { nameOf } from "../state.js";
import { say } from "../words.js";

export function icon(name) {
  return html`<svg class="icon" viewBox="0 0 24 24" aria-hidden="true"><use href="icons.svg#${name}"></use></svg>`;
}

/** What a presence is called, and the class of its dot. */
export function presenceOf(presence) {
  switch (presence) {
    case 0:
      return [say("Available"), "free"];
    case 1:
      return [say("In a call"), "taken"];
    case 2:
      return [say("Busy"), "taken"];
    case 8:
      return [say("Ringing"), "rings"];
    case 9:
      return [say("In a call, and ringing"), "taken"];
    case 16:
      return [say("On hold"), "held"];
    case 4:
      return [say("Not reachable"), ""];
    default:
      return [say("Unknown"), ""];
  }
}

/** What people are shown of a number: do-not-disturb and forwards count before what its phones do. */
export function availabilityOf({ presence, doNotDisturb = false, forwarded = false, forwardedTo = null }) {
  const [says, dot] = presenceOf(presence);
  if (dot === "taken" || dot === "rings" || dot === "held") {
    return [says, dot]; // a call that goes on is more than where the next one goes
  }
  if (doNotDisturb) {
    return [say("Do not disturb"), "away"];
  }
  if (forwarded) {
    return [forwardedTo ? say("Calls go to {where}", { where: forwardedTo }) : say("Calls are forwarded"), "forwards"];
  }
  return [says, dot];
}

/** Where a call goes, as a place in a sentence. */
export function placeName({ kind, number }, state) {
  return kind === "number" ? nameOf(state, number) || number : say("voicemail");
}

export function face(name, number, dotted) {
  const dot = dotted === undefined ? "" : html`<span class="dot ${dotted}"></span>`;
  return html`<span class="face" aria-hidden="true">${initials(name) || number.slice(-2)}${dot}</span>`;
}

export function deviceName(device) {
  return device === "webrtc" ? say("this browser") : say("the deskphone");
}

export function deviceIcon(device) {
  return icon(device === "webrtc" ? "browser" : "deskphone");
}

export function callButton(actions, number, name) {
  const what = say("Call {name}", { name: name || number });
  return html`<button class="button bare only-icon" aria-label=${what} title=${what} @click=${() => actions.dial(number)}>${icon("phone")}</button>`;
}

export const KEYS = [
  ["1", ""], ["2", "ABC"], ["3", "DEF"],
  ["4", "GHI"], ["5", "JKL"], ["6", "MNO"],
  ["7", "PQRS"], ["8", "TUV"], ["9", "WXYZ"],
  ["*", ""], ["0", "+"], ["#", ""],
];

export function keys(press) {
  const key = ([sign, letters]) => html`<button type="button" class="key" data-key=${sign} @click=${() => press(sign)}><span>${sign}</span><small>${letters}</small></button>`;
  return html`<div class="keys" role="group" aria-label=${say("Keys")}>${KEYS.map(key)}</div>`;
}

function initials(name) {
  const words = name.split(/\s+/).filter(Boolean);
  return (words.length > 1 ? [words[0], words.at(-1)] : words).map((word) => word[0].toUpperCase()).join("");
}

/** The number in a field; null if there is none, of which the field then complains. */
export function numberIn(field) {
  const number = dialled(field.value);
  field.setCustomValidity(number || !field.value.trim() ? "" : say("A number has only digits, *, # and a leading +."));
  field.reportValidity();
  return number;
}

/** For the `input` event of such a field: what is being typed is not complained of yet. */
export const uncomplained = (event) => event.target.setCustomValidity("");
