// What went wrong, and what to do about it.

import { html, nothing } from "../../vendor/lit-html.js";
import { wordsFor } from "../troubles.js";
import { isKnown, say } from "../words.js";
import { icon } from "./parts.js";

export function troubles(state, actions) {
  return html`<section class="troubles" aria-label=${say("Notices")}>${state.troubles.map((trouble) => notice(trouble, actions))}</section>`;
}

function notice(trouble, actions) {
  const [what, todo, address] = wordsFor(trouble);
  const language = trouble.detail && !isKnown(trouble.detail) ? "en" : nothing;
  return html`<div class="trouble" data-kind=${trouble.kind}>
    ${icon("warning")}
    <div lang=${language}>
      <b>${what}</b>
      ${todo ? html`<p>${todo}</p>` : nothing}
      ${address ? html`<p><a href=${address} target="_blank" rel="noreferrer">${address}</a></p>` : nothing}
      ${trouble.kind === "offline" ? html`<button class="button" @click=${actions.retry}>${say("Try now")}</button>` : nothing}
    </div>
    <button class="button bare only-icon" aria-label=${say("Dismiss")} title=${say("Dismiss")} @click=${() => actions.dismiss(trouble)}>${icon("close")}</button>
  </div>`;
}
