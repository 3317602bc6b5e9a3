// What calls do when the network changes: they come back by an ICE restart, over a connection to the PBX that lives.

const LOOKS_EVERY = 500; // milliseconds
const SILENT_FOR = 1000; // without a packet of sound, which may be a pause or a network that is gone
const ANSWERS_WITHIN = 1000; // the PBX, if the network is there
const TRIES_EVERY = 1000;
const CONNECTS_FOR = 3000; // a connection that takes longer is tried again
const GIVES_UP_AFTER = 20_000;

/** The calls of a phone that have to come back. */
export class Recovery {
  #line;
  #calls = new Map();
  #looking = null;
  #asking = null; // the PBX whether it is there
  #trying = null;
  #since = 0; // when the try of now began

  /**
   * `line` has `isConnected()`; `ask()`, which registers the line once more; `reconnect(isBroken)`, which opens another
   * connection at once, and drops the one of now unless that is broken; and `changed()`, called when a call is lost or
   * back. `connected()` of this class is called whenever the line is registered.
   */
  constructor(line) {
    this.#line = line;
  }

  /** Follow the media of a call. A call's own request that fails with its connection must not end the call. */
  follow(session, connection) {
    if (this.#calls.has(session)) {
      return;
    }
    const call = { connection, lost: null, restart: false, received: -1, since: Date.now(), asked: false };
    this.#calls.set(session, call);
    this.#looking ??= setInterval(() => this.#look(), LOOKS_EVERY);
    connection.addEventListener("iceconnectionstatechange", () => this.#media(session, call));
    session.onTransportError = () => this.#restartLater(session, call);
  }

  forget(session) {
    clearTimeout(this.#calls.get(session)?.lost);
    this.#calls.delete(session);
    if (!this.#calls.size) {
      clearInterval(this.#looking);
      this.#looking = null;
    }
  }

  isLost(session) {
    return Boolean(this.#calls.get(session)?.lost);
  }

  /** The network is another one, or the connection to the PBX broke: get everything back. */
  changed(isBroken = false) {
    const up = [...this.#calls].filter(([session]) => session.isEstablished());
    for (const [, call] of up) {
      call.restart = true;
    }
    if (up.length) {
      this.#reconnect(isBroken);
    }
  }

  /** The line is registered again. */
  connected() {
    clearTimeout(this.#asking);
    clearInterval(this.#trying);
    this.#asking = this.#trying = null;
    for (const [session, call] of this.#calls) {
      if (call.restart) {
        this.#restart(session, call);
      }
    }
  }

  // The browser notices after seconds only that media stopped. Silence is no proof, but a reason to ask the PBX.
  async #look() {
    for (const [session, call] of this.#calls) {
      const received = session.isEstablished() && !session.isOnHold().local ? await packetsOf(call.connection) : -1;
      if (received !== call.received || received < 0) {
        Object.assign(call, { received, since: Date.now(), asked: false });
      } else if (Date.now() - call.since >= SILENT_FOR && !call.asked) {
        call.asked = true;
        this.#ask();
      }
    }
  }

  #ask() {
    if (!this.#trying && !this.#asking) {
      this.#asking = setTimeout(() => {
        this.#asking = null;
        this.changed();
      }, ANSWERS_WITHIN);
      this.#line.ask();
    }
  }

  #media(session, call) {
    const state = call.connection.iceConnectionState;
    if (!this.#calls.has(session)) {
      return;
    }
    if (state === "connected" || state === "completed") {
      clearTimeout(call.lost);
      call.lost = null;
    } else if ((state === "disconnected" || state === "failed") && session.isEstablished()) {
      call.lost ??= setTimeout(() => this.#giveUp(session), GIVES_UP_AFTER);
      call.restart = true;
      this.#ask();
    }
    this.#line.changed();
  }

  #restartLater(session, call) {
    call.restart = true;
    if (this.#line.isConnected()) {
      this.#restart(session, call);
    }
  }

  #restart(session, call) {
    if (!this.#calls.has(session) || session.isEnded()) {
      return;
    }
    const begun = session.renegotiate({ rtcOfferConstraints: { iceRestart: true } });
    call.restart = !begun;
    if (!begun) {
      setTimeout(() => call.restart && this.#line.isConnected() && this.#restart(session, call), TRIES_EVERY / 2);
    }
  }

  #reconnect(isBroken) {
    if (!this.#trying) {
      this.#since = Date.now();
      this.#trying = setInterval(() => this.#again(), TRIES_EVERY);
      this.#line.reconnect(isBroken); // which reports that the connection broke, and so comes here again
    }
  }

  #again() {
    if (!this.#calls.size) {
      clearInterval(this.#trying);
      this.#trying = null;
    } else {
      const hangs = Date.now() - this.#since > CONNECTS_FOR;
      this.#since = hangs ? Date.now() : this.#since;
      this.#line.reconnect(!hangs);
    }
  }

  #giveUp(session) {
    if (!session.isEnded()) {
      session.terminate({ cause: "Connection Error" });
    }
  }
}

async function packetsOf(connection) {
  const report = [...(await connection.getStats()).values()];
  return report.find(({ type }) => type === "inbound-rtp")?.packetsReceived ?? -1;
}
