// A form is sent once: its button turns busy, and a second press does nothing until the answer is here.
// data-busy-text="Running" is what the button says meanwhile.
import { on } from "./dom.js";

const sent = new WeakSet();

function rest(form) {
  sent.delete(form);
  for (const button of form.querySelectorAll("[aria-busy='true'][data-was]")) {
    button.removeAttribute("aria-busy");
    button.innerHTML = button.dataset.was;
    delete button.dataset.was;
  }
}

on("submit", "form", (event, form) => {
  if (form.method === "dialog" || event.submitter?.formMethod === "dialog") return;
  if (sent.has(form)) {
    event.preventDefault();
    event.stopImmediatePropagation();
    return;
  }
  // Another listener may still refuse; look after all of them.
  setTimeout(() => {
    const byHtmx = form.matches("[hx-get], [hx-post], [data-hx-get], [data-hx-post]");
    if ((event.defaultPrevented && !byHtmx) || form.method === "get") return;
    sent.add(form);
    const button = event.submitter ?? form.querySelector(".button--primary");
    if (!button?.matches(".button--primary, .button--danger-fill")) return;
    button.dataset.was = button.innerHTML;
    button.setAttribute("aria-busy", "true");
    const spinner = document.createElement("span");
    spinner.className = "spinner";
    const icon = button.querySelector(".icon");
    if (icon) icon.replaceWith(spinner);
    else button.prepend(spinner);
    if (button.dataset.busyText) button.lastChild.textContent = button.dataset.busyText;
  });
}, true);

for (const name of ["htmx:afterRequest", "htmx:sendAbort"]) {
  document.addEventListener(name, (event) => {
    const form = event.target instanceof Element ? event.target.closest("form") : null;
    if (form) rest(form);
  });
}

// A page that comes back from the history is as it was before it was sent.
window.addEventListener("pageshow", (event) => {
  if (event.persisted) for (const form of document.forms) rest(form);
});
