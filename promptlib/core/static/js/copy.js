// data-copy="text", or data-copy-from="selector" for the text or the value of the elements that it finds: the visible
// ones, an empty line between them.
// The button shows a tick for a moment.
import { on } from "./dom.js";

const SHOWN = 1600;

function textFor(button) {
  if (button.dataset.copy) return button.dataset.copy;
  const selector = button.dataset.copyFrom;
  if (!selector) return button.closest(".code")?.querySelector("code")?.textContent ?? "";
  const scope = button.closest("[data-copy-scope]") ?? document;
  const sources = [...scope.querySelectorAll(selector)];
  const visible = sources.filter((element) => element.checkVisibility?.() ?? true);
  return (visible.length ? visible : sources).map(textOf).join("\n\n");
}

/** The text to the letter; a variable that nobody filled in stands there as it was typed. */
function textOf(source) {
  if ("value" in source) return source.value;
  if (source.dataset.text) return source.dataset.text;
  const copy = source.cloneNode(true);
  for (const place of copy.querySelectorAll(".var[data-typed]:not(.var--filled)")) place.textContent = place.dataset.typed;
  return copy.textContent;
}

async function write(text) {
  if (navigator.clipboard && window.isSecureContext) return navigator.clipboard.writeText(text);
  // Without https there is no clipboard API: copy from a field of our own.
  const field = document.createElement("textarea");
  field.value = text;
  field.readOnly = true;
  field.className = "hide-visually";
  document.body.append(field);
  field.select();
  const done = document.execCommand("copy");
  field.remove();
  if (!done) throw new Error("copy refused");
}

on("click", "[data-copy], [data-copy-from], .code__bar button", async (event, button) => {
  event.preventDefault();
  try {
    await write(textFor(button));
  } catch {
    return;
  }
  const label = document.getElementById("toast-copied");
  const use = button.querySelector("use");
  if (use && !use.dataset.was) {
    use.dataset.was = use.getAttribute("href");
    use.setAttribute("href", use.dataset.was.replace(/#.*/, "#check"));
    setTimeout(() => {
      use.setAttribute("href", use.dataset.was);
      delete use.dataset.was;
    }, SHOWN);
  }
  if (label) document.dispatchEvent(new CustomEvent("app:toast", { detail: { template: label } }));
});
