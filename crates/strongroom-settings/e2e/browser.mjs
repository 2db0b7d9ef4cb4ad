// The parts that all scripts share: their input, a browser, steps, and a check with axe-core.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { text } from "node:stream/consumers";

/** The input, which the test writes. */
export const input = JSON.parse(await text(process.stdin));

const require = createRequire(`${input.modules}/`);
const axe = readFileSync(require.resolve("axe-core/axe.min.js"), "utf8");
const { chromium } = require("playwright-core");

const OPTIONS = {
  executablePath: input.chromium,
  args: [
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
  ],
};

export const launch = () => chromium.launch(OPTIONS);

/** A browser with a profile on the disk. */
export const launchWithProfile = (directory) => chromium.launchPersistentContext(directory, OPTIONS);

/** A page in a context, and all that went wrong in it. */
export async function open(context) {
  const page = await context.newPage();
  page.setDefaultTimeout(15_000);
  const complaints = [];
  page.on("console", (message) => message.type() === "error" && complaints.push(message.text()));
  page.on("pageerror", (error) => complaints.push(String(error)));
  return { page, complaints };
}

/** The parts of the page that scripts look for. */
export const parts = (page) => ({
  button: (name) => page.getByRole("button", { name, exact: true }),
  row: (name) => page.getByRole("row").filter({ hasText: name }),
  dialog: (name) => page.getByRole("dialog", { name }),
  question: () => page.getByRole("alertdialog"),
  openRow: (name) => page.getByRole("button", { name: `${name}: show and change` }).click(),
  told: (words) => page.getByRole("status").filter({ hasText: words }).waitFor(),
});

/** Does a step, and leaves a picture where it fails. */
export const steps = (page) => async (name, work) => {
  try {
    await work();
    console.log(`${name}: fine`);
  } catch (error) {
    await page.screenshot({ path: `${input.screenshots}/failed.png` }).catch(() => {});
    throw new Error(`${name}: ${error.message}`, { cause: error });
  }
};

/** Checks that axe-core finds nothing. */
export async function checkAccess(page, where) {
  await page.evaluate(axe);
  const { violations } = await page.evaluate(() => window.axe.run());
  const found = violations.map(({ id, nodes }) => `${id}: ${nodes.map((it) => it.html).join(" ")}`);
  assert.deepEqual(found, [], where);
}
