// What the other modules share.

const mac = /Mac|iPhone|iPad/.test(navigator.platform);

/** Calls `handle(event, element)` for events of `type` inside anything that matches `selector`, now or later. */
export function on(type, selector, handle, options) {
  document.addEventListener(
    type,
    (event) => {
      const element = event.target instanceof Element ? event.target.closest(selector) : null;
      if (element) handle(event, element);
    },
    options,
  );
}

/** Runs `apply(root)` for the page and for every fragment that htmx puts into it. */
export function whenAdded(apply) {
  apply(document);
  document.addEventListener("htmx:load", (event) => apply(event.detail.elt ?? document));
}

export function isTyping(target) {
  if (!(target instanceof Element)) return false;
  if (target.closest("[contenteditable='true'], textarea, select")) return true;
  const input = target.closest("input");
  return Boolean(input) && !["checkbox", "radio", "button", "submit", "reset"].includes(input.type);
}

/** ⌘ on a Mac, Ctrl elsewhere. */
export const hasModifier = (event) => (mac ? event.metaKey : event.ctrlKey);

whenAdded((root) => {
  if (mac) return;
  for (const hint of root.querySelectorAll("[data-mod-key]")) hint.textContent = `Ctrl ${hint.dataset.modKey}`.trim();
});
