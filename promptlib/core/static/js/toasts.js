// A toast stays 8 seconds, longer while hovered or focused (the style sheet sees to it), and then leaves the page.
// Others ask for one with the event app:toast; a request that fails says so.
import { on } from "./dom.js";

function show(template) {
  const stack = document.getElementById("toasts");
  if (stack && template) stack.append(template.content.cloneNode(true));
}

document.addEventListener("app:toast", (event) => show(event.detail.template));

on("animationend", "[data-toast]", (event, toast) => {
  if (event.animationName === "leave") toast.remove();
});

document.addEventListener("keydown", (event) => {
  const toast = event.key === "Escape" && event.target instanceof Element ? event.target.closest("[data-toast]") : null;
  if (toast) toast.remove();
});

for (const name of ["htmx:responseError", "htmx:sendError", "htmx:timeout"]) {
  document.addEventListener(name, () => show(document.getElementById("request-failed")));
}
