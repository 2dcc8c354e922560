// data-key="e" on a link or a button: that key presses it; on a field: it goes there. data-key="g l": one after the other.
// Escape leaves such a field, with its words in it. Single letters do nothing while one types, in a dialog, with a
// modifier, or where the preferences say off.
import { hasModifier, isTyping } from "./dom.js";

const PATIENCE = 1200;
let first = "";
let waiting = 0;

const off = () => document.documentElement.dataset.shortcuts === "off";

function elementFor(keys) {
  const all = [...document.querySelectorAll(`[data-key="${CSS.escape(keys)}"]`)].filter((each) => !each.disabled);
  // What is on the page goes before what is folded away in a menu.
  return all.find((each) => each.checkVisibility?.() ?? true) ?? all[0];
}

function act(element) {
  if (element.matches("input, textarea, select")) {
    element.focus();
    if (element.select) element.select();
  } else {
    element.click();
  }
}

document.addEventListener("keydown", (event) => {
  if (event.key === "Enter" && hasModifier(event)) {
    const form = event.target instanceof Element ? event.target.closest("form[data-submit-key]") : null;
    if (form) {
      event.preventDefault();
      form.requestSubmit();
    }
    return;
  }
  if (event.key === "Escape" && event.target instanceof Element && event.target.matches("input[data-key]")) {
    event.preventDefault(); // else the browser empties a search field
    event.target.blur();
    return;
  }
  if (off() || event.defaultPrevented || event.repeat || event.metaKey || event.ctrlKey || event.altKey) return;
  if (isTyping(event.target) || document.querySelector("dialog[open]")) return;
  const key = event.key.toLowerCase();
  if (key.length !== 1) return;
  const element = (first && elementFor(`${first} ${key}`)) || elementFor(key);
  first = key;
  clearTimeout(waiting);
  waiting = setTimeout(() => {
    first = "";
  }, PATIENCE);
  if (!element) return;
  event.preventDefault();
  first = "";
  act(element);
});
