// The dialogs: one secret with its value, the form, and questions.

import * as api from "./api.js";
import { badge, byId, calm, complain, make, say, sessionOver, words } from "./dom.js";
import { forgetPasted, pastedInto } from "./pasted.js";
import { age, called, endOfDay, expires, expiry, isSame, lastDay, moment } from "./words.js";

/** How long a value is shown, in seconds. */
const SHOWN = 10;

const details = byId("details");
const form = byId("form");
const fields = form.querySelector("form").elements;

let secret; // that the details are about
let ticking;
let limits; // of names and values, in bytes

/** Sets how many bytes a name and a value may have. */
export const setLimits = (known) => (limits = known);

/** Asks. Cancel has the focus; what is asked for takes one more step. */
export function ask({ heading, text, yes, isDangerous = false }) {
  const dialog = byId("confirm");
  byId("confirm-heading").replaceChildren(...words(heading));
  byId("confirm-text").replaceChildren(...words(text));
  byId("confirm-yes").textContent = yes;
  byId("confirm-yes").className = isDangerous ? "danger solid" : "primary";
  dialog.returnValue = "";
  dialog.showModal();
  byId("confirm-no").focus();
  return new Promise((resolve) => {
    dialog.addEventListener("close", () => resolve(dialog.returnValue === "yes"), { once: true });
  });
}

/** Shows a secret, without its value. */
export function showDetails(shown) {
  secret = shown;
  calm(details);
  hideValue();
  byId("details-name").replaceChildren(...words(secret.name));
  byId("facts").replaceChildren(...facts(secret));
  if (!details.open) details.showModal();
}

/** Opens the form for a new secret. */
export function showAdd() {
  openForm({ heading: "Add a secret", submit: "Store", key: true, value: true });
  form.onsend = async (filled) => {
    await api.add(filled);
    return `${called(filled)} was added.`;
  };
}

/** Whether the details of this secret are open. */
export const isAbout = (key) => details.open && isSame(secret, key);

/** Takes everything off the screen. */
export function closeAll() {
  hideValue();
  for (const dialog of document.querySelectorAll("dialog[open]")) dialog.close();
}

/**
 * Changes a secret that the page has seen, and returns whether it did: where another process has changed it since, it
 * asks first.
 */
async function change(seen, verb, work) {
  try {
    await work(seen);
    return true;
  } catch (problem) {
    if (problem.code !== "conflict") throw problem;
    const isSure = await ask({
      heading: `${called(seen)} was changed meanwhile`,
      text: `Another process has written it since this page showed it. ${verb} it all the same?`,
      yes: `${verb} it`,
      isDangerous: true,
    });
    return isSure && change({ ...seen, updated_at: problem.updated_at ?? null }, verb, work);
  }
}

function showReplace() {
  const old = secret;
  openForm({ heading: `Replace ${called(old)}`, submit: "Replace", key: false, value: true });
  fields.provider.value = old.provider ?? "";
  fields.scope.value = old.scope ?? "";
  fields.expires.value = old.expired ? "" : lastDay(old.expires_at);
  form.onsend = async (filled) => {
    // A day that stays is the same moment, which need not be the day's end.
    const stays = fields.expires.value === lastDay(old.expires_at);
    const secret = { ...filled, expires_at: stays ? old.expires_at : filled.expires_at };
    const isDone = await change(old, "Replace", (seen) => api.replace(seen, secret));
    return isDone && `${called(old)} was replaced.`;
  };
  fields.value.focus();
}

function showRename() {
  const old = secret;
  openForm({ heading: `Rename ${called(old)}`, submit: "Rename", key: true, value: false });
  fields.name.value = old.name;
  fields.target.value = old.target ?? "";
  form.onsend = async (filled) => {
    const isDone = await change(old, "Rename", (seen) => api.rename(seen, filled));
    return isDone && `${called(old)} is ${called(filled)} now.`;
  };
  fields.name.select();
}

function openForm({ heading, submit, key, value }) {
  details.close();
  form.querySelector("form").reset();
  forgetPasted();
  calm(form);
  veil();
  byId("form-heading").replaceChildren(...words(heading));
  byId("submit").textContent = submit;
  byId("key-fields").hidden = !key;
  byId("value-fields").hidden = !value;
  fields.name.required = key;
  fields.value.required = value;
  form.showModal();
}

async function send(event) {
  event.preventDefault();
  const text = (name) => fields[name].value.trim();
  const filled = {
    name: text("name"),
    target: text("target") || null,
    value: pastedInto(fields.value),
    provider: text("provider"),
    scope: text("scope"),
    expires_at: endOfDay(text("expires")),
  };
  await attempt(form, byId("submit"), async () => {
    mustFit(filled);
    const done = await form.onsend(filled);
    if (!done) return;
    form.close();
    say(done);
  });
}

/** Refuses what the server would refuse as too long, before it is sent. */
function mustFit({ name, target, value }) {
  const sizes = [["name", name, limits.name], ["target", target, limits.name], ["value", value, limits.value]];
  for (const [what, text, limit] of sizes) {
    const size = new TextEncoder().encode(text ?? "").length;
    if (size > limit) {
      const message = `the ${what} has ${size} bytes, and can have at most ${limit}`;
      throw new api.Problem(0, { message, hint: "Nothing was stored." });
    }
  }
}

/** Does something once, and says in the dialog what went wrong. */
async function attempt(dialog, button, work) {
  if (button.disabled) return;
  calm(dialog);
  button.disabled = true;
  try {
    await work();
  } catch (problem) {
    if (problem.isSessionOver) sessionOver(problem);
    else complain(problem, { dialog });
  } finally {
    button.disabled = false;
  }
}

async function remove() {
  const doomed = secret;
  const isSure = await ask({
    heading: `Delete ${called(doomed)}?`,
    text: "Its value can't be brought back. Programs that use it will find nothing.",
    yes: "Delete",
    isDangerous: true,
  });
  if (!isSure) return;
  await attempt(details, byId("delete"), async () => {
    if (!(await change(doomed, "Delete", api.remove))) return;
    details.close();
    say(`${called(doomed)} was deleted.`);
  });
}

async function reveal() {
  const asked = secret;
  const isSure = await ask({
    heading: `Show ${called(asked)}?`,
    text: "Its value will be on your screen for ten seconds.",
    yes: "Show it",
  });
  if (!isSure) return;
  await attempt(details, byId("reveal"), async () => {
    const value = await api.reveal(asked);
    if (details.open && secret === asked) showValue(value);
  });
}

async function copy() {
  await attempt(details, byId("copy"), async () => {
    await navigator.clipboard.writeText(await api.reveal(secret));
    say("Copied. Other programs can read the clipboard until something else is in it.");
  });
}

function showValue(value) {
  let left = SHOWN;
  const tell = () => (byId("left").textContent = `Hidden in ${left} s`);
  byId("value").textContent = value;
  setShown(true);
  tell();
  byId("value").focus();
  ticking = setInterval(() => {
    left -= 1;
    tell();
    if (left === 0) {
      hideValue();
      byId("reveal").focus();
      say("The value is hidden again.");
    }
  }, 1000);
}

function hideValue() {
  clearInterval(ticking);
  byId("value").textContent = "";
  setShown(false);
}

function setShown(isShown) {
  for (const id of ["value", "left", "hide"]) byId(id).hidden = !isShown;
  for (const id of ["hidden-value", "reveal"]) byId(id).hidden = isShown;
}

function veil() {
  fields.value.classList.toggle("veiled", !byId("unveil").checked);
}

function facts(secret) {
  const { target, provider, scope, created_at, updated_at, expires_at, storage } = secret;
  const until = expires_at ? `${expires(expires_at)} (${moment(expires_at)})` : "never";
  const where = make("span", {}, badge(storage), ` ${storage.protection} ${storage.lasts}`);
  const times = (text) => text && [text];
  const known = [
    ["Target", words(target)],
    ["Provider", words(provider)],
    ["Scope", words(scope)],
    ["Added", times(created_at && moment(created_at))],
    ["Last written", times(updated_at && `${moment(updated_at)} (${age(updated_at)})`)],
    ["Expires", [make("span", { className: `expiry ${expiry(secret)}` }, until)]],
    ["Stored in", [where]],
  ];
  return known
    .filter(([, fact]) => fact?.some((piece) => piece !== ""))
    .flatMap(([term, fact]) => [make("dt", {}, term), make("dd", {}, ...fact)]);
}

byId("confirm-no").addEventListener("click", () => byId("confirm").close(""));
byId("confirm-yes").addEventListener("click", () => byId("confirm").close("yes"));
for (const button of document.querySelectorAll("dialog .close")) {
  button.addEventListener("click", () => button.closest("dialog").close());
}
details.addEventListener("close", hideValue);
form.addEventListener("close", () => {
  form.querySelector("form").reset();
  forgetPasted();
});
form.addEventListener("keydown", (event) => {
  if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) form.querySelector("form").requestSubmit();
});
form.addEventListener("submit", send);
byId("unveil").addEventListener("change", veil);
byId("reveal").addEventListener("click", reveal);
byId("hide").addEventListener("click", () => {
  hideValue();
  byId("reveal").focus();
});
byId("copy").addEventListener("click", copy);
byId("replace").addEventListener("click", showReplace);
byId("rename").addEventListener("click", showRename);
byId("delete").addEventListener("click", remove);
// Nothing stays on a screen that nobody looks at.
document.addEventListener("visibilitychange", () => document.hidden && hideValue());
