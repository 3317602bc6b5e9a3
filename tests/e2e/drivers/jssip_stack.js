// The SIP stack of XiVO's client, by JsSIP: registered by what a `LineConfig` says, with calls named by `Call-ID`.
// What happens goes to report(), which the driver provides. Answering is left to the model of the client.
"use strict";

const media = {
  // The browser takes a tone for noise, and would suppress it.
  mediaConstraints: { audio: { autoGainControl: false, echoCancellation: false, noiseSuppression: false } },
  pcConfig: { iceServers: [] },
};
const SILENCE = -60; // decibels

const calls = new Map();
const context = new AudioContext();
let agent = null;

function start({ name, password, xivoIp, sipPort, sipProxyName }) {
  const domain = sipProxyName.replaceAll("_", "-");
  agent = new JsSIP.UA({
    sockets: [new JsSIP.WebSocketInterface(`ws://${xivoIp}:${sipPort}/ws`)],
    uri: `sip:${name}@${domain}`,
    realm: domain,
    authorization_user: name,
    password,
    register_expires: 60,
    session_timers: false,
  });
  agent.on("registered", () => report("registered", "", ""));
  agent.on("newRTCSession", ({ originator, session, request }) => {
    if (originator === "remote") {
      follow(session, request);
    }
  });
  agent.start();
}

function follow(session, request) {
  const id = request.call_id;
  calls.set(id, { session, analyser: null });
  // Without servers to ask, the first candidate is as good as all of them.
  session.on("icecandidate", (event) => event.ready());
  session.on("peerconnection", ({ peerconnection }) => {
    peerconnection.addEventListener("track", ({ track }) => listen(id, new MediaStream([track])));
  });
  for (const kind of ["ended", "failed"]) {
    session.on(kind, () => {
      calls.delete(id);
      report("bye", id, "");
    });
  }
  report("invite", id, request.getHeader("Alert-Info") ?? "");
}

function listen(id, stream) {
  const player = new Audio(); // without one, Chromium decodes nothing
  player.srcObject = stream;
  player.muted = true;
  player.play();
  const analyser = context.createAnalyser();
  analyser.fftSize = 8192;
  context.createMediaStreamSource(stream).connect(analyser);
  calls.get(id).analyser = analyser;
}

function stop() {
  agent.stop();
}

function answer(id) {
  calls.get(id).session.answer(media);
}

// Resolves once the other side has agreed.
function hold(id, on) {
  const { session } = calls.get(id);
  return new Promise((resolve, reject) => {
    const started = on ? session.hold({}, resolve) : session.unhold({}, resolve);
    if (!started) {
      reject(new Error(on ? "the call cannot be held now" : "the call cannot be resumed now"));
    }
  });
}

function mute(id, on) {
  const { session } = calls.get(id);
  return on ? session.mute({ audio: true }) : session.unmute({ audio: true });
}

function press(id, key) {
  calls.get(id).session.sendDTMF(key, { transportType: "RFC2833", duration: 120 });
}

// The loudest frequency of each call, in hertz; 0 for silence.
function tones() {
  return [...calls.values()].map(({ analyser }) => (analyser ? loudest(analyser) : 0));
}

function loudest(analyser) {
  const bins = new Float32Array(analyser.frequencyBinCount);
  analyser.getFloatFrequencyData(bins);
  const most = Math.max(...bins);
  return most < SILENCE ? 0 : (bins.indexOf(most) * context.sampleRate) / analyser.fftSize;
}
