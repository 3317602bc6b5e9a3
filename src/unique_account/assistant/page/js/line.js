// When this tab's phone is registered: while WebRTC is selected and the server gave the tab the line.

/** Start and stop the phone as the state asks for. */
export class Line {
  #phone;
  #running = null;
  #stopping = Promise.resolve();

  constructor(phone) {
    this.#phone = phone;
  }

  follow({ line, iceServers, account, own }) {
    const selected = account?.selection === "webrtc" && line !== null;
    const inCall = own.some(({ status }) => status !== "ringing"); // such a call stays where it is (R7)
    if (selected && this.#running && JSON.stringify(line) !== this.#running && !inCall) {
      this.stop();
    }
    if (selected && !this.#running) {
      this.#running = JSON.stringify(line);
      this.#stopping.then(() => this.#running && this.#phone.start({ ...line, iceServers }));
    } else if (!selected && this.#running && !inCall) {
      this.stop();
    }
  }

  /** Take the registration back; resolves once the server has confirmed it. */
  stop() {
    this.#running = null;
    this.#stopping = this.#phone.stop();
    return this.#stopping;
  }
}
