// What the page uses of the browser around it: sound devices, headsets, keys, notifications, the tab, links.

import { audioChoices, audioDevices, chooseAudio, onBlocked, playAgain } from "./audio.js";
import { showCount } from "./badge.js";
import { directoryActions } from "./directory.js";
import { Headsets, followMediaKeys, keyActions, showMediaState } from "./headset.js";
import { followLinks, handleLinks } from "./links.js";
import { measure } from "./meter.js";
import { microphone as openMicrophone } from "./microphone.js";
import { Missed, seenBy, unseen } from "./missed.js";
import { SpeaksMuted } from "./muted.js";
import { Notifications, answerNotifications, asksForNotifications } from "./notifications.js";
import { aloud } from "./notices.js";
import { QualityWatch } from "./quality.js";
import { followShortcuts, keepShortcuts } from "./shortcuts.js";
import { callsOf, partyOf } from "./state.js";
import { say } from "./words.js";

/** The actions that views need of it; `actions` is what they will be part of. */
export function integrationActions(store, { server, phone, sounds, attempt, actions }) {
  const keys = keyActions(store, actions);
  const headsets = new Headsets(keys, (names) => store.change({ headsets: names }));
  const notifications = new Notifications((id, action) => fromNotification(store, actions(), id, action));
  const microphone = new MicrophoneTest(store, attempt);
  follow(store, { phone, sounds, headsets, notifications, actions, keys });
  const { lookUp, ...directory } = directoryActions(server);
  return {
    ...directory,
    lookUp,
    find: (finding) => store.change({ finding }),
    search(searched) {
      store.change({ searched });
      lookUp(searched);
    },

    openSound: async () => store.change({ audioDevices: await audioDevices() }),
    async chooseAudio(change) {
      chooseAudio(change);
      store.change({ audio: audioChoices() });
      await sounds.route();
      if ("microphone" in change) {
        await attempt(() => phone.useMicrophone?.());
        microphone.restart();
      }
    },
    testSound: (device) => sounds.test(device),
    testMicrophone: () => microphone.toggle(),
    askHeadset: () => attempt(() => headsets.ask()),

    async allowSound() {
      await sounds.allow();
      playAgain();
      store.change({ soundBlocked: false });
    },

    async allowNotifications(wanted) {
      await answerNotifications(wanted);
      store.change({ asksNotifications: false });
      await startNotifications(notifications);
    },

    showHistory: (only, words) => store.change({ historyOnly: only, historyWords: words }),
    help: (help) => store.change({ help }),
    useShortcuts(on) {
      keepShortcuts(on);
      store.change({ shortcuts: on });
    },
    handleLinks,
  };
}

function follow(store, { phone, sounds, headsets, notifications, actions, keys }) {
  const quality = new QualityWatch((id) => phone.statistics?.(id) ?? null, (judged) => store.change({ quality: judged }));
  const muted = new SpeaksMuted((id) => phone.microphoneOf?.(id) ?? null, (call) => speaksMuted(store, sounds, call));
  new Missed(store);
  followMediaKeys(keys);
  followShortcuts(store, keys, (call, key) => actions().press(call, key), () => store.change({ help: true }));
  headsets.start();
  startNotifications(notifications);
  onBlocked(() => store.change({ soundBlocked: true }));
  for (const gesture of ["pointerdown", "keydown"]) {
    addEventListener(gesture, () => store.state.soundBlocked && actions().allowSound());
  }
  navigator.mediaDevices?.addEventListener("devicechange", () => actions().openSound());
  followLinks((prefill) => store.change({ prefill, place: "phone" }));
  const showCalls = () => notifications.show(document.hidden ? incoming(store.state) : []);
  document.addEventListener("visibilitychange", showCalls);

  store.watch((state, before) => {
    if (state.own !== before.own) {
      quality.follow(state.own);
      muted.follow(state.own);
      headsets.follow(state.own);
      showMediaState(state.own);
      showCalls();
    }
    if (state.session === "open" && before.session !== "open") {
      opened(store, sounds, actions());
    }
    showCount(unseen(state).length);
    if (state.help && !before.help) {
      setTimeout(() => document.getElementById("help")?.showModal());
    }
    if (state.prefill && state.session === "open") {
      setTimeout(() => prefill(store)); // once the field is drawn
    }
  });
}

async function opened(store, sounds, actions) {
  store.change(({ user }) => ({ seen: seenBy(user.login) }));
  actions.forgetDirectory();
  actions.askFavourites();
  const allowed = await sounds.allowed();
  store.change({ soundBlocked: !allowed, asksNotifications: asksForNotifications() });
}

function speaksMuted(store, sounds, call) {
  store.change({ speaksMuted: call });
  if (call) {
    sounds.warn();
    aloud(say("You are muted."), true);
  }
}

function incoming(state) {
  const rings = ({ status, direction, where }) => where === "here" && status === "ringing" && direction === "incoming";
  return callsOf(state).filter(rings).map((call) => ({ id: call.id, name: partyOf(state, call) || say("Unknown number") }));
}

async function startNotifications(notifications) {
  if (globalThis.Notification?.permission === "granted") {
    await notifications.start();
  }
}

function fromNotification(store, actions, id, action) {
  const call = callsOf(store.state).find((one) => one.id === id);
  if (call && action !== "") {
    (action === "answer" ? actions.answer : actions.hangUp)(call);
  }
}

function prefill(store) {
  const field = document.getElementById("number");
  if (field && store.state.prefill) {
    field.value = store.state.prefill;
    field.focus();
    store.change({ prefill: null });
  }
}

/** The microphone as a user tries it out: its level moves the meter of the settings. */
class MicrophoneTest {
  #store;
  #attempt;
  #stop = null;

  constructor(store, attempt) {
    this.#store = store;
    this.#attempt = attempt;
  }

  toggle() {
    return this.#stop ? this.#end() : this.#attempt(() => this.#begin());
  }

  restart() {
    if (this.#stop) {
      this.#end();
      this.toggle();
    }
  }

  async #begin() {
    const stream = await openMicrophone();
    const ends = measure(stream, (level) => {
      const meter = document.getElementById("microphone-level");
      if (meter) {
        meter.value = level;
      } else {
        this.#end(); // the settings are gone, as after a log-out
      }
    });
    this.#stop = () => {
      ends();
      stream.getTracks().forEach((track) => track.stop());
    };
    this.#store.change({ testingMicrophone: true, audioDevices: await audioDevices() });
  }

  #end() {
    this.#stop?.();
    this.#stop = null;
    this.#store.change({ testingMicrophone: false });
  }
}
