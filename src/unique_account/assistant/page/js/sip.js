// The browser's phone: JsSIP on the WebRTC line (C2).
//
// A phone has start(line), stop(), the commands below, and hooks: `changed(registration, calls)`,
// `troubled(trouble, more)`, `recovered(kind)` where a trouble in a call is over, and `reconnects()`, called when the
// network may be another one. A call is { id, direction, status, peer, peerName, answered, muted, network }. Its status is
// dialling, ringing, talking or held, and its network is `lost` while no sound comes.

import { playCall, stopCall } from "./audio.js";
import { causeOf, wasTakenElsewhere } from "./causes.js";
import { microphone, replaceWhenUnplugged, stopTracks } from "./microphone.js";
import { PhoneTrouble } from "./phone_trouble.js";
import { Recovery } from "./recovery.js";
import { workerAddress } from "./worker_address.js";

const { C, UA, WebSocketInterface } = globalThis.JsSIP;
const GATHERS_FOR = { withoutServers: 100, withServers: 700 }; // milliseconds
const EXPIRES = 60; // seconds
const RENEWS_AFTER = 25_000; // milliseconds, though the page may be in the background
const SETTLES_WITHIN = 5000; // milliseconds
const HOLD_FAILED = /hold failed$/i; // how JsSIP ends a call whose hold was refused
const NOT_ANSWERED_HERE = new Set(["Canceled", "Rejected", "Terminated", "Busy", "No Answer"]);

export class Phone {
  static played = false;
  #agent = null;
  #socket = null;
  #line = null;
  #registration = "off";
  #sessions = new Map();
  #everConnected = false;
  #lost = false; // its connection, which it tries to get back
  #ticker = null;
  #registeredAt = 0;
  #recovery = new Recovery({
    isConnected: () => this.#registration === "registered",
    ask: () => this.renew(),
    reconnect: (isBroken) => this.#reconnectNow(isBroken),
    changed: () => this.#report(),
  });

  constructor({ changed, troubled, recovered, reconnects }) {
    this.changed = changed;
    this.troubled = troubled;
    this.recovered = recovered;
    this.reconnects = reconnects;
  }

  /** Register a line: { url, uri, name, password, realm, iceServers }. */
  start(line) {
    if (this.#agent) {
      return;
    }
    this.#line = line;
    this.#everConnected = this.#lost = false;
    this.#socket = new WebSocketInterface(line.url);
    this.#agent = new UA({
      sockets: [this.#socket],
      uri: line.uri,
      authorization_user: line.name,
      password: line.password,
      ...(line.realm && { realm: line.realm }),
      register_expires: EXPIRES,
      session_timers: false,
      connection_recovery_min_interval: 2,
      connection_recovery_max_interval: 20,
    });
    this.#agent.on("connected", () => (this.#everConnected = true));
    this.#agent.on("disconnected", (event) => this.#disconnected(event));
    this.#agent.on("registered", () => this.#registered());
    this.#agent.on("unregistered", () => this.#register(this.#lost ? "failed" : "off"));
    this.#agent.on("registrationFailed", ({ cause }) => this.#refused(cause));
    this.#agent.on("newRTCSession", ({ session }) => this.#follow(session));
    this.#register("registering");
    this.#agent.start();
    this.#ticker = new Worker(workerAddress("js/ticker.js"));
    this.#ticker.onmessage = () => this.#tick();
  }

  /** End all calls and take the registration back; resolves once the server has confirmed it. */
  async stop() {
    const agent = this.#agent;
    if (!agent) {
      return;
    }
    this.#agent = null;
    this.#ticker.terminate();
    const gone = new Promise((resolve) => agent.once("disconnected", resolve));
    agent.stop();
    this.#sessions.clear();
    this.#register("off");
    await Promise.race([gone, after(1500)]);
  }

  /** The network may have been away: see whether the line is still registered. */
  renew() {
    if (this.#agent?.isConnected()) {
      this.#agent.register();
    }
  }

  /** The network is another one than before: calls come back on it. */
  networkChanged() {
    this.#recovery.changed();
  }

  /** The page goes away: say goodbye in calls that were answered, since no page can take them up again. */
  leave() {
    for (const { session } of this.#sessions.values()) {
      if (session.isEstablished()) {
        session.terminate();
      }
    }
  }

  async dial(number) {
    const mediaStream = await microphone();
    if (this.#registration !== "registered") {
      stopTracks(mediaStream);
      throw new PhoneTrouble("not_registered");
    }
    const session = this.#agent.call(number, { mediaStream, pcConfig: this.#servers() });
    this.#talksBy(this.#known(session), mediaStream);
    return session.id;
  }

  async answer(id) {
    const known = this.#get(id);
    const mediaStream = await microphone();
    if (known.session.isEnded()) {
      stopTracks(mediaStream);
      return;
    }
    this.#talksBy(known, mediaStream);
    known.session.answer({ mediaStream, pcConfig: this.#servers() });
  }

  hangUp(id) {
    const { session } = this.#get(id);
    const refused = session.direction === "incoming" && !session.isEstablished();
    session.terminate(refused ? { status_code: 486 } : {});
  }

  hold(id) {
    return this.#renegotiate(id, "hold");
  }

  resume(id) {
    return this.#renegotiate(id, "unhold");
  }

  mute(id, on) {
    const { session } = this.#get(id);
    if (on) {
      session.mute({ audio: true });
    } else {
      session.unmute({ audio: true });
    }
  }

  press(id, key) {
    this.#get(id).session.sendDTMF(key, { transportType: "RFC2833", duration: 120 });
  }

  /** Send the other party to a number; with `consulted`, to the party of that call (attended). */
  transfer(id, number, consulted) {
    const { session } = this.#get(id);
    const replaces = consulted ? this.#get(consulted).session : undefined;
    return new Promise((resolve, reject) => {
      const refused = () => reject(new PhoneTrouble("transfer_refused"));
      session.refer(number, {
        replaces,
        eventHandlers: { accepted: resolve, requestFailed: refused, failed: refused },
      });
      session.once("ended", resolve);
    }).then(() => {
      for (const over of [session, replaces]) {
        if (over && !over.isEnded()) {
          over.terminate();
        }
      }
    });
  }

  /** Let the calls of now use the microphone that was chosen by now. */
  async useMicrophone() {
    for (const known of [...this.#sessions.values()].filter(({ stream }) => stream)) {
      const stream = await microphone();
      const [track] = stream.getAudioTracks();
      const sender = known.session.connection?.getSenders().find((one) => one.track?.kind === "audio");
      track.enabled = sender?.track?.enabled ?? true;
      await sender?.replaceTrack(track);
      stopTracks(known.stream);
      known.stream = stream;
    }
  }

  microphoneOf(id) {
    return this.#sessions.get(id)?.stream?.getAudioTracks()[0] ?? null;
  }

  statistics(id) {
    return this.#sessions.get(id)?.session.connection?.getStats() ?? null;
  }

  get calls() {
    const network = ({ session }) => (this.#recovery.isLost(session) ? "lost" : "");
    return [...this.#sessions.values()].map((known) => ({ ...shown(known), network: network(known) }));
  }

  #follow(session) {
    const known = this.#known(session);
    const { terminate } = session;
    session.terminate = (options = {}) =>
      HOLD_FAILED.test(options.reason_phrase ?? "") ? known.refused?.() : terminate.call(session, options);
    session.on("icecandidate", (event) => this.#candidate(known, event));
    const connected = (connection) => {
      listen(known, connection);
      this.#recovery.follow(session, connection);
    };
    session.on("peerconnection", ({ peerconnection }) => connected(peerconnection));
    if (session.connection) {
      connected(session.connection);
    }
    for (const kind of ["progress", "accepted", "confirmed", "hold", "unhold", "muted", "unmuted"]) {
      session.on(kind, () => this.#report());
    }
    session.on("accepted", () => (known.answered ??= new Date()));
    session.on("ended", (event) => this.#ended(known, event));
    session.on("failed", ({ cause, originator, message }) => this.#over(known, cause, originator, message));
    this.#report();
  }

  #known(session) {
    const known = this.#sessions.get(session.id) ?? { session, answered: null, audio: null, stream: null };
    this.#sessions.set(session.id, known);
    return known;
  }

  #over(known, cause = "", originator = "", message = null) {
    this.#recovery.forget(known.session);
    this.#sessions.delete(known.session.id);
    stopTracks(known.stream);
    if (known.audio) {
      stopCall(known.audio);
    }
    this.#report();
    if (wasTakenElsewhere(message)) {
      this.troubled("answered_elsewhere");
    } else if (originator === "remote" && known.session.direction === "outgoing") {
      this.troubled(causeOf(message));
    } else if (cause && !NOT_ANSWERED_HERE.has(cause)) {
      this.troubled("call_failed");
    }
  }

  // A call that ends without either party's doing was lost to the network, and can be called back.
  #ended(known, { cause, originator }) {
    const { session } = known;
    const hungUp = originator === "local" && cause === C.causes.BYE;
    const lost = !hungUp && (originator === "local" || this.#recovery.isLost(session));
    this.#over(known);
    if (lost) {
      const { peer, peerName } = shown(known);
      this.troubled("network_lost", { number: peer, name: peerName || peer });
    }
  }

  // Without servers to ask, the addresses of this machine are all there is, and they come at once.
  #candidate(known, { candidate, ready }) {
    const servers = this.#line.iceServers.length > 0;
    if (known.ready !== ready) {
      clearTimeout(known.gathering); // of a negotiation before
      Object.assign(known, { ready, gathering: null });
    }
    if (/ typ (srflx|relay) /.test(candidate.candidate)) {
      ready();
    } else {
      known.gathering ??= setTimeout(ready, servers ? GATHERS_FOR.withServers : GATHERS_FOR.withoutServers);
    }
  }

  #talksBy(known, stream) {
    known.stream = stream;
    replaceWhenUnplugged(known, (kind) => (kind ? this.troubled(kind) : this.recovered("microphone_gone")));
  }

  /** Hold or resume. Where the other side refuses, JsSIP would end the call and call nothing back. */
  #renegotiate(id, verb) {
    const known = this.#get(id);
    const { session } = known;
    return new Promise((resolve, reject) => {
      const fails = (kind) => reject(new PhoneTrouble(kind));
      known.refused = () => {
        known.refused = null;
        session[verb === "hold" ? "unhold" : "hold"]();
        fails("hold_refused");
      };
      session.once("ended", () => fails("call_over"));
      setTimeout(fails, SETTLES_WITHIN, "try_again");
      if (!session[verb]({}, resolve)) {
        fails("try_again");
      }
    }).finally(() => (known.refused = null));
  }

  #get(id) {
    const known = this.#sessions.get(id);
    if (!known) {
      throw new PhoneTrouble("call_over");
    }
    return known;
  }

  #servers() {
    return { iceServers: this.#line.iceServers };
  }

  /** Keep the line registered where the agent's own timer comes too late. */
  #tick() {
    if (this.#registration === "registered" && Date.now() - this.#registeredAt > RENEWS_AFTER) {
      this.renew();
    }
  }

  #registered() {
    this.#lost = false;
    this.#registeredAt = Date.now();
    this.#register("registered");
    this.#recovery.connected();
  }

  #disconnected({ error }) {
    if (this.#agent && error) {
      const again = this.#lost;
      this.#lost = true;
      this.#register("failed");
      if (!again) {
        this.troubled(this.#everConnected ? "line_lost" : "line_unreachable");
      }
      this.#recovery.changed(true);
    }
  }

  #refused(cause) {
    if (!this.#agent) {
      return;
    }
    if (cause === C.causes.REQUEST_TIMEOUT) {
      this.#reconnect();
    } else {
      this.#register("failed");
      this.troubled(cause === "Connection Error" ? "line_unreachable" : "line_refused");
    }
  }

  // Nobody answers, yet the connection did not break: JsSIP would wait for that, which may take a quarter of an hour.
  #reconnect() {
    this.#socket.disconnect();
    this.#socket.ondisconnect(true);
  }

  // For calls that must come back at once; JsSIP would wait.
  #reconnectNow(isBroken) {
    if (!this.#agent) {
      return;
    }
    if (!isBroken && (this.#socket.isConnected() || this.#socket.isConnecting())) {
      this.#reconnect();
    }
    this.#socket.connect();
    this.reconnects();
  }

  #register(registration) {
    this.#registration = registration;
    this.#report();
  }

  #report() {
    this.changed(this.#registration, this.calls);
  }
}

function shown({ session, answered }) {
  const peer = session.remote_identity;
  return {
    id: session.id,
    direction: session.direction,
    status: statusOf(session),
    peer: peer?.uri?.user ?? "",
    peerName: peer?.display_name ?? "",
    answered: answered?.toISOString() ?? null,
    muted: session.isMuted().audio,
  };
}

function statusOf(session) {
  if (!session.isEstablished()) {
    return session.direction === "incoming" ? "ringing" : "dialling";
  }
  return session.isOnHold().local ? "held" : "talking";
}

function listen(known, connection) {
  connection.addEventListener("track", ({ track }) => {
    known.audio ??= new Audio();
    known.audio.srcObject = new MediaStream([track]);
    playCall(known.audio);
  });
}

function after(milliseconds) {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}
