// The keys of the keyboard, shown by `?`.

import { html, nothing } from "../../vendor/lit-html.js";
import { SHORTCUTS } from "../shortcuts.js";
import { say } from "../words.js";

export function help(state, actions) {
  if (!state.help) {
    return nothing;
  }
  return html`<dialog class="card part help" id="help" aria-labelledby="keys" @close=${() => actions.help(false)}>
    <h2 id="keys">${say("Keys for calls")}</h2>
    <dl>
      ${Object.entries(SHORTCUTS).map(([key, what]) => html`<div><dt><kbd>${key.toUpperCase()}</kbd></dt><dd>${meaning(what)}</dd></div>`)}
      <div><dt><kbd>0</kbd> … <kbd>9</kbd> <kbd>*</kbd> <kbd>#</kbd></dt><dd>${say("Send tones in a call")}</dd></div>
      <div><dt><kbd>?</kbd></dt><dd>${say("Show this")}</dd></div>
    </dl>
    ${state.shortcuts ? nothing : html`<p class="small">${say("The keys are switched off in the settings.")}</p>`}
    <form method="dialog"><button class="button main" autofocus>${say("Close")}</button></form>
  </dialog>`;
}

function meaning(what) {
  return {
    answer: say("Answer"),
    hangUp: say("Hang up"),
    refuse: say("Refuse"),
    toggleMute: say("Mute or unmute"),
    hold: say("Hold or resume"),
  }[what];
}
