// The one value that everything on the page is drawn from, and who watches it.

export class Store {
  #state;
  #watchers = new Set();

  constructor(state) {
    this.#state = Object.freeze(state);
  }

  get state() {
    return this.#state;
  }

  /** Replace some fields; `change` is an object of fields, or makes one out of the state as it is now. */
  change(change) {
    const fields = typeof change === "function" ? change(this.#state) : change;
    const before = this.#state;
    this.#state = Object.freeze({ ...before, ...fields });
    for (const watcher of [...this.#watchers]) {
      watcher(this.#state, before);
    }
  }

  /** Call `watcher(state, before)` after every change; returns what ends that. */
  watch(watcher) {
    this.#watchers.add(watcher);
    return () => this.#watchers.delete(watcher);
  }
}
