// Keys of the keyboard for calls. They do nothing while one types in a field, and can be switched off.

const TONES = /^[0-9*#]$/;
const KEPT = "shortcuts";

/** What each key does, in the order in which `?` shows them. */
export const SHORTCUTS = Object.freeze({ a: "answer", h: "hangUp", r: "refuse", m: "toggleMute", p: "hold" });

export function shortcutsOn() {
  return localStorage.getItem(KEPT) !== "off";
}

export function keepShortcuts(on) {
  localStorage.setItem(KEPT, on ? "on" : "off");
}

/** Whether what has the focus takes letters itself. */
export function types(element) {
  return element.matches("textarea, select, [contenteditable], input:not([type=radio], [type=checkbox], [type=range])");
}

/** Do what the keys say: `keys` are the actions on the call of now, `press(call, key)` sends a tone. */
export function followShortcuts(store, keys, press, showHelp) {
  addEventListener("keydown", (event) => {
    const { key, target, ctrlKey, altKey, metaKey, repeat, defaultPrevented } = event;
    if (ctrlKey || altKey || metaKey || repeat || defaultPrevented || !store.state.user || (target instanceof Element && types(target))) {
      return;
    }
    if (key === "?") {
      event.preventDefault();
      showHelp();
    } else if (store.state.shortcuts && !store.state.help) {
      const call = store.state.own.find(({ status }) => status === "talking");
      if (call && TONES.test(key)) {
        press({ ...call, where: "here" }, key);
      } else if (SHORTCUTS[key.toLowerCase()]) {
        keys[SHORTCUTS[key.toLowerCase()]]();
      }
    }
  });
}
