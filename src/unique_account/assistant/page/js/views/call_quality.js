// How a call sounds, in a word; the numbers behind it on request.

import { html, nothing } from "../../vendor/lit-html.js";
import { inNumber, say } from "../words.js";

export function qualityOfCall(state, call) {
  if (call.network === "lost") {
    return html`<p class="quality poor" data-quality="lost">${say("The network changed. Your call comes back in a moment.")}</p>`;
  }
  const quality = state.quality[call.id];
  if (!quality || call.status !== "talking" || call.where !== "here") {
    return nothing;
  }
  const { loss, jitter, roundTrip } = quality;
  return html`<details class="quality small ${quality.word === "good" ? "" : "poor"}" data-quality=${quality.word}>
    <summary>${wordOf(quality)}</summary>
    <p class="figures">${say("Loss {loss} % · jitter {jitter} ms · round trip {roundTrip} ms", {
      loss: inNumber(loss * 100, 1),
      jitter: inNumber(jitter * 1000, 0),
      roundTrip: inNumber(roundTrip * 1000, 0),
    })}</p>
  </details>`;
}

function wordOf({ word }) {
  return {
    good: say("Sound: good"),
    poor_here: say("Sound: poor, because of your network"),
    poor_there: say("Sound: poor, because of their network"),
  }[word];
}
