// The browser's phone: JsSIP on the WebRTC line (C2).
//
// A phone has start(line), stop(), the commands below, and two hooks: `changed(registration, calls)` and
// `troubled(trouble)`. A call is { id, direction, status, peer, peerName, answered, muted }, and its status
// is dialling, ringing, talking or held.

const { C, UA, WebSocketInterface } = globalThis.JsSIP;
const GATHERS_FOR = { withoutServers: 100, withServers: 700 }; // milliseconds
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

  constructor({ changed, troubled }) {
    this.changed = changed;
    this.troubled = troubled;
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
      register_expires: 60,
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
  }

  /** End all calls and take the registration back; resolves once the server has confirmed it. */
  async stop() {
    const agent = this.#agent;
    if (!agent) {
      return;
    }
    this.#agent = null;
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
    this.#known(session).stream = mediaStream;
    return session.id;
  }

  async answer(id) {
    const known = this.#get(id);
    const mediaStream = await microphone();
    if (known.session.isEnded()) {
      stopTracks(mediaStream);
      return;
    }
    known.stream = mediaStream;
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

  get calls() {
    return [...this.#sessions.values()].map(shown);
  }

  #follow(session) {
    const known = this.#known(session);
    session.on("icecandidate", (event) => this.#candidate(known, event));
    session.on("peerconnection", ({ peerconnection }) => listen(known, peerconnection));
    if (session.connection) {
      listen(known, session.connection);
    }
    for (const kind of ["progress", "accepted", "confirmed", "hold", "unhold", "muted", "unmuted"]) {
      session.on(kind, () => this.#report());
    }
    session.on("accepted", () => (known.answered ??= new Date()));
    session.on("ended", () => this.#over(known));
    session.on("failed", ({ cause, originator, message }) => this.#over(known, cause, originator, message));
    this.#report();
  }

  #known(session) {
    const known = this.#sessions.get(session.id) ?? { session, answered: null, audio: null, stream: null };
    this.#sessions.set(session.id, known);
    return known;
  }

  #over(known, cause = "", originator = "", message = null) {
    this.#sessions.delete(known.session.id);
    stopTracks(known.stream);
    known.audio?.pause();
    this.#report();
    const reason = message?.getHeader?.("Reason") ?? "";
    if (/cause\s*=\s*(200|26)\b/.test(reason)) {
      this.troubled("answered_elsewhere");
    } else if (originator === "remote" && known.session.direction === "outgoing") {
      this.troubled(cause === "Busy" ? "busy" : cause === "Not Found" ? "no_such_number" : "not_taken");
    } else if (cause && !NOT_ANSWERED_HERE.has(cause)) {
      this.troubled("call_failed");
    }
  }

  // Without servers to ask, the addresses of this machine are all there is, and they come at once.
  #candidate(known, { candidate, ready }) {
    const servers = this.#line.iceServers.length > 0;
    if (/ typ (srflx|relay) /.test(candidate.candidate)) {
      ready();
    } else {
      known.gathering ??= setTimeout(ready, servers ? GATHERS_FOR.withServers : GATHERS_FOR.withoutServers);
    }
  }

  #renegotiate(id, verb) {
    const { session } = this.#get(id);
    return new Promise((resolve, reject) => {
      if (!session[verb]({}, resolve)) {
        reject(new PhoneTrouble("try_again"));
      }
    });
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

  #registered() {
    this.#lost = false;
    this.#register("registered");
  }

  #disconnected({ error }) {
    if (this.#agent && error) {
      const again = this.#lost;
      this.#lost = true;
      this.#register("failed");
      if (!again) {
        this.troubled(this.#everConnected ? "line_lost" : "line_unreachable");
      }
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

  #register(registration) {
    this.#registration = registration;
    this.#report();
  }

  #report() {
    this.changed(this.#registration, this.calls);
  }
}

/** What went wrong, by the name under which the page has words for it. */
export class PhoneTrouble extends Error {
  constructor(kind) {
    super(kind);
    this.kind = kind;
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

async function microphone() {
  if (!navigator.mediaDevices) {
    throw new PhoneTrouble("insecure_page");
  }
  try {
    return await navigator.mediaDevices.getUserMedia({ audio: true });
  } catch (error) {
    throw new PhoneTrouble(error.name === "NotAllowedError" ? "microphone_refused" : "no_microphone");
  }
}

function listen(known, connection) {
  connection.addEventListener("track", ({ track }) => {
    known.audio ??= new Audio();
    known.audio.srcObject = new MediaStream([track]);
    known.audio.play().catch(() => {});
  });
}

function stopTracks(stream) {
  for (const track of stream?.getTracks() ?? []) {
    track.stop();
  }
}

function after(milliseconds) {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}
