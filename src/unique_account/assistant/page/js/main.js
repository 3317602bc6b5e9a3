// Puts the page together: one store, one phone, one session, and what follows from each change.

import { render } from "../vendor/lit-html.js";
import { accountActions, tidied } from "./actions.js";
import { titleOf } from "./badge.js";
import { commanded } from "./commanded.js";
import { integrationActions } from "./integrations.js";
import { Line } from "./line.js";
import { unseen } from "./missed.js";
import { Troubles, aloud } from "./notices.js";
import { OF_ATTEMPTS, endedTroubles } from "./trouble_ends.js";
import { Phone } from "./phone.js";
import { keep, preferences, useTheme } from "./preferences.js";
import { Session, troubleOf } from "./session.js";
import { focusInstead, ignoreSecondPresses, settle } from "./settling.js";
import { Sounds } from "./sounds.js";
import { callsOf, initialState, isInCall, partyOf, ringsOn } from "./state.js";
import { Store } from "./store.js";
import { page } from "./views/page.js";
import { deviceName } from "./views/parts.js";
import { say, useLanguage } from "./words.js";

const HISTORY_WAITS = 100; // milliseconds, so that what comes at once is asked for once
const store = new Store(initialState(preferences()));
const troubles = new Troubles(store);
const sounds = new Sounds();
const phone = new Phone({
  changed: phoneChanged,
  troubled: phoneTroubled,
  recovered: (kind) => troubles.remove(kind),
  reconnects: () => session.server?.check(),
});
const line = new Line(phone);
const session = new Session(store, troubles, () => line.stop(), (order) => obey(order));

async function attempt(action, byUser = true) {
  if (byUser) {
    troubles.remove(...OF_ATTEMPTS); // whatever went wrong before, something else is tried now
  }
  try {
    await action();
  } catch (error) {
    troubles.add(error.kind ? { kind: error.kind } : troubleOf(error));
  }
}

const actions = {
  ...accountActions(store, { server: () => session.server, phone, attempt, sounds }),
  ...integrationActions(store, { server: () => session.server, phone, sounds, attempt, actions: () => actions }),
  played: Phone.played,
  logIn: (login, password) => session.logIn(login, password),
  logOut: () => (isInCall(store.state) ? troubles.add({ kind: "log_out_in_call" }) : session.logOut()),
  logOutAnyway: () => session.logOut(),
  retry: () => session.server?.retry(),
  dismiss: (trouble) => troubles.dismiss(trouble),
  goTo(place) {
    store.change({ place });
    if (place === "settings") {
      actions.openSound();
    }
  },
  useTheme(theme) {
    keep("theme", theme);
    store.change({ theme });
  },
  useLanguage(language) {
    keep("language", language);
    store.change({ language });
  },
};

const obey = commanded(store, actions);

function phoneChanged(registration, own) {
  store.change({ registration, own });
}

function phoneTroubled(kind, more = {}) {
  const address = store.state.line?.url.replace(/^ws/, "http");
  troubles.add({ kind, ...more, ...(kind === "line_unreachable" && { address }) });
}

// -- what follows from a change ------------------------------------------------------------------

let drawing = false;
let refresh = null;
let rang = false; // a call that just came in has to be brought into sight

store.watch((state, before) => {
  line.follow(state);
  troubles.remove(...endedTroubles(state, before));
  if (state.session === "open" && before.session === "lost") {
    phone.renew();
  }
  if (state.own !== before.own || state.account !== before.account) {
    callsChanged(state, before);
  }
  if (historyMayHaveChanged(state, before)) {
    loadHistory();
  }
  if (before.account && ringsOn(state) && ringsOn(state) !== before.account.nextCall.rings) {
    aloud(say("Calls now ring on {device}.", { device: deviceName(ringsOn(state)) }));
  }
  document.title = titleOf(callerOf(state), unseen(state).length);
  if (!drawing) {
    drawing = true;
    queueMicrotask(draw);
  }
});

function callsChanged(state, before) {
  const calls = callsOf(state);
  sounds.follow(calls);
  announce(calls, callsOf(before), state);
  const tidy = tidied(state);
  if (Object.keys(tidy).length) {
    store.change(tidy);
  }
}

// A call that is over is reported by the server; one that begins is seen.
function historyMayHaveChanged(state, before) {
  const ids = ({ account }) => account?.calls.map(({ id }) => id).join() ?? null;
  const opened = state.session === "open" && before.session !== "open";
  return state.account !== null && (opened || state.historyChanges !== before.historyChanges || ids(state) !== ids(before));
}

function loadHistory() {
  refresh ??= setTimeout(() => {
    refresh = null;
    if (store.state.session === "open") {
      actions.newestHistory();
    }
  }, HISTORY_WAITS);
}

function announce(calls, before, state) {
  for (const call of calls.filter(rings)) {
    if (!before.some(({ id }) => id === call.id)) {
      rang = true;
      aloud(say("{name} is calling.", { name: partyOf(state, call) || say("Unknown number") }), true);
    }
  }
}

function rings({ status, direction }) {
  return status === "ringing" && direction === "incoming";
}

function callerOf(state) {
  const ringing = callsOf(state).find(rings);
  return ringing && (partyOf(state, ringing) || say("Unknown number"));
}

function draw() {
  drawing = false;
  const { state } = store;
  useLanguage(state.language);
  useTheme(state.theme);
  const focused = document.activeElement;
  const transferring = document.getElementById("transfer-to");
  const root = document.getElementById("page");
  render(page(state, actions), root);
  if (focused !== document.body && !focused.isConnected) {
    // What had the focus is gone, as a button of a call that is over: go on from the nearest thing of use.
    const next = document.querySelector(".call .button") ?? document.getElementById("main") ?? document.getElementById("login");
    if (next) {
      focusInstead(next);
    }
  } else if (!transferring) {
    document.getElementById("transfer-to")?.focus(); // it was asked for just now
  }
  keepBelow(document.querySelector(".overhead"));
  const before = scrollY;
  if (rang) {
    rang = false;
    document.querySelector(".call.ringing")?.scrollIntoView({ block: "nearest" });
  }
  settle(root, scrollY !== before);
}

// What is scrolled to, as what has the focus, comes to lie below the bar and the notices, which would hide it.
function keepBelow(overhead) {
  document.documentElement.style.scrollPaddingTop = overhead ? `${overhead.offsetHeight + 16}px` : "";
}

setInterval(() => {
  if (callsOf(store.state).some(({ answered }) => answered)) {
    draw();
  }
}, 1000);

ignoreSecondPresses(document);
addEventListener("online", () => {
  session.server?.check();
  phone.networkChanged?.();
});
document.addEventListener("visibilitychange", () => document.hidden || session.server?.check());
addEventListener("pagehide", () => phone.leave());
addEventListener("beforeunload", (event) => {
  if (store.state.own.some(({ status }) => status === "talking" || status === "held")) {
    event.preventDefault();
  }
});

draw();
session.resume();
