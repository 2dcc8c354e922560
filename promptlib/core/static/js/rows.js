// J and K: the next and the previous row of a list, or interaction of a conversation. Enter opens it, as it has the focus.
import { isTyping } from "./dom.js";

const ROWS = ".row, .turn, [data-row]";
const STOPS = "[data-row-stop], .row__title a, .turn__no";

document.addEventListener("keydown", (event) => {
  if (document.documentElement.dataset.shortcuts === "off" || event.defaultPrevented) return;
  if (event.metaKey || event.ctrlKey || event.altKey || isTyping(event.target)) return;
  const key = event.key.toLowerCase();
  if ((key !== "j" && key !== "k") || document.querySelector("dialog[open]")) return;
  const stops = [...document.querySelectorAll(STOPS)];
  if (!stops.length) return;
  event.preventDefault();
  const row = document.activeElement?.closest(ROWS);
  const place = stops.findIndex((stop) => stop === document.activeElement || row?.contains(stop));
  const next = stops[Math.max(0, Math.min(stops.length - 1, place + (key === "j" ? 1 : -1)))];
  next.focus({ preventScroll: true });
  (next.closest(ROWS) ?? next).scrollIntoView({ block: "nearest" });
});
