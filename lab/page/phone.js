// A WebRTC line that does what it is told. What happens to it goes to tell(), which the test provides.
"use strict";

const media = {
  // The browser takes a tone for noise, and would suppress it.
  mediaConstraints: { audio: { autoGainControl: false, echoCancellation: false, noiseSuppression: false } },
  pcConfig: { iceServers: [] },
};

let agent = null;
let session = null;
let asked = null; // the call beside which the newest one was made
let settings = null;

function register(url, name, password) {
  settings = { url, name, password };
  agent = new JsSIP.UA({
    sockets: [new JsSIP.WebSocketInterface(url)],
    uri: `sip:${name}@${new URL(url).hostname}`,
    authorization_user: name,
    password,
    register_expires: 60,
    session_timers: false,
  });
  for (const kind of ["connected", "disconnected", "registered", "unregistered", "registrationFailed"]) {
    agent.on(kind, (event) => tell(kind, event?.cause ?? ""));
  }
  agent.on("newRTCSession", ({ originator, session: begun, request }) => {
    asked = session;
    session = begun;
    follow(begun);
    tell(originator === "remote" ? "ringing" : "dialling", begun.remote_identity.uri.user);
    tell("call-id", request.call_id);
    // XiVO's client answers a call with this header by itself.
    if (originator === "remote" && request.getHeader("Alert-Info") === "xivo-autoanswer") {
      begun.answer(media);
    }
  });
  agent.start();
}

function follow(begun) {
  for (const kind of ["progress", "accepted", "confirmed", "hold", "unhold"]) {
    begun.on(kind, (event) => tell(kind, event?.originator ?? ""));
  }
  for (const kind of ["ended", "failed"]) {
    begun.on(kind, (event) => tell("closed", event.cause));
  }
  // Without servers to ask, the first candidate is as good as all of them.
  begun.on("icecandidate", (event) => event.ready());
  begun.on("peerconnection", ({ peerconnection }) => play(peerconnection));
  if (begun.connection) {
    play(begun.connection);
  }
}

function play(connection) {
  connection.addEventListener("track", (event) => {
    document.querySelector("audio").srcObject = new MediaStream([event.track]);
  });
}

function unregister() {
  agent.stop();
}

function dial(number) {
  agent.call(number, media);
}

function answer() {
  session.answer(media);
}

function hangUp() {
  // What it says by itself is that it is not available, which is no refusal.
  const refuses = session.direction === "incoming" && session.isInProgress();
  session.terminate(refuses ? { status_code: 486 } : {});
}

function terminate() {
  session.terminate();
}

function hold() {
  session.hold();
}

function transfer(number) {
  const given = session;
  given.refer(number, { eventHandlers: { accepted: () => given.terminate() } });
}

// Gives the first of two calls to the party of the second.
function join() {
  asked.refer(session.remote_identity.uri, { replaces: session });
}

// How much the page heard in its call: the energy of the sound that it received, 0 for silence.
async function heard() {
  let energy = 0;
  for (const report of (await session.connection.getStats()).values()) {
    if (report.type === "inbound-rtp" && report.kind === "audio") {
      energy += report.totalAudioEnergy ?? 0;
    }
  }
  return energy;
}
