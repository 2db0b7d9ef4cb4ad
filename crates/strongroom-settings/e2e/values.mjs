// What is typed and pasted is what is stored, and what another process wrote meanwhile is kept.

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { checkAccess, launch, open, parts, steps, input } from "./browser.mjs";

const browser = await launch();
const context = await browser.newContext();
await context.grantPermissions(["clipboard-read", "clipboard-write"]);
const { page } = await open(context);
const step = steps(page);
const posted = [];
page.on("request", (request) => request.method() === "POST" && posted.push(new URL(request.url()).pathname));
await page.goto(input.link);
await page.getByText("There are no secrets yet").waitFor();

const { button, row, dialog, question, openRow, told } = parts(page);

async function another(command) {
  const [file, ...args] = command;
  execFileSync(file, args, { stdio: "ignore", timeout: 30_000 });
}

/** Opens the form for a new secret. */
async function startAdding(name) {
  await button("Add a secret…").click();
  const form = dialog("Add a secret");
  await form.getByLabel("Name").fill(name);
  return form;
}

/** Pastes as a user does. */
async function paste(field, text) {
  await page.evaluate((text) => navigator.clipboard.writeText(text), text);
  await field.focus();
  await page.keyboard.press("Control+V");
}

async function addPasted(name, value) {
  const form = await startAdding(name);
  await paste(form.getByLabel("Value"), value);
  await form.getByRole("button", { name: "Store" }).click();
  await told(`${name} was added.`);
}

const clipboard = () => page.evaluate(() => navigator.clipboard.readText());

/** Returns the stored value by way of the clipboard. What the page says of it may give way to news of another process. */
async function stored(name) {
  await page.evaluate(() => navigator.clipboard.writeText("nothing yet"));
  await openRow(name);
  await button("Copy").click();
  for (let tries = 0; (await clipboard()) === "nothing yet"; tries += 1) {
    assert.ok(tries < 300, `${name} is not copied`);
    await page.waitForTimeout(50);
  }
  await page.keyboard.press("Escape");
  return clipboard();
}

await step("the newline behind one line is not part of the value, and that of several lines is", async () => {
  for (const [name, pasted, kept] of [
    ["TOKEN", "token123\n", "token123"],
    ["SPACES", " two  spaces ", " two  spaces "],
    ["PEM", "-----BEGIN KEY-----\nabc\n-----END KEY-----\n", "-----BEGIN KEY-----\nabc\n-----END KEY-----\n"],
  ]) {
    await addPasted(name, pasted);
    assert.equal(await stored(name), kept, name);
  }
});

await step("line ends are kept as they were pasted, and the form says so", async () => {
  const form = await startAdding("WINDOWS");
  const value = form.getByLabel("Value");
  const note = form.getByText("Its line ends are stored as they were pasted");
  await paste(value, "one\r\ntwo\r\n");
  await note.waitFor();
  await checkAccess(page, "the note on line ends");
  await form.getByRole("button", { name: "Store" }).click();
  await told("WINDOWS was added.");
  assert.equal(await stored("WINDOWS"), "one\r\ntwo\r\n");
  const edited = await startAdding("EDITED");
  await paste(edited.getByLabel("Value"), "one\r\ntwo");
  await page.keyboard.type("!");
  await note.waitFor({ state: "hidden" });
  await edited.getByRole("button", { name: "Store" }).click();
  await told("EDITED was added.");
  assert.equal(await stored("EDITED"), "one\ntwo!");
});

await step("a name is taken without the spaces around it", async () => {
  const form = await startAdding("  SPACED ");
  await form.getByLabel("Target").fill(" production ");
  await form.getByLabel("Value").fill("v");
  await form.getByRole("button", { name: "Store" }).click();
  await told("SPACED (production) was added.");
  await row("SPACED").waitFor();
  assert.equal(await button("SPACED: show and change").count(), 0);
});

await step("what is too long is refused with the limit, and nothing is sent", async () => {
  // A browser takes minutes to show a value that is really too long.
  await page.route("**/api/about", async (route) => {
    const answer = await route.fetch();
    const about = await answer.json();
    assert.deepEqual(about.limits, { name: 255, value: 16 * 1024 * 1024 });
    await route.fulfill({ response: answer, json: { ...about, limits: { name: 255, value: 1000 } } });
  });
  await page.reload();
  await row("TOKEN").waitFor();
  const sent = posted.length;
  const form = await startAdding("ü".repeat(128));
  const store = form.getByRole("button", { name: "Store" });
  await form.getByLabel("Value").fill("v");
  await store.click();
  await form.getByRole("alert").filter({ hasText: "The name has 256 bytes, and can have at most 255." }).waitFor();
  await form.getByLabel("Name").fill("HUGE");
  await form.getByLabel("Value").fill("x".repeat(1001));
  await store.click();
  await form.getByRole("alert").filter({ hasText: "The value has 1001 bytes, and can have at most 1000." }).waitFor();
  assert.equal(await form.getByLabel("Value").evaluate(({ value }) => value.length), 1001);
  assert.equal(posted.length, sent);
  await page.unroute("**/api/about");
  await page.reload();
  await row("TOKEN").waitFor();
});

await step("a value of 70,000 characters is stored whole, and the page says where secrets are then", async () => {
  assert.equal(await page.locator("#storage .badge").textContent(), "Keychain");
  await page.locator("#status").evaluate((status) => {
    window.said = [];
    new MutationObserver(() => window.said.push(status.textContent)).observe(status, { childList: true });
  });
  const form = await startAdding("BIG");
  await paste(form.getByLabel("Value"), "x".repeat(70_000));
  await form.getByRole("button", { name: "Store" }).click();
  await row("BIG").waitFor();
  await page.locator("#storage .badge").filter({ hasText: "Sealed file" }).waitFor();
  // Other changes would be told by now.
  await page.waitForTimeout(1500);
  const said = await page.evaluate(() => window.said.filter(Boolean));
  assert.deepEqual(said, ["BIG was added."]);
  assert.equal((await stored("BIG")).length, 70_000);
});

await step("a form is sent by Ctrl and Enter", async () => {
  const form = await startAdding("SHARED");
  await form.getByLabel("Value").fill("ours");
  await page.keyboard.press("Control+Enter");
  await told("SHARED was added.");
});

await step("what another process wrote is replaced after a question alone", async () => {
  await openRow("SHARED");
  await button("Replace…").click();
  const form = dialog("Replace SHARED");
  await form.getByLabel("Value").fill("mine");
  await another(input.replace);
  await form.getByRole("button", { name: "Replace" }).click();
  await question().getByText("SHARED was changed meanwhile").waitFor();
  await checkAccess(page, "the question about a change");
  await question().getByRole("button", { name: "Cancel" }).click();
  assert.equal(await form.getByLabel("Value").inputValue(), "mine", "nothing that was typed is lost");
  await page.keyboard.press("Escape");
  assert.equal(await stored("SHARED"), "theirs");
  await openRow("SHARED");
  await button("Replace…").click();
  await form.getByLabel("Value").fill("mine");
  await another(input.replace);
  await form.getByRole("button", { name: "Replace" }).click();
  await question().getByRole("button", { name: "Replace it" }).click();
  await told("SHARED was replaced.");
  assert.equal(await stored("SHARED"), "mine");
});

await step("so it is renamed and deleted", async () => {
  await openRow("SHARED");
  await button("Rename…").click();
  const form = dialog("Rename SHARED");
  await form.getByLabel("Target").fill("staging");
  await another(input.replace);
  await form.getByRole("button", { name: "Rename" }).click();
  await question().getByText("SHARED was changed meanwhile").waitFor();
  await question().getByRole("button", { name: "Cancel" }).click();
  await page.keyboard.press("Escape");
  await openRow("SHARED");
  await button("Delete…").click();
  await question().getByText("Delete SHARED?").waitFor();
  await another(input.replace);
  await question().getByRole("button", { name: "Delete" }).click();
  await question().getByText("SHARED was changed meanwhile").waitFor();
  await question().getByRole("button", { name: "Cancel" }).click();
  await page.keyboard.press("Escape");
  assert.equal(await stored("SHARED"), "theirs");
});

await step("a change is told in the form that is open", async () => {
  await openRow("SHARED");
  await button("Replace…").click();
  await another(input.replace);
  await dialog("Replace SHARED").getByRole("status").filter({ hasText: "SHARED was updated elsewhere." }).waitFor();
  await page.keyboard.press("Escape");
});

await step("after a deletion the next row has the focus", async () => {
  const names = await page.locator("#rows button").allTextContents();
  const doomed = names.indexOf("PEM");
  await openRow("PEM");
  await button("Delete…").click();
  await question().getByRole("button", { name: "Delete" }).click();
  await told("PEM was deleted.");
  await row("PEM").waitFor({ state: "detached" });
  const focused = () => page.evaluate(() => document.activeElement.textContent);
  for (let tries = 0; tries < 20 && (await focused()) !== names[doomed + 1]; tries += 1) await page.waitForTimeout(100);
  assert.equal(await focused(), names[doomed + 1]);
});

await step("what weakens the protection stands where the secrets are kept", async () => {
  await page.route("**/api/secrets", async (route) => {
    const answer = await route.fetch();
    const listed = await answer.json();
    listed.warnings = [{ code: "unencrypted", message: "values cross the bus without encryption" }];
    await route.fulfill({ response: answer, json: listed });
  });
  await page.reload();
  const place = page.getByRole("region", { name: "Where secrets are kept" });
  await place.getByText("Values cross the bus without encryption.").waitFor();
  await checkAccess(page, "a warning");
  await page.unroute("**/api/secrets");
});

await step("a store that is locked is asked again by a button", async () => {
  const locked = { code: "locked", message: "the keyring is locked", hint: "Unlock it." };
  await page.route("**/api/secrets", (route) => route.fulfill({ status: 503, json: { error: locked } }));
  await page.reload();
  await page.getByRole("alert").filter({ hasText: "The keyring is locked. Unlock it." }).waitFor();
  assert.equal(await page.getByRole("table").isVisible(), false);
  await checkAccess(page, "locked");
  await page.unroute("**/api/secrets");
  await button("Try again").click();
  await row("TOKEN").waitFor();
  assert.equal(await page.getByRole("alert").isVisible(), false);
});

await step("a moment in an error is told by the user's clock", async () => {
  const expired = { code: "expired", message: "the secret expired at 2026-01-02T03:04:05Z", hint: "" };
  await page.route("**/api/secrets/reveal", (route) => route.fulfill({ status: 410, json: { error: expired } }));
  await openRow("TOKEN");
  await button("Copy").click();
  const moment = await page.evaluate(() =>
    new Date("2026-01-02T03:04:05Z").toLocaleString([], { dateStyle: "medium", timeStyle: "short" }),
  );
  await page.getByRole("alert").filter({ hasText: `The secret expired at ${moment}.` }).waitFor();
  await page.keyboard.press("Escape");
});

await step("what was told last goes with the session", async () => {
  const form = await startAdding("LAST");
  await form.getByLabel("Value").fill("v");
  await form.getByRole("button", { name: "Store" }).click();
  await told("LAST was added.");
  await button("End session").click();
  await page.getByRole("alert").filter({ hasText: "This session has ended." }).waitFor();
  assert.equal(await page.getByText("LAST").count(), 0);
});

await browser.close();
