// Text areas grow with their text where the style sheet alone cannot do it (no field-sizing).
import { on, whenAdded } from "./dom.js";

const GROWS = "textarea.input, textarea.composer__input";

function fit(area) {
  // The style sheet's max-block-size still holds: a taller value only shows the scroll bar.
  area.rows = Math.min(24, Math.max(Number(area.dataset.rows ?? (area.dataset.rows = area.rows)), area.value.split("\n").length));
}

if (!CSS.supports("field-sizing", "content")) {
  on("input", GROWS, (_event, area) => fit(area));
  whenAdded((root) => {
    for (const area of root.querySelectorAll(GROWS)) fit(area);
  });
}
