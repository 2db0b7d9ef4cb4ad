// The page: its session, the table, and what changes while it is open.

import * as api from "./api.js";
import { closeAll, isAbout, showAdd, showDetails } from "./dialogs.js";
import { badge, byId, calm, complain, make, say } from "./dom.js";
import { showExport, showHealth, showMigration, showStorage } from "./sections.js";
import { age, called, expires, isSame } from "./words.js";

/** How often the server hears that somebody is there, at most, in milliseconds. */
const KEEP = 60_000;

/** How often ages are told anew, in milliseconds. */
const AGING = 60_000;

let secrets = [];
let stream;

async function start() {
  const refused = await exchange();
  try {
    const about = await api.about();
    document.title = `${about.title} – secrets`;
    byId("title").textContent = about.title;
    showStorage(about.storage);
    for (const field of document.querySelectorAll(".metadata")) field.hidden = !about.keeps_metadata;
    showExport(about.export);
    byId("page").hidden = false;
    byId("end").hidden = false;
    listen();
    await Promise.all([showHealth(), about.migration && showMigration()]);
  } catch (problem) {
    fail(refused ?? problem);
  } finally {
    byId("main").setAttribute("aria-busy", "false");
  }
}

/** Exchanges the token in the link, which is then of no use to anybody. */
async function exchange() {
  const token = new URLSearchParams(location.hash.slice(1)).get("token");
  history.replaceState(null, "", location.pathname);
  try {
    if (token) await api.openSession(token);
  } catch (problem) {
    // A session that is there already is as good.
    return problem;
  }
}

/** Follows what changes, here and elsewhere. */
function listen() {
  stream = api.changes();
  // Also after it was interrupted: what happened meanwhile is not told.
  stream.addEventListener("open", () => {
    calm();
    refresh();
  });
  stream.addEventListener("change", ({ data }) => changed(JSON.parse(data)));
  stream.addEventListener("end", over);
  stream.addEventListener("error", () => {
    if (stream.readyState === EventSource.CLOSED) over();
    else complain({ message: "the connection is interrupted", hint: "Trying again…" });
  });
}

async function changed({ name, target, kind }) {
  const key = { name, target };
  const isShown = isAbout(key);
  await refresh();
  const row = rowOf(key);
  row?.classList.add("changed");
  if (isShown && row) showDetails(row.secret);
  else if (isShown) closeAll();
  if (!api.hasWritten(key)) say(`${called(key)} was ${kind} elsewhere.`);
}

async function refresh() {
  try {
    secrets = await api.list();
    draw();
  } catch (problem) {
    fail(problem);
  }
}

const isOpen = () => byId("page")?.hidden === false;

function draw() {
  if (!isOpen()) return;
  const focused = document.activeElement?.closest?.("#rows tr")?.secret;
  byId("count").textContent = secrets.length || "";
  byId("secrets").hidden = secrets.length === 0;
  byId("empty").hidden = secrets.length > 0;
  byId("rows").replaceChildren(...secrets.map(row));
  if (focused) rowOf(focused)?.querySelector("button").focus();
}

const rowOf = (key) => [...byId("rows").children].find((row) => isSame(row.secret, key));

function row(secret) {
  const open = make("button", { type: "button", className: "name" }, secret.name);
  open.setAttribute("aria-label", `${called(secret)}: show and change`);
  const line = make(
    "tr",
    { role: "row", secret },
    make("th", { role: "rowheader", scope: "row" }, open),
    cell("Target", secret.target),
    cell("Provider", secret.provider),
    cell("Scope", secret.scope),
    cell("Age", age(secret.updated_at)),
    cell("Expires", expires(secret.expires_at), `expiry ${secret.expiry}`),
    cell("Stored in", badge(secret.storage)),
  );
  line.addEventListener("click", () => showDetails(secret));
  return line;
}

/** A cell; on a narrow screen its label stands beside it. */
function cell(label, content, className = "") {
  const inside = content
    ? make("span", { className }, content)
    : make("span", { className: "none" }, "–");
  return make("td", { role: "cell", "data-label": label, className: content ? "" : "blank" }, inside);
}

function fail(problem) {
  if (problem.isSessionOver || problem.code === "too_many_tokens") over(problem);
  else complain(problem);
}

/** Takes everything off the screen that belonged to the session. */
function over(problem) {
  stream?.close();
  closeAll();
  for (const part of document.querySelectorAll("#page, #end, dialog")) part.remove();
  const why = problem instanceof api.Problem ? problem : { message: "this session has ended" };
  const hint = why.hint || "Open the page anew from the program that it belongs to.";
  complain({ message: why.message, hint });
}

let kept = Date.now();

/** Reading and typing, too, show that somebody is there. */
function keep() {
  if (Date.now() - kept < KEEP || !isOpen()) return;
  kept = Date.now();
  api.keepSession().catch(fail);
}

byId("add").addEventListener("click", showAdd);
byId("end").addEventListener("click", () => api.endSession().then(over, fail));
document.addEventListener("session-over", over);
document.addEventListener("pointerdown", keep);
document.addEventListener("keydown", keep);
addEventListener("hashchange", () => location.reload());
setInterval(draw, AGING);
start();
