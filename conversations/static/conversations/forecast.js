// What asking takes, by what is typed and by the models that are chosen. Without this module the page tells it for the
// model chosen at first.
import { on } from "../js/dom.js";

const CJK = /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Hangul}]/gu;

/** As `templates_app.rendering.estimate_tokens`. */
function tokensOf(text) {
  let ascii = 0;
  for (const sign of text) if (sign < "\u0080") ascii += 1;
  const cjk = text.match(CJK)?.length ?? 0;
  return Math.ceil(ascii / 4 + cjk * 0.8 + ([...text].length - ascii - cjk) / 3);
}

function tell(form) {
  const place = form.querySelector("[data-forecast]");
  if (!place) return;
  const { forecast, currency, tokensIn, tokensOut, text, words, wordsFree } = place.dataset;
  const prices = JSON.parse(forecast);
  const typed = text ? tokensOf(document.querySelector(text)?.value ?? "") : 0;
  const input = Number(tokensIn) + typed;
  const also = [...form.querySelectorAll("[name=also]:checked")].map((box) => box.value);
  const models = [...new Set([form.elements.model.value, ...also])].filter((model) => model !== "record");
  place.hidden = !models.length;
  const priced = models.filter((model) => model in prices);
  const cost = priced.reduce((sum, model) => sum + (input * prices[model][0] + tokensOut * prices[model][1]) / 1e6, 0);
  const language = document.documentElement.lang;
  const money = new Intl.NumberFormat(language, { style: "currency", currency, maximumSignificantDigits: 2 }).format(cost);
  const tokens = new Intl.NumberFormat(language).format(models.length * (input + Number(tokensOut)));
  place.textContent = (priced.length ? words : wordsFree).replace("#", tokens).replace("$", () => money);
}

for (const type of ["input", "change"]) on(type, "form:has([data-forecast])", (_event, form) => tell(form));
for (const form of document.querySelectorAll("form:has([data-forecast])")) tell(form);
