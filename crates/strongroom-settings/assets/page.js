// The page: its session, the table, and what changes while it is open.

import * as api from "./api.js";
import { closeAll, isAbout, setLimits, showAdd, showDetails } from "./dialogs.js";
import { badge, byId, calm, complain, make, say, words } from "./dom.js";
import { showExport, showHealth, showMigration, showStorage } from "./sections.js";
import { age, called, expires, expiry, isSame } from "./words.js";

/** How often the server is told that the user is there, at most, in milliseconds. */
const KEEP = 60_000;

/** How often ages are written anew, in milliseconds. */
const AGING = 60_000;

/** How long a page that is being left keeps its session, in milliseconds. A reload needs it. */
const LEAVING = 1000;

let secrets = [];
let opened; // the key of the row that had the focus last, and its number
let isUnread = false; // whether the last look at the secrets failed, which the notice says
let isOver = false;
let isLeaving = false;

async function start() {
  const refused = await enter();
  try {
    const about = await api.about();
    document.title = `${about.title} – secrets`;
    byId("title").replaceChildren(...words(about.title));
    setLimits(about.limits);
    showStorage(about.badge, about.warnings);
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

/** Takes up a session: by the token in the link, which then opens nothing more, or one that is there. */
async function enter() {
  const token = new URLSearchParams(location.hash.slice(1)).get("token");
  history.replaceState(null, "", location.pathname);
  try {
    await api.resume();
    if (token) await api.openSession(token);
  } catch (problem) {
    // A session that is there already is as good.
    return problem;
  }
}

/** Follows the changes, here and elsewhere. The end of the connection is the end of the page. */
async function listen() {
  try {
    for await (const { event, data } of api.changes()) {
      if (event === "open") refresh();
      if (event === "change") changed(data);
      if (event === "end") return over();
    }
    broken();
  } catch (problem) {
    if (problem.isSessionOver) over(problem);
    else broken();
  }
}

/**
 * The server has gone, or another one may be in its place. A page that is being left loses its connections, too; if it
 * stays after all, it ends as well.
 */
function broken() {
  const lost = new api.Problem(0, { message: "the program that this page belongs to has ended" });
  api.halt();
  if (isLeaving) setTimeout(() => over(lost), LEAVING);
  else over(lost);
}

async function changed({ name, target, kind }) {
  const key = { name, target };
  const isOwn = api.isOwn(key);
  await refresh();
  if (isOver) return;
  const row = rowOf(key);
  row?.classList.add("changed");
  // They may have been closed, or a form be open in their place, meanwhile.
  if (isAbout(key)) row ? showDetails(row.secret) : closeAll();
  if (!isOwn) say(`${called(key)} was ${kind} elsewhere.`);
}

async function refresh() {
  try {
    const listed = await api.list();
    secrets = listed.secrets.map((secret) => ({ ...secret, storage: listed.badge }));
    if (isUnread) calm();
    isUnread = false;
    showStorage(listed.badge, listed.warnings);
    draw();
  } catch (problem) {
    isUnread = true;
    fail(problem, refresh);
  }
}

const isOpen = () => byId("page")?.hidden === false;

function draw() {
  if (!isOpen()) return;
  const focused = document.activeElement?.closest?.("#rows tr");
  if (focused) note(focused);
  byId("count").textContent = secrets.length || "";
  byId("secrets").hidden = secrets.length === 0;
  byId("empty").hidden = secrets.length > 0;
  byId("rows").replaceChildren(...secrets.map(row));
  if (focused) regainFocus();
}

function note(row) {
  opened = { key: row.secret, at: [...byId("rows").children].indexOf(row) };
}

/** Puts a focus that was lost on the row that had it, on the one in its place, or where a first one comes from. */
function regainFocus() {
  if (!isOpen() || !opened || document.activeElement !== document.body) return;
  const rows = byId("rows").children;
  const row = rowOf(opened.key) ?? rows[Math.min(opened.at, rows.length - 1)];
  (row?.querySelector("button") ?? byId("add")).focus();
}

const rowOf = (key) => [...byId("rows").children].find((row) => isSame(row.secret, key));

function row(secret) {
  const open = make("button", { type: "button", className: "name" }, ...words(secret.name));
  open.setAttribute("aria-label", `${called(secret)}: show and change`);
  const line = make(
    "tr",
    { role: "row", secret },
    make("th", { role: "rowheader", scope: "row" }, open),
    cell("Target", words(secret.target), "text"),
    cell("Provider", words(secret.provider), "text"),
    cell("Scope", words(secret.scope), "text"),
    cell("Age", [age(secret.updated_at)]),
    cell("Expires", [expires(secret.expires_at)], "", `expiry ${expiry(secret)}`),
    cell("Stored in", [badge(secret.storage)]),
  );
  line.addEventListener("click", () => {
    note(line);
    showDetails(secret);
  });
  return line;
}

/** A cell; on a narrow screen its label stands beside it. */
function cell(label, content, className = "", inner = "") {
  const isBlank = content.every((piece) => piece === "");
  const inside = isBlank
    ? make("span", { className: "none" }, "–")
    : make("span", { className: inner }, ...content);
  const classes = [className, isBlank ? "blank" : ""].filter(Boolean).join(" ");
  return make("td", { role: "cell", "data-label": label, className: classes }, inside);
}

function fail(problem, again) {
  if (isOver) return;
  if (problem.isSessionOver) over(problem);
  else complain(problem, { again });
}

/** Takes everything off the screen that belonged to the session, and lets nothing be sent any more. */
function over(problem) {
  if (isOver) return;
  isOver = true;
  api.forget();
  closeAll();
  secrets = [];
  for (const form of document.querySelectorAll("form")) form.reset();
  for (const part of document.querySelectorAll("#page, #end, #status, dialog")) part.remove();
  const why = problem instanceof api.Problem ? problem : { message: "this session has ended" };
  const hint = why.hint || "Open the page anew from the program that it belongs to.";
  complain({ message: why.message, hint });
}

let kept = Date.now();

/** Reading and typing, too, show that the user is there. */
function keep() {
  if (Date.now() - kept < KEEP || !isOpen()) return;
  kept = Date.now();
  api.keepSession().catch(fail);
}

byId("add").addEventListener("click", showAdd);
for (const dialog of ["details", "form"]) byId(dialog).addEventListener("close", regainFocus);
byId("end").addEventListener("click", () => api.endSession().then(over, fail));
document.addEventListener("session-over", ({ detail }) => over(detail));
document.addEventListener("pointerdown", keep);
document.addEventListener("keydown", keep);
addEventListener("hashchange", () => location.reload());
for (const leaving of ["beforeunload", "pagehide"]) addEventListener(leaving, () => (isLeaving = true));
// A page that comes back from the browser's memory has lost its connection.
addEventListener("pageshow", ({ persisted }) => {
  if (!persisted) return;
  isOver = true;
  location.reload();
});
setInterval(draw, AGING);
start();
