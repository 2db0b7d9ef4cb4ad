// Drives a browser over the settings page.

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { readFileSync, statSync, writeFileSync } from "node:fs";
import { checkAccess as check, launch, open, parts, steps, input } from "./browser.mjs";

const { link, change, exports, screenshots } = input;
const { origin, pathname } = new URL(link);

const VALUE = 'sk-1 "quoted"\nline 2 grüße';
const OTHER = "sk-2";

const browser = await launch();
const context = await browser.newContext({ viewport: { width: 1120, height: 900 } });
await context.grantPermissions(["clipboard-read", "clipboard-write"]);
const requests = [];
context.on("request", (request) => requests.push(request.url()));
const { page, complaints } = await open(context);
const step = steps(page);
const checkAccess = (where) => check(page, where);

const { button, row, dialog, question, openRow, told } = parts(page);
const inDays = (days) => new Date(Date.now() + days * 86_400_000).toISOString().slice(0, 10);

await step("a link opens a session, and leaves the address bar", async () => {
  await page.goto(link);
  await page.getByRole("heading", { name: "Tracker", level: 1 }).waitFor();
  assert.equal(page.url(), `${origin}${pathname}`);
  assert.deepEqual(await context.cookies(), []);
  assert.equal(await page.evaluate(() => Object.keys(localStorage).length + document.cookie.length), 0);
  await page.getByText("There are no secrets yet").waitFor();
  assert.equal(await page.locator("#storage .badge").textContent(), "Keychain");
  await page.reload();
  await page.getByText("There are no secrets yet").waitFor();
});

await step("the link works once", async () => {
  const stranger = await browser.newContext();
  const second = await stranger.newPage();
  await second.goto(link);
  await second.getByRole("alert").filter({ hasText: "The link is not valid any more" }).waitFor();
  assert.equal(await second.getByRole("table").isVisible(), false);
  await stranger.close();
});

await step("a secret is added", async () => {
  await button("Add a secret…").click();
  await checkAccess("form");
  const form = dialog("Add a secret");
  await form.getByLabel("Name").fill("OPENAI_API_KEY");
  await form.getByLabel("Value").fill(VALUE);
  await form.getByLabel("Provider").fill("openai");
  await form.getByLabel("Last valid day").fill(inDays(3));
  await form.getByRole("button", { name: "Store" }).click();
  await row("OPENAI_API_KEY").waitFor();
  await told("OPENAI_API_KEY was added.");
  const cells = await row("OPENAI_API_KEY").getByRole("cell").allTextContents();
  assert.deepEqual(cells.filter((_, index) => index !== 4), ["–", "openai", "–", "just now", "Keychain"]);
  assert.match(cells[4], /^in \d days$/);
});

await step("a name that is taken is refused in the form", async () => {
  await button("Add a secret…").click();
  const form = dialog("Add a secret");
  await form.getByLabel("Name").fill("OPENAI_API_KEY");
  await form.getByLabel("Value").fill("x");
  await form.getByRole("button", { name: "Store" }).click();
  await form.getByRole("alert").filter({ hasText: "There is a secret" }).waitFor();
  await form.getByRole("button", { name: "Cancel" }).click();
});

await step("a value is shown after a question, for ten seconds", async () => {
  await openRow("OPENAI_API_KEY");
  await checkAccess("details");
  await button("Reveal…").click();
  await checkAccess("question");
  await question().getByRole("button", { name: "Cancel" }).click();
  assert.equal(await page.locator("#value").textContent(), "");
  await button("Reveal…").click();
  await question().getByRole("button", { name: "Show it" }).click();
  const value = page.locator("#value");
  await value.waitFor();
  const shown = Date.now();
  assert.equal(await value.textContent(), VALUE);
  await checkAccess("value");
  await value.waitFor({ state: "hidden" });
  const seconds = (Date.now() - shown) / 1000;
  assert.ok(seconds > 8 && seconds < 13, `${seconds} s`);
  assert.equal(await value.textContent(), "");
  assert.equal(await button("Reveal…").evaluate((it) => it === document.activeElement), true);
});

await step("a value is copied without being shown", async () => {
  await button("Copy").click();
  await told("Copied.");
  assert.equal(await page.evaluate(() => navigator.clipboard.readText()), VALUE);
  assert.equal(await page.locator("#value").isVisible(), false);
});

await step("a value is replaced, and what is known stays", async () => {
  await button("Replace…").click();
  const form = dialog("Replace OPENAI_API_KEY");
  assert.equal(await form.getByLabel("Provider").inputValue(), "openai");
  await form.getByLabel("Value").fill(OTHER);
  await form.getByRole("button", { name: "Replace" }).click();
  await told("OPENAI_API_KEY was replaced.");
  await openRow("OPENAI_API_KEY");
  await button("Copy").click();
  await told("Copied.");
  assert.equal(await page.evaluate(() => navigator.clipboard.readText()), OTHER);
});

await step("a secret is renamed", async () => {
  await button("Rename…").click();
  const form = dialog("Rename OPENAI_API_KEY");
  await form.getByLabel("Target").fill("production");
  await form.getByRole("button", { name: "Rename" }).click();
  await told("OPENAI_API_KEY is OPENAI_API_KEY (production) now.");
  await row("production").waitFor();
});

await step("another process's changes appear by themselves", async () => {
  const [file, ...args] = change;
  execFileSync(file, args, { stdio: "ignore", timeout: 30_000 });
  await told("FROM_ELSEWHERE was added elsewhere.");
  await row("FROM_ELSEWHERE").waitFor();
});

await step("what lies in files moves into the store", async () => {
  const section = page.getByRole("region", { name: "Still in files" });
  await section.getByText("LEGACY_TOKEN").waitFor();
  assert.equal(await section.locator(".badge").textContent(), "File");
  await page.screenshot({ path: `${screenshots}/files.png` });
  await button("Move into the store…").click();
  await question().getByRole("button", { name: "Move them" }).click();
  await told("1 secret was moved into secret-service.");
  await row("LEGACY_TOKEN").waitFor();
  assert.equal(await section.isVisible(), false);
});

await step("an export comes after a warning, and replaces a file after a question", async () => {
  const path = `${exports}/tracker-secrets.json`;
  const exportJson = async () => {
    await button("Export as JSON…").click();
    await question().getByText(path).waitFor();
    await question().getByRole("button", { name: "Export in plain text" }).click();
  };
  await exportJson();
  await told(`All values are in ${path} now.`);
  assert.match(readFileSync(path, "utf8"), /"legacy value"/);
  assert.equal(statSync(path).mode & 0o777, 0o600);
  writeFileSync(path, "mine");
  await exportJson();
  await question().getByText("There is a file").waitFor();
  await question().getByRole("button", { name: "Cancel" }).click();
  assert.equal(readFileSync(path, "utf8"), "mine");
  await exportJson();
  await page.locator("#status:empty").waitFor({ state: "attached" });
  await question().getByRole("button", { name: "Replace it" }).click();
  await told(`All values are in ${path} now.`);
  assert.match(readFileSync(path, "utf8"), /"legacy value"/);
});

/** Walks until something has the focus that is called like this. */
async function tabTo(name) {
  for (let steps = 0; steps < 40; steps += 1) {
    await page.keyboard.press("Tab");
    const label = await page.evaluate(() => {
      const it = document.activeElement;
      return it.getAttribute("aria-label") ?? it.labels?.[0]?.textContent ?? it.textContent;
    });
    if (label.trim().startsWith(name)) return;
  }
  assert.fail(`no Tab leads to ${name}`);
}

await step("all of it works by keyboard", async () => {
  const { keyboard } = page;
  await page.reload();
  await row("FROM_ELSEWHERE").waitFor();
  await tabTo("Add a secret");
  await keyboard.press("Enter");
  await dialog("Add a secret").waitFor();
  await keyboard.type("BY_KEYBOARD");
  await tabTo("Value");
  await keyboard.type("typed");
  await tabTo("Store");
  await keyboard.press("Enter");
  await row("BY_KEYBOARD").waitFor();
  await tabTo("BY_KEYBOARD");
  await keyboard.press("Enter");
  await dialog("BY_KEYBOARD").waitFor();
  await tabTo("Reveal");
  await keyboard.press("Enter");
  await question().waitFor();
  await tabTo("Show it");
  await keyboard.press("Enter");
  await page.locator("#value").filter({ hasText: "typed" }).waitFor();
  await keyboard.press("Escape");
  await page.locator("#value:empty").waitFor({ state: "attached" });
  const focused = await page.evaluate(() => document.activeElement.textContent);
  assert.equal(focused, "BY_KEYBOARD", "the focus is where it came from");
  await keyboard.press("Enter");
  await tabTo("Delete");
  await keyboard.press("Enter");
  await tabTo("Delete");
  await keyboard.press("Enter");
  await told("BY_KEYBOARD was deleted.");
  await row("BY_KEYBOARD").waitFor({ state: "detached" });
});

await step("a secret is deleted after a question", async () => {
  await openRow("FROM_ELSEWHERE");
  await button("Delete…").click();
  await question().getByRole("button", { name: "Cancel" }).click();
  await button("Delete…").click();
  await question().getByRole("button", { name: "Delete" }).click();
  await told("FROM_ELSEWHERE was deleted.");
  await row("FROM_ELSEWHERE").waitFor({ state: "detached" });
});

await step("it is readable in light and dark, on a desk and in a hand", async () => {
  for (const [name, value, more] of [
    ["ANTHROPIC_API_KEY", "a", { Provider: "anthropic", Scope: "messages", "Last valid day": inDays(150) }],
    ["CLOCKIFY_TOKEN", "b", { Target: "staging", Provider: "clockify" }],
    ["GITHUB_TOKEN", "c", { Provider: "github", Scope: "repo:read" }],
  ]) {
    await button("Add a secret…").click();
    const form = dialog("Add a secret");
    await form.getByLabel("Name").fill(name);
    await form.getByLabel("Value").fill(value);
    for (const [label, filled] of Object.entries(more)) await form.getByLabel(label).fill(filled);
    await form.getByRole("button", { name: "Store" }).click();
    await row(name).waitFor();
  }
  await page.getByText("can keep secrets").first().waitFor();
  await page.locator("#status:empty").waitFor({ state: "attached" });
  for (const colorScheme of ["light", "dark"]) {
    await page.emulateMedia({ colorScheme });
    for (const [device, width, height] of [["desktop", 1120, 900], ["phone", 390, 844]]) {
      await page.setViewportSize({ width, height });
      await page.evaluate(() => {
        document.activeElement.blur();
        scrollTo(0, 0);
      });
      const name = `${device}-${colorScheme}`;
      await page.screenshot({ path: `${screenshots}/${name}.png` });
      await page.screenshot({ path: `${screenshots}/${name}-whole.png`, fullPage: true });
      await checkAccess(name);
      const wide = await page.evaluate(() => document.documentElement.scrollWidth);
      assert.ok(wide <= width, `${name} is ${wide} wide`);
      await openRow("OPENAI_API_KEY (production)");
      await page.screenshot({ path: `${screenshots}/${name}-details.png` });
      await checkAccess(`${name}, details`);
      await button("Replace…").click();
      await page.screenshot({ path: `${screenshots}/${name}-form.png` });
      await checkAccess(`${name}, form`);
      await page.keyboard.press("Escape");
    }
  }
});

await step("an ended session leaves nothing on the screen", async () => {
  await page.setViewportSize({ width: 1120, height: 900 });
  await button("End session").click();
  await page.getByRole("alert").filter({ hasText: "This session has ended." }).waitFor();
  await checkAccess("ended");
  assert.equal(await page.getByText("OPENAI_API_KEY").count(), 0);
});

await step("nothing was asked of others, and no value was in a URL", async () => {
  const foreign = requests.filter((url) => new URL(url).origin !== origin);
  assert.deepEqual(foreign, []);
  assert.deepEqual(requests.filter((url) => /sk-|typed|token=/.test(url.replace(link, ""))), []);
  // What was refused on purpose is told by the browser, too.
  const unexpected = complaints.filter((it) => !/status of (401|409)/.test(it));
  assert.deepEqual(unexpected, []);
});

await browser.close();
