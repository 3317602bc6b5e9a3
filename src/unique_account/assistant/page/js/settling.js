// What moves under the finger does not act: a control rests when it appears, moves, changes its meaning or was pressed.
//
// A pointer passes through a control that rests. Keys do not care for places: only a key that is held down, or pressed
// twice, does not act twice.

const RESTS = 400; // milliseconds
const CONTROLS = "button, a[href], summary, select, label.switch, label.device";
const REPEATS = "[data-key], [data-repeats]"; // what people press several times on purpose
const NOTHING = [{ pointerEvents: "none" }, { pointerEvents: "none" }];

const seen = new WeakMap(); // each control as it was drawn last
const pressed = new WeakMap(); // when each control was pressed, or got the focus without a hand

/** Let the controls rest that are not what or where they were; after each drawing. `all`: the page itself scrolled. */
export function settle(root, all = false) {
  for (const control of root.querySelectorAll(CONTROLS)) {
    const before = seen.get(control);
    const now = look(control);
    seen.set(control, now);
    if (now.shown && (all || before?.says !== now.says || isElsewhere(before, now))) {
      rest(control);
    }
  }
}

/** Focus a control in the place of one that is gone: a key that was meant for that one must not press it. */
export function focusInstead(control) {
  control.focus();
  pressed.set(control, performance.now());
}

/** Ignore second clicks and held keys, on the whole page. */
export function ignoreSecondPresses(root) {
  root.addEventListener("click", ignoreSecond, { capture: true });
  root.addEventListener("keydown", ignoreHeld, { capture: true });
}

function ignoreSecond(event) {
  const control = event.target.closest(CONTROLS);
  if (!control || control.matches(REPEATS) || !event.isTrusted) {
    return;
  }
  const now = event.timeStamp;
  const again = event.detail !== 1 && now - (pressed.get(control) ?? -RESTS) < RESTS; // by a key, or a double click
  if (again && !control.matches("label")) {
    event.preventDefault();
    event.stopPropagation();
  } else {
    pressed.set(control, now);
    rest(control);
  }
}

function ignoreHeld(event) {
  const presses = event.key === "Enter" || event.key === " ";
  if (event.repeat && presses && event.target.closest("button, a[href], summary")) {
    event.preventDefault();
  }
}

function rest(control) {
  control.animate(NOTHING, RESTS);
}

function look(control) {
  const { x, y, width } = control.getBoundingClientRect();
  const states = ["aria-label", "aria-pressed", "aria-expanded"].map((name) => control.getAttribute(name));
  return { says: [control.textContent, ...states].join("|"), x, y, scrolled: scrollY, shown: width > 0 };
}

// What a user scrolls away moves with the page, or stays where it is in the window: in both cases the hand knows.
function isElsewhere(before, now) {
  if (!before?.shown) {
    return true;
  }
  const inWindow = distance(before.x - now.x, before.y - now.y);
  const inPage = distance(before.x - now.x, before.y + before.scrolled - now.y - now.scrolled);
  return Math.min(inWindow, inPage) > 2;
}

function distance(x, y) {
  return Math.abs(x) + Math.abs(y);
}
