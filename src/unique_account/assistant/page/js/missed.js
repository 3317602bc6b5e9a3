// Missed calls that nobody has seen yet. What was seen is remembered for each user, for all tabs of this browser.

const key = (login) => `seen:${login}`;

/** The missed calls that ended after the last one that was seen. */
export function unseen({ history, seen }) {
  return seen === null ? [] : history.entries.filter((entry) => entry.status === "missed" && endOf(entry) > seen);
}

/** Since when missed calls of a user count, in milliseconds. For a user who is new in this browser: from now on. */
export function seenBy(login) {
  const kept = Number(localStorage.getItem(key(login)));
  return kept || keepSeen(login, Date.now());
}

function keepSeen(login, seen) {
  localStorage.setItem(key(login), String(seen));
  return seen;
}

function endOf({ ended, start }) {
  return new Date(ended ?? start).getTime();
}

/** Follow a store: everything missed is seen once the user does something while the history is in sight. */
export class Missed {
  #store;

  constructor(store) {
    this.#store = store;
    for (const kind of ["pointerdown", "pointermove", "keydown", "wheel"]) {
      addEventListener(kind, () => this.#look(), { passive: true });
    }
    addEventListener("storage", (event) => {
      const { user } = store.state;
      if (user && event.key === key(user.login) && event.newValue) {
        store.change({ seen: Number(event.newValue) });
      }
    });
  }

  #look() {
    const missed = this.#store.state.user ? unseen(this.#store.state) : [];
    const part = missed.length > 0 && document.querySelector(".part-history .row");
    if (part && document.visibilityState === "visible" && isInSight(part)) {
      this.#store.change(({ user }) => ({ seen: keepSeen(user.login, Math.max(...missed.map(endOf))) }));
    }
  }
}

function isInSight(element) {
  const { top, bottom, width } = element.getBoundingClientRect();
  return width > 0 && top >= 0 && bottom <= innerHeight;
}
