// The sections around the table: the place, health, what lies in files, export.

import * as api from "./api.js";
import { ask } from "./dialogs.js";
import { badge, byId, calm, complain, make, say, sentence, sessionOver, words } from "./dom.js";
import { called } from "./words.js";

export function showStorage(storage, warnings) {
  byId("storage").replaceChildren(badge(storage), ` ${storage.protection} ${storage.lasts}`);
  // How long they last stands there already.
  const weak = warnings.filter(({ code }) => code !== "not_persistent");
  const warning = ({ message }) => make("li", {}, sentence(message));
  byId("storage-warnings").replaceChildren(...weak.map(warning));
}

export async function showHealth() {
  const button = byId("check");
  button.disabled = true;
  byId("findings").replaceChildren(make("li", { className: "muted" }, "Looking…"));
  const findings = await api.health().finally(() => (button.disabled = false));
  const nothing = make("li", { className: "muted" }, "There is nothing to tell about these stores.");
  byId("findings").replaceChildren(...(findings.length ? findings.map(finding) : [nothing]));
}

const SEVERITIES = { fine: "Fine", note: "Note", problem: "Problem" };

function finding({ severity, message, fixes }) {
  const word = make("span", { className: `badge ${severity}` }, SEVERITIES[severity]);
  const text = make("div", {}, make("p", {}, sentence(message)), ...fixes.map(fix));
  return make("li", { className: "finding" }, word, text);
}

function fix({ text, commands }) {
  return make("div", { className: "fix" }, make("p", {}, text), ...commands.map(command));
}

function command(text) {
  const copy = make("button", { type: "button", className: "quiet", "aria-label": `Copy ${text}` }, "Copy");
  copy.addEventListener("click", async () => {
    await navigator.clipboard.writeText(text);
    say("Copied.");
  });
  return make("div", { className: "command" }, make("code", {}, ...words(text)), copy);
}

let planned = [];

/** Shows what lies in files, and nothing where nothing does. */
export async function showMigration() {
  const plan = await api.plan();
  byId("migration").hidden = !plan;
  planned = plan?.secrets ?? [];
  if (!plan) return;
  const line = ({ file, path, ...key }) =>
    make(
      "li",
      { className: "planned" },
      badge(plan.badge),
      make(
        "div",
        {},
        make("strong", {}, ...words(called(key))),
        make("p", { className: "muted" }, ...words(`${file}: ${path}`)),
      ),
    );
  byId("planned").replaceChildren(...planned.map(line));
  const warnings = plan.notes.map((text) => make("li", {}, sentence(text)));
  byId("migration-warnings").replaceChildren(...warnings);
}

async function secure() {
  const isSure = await ask({
    heading: "Move these secrets into the store?",
    text:
      "Each one is stored, read back and compared before its value is taken out of the file. " +
      "Programs that read the file itself won't find it there any more.",
    yes: "Move them",
  });
  if (!isSure) return;
  await attempt(byId("secure"), async () => {
    say(sentence(await api.secure(planned)));
    await showMigration();
  });
}

export function showExport(formats) {
  byId("export").hidden = formats.length === 0;
  const button = (format) => {
    const element = make("button", { type: "button" }, `Export as ${format.label}…`);
    element.addEventListener("click", () => exportTo(format, element));
    return element;
  };
  byId("formats").replaceChildren(...formats.map(button));
}

async function exportTo({ label, file }, button) {
  const isSure = await ask({
    heading: `Export all values as ${label}?`,
    text:
      `They will be in ${file}, which your account alone can read. The file is not encrypted: whoever gets hold of ` +
      "it can read every value, also in a backup or a synchronised folder. Delete it once it has served.",
    yes: "Export in plain text",
    isDangerous: true,
  });
  if (isSure) await attempt(button, () => writeExport(label, file));
}

async function writeExport(label, file, replace = false) {
  try {
    say(`All values are in ${await api.exportAs(label, replace)} now.`);
  } catch (problem) {
    if (problem.code !== "already_exists" || replace) throw problem;
    const isSure = await ask({
      heading: "Replace the file?",
      text: `There is a file ${file} already.`,
      yes: "Replace it",
      isDangerous: true,
    });
    if (isSure) await writeExport(label, file, true);
  }
}

/** Does something once, and says at the top of the page what went wrong. */
async function attempt(button, work) {
  calm();
  button.disabled = true;
  try {
    await work();
  } catch (problem) {
    if (problem.isSessionOver) sessionOver(problem);
    else complain(problem);
  } finally {
    button.disabled = false;
  }
}

byId("secure").addEventListener("click", secure);
byId("check").addEventListener("click", () => attempt(byId("check"), showHealth));
