// Elements, and words to the user. Text goes in as text, never as markup.

import { moment } from "./words.js";

export const byId = (id) => document.getElementById(id);

/** A new element. Properties whose name has a dash, and `role`, are attributes. */
export function make(tag, properties = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (name.includes("-") || name === "role") element.setAttribute(name, value);
    else element[name] = value;
  }
  element.append(...children);
  return element;
}

let fading;

/** A text in pieces between which a line may break: after what separates the words of a name. */
export const words = (text) =>
  (text ?? "").split(/(?<=[-_.:/@,;=+])(?![-_.:/@,;=+])/).flatMap((word, at) => (at ? [make("wbr"), word] : [word]));

/** Tells what happened: in the dialog that is open, since the page behind it is silent. */
export function say(text) {
  const dialog = [...document.querySelectorAll("dialog[open]")].at(-1);
  const place = dialog?.querySelector(".told") ?? byId("status");
  // Nothing is told any more once the session is over.
  if (!place) return;
  place.textContent = text;
  clearTimeout(fading);
  fading = setTimeout(() => (place.textContent = ""), 6000);
}

/**
 * Tells what went wrong and what to do: in the dialog, or at the top of the page. `again` is what a button there
 * tries again.
 */
export function complain(problem, { dialog, again } = {}) {
  const text = [sentence(problem.message), problem.hint].filter(Boolean).join(" ");
  const place = dialog?.querySelector(".failed") ?? byId("notice");
  place.replaceChildren(...words(localTimes(text)));
  if (again) {
    const button = make("button", { type: "button" }, "Try again");
    button.addEventListener("click", again);
    place.append(" ", button);
  }
  place.hidden = false;
  place.scrollIntoView({ block: "nearest" });
}

export function calm(dialog) {
  const places = dialog ? dialog.querySelectorAll(".failed, .told") : [byId("notice")];
  for (const place of places) place.textContent = "";
  if (!dialog) byId("notice").hidden = true;
}

/** Tells the page that its session is over. */
export const sessionOver = (problem) =>
  document.dispatchEvent(new CustomEvent("session-over", { detail: problem }));

/** A text with its moments by the user's clock. */
const localTimes = (text) => text.replace(/\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z/g, moment);

/** A clause as a sentence. */
export function sentence(clause) {
  const text = clause.charAt(0).toUpperCase() + clause.slice(1);
  return /[.!?:]$/.test(text) ? text : `${text}.`;
}

/** The badge of a way to store. */
export const badge = (storage) =>
  make("span", { className: `badge ${storage.kind}` }, storage.method);
