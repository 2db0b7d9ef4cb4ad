// Ordinary long data in windows of all sizes: nothing overflows, is cut, or breaks inside a word.

import assert from "node:assert/strict";
import { checkAccess, launch, open, steps, input } from "./browser.mjs";

const browser = await launch();
const context = await browser.newContext();
const { page } = await open(context);
const step = steps(page);
await page.goto(input.link);
await page.getByRole("row").nth(3).waitFor();
await page.getByText("Looking…").waitFor({ state: "detached" });

const button = (name) => page.getByRole("button", { name, exact: true });
const openRow = (name) => page.getByRole("button", { name: `${name}: show and change` }).click();
const cancel = () => page.keyboard.press("Escape");

/** What doesn't fit. Runs in the page. */
function faults() {
  const found = [];
  const isShown = (element) =>
    element.checkVisibility({ visibilityProperty: true }) && !element.closest(".sr, thead, option");
  const called = (element) =>
    `<${element.tagName.toLowerCase()} ${element.id || element.className}> ${element.textContent.slice(0, 60)}`;
  for (const element of document.querySelectorAll("body, body *")) {
    const { overflowX, display } = getComputedStyle(element);
    if (!isShown(element)) continue;
    const { left, right } = element.getBoundingClientRect();
    if (right > innerWidth + 1 || left < -1) found.push(`outside the window: ${called(element)}`);
    // Fields and code scroll by themselves.
    const scrolls = element.matches("input, textarea, pre");
    if (display !== "inline" && !scrolls && element.scrollWidth > element.clientWidth + 1)
      found.push(`overflows (${overflowX}, ${element.scrollWidth} in ${element.clientWidth}): ${called(element)}`);
  }
  const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (texts.nextNode()) {
    const { data, parentElement } = texts.currentNode;
    if (!isShown(parentElement) || parentElement.matches("textarea, pre")) continue;
    for (const word of data.matchAll(/[^\s\-–/]+/g)) {
      const range = new Range();
      range.setStart(texts.currentNode, word.index);
      range.setEnd(texts.currentNode, word.index + word[0].length);
      const lines = new Set([...range.getClientRects()].map(({ top }) => Math.round(top)));
      if (lines.size > 1) found.push(`breaks inside "${word[0]}": ${called(parentElement)}`);
    }
  }
  return found;
}

const [first, expired] = input.names;

async function check(where) {
  assert.deepEqual(await page.evaluate(faults), [], where);
  await checkAccess(page, where);
}

for (const width of [1280, 1000, 900, 390, 320]) {
  for (const colorScheme of ["light", "dark"]) {
    await step(`${width} px, ${colorScheme}`, async () => {
      await page.emulateMedia({ colorScheme });
      await page.setViewportSize({ width, height: 900 });
      await page.screenshot({ path: `${input.screenshots}/long-${width}-${colorScheme}.png`, fullPage: true });
      await check("the page");
      for (const name of [first, expired]) {
        await openRow(name);
        await page.screenshot({ path: `${input.screenshots}/long-${width}-${colorScheme}-${name === first ? "details" : "expired"}.png` });
        await check(`details of ${name}`);
        for (const [next, what] of [["Replace…", "form"], ["Rename…", "form"]]) {
          await button(next).click();
          await check(`${what} of ${name}`);
          await cancel();
          await openRow(name);
        }
        await button("Delete…").click();
        await check(`question about ${name}`);
        await cancel();
        await cancel();
      }
      await button("Export as JSON…").click();
      await check("question about an export");
      await cancel();
    });
  }
}

await browser.close();
