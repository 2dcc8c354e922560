// System, light or dark: kept in a cookie, so that the server draws the next page in it at once.
import { on } from "./dom.js";

const YEAR = 60 * 60 * 24 * 365;

on("change", "[name='theme']", (_event, input) => {
  const choice = input.value;
  const root = document.documentElement;
  if (choice === "light" || choice === "dark") root.dataset.theme = choice;
  else delete root.dataset.theme;
  const secure = location.protocol === "https:" ? "; Secure" : "";
  document.cookie = `theme=${choice}; Path=/; Max-Age=${YEAR}; SameSite=Lax${secure}`;
  for (const other of document.querySelectorAll("[name='theme']")) {
    if (other.type === "radio") other.checked = other.value === choice;
    else if (other !== input) other.value = choice;
  }
});
