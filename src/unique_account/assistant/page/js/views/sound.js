// Sound devices, volumes, headsets and keys: chosen and tried out.

import { html, live, nothing } from "../../vendor/lit-html.js";
import { CHOOSES_SPEAKER } from "../audio.js";
import { HAS_HID } from "../headset.js";
import { HANDLES_LINKS } from "../links.js";
import { say } from "../words.js";
import { icon } from "./parts.js";

export function sound(state, actions) {
  const { microphones, speakers } = state.audioDevices;
  return html`<section class="card part part-sound" aria-labelledby="sound">
    <h3 id="sound">${say("Sound and headset")}</h3>
    <div class="settings">
      <div class="of-device">
        ${device("microphone", say("Microphone"), microphones, state, actions)}
        <button class="button" aria-pressed=${state.testingMicrophone} @click=${actions.testMicrophone}>${icon("microphone")}${say("Test the microphone")}</button>
        <meter id="microphone-level" min="0" max="1" aria-label=${say("Level of the microphone")} ?hidden=${!state.testingMicrophone}></meter>
      </div>
      <div class="of-device">
        ${CHOOSES_SPEAKER ? device("speaker", say("Speaker"), speakers, state, actions) : nothing}
        ${volume("volume", say("Volume of calls"), state, actions)}
        <button class="button" @click=${() => actions.testSound("speaker")}>${icon("play")}${say("Test the speaker")}</button>
      </div>
      <div class="of-device">
        ${CHOOSES_SPEAKER ? device("ringer", say("Ringer"), speakers, state, actions) : nothing}
        ${volume("ringVolume", say("Volume of the ringer"), state, actions)}
        <button class="button" @click=${() => actions.testSound("ringer")}>${icon("play")}${say("Test the ringer")}</button>
      </div>
      ${HAS_HID ? headset(state, actions) : nothing}
    </div>
  </section>`;
}

export function keysAndLinks(state, actions) {
  return html`<section class="card part part-keys" aria-labelledby="keys-and-links">
    <h3 id="keys-and-links">${say("Keys and links")}</h3>
    <div class="settings">
      <label class="switch"><span>${say("Keys of the keyboard for calls")}</span><input type="checkbox" role="switch" .checked=${live(state.shortcuts)} @change=${(event) => actions.useShortcuts(event.target.checked)}><i></i></label>
      <button class="button" @click=${() => actions.help(true)}>${say("Show the keys")}</button>
      ${HANDLES_LINKS ? html`<button class="button" @click=${actions.handleLinks}>${say("Open telephone links here")}</button>` : nothing}
    </div>
  </section>`;
}

function device(name, label, devices, state, actions) {
  const chosen = state.audio[name];
  const known = devices.some(({ id }) => id === chosen);
  return html`<label class="field"><span>${label}</span>
    <select class="choice" data-audio=${name} @change=${(event) => actions.chooseAudio({ [name]: event.target.value })}>
      <option value="" ?selected=${!chosen}>${say("As the system has it")}</option>
      ${devices.map(({ id, label: text }, index) => html`<option value=${id} ?selected=${id === chosen}>${text || `${label} ${index + 1}`}</option>`)}
      ${chosen && !known ? html`<option value=${chosen} selected>${say("Not plugged in")}</option>` : nothing}
    </select>
  </label>`;
}

function volume(name, label, state, actions) {
  return html`<label class="field"><span>${label}</span>
    <input type="range" min="0" max="1" step="0.05" data-audio=${name} .value=${live(String(state.audio[name]))} @change=${(event) => actions.chooseAudio({ [name]: Number(event.target.value) })}>
  </label>`;
}

function headset({ headsets }, actions) {
  return html`<div class="of-headset"><p class="small" id="headsets">${headsets.length ? say("Keys of {names} answer, hang up and mute.", { names: headsets.join(", ") }) : say("The keys of a headset can answer, hang up and mute.")}</p>
    <button class="button" @click=${actions.askHeadset}>${say("Use the keys of a headset")}</button></div>`;
}
