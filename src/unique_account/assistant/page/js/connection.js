// The server: logging in, and one WebSocket that is opened again whenever it is lost.

import { ALONE, Heartbeat } from "./heartbeat.js";
import { Processes } from "./processes.js";
import { LATE, OLD_OWNER, Stamps } from "./stamps.js";

const API = "/xuc/api/2.0";
const RENEW_BEFORE = 0.5; // of a token's life
const FIRST_DELAY = 500; // milliseconds
const LONGEST_DELAY = 10_000;
const OVER = new Set([4001, 4002, 4005]); // close codes after which there is nothing to come back to
const TOO_MANY_TABS = 4003;
const MOVED = 4007; // another process serves this user
const ANSWERS_WITHIN = 4_000; // milliseconds, where another process may be asked instead
const STEADY = 5_000; // milliseconds that a connection lasts, so that a loss of it is tried again at once

/** What the server refused: its word for it, and what there are words for by an id with parameters. */
export class Refusal extends Error {
  constructor(word, id = "", parameters = {}) {
    super(word);
    this.word = word;
    this.id = id;
    this.parameters = parameters;
  }
}

/** Get a token; rejects with a Refusal, or with a TypeError if the server is not reached. */
export async function logIn(login, password) {
  return token(await ask("/auth/login", { method: "POST", body: JSON.stringify({ login, password, applicationType: "unique-account" }) }));
}

async function ask(path, options, bearer, address = "") {
  const headers = { "Content-Type": "application/json", ...(bearer && { Authorization: `Bearer ${bearer}` }) };
  const answer = await fetch(address + API + path, { ...options, headers, cache: "no-store" });
  if (!answer.ok) {
    const { error = "", id, parameters } = await answer.json().catch(() => ({}));
    throw new Refusal(error, id, parameters);
  }
  return answer;
}

async function token(answer) {
  const { login, token: text, TTL } = await answer.json();
  return { login, text, TTL };
}

export class Connection {
  #token;
  #hooks;
  #socket = null;
  #heartbeat = null;
  #processes = new Processes(ALONE);
  #stamps = new Stamps();
  #servedAt = null; // since when the user is served
  #tries = 0;
  #retrying = null;
  #renewing = null;
  #refs = 0;
  #waiting = new Map();

  /** Hooks: message(type, content), opened(), unserved(), lost(retryAt), over(code), renewed(token). */
  constructor(token, hooks) {
    this.#token = token;
    this.#hooks = hooks;
  }

  open() {
    clearTimeout(this.#retrying);
    this.#renewLater();
    const path = `${API}/cti?token=${encodeURIComponent(this.#token.text)}`;
    const address = new URL(path, this.#processes.address || location.href);
    address.protocol = address.protocol.replace("http", "ws");
    const socket = (this.#socket = new WebSocket(address));
    socket.onmessage = ({ data }) => socket === this.#socket && this.#take(socket, JSON.parse(data));
    socket.onclose = ({ code }) => this.#closed(socket, code);
    this.#beat(socket);
  }

  #beat(socket) {
    this.#heartbeat?.stop();
    this.#heartbeat = new Heartbeat(() => this.#ask(socket), () => this.#fellSilent(socket), this.#processes.pace);
    this.#heartbeat.start();
  }

  /** See whether the server still answers: the page was hidden, or the network may be another one. */
  check() {
    if (this.#socket?.readyState === WebSocket.OPEN) {
      this.#heartbeat.check();
    } else {
      this.retry();
    }
  }

  /** Try at once what would be tried later. */
  retry() {
    if (this.#socket?.readyState !== WebSocket.OPEN) {
      this.#drop();
      this.open();
    }
  }

  /** Give a command; resolves when it was carried out, and rejects with a Refusal otherwise. */
  command(command, fields = {}) {
    if (this.#socket?.readyState !== WebSocket.OPEN) {
      return Promise.reject(new Refusal("offline"));
    }
    const ref = ++this.#refs;
    this.#socket.send(JSON.stringify({ claz: "web", command, ref, ...fields }));
    return new Promise((resolve, reject) => this.#waiting.set(ref, { resolve, reject }));
  }

  /** Log out: the server ends the session at once. */
  async logOut() {
    const socket = this.#drop();
    try {
      await this.#askAny("/auth/logout", { method: "POST" });
    } finally {
      socket?.close();
    }
  }

  /** Ask the process that serves the user, and if it does not answer, the others. */
  async #askAny(path, options) {
    const addresses = this.#processes.all;
    for (const [index, address] of addresses.entries()) {
      const isLast = index === addresses.length - 1;
      const signal = isLast ? null : AbortSignal.timeout(ANSWERS_WITHIN);
      try {
        return await ask(path, { ...options, signal }, this.#token.text, address);
      } catch (error) {
        if (isLast || error instanceof Refusal) {
          throw error;
        }
      }
    }
  }

  #take(socket, { msgType, ctiMessage, claz, stamp }) {
    this.#heartbeat?.answered();
    if (claz === "ping") {
      return;
    }
    const verdict = this.#stamps.judge(msgType, ctiMessage, stamp);
    if (verdict === OLD_OWNER) {
      this.#fellSilent(socket);
    }
    if (verdict === OLD_OWNER || verdict === LATE) {
      return;
    }
    if (msgType === "Processes") {
      this.#learn(socket, ctiMessage);
      return;
    }
    if (msgType === "LoggedOn") {
      this.#servedAt = Date.now();
      this.#processes.served();
      this.#hooks.opened();
    }
    const waiting = this.#waiting.get(ctiMessage?.ref);
    if (waiting && (msgType === "Done" || msgType === "Error")) {
      this.#waiting.delete(ctiMessage.ref);
      if (msgType === "Done") {
        waiting.resolve();
      } else {
        waiting.reject(new Refusal(ctiMessage.Error, ctiMessage.id, ctiMessage.parameters));
      }
    } else {
      this.#hooks.message(msgType, ctiMessage);
    }
  }

  #learn(socket, processes) {
    this.#processes.learn(processes);
    this.#beat(socket);
    if (processes.owner === null) {
      this.#hooks.unserved();
    }
  }

  #ask(socket) {
    if (socket.readyState === WebSocket.OPEN) {
      socket.send('{"claz": "ping"}');
    }
  }

  #fellSilent(socket) {
    this.#closed(socket, 1006);
    socket.close();
  }

  #closed(socket, code) {
    if (socket !== this.#socket) {
      return;
    }
    this.#drop();
    if (OVER.has(code) || code === TOO_MANY_TABS) {
      this.#hooks.over(code);
      return;
    }
    if (this.#servedAt !== null && Date.now() - this.#servedAt >= STEADY) {
      this.#tries = 0;
    }
    this.#servedAt = null;
    if (code === MOVED && this.#processes.follow()) {
      this.open();
      return;
    }
    this.#processes.failed();
    const delay = Math.min(LONGEST_DELAY, FIRST_DELAY * 2 ** this.#tries++) * (0.75 + Math.random() / 2);
    this.#retrying = setTimeout(() => this.open(), delay);
    this.#hooks.lost(Date.now() + delay);
  }

  /** Have nothing to do with the socket any more; returns it. */
  #drop() {
    const socket = this.#socket;
    this.#socket = null;
    this.#heartbeat?.stop();
    clearTimeout(this.#retrying);
    clearTimeout(this.#renewing);
    for (const { reject } of this.#waiting.values()) {
      reject(new Refusal("offline"));
    }
    this.#waiting.clear();
    return socket;
  }

  #renewLater() {
    clearTimeout(this.#renewing);
    this.#renewing = setTimeout(() => this.#renew(), this.#token.TTL * 1000 * RENEW_BEFORE);
  }

  async #renew() {
    try {
      this.#token = await token(await this.#askAny("/auth/check", {}));
      this.#hooks.renewed(this.#token);
    } catch {
      // The token is good for as long again; the socket closes if it is not.
    }
    this.#renewLater();
  }
}
