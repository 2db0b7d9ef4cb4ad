// A browser opens the page by the file that it is started with.

import assert from "node:assert/strict";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { launchWithProfile, open, steps, input } from "./browser.mjs";
import { serve } from "./server.mjs";

const server = await serve();
const file = `${input.directory}/entry.html`;
const profile = `${input.directory}/profile`;
writeFileSync(file, server.entry);

const context = await launchWithProfile(profile);
const { page, complaints } = await open(context);
const step = steps(page);

await step("the file opens the page", async () => {
  await page.goto(`file://${file}`);
  await page.getByRole("row").filter({ hasText: "STORED_KEY" }).waitFor();
  assert.equal(page.url(), String(server.page));
  assert.equal(await page.locator("meta[name=session]").count(), 0);
});

await step("a reload asks nothing and keeps the session", async () => {
  const methods = [];
  page.on("request", (request) => request.isNavigationRequest() && methods.push(request.method()));
  await page.reload();
  await page.getByRole("row").filter({ hasText: "STORED_KEY" }).waitFor();
  assert.deepEqual(methods, ["GET"]);
  assert.deepEqual(complaints, []);
});

await step("going back and on again keeps the session, and shows nothing by itself", async () => {
  await page.goto("about:blank");
  await page.goBack();
  await page.getByRole("row").filter({ hasText: "STORED_KEY" }).waitFor();
});

await step("the file works once", async () => {
  const { page: second } = await open(context);
  await second.goto(`file://${file}`);
  await second.getByRole("alert").filter({ hasText: "There is no session" }).waitFor();
  await second.close();
});

await context.close();
await server.stop();

/** The files of a directory and those below it. */
const all = (directory) =>
  readdirSync(directory, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => `${entry.parentPath}/${entry.name}`);

const history = all(profile).filter((path) => /History|Favicons|Visited|Shortcuts|Top Sites/.test(path));
assert.ok(history.some((path) => readFileSync(path, "latin1").includes(server.page.host)), "there is a history");
for (const path of history) {
  assert.ok(!readFileSync(path, "latin1").includes(server.token), `the token is in ${path}`);
}
console.log("the token is not in the browser's history: fine");
