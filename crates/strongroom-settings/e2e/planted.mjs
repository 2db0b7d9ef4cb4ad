// Another account's server had the port before, and left in the browser what browsers remember.

import assert from "node:assert/strict";
import { launch, open, steps } from "./browser.mjs";
import { bytes, listen, serve } from "./server.mjs";

const browser = await launch();
const context = await browser.newContext();
const { page } = await open(context);
const step = steps(page);

const FILES = ["page.js", "api.js", "dom.js", "words.js", "dialogs.js", "sections.js", "page.css"];
const stolen = "fetch(`/stolen?${location.hash}${JSON.stringify(sessionStorage)}`)";

/** Answers with what a browser keeps for a year. */
function plant({ url }, response) {
  response.setHeader("Cache-Control", "max-age=31536000, immutable");
  if (url === "/") response.writeHead(308, { Location: "/elsewhere" }).end();
  else if (url.endsWith(".js")) response.setHeader("Content-Type", "text/javascript").end(url === "/worker.js" ? worker : stolen);
  else if (url.endsWith(".css")) response.setHeader("Content-Type", "text/css").end("* { color: red }");
  else response.setHeader("Content-Type", "text/html").end(visit);
}
const worker = `
  addEventListener("install", () => skipWaiting());
  addEventListener("activate", (event) => event.waitUntil(clients.claim()));
  addEventListener("fetch", (event) => event.respondWith(new Response("<script>${stolen}</script>planted",
    { headers: { "Content-Type": "text/html" } })));
`;
const visit = FILES.map((file) => `<link rel="preload" as="${file.endsWith("css") ? "style" : "script"}" href="/${file}">`).join("");

async function visited(withWorker) {
  const thief = await listen(0, plant);
  await page.goto(`${thief.origin}/elsewhere`);
  await page.evaluate((files) => Promise.all(files.map((file) => fetch(`/${file}`).then((it) => it.text()))), FILES);
  await page.evaluate(() => fetch("/").then((it) => it.text()));
  if (withWorker) await page.evaluate(() => navigator.serviceWorker.register("/worker.js").then(() => navigator.serviceWorker.ready));
  await page.goto("about:blank");
  thief.close();
  return thief;
}

await step("files and redirects that the browser keeps for the address are not the page's", async () => {
  const thief = await visited(false);
  const server = await serve(new URL(thief.origin).port);
  await page.goto(server.link);
  await page.getByRole("row").filter({ hasText: "STORED_KEY" }).waitFor();
  assert.ok(!bytes(thief.got).includes("stolen"));
  await server.stop();
});

await step("a service worker of 127.0.0.1 doesn't see a page with an address of its own", async () => {
  const thief = await visited(true);
  const server = await serve("fresh");
  assert.notEqual(server.page.hostname, "127.0.0.1");
  await page.goto(server.link);
  await page.getByRole("row").filter({ hasText: "STORED_KEY" }).waitFor();
  assert.equal(await page.evaluate(() => navigator.serviceWorker.controller), null);
  await page.goto(`${thief.origin}/any`);
  assert.equal(await page.locator("body").textContent(), "planted", "the worker works where it was planted");
  await server.stop();
});

await browser.close();
