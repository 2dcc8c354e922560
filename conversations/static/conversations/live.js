// What others ask appears at the end of the thread while it is open. Without this module a reload shows it.
import { attend, isAtEnd } from "./thread.js";

const POLL = 2000;
const HIDDEN_POLL = 15000;

const thread = document.querySelector(".thread[data-live]");

function leafOf() {
  return [...thread.querySelectorAll(".turn")].at(-1)?.id.slice(2) ?? "";
}

function show(html) {
  const holder = document.createElement("template");
  holder.innerHTML = html;
  const news = holder.content.querySelector("[data-newest]");
  thread.dataset.newest = news.dataset.newest;
  const follow = isAtEnd();
  for (const part of news.querySelectorAll("[data-swap]")) document.getElementById(part.id)?.replaceWith(part);
  const turns = [...news.querySelectorAll(".turn")].filter((turn) => !document.getElementById(turn.id));
  const elsewhere = news.querySelector("[data-elsewhere]");
  thread.querySelector("[data-elsewhere]")?.remove();
  if (turns.length) thread.querySelector(".empty")?.remove();
  thread.append(...turns, ...(elsewhere ? [elsewhere] : []));
  for (const turn of turns) {
    window.htmx?.process(turn);
    for (const answer of turn.querySelectorAll(".answer[data-stream]")) attend(answer);
  }
  const leaf = document.querySelector(".composer input[name=leaf]");
  if (leaf) leaf.value = leafOf();
  if (follow) window.scrollTo({ top: document.documentElement.scrollHeight });
  if (!document.hidden) tellRead();
}

// Nobody asked for this: where it fails, it does so in silence. Who was removed meanwhile learns of it by the next look.
function tellRead() {
  const headers = { ...JSON.parse(document.body.dataset.hxHeaders ?? "{}"), "HX-Request": "true" };
  fetch(thread.dataset.reading, { method: "POST", headers }).catch(() => {});
}

async function look() {
  const query = new URLSearchParams({ after: thread.dataset.newest, leaf: leafOf() });
  try {
    const response = await fetch(`${thread.dataset.live}?${query}`, { headers: { "HX-Request": "true" } });
    if (response.status === 404 || response.headers.has("HX-Redirect")) return location.reload();
    if (response.status === 200) show(await response.text());
  } catch {
    // The network is away for a moment.
  }
  setTimeout(look, document.hidden ? HIDDEN_POLL : POLL);
}

if (thread) setTimeout(look, POLL);
