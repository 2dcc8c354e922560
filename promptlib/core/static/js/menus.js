// A menu closes on a click outside, on Escape, and when one of its links was followed; arrows walk its items.
import { on } from "./dom.js";

const OPEN = "details.menu[open]";

document.addEventListener("click", (event) => {
  for (const menu of document.querySelectorAll(OPEN)) {
    if (!menu.contains(event.target)) menu.open = false;
  }
});

document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape") return;
  const menu = event.target instanceof Element ? event.target.closest(OPEN) : null;
  const menus = menu ? [menu] : [...document.querySelectorAll(OPEN)];
  for (const each of menus) {
    each.open = false;
    if (each === menu) each.querySelector("summary").focus();
  }
});

// A box among the items is ticked, and so may others be.
on("click", ".menu__item:not(label)", (_event, item) => {
  const menu = item.closest(OPEN);
  if (menu) menu.open = false;
});

on("keydown", OPEN, (event, menu) => {
  if (event.key !== "ArrowDown" && event.key !== "ArrowUp") return;
  if (event.target.matches("input, select, textarea")) return;
  const items = [...menu.querySelectorAll(".menu__item")];
  if (!items.length) return;
  event.preventDefault();
  const step = event.key === "ArrowDown" ? 1 : -1;
  const place = items.indexOf(document.activeElement);
  items[place < 0 ? (step > 0 ? 0 : items.length - 1) : (place + step + items.length) % items.length].focus();
});
