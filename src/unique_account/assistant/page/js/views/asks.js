// What the page asks of the user, and what must not be overlooked: sound, notifications, a muted microphone.

import { html, nothing } from "../../vendor/lit-html.js";
import { say } from "../words.js";
import { icon } from "./parts.js";

export function asks(state, actions) {
  const muted = state.own.find(({ id, muted: is }) => id === state.speaksMuted && is);
  return html`<section class="asks" aria-label=${say("Questions")}>
    ${muted ? speaksMuted(muted, actions) : nothing}
    ${state.soundBlocked ? allowSound(actions) : nothing}
    ${state.asksNotifications && !state.soundBlocked ? allowNotifications(actions) : nothing}
  </section>`;
}

function speaksMuted(call, actions) {
  return html`<div class="ask loud" data-ask="muted">
    ${icon("mute")}
    <b>${say("You are muted.")}</b>
    <button class="button" @click=${() => actions.mute({ ...call, where: "here" }, false)}>${say("Unmute")}</button>
  </div>`;
}

function allowSound(actions) {
  return html`<div class="ask" data-ask="sound" role="status">
    ${icon("warning")}
    <b>${say("Calls ring silently.")}</b>
    <button class="button main" @click=${actions.allowSound}>${say("Click to allow sound")}</button>
  </div>`;
}

function allowNotifications(actions) {
  return html`<div class="ask" data-ask="notifications">
    ${icon("phone")}
    <p><b>${say("May the page show a notification when somebody calls?")}</b> ${say("It appears while another window is in front, and you can answer from it.")}</p>
    <div class="buttons">
      <button class="button main" @click=${() => actions.allowNotifications(true)}>${say("Yes, show calls")}</button>
      <button class="button" @click=${() => actions.allowNotifications(false)}>${say("No")}</button>
    </div>
  </div>`;
}
