// Everybody's deskphone, drawn from what the stage's server shows, and played by hand.

import { html, nothing, render, repeat } from "../vendor/lit-html.js";

const STATES = {
  logged_out: "logged out",
  webrtc_active: "logged in, this browser selected",
  deskphone_selected: "logged in, deskphone selected",
  deskphone_in_use: "logged in, deskphone in a call",
};

let people = [];
let socket = null;

function connect() {
  socket = new WebSocket(new URL("watch", location.href).href.replace(/^http/, "ws"));
  socket.onmessage = ({ data }) => {
    const change = JSON.parse(data);
    document.getElementById("problem").textContent = change.error ?? "";
    if (change.people) {
      people = change.people;
      draw();
    }
  };
  socket.onclose = () => setTimeout(connect, 1000);
}

function press(line, key, argument = "") {
  socket.send(JSON.stringify({ line, key, argument }));
}

function draw() {
  render(repeat(people, ({ user }) => user, desk), document.getElementById("phones"));
}

function desk(person) {
  const { user, name, number, line, plugged, browser, state, messages, calls } = person;
  return html`<section class="desk ${plugged ? "" : "unplugged"}" data-user=${user}>
    <div>
      <h2>${name}</h2>
      <p class="small quiet figures">${number} · ${STATES[state]}${browser ? " · browser registered" : ""}</p>
      ${messages ? html`<p class="small">Message lamp: ${messages} new</p>` : nothing}
    </div>
    ${plugged ? html`${repeat(calls, ({ id }) => id, (call) => oneCall(call, line))}${dial(person)}` : html`<p class="quiet">The phone is unplugged.</p>`}
    <button class="button" @click=${() => press(line, plugged ? "unplug" : "plug")}>${plugged ? "Unplug" : "Plug in"}</button>
  </section>`;
}

function dial({ line, number }) {
  const submit = (event) => {
    event.preventDefault();
    press(line, "dial", new FormData(event.target).get("number").trim());
  };
  const others = people.filter((other) => other.number !== number);
  return html`<form @submit=${submit}>
    <input class="input figures" name="number" aria-label="Number" placeholder="Number" required>
    <button class="button">Dial</button>
  </form>
  <div class="buttons">${others.map((other) => html`<button class="button" @click=${() => press(line, "dial", other.number)}>Call ${other.name.split(" ")[0]}</button>`)}</div>`;
}

function oneCall({ id, direction, status, peer, peerName, dials }, line) {
  const party = peerName || peer || "unknown";
  const says = {
    ringing: dials ? `rings: lift it to dial ${party}` : `rings: ${party} calls`,
    dialling: `calls ${party}`,
    talking: `talks with ${party}`,
    held: `holds ${party}`,
  }[status];
  const hangUp = ["hang_up", "Hang up", "stop"];
  const buttons = {
    ringing: [["hang_up", "Refuse", "stop"], ["answer", "Lift", "go"]],
    dialling: [hangUp],
    talking: [hangUp, ["hold", "Hold"]],
    held: [hangUp, ["resume", "Resume"]],
  }[status];
  const button = ([key, text, kind = ""]) => html`<button class="button ${kind}" @click=${() => press(line, key, id)}>${text}</button>`;
  // A button that changed its meaning, or its place, as somebody presses it would do what nobody wanted.
  return html`<div class="call ${status}" data-direction=${direction}>
    <p>${says}</p>
    <div class="buttons">${repeat(buttons, ([key]) => key, button)}</div>
  </div>`;
}

connect();
