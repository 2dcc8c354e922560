// form[data-auto-submit]: a changed choice is applied at once; without a script its Apply button does it.
import { on, whenAdded } from "./dom.js";

on("change", "form[data-auto-submit]", (event, form) => {
  if (event.target.matches("select, [type='checkbox'], [type='radio']")) form.requestSubmit();
});

whenAdded((root) => {
  for (const button of root.querySelectorAll("form[data-auto-submit] [data-apply]")) button.hidden = true;
});
