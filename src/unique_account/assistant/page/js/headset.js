// The keys of a headset: Media Session where the system passes them on, WebHID where the browser has it.

import { TELEPHONY, keysIn, lampReports, layoutOf } from "./telephony.js";

const FILTERS = [{ usagePage: TELEPHONY }];

export const HAS_HID = "hid" in navigator;

/** What keys mean: each is about the call that rings, or else the one that is talked on. `actions()` gives the actions. */
export function keyActions(store, actions) {
  const call = (...statuses) => statuses.map((one) => store.state.own.find(({ status }) => status === one)).find(Boolean);
  const here = (found) => found && { ...found, where: "here" };
  const incoming = () => here(store.state.own.find(({ status, direction }) => status === "ringing" && direction === "incoming"));
  return {
    answer: () => incoming() && actions().answer(incoming()),
    hangUp() {
      const found = here(call("talking", "dialling", "held"));
      return found && actions().hangUp(found);
    },
    refuse: () => incoming() && actions().hangUp(incoming()),
    hold() {
      const talking = here(call("talking"));
      const held = here(call("held"));
      return talking ? actions().hold(talking) : held && actions().resume(held);
    },
    toggleMute() {
      const found = here(call("talking", "held"));
      return found && actions().mute(found, !found.muted);
    },
  };
}

/** Take the keys that the system passes to the page that is in a call. */
export function followMediaKeys(keys) {
  const session = navigator.mediaSession;
  for (const [action, handler] of [["hangup", keys.hangUp], ["togglemicrophone", keys.toggleMute]]) {
    try {
      session?.setActionHandler(action, handler);
    } catch {
      // this browser does not know the action
    }
  }
}

/** Tell the system what its keys and its own controls should show. */
export function showMediaState(own) {
  const call = own.find(({ status }) => status === "talking" || status === "held");
  if (navigator.mediaSession) {
    navigator.mediaSession.playbackState = call ? "playing" : "none";
    navigator.mediaSession.setMicrophoneActive?.(Boolean(call) && !call.muted);
  }
}

/** Headsets by WebHID: those that the user allowed once, now or whenever they are plugged in. */
export class Headsets {
  #keys;
  #report;
  #open = new Map();
  #lamps = { ring: false, offHook: false, mute: false };
  #own = [];

  /** `report(names)` gets the names of the headsets in use. */
  constructor(keys, report) {
    this.#keys = keys;
    this.#report = report;
  }

  async start() {
    if (HAS_HID) {
      navigator.hid.addEventListener("connect", ({ device }) => this.#use(device));
      navigator.hid.addEventListener("disconnect", ({ device }) => this.#gone(device));
      await Promise.all((await navigator.hid.getDevices()).map((device) => this.#use(device)));
    }
  }

  /** Ask the user for a headset, which takes a gesture. */
  async ask() {
    await Promise.all((await navigator.hid.requestDevice({ filters: FILTERS })).map((device) => this.#use(device)));
  }

  /** Let the lamps show the calls. */
  follow(own) {
    this.#own = own;
    const talking = own.find(({ status }) => status === "talking");
    const lamps = {
      ring: own.some(({ status }) => status === "ringing"),
      offHook: own.some(({ status }) => status !== "ringing"),
      mute: Boolean(talking?.muted),
    };
    if (JSON.stringify(lamps) !== JSON.stringify(this.#lamps)) {
      this.#lamps = lamps;
      for (const [device, { layout }] of this.#open) {
        this.#light(device, layout);
      }
    }
  }

  async #use(device) {
    const layout = layoutOf(device.collections);
    if (!layout.keys.length || this.#open.has(device)) {
      return;
    }
    this.#open.set(device, { layout, pressed: {} });
    try {
      if (!device.opened) {
        await device.open();
      }
    } catch {
      this.#open.delete(device); // another program has it
      return;
    }
    device.addEventListener("inputreport", ({ reportId, data }) => this.#pressed(device, reportId, data));
    this.#light(device, layout);
    this.#names();
  }

  #gone(device) {
    this.#open.delete(device);
    this.#names();
  }

  // The hook is a switch, of which a headset also reports what it was made to do by its lamp; mute is a push button.
  #pressed(device, reportId, data) {
    const known = this.#open.get(device);
    if (!known) {
      return;
    }
    const now = keysIn(known.layout, reportId, data);
    const changed = (name) => name in now && now[name] !== (known.pressed[name] ?? false);
    const [hook, mute] = [changed("hook"), changed("mute")];
    known.pressed = { ...known.pressed, ...now };
    if (hook) {
      this.#hook(now.hook);
    }
    if (mute && now.mute) {
      this.#keys.toggleMute();
    }
  }

  #hook(lifted) {
    const inCall = this.#own.some(({ status }) => status !== "ringing");
    if (lifted && !inCall) {
      this.#keys.answer();
    } else if (!lifted && inCall) {
      this.#keys.hangUp();
    }
  }

  async #light(device, layout) {
    for (const [reportId, data] of lampReports(layout, this.#lamps)) {
      await device.sendReport(reportId, data).catch(() => {}); // unplugged just now
    }
  }

  #names() {
    this.#report([...this.#open.keys()].map(({ productName }) => productName));
  }
}
