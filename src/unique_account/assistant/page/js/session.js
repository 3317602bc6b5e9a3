// A session from log-in to log-out: what is asked of the server when it opens, and what is left when it ends.

import { Connection, Refusal, logIn } from "./connection.js";
import { changeOf } from "./messages.js";
import { forgetToken, keepToken, keptToken, onLogIn } from "./preferences.js";
import { NOBODY } from "./state.js";

const TOO_MANY_TABS = 4003;
const OVER = { 4001: "expired", 4003: "too_many_tabs", 4005: "no_account" };

export class Session {
  #store;
  #troubles;
  #phoneStops;
  #commanded;
  #connection = null;
  #unserved = false;

  /**
   * `phoneStops` takes the browser's phone back and resolves once the server has confirmed it; `commanded` takes what the
   * server has that phone do.
   */
  constructor(store, troubles, phoneStops, commanded) {
    this.#store = store;
    this.#troubles = troubles;
    this.#phoneStops = phoneStops;
    this.#commanded = commanded;
  }

  /** What gives commands to the server. */
  get server() {
    return this.#connection;
  }

  async logIn(login, password) {
    this.#troubles.clear();
    this.#store.change({ session: "opening" });
    try {
      this.#open(await logIn(login, password));
    } catch (error) {
      this.#store.change({ session: "none" });
      this.#troubles.add(troubleOf(error));
    }
  }

  /** Go on with the session that this tab had before it was loaded again, or that another tab has or begins (S4). */
  resume() {
    const token = keptToken();
    if (token) {
      this.#open(token);
    }
    onLogIn((other) => this.#connection === null && this.#store.state.session === "none" && this.#open(other));
  }

  async logOut() {
    const connection = this.#connection;
    this.#connection = null;
    await this.#phoneStops();
    const failed = await connection?.logOut().then(() => null, (error) => error);
    this.#end(true);
    if (failed && failed.word !== "TokenExpired") {
      this.#troubles.add({ kind: "log_out_unsure" });
    }
  }

  #open(token) {
    keepToken(token);
    this.#store.change({ session: "opening" });
    this.#connection = new Connection(token, {
      opened: () => this.#opened(token.login),
      message: (type, content) => this.#onMessage(type, content),
      unserved: () => this.#noOwner(),
      lost: (retryAt) => this.#lost(retryAt),
      over: (code) => this.#over(code),
      renewed: (renewed) => keepToken(renewed, true),
    });
    this.#connection.open();
  }

  #opened(login) {
    this.#troubles.remove("offline");
    this.#troubles.remove("no_owner");
    this.#unserved = false;
    this.#store.change(({ user }) => ({ session: "open", retryAt: null, user: user ?? { login, name: "", number: "" } }));
    this.#connection.command("getConfig", { objectType: "line" }).catch(() => {});
    this.#connection.command("getColleagues").catch(() => {});
  }

  #onMessage(type, content) {
    const { state } = this.#store;
    const change = state.user && changeOf(type, content, state);
    if (change) {
      this.#store.change(change);
    }
    if (type === "WebRTCCmd") {
      this.#commanded(content);
    }
    if (type === "Colleagues") {
      const phoneNumbers = content.entries.map(({ number }) => number);
      this.#connection.command("subscribeToPhoneHints", { phoneNumbers }).catch(() => {});
    }
  }

  /** The server is there, but nobody serves this user at the moment: say so once. */
  #noOwner() {
    if (!this.#unserved) {
      this.#unserved = true;
      this.#troubles.remove("offline");
      this.#troubles.add({ kind: "no_owner" });
    }
  }

  #lost(retryAt) {
    const again = this.#store.state.retryAt !== null;
    this.#store.change({ session: this.#store.state.user ? "lost" : "opening", retryAt });
    if (!again) {
      this.#troubles.add({ kind: "offline" });
    }
  }

  async #over(code) {
    await this.#phoneStops();
    this.#end(code !== TOO_MANY_TABS);
    if (OVER[code]) {
      this.#troubles.add({ kind: OVER[code] });
    }
  }

  #end(everywhere) {
    this.#connection = null;
    forgetToken(everywhere);
    this.#troubles.clear();
    this.#store.change({ ...NOBODY });
  }
}

/** What to show for what was thrown. */
export function troubleOf(error) {
  if (error instanceof Refusal) {
    return error.word === "offline" ? { kind: "offline" } : { kind: "refused", id: error.id, parameters: error.parameters };
  }
  return { kind: error instanceof TypeError ? "unreachable" : "call_failed" };
}
