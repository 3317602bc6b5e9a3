// Where the server is reached, if several processes share the users: what to try next, and how soon to give one up.

const OWN = ""; // the address that the page came from
const MOST_FOLLOWED = 3; // times in a row that processes send the page on

export class Processes {
  #addresses = [OWN];
  #at = 0; // which of them is tried
  #owner = null; // where the user is served, as a process said last
  #sentTo = null;
  #followed = 0;
  #pace;

  /** `pace`: how the heartbeat of a server that is alone goes. */
  constructor(pace) {
    this.#pace = pace;
  }

  /** Where to connect; an empty text is the address that the page came from. */
  get address() {
    return this.#sentTo ?? this.#addresses[this.#at];
  }

  /** Where a request may be made, the process first that the page is connected to. */
  get all() {
    return [...new Set([this.address, ...this.#addresses])];
  }

  /** How the heartbeat goes. */
  get pace() {
    return this.#pace;
  }

  /** Take what a process says of itself and of the others. */
  learn({ owner, addresses, beat }) {
    const tried = this.#addresses[this.#at];
    this.#addresses = [OWN, ...addresses.filter((address) => address !== location.origin)];
    this.#at = Math.max(0, this.#addresses.indexOf(tried));
    this.#owner = owner;
    this.#pace = { beat: beat * 1000, most: 1 };
  }

  /** A process sent the page to the user's owner: go there; false if pages are sent around, or it did not say where. */
  follow() {
    this.#followed += 1;
    if (this.#owner === null || this.#followed > MOST_FOLLOWED) {
      return false;
    }
    this.#sentTo = this.#owner === location.origin ? OWN : this.#owner;
    return true;
  }

  /** The user is served. */
  served() {
    this.#followed = 0;
  }

  /** The connection ended or was not made: try another process, which knows who the owner is by now. */
  failed() {
    this.#sentTo = null;
    this.#followed = 0;
    this.#at = (this.#at + 1) % this.#addresses.length;
  }
}
