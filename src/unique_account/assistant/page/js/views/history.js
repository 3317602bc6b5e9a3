// One history of both devices, newest first.

import { html, nothing, repeat } from "../../vendor/lit-html.js";
import { atTime, lasting, onDay, say } from "../words.js";
import { callButton, deviceIcon, icon, partyName } from "./parts.js";

export function history(state, actions) {
  const { entries, next, loading } = state.history;
  return html`<section class="card part part-history" aria-labelledby="history">
    <h2 id="history">${say("History")}</h2>
    ${entries.length ? byDay(entries).map(([day, of]) => oneDay(day, of, state, actions)) : html`<p class="empty">${say("No calls yet.")}</p>`}
    ${next ? html`<button class="button" ?disabled=${loading} @click=${actions.moreHistory}>${say("Show older calls")}</button>` : nothing}
  </section>`;
}

function byDay(entries) {
  const days = new Map();
  for (const entry of entries) {
    const day = onDay(entry.start);
    days.set(day, [...(days.get(day) ?? []), entry]);
  }
  return [...days];
}

function oneDay(day, entries, state, actions) {
  return html`<div>
    <h3 class="of-day">${day}</h3>
    <ul class="rows">${repeat(entries, ({ id, start }) => `${start} ${id}`, (entry) => oneEntry(entry, state, actions))}</ul>
  </div>`;
}

function oneEntry(entry, state, actions) {
  const name = entry.peerName || partyName(state, entry.peer);
  return html`<li class="row ${entry.status}" data-status=${entry.status} data-device=${entry.device ?? ""} data-peer=${entry.peer}>
    <span class="kind ${entry.status}">${icon(iconOf(entry))}</span>
    <div>
      <b>${name || entry.peer || say("Unknown number")}</b>
      <p class="small quiet figures">${statusOf(entry)} · ${atTime(entry.start)}${talked(entry)} ${device(entry)}</p>
    </div>
    ${entry.peer ? callButton(actions, entry.peer, name) : nothing}
  </li>`;
}

function iconOf({ status, direction }) {
  return status === "missed" ? "missed" : direction === "outgoing" ? "outgoing" : "incoming";
}

function statusOf({ status, direction }) {
  return {
    emitted: say("Outgoing"),
    missed: say("Missed"),
    answered: say("Answered"),
    ongoing: direction === "outgoing" ? say("Calling now") : say("Now"),
  }[status];
}

function talked({ duration }) {
  return duration ? ` · ${lasting(duration * 1000)}` : "";
}

function device({ device: name }) {
  if (!name) {
    return nothing;
  }
  const label = name === "webrtc" ? say("Browser") : say("Deskphone");
  return html`<span class="with-icon">${deviceIcon(name)}<span class="label">${label}</span></span>`;
}
