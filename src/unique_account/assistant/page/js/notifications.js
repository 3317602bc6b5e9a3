// A notification for a call that comes in while the page is not in sight; it can be answered from there.

import { say } from "./words.js";
import { workerAddress } from "./worker_address.js";

const KEPT = "notifications"; // "asked" once the user has said no to the page itself

/** Whether the user is still to be asked for the permission: once, and where the browser has notifications. */
export function asksForNotifications() {
  return "Notification" in globalThis && Notification.permission === "default" && !localStorage.getItem(KEPT);
}

/** The user's answer to the page; yes leads to the browser's own question. */
export async function answerNotifications(wanted) {
  localStorage.setItem(KEPT, "asked");
  if (wanted) {
    await Notification.requestPermission();
  }
}

export class Notifications {
  #act;
  #worker = null; // { registration, client }, where service workers are to be had
  #shown = new Map(); // what closes each, by the call
  #started = Promise.resolve();
  #calls = [];

  /** `act(call, action)` gets the id of a call and `answer`, `refuse`, or an empty text for a click on the notification. */
  constructor(act) {
    this.#act = act;
  }

  start() {
    return (this.#started = navigator.serviceWorker ? this.#registered(navigator.serviceWorker) : this.#started);
  }

  async #registered(workers) {
    workers.addEventListener("message", ({ data }) => this.#act(data.call, data.action));
    workers.startMessages();
    try {
      const registration = await workers.register(workerAddress("service-worker.js"));
      const { active } = await workers.ready;
      this.#worker = { registration, client: await whoAmI(active) };
    } catch {
      this.#worker = null; // without one there are no buttons, and a click answers
    }
  }

  /** Show the calls that ring and that the user cannot see: `calls` are { id, name }. */
  async show(calls) {
    this.#calls = calls;
    for (const [id, close] of [...this.#shown].filter(([shown]) => !this.#wants(shown))) {
      this.#shown.delete(id);
      close();
    }
    await this.#started;
    if (globalThis.Notification?.permission === "granted") {
      await Promise.all(this.#calls.filter(({ id }) => !this.#shown.has(id)).map((call) => this.#showOne(call)));
    }
  }

  async #showOne({ id, name }) {
    this.#shown.set(id, () => {});
    const close = await (this.#worker ? this.#byWorker(id, name) : this.#byPage(id, name));
    if (this.#wants(id)) {
      this.#shown.set(id, close);
    } else {
      this.#shown.delete(id); // over while the notification was on its way
      close();
    }
  }

  #wants(id) {
    return this.#calls.some((call) => call.id === id);
  }

  async #byWorker(call, name) {
    const { registration, client } = this.#worker;
    const actions = [
      { action: "answer", title: say("Answer") },
      { action: "refuse", title: say("Refuse") },
    ];
    const of = { ...options(call), actions, data: { client, call } };
    await registration.showNotification(say("{name} is calling", { name }), of).catch(() => {});
    return async () => {
      for (const one of await registration.getNotifications({ tag: call })) {
        one.close();
      }
    };
  }

  #byPage(call, name) {
    const body = say("Click to answer.");
    const notification = new Notification(say("{name} is calling", { name }), { ...options(call), body });
    notification.onclick = () => {
      notification.close();
      focus();
      this.#act(call, "answer");
    };
    return () => notification.close();
  }
}

function options(tag) {
  return { tag, icon: "icon-192.png", requireInteraction: true, silent: true };
}

function whoAmI(worker) {
  const { port1, port2 } = new MessageChannel();
  return new Promise((resolve) => {
    port1.onmessage = ({ data }) => resolve(data);
    worker.postMessage("who", [port2]);
  });
}
