// People by name or number: XiVO's directory and favourites, colleagues, and whom one called before.

import { dialled } from "./number.js";

const SHORTEST_NUMBER = 2; // digits; a shorter text in an entry is no number to call
const MOST = 8; // suggestions
const SHORTEST = 2; // letters that the directory is asked for

/** The people of a `DirectoryResult` or `Favorites`: { name, number, id, source, favourite, presence }. */
export function peopleOf({ entries = [] }) {
  return entries.flatMap(({ entry = [], status, contact_id: id = null, source = "", favorite = false }) => {
    const texts = entry.map((one) => (typeof one === "string" ? one.trim() : ""));
    const first = texts.findIndex(isNumber);
    if (first < 0) {
      return [];
    }
    const name = texts.slice(0, first).filter(Boolean).join(" ") || texts.slice(first + 1).find((one) => one && !isNumber(one)) || "";
    const numbers = [...new Set(texts.filter(isNumber))];
    return numbers.map((number) => ({ name, number, id, source, favourite: Boolean(favorite), presence: status }));
  });
}

function isNumber(text) {
  return (dialled(text)?.replace(/\D/g, "").length ?? 0) >= SHORTEST_NUMBER;
}

/** Whom a text in a number field may mean, best first: { name, number, from }. */
export function suggestions(state, text) {
  const words = folded(text).split(/\s+/).filter(Boolean);
  if (!words.length) {
    return [];
  }
  const known = [
    ...state.favourites.map((one) => ({ ...one, from: "favourite" })),
    ...state.colleagues.map((one) => ({ ...one, from: "colleague" })),
    ...state.directory.people.map((one) => ({ ...one, from: "directory" })),
    ...state.history.entries.map(({ peer, peerName }) => ({ name: peerName, number: peer, from: "history" })),
  ];
  const found = new Map();
  for (const person of known.filter(({ name, number }) => number && matches(words, name, number))) {
    const key = dialled(person.number) ?? person.number;
    if (key !== state.user?.number && !found.has(key)) {
      found.set(key, person);
    }
  }
  return [...found.values()].slice(0, MOST);
}

/** Whether every word of a search begins a word of the name, or is part of the number. */
export function matches(words, name, number) {
  const parts = folded(name).split(/[\s-]+/);
  const digits = dialled(number) ?? number;
  return words.every((word) => parts.some((part) => part.startsWith(word)) || digits.includes(dialled(word) ?? word));
}

/** A text without accents and capitals. */
export function folded(text) {
  return text.normalize("NFD").replace(/\p{M}/gu, "").toLowerCase();
}

/** What changes when the server reports people; null for other messages. */
export function directoryChange(type, message, { directory, favourites }) {
  switch (type) {
    case "DirectoryResult":
      return { directory: { ...directory, people: peopleOf(message) } };
    case "Favorites":
      return { favourites: peopleOf(message).map((one) => ({ ...one, favourite: true })) };
    case "FavoriteUpdated": {
      const same = ({ id, source }) => id === message.contact_id && source === message.source;
      const added = message.action === "Added";
      const people = directory.people.map((one) => (same(one) ? { ...one, favourite: added } : one));
      const kept = favourites.filter((one) => !same(one));
      return { directory: { ...directory, people }, favourites: added ? [...kept, ...people.filter(same)] : kept };
    }
    default:
      return null;
  }
}

/** What looks people up; a server without a directory is not asked again and again. */
export function directoryActions(server) {
  const ask = (command, fields) => server()?.command(command, fields).catch(() => {});
  let asked = "";
  let waiting = null;
  return {
    lookUp(text) {
      clearTimeout(waiting);
      const term = text.trim();
      if (term.length >= SHORTEST && /\p{L}/u.test(term) && term !== asked) {
        waiting = setTimeout(() => {
          asked = term;
          ask("directoryLookUp", { term });
        }, 150);
      }
    },
    askFavourites: () => ask("getFavorites"),
    favour: ({ id, source, favourite }) => ask(favourite ? "removeFavorite" : "addFavorite", { contactId: id, source }),
    forgetDirectory() {
      clearTimeout(waiting);
      asked = "";
    },
  };
}
