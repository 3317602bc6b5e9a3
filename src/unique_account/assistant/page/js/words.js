// The page's words. The English sentence is the key; other languages are tables from it.

import { FRENCH } from "./french.js";

const TABLES = { en: null, fr: FRENCH };

export const LANGUAGES = Object.freeze({ en: "English", fr: "Français" });

let language = "en";

export function useLanguage(code) {
  language = code in TABLES ? code : "en";
  document.documentElement.lang = language;
}

/** The sentence in the language in use; {name} stands for a value. */
export function say(sentence, values = {}) {
  const words = TABLES[language]?.[sentence] ?? sentence;
  return words.replace(/\{(\w+)\}/g, (whole, name) => (name in values ? String(values[name]) : whole));
}

export function ofCount(count, one, many) {
  return say(new Intl.PluralRules(language).select(count) === "one" ? one : many, { count });
}

export function inNumber(value, digits) {
  return new Intl.NumberFormat(language, { minimumFractionDigits: digits, maximumFractionDigits: digits }).format(value);
}

export function atTime(iso) {
  return new Intl.DateTimeFormat(language, { hour: "2-digit", minute: "2-digit" }).format(new Date(iso));
}

/** The day of an instant as people say it: today, yesterday, or its date. */
export function onDay(iso, now = new Date()) {
  const day = new Date(iso);
  const days = Math.round((midnight(now) - midnight(day)) / 86_400_000);
  if (days === 0 || days === 1) {
    return capital(new Intl.RelativeTimeFormat(language, { numeric: "auto" }).format(-days, "day"));
  }
  const form = { weekday: "long", day: "numeric", month: "long" };
  return capital(new Intl.DateTimeFormat(language, form).format(day));
}

/** How long, as minutes and seconds. */
export function lasting(milliseconds) {
  const seconds = Math.max(0, Math.floor(milliseconds / 1000));
  const [hours, minutes, rest] = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60, seconds % 60];
  const two = (number) => String(number).padStart(2, "0");
  return hours ? `${hours}:${two(minutes)}:${two(rest)}` : `${minutes}:${two(rest)}`;
}

function midnight(instant) {
  return new Date(instant.getFullYear(), instant.getMonth(), instant.getDate()).getTime();
}

function capital(text) {
  return text.charAt(0).toLocaleUpperCase(language) + text.slice(1);
}
