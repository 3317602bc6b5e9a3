// What this browser keeps: language and colours for good, and the session's token until the tab is closed.

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

/** The token of a session that this tab had before it was loaded again; null if there is none. */
export function keptToken() {
  try {
    return JSON.parse(sessionStorage.getItem("token"));
  } catch {
    return null;
  }
}

export function keepToken(token) {
  if (token) {
    sessionStorage.setItem("token", JSON.stringify(token));
  } else {
    sessionStorage.removeItem("token");
  }
}

function one(value, of) {
  return of.includes(value) ? value : null;
}
