// What this browser keeps: language and colours for good, and the session's token until log-out.

import { LANGUAGES } from "./words.js";

const THEMES = ["system", "light", "dark"];

export function preferences() {
  const asked = navigator.language.slice(0, 2);
  return {
    language: one(localStorage.getItem("language"), Object.keys(LANGUAGES)) ?? one(asked, Object.keys(LANGUAGES)) ?? "en",
    theme: one(localStorage.getItem("theme"), THEMES) ?? "system",
  };
}

export function keep(name, value) {
  localStorage.setItem(name, value);
}

export function useTheme(theme) {
  document.documentElement.dataset.theme = theme;
}

/** The token of the session of this tab before it was loaded again, or else of another tab; null if there is none. */
export function keptToken() {
  return read(sessionStorage) ?? read(localStorage);
}

/** Keep a token for this tab, and for tabs to come; one of another user there is left alone when ours is renewed. */
export function keepToken(token, renewed = false) {
  sessionStorage.setItem("token", JSON.stringify(token));
  if (!renewed || (read(localStorage)?.login ?? token.login) === token.login) {
    localStorage.setItem("token", JSON.stringify(token));
  }
}

/** Forget the session of this tab, and with `everywhere` that user's for tabs to come, too. */
export function forgetToken(everywhere) {
  const login = read(sessionStorage)?.login;
  sessionStorage.removeItem("token");
  if (everywhere && read(localStorage)?.login === login) {
    localStorage.removeItem("token");
  }
}

/** Call `hook(token)` when another tab has logged in. */
export function onLogIn(hook) {
  addEventListener("storage", ({ key, newValue }) => key === "token" && newValue && hook(read(localStorage)));
}

function read(storage) {
  try {
    return JSON.parse(storage.getItem("token"));
  } catch {
    return null;
  }
}

function one(value, of) {
  return of.includes(value) ? value : null;
}
