// What is typed into form[data-draft] is kept as one types (htmx does that); this sends the last of it when the page is
// left before its turn came. The form's own sending makes it needless.
import { isTyping, on } from "./dom.js";

let form = null;

on("input", "form[data-draft]", (_event, changed) => {
  form = changed;
});
on("submit", "form", () => {
  form = null;
});
document.addEventListener("htmx:afterOnLoad", (event) => {
  if (event.target instanceof Element && event.target.id === "draft-kept") form = null;
});

document.addEventListener("visibilitychange", () => {
  if (document.visibilityState !== "hidden" || !form) return;
  const body = new URLSearchParams(new FormData(form));
  // A browser refuses to send more than 64 KiB from a page that is gone; all but the last seconds is kept already.
  fetch(form.dataset.draft, { method: "POST", body, keepalive: true, headers: { "HX-Request": "true" } }).catch(() => {});
  form = null;
});

// The variables are drawn anew as the text changes, but not under the hands of somebody who fills them in: later, then.
document.addEventListener("htmx:beforeSwap", (event) => {
  const { target } = event.detail;
  const field = document.activeElement;
  if (target?.id !== "contract" || !target.contains(field) || !isTyping(field) || field.closest(".contract__former")) return;
  event.detail.shouldSwap = false;
  target.addEventListener("focusout", () => target.dispatchEvent(new CustomEvent("again")), { once: true });
});
