// The server: logging in, and one WebSocket that is opened again whenever it is lost.

import { Heartbeat } from "./heartbeat.js";

const API = "/xuc/api/2.0";
const RENEW_BEFORE = 0.5; // of a token's life
const FIRST_DELAY = 500; // milliseconds
const LONGEST_DELAY = 10_000;
const OVER = new Set([4001, 4002, 4005]); // close codes after which there is nothing to come back to
const TOO_MANY_TABS = 4003;

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

async function ask(path, options, bearer) {
  const headers = { "Content-Type": "application/json", ...(bearer && { Authorization: `Bearer ${bearer}` }) };
  const answer = await fetch(API + path, { ...options, headers, cache: "no-store" });
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
  #tries = 0;
  #retrying = null;
  #renewing = null;
  #refs = 0;
  #waiting = new Map();

  /** Hooks: message(type, content), opened(), lost(retryAt), over(code), renewed(token). */
  constructor(token, hooks) {
    this.#token = token;
    this.#hooks = hooks;
  }

  open() {
    clearTimeout(this.#retrying);
    this.#renewLater();
    const address = new URL(`${API}/cti?token=${encodeURIComponent(this.#token.text)}`, location.href);
    address.protocol = address.protocol.replace("http", "ws");
    const socket = (this.#socket = new WebSocket(address));
    socket.onmessage = ({ data }) => this.#take(JSON.parse(data));
    socket.onclose = ({ code }) => this.#closed(socket, code);
    this.#heartbeat?.stop();
    this.#heartbeat = new Heartbeat(() => this.#ask(socket), () => this.#fellSilent(socket));
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
      await ask("/auth/logout", { method: "POST" }, this.#token.text);
    } finally {
      socket?.close();
    }
  }

  #take({ msgType, ctiMessage, claz }) {
    this.#heartbeat?.answered();
    if (claz === "ping") {
      return;
    }
    if (msgType === "LoggedOn") {
      this.#tries = 0;
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
      this.#token = await token(await ask("/auth/check", {}, this.#token.text));
      this.#hooks.renewed(this.#token);
    } catch {
      // The token is good for as long again; the socket closes if it is not.
    }
    this.#renewLater();
  }
}
