// What a user can do. A call of this tab's phone is steered there (C2), one of the deskphone through the server (C1).

import { callsOf, deviceInUse, isConsultation } from "./state.js";

const HISTORY_PAGE = 25;
const FORWARDS = { unconditional: "uncFwd", noAnswer: "naFwd", busy: "busyFwd" };

/** The actions on an account; `server` gives commands, `attempt` runs what may fail and shows the failure. */
export function accountActions(store, { server, phone, attempt, sounds }) {
  const command = (name, fields) => attempt(() => server().command(name, fields));
  const ask = (name, fields) => attempt(() => server().command(name, fields), false);
  const steer = (call, here, there, fields = {}) =>
    attempt(() => (call.where === "here" ? here(phone) : server().command(there, { uniqueId: call.id, ...fields })));

  async function holdOthers(except = null) {
    for (const call of store.state.own) {
      if (call.status === "talking" && call.id !== except) {
        await phone.hold(call.id);
      }
    }
  }

  async function dialHere(number) {
    await holdOthers();
    await phone.dial(number);
  }

  const begin = (number) =>
    attempt(async () => {
      if (deviceInUse(store.state) === "deskphone") {
        await server().command("dial", { destination: number });
      } else {
        await dialHere(number);
      }
    });

  return {
    async select(device) {
      store.change({ selecting: device });
      await command("selectDevice", { device });
      store.change({ selecting: null });
    },

    dial(number) {
      store.change({ place: "phone" });
      return begin(number);
    },

    dialHere: (number) => attempt(() => dialHere(number)),

    answer: (call) => steer(call, async () => (await holdOthers(), await phone.answer(call.id)), "answer"),
    hangUp: (call) => steer(call, () => phone.hangUp(call.id), "hangup"),
    hold: (call) => steer(call, () => phone.hold(call.id), "hold"),
    resume: (call) => steer(call, async () => (await holdOthers(call.id), await phone.resume(call.id)), "hold"),
    mute: (call, on) => steer(call, () => phone.mute(call.id, on), "toggleMicrophone"),

    press(call, key) {
      sounds.key(key);
      return steer(call, () => phone.press(call.id, key), "sendDtmf", { key });
    },

    sound: (key) => sounds.key(key),
    openPad: (padOpen) => store.change({ padOpen }),
    openKeypad: (id) => store.change({ keypadFor: id, transferring: null }),
    openTransfer: (id) => store.change({ transferring: id, keypadFor: null }),

    async transfer(call, number) {
      store.change({ transferring: null });
      await steer(call, () => phone.transfer(call.id, number), "directTransfer", { destination: number });
    },

    consult(call, number) {
      store.change({ transferring: null });
      return attempt(async () => {
        if (call.where === "here") {
          await holdOthers();
          store.change({ consultation: { where: "here", from: call.id, to: await phone.dial(number) } });
        } else {
          await server().command("attendedTransfer", { destination: number });
          store.change({ consultation: { where: call.where, from: call.id, to: null } });
        }
      });
    },

    completeTransfer: () =>
      attempt(async () => {
        const { where, from, to } = store.state.consultation;
        await (where === "here" ? phone.transfer(from, calledBy(to), to) : server().command("completeTransfer"));
        store.change({ consultation: null });
      }),

    cancelTransfer: () =>
      attempt(async () => {
        const { where, from, to } = store.state.consultation;
        store.change({ consultation: null });
        if (where === "here") {
          phone.hangUp(to);
          await phone.resume(from);
        } else {
          await server().command("cancelTransfer");
        }
      }),

    doNotDisturb: (state) => command("dnd", { state }),
    forward: (kind, state, destination) => command(FORWARDS[kind], { state, destination }),

    findColleagues: (words) => ask("getColleagues", { words: words.trim() }),

    moreHistory() {
      const { history } = store.state;
      store.change({ history: { ...history, loading: true } });
      return ask("getHistoryPage", { size: HISTORY_PAGE, cursor: history.next });
    },

    newestHistory: () => ask("getHistoryPage", { size: HISTORY_PAGE, cursor: null }),
  };

  function calledBy(id) {
    return store.state.own.find((call) => call.id === id)?.peer ?? "";
  }
}

/** What no longer holds once calls have changed: parts opened for calls that are over, transfers that came to an end. */
export function tidied(state) {
  const calls = callsOf(state);
  const there = (id) => calls.some((call) => call.id === id);
  const { consultation } = state;
  const ended = consultation && !there(consultation.from);
  const refused = consultation?.to && !calls.some((call) => isConsultation(state, call));
  return {
    ...(state.keypadFor && !there(state.keypadFor) && { keypadFor: null }),
    ...(state.transferring && !there(state.transferring) && { transferring: null }),
    ...((ended || refused) && { consultation: null }),
  };
}
