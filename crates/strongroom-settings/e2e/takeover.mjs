// The server is killed, and another account's server takes its port and answers everything.

import assert from "node:assert/strict";
import { launch, open, steps } from "./browser.mjs";
import { bytes, listen, serve } from "./server.mjs";

const TYPED = "sk-live-typed-by-the-user";

const browser = await launch();

/** Answers as the page's server would, and to a navigation with a page that tells what it finds. */
function pose({ url }, response) {
  const json = (value) => response.setHeader("Content-Type", "application/json").end(JSON.stringify(value));
  if (url.endsWith("api/events")) {
    response.setHeader("Content-Type", "text/event-stream");
    response.write('event: change\ndata: {"name":"X","target":null,"kind":"added"}\n\n');
  } else if (url.endsWith("api/secrets")) json({ secrets: [], store: {}, badge: {}, warnings: [] });
  else if (url.endsWith("api/health")) json({ findings: [] });
  else if (url.includes("api/")) response.writeHead(204).end();
  else {
    response.setHeader("Content-Type", "text/html");
    response.end("<p id=found></p><script>found.textContent = JSON.stringify(sessionStorage) + name</script>");
  }
}

async function opened() {
  const server = await serve();
  const context = await browser.newContext();
  const { page } = await open(context);
  await page.goto(server.link);
  await page.getByRole("row").filter({ hasText: "STORED_KEY" }).waitFor();
  return { server, page, step: steps(page), port: Number(server.page.port) };
}

async function fill(page) {
  await page.getByRole("button", { name: "Add a secret…" }).click();
  const form = page.getByRole("dialog", { name: "Add a secret" });
  await form.getByLabel("Name").fill("TYPED_KEY");
  await form.getByLabel("Value").fill(TYPED);
}

/** Checks that the page is empty, and asks and sends nothing any more. */
async function isEmpty(page, why = "has ended") {
  await page.getByRole("alert").filter({ hasText: why }).waitFor();
  assert.equal(await page.locator("form, dialog, table, input, textarea, #status").count(), 0);
  assert.ok(!(await page.content()).includes("STORED_KEY"));
  assert.equal(await page.evaluate(() => Object.keys(sessionStorage).length), 0, "the session is forgotten");
  const asked = [];
  page.on("request", (request) => asked.push(request.url()));
  await page.mouse.click(200, 200);
  await page.keyboard.press("Enter");
  await page.waitForTimeout(1500);
  assert.deepEqual(asked, []);
}

/** Checks that nothing that was typed or shown came to the thief, in whatever form. */
function gotNothing(thief, names) {
  const got = bytes(thief.got);
  for (const text of [TYPED, "stored-value", ...names]) {
    for (const form of [text, Buffer.from(text).toString("base64").slice(0, -4), encodeURIComponent(text)]) {
      assert.ok(!got.includes(form), `the thief has ${form}`);
    }
  }
}

{
  const { server, page, step, port } = await opened();
  await step("a page whose server was killed is emptied, whoever listens there now", async () => {
    await fill(page);
    await server.kill();
    const thief = await listen(port, pose);
    await isEmpty(page);
    gotNothing(thief, ["TYPED_KEY"]);
    assert.deepEqual(thief.got.filter(({ method }) => method !== "GET"), []);
    await page.reload();
    assert.equal(await page.locator("#found").textContent(), "{}", "a reload tells the thief nothing");
    thief.close();
  });
  await page.close();
}

{
  const { server, page, step, port } = await opened();
  await step("what is sent before the end is noticed can't be read by another server", async () => {
    await fill(page);
    // The page is busy while the server is killed and another one begins; then the form is sent, in the same task.
    await page.evaluate(() =>
      setTimeout(() => {
        const end = Date.now() + 3000;
        while (Date.now() < end);
        document.querySelector("#form form").requestSubmit();
      }),
    );
    await server.kill();
    const thief = await listen(port, pose);
    await isEmpty(page);
    const sent = thief.got.filter(({ method, url }) => method === "POST" && url.endsWith("api/secrets/add"));
    assert.equal(sent.length, 1, "the thief was faster");
    gotNothing(thief, ["TYPED_KEY"]);
    thief.close();
  });
  await page.close();
}

{
  const { server, page, step } = await opened();
  await step("a page whose server was killed is emptied where nothing listens", async () => {
    await fill(page);
    await server.kill();
    await isEmpty(page);
  });
  await page.close();
}

{
  const { server, page, step } = await opened();
  await step("a page whose server was stopped is emptied", async () => {
    await page.getByRole("button", { name: "STORED_KEY: show and change" }).click();
    await page.getByRole("button", { name: "Replace…" }).click();
    await page.getByRole("textbox", { name: "Value" }).fill(TYPED);
    await server.stop();
    await isEmpty(page, "This session has ended.");
  });
  await page.close();
}

await browser.close();
