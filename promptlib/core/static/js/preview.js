// While values are typed into form[data-preview-form], the variables of the filled-in prompt show them.
// A variable is any .var[data-var="name"] inside [data-preview]; the form's fields are found by name, or by data-var.
// The server draws the same when the page is loaded: Segment in templates_app/rendering.py, BLOCK_LENGTH there and here.
import { on, whenAdded } from "./dom.js";

const BLOCK_LENGTH = 160;

/** Boxes for several choices, each with a value of its own; a single yes-or-no box says so by its words for yes and no. */
const isGroup = (fields) => fields[0]?.type === "checkbox" && !("trueText" in fields[0].dataset);

function valueOf(form, name) {
  const fields = [...form.querySelectorAll(`[data-var="${CSS.escape(name)}"]`)];
  if (isGroup(fields)) return fields.filter((each) => each.checked).map((each) => each.value).join(", ");
  const field = fields[0] ?? form.elements.namedItem(name);
  if (!field) return null;
  if (field instanceof RadioNodeList) {
    const chosen = [...field].filter((each) => each.checked).map((each) => each.value);
    return chosen.length ? chosen.join(", ") : field.value;
  }
  if (field.type === "checkbox") return field.checked ? (field.dataset.trueText ?? "true") : (field.dataset.falseText ?? "false");
  if (field.multiple) return [...field.selectedOptions].map((option) => option.value).join(", ");
  return field.value;
}

function fill(preview, form) {
  for (const place of preview.querySelectorAll(".var[data-var]")) {
    const name = place.dataset.var;
    const value = valueOf(form, name);
    if (value === null) continue;
    const text = value === "" ? (place.dataset.default ?? "") : value;
    const filled = text !== "";
    place.textContent = filled ? text : name;
    place.classList.toggle("var--filled", filled);
    place.classList.toggle("var--block", filled && (text.length > BLOCK_LENGTH || text.includes("\n")));
  }
}

function countEmpty(form) {
  const note = form.querySelector("[data-empty-note]");
  if (!note) return;
  const names = new Set([...form.querySelectorAll("[data-var]")].map((field) => field.dataset.var));
  const empty = [...names].filter((name) => valueOf(form, name) === "").length;
  note.hidden = empty === 0;
  note.textContent = note.dataset.emptyNote.replace("%(empty)s", empty).replace("%(all)s", names.size);
}

function refresh(form) {
  const scope = form.dataset.previewForm ? document.querySelectorAll(form.dataset.previewForm) : document.querySelectorAll("[data-preview]");
  for (const preview of scope) fill(preview, form);
  countEmpty(form);
}

on("input", "form[data-preview-form]", (_event, form) => {
  refresh(form);
  const filled = document.querySelector(".preview [value='filled']");
  if (filled && !filled.checked) filled.checked = true;
});
on("change", "form[data-preview-form]", (_event, form) => refresh(form));

// The variable whose field has the focus is outlined in the text.
for (const type of ["focusin", "focusout"]) {
  on(type, "form[data-preview-form] [data-var]", (_event, field) => {
    for (const place of document.querySelectorAll(`.var[data-var="${CSS.escape(field.dataset.var)}"]`)) {
      place.classList.toggle("var--active", type === "focusin");
    }
  });
}

whenAdded((root) => {
  for (const form of root.querySelectorAll("form[data-preview-form]")) refresh(form);
});
