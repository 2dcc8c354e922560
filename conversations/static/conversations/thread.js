// An answer appears as it is written. The server sends plain text while it lasts, then the page asks for the turn as it
// is kept, Markdown and all. Without this module the page loads itself anew every two seconds.
import { on } from "../js/dom.js";

const POLL = 2000;
const NEAR = 160;
const STREAMS = Number(document.querySelector("[data-streams]")?.dataset.streams ?? 2);

export function isAtEnd() {
  return window.innerHeight + window.scrollY >= document.documentElement.scrollHeight - NEAR;
}

function write(answer, { offset, text }) {
  const place = answer.querySelector("[data-answer-text]");
  if (!place) return;
  const follow = isAtEnd();
  const caret = place.querySelector(".caret");
  if (offset === 0) place.replaceChildren(...(caret ? [caret] : []));
  if (caret) caret.before(text);
  else place.append(text);
  if (follow) window.scrollTo({ top: document.documentElement.scrollHeight });
}

function count(answer) {
  const place = answer.querySelector("[data-elapsed]");
  const started = performance.now();
  const words = place?.dataset.elapsed ?? "";
  const timer = setInterval(() => {
    if (!place?.isConnected) return clearInterval(timer);
    place.textContent = words.replace("#", ((performance.now() - started) / 1000).toFixed(1));
  }, 200);
}

/** Puts the turn as the server has it in place of what was written so far; true when it has ended. */
async function refresh(answer) {
  const response = await fetch(answer.dataset.turn, { headers: { "HX-Request": "true" } });
  if (response.headers.has("HX-Redirect")) location.assign(response.headers.get("HX-Redirect"));
  if (!response.ok || response.status === 204) return response.status === 404;
  const holder = document.createElement("template");
  holder.innerHTML = await response.text();
  const fresh = holder.content.querySelector(".answer");
  if (fresh.hasAttribute("aria-busy")) return false;
  const follow = isAtEnd();
  answer.replaceChildren(...fresh.childNodes);
  // The region stays where it was, so that a screen reader says what is in it now.
  answer.removeAttribute("aria-busy");
  delete answer.dataset.stream;
  for (const part of holder.content.querySelectorAll("[data-swap]")) document.getElementById(part.id)?.replaceWith(part);
  window.htmx?.process(answer);
  if (follow) window.scrollTo({ top: document.documentElement.scrollHeight });
  return true;
}

async function poll(answer) {
  let ended = false;
  try {
    ended = await refresh(answer);
  } catch {
    // The network is away for a moment.
  }
  if (!ended && answer.isConnected) setTimeout(() => poll(answer), POLL);
}

function follow(answer) {
  const source = new EventSource(answer.dataset.stream);
  streaming += 1;
  count(answer);
  source.addEventListener("text", (event) => write(answer, JSON.parse(event.data)));
  source.addEventListener("end", () => {
    source.close();
    streaming -= 1;
    poll(answer);
  });
  // A dropped connection is taken up again by itself; a refusal (too many readers) is not.
  source.addEventListener("error", () => {
    if (source.readyState !== EventSource.CLOSED) return;
    streaming -= 1;
    poll(answer);
  });
  window.addEventListener("pagehide", () => source.close(), { once: true });
}

let streaming = 0;

// A browser has six connections for a site, in all its tabs: two for words as they come, the others look now and then.
export function attend(answer) {
  if (streaming < STREAMS) follow(answer);
  else poll(answer);
}

for (const answer of document.querySelectorAll(".answer[data-stream]")) attend(answer);

// Pressed once is enough: the end arrives with the stream.
on("submit", "form[data-stop]", (_event, form) => {
  setTimeout(() => {
    for (const button of form.querySelectorAll("button")) button.disabled = true;
  });
});

document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape" || event.defaultPrevented) return;
  if (document.querySelector("dialog[open], details.menu[open]") || event.target.value) return;
  document.querySelector("form[data-stop]:has(button:enabled)")?.requestSubmit();
});

// A page that comes back from the history may show an answer that has ended since.
window.addEventListener("pageshow", (event) => {
  if (event.persisted) for (const answer of document.querySelectorAll(".answer[data-stream]")) poll(answer);
});
