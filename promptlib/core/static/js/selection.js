// form.selection: says how many rows are ticked, ticks all of the page at once, and a range with Shift. All else is CSS.
import { on, whenAdded } from "./dom.js";

const TICKS = "input[name='ids']";
let last = null;

/** Those of a list too whose rows have forms of their own: they name their form. */
function ticksOf(form) {
  return [...form.elements].filter((each) => each.matches(TICKS));
}

function tell(form) {
  const ticks = ticksOf(form);
  const count = ticks.filter((tick) => tick.checked).length;
  const words = form.querySelector("[data-selection-count]");
  if (words) words.textContent = count === 1 ? words.dataset.one : words.dataset.many.replace("%(count)s", count);
  const page = form.querySelector("[data-selection-page] input");
  if (page) {
    page.checked = count > 0 && count === ticks.length;
    page.indeterminate = count > 0 && count < ticks.length;
  }
}

on("click", TICKS, (event, tick) => {
  const ticks = ticksOf(tick.form);
  if (event.shiftKey && last && ticks.includes(last)) {
    const [from, to] = [ticks.indexOf(last), ticks.indexOf(tick)].sort((a, b) => a - b);
    for (const each of ticks.slice(from, to + 1)) each.checked = tick.checked;
  }
  last = tick;
  tell(tick.form);
});

on("change", "[data-selection-page] input", (event, page) => {
  for (const tick of ticksOf(page.form)) tick.checked = page.checked;
  tell(page.form);
});

whenAdded((root) => {
  for (const label of root.querySelectorAll("[data-selection-page]")) {
    label.hidden = false;
    tell(label.closest("form"));
  }
});
