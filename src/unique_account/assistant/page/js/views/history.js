// One history of both devices, newest first.

import { html, nothing, repeat } from "../../vendor/lit-html.js";
import { folded, matches } from "../directory.js";
import { unseen } from "../missed.js";
import { nameOf } from "../state.js";
import { atTime, lasting, onDay, say } from "../words.js";
import { callButton, deviceIcon, icon } from "./parts.js";

export function history(state, actions) {
  const { next, loading } = state.history;
  const entries = shownEntries(state);
  const none = state.history.entries.length ? say("No call matches.") : say("No calls yet.");
  return html`<section class="card part part-history" aria-labelledby="history">
    <header>
      <h2 id="history">${say("History")}</h2>
      ${state.history.entries.length ? filters(state, actions) : nothing}
    </header>
    ${entries.length ? byDay(entries).map(([day, of]) => oneDay(day, of, state, actions)) : html`<p class="empty">${none}</p>`}
    ${next ? html`<button class="button" ?disabled=${loading} @click=${actions.moreHistory}>${say("Show older calls")}</button>` : nothing}
  </section>`;
}

function shownEntries(state) {
  const words = state.historyWords.split(/\s+/).filter(Boolean).map(folded);
  const missed = state.history.entries.filter(({ status }) => state.historyOnly === "all" || status === "missed");
  return missed.filter((entry) => matches(words, entry.peerName || nameOf(state, entry.peer), entry.peer));
}

/** How many missed calls nobody has seen yet. */
export function notSeen(state) {
  const count = unseen(state).length;
  return count ? html` <span class="count" title=${say("{count} not seen", { count })}>${count}</span>` : nothing;
}

function filters(state, actions) {
  const only = (which, label) => html`<button class="button" aria-pressed=${state.historyOnly === which} data-only=${which} @click=${() => actions.showHistory(which, state.historyWords)}>${label}</button>`;
  return html`<div class="filters">
    <div class="buttons" role="group" aria-label=${say("Which calls")}>
      ${only("all", say("All"))}
      ${only("missed", html`${say("Missed")}${notSeen(state)}`)}
    </div>
    <input class="input" type="search" aria-label=${say("Search the history")} placeholder=${say("Name or number")} maxlength="64" .value=${state.historyWords} @input=${(event) => actions.showHistory(state.historyOnly, event.target.value)}>
  </div>`;
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
  const name = entry.peerName || nameOf(state, entry.peer);
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
