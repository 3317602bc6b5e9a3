// What went wrong, and what to do about it.

import { html, nothing } from "../../vendor/lit-html.js";
import { wordsFor } from "../troubles.js";
import { say } from "../words.js";
import { icon } from "./parts.js";

export function troubles(state, actions) {
  return html`<section class="troubles" aria-label=${say("Notices")}>${state.troubles.map((trouble) => notice(trouble, actions))}</section>`;
}

function notice(trouble, actions) {
  const [what, todo, address] = wordsFor(trouble);
  return html`<div class="trouble" data-kind=${trouble.kind} data-id=${trouble.id ?? nothing}>
    ${icon("warning")}
    <div>
      <b>${what}</b>
      ${todo ? html`<p>${todo}</p>` : nothing}
      ${address ? html`<p><a href=${address} target="_blank" rel="noreferrer">${address}</a></p>` : nothing}
      ${action(trouble, actions)}
    </div>
    <button class="button bare only-icon" aria-label=${say("Dismiss")} title=${say("Dismiss")} @click=${() => actions.dismiss(trouble)}>${icon("close")}</button>
  </div>`;
}

function action(trouble, actions) {
  switch (trouble.kind) {
    case "offline":
      return html`<button class="button" @click=${actions.retry}>${say("Try now")}</button>`;
    case "log_out_in_call":
      return html`<button class="button stop" @click=${actions.logOutAnyway}>${say("Hang up and log out")}</button>`;
    default:
      return trouble.number
        ? html`<button class="button" data-number=${trouble.number} @click=${() => callBack(trouble, actions)}>${say("Call back")}</button>`
        : nothing;
  }
}

function callBack(trouble, actions) {
  actions.dismiss(trouble);
  actions.dial(trouble.number);
}
