// The troubles that are shown, and what is said aloud to those who do not see the page.

import { isUrgent, wordsFor } from "./troubles.js";

const SHOWN_FOR = 8000; // milliseconds, where nothing needs to be done
const MOST = 4;

export class Troubles {
  #store;

  constructor(store) {
    this.#store = store;
  }

  add(trouble) {
    this.#store.change(({ troubles }) => ({
      troubles: [...troubles.filter(({ kind }) => kind !== trouble.kind), trouble].slice(-MOST),
    }));
    aloud(wordsFor(trouble).slice(0, 2).join(" "), isUrgent(trouble));
    if (!isUrgent(trouble)) {
      setTimeout(() => this.dismiss(trouble), SHOWN_FOR);
    }
  }

  dismiss(trouble) {
    this.#store.change(({ troubles }) => ({ troubles: troubles.filter((one) => one !== trouble) }));
  }

  remove(...kinds) {
    if (kinds.length && this.#store.state.troubles.some(({ kind }) => kinds.includes(kind))) {
      this.#store.change(({ troubles }) => ({ troubles: troubles.filter(({ kind }) => !kinds.includes(kind)) }));
    }
  }

  clear() {
    this.#store.change({ troubles: [] });
  }
}

/** Let a screen reader say a sentence, at once or when it pauses. */
export function aloud(sentence, urgent = false) {
  const place = document.getElementById(urgent ? "said-now" : "said");
  place.textContent = "";
  setTimeout(() => (place.textContent = sentence), 50);
}
