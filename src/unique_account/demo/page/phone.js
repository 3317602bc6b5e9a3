// A phone that is played: it does what the page's SIP phone does (see js/sip.js), at the stage and without sound.

const COMES_BACK_AFTER = 1000; // milliseconds

export class Phone {
  static played = true;
  #line = null;
  #socket = null;
  #registration = "off";
  #calls = [];
  #refs = 0;
  #waiting = new Map();
  #muted = new Set();

  constructor({ changed, troubled }) {
    this.changed = changed;
    this.troubled = troubled;
  }

  start(line) {
    if (!this.#line) {
      this.#line = line;
      this.#connect();
    }
  }

  async stop() {
    const socket = this.#socket;
    this.#line = null;
    this.#socket = null;
    this.#report("off", []);
    if (socket && socket.readyState < WebSocket.CLOSING) {
      await new Promise((resolve) => {
        socket.addEventListener("close", resolve);
        socket.close();
      });
    }
  }

  renew() {}

  leave() {}

  dial(number) {
    if (this.#registration !== "registered") {
      return Promise.reject(trouble("not_registered"));
    }
    return this.#press("dial", number);
  }

  answer = (id) => this.#press("answer", id);
  hangUp = (id) => this.#press("hang_up", id);
  hold = (id) => this.#press("hold", id);
  resume = (id) => this.#press("resume", id);
  transfer = (id, number, consulted) =>
    consulted ? this.#press("join", `${id} ${consulted}`) : this.#press("transfer", `${id} ${number}`);
  press() {}

  mute(id, on) {
    if (on) {
      this.#muted.add(id);
    } else {
      this.#muted.delete(id);
    }
    this.#report(this.#registration, this.#calls);
  }

  #connect() {
    // The stage is where the page came from, by whatever name that was asked for.
    const address = new URL(new URL(this.#line.url).pathname, location.href).href.replace(/^http/, "ws");
    const socket = (this.#socket = new WebSocket(address));
    this.#report("registering", []);
    socket.onopen = () => {
      const { name, password } = this.#line;
      socket.send(JSON.stringify({ name, password }));
    };
    socket.onmessage = ({ data }) => this.#take(JSON.parse(data));
    socket.onclose = () => this.#lost(socket);
  }

  #lost(socket) {
    if (socket === this.#socket) {
      this.#report("failed", []);
      for (const { reject } of this.#waiting.values()) {
        reject(trouble("try_again"));
      }
      this.#waiting.clear();
      this.troubled("line_lost");
      setTimeout(() => this.#line && socket === this.#socket && this.#connect(), COMES_BACK_AFTER);
    }
  }

  #take({ ref, id, error, calls, taken, failed = [] }) {
    if (calls) {
      this.#report("registered", calls);
    }
    for (const kind of failed) {
      this.troubled(kind);
    }
    if (taken) {
      this.troubled("answered_elsewhere");
    }
    if (ref === undefined) {
      return;
    }
    const { resolve, reject } = this.#waiting.get(ref);
    this.#waiting.delete(ref);
    if (error) {
      reject(trouble(error));
    } else {
      resolve(id);
    }
  }

  #press(key, argument) {
    const ref = ++this.#refs;
    this.#socket.send(JSON.stringify({ ref, key, argument }));
    return new Promise((resolve, reject) => this.#waiting.set(ref, { resolve, reject }));
  }

  #report(registration, calls) {
    this.#registration = registration;
    this.#calls = calls;
    this.changed(registration, calls.map((call) => ({ ...call, peerName: named(call), muted: this.#muted.has(call.id) })));
  }
}

// The page has its own words for a mailbox, in the user's language.
function named({ peerName, voicemail }) {
  return voicemail ? "" : peerName;
}

function trouble(kind) {
  return Object.assign(new Error(kind), { kind });
}
