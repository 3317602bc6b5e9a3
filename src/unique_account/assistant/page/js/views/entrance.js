// Logging in.

import { html } from "../../vendor/lit-html.js";
import { say } from "../words.js";
import { choices } from "./top.js";
import { troubles } from "./troubles.js";

export function entrance(state, actions) {
  const enter = async (event) => {
    event.preventDefault();
    const fields = new FormData(event.target);
    await actions.logIn(String(fields.get("login")).trim(), String(fields.get("password")));
    event.target.querySelector("#password").select(); // where to go on if that failed
  };
  const opening = state.session === "opening";
  return html`<main class="entrance">
    ${troubles(state, actions)}
    <form class="card" @submit=${enter}>
      <img src="icon.svg" alt="">
      <h1>${say("Log in to the UC Assistant")}</h1>
      <div class="field">
        <label for="login">${say("User name")}</label>
        <input class="input" id="login" name="login" autocomplete="username" autocapitalize="none" spellcheck="false" maxlength="128" required autofocus>
      </div>
      <div class="field">
        <label for="password">${say("Password")}</label>
        <input class="input" id="password" name="password" type="password" autocomplete="current-password" maxlength="256" required>
      </div>
      <button class="button main" ?disabled=${opening}>${opening ? say("One moment…") : say("Log in")}</button>
    </form>
    ${choices(state, actions)}
  </main>`;
}
