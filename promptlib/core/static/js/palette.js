// The palette: ⌘K or Ctrl K, arrows, Enter. htmx fetches the matches; the field in the bar is a plain link without this.
import { hasModifier, on } from "./dom.js";

const dialog = () => document.getElementById("palette");
const options = () => [...(dialog()?.querySelectorAll("[role='option']") ?? [])];

function choose(option) {
  const field = dialog().querySelector("[role='combobox']");
  for (const [place, each] of options().entries()) {
    each.id ||= `palette-option-${place}`;
    each.setAttribute("aria-selected", String(each === option));
  }
  if (option) {
    field.setAttribute("aria-activedescendant", option.id);
    option.scrollIntoView({ block: "nearest" });
  } else {
    field.removeAttribute("aria-activedescendant");
  }
}

function open() {
  const palette = dialog();
  if (!palette || palette.open) return false;
  for (const menu of document.querySelectorAll("details.menu[open]")) menu.open = false;
  palette.showModal();
  palette.querySelector("[role='combobox']").select();
  choose(options()[0]);
  return true;
}

on("click", "[data-palette]", (event) => {
  if (event.metaKey || event.ctrlKey || event.shiftKey) return;
  if (open()) event.preventDefault();
});

document.addEventListener("keydown", (event) => {
  if (hasModifier(event) && event.key.toLowerCase() === "k" && !event.shiftKey && !event.altKey) {
    if (dialog()?.open) dialog().close();
    else if (!open()) return;
    event.preventDefault();
  }
});

on("keydown", "#palette [role='combobox']", (event) => {
  const all = options();
  const place = all.findIndex((each) => each.getAttribute("aria-selected") === "true");
  if (event.key === "ArrowDown" || event.key === "ArrowUp") {
    event.preventDefault();
    const step = event.key === "ArrowDown" ? 1 : -1;
    if (all.length) choose(all[(place + step + all.length) % all.length]);
  } else if (event.key === "Enter" && !hasModifier(event) && all[place]) {
    event.preventDefault();
    all[place].click();
  } else if (event.key === "Enter" && hasModifier(event)) {
    event.preventDefault();
    event.target.form.requestSubmit();
  }
});

// A click on the backdrop is a click on the dialog itself.
on("click", "#palette", (event, palette) => {
  if (event.target === palette) palette.close();
});

document.addEventListener("htmx:afterSwap", (event) => {
  if (event.target.id === "palette-list") choose(options()[0]);
});
